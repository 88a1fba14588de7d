package rule

import (
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// modifierNames are those of the Sigma specification 2.1.0 (appendix "Sigma Modifiers"), in the order in which suggest
// lists them, and in.
var modifierNames = []string{
	"contains", "startswith", "endswith", "all", "exists", "cased", "neq", "re", "i", "m", "s", "cidr",
	"gt", "gte", "lt", "lte", "fieldref", "windash", "base64", "base64offset", "utf16", "utf16le", "utf16be", "wide", "expand",
	"minute", "hour", "day", "week", "month", "year", "in",
}

// kinds are the modifiers of which each says what its values are; at most one of them is given.
var kinds = []string{"re", "cidr", "exists", "gt", "gte", "lt", "lte", "fieldref", "in"}

var (
	places = []string{"contains", "startswith", "endswith"}
	clocks = []string{"minute", "hour", "day", "week", "month", "year"}
	cmps   = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
)

// item is one "field|modifier…: values" on its way to a test.
type item struct {
	*reader
	at    entry
	mods  []string // in the order of the document: encodings are applied in it
	kind  string   // one of kinds, or ""
	place Place
	t     *Test
	each  AllOf // with all: tests of values that stand for several patterns, of which one must be matched
}

// item reads the values of a field, "" for a keyword that may stand anywhere in the event.
func (r *reader) item(e entry, field, modifiers string) Pred {
	it := &item{reader: r, at: e, t: &Test{Field: field}}
	if modifiers != "" {
		it.mods = strings.Split(modifiers, "|")
	}
	it.combine()
	values := []ast.Node{e.val}
	if _, ok := e.val.(*ast.SequenceNode); ok {
		values = r.list(e.val, it.name())
	}
	if len(values) == 0 || len(values) > MaxValuesPerTest {
		r.fail(e.node, "", "%s: %d values, want 1 to %d", it.name(), len(values), MaxValuesPerTest)
	}
	if r.err != nil {
		return nil
	}
	p := it.values(values)
	if r.err != nil {
		return nil
	}
	if it.has("neq") { // an event that lacks the field has no other value in it
		return AllOf{&Test{Field: field, Op: OpExists}, Not{p}}
	}
	return p
}

func (it *item) name() string {
	if it.t.Field == "" {
		return "keywords"
	}
	return "field " + it.t.Field
}

func (it *item) has(mod string) bool { return contains(it.mods, mod) }

// combine checks the modifiers against each other.
func (it *item) combine() {
	for i, m := range it.mods {
		switch {
		case !contains(modifierNames, m):
			it.fail(it.at.node, suggest(m, modifierNames), "%s: unknown modifier %q", it.name(), m)
		case contains(it.mods[:i], m):
			it.fail(it.at.node, "", "%s: modifier %s is given twice", it.name(), m)
		case contains(kinds, m):
			if it.kind != "" {
				it.fail(it.at.node, "", "%s: modifiers %s and %s cannot be combined", it.name(), it.kind, m)
			}
			it.kind = m
		case contains(places, m):
			if it.place != Whole {
				it.fail(it.at.node, "", "%s: modifiers %s cannot be combined", it.name(), strings.Join(it.mods, ", "))
			}
			it.place = map[string]Place{"contains": Inside, "startswith": Prefix, "endswith": Suffix}[m]
		case contains(clocks, m):
			if it.t.Part != "" {
				it.fail(it.at.node, "", "%s: modifiers %s and %s cannot be combined", it.name(), it.t.Part, m)
			}
			it.t.Part = m
		}
	}
	flags := it.has("i") || it.has("m") || it.has("s")
	switch {
	case flags && it.kind != "re":
		it.fail(it.at.node, "", "%s: i, m and s belong to re", it.name())
	case it.place != Whole && it.kind != "" && it.kind != "fieldref",
		it.t.Part != "" && (it.place != Whole || it.kind != "" && cmps[it.kind] == ""):
		it.fail(it.at.node, "", "%s: modifiers %s cannot be combined", it.name(), strings.Join(it.mods, ", "))
	}
	if it.t.Field == "" && it.kind == "" && it.place == Whole {
		it.place = Inside // a keyword is a part of the message
	}
	it.t.Every, it.t.Cased = it.has("all"), it.has("cased")
}

// values fills the test. A null among them is an alternative of its own: the field is missing. So is an empty text,
// beside a field that is empty, since events in canonical form have no empty fields.
func (it *item) values(values []ast.Node) Pred {
	absent := false
	for _, v := range values {
		text, null := it.scalar(v, it.at.key)
		if it.err != nil {
			return nil
		}
		if len(text) > MaxPatternBytes {
			it.fail(v, "", "%s: value of %d bytes, the limit is %d", it.name(), len(text), MaxPatternBytes)
			return nil
		}
		if null || text == "" && it.place == Whole {
			if it.kind != "" || it.t.Every || it.t.Field == "" {
				it.fail(v, "null takes no modifier", "%s: empty value", it.name())
			}
			if absent = true; null {
				continue
			}
		}
		it.value(v, text)
	}
	missing := &Test{Field: it.t.Field, Op: OpExists, Absent: true}
	switch {
	case it.each != nil && it.t.Patterns == nil:
		return it.each
	case it.each != nil:
		return append(it.each, it.t)
	case absent && it.t.Op == 0:
		return missing
	case absent:
		return AnyOf{it.t, missing}
	}
	return it.t
}

// value adds one value to the test.
func (it *item) value(v ast.Node, text string) {
	t := it.t
	switch {
	case cmps[it.kind] != "" || t.Part != "":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			it.fail(v, "", "%s: %q is not a number", it.name(), text)
		}
		t.Op, t.Cmp, t.Number = OpNumber, cmps[it.kind], append(t.Number, n)
		if t.Cmp == "" {
			t.Cmp = "=="
		}
	case it.kind == "re":
		it.expression(v, text)
	case it.kind == "cidr":
		net, err := parseNet(text)
		if err != nil {
			it.fail(v, "such as 10.0.0.0/8", "%s: %v", it.name(), err)
			return
		}
		t.Op, t.Nets = OpCIDR, append(t.Nets, net)
	case it.kind == "exists":
		there, ok := boolean(text)
		if !ok {
			it.fail(v, "true or false", "%s: exists: %q", it.name(), text)
		}
		t.Op, t.Absent = OpExists, !there
	case it.kind == "fieldref":
		t.Op, t.Place, t.Refs = OpField, it.place, append(t.Refs, text)
	case it.kind == "in":
		t.Op, t.Lists = OpList, append(t.Lists, it.listName(v, it.name()))
		if len(t.Lists) > MaxListsPerTest || t.Field == "" {
			it.fail(v, "", "%s: in takes a field and up to %d lists", it.name(), MaxListsPerTest)
		}
	default:
		t.Op = OpMatch
		var of []Pattern
		for _, s := range it.expand(v, text) {
			for _, p := range it.encode(v, ParsePattern(s)) {
				of = append(of, p.Around(it.place == Inside || it.place == Suffix, it.place == Inside || it.place == Prefix))
			}
		}
		if len(t.Patterns)+len(of) > MaxValuesPerTest {
			it.fail(v, "", "%s: its modifiers make more than %d values", it.name(), MaxValuesPerTest)
		}
		if t.Every && len(of) > 1 {
			it.each = append(it.each, &Test{Field: t.Field, Op: OpMatch, Patterns: of, Cased: t.Cased})
			return
		}
		t.Patterns = append(t.Patterns, of...)
	}
}

// expression adds a regular expression.
func (it *item) expression(v ast.Node, text string) {
	flags := ""
	for _, f := range [...]string{"i", "m", "s"} {
		if it.has(f) {
			flags += f
		}
	}
	if flags != "" {
		text = "(?" + flags + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		it.fail(v, "RE2 syntax: no look-around, no back references", "%s: %v", it.name(), err)
		return
	}
	it.t.Op, it.t.Regexps = OpRegexp, append(it.t.Regexps, re)
}

// boolean reads a truth value, as YAML 1.1 and 1.2 write it.
func boolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// parseNet reads a network or a single address. An IPv4 network is one, however it is written.
func parseNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), err
}
