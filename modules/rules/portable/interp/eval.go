package interp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Match returns the numbers of the rules that an event matches, ascending. They are valid until the next call.
func (p *Program) Match(event []byte) []int {
	p.load(event)
	p.hits = p.hits[:0]
	for i := range p.groups {
		g := &p.groups[i]
		if !p.holds(&g.common) {
			continue
		}
		for j := range g.rules {
			if r := &g.rules[j]; p.holds(&r.where) {
				p.hits = append(p.hits, r.rule)
			}
		}
	}
	slices.Sort(p.hits)
	return p.hits
}

func (p *Program) holds(n *node) bool {
	switch n.kind {
	case NodeTest:
		return p.decide(n.test)
	case NodeNot:
		return !p.holds(&n.of[0])
	}
	for i := range n.of {
		if p.holds(&n.of[i]) == (n.kind == NodeAny) {
			return n.kind == NodeAny
		}
	}
	return n.kind == NodeAll
}

// decide finds a test's answer once per event.
func (p *Program) decide(n uint32) bool {
	known := &p.truth[n]
	if *known>>1 == p.stamp {
		return *known&1 == 1
	}
	yes := p.try(&p.tests[n])
	*known = p.stamp << 1
	if yes {
		*known |= 1
	}
	return yes
}

func (p *Program) try(t *test) bool {
	switch t.op {
	case OpExists:
		return (len(p.texts(t.field, true)) > 0) != t.absent
	case OpField:
		return p.refers(t)
	}
	cased := t.cased || t.op != OpMatch
	var texts []string
	if t.field >= 0 {
		texts = p.texts(t.field, cased)
	} else {
		texts = p.anywhere(cased)
	}
	if len(texts) == 0 {
		return false
	}
	n := len(t.patterns) + len(t.expressions) + len(t.networks) + len(t.numbers)
	for i := range n {
		found := false
		for _, s := range texts {
			if found = t.match(i, s, &p.threads); found {
				break
			}
		}
		if found != t.every {
			return found
		}
	}
	return t.every
}

// match asks argument i of a test about a text.
func (t *test) match(i int, s string, room *threads) bool {
	switch t.op {
	case OpRegexp:
		return t.expressions[i].match(s, room)
	case OpCIDR:
		return inNetwork(s, t.networks[i])
	case OpNumber:
		return t.compare(s, t.numbers[i])
	}
	return t.patterns[i].match(s)
}

// refers compares a field with others.
func (p *Program) refers(t *test) bool {
	for _, other := range t.others {
		found := false
		for _, text := range p.texts(other, t.cased) {
			found = found || text != "" && slices.ContainsFunc(p.texts(t.field, t.cased), func(s string) bool { return stands(s, text, t.place) })
		}
		if found != t.every {
			return found
		}
	}
	return t.every
}

// inNetwork looks at the characters first because a parse error would be allocated.
func inNetwork(s string, n netip.Prefix) bool {
	if len(s) > 45 || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 || !only(s, "0123456789abcdefABCDEF.:") {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && n.Contains(a.Unmap())
}

func (t *test) compare(s string, n float64) bool {
	if len(s) > 64 {
		return false
	}
	var v float64
	if t.part != "" {
		whole, ok := partOf(s, t.part)
		if !ok {
			return false
		}
		v = float64(whole)
	} else {
		if !only(s, "0123456789+-.eE") {
			return false
		}
		parsed, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return false
		}
		v = parsed
	}
	switch t.cmp {
	case "==":
		return v == n
	case ">":
		return v > n
	case ">=":
		return v >= n
	case "<":
		return v < n
	}
	return v <= n
}

// timeForms are those of event logs; a time without a zone is taken as it stands.
var timeForms = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02"}

// partOf takes a part out of a time: a number as in Sigma's time modifiers.
func partOf(s, part string) (int, bool) {
	if !only(s, "0123456789-:. +TZtz") {
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
