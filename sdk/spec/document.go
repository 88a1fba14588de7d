package spec

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// document is a spec as it was written.
type document struct {
	framing   template.Framing
	programs  []string
	prefix    string
	zone      int // seconds east of UTC
	separator byte
	keep      bool // records that no template reads
	others    bool // keys that are not mapped
	set       []constant
	templates []tmpl
	keys      []key
	message   string // key whose value the templates read
	require   []string
	maps      map[string]table
	match     []string
	at        map[string]place // of the top-level keys
}

// constant is a field with the same value in every event.
type constant struct {
	name   string
	values []string
	list   bool
}

// tmpl is one template.
type tmpl struct {
	text  string
	at    place // of its first byte
	parts []part
	set   []constant
}

// key maps a key of key=value text or JSON.
type key struct {
	key string
	at  place
	to  hole
}

// table is a lookup table.
type table struct {
	at         place
	entries    map[string]string
	fallback   string
	hasDefault bool
}

var sections = []string{
	"framing", "programs", "prefix", "zone", "separator", "unmatched", "others", "set", "templates", "fields", "message", "require", "maps", "match",
}

// document reads the root of a spec.
func (r *reader) document(root ast.Node) *document {
	d := &document{maps: map[string]table{}, others: true, at: map[string]place{}}
	pairs := r.mapping(root, "spec", sections...)
	for _, p := range pairs { // what the others depend on
		d.at[p.key] = p.at
		switch p.key {
		case "framing":
			d.framing = template.Framing(r.choice(p.value, "framing", "none", "syslog", "kv", "json"))
		case "prefix":
			d.prefix = r.prefix(p.value)
		case "maps":
			r.maps(d, p.value)
		}
	}
	for _, p := range pairs {
		r.section(d, p)
	}
	if len(r.problems) == 0 {
		r.together(d)
	}
	return d
}

func (r *reader) section(d *document, p pair) {
	switch p.key {
	case "programs":
		d.programs = r.texts(p.value, "programs", MaxPrograms)
	case "zone":
		zone := r.text(p.value, "zone")
		offset, ok := clock.Zone([]byte(zone))
		if !ok && zone != "UTC" {
			r.add(at(p.value), `write "+02:00" or UTC`, "zone: %q is no offset", zone)
		}
		d.zone = offset
	case "separator":
		if s := r.text(p.value, "separator"); len(s) == 1 {
			d.separator = s[0]
		} else {
			r.add(at(p.value), `such as ","`, "separator: want one byte")
		}
	case "unmatched":
		d.keep = r.choice(p.value, "unmatched", "not mine", "keep") == 1
	case "others":
		d.others = r.choice(p.value, "others", "keep", "drop") == 0
	case "set":
		d.set = r.set(p.value, d.prefix)
	case "templates":
		r.templates(d, p.value)
	case "fields":
		r.keys(d, p.value)
	case "message":
		d.message = r.text(p.value, "message")
	case "require":
		d.require = r.texts(p.value, "require", MaxRequired)
	case "match":
		d.match = r.texts(p.value, "match", 32)
	}
}

func (r *reader) prefix(n ast.Node) string {
	s := r.text(n, "prefix")
	root, _, _ := strings.Cut(s, ".")
	switch {
	case s == "":
	case !plainName(s) || len(s) > 64:
		r.add(at(n), "such as acme or acme.vpn", "prefix: %q is no name", s)
	case roots[root]:
		r.add(at(n), "take the name of the vendor or product", "prefix: %s belongs to ECS or to the host", root)
	}
	return s
}

// set reads constants.
func (r *reader) set(n ast.Node, prefix string) []constant {
	var out []constant
	for _, p := range r.mapping(n, "set") {
		r.name(p.at, p.key, prefix)
		if p.key == timestamp {
			r.add(p.at, "read it with a hole: {@timestamp:time}", "set: the time of an event is no constant")
		}
		_, sequence := p.value.(*ast.SequenceNode)
		c := constant{name: p.key, values: r.texts(p.value, p.key, MaxSet), list: sequence || lists[p.key]}
		if sequence && !lists[p.key] && numbers[p.key] != 0 {
			r.add(at(p.value), "", "%s holds one value", p.key)
		}
		out = append(out, c)
	}
	if len(out) > MaxSet {
		r.add(at(n), "", "set: %d fields, the limit is %d", len(out), MaxSet)
	}
	return out
}

