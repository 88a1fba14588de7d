package spec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/template"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// lowering makes a program of a document.
type lowering struct {
	r     *reader
	d     *document
	p     *template.Program
	heap  heap
	names []string // module-local
	local map[string]abi.Name
	slots map[string]uint16
	holes map[template.Hole]uint16
	maps  map[string]uint16
	match manifest.Match
}

func newLowering(r *reader, d *document) *lowering {
	return &lowering{
		r: r, d: d, p: &template.Program{}, heap: heap{known: map[string]template.Ref{}}, local: map[string]abi.Name{},
		slots: map[string]uint16{
			"host.hostname": template.SlotHostname, "process.name": template.SlotProcess, "process.pid": template.SlotPID,
			"log.syslog.priority": template.SlotPriority, "message": template.SlotMessage,
		},
		holes: map[template.Hole]uint16{}, maps: map[string]uint16{},
	}
}

func (l *lowering) program() *template.Program {
	d, p := l.d, l.p
	p.Framing, p.Zone, p.Separator = d.framing, d.zone, d.separator
	if d.keep {
		p.Flags |= template.KeepUnmatched
	}
	if d.others && d.prefix != "" {
		p.Flags |= template.KeepOthers
		p.Prefix = l.heap.text(d.prefix + ".")
	}
	for _, name := range d.programs {
		text, prefix := strings.CutSuffix(name, "*")
		p.Apps = append(p.Apps, template.AppName{Text: l.heap.text(text), Prefix: prefix})
	}
	l.tables()
	p.Base = l.constants(nil)
	l.keys()
	l.tree()
	l.route()
	p.Heap = l.heap.bytes
	if l.heap.full || len(p.Tree) >= 1<<16 || len(p.Consts) >= 1<<16 || len(p.Entries) >= 1<<16 {
		l.r.add(place{1, 1}, "split it by product or program", "the spec is too large: its texts or its tree take more than 64 KiB")
	}
	if len(l.slots) > MaxFields {
		l.r.add(place{1, 1}, "split it by product or program", "%d different fields, the limit is %d", len(l.slots), MaxFields)
	}
	return p
}

// name returns the number of a field.
func (l *lowering) name(name string) abi.Name {
	if n, ok := numbers[name]; ok {
		return n
	}
	n, ok := l.local[name]
	if !ok {
		n = abi.FirstLocal + abi.Name(len(l.names))
		l.local[name] = n
		l.names = append(l.names, name)
	}
	return n
}

// slot returns the number that keeps a field from being emitted twice.
func (l *lowering) slot(name string) uint16 {
	n, ok := l.slots[name]
	if !ok {
		n = uint16(len(l.slots)) + 1
		l.slots[name] = n
	}
	return n
}

func (l *lowering) tables() {
	names := make([]string, 0, len(l.d.maps))
	for name := range l.d.maps {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := l.d.maps[name]
		m := template.Map{First: uint16(len(l.p.Entries)), Pairs: uint16(len(t.entries)), HasDefault: t.hasDefault}
		if t.hasDefault {
			m.Default = l.heap.text(t.fallback)
		}
		keys := make([]string, 0, len(t.entries))
		for k := range t.entries {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			l.p.Entries = append(l.p.Entries, template.Entry{Key: l.heap.text(k), Value: l.heap.text(t.entries[k])})
		}
		l.p.Maps = append(l.p.Maps, m)
		l.maps[name] = uint16(len(l.p.Maps))
	}
}

// constants writes what the spec sets and a template sets instead or beside.
func (l *lowering) constants(own []constant) template.Variant {
	v := template.Variant{First: uint16(len(l.p.Consts))}
	all := slices.Clone(own)
	for _, c := range l.d.set {
		if !slices.ContainsFunc(own, func(o constant) bool { return o.name == c.name }) {
			all = append(all, c)
		}
	}
	for _, c := range all {
		for _, value := range c.values {
			k := template.Const{Name: l.name(c.name), Value: l.heap.text(value)}
			if c.list {
				k.Flags = template.List
			} else {
				k.Slot = l.slot(c.name)
			}
			l.p.Consts = append(l.p.Consts, k)
		}
	}
	v.Consts = uint16(len(l.p.Consts)) - v.First
	return v
}

// target says where a hole's or key's value goes.
func (l *lowering) target(h *hole) template.Target {
	t := template.Target{Conv: template.AsText, Map: l.maps[h.table]}
	switch h.kind {
	case template.Int:
		t.Conv = template.AsInt
	case template.Time:
		t.Conv, t.Arg = template.AsTime, l.heap.text(h.arg)
		if h.name == timestamp {
			t.Conv = template.AsEvent
		}
	case template.Quoted:
		t.Conv = template.AsQuote
	case template.Pairs:
		t.Conv = template.AsPairs
	case template.JSON:
		t.Conv = template.AsJSON
	}
	if h.name == "" {
		if t.Conv != template.AsPairs && t.Conv != template.AsJSON {
			t.Conv = template.AsNone
		}
		return t
	}
	if h.name == timestamp {
		return t
	}
	t.Name, t.Flags = l.name(h.name), related(h.name)
	if lists[h.name] {
		t.Flags |= template.List
	} else {
		t.Slot = l.slot(h.name)
	}
	return t
}

