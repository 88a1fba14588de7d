package spec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/template"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// route derives the signatures by which the host finds the records of the spec.
func (l *lowering) route() {
	d := l.d
	switch {
	case len(d.match) > 0:
		l.anyOf(d.match)
		for _, lit := range d.match {
			if len(lit) < MinRouteBytes {
				l.r.add(d.at["match"], "take a longer text", "match: %q has less than %d bytes, which would select nearly everything", lit, MinRouteBytes)
			}
		}
	case d.framing == template.KeyValue || d.framing == template.JSONObject:
		l.byKeys()
	case d.keep && len(d.programs) == 0:
		l.r.add(d.at["unmatched"], "add programs: or match:", "unmatched: keep needs something that tells the records of this spec from others")
	case d.keep:
		l.byPrograms()
	default:
		l.byTemplates()
	}
}

func (l *lowering) anyOf(literals []string) {
	for part := range slices.Chunk(literals, manifest.MaxLiterals) {
		l.match.Signatures = append(l.match.Signatures, manifest.Signature{Any: part})
	}
}

func (l *lowering) byPrograms() {
	var names []string
	for _, name := range l.d.programs {
		name = strings.TrimSuffix(name, "*")
		names = append(names, name+"[", name+":", name+" ")
	}
	l.anyOf(names)
}

// byKeys asks for all keys that a record must have.
func (l *lowering) byKeys() {
	var all []string
	for _, name := range l.d.require {
		if l.d.framing == template.JSONObject {
			if i := strings.LastIndexByte(name, '.'); i >= 0 { // {"a":{"b":1}} or {"a.b":1}
				name = name[i+1:] + `"`
			} else {
				name = `"` + name + `"`
			}
		} else {
			name += "="
		}
		all = append(all, name)
	}
	if !slices.ContainsFunc(all, func(s string) bool { return len(s) >= MinRouteBytes }) {
		l.r.add(place{1, 1}, "add require: with the keys that every record has, or match:", "nothing tells the records of this spec from others")
		return
	}
	l.match.Signatures = []manifest.Signature{{All: all}}
}

// byTemplates asks for the longest literals of each template.
func (l *lowering) byTemplates() {
	type route struct {
		literals []string
		weight   int
	}
	var routes []route
	for i := range l.d.templates {
		t := &l.d.templates[i]
		lits := longest(t.parts)
		if len(lits) == 0 {
			if len(l.d.programs) > 0 {
				l.match.Signatures = nil
				l.byPrograms()
				return
			}
			l.r.add(t.at, "add a longer text, programs: or match:", "no text of %d bytes in this template, so nothing tells its records from others", MinRouteBytes)
			continue
		}
		r := route{literals: lits}
		for _, lit := range lits {
			r.weight += len(lit)
		}
		if !slices.ContainsFunc(routes, func(o route) bool { return slices.Equal(o.literals, lits) }) {
			routes = append(routes, r)
		}
	}
	if len(routes) <= manifest.MaxSignatures {
		for _, r := range routes {
			l.match.Signatures = append(l.match.Signatures, manifest.Signature{All: r.literals})
		}
		return
	}
	// Too many for a signature each: the longest literal of each, those of a length together.
	slices.SortStableFunc(routes, func(a, b route) int { return cmp.Compare(len(b.literals[0]), len(a.literals[0])) })
	var first []string
	for _, r := range routes {
		if !slices.Contains(first, r.literals[0]) {
			first = append(first, r.literals[0])
		}
	}
	l.anyOf(first)
}

// maxRouteLiterals is how many literals of one template route to it.
const maxRouteLiterals = 3

// longest returns the longest literals that a template always has, the longest first.
func longest(parts []part) []string {
	var lits []string
	for _, p := range parts {
		if len(p.literal) >= MinRouteBytes {
			lits = append(lits, p.literal[:min(len(p.literal), manifest.MaxLiteralBytes)])
		}
	}
	slices.SortStableFunc(lits, func(a, b string) int { return len(b) - len(a) })
	lits = slices.Compact(lits)
	return lits[:min(len(lits), maxRouteLiterals)]
}
