package list

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

// Member is a value that was in a list between two positions of the log.
type Member struct {
	Value   string `json:"value"`
	Expires int64  `json:"expires,omitempty"` // log time from which on it does not count, ns; 0: never
	Since   uint64 `json:"since"`             // of the control record that put it there: messages behind it see it
	Until   uint64 `json:"until,omitempty"`   // of the control record that took it out; 0: it is there
}

// In reports whether the value was in the list for the message at a position.
func (m *Member) In(seq uint64) bool { return m.Since < seq && (m.Until == 0 || seq <= m.Until) }

// Past is what was in a list over a stretch of the log. It belongs to one goroutine.
type Past struct {
	keys   *List // how values are compared, and the prefixes of networks
	of     map[string][]*Member
	buffer buffer
}

// NewPast returns a list in which nothing was.
func NewPast(kind index.Kind) (*Past, error) {
	keys, err := New(kind)
	if err != nil {
		return nil, err
	}
	return &Past{keys: keys, of: map[string][]*Member{}}, nil
}

// Add notes that a value was there.
func (p *Past) Add(m *Member) error {
	k, err := p.keys.keyOf(&p.buffer, m.Value)
	if err != nil {
		return err
	}
	if p.keys.kind == index.CIDR && p.of[k] == nil {
		(&change{next: p.keys, nets: true}).width(k, 1)
	}
	p.of[strings.Clone(k)] = append(p.of[k], m)
	return nil
}

// Has is List.Has of the list as it was for the message at a position.
func (p *Past) Has(value string, at int64, seq uint64) (has bool) {
	p.Each(value, func(m *Member) {
		has = has || m.In(seq) && (m.Expires == 0 || at < m.Expires)
	})
	return has
}

// Each calls f with the members that decide whether a value is in the list, whenever they were there.
func (p *Past) Each(value string, f func(*Member)) {
	if p == nil || value == "" || len(value) > index.MaxKeyBytes {
		return
	}
	each := func(key string) {
		for _, m := range p.of[key] {
			f(m)
		}
	}
	switch p.keys.kind {
	case index.CIDR:
		p.networks(value, each)
	case index.Domain:
		for name := strings.TrimSuffix(p.buffer.lower(value), "."); name != ""; _, name, _ = strings.Cut(name, ".") {
			each(name)
		}
	case index.NoCase:
		each(p.buffer.lower(value))
	default:
		each(value)
	}
}

func (p *Past) networks(value string, each func(key string)) {
	a, err := address(value)
	if err != nil {
		return
	}
	counts := p.keys.widths.v6[:]
	if a.Is4() {
		counts = p.keys.widths.v4[:]
	}
	for bits, n := range counts {
		if n == 0 {
			continue
		}
		if net, err := a.Prefix(bits); err == nil {
			each(p.buffer.network(net))
		}
	}
}