func (r *reader) maps(d *document, n ast.Node) {
	for _, p := range r.mapping(n, "maps") {
		t := table{at: p.at, entries: map[string]string{}}
		for _, e := range r.mapping(p.value, p.key) {
			value := r.text(e.value, e.key)
			if e.key == "*" {
				t.fallback, t.hasDefault = value, true
			} else {
				t.entries[e.key] = value
			}
		}
		if len(t.entries) > MaxMapEntries {
			r.add(p.at, "", "%s: %d entries, the limit is %d", p.key, len(t.entries), MaxMapEntries)
		}
		d.maps[p.key] = t
	}
	if len(d.maps) > MaxMaps {
		r.add(at(n), "", "maps: %d, the limit is %d", len(d.maps), MaxMaps)
	}
}

func (r *reader) templates(d *document, n ast.Node) {
	values := r.list(n, "templates")
	if len(values) > MaxTemplates {
		r.add(at(n), "split the spec by product or program", "%d templates, the limit is %d", len(values), MaxTemplates)
		return
	}
	for _, v := range values {
		var t tmpl
		node := v
		switch v.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			node = nil
			for _, p := range r.mapping(v, "template", "text", "set") {
				switch p.key {
				case "text":
					node = p.value
				case "set":
					t.set = r.set(p.value, d.prefix)
				}
			}
			if node == nil {
				r.add(at(v), `write - text: "…"`, "template: no text")
				continue
			}
		}
		before := len(r.problems)
		if t.text, t.at = r.template(node), at(node); len(r.problems) > before {
			continue
		}
		if written := node.GetToken().Origin; strings.HasPrefix(strings.TrimLeft(written, " \n"), `"`) || strings.HasPrefix(strings.TrimLeft(written, " \n"), "'") {
			t.at.column++
		}
		r.cut(d, &t)
		d.templates = append(d.templates, t)
	}
}

// template returns the text of a template.
func (r *reader) template(n ast.Node) string {
	s, ok := text(n)
	switch {
	case !ok:
		r.add(at(n), "put the text in quotes", "template: want a text, not %s", kindOf(n))
	case s == "":
		r.add(at(n), "", "template: empty")
	case len(s) > MaxTemplateBytes:
		r.add(at(n), "", "template: %d bytes, the limit is %d", len(s), MaxTemplateBytes)
	}
	return s
}

// cut reads the parts of a template and checks its holes.
func (r *reader) cut(d *document, t *tmpl) {
	fail := func(offset int, hint, format string, args ...any) {
		r.add(place{t.at.line, t.at.column + offset}, hint, format, args...)
	}
	c := cutter{text: t.text, fail: fail}
	if t.parts = c.parts(false); c.bad {
		return
	}
	ways, holes := 1, 0
	var check func(parts []part)
	check = func(parts []part) {
		for _, p := range parts {
			if p.optional != nil {
				ways *= 2
				check(p.optional)
			}
			if p.hole == nil {
				continue
			}
			holes++
			where := place{t.at.line, t.at.column + p.hole.offset}
			if p.hole.name != "" {
				r.name(where, p.hole.name, d.prefix)
			}
			r.hole(d, where, p.hole)
		}
	}
	check(t.parts)
	if ways > MaxVariants {
		fail(0, "write two templates", "%d ways to read it, the limit is %d: each optional part doubles them", ways, MaxVariants)
	}
	if holes > template.MaxHoles {
		fail(0, "", "%d holes, the limit is %d", holes, template.MaxHoles)
	}
}

