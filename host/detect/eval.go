package detect

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// pred is a compiled predicate.
type pred interface{ holds(m *memory) bool }

type (
	allOf struct {
		of   []pred
		must []uint32 // tests of them that the scan marks whenever they may hold
	}
	anyOf struct{ of []pred }
	not   struct{ of pred }
)

func (p *allOf) holds(m *memory) bool {
	for _, t := range p.must {
		if m.truth[t]>>2 != m.stamp {
			return false
		}
	}
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

// leaf is a test of the set, whoever asks for it; its answer is found once per event.
type leaf struct{ test uint32 }

// What truth knows of a test.
const (
	unknown uint64 = iota // but its guards are woken
	isFalse
	isTrue
)

func (p leaf) holds(m *memory) bool {
	known := &m.truth[p.test]
	if *known>>2 == m.stamp && *known&3 != unknown {
		return *known&3 == isTrue
	}
	t := &m.set.tests[p.test]
	if t.lazy == nil || t.scanned && *known>>2 != m.stamp { // the scan would have marked it
		return false
	}
	if t.lazy.holds(m) {
		*known = m.stamp<<2 | isTrue
		return true
	}
	*known = m.stamp<<2 | isFalse
	return false
}

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

// anyField is each for a test of no field in particular.
type anyField struct {
	cased, every bool
	of           []matcher
}

func (p *anyField) holds(m *memory) bool {
	texts := m.anywhere(p.cased)
	for _, q := range p.of {
		if slices.ContainsFunc(texts, q.match) != p.every {
			return !p.every
		}
	}
	return p.every
}

// reference compares a field with others.
type reference struct {
	slot  uint16
	to    []uint16
	cased bool
	every bool
	at    where
}

func (p *reference) holds(m *memory) bool {
	for _, other := range p.to {
		found := false
		for _, text := range m.texts(other, p.cased) {
			l := literal{text, p.at}
			found = found || text != "" && slices.ContainsFunc(m.texts(p.slot, p.cased), l.match)
		}
		if found != p.every {
			return found
		}
	}
	return p.every
}

// matcher looks at one text: folded unless the test is cased.
type matcher interface{ match(text string) bool }

type where = rule.Place

const (
	whole  = rule.Whole
	prefix = rule.Prefix
	suffix = rule.Suffix
	inside = rule.Inside
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

type glob struct{ p rule.Pattern }

func (g glob) match(s string) bool { return g.p.Match(s) }

type expression struct {
	re    *regexp.Regexp
	needs []string // stand in whatever it matches
}

func (e expression) match(s string) bool {
	for _, text := range e.needs {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return e.re.MatchString(s)
}

type network struct{ net netip.Prefix }

// match looks at the characters first because a parse error would be allocated. The zone of an address, which is the name of
// an interface, says nothing of its network.
func (n network) match(s string) bool {
	s, _, _ = strings.Cut(s, "%")
	if len(s) > 45 || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 || !only(s, "0123456789abcdefABCDEF.:") {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && n.net.Contains(a.Unmap())
}

type number struct {
	cmp  string
	n    float64
	part string // of a time
}

func (c number) match(s string) bool {
	if len(s) > 64 {
		return false
	}
	var v float64
	if c.part != "" {
		n, ok := partOf(s, c.part)
		if !ok {
			return false
		}
		v = float64(n)
	} else {
		if !only(s, "0123456789+-.eE") {
			return false
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return false
		}
		v = n
	}
	switch c.cmp {
	case "==":
		return v == c.n
	case ">":
		return v > c.n
	case ">=":
		return v >= c.n
	case "<":
		return v < c.n
	}
	return v <= c.n
}

// timeForms are those of event logs; a time without a zone is taken as it stands.
// Fractions of a second are read whether a form has them or not.
var timeForms = [...]string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700",
}

// partOf takes a part out of a time: a number as in Sigma's time modifiers.
func partOf(s, part string) (int, bool) {
	if !only(s, "0123456789-:.,+TZ ") {
		return 0, false
	}
	for _, form := range timeForms {
		t, err := time.Parse(form, s)
		if err != nil {
			continue
		}
		switch part {
		case "minute":
			return t.Minute(), true
		case "hour":
			return t.Hour(), true
		case "day":
			return t.Day(), true
		case "week":
			_, week := t.ISOWeek()
			return week, true
		case "month":
			return int(t.Month()), true
		}
		return t.Year(), true
	}
	return 0, false
}

func only(s, chars string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(chars, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
