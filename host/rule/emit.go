package rule

import (
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

var listForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// joined reads expr and join into the rule's operators.
func (d *document) joined() {
	root := d.tree()
	if d.err == nil {
		d.rule.Root = &Emit{Of: d.joins(root)}
	}
}

// exceptions folds the allow-list into every sub-pattern that is not only awaited: an exception must not turn an event
// that did happen into an absence.
func (d *document) exceptions() {
	e, ok := d.at["exceptions"]
	if !ok {
		return
	}
	var any AnyOf
	for _, n := range d.list(e.val, "exceptions") {
		var x Exception
		for _, k := range d.mapping(n, "exception", exceptionKeys) {
			if k.key == "reason" {
				x.Reason = d.text(k.val, "reason")
			} else {
				x.Where = d.selection(k.val, "where", 0)
			}
		}
		if d.err == nil && (x.Reason == "" || x.Where == nil) {
			d.fail(n, "say why, and what is selected", "exception: reason and where are needed")
		}
		d.rule.Exceptions = append(d.rule.Exceptions, x)
		any = append(any, x.Where)
	}
	if d.err != nil || len(any) == 0 {
		return
	}
	positive := map[int]bool{}
	mark(d.rule.Root.Of, positive)
	for i := range d.rule.Subs {
		if m := d.rule.Subs[i].Match; positive[i] {
			m.Where = exceptWhere(m.Where, any)
		}
	}
}

// incident reads which firings are one case, and its title.
func (d *document) incident() {
	inc := &Incident{}
	d.rule.Root.Incident = inc
	key := d.rule.Subs[0].Match.RuleKey()
	inc.Key = key
	titled := false
	for _, k := range d.mapping(d.at["incident"].val, "incident", incidentKeys) {
		switch k.key {
		case "key":
			inc.Key = d.fieldList(k.val, "key")
			_, single := d.rule.Root.Of.(*Match)
			for _, f := range inc.Key {
				if !single && !contains(key, f) {
					d.fail(k.val, "the incident's key is made of the fields of the first sub's by that all subs are joined by", "key: %s is not in by", f)
				}
			}
		case "title":
			inc.Title, titled = d.title(k.val, d.text(k.val, "title"), d.rule.Subs), true
		}
	}
	if !titled {
		inc.Title = Title{{Text: d.rule.Name}}
	}
}

// RuleKey returns the fields of By that are the key of the rule, in its order.
func (m *Match) RuleKey() []string {
	if m.Key == nil {
		return m.By
	}
	out := make([]string, len(m.Key))
	for i, at := range m.Key {
		out[i] = m.By[at]
	}
	return out
}

// actions reads suppress and watchlist.
func (d *document) actions() {
	if e, ok := d.at["suppress"]; ok {
		d.rule.Root.Suppress = d.duration(e.val, "suppress", MaxQuietPeriod)
	}
	e, ok := d.at["watchlist"]
	if !ok {
		return
	}
	list := d.list(e.val, "watchlist")
	if len(list) > MaxWatchLists {
		d.fail(e.val, "", "watchlist: %d entries, the limit is %d", len(list), MaxWatchLists)
	}
	for _, n := range list {
		d.rule.Root.WatchLists = append(d.rule.Root.WatchLists, d.watchList(n))
	}
}

func (d *document) watchList(n ast.Node) (w WatchList) {
	for _, k := range d.mapping(n, "watchlist", watchKeys) {
		switch k.key {
		case "name":
			w.Name = d.listName(k.val, "watchlist")
		case "value":
			if w.Value = d.text(k.val, "value"); !validField(w.Value) {
				d.fail(k.val, "an ECS name such as source.ip", "watchlist: value %q", w.Value)
			}
		case "ttl":
			w.TTL = d.duration(k.val, "watchlist.ttl", MaxMemory)
		}
	}
	if d.err == nil && (w.Name == "" || w.Value == "" || w.TTL <= 0) {
		d.fail(n, "{name: attackers, value: source.ip, ttl: 7d}", "watchlist: name, value and ttl are needed")
	}
	return w
}

func (r *reader) listName(n ast.Node, what string) string {
	name := r.text(n, what)
	if r.err == nil && !listForm.MatchString(name) {
		r.fail(n, "letters, digits, dots, dashes and _", "%s: name of a list %q", what, name)
	}
	return name
}

// clear reads what ends an episode: a quiet period, or a sub-pattern, which becomes the last of the rule.
func (d *document) clear() {
	e, ok := d.at["clear"]
	if !ok {
		return
	}
	c := &Clear{}
	d.rule.Root.Clear = c
	entries := d.mapping(e.val, "clear", clearKeys)
	if d.err != nil {
		return
	}
	if i := slices.IndexFunc(entries, func(k entry) bool { return k.key == "after" }); i >= 0 {
		c.After = d.duration(entries[i].val, "clear.after", MaxQuietPeriod)
		entries = slices.Delete(entries, i, i+1)
	}
	if len(entries) > 0 {
		d.clearing(e.node, c, entries)
	}
	if d.err == nil && c.After <= 0 && c.Of == nil {
		d.fail(e.node, "clear: {after: 60m}", "clear: after or where is missing")
	}
}

// clearing reads the sub-pattern that ends the incident of its key.
func (d *document) clearing(at ast.Node, c *Clear, entries []entry) {
	if len(d.rule.Subs) == MaxSubs {
		d.fail(at, "", "clear: the limit is %d sub-patterns, this one among them", MaxSubs)
		return
	}
	d.sub(at, ClearSub, entries)
	s := &d.rule.Subs[len(d.rule.Subs)-1]
	key := d.rule.Root.Incident.Key
	if s.Match.By == nil {
		s.Match.By = key
	}
	if len(s.Match.By) != len(key) {
		d.fail(at, "as many fields as the incident's key has, in its order", "clear: by has %d fields, the incident's key %d", len(s.Match.By), len(key))
	}
	c.Of = s.Node()
}