// hole checks that the type of a hole or key suits its field.
func (r *reader) hole(d *document, where place, h *hole) {
	if _, ok := d.maps[h.table]; h.table != "" && !ok {
		r.add(where, "define it below maps:", "there is no map %q", h.table)
	}
	switch {
	case h.name == "":
		if h.table != "" {
			r.add(where, "name a field", "a value that is not kept needs no map")
		}
	case h.kind == template.Pairs || h.kind == template.JSON || h.kind == template.Blank:
		r.add(where, "write {:"+template.Names[h.kind]+"}", "%s goes to no field", template.Names[h.kind])
	case h.table != "":
	case h.name == timestamp && h.kind != template.Time:
		r.add(where, "write {@timestamp:time(iso)}, time(syslog) or a layout", "@timestamp is a time, not a %s", template.Names[h.kind])
	case isAddress(h.name) && h.kind != template.IP:
		r.add(where, "write {"+h.name+":ip}, or "+strings.TrimSuffix(h.name, "ip")+"address for what may be a name", "%s is an address, not a %s", h.name, template.Names[h.kind])
	case isNumber(h.name) && h.kind != template.Int:
		r.add(where, "write {"+h.name+":int}", "%s is a number, not a %s", h.name, template.Names[h.kind])
	}
}

// keys reads fields: "key: field" or "key: {to: field, type: …, map: …}".
func (r *reader) keys(d *document, n ast.Node) {
	for _, p := range r.mapping(n, "fields") {
		k := key{key: p.key, at: p.at}
		spelt := ""
		switch p.value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			for _, e := range r.mapping(p.value, p.key, "to", "type", "map") {
				switch e.key {
				case "to":
					k.to.name = r.text(e.value, "to")
				case "type":
					spelt = r.text(e.value, "type")
				case "map":
					k.to.table = r.text(e.value, "map")
				}
			}
		case *ast.NullNode: // known, and not kept
		default:
			k.to.name = r.text(p.value, p.key)
		}
		if k.to.name != "" {
			r.name(at(p.value), k.to.name, d.prefix)
		}
		if k.to.kind = usualKind(k.to.name); k.to.kind == template.Word {
			k.to.kind = template.Rest
		}
		if spelt != "" {
			c := cutter{fail: func(_ int, hint, format string, args ...any) { r.add(at(p.value), hint, format, args...) }}
			c.kind(&k.to, spelt)
		}
		r.hole(d, at(p.value), &k.to)
		d.keys = append(d.keys, k)
	}
	if len(d.keys) > MaxKeys {
		r.add(at(n), "", "fields: %d keys, the limit is %d", len(d.keys), MaxKeys)
	}
}

// together checks what the sections owe each other.
func (r *reader) together(d *document) {
	keyed := d.framing == template.KeyValue || d.framing == template.JSONObject
	if !keyed && len(d.templates) == 0 {
		r.add(place{1, 1}, `write templates: ["…"], or framing: kv or json`, "no template, and nothing else that reads a record")
	}
	if keyed && len(d.templates) > 0 && d.message == "" {
		r.add(d.at["templates"], "name it with message:", "with framing kv or json the templates read the value of one key")
	}
	reads := keyed || slices.ContainsFunc(d.templates, func(t tmpl) bool { return slices.ContainsFunc(t.parts, part.readsKeys) })
	if where, ok := d.at["fields"]; ok && !reads {
		r.add(where, "set framing: kv or json, or end a template with {:kv} or {:json}", "fields: nothing here reads keys")
	}
	if _, said := d.at["others"]; reads && d.prefix == "" && !said {
		r.add(place{1, 1}, "set prefix:, or others: drop", "keys that fields does not name have no place")
	}
	for _, section := range []string{"message", "require"} {
		if at, ok := d.at[section]; ok && !keyed {
			r.add(at, "", "%s: only with framing kv or json", section)
		}
	}
	if at, ok := d.at["programs"]; ok && d.framing == template.Plain {
		r.add(at, "set framing: syslog", "programs: only a syslog header names one")
	}
	if d.keep && d.framing != template.SyslogLine {
		r.add(d.at["unmatched"], "add a last template such as {message:rest}", "unmatched: keep works with framing syslog only")
	}
}
