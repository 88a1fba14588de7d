package rule

import (
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

var joinForm = regexp.MustCompile(`^\s*([a-z][a-z0-9_]*)\.(\S+?)\s*(==|!=|<=|>=|<|>)\s*([a-z][a-z0-9_]*)\.(\S+)\s*$`)

// joins decides what the key of the rule is, and what else must hold between its sub-patterns.
func (d *document) joins(root Node) Node {
	var lines []Compare
	e, said := d.at["join"]
	if said {
		for _, n := range d.list(e.val, "join") {
			lines = append(lines, d.relation(n))
		}
		if len(lines) == 0 || len(lines) > MaxJoins {
			d.fail(e.val, "", "join: %d lines, want 1 to %d", len(lines), MaxJoins)
		}
	}
	if d.err != nil {
		return root
	}
	classes, on := d.equate(lines)
	switch {
	case len(classes) > 0:
		for i := range d.rule.Subs {
			d.setKey(i, classes)
		}
	case !d.sameLength():
		common := d.common()
		if len(common) == 0 && !said && d.allGrouped() {
			d.fail(d.at["subs"].node, "join: [a.source.ip == b.client.ip]", "subs: by lists of different length, with no field in common")
		}
		for i := range d.rule.Subs {
			d.setKey(i, common)
		}
	}
	for _, c := range on {
		d.counted(e.val, c.A, c.AField)
		d.counted(e.val, c.B, c.BField)
	}
	if len(on) > 0 {
		return &Join{Of: root, On: on}
	}
	return root
}

// relation reads "a.user.name == b.user.name".
func (d *document) relation(n ast.Node) (c Compare) {
	text := d.text(n, "join")
	m := joinForm.FindStringSubmatch(text)
	if d.err != nil || m == nil {
		d.fail(n, "such as a.user.name == b.user.name", "join: %q", text)
		return c
	}
	var names []string
	c = Compare{A: -1, B: -1, AField: m[2], BField: m[5], Op: m[3]}
	for i := range d.rule.Subs {
		name := d.rule.Subs[i].Name
		names = append(names, name)
		if name == m[1] {
			c.A = i
		}
		if name == m[4] {
			c.B = i
		}
	}
	switch {
	case c.A < 0:
		d.fail(n, suggest(m[1], names), "join: %q is no sub-pattern", m[1])
	case c.B < 0:
		d.fail(n, suggest(m[4], names), "join: %q is no sub-pattern", m[4])
	case c.A == c.B:
		d.fail(n, "field|fieldref in where compares fields of one event", "join: %s with itself", m[1])
	case !validField(c.AField) || !validField(c.BField):
		d.fail(n, "ECS names such as source.ip", "join: %q", text)
	}
	return c
}

// class is fields of sub-patterns that are equal: of each that has part in it, one.
type class map[int]string

// equate puts together what == says to be equal. A class that all sub-patterns have part in is part of the key of the
// rule; the lines that say something else are returned as they are.
func (d *document) equate(lines []Compare) (key []class, on []Compare) {
	var all []class
	for _, c := range lines {
		if c.Op == "==" && d.groups(c.A, c.AField) && d.groups(c.B, c.BField) {
			all = merge(all, c)
		}
	}
	for _, k := range all {
		if len(k) == len(d.rule.Subs) {
			key = append(key, k)
		}
	}
	for _, c := range lines {
		if c.Op != "==" || !implied(key, c) {
			on = append(on, c)
		}
	}
	return key, on
}

// implied reports whether one of the classes says what a line says.
func implied(key []class, c Compare) bool {
	for _, k := range key {
		if k[c.A] == c.AField && k[c.B] == c.BField {
			return true
		}
	}
	return false
}

// merge adds an equality to the classes. A class has one field of a sub-pattern at most: an equality that would give it
// two changes nothing.
func merge(all []class, c Compare) []class {
	joined := class{c.A: c.AField, c.B: c.BField}
	var out []class
	placed := -1 // where the first of the classes that are joined was
	for _, k := range all {
		if k[c.A] != c.AField && k[c.B] != c.BField {
			out = append(out, k)
			continue
		}
		for sub, field := range k {
			if f, ok := joined[sub]; ok && f != field {
				return all
			}
			joined[sub] = field
		}
		if placed < 0 {
			placed = len(out)
			out = append(out, nil)
		}
	}
	if placed < 0 {
		return append(out, joined)
	}
	out[placed] = joined
	return out
}

// groups reports whether a field may be part of the key: it is grouped by, or may be, because nothing is counted by it.
func (d *document) groups(sub int, field string) bool {
	s := &d.rule.Subs[sub]
	free := s.Aggregate == nil && s.FirstSeen == nil && !s.Match.NullKey && len(s.Match.By) < MaxKeyFields
	return free || contains(s.Match.By, field)
}

// setKey says which of a sub-pattern's by fields are the key of the rule. What a join equates is grouped by.
func (d *document) setKey(sub int, key []class) {
	m := d.rule.Subs[sub].Match
	all := true
	m.Key = make([]int, len(key))
	for i, c := range key {
		at := slices.Index(m.By, c[sub])
		if at < 0 {
			at = len(m.By)
			m.By = append(m.By[:at:at], c[sub])
		}
		m.Key[i] = at
		all = all && at == i
	}
	if all && len(key) == len(m.By) {
		m.Key = nil
	}
	if len(m.By) > MaxKeyFields {
		d.fail(d.at["join"].val, "", "join: it groups sub %s by %d fields, the limit is %d", d.rule.Subs[sub].Name, len(m.By), MaxKeyFields)
	}
}

// counted checks that a counted sub-pattern is grouped by a field that is compared: its events have several values of others.
func (d *document) counted(at ast.Node, sub int, field string) {
	s := &d.rule.Subs[sub]
	if s.Aggregate != nil && !contains(s.Match.By, field) {
		d.fail(at, "add it to by", "join: %s of sub %s, which counts events by other fields", field, s.Name)
	}
}

func (d *document) sameLength() bool {
	for i := range d.rule.Subs {
		if len(d.rule.Subs[i].Match.By) != len(d.rule.Subs[0].Match.By) {
			return false
		}
	}
	return true
}

func (d *document) allGrouped() bool {
	for i := range d.rule.Subs {
		if len(d.rule.Subs[i].Match.By) == 0 {
			return false
		}
	}
	return true
}

// common returns the fields that all sub-patterns are grouped by, in the order of the first.
func (d *document) common() (key []class) {
	for _, f := range d.rule.Subs[0].Match.By {
		c := class{}
		for i := range d.rule.Subs {
			if contains(d.rule.Subs[i].Match.By, f) {
				c[i] = f
			}
		}
		if len(c) == len(d.rule.Subs) {
			key = append(key, c)
		}
	}
	return key
}
