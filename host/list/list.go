// Package list keeps what is in a list at a place of the log: a change makes another list, which shares with the one before
// all that it does not change.
package list

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// Entry is a value of a list.
type Entry struct {
	Value   string `json:"v"`           // as it was written
	Expires int64  `json:"x,omitempty"` // log time from which on it does not count, ns; 0: never
	Origin  string `json:"o,omitempty"` // who put it there: a user's name, or "rule:" and a rule's id
	Note    string `json:"n,omitempty"`
	At      int64  `json:"t,omitempty"` // log time at which it was put there, ns
}

// List is entries by their values, compared as index.Kind says. It is immutable, so any number of goroutines may ask it.
type List struct {
	kind   index.Kind
	shards [][]slot // by the low bits of the hash; as many as a power of two
	len    int
	widths *widths // of CIDR
	look   int     // entries from which on it looks for those that have ended
}

// slot is an entry under the form in which values are compared.
type slot struct {
	hash  uint64
	key   string
	entry *Entry
}

// widths counts networks by the length of their prefix.
type widths struct {
	v4 [33]int32
	v6 [129]int32
}

var seed = maphash.MakeSeed() // where an entry lies is told to nobody

// New returns an empty list.
func New(kind index.Kind) (*List, error) {
	switch kind {
	case index.Exact, index.NoCase, index.CIDR, index.Domain:
	default:
		return nil, fmt.Errorf("kind %q: want exact, nocase, cidr or domain: %w", kind, storage.ErrInvalid)
	}
	return &List{kind: kind, shards: make([][]slot, 1), widths: &widths{}, look: firstLooked}, nil
}

// Kind returns how values are compared.
func (l *List) Kind() index.Kind { return l.kind }

// Len returns the number of entries, with those that have ended and were not removed yet.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return l.len
}

// Changed says what a change did beside what it was asked for.
type Changed struct {
	Ended   int // entries that had ended and are gone
	Evicted int // entries, the oldest, that gave way because the list was full
}

// With returns the list without some values and then with some entries; one whose value is there takes its place. now is
// the log time. What is not there need not be removed. The error wraps storage.ErrInvalid and names the value.
func (l *List) With(remove []string, put []Entry, now int64) (*List, Changed, error) {
	c := l.change()
	var key buffer
	for _, v := range remove {
		k, err := l.keyOf(&key, v)
		if err != nil {
			return nil, Changed{}, err
		}
		c.remove(k)
	}
	for i := range put {
		e := put[i]
		k, err := l.keyOf(&key, e.Value)
		if err != nil {
			return nil, Changed{}, err
		}
		if len(e.Note) > MaxNoteBytes || len(e.Origin) > MaxOriginBytes {
			return nil, Changed{}, fmt.Errorf("value %.80q: a note of %d bytes and an origin of %d, at most %d and %d are allowed: %w", e.Value, len(e.Note), len(e.Origin), MaxNoteBytes, MaxOriginBytes, storage.ErrInvalid)
		}
		c.put(k, &e)
	}
	did := c.makeRoom(now)
	return c.next, did, nil
}

// Takes reports whether a value can be in the list.
func (l *List) Takes(value string) bool {
	var key buffer
	_, err := l.keyOf(&key, value)
	return err == nil
}

// Has reports whether a value is in the list at a log time. It allocates nothing, and costs the same for any number of
// entries.
func (l *List) Has(value string, at int64) bool {
	return l.Find(value, at) != nil
}

// Find returns the entry of a value that counts at a log time: of networks the narrowest, of domains the longest. The
// caller must not change it.
func (l *List) Find(value string, at int64) *Entry {
	if l == nil || l.len == 0 || value == "" || len(value) > index.MaxKeyBytes {
		return nil
	}
	var key buffer
	switch l.kind {
	case index.CIDR:
		return l.findNetwork(&key, value, at)
	case index.Domain:
		name := strings.TrimSuffix(key.lower(value), ".")
		for name != "" {
			if e := l.at(name, at); e != nil {
				return e
			}
			_, name, _ = strings.Cut(name, ".")
		}
		return nil
	case index.NoCase:
		return l.at(key.lower(value), at)
	}
	return l.at(value, at)
}

func (l *List) findNetwork(key *buffer, value string, at int64) *Entry {
	a, err := address(value)
	if err != nil {
		return nil
	}
	counts := l.widths.v6[:]
	if a.Is4() {
		counts = l.widths.v4[:]
	}
	for bits := len(counts) - 1; bits >= 0; bits-- {
		if counts[bits] == 0 {
			continue
		}
		if p, err := a.Prefix(bits); err == nil {
			if e := l.at(key.network(p), at); e != nil {
				return e
			}
		}
	}
	return nil
}

// Get returns the entry of just this value that counts at a log time. The caller must not change it.
func (l *List) Get(value string, at int64) *Entry {
	var key buffer
	k, err := l.keyOf(&key, value)
	if err != nil {
		return nil
	}
	return l.at(k, at)
}

// at returns the entry of a key that counts at a log time.
func (l *List) at(key string, at int64) *Entry {
	h := maphash.String(seed, key)
	for i := range l.shards[h&uint64(len(l.shards)-1)] {
		s := &l.shards[h&uint64(len(l.shards)-1)][i]
		if s.hash == h && s.key == key {
			if s.entry.Ended(at) {
				return nil
			}
			return s.entry
		}
	}
	return nil
}

