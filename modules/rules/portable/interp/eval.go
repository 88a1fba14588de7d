package interp

import (
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Match returns the numbers of the rules that an event of a time, in ns, matches, ascending. They are valid until the next call.
func (p *Program) Match(event []byte, at int64) []int {
	p.load(event, at)
	copy(p.woken, p.always)
	p.scan()
	p.hits = p.hits[:0]
	for w, word := range p.woken {
		for ; word != 0; word &= word - 1 {
			if n := w*32 + bits.TrailingZeros32(word); p.holds(p.rules[n*RuleWords]) {
				p.hits = append(p.hits, n)
			}
		}
	}
	return p.hits
}

// holds runs code to its end.
func (p *Program) holds(at uint32) bool {
	for at >= firstCode {
		c := p.code[(at-firstCode)*CodeWords:][:CodeWords]
		if p.decide(c[0]) {
			at = c[1]
		} else {
			at = c[2]
		}
	}
	return at == Match
}

// decide finds a test's answer once per event.
func (p *Program) decide(n uint32) bool {
	known := &p.truth[n]
	marked := *known>>2 == p.stamp
	if marked && *known&3 != unknown {
		return *known&3 == isTrue
	}
	t := p.tests[n*TestWords:][:TestWords]
	if !marked && t[0]&FlagScanned != 0 {
		return false
	}
	*known = p.stamp<<2 | isFalse
	if p.try(t) {
		*known = p.stamp<<2 | isTrue
		return true
	}
	return false
}

func (p *Program) try(t []uint32) bool {
	op, every := t[0]&0xff, t[0]&FlagEvery != 0
	switch op {
	case OpExists:
		return (len(p.texts(t[1]-1, true)) > 0) != (t[0]&FlagAbsent != 0)
	case OpField:
		return p.refers(t, every)
	}
	cased := t[0]&FlagCased != 0 || op != OpMatch
	var texts []string
	if t[1] == 0 {
		texts = p.anywhere(cased)
	} else if texts = p.texts(t[1]-1, cased); len(texts) == 0 {
		return false
	}
	width := argWords[op]
	for arg := t[2]; arg < t[2]+t[3]*width; arg += width {
		found := false
		for i, s := range texts {
			if t[1] == 0 && p.aside[i] {
				continue
			}
			if !cased {
				s = inner(s)
			}
			if found = p.match(t[0], p.words[arg:][:width], s); found {
				break
			}
		}
		if found != every {
			return found
		}
	}
	return every
}

// match asks an argument of a test about a text.
func (p *Program) match(flags uint32, arg []uint32, s string) bool {
	switch flags & 0xff {
	case OpRegexp:
		return p.promises(arg[0], s) && p.matches(arg[0], s)
	case OpCIDR:
		return inNetwork(s, arg)
	case OpNumber:
		return compare(s, flags>>CmpShift&15, flags>>PartShift&15, math.Float64frombits(uint64(arg[0])|uint64(arg[1])<<32))
	}
	if arg[0] == Glob {
		return p.glob(p.words[arg[1]:][:3*arg[2]], s)
	}
	return stands(s, p.string(arg[1], arg[2]), arg[0])
}

// refers compares a field with others.
func (p *Program) refers(t []uint32, every bool) bool {
	cased, place := t[0]&FlagCased != 0, t[0]>>PlaceShift&3
	for _, other := range p.words[t[2]:][:t[3]] {
		if related(p.texts(t[1]-1, cased), p.texts(other, cased), cased, place) != every {
			return !every
		}
	}
	return every
}

// related reports whether a text of one field stands at a place of a value of another.
func related(values, texts []string, cased bool, place uint32) bool {
	for _, text := range texts {
		if !cased {
			text = inner(text)
		}
		for _, s := range values {
			if !cased {
				s = inner(s)
			}
			if text != "" && stands(s, text, place) {
				return true
			}
		}
	}
	return false
}

// inNetwork looks at the characters first because a parse error would be allocated. The zone of an address, which is the name
// of an interface, says nothing of its network.
func inNetwork(s string, network []uint32) bool {
	s, _, _ = strings.Cut(s, "%")
	if len(s) > 45 || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 || !only(s, "0123456789abcdefABCDEF.:") {
		return false
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	var net [16]byte
	for i := range net {
		net[i] = byte(network[i/4] >> (i % 4 * 8))
	}
	to := netip.AddrFrom16(net).Unmap()
	n := int(network[4])
	return netip.PrefixFrom(to, n).Contains(a.Unmap())
}

func compare(s string, cmp, part uint32, n float64) bool {
	if len(s) > 64 {
		return false
	}
	var v float64
	if part != NoPart {
		whole, ok := partOf(s, part)
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
	switch cmp {
	case Equal:
		return v == n
	case Above:
		return v > n
	case AtLeast:
		return v >= n
	case Below:
		return v < n
	}
	return v <= n
}

// timeForms are those of event logs; a time without a zone is taken as it stands.
// Fractions of a second are read whether a form has them or not.
var timeForms = [...]string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700",
}

// partOf takes a part out of a time: a number as in Sigma's time modifiers.
func partOf(s string, part uint32) (int, bool) {
	if !only(s, "0123456789-:.,+TZ ") {
		return 0, false
	}
	for _, form := range timeForms {
		t, err := time.Parse(form, s)
		if err != nil {
			continue
		}
		switch part {
		case Minute:
			return t.Minute(), true
		case Hour:
			return t.Hour(), true
		case Day:
			return t.Day(), true
		case Week:
			_, week := t.ISOWeek()
			return week, true
		case Month:
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
