package detect

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// pred is a compiled predicate.
type pred interface{ holds(m *memory) bool }

type (
	allOf struct{ of []pred }
	anyOf struct{ of []pred }
	not   struct{ of pred }
)

func (p *allOf) holds(m *memory) bool {
	for _, q := range p.of {
		if !q.holds(m) {
			return false
		}
	}
	return true
}

func (p *anyOf) holds(m *memory) bool {
	for _, q := range p.of {
		if q.holds(m) {
			return true
		}
	}
	return false
}

func (p *not) holds(m *memory) bool { return !p.of.holds(m) }

type existsTest struct {
	slot   uint16
	absent bool
}

func (p *existsTest) holds(m *memory) bool { return (len(m.texts(p.slot, true)) > 0) != p.absent }

// each is a test of one field's values: some matcher must match one of them, with every each matcher must.
type each struct {
	slot         uint16
	cased, every bool
	of           []matcher
}

func (p *each) holds(m *memory) bool {
	texts := m.texts(p.slot, p.cased)
	if len(texts) == 0 {
		return false
	}
	for _, q := range p.of {
		found := false
		for _, text := range texts {
			if q.match(text) {
				found = true
				break
			}
		}
		if found != p.every {
			return found
		}
	}
	return p.every
}

// matcher looks at one text: folded unless the test is cased.
type matcher interface{ match(text string) bool }

type where uint8

const (
	whole where = iota
	prefix
	suffix
	inside
)

type literal struct {
	text string
	at   where
}

func (l literal) match(s string) bool {
	switch l.at {
	case prefix:
		return strings.HasPrefix(s, l.text)
	case suffix:
		return strings.HasSuffix(s, l.text)
	case inside:
		return strings.Contains(s, l.text)
	default:
		return s == l.text
	}
}

type table struct{ of map[string]struct{} }

func (t table) match(s string) bool { _, ok := t.of[s]; return ok }

type glob struct{ p rule.Pattern }

func (g glob) match(s string) bool { return g.p.Match(s) }

type expression struct{ re *regexp.Regexp }

func (e expression) match(s string) bool { return e.re.MatchString(s) }

type network struct{ net netip.Prefix }

// match looks at the characters first because a parse error would be allocated.
func (n network) match(s string) bool {
	if len(s) > 45 || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 || !only(s, "0123456789abcdefABCDEF.:") {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && n.net.Contains(a.Unmap())
}

type number struct {
	cmp string
	n   float64
}

func (c number) match(s string) bool {
	if len(s) > 64 || !only(s, "0123456789+-.eE") {
		return false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return false
	}
	switch c.cmp {
	case ">":
		return v > c.n
	case ">=":
		return v >= c.n
	case "<":
		return v < c.n
	}
	return v <= c.n
}

func only(s, chars string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(chars, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
