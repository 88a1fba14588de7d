package rule

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// modifiers are Sigma's that this language has, in the order in which suggest lists them.
var modifiers = []string{
	"contains", "startswith", "endswith", "re", "i", "m", "s", "cidr", "exists", "all", "cased",
	"gt", "gte", "lt", "lte",
}

// selection reads a where: a mapping of tests that must all hold, or a list of such mappings of which one must.
func (r *reader) selection(n ast.Node, what string, depth int) Pred {
	if depth > MaxNestingDepth {
		r.fail(n, "", "%s: nested deeper than %d", what, MaxNestingDepth)
		return nil
	}
	if _, ok := n.(*ast.SequenceNode); ok {
		var any AnyOf
		for _, v := range r.list(n, what) {
			any = append(any, r.selection(v, what, depth+1))
		}
		if len(any) == 0 {
			r.fail(n, "", "%s: empty list", what)
		}
		return any
	}
	var all AllOf
	for _, e := range r.mapping(n, what, nil) {
		switch e.key {
		case "any":
			if _, ok := e.val.(*ast.SequenceNode); !ok {
				r.fail(e.val, "", "any: want a list of selections")
			}
			all = append(all, r.selection(e.val, "any", depth+1))
		case "all":
			for _, v := range r.list(e.val, "all") {
				all = append(all, r.selection(v, "all", depth+1))
			}
		case "not":
			all = append(all, Not{r.selection(e.val, "not", depth+1)})
		default:
			all = append(all, r.field(e))
		}
		if r.err != nil {
			return nil
		}
	}
	if len(all) == 0 {
		r.fail(n, "name at least one field", "%s: empty selection", what)
	}
	return all
}

// field reads "name|modifier…: value or list".
func (r *reader) field(e entry) Pred {
	parts := strings.Split(e.key, "|")
	name := parts[0]
	if !validField(name) {
		r.fail(e.node, "an ECS name such as source.ip", "field name %q", name)
		return nil
	}
	mods := map[string]bool{}
	for _, m := range parts[1:] {
		if !contains(modifiers, m) {
			r.fail(e.node, suggest(m, modifiers), "field %s: unknown modifier %q", name, m)
			return nil
		}
		mods[m] = true
	}
	if kinds := count(mods, "contains", "startswith", "endswith", "re", "cidr", "exists", "gt", "gte", "lt", "lte"); kinds > 1 {
		r.fail(e.node, "", "field %s: modifiers %s cannot be combined", name, strings.Join(parts[1:], ", "))
		return nil
	}
	values := []ast.Node{e.val}
	if _, ok := e.val.(*ast.SequenceNode); ok {
		values = r.list(e.val, name)
	}
	if len(values) == 0 || len(values) > MaxValuesPerTest {
		r.fail(e.node, "", "field %s: %d values, want 1 to %d", name, len(values), MaxValuesPerTest)
		return nil
	}
	t := &Test{Field: name, Every: mods["all"], Cased: mods["cased"]}
	return r.test(e, t, mods, values)
}

func count(mods map[string]bool, of ...string) (n int) {
	for _, m := range of {
		if mods[m] {
			n++
		}
	}
	return n
}

// test fills t from the values; a null among them is an alternative of its own: the field is missing.
func (r *reader) test(e entry, t *Test, mods map[string]bool, values []ast.Node) Pred {
	absent := false
	for _, v := range values {
		text, null := r.scalar(v, e.key)
		if r.err != nil {
			return nil
		}
		if len(text) > MaxPatternBytes {
			r.fail(v, "", "field %s: value of %d bytes, the limit is %d", t.Field, len(text), MaxPatternBytes)
			return nil
		}
		if null || text == "" {
			if len(mods) > 0 || t.Every {
				r.fail(v, "null takes no modifier", "field %s: empty value", t.Field)
			}
			absent = true
			continue
		}
		r.value(v, t, mods, text)
	}
	missing := &Test{Field: t.Field, Op: OpExists, Absent: true}
	switch {
	case absent && t.Op == 0:
		return missing
	case absent:
		return AnyOf{t, missing}
	}
	return t
}

// value adds one value to a test.
func (r *reader) value(v ast.Node, t *Test, mods map[string]bool, text string) {
	for _, cmp := range [...][2]string{{"gt", ">"}, {"gte", ">="}, {"lt", "<"}, {"lte", "<="}} {
		if mods[cmp[0]] {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				r.fail(v, "", "field %s: %q is not a number", t.Field, text)
			}
			t.Op, t.Cmp, t.Number = OpNumber, cmp[1], append(t.Number, n)
			return
		}
	}
	switch {
	case mods["re"]:
		if flags := flagsOf(mods); flags != "" {
			text = "(?" + flags + ")" + text
		}
		re, err := regexp.Compile(text)
		if err != nil {
			r.fail(v, "RE2 syntax: no look-around, no back references", "field %s: %v", t.Field, err)
			return
		}
		t.Op, t.Regexps = OpRegexp, append(t.Regexps, re)
	case mods["cidr"]:
		net, err := parseNet(text)
		if err != nil {
			r.fail(v, "such as 10.0.0.0/8", "field %s: %v", t.Field, err)
			return
		}
		t.Op, t.Nets = OpCIDR, append(t.Nets, net)
	case mods["exists"]:
		if text != "true" && text != "false" {
			r.fail(v, "true or false", "field %s: exists: %q", t.Field, text)
		}
		t.Op, t.Absent = OpExists, text == "false"
	default:
		p := ParsePattern(text)
		if count(mods, "contains", "startswith", "endswith") > 0 {
			p = p.Around(mods["contains"] || mods["endswith"], mods["contains"] || mods["startswith"])
		}
		if count(mods, "i", "m", "s") > 0 {
			r.fail(v, "", "field %s: i, m and s belong to re", t.Field)
		}
		t.Op, t.Patterns = OpMatch, append(t.Patterns, p)
	}
}

func flagsOf(mods map[string]bool) (flags string) {
	for _, f := range [...]string{"i", "m", "s"} {
		if mods[f] {
			flags += f
		}
	}
	return flags
}

// parseNet reads a network or a single address.
func parseNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// validField accepts dotted names as the store holds them.
func validField(s string) bool {
	if s == "" || len(s) > storage.MaxFieldNameBytes {
		return false
	}
	for _, c := range s {
		switch {
		case c == '.', c == '_', c == '-', c == '@', c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return true
}