// Ended reports whether the entry does not count any more at a log time.
func (e *Entry) Ended(at int64) bool { return e.Expires != 0 && e.Expires <= at }

// Entries returns all entries in the order of their values. The caller must not change them.
func (l *List) Entries() []*Entry {
	all := make([]*Entry, 0, l.len)
	for _, shard := range l.shards {
		for i := range shard {
			all = append(all, shard[i].entry)
		}
	}
	slices.SortFunc(all, func(a, b *Entry) int { return strings.Compare(a.Value, b.Value) })
	return all
}

// Diff returns the entries of a list that are not in another one made of it by changes, and those that are there only. was
// is nil for an empty list. The caller must not change them.
func Diff(was, now *List) (gone, came []*Entry) {
	if was == nil {
		return nil, now.Entries()
	}
	if len(was.shards) != len(now.shards) {
		return only(was.shards, now.shards), only(now.shards, was.shards)
	}
	for n := range now.shards {
		a, b := was.shards[n], now.shards[n]
		if len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) {
			continue // they share it
		}
		gone = append(gone, only(was.shards[n:n+1], now.shards[n:n+1])...)
		came = append(came, only(now.shards[n:n+1], was.shards[n:n+1])...)
	}
	return gone, came
}

// only returns the entries of some shards that are not in others.
func only(of, not [][]slot) (out []*Entry) {
	there := map[*Entry]bool{}
	for _, shard := range not {
		for i := range shard {
			there[shard[i].entry] = true
		}
	}
	for _, shard := range of {
		for i := range shard {
			if !there[shard[i].entry] {
				out = append(out, shard[i].entry)
			}
		}
	}
	return out
}

// buffer is where keys are made.
type buffer [index.MaxKeyBytes]byte

// lower returns s with small ASCII letters: s itself, or the buffer until its next use.
func (b *buffer) lower(s string) string {
	for i := range len(s) {
		if s[i]-'A' < 26 {
			n := copy(b[:], s)
			for i, c := range b[:n] {
				if c-'A' < 26 {
					b[i] = c | 0x20
				}
			}
			return unsafe.String(&b[0], n)
		}
	}
	return s
}

// network returns the key of a network.
func (b *buffer) network(p netip.Prefix) string {
	a := p.Addr().As16()
	n := copy(b[:], a[:])
	b[n], b[n+1] = byte(p.Bits()), 6
	if p.Addr().Is4() {
		b[n+1] = 4
	}
	return unsafe.String(&b[0], n+2)
}

// IsAddress reports whether a text looks like an address, so that it may be parsed: an error would be allocated.
func IsAddress(s string) bool {
	if len(s) > 64 || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '.' && c != ':' && c-'0' > 9 && c|0x20-'a' > 5 {
			return c == '%'
		}
	}
	return true
}

func address(s string) (netip.Addr, error) {
	if !IsAddress(s) {
		return netip.Addr{}, errNoAddress
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err
}

var errNoAddress = fmt.Errorf("no address: %w", storage.ErrInvalid)

// keyOf returns the form in which a value is compared, until the buffer's next use.
func (l *List) keyOf(b *buffer, value string) (string, error) {
	if value == "" || len(value) > index.MaxKeyBytes {
		return "", fmt.Errorf("a value of %d bytes, want 1 to %d: %w", len(value), index.MaxKeyBytes, storage.ErrInvalid)
	}
	switch l.kind {
	case index.NoCase:
		return b.lower(value), nil
	case index.Domain:
		name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(b.lower(value), "."), "*"), ".")
		if name == "" {
			return "", fmt.Errorf("%.80q is no domain: %w", value, storage.ErrInvalid)
		}
		return name, nil
	case index.CIDR:
		p, err := prefix(value)
		if err != nil {
			return "", fmt.Errorf("%.80q is neither an address nor a network: %w", value, storage.ErrInvalid)
		}
		return b.network(p), nil
	}
	return value, nil
}

func prefix(value string) (netip.Prefix, error) {
	if !strings.Contains(value, "/") {
		a, err := address(value)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(value)
	if err != nil {
		return p, err
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// written is the form in which a list is part of a checkpoint.
type written struct {
	Kind    index.Kind `json:"kind"`
	Look    int        `json:"look"`
	Entries []*Entry   `json:"entries"`
}

// MarshalJSON writes the list: the same one as the same bytes.
func (l *List) MarshalJSON() ([]byte, error) {
	return json.Marshal(written{l.kind, l.look, l.Entries()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *List) UnmarshalJSON(text []byte) error {
	var w written
	if err := json.Unmarshal(text, &w); err != nil {
		return fmt.Errorf("read a list: %w: %w", err, storage.ErrInvalid)
	}
	empty, err := New(w.Kind)
	if err != nil {
		return err
	}
	if len(w.Entries) > MaxEntries {
		return fmt.Errorf("read a list: %d entries, at most %d are allowed: %w", len(w.Entries), MaxEntries, storage.ErrExhausted)
	}
	c := empty.change()
	var key buffer
	for _, e := range w.Entries {
		if e == nil {
			return fmt.Errorf("read a list: an entry is missing: %w", storage.ErrInvalid)
		}
		k, err := empty.keyOf(&key, e.Value)
		if err != nil {
			return fmt.Errorf("read a list: %w", err)
		}
		c.put(k, e)
	}
	c.next.look = max(w.Look, firstLooked)
	*l = *c.next
	return nil
}
