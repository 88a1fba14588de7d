// Package indicator finds indicators of compromise in events: a set of any size is one text, and what lies in it where is
// known by a hash, so that an event pays for its own fields only.
package indicator

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/storage"
)

// Type says what an indicator's value is. The names are those of STIX 2.1.
type Type string

// The types.
const (
	Address Type = "ip"     // an address or a network; STIX has a type for each version
	Domain  Type = "domain" // and its subdomains
	URL     Type = "url"
	Hash    Type = "file" // MD5, SHA-1, SHA-256 or SHA-512 of a file
	Email   Type = "email"
)

// letters name the types in a set's text.
const letters = "aduhe"

var types = [...]Type{Address, Domain, URL, Hash, Email}

func (t Type) number() int {
	for i, x := range types {
		if x == t {
			return i
		}
	}
	return -1
}

// Unrated is the confidence of an indicator whose source says nothing about it.
const Unrated = -1

// Indicator is one value that tells of an attack.
type Indicator struct {
	Type        Type
	Value       string // canonical, see New
	Confidence  int    // 0 to 100, or Unrated
	Expires     int64  // ns since the Unix epoch, from which on it does not count; 0: never
	Source      string // who says so
	Description string
}

// Rating is the confidence in the words of ECS, after the scale of STIX 2.1, appendix A.
func (x *Indicator) Rating() string {
	switch {
	case x.Confidence < 0:
		return "Not Specified"
	case x.Confidence == 0:
		return "None"
	case x.Confidence < 30:
		return "Low"
	case x.Confidence < 70:
		return "Medium"
	}
	return "High"
}

// ended reports whether it does not count any more.
func (x *Indicator) ended(at int64) bool { return x.Expires != 0 && x.Expires <= at }

// New makes an indicator of a value as people write it: with defanged dots and schemes, in any case, a URL with or without
// its scheme. With an empty type it is told by the value's looks. The error wraps storage.ErrInvalid and says what is
// wrong with the value.
func New(t Type, value string) (Indicator, error) {
	value = fang(strings.TrimSpace(value))
	if t == "" {
		t = typeOf(value)
	}
	x := Indicator{Type: t, Confidence: Unrated}
	if value == "" || len(value) > MaxValueBytes || !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return x, fmt.Errorf("a value of %d bytes, want 1 to %d without control characters: %w", len(value), MaxValueBytes, storage.ErrInvalid)
	}
	ok := false
	switch t {
	case Address:
		x.Value, ok = addressOf(value)
	case Domain:
		x.Value = domainOf(value)
		ok = strings.Contains(x.Value, ".") && !strings.ContainsAny(x.Value, "/:@ ") && !strings.Contains(x.Value, "..") && x.Value[0] != '.'
	case URL:
		var buf buffer
		n := 0
		n, _, ok = buf.url(value, false)
		x.Value = string(buf[:n])
	case Hash:
		x.Value = strings.ToLower(value)
		_, err := hex.DecodeString(x.Value)
		ok = err == nil && isHash(x.Value)
	case Email:
		x.Value = strings.ToLower(value)
		name, host, two := strings.Cut(x.Value, "@")
		ok = two && name != "" && strings.Contains(host, ".") && !strings.ContainsAny(host, "@ ")
	default:
		return x, fmt.Errorf("type %.40q: want ip, domain, url, file or email: %w", t, storage.ErrInvalid)
	}
	if !ok {
		return x, fmt.Errorf("%.80q is no indicator of type %s: %w", value, t, storage.ErrInvalid)
	}
	return x, nil
}

// fang undoes what people do to a value so that nobody follows it: hxxp, [.], (dot), [@].
func fang(s string) string {
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	if !strings.ContainsAny(s, "[({") {
		return s
	}
	return defanged.Replace(s)
}

var defanged = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[://]", "://", "[@]", "@", "[at]", "@", "(at)", "@")

// typeOf tells a type by the looks of a value.
func typeOf(value string) Type {
	switch {
	case strings.Contains(value, "://"):
		return URL
	case isHash(value):
		return Hash
	case isAddress(strings.SplitN(value, "/", 2)[0]):
		return Address
	case strings.Contains(value, "/"):
		return URL
	case strings.Contains(value, "@"):
		return Email
	}
	return Domain
}

// addressOf returns an address or a network as it is kept: a network of one address is that address.
func addressOf(value string) (string, bool) {
	if !strings.Contains(value, "/") {
		a, err := netip.ParseAddr(strings.Trim(value, "[]"))
		return a.Unmap().WithZone("").String(), err == nil
	}
	p, err := netip.ParsePrefix(value)
	if err != nil {
		return "", false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if p.Bits() == p.Addr().BitLen() {
		return p.Addr().String(), true
	}
	return p.Masked().String(), true
}

func domainOf(value string) string {
	value = strings.TrimSuffix(strings.ToLower(value), ".")
	return strings.TrimPrefix(strings.TrimPrefix(value, "*"), ".")
}

// isHash reports whether a text has the length and the characters of a hash.
func isHash(s string) bool {
	if n := len(s); n != 32 && n != 40 && n != 64 && n != 128 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && c|0x20-'a' > 5 {
			return false
		}
	}
	return true
}

// isAddress reports whether a text looks like an address.
func isAddress(s string) bool {
	if len(s) < 2 || len(s) > 45 {
		return false
	}
	colon, dots := false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ':':
			colon = true
		case c == '.':
			dots++
		case c-'0' <= 9:
		case c|0x20-'a' > 5:
			return false
		default:
			if !colon && i > 4 {
				return false
			}
		}
	}
	return colon || dots == 3 && s[0]-'0' <= 9 && s[len(s)-1]-'0' <= 9
}

// better orders two indicators of one value: the one that lasts longer, then the one that is surer.
func better(a, b *Indicator) int {
	ends := func(x *Indicator) uint64 { return uint64(x.Expires) - 1 } // never is last
	return cmp.Or(cmp.Compare(ends(a), ends(b)), cmp.Compare(a.Confidence, b.Confidence), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Description, b.Description))
}