func (l *lowering) keys() {
	p, d := l.p, l.d
	all := slices.Clone(d.keys)
	know := func(name string) {
		if !slices.ContainsFunc(all, func(k key) bool { return k.key == name }) {
			to := hole{kind: template.Rest}
			if d.prefix != "" && d.others && plainName(name) { // kept as keys are that stand nowhere
				to.name = d.prefix + "." + name
			}
			all = append(all, key{key: name, to: to})
		}
	}
	for _, name := range d.require {
		know(name)
	}
	if d.message != "" {
		know(d.message)
	}
	if len(all) == 0 {
		return
	}
	size := 4
	for size < 2*len(all) {
		size *= 2
	}
	p.Buckets = make([]uint16, size)
	for _, k := range all {
		e := template.Key{Text: l.heap.text(k.key), Kind: k.to.kind, Target: l.target(&k.to), Message: k.key == d.message}
		if i := slices.Index(d.require, k.key); i >= 0 {
			e.Required = 1 << i
			p.Required |= e.Required
		}
		if k.to.table != "" {
			e.Kind = template.Rest // the table decides what fits
		}
		p.Keys = append(p.Keys, e)
		b := template.Hash([]byte(k.key)) & uint32(size-1)
		for p.Buckets[b] != 0 {
			b = (b + 1) & uint32(size-1)
		}
		p.Buckets[b] = uint16(len(p.Keys))
	}
}

// variant is one way to read a template.
type variant struct {
	template int
	parts    []part
	literals int // bytes
	open     int // holes that take anything
}

// tree compiles the templates into one tree. Of the templates that read a text the one with the most literal bytes
// wins, then the one with fewer holes that take anything, then the one that stands first.
func (l *lowering) tree() {
	d, p := l.d, l.p
	var all []variant
	for i := range d.templates {
		for _, parts := range variants(d.templates[i].parts) {
			v := variant{template: i, parts: parts}
			for _, p := range parts {
				v.literals += len(p.literal)
				if p.hole != nil && (p.hole.kind == template.Text || p.hole.kind == template.LastText || p.hole.kind == template.Rest) {
					v.open++
				}
			}
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b variant) int {
		return cmp.Or(b.literals-a.literals, a.open-b.open, a.template-b.template)
	})
	root := newNode()
	sets := make(map[int]template.Variant, len(d.templates))
	for n, v := range all {
		l.insert(root, v, n)
		set, ok := sets[v.template]
		if !ok {
			set = l.constants(d.templates[v.template].set)
			sets[v.template] = set
		}
		p.Variants = append(p.Variants, set)
	}
	if width := root.settle(p.Holes); width > MaxWidth {
		l.r.add(d.at["templates"], "let templates begin with different texts rather than with holes",
			"one byte of a record may have to be looked at %d times, the limit is %d", width, MaxWidth)
		return
	}
	w := written{heap: &l.heap}
	p.Root = w.write(root)
	p.Tree = w.tree
	if w.full {
		l.r.add(d.at["templates"], "split the spec by product or program", "the tree of the templates is larger than 128 KiB")
	}
}

// insert puts one variant into the tree. One that reads what a better one reads is not there.
func (l *lowering) insert(root *node, v variant, number int) {
	t := &l.d.templates[v.template]
	where := func(h *hole) place { return place{t.at.line, t.at.column + h.offset} }
	stops(v.parts, func(h *hole, hint, text string) { l.r.add(where(h), hint, "%s", text) })
	n, names := root, map[string]bool{}
	for _, part := range v.parts {
		if part.hole == nil {
			n = n.literal(part.literal)
			continue
		}
		h := part.hole
		if h.name != "" && names[h.name] && !lists[h.name] {
			l.r.add(where(h), "take another field, or make one of them {:type}", "%s stands twice in one template", h.name)
		}
		names[h.name] = true
		n = n.hole(l.hole(h))
	}
	switch {
	case n.variant < 0:
		n.variant = number
	case len(variants(t.parts)) == 1:
		l.r.add(t.at, "remove one", "another template reads the same text with the same fields")
	}
}

// hole returns the number of a hole in the program.
func (l *lowering) hole(h *hole) uint16 {
	e := template.Hole{Kind: h.kind, Stop: l.heap.text(h.stop), Target: l.target(h)}
	n, ok := l.holes[e]
	if !ok {
		n = uint16(len(l.p.Holes))
		l.holes[e] = n
		l.p.Holes = append(l.p.Holes, e)
	}
	return n
}
