package indicator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/vedette-siem/vedette/storage"
)

// Set is indicators by their values. It is immutable, so any number of goroutines may ask it.
//
// It is the text that Encode writes: a line for each indicator, after a head with the texts that many share. What is
// found by a hash is the place of a line.
type Set struct {
	text   string
	head   head
	slots  []slot // as many as a power of two; empty ones have place 0
	counts [len(types)]int
	v4, v6 uint128 // prefix lengths of the networks that there are, by bit
}

// slot says where a line begins whose value has a hash.
type slot struct{ tag, place uint32 }

type uint128 [3]uint64 // 129 bits

func (u *uint128) set(bit int) { u[bit>>6] |= 1 << (bit & 63) }

type head struct {
	Form    string   `json:"form"`
	Sources []string `json:"sources"`
	Texts   []string `json:"texts"`
}

const form = "indicators 1"

var seed = maphash.MakeSeed() // where a line's place lies is told to nobody

// hashOf is the hash of a value in all sets.
func hashOf(t int, value string) uint64 {
	return maphash.String(seed, value) + uint64(t)*0x9e3779b97f4a7c15
}

// Encode returns the text of a set, the same for the same indicators in any order. Of several with one value the one that
// lasts longest stays, and of those the surest. The error wraps storage.ErrExhausted.
func Encode(all []Indicator) ([]byte, error) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Indicator) int {
		return cmp.Or(cmp.Compare(a.Type.number(), b.Type.number()), strings.Compare(a.Value, b.Value), -better(&a, &b))
	})
	all = slices.CompactFunc(all, func(a, b Indicator) bool { return a.Type == b.Type && a.Value == b.Value })
	if len(all) > MaxIndicators {
		return nil, fmt.Errorf("%d indicators, at most %d are allowed: %w", len(all), MaxIndicators, storage.ErrExhausted)
	}
	sources, texts := numbers{}, numbers{}
	var lines []byte
	for i := range all {
		x := &all[i]
		lines = append(lines, letters[x.Type.number()])
		lines = append(append(lines, x.Value...), '\t')
		lines = append(strconv.AppendInt(lines, int64(x.Confidence), 10), '\t')
		lines = append(strconv.AppendInt(lines, x.Expires, 10), '\t')
		lines = append(strconv.AppendInt(lines, int64(sources.of(x.Source)), 10), '\t')
		lines = append(strconv.AppendInt(lines, int64(texts.of(x.Description)), 10), '\n')
	}
	top, err := json.Marshal(head{form, sources.list, texts.list})
	if err != nil {
		return nil, fmt.Errorf("encode indicators: %w", err)
	}
	if n := len(top) + 1 + len(lines); n > MaxSetBytes || len(sources.list) > MaxTexts {
		return nil, fmt.Errorf("indicators that take %d bytes, of %d sources; at most %d and %d are allowed: %w", n, len(sources.list), MaxSetBytes, MaxTexts, storage.ErrExhausted)
	}
	return slices.Concat(top, []byte{'\n'}, lines), nil
}

// numbers gives each text a number. A text beyond MaxTexts has that of none.
type numbers struct {
	list []string
	by   map[string]int
}

func (n *numbers) of(text string) int {
	if len(text) > MaxTextBytes {
		text = strings.ToValidUTF8(text[:MaxTextBytes], "")
	}
	if n.by == nil {
		n.by, n.list = map[string]int{"": 0}, []string{""}
	}
	at, ok := n.by[text]
	if !ok && len(n.list) < MaxTexts {
		at = len(n.list)
		n.by[text], n.list = at, append(n.list, text)
	}
	return at
}

// Decode reads what Encode wrote, which it keeps. The error wraps storage.ErrInvalid.
func Decode(text []byte) (*Set, error) {
	bad := func(line int, why string) (*Set, error) {
		return nil, fmt.Errorf("read indicators: line %d: %s: %w", line, why, storage.ErrInvalid)
	}
	if len(text) > MaxSetBytes {
		return bad(0, fmt.Sprintf("%d bytes, at most %d are allowed", len(text), MaxSetBytes))
	}
	end := bytes.IndexByte(text, '\n')
	s := &Set{text: unsafe.String(unsafe.SliceData(text), len(text))}
	if end < 0 || json.Unmarshal(text[:end], &s.head) != nil || s.head.Form != form {
		return bad(1, "want the head of a set")
	}
	count := bytes.Count(text[end+1:], []byte{'\n'})
	if count > MaxIndicators {
		return bad(0, fmt.Sprintf("%d indicators, at most %d are allowed", count, MaxIndicators))
	}
	s.slots = make([]slot, max(minSlots, 1<<bits.Len(uint(count+count/2))))
	n := 1
	for at := end + 1; at < len(s.text); n++ {
		x, value, next, ok := s.line(at)
		if !ok {
			return bad(n+1, "want a value, its confidence, its end and the numbers of its texts")
		}
		s.counts[x]++
		if x == 0 {
			if err := s.width(value); err != nil {
				return bad(n+1, err.Error())
			}
		}
		s.add(hashOf(x, value), uint32(at))
		at = next
	}
	return s, nil
}

// width notes the prefix length of a network.
func (s *Set) width(value string) error {
	if !strings.Contains(value, "/") {
		return nil
	}
	p, err := netip.ParsePrefix(value)
	if err != nil {
		return err
	}
	if p.Addr().Is4() {
		s.v4.set(p.Bits())
	} else {
		s.v6.set(p.Bits())
	}
	return nil
}

func (s *Set) add(hash uint64, place uint32) {
	mask := uint64(len(s.slots) - 1)
	at := hash & mask
	for s.slots[at].place != 0 {
		at = (at + 1) & mask
	}
	s.slots[at] = slot{uint32(hash >> 32), place}
}

// find returns the place of a value's line, 0 when there is none.
func (s *Set) find(t int, value string, hash uint64) uint32 {
	if s.counts[t] == 0 {
		return 0
	}
	mask := uint64(len(s.slots) - 1)
	for at := hash & mask; s.slots[at].place != 0; at = (at + 1) & mask {
		if x := s.slots[at]; x.tag == uint32(hash>>32) {
			line := s.text[x.place:]
			if line[0] == letters[t] && strings.HasPrefix(line[1:], value) && line[1+len(value)] == '\t' {
				return x.place
			}
		}
	}
	return 0
}

// line takes a line apart: the number of its type, its value, and where the next begins.
func (s *Set) line(at int) (t int, value string, next int, ok bool) {
	end := strings.IndexByte(s.text[at:], '\n')
	if end < 0 {
		return 0, "", 0, false
	}
	line := s.text[at : at+end]
	tab := strings.IndexByte(line, '\t')
	if tab < 2 {
		return 0, "", 0, false
	}
	var x Indicator
	t = strings.IndexByte(letters, line[0])
	return t, line[1:tab], at + end + 1, t >= 0 && tab <= MaxValueBytes && s.fill(&x, line[tab+1:])
}

// fill reads what stands behind a value.
func (s *Set) fill(x *Indicator, rest string) bool {
	var n [4]int64
	for i := range n {
		text := rest
		if i < 3 {
			var found bool
			if text, rest, found = strings.Cut(rest, "\t"); !found {
				return false
			}
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false
		}
		n[i] = v
	}
	if n[0] < Unrated || n[0] > 100 || n[1] < 0 || n[2] < 0 || n[2] >= int64(len(s.head.Sources)) || n[3] < 0 || n[3] >= int64(len(s.head.Texts)) {
		return false
	}
	x.Confidence, x.Expires, x.Source, x.Description = int(n[0]), n[1], s.head.Sources[n[2]], s.head.Texts[n[3]]
	return true
}

// at returns the indicator whose line begins at a place.
func (s *Set) at(place uint32) (x Indicator) {
	line, _, _ := strings.Cut(s.text[place:], "\n")
	value, rest, _ := strings.Cut(line, "\t")
	x.Type, x.Value = types[strings.IndexByte(letters, line[0])], value[1:]
	s.fill(&x, rest)
	return x
}

// Len returns how many indicators there are.
func (s *Set) Len() (n int) {
	for _, c := range s.counts {
		n += c
	}
	return n
}

// Counts returns how many there are of each type that there is.
func (s *Set) Counts() map[Type]int {
	out := map[Type]int{}
	for i, n := range s.counts {
		if n > 0 {
			out[types[i]] = n
		}
	}
	return out
}

// All yields the indicators by type and value.
func (s *Set) All(yield func(Indicator) bool) {
	_, rest, _ := strings.Cut(s.text, "\n")
	for place := len(s.text) - len(rest); place < len(s.text); {
		if !yield(s.at(uint32(place))) {
			return
		}
		place += strings.IndexByte(s.text[place:], '\n') + 1
	}
}

// Has reports whether a value of any type is an indicator at a log time: as a list, the set is told a value by its looks.
func (s *Set) Has(value string, at int64) bool {
	var p probe
	p.one[0].Set = s
	p.feeds, p.now = p.one[:], at
	switch typeOf(value) {
	case Address:
		p.address("", value)
	case URL:
		p.url("", value)
	case Hash:
		p.hash("", value)
	case Email:
		p.email("", value)
	default:
		p.domain("", value)
	}
	return p.any
}

// Digest names the text of a set.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Source gives the text of a set by its digest. It may be called by many goroutines at once.
type Source interface {
	TableContent(ctx context.Context, t storage.Tenant, digest string) ([]byte, error)
}

// Kept reads sets out of where their texts are kept.
type Kept struct{ From Source }

// Indicators returns a set. A text that is not what its digest says is an error of the machine: it wraps
// storage.ErrUnavailable.
func (k Kept) Indicators(ctx context.Context, t storage.Tenant, digest string) (*Set, error) {
	text, err := k.From.TableContent(ctx, t, digest)
	if err != nil {
		return nil, err
	}
	if got := Digest(text); got != digest {
		return nil, fmt.Errorf("the content is %s, want %s: %w", got, digest, storage.ErrUnavailable)
	}
	return Decode(text)
}
