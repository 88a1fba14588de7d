package module

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The control records of lists.
const (
	SetList    ControlKind = "list"    // a list is there, or says something else about itself; what is in it stays
	RemoveList ControlKind = "unlist"  // it is there no more
	SetEntries ControlKind = "entries" // other values are in it; a list that is not there is made
)

// List is a watch list or an object group as it is in force: what is in it is changed value by value, by people and by
// rules. An organization's adds to the shared one of the same name.
type List struct {
	Name        string     `json:"name"`
	Group       string     `json:"group,omitempty"` // what its values are, one of Groups; "" of a watch list
	Description string     `json:"description,omitempty"`
	Values      *list.List `json:"values"`
	Evicted     uint64     `json:"evicted,omitempty"` // values that gave way because it was full
	Wrote       Place      `json:"wrote,omitzero"`    // of the newest change that rules made

	Seq uint64 `json:"seq"` // of the control record that changed it last
	At  int64  `json:"at"`  // its log time, ns
	Who string `json:"who,omitempty"`
}

// Groups are what the values of an object group can be.
var Groups = []string{"devices", "networks", "users", "applications", "event-types", "malware", "countries"}

// ListHead is what SetList says about a list. How values are compared can be changed while it is empty.
type ListHead struct {
	Kind        index.Kind `json:"kind"`
	Group       string     `json:"group,omitempty"`
	Description string     `json:"description,omitempty"`
}

// Entries is a change of what is in a list: values are taken out, then others put in.
type Entries struct {
	Remove []string   `json:"remove,omitempty"`
	Put    []PutEntry `json:"put,omitempty"`
	From   Place      `json:"from,omitzero"` // of a change that rules make, so that it is made once; zero: of a person
}

// PutEntry is a value that is put into a list.
type PutEntry struct {
	Value  string        `json:"value"`
	TTL    time.Duration `json:"ttl,omitempty"` // of log time, from the control record on; 0: for good
	Origin string        `json:"origin,omitempty"`
	Note   string        `json:"note,omitempty"`
}

// Place is where in the log a change was decided.
type Place struct {
	Seq  uint64 `json:"seq,omitempty"`
	Part int    `json:"part,omitempty"` // of what is decided there about one list
}

func (p Place) after(o Place) bool { return p.Seq > o.Seq || p.Seq == o.Seq && p.Part > o.Part }

// Limits of lists.
const (
	MaxLists            = 256     // of one layer
	MaxListedValues     = 500_000 // of one layer
	MaxDescriptionBytes = 1 << 10
)

// list defines, changes or removes a list.
func (r Running) list(seq uint64, at int64, c Control) (Running, error) {
	layer := r.Layer(c.Tenant).clone()
	layer.Lists = maps.Clone(layer.Lists)
	old, there := layer.Lists[c.Name]
	if c.Kind == RemoveList {
		if !there {
			return r, fmt.Errorf("remove list %.80q: there is no such list: %w", c.Name, storage.ErrNotFound)
		}
		delete(layer.Lists, c.Name)
		return r.with(seq, c.Tenant, layer), nil
	}
	if !manifest.ValidName(c.Name) {
		return r, fmt.Errorf("list %.80q: want a name of letters a to z, digits and hyphens: %w", c.Name, storage.ErrInvalid)
	}
	if err := layer.free(c.Name, "list"); err != nil {
		return r, err
	}
	next, err := old, error(nil)
	if c.Kind == SetList {
		next, err = old.say(c.List)
	} else {
		next, err = old.change(c.Entries, at, r.Layer(storage.NoTenant).Lists[c.Name].Values)
	}
	if err != nil {
		return r, fmt.Errorf("list %s: %w", c.Name, err)
	}
	next.Name, next.Seq, next.At, next.Who = c.Name, seq, at, c.Who
	if layer.Lists == nil {
		layer.Lists = map[string]List{}
	}
	layer.Lists[c.Name] = next
	values := 0
	for _, x := range layer.Lists {
		values += x.Values.Len()
	}
	if len(layer.Lists) > MaxLists || values > MaxListedValues && values > old.Values.Len() {
		return r, fmt.Errorf("list %s: at most %d lists with %d values together are allowed: %w", c.Name, MaxLists, MaxListedValues, storage.ErrExhausted)
	}
	return r.with(seq, c.Tenant, layer), nil
}

// say changes what a list says about itself.
func (l List) say(h *ListHead) (List, error) {
	if h == nil || len(h.Description) > MaxDescriptionBytes {
		return l, fmt.Errorf("it is not said what it is, or in more than %d bytes: %w", MaxDescriptionBytes, storage.ErrInvalid)
	}
	if h.Group != "" && !slices.Contains(Groups, h.Group) {
		return l, fmt.Errorf("group %.80q: want one of %v, or none for a watch list: %w", h.Group, Groups, storage.ErrInvalid)
	}
	if l.Values == nil || l.Values.Kind() != h.Kind {
		if l.Values.Len() > 0 {
			return l, fmt.Errorf("its values are compared as %s, which can be changed while it is empty: %w", l.Values.Kind(), storage.ErrConflict)
		}
		empty, err := list.New(h.Kind)
		if err != nil {
			return l, err
		}
		l.Values = empty
	}
	l.Group, l.Description = h.Group, h.Description
	return l, nil
}

// change puts values into a list and takes others out. A list that is not there yet compares as the shared one of its
// name does, or without regard to case.
func (l List) change(c *Entries, at int64, shared *list.List) (List, error) {
	if c == nil || len(c.Remove)+len(c.Put) == 0 {
		return l, fmt.Errorf("nothing is to be changed: %w", storage.ErrInvalid)
	}
	if c.From != (Place{}) {
		if !c.From.after(l.Wrote) {
			return l, fmt.Errorf("this was written before: %w", storage.ErrConflict)
		}
		l.Wrote = c.From
	}
	if l.Values == nil {
		kind := index.NoCase
		if shared != nil {
			kind = shared.Kind()
		}
		l.Values, _ = list.New(kind) // of a kind that there is
	}
	values := c.Put
	if c.From != (Place{}) {
		values = c.lenient(l.Values, at)
	}
	put := make([]list.Entry, len(values))
	for i, p := range values {
		put[i] = list.Entry{Value: p.Value, Origin: p.Origin, Note: p.Note, At: at}
		if p.TTL != 0 {
			put[i].Expires = at + int64(p.TTL)
		}
	}
	next, did, err := l.Values.With(c.Remove, put, at)
	if err != nil {
		return l, err
	}
	l.Values = next
	l.Evicted += uint64(did.Evicted)
	return l, nil
}

// free refuses a name that something of another kind has: a name is one list, whatever it is.
func (l Layer) free(name, kind string) error {
	what := ""
	switch {
	case has(l.Lists, name):
		what = "list"
	case has(l.Tables, name):
		what = "table"
	case has(l.Indicators, name):
		what = "indicator set"
	}
	if what == "" || what == kind {
		return nil
	}
	return fmt.Errorf("%s is the name of a %s already: %w", name, what, storage.ErrConflict)
}

func has[T any](m map[string]T, name string) bool {
	_, there := m[name]
	return there
}

// sameLists says that two layers have the same values in the same lists.
func (l Layer) sameLists(o Layer) bool {
	return maps.EqualFunc(l.Lists, o.Lists, func(a, b List) bool { return a.Values == b.Values })
}

// relist is a view of which only the lists have changed.
func (v *View) relist(l Layer) *View {
	own, next := *v.own, *v
	own.lists = l.Lists
	next.own = &own
	next.look()
	return &next
}

// list returns what a name stands for, nil when there is nothing: of the organization, and of all, unless a table of the
// organization hides that.
func (v *View) list(name string) detect.List {
	own, hides := v.own.list(name)
	if hides {
		return own
	}
	shared, _ := v.shared.list(name)
	switch {
	case own == nil:
		return shared
	case shared == nil:
		return own
	}
	return either{own, shared}
}

// list returns what a name stands for in a layer, and whether it hides what all share.
func (l *layer) list(name string) (what detect.List, hides bool) {
	if l == nil {
		return nil, false
	}
	if x, ok := l.lists[name]; ok {
		return x.Values, false
	}
	if x, ok := l.tables[name]; ok {
		return keys{x.index}, true
	}
	if x, ok := l.indicators[name]; ok {
		return x, false
	}
	return nil, false
}

// either is two lists as one.
type either [2]detect.List

// Has implements detect.List.
func (e either) Has(value string, at int64) bool { return e[0].Has(value, at) || e[1].Has(value, at) }

// keys is a table as the list of its keys.
type keys struct{ of *index.Table }

// Has implements detect.List.
func (k keys) Has(value string, _ int64) bool {
	if k.of.Kind() == index.CIDR && !list.IsAddress(value) { // whose error would be allocated
		return false
	}
	_, found := k.of.Find(bytesOf(value))
	return found
}

// ListVersion is which version of a list a rule asked.
type ListVersion struct {
	Name   string
	Tenant storage.Tenant // whose; NoTenant: the one that all share
	What   string         // "list", "table" or "indicator set"; "" when the organization has none
	Seq    uint64         // of the control record that changed it last
}

// ListsOf returns which lists a rule of a tenant asks, by name, those of the organization before the shared ones. A list
// that does not exist is there once, without saying what.
func (g *Generation) ListsOf(t storage.Tenant, r *rule.Rule) []ListVersion {
	var out []ListVersion
	for _, name := range detect.ListsOf(r) {
		n := len(out)
		for _, of := range slices.Compact([]storage.Tenant{t, storage.NoTenant}) {
			l := g.Running.Layer(of)
			if x, ok := l.Lists[name]; ok {
				out = append(out, ListVersion{name, of, "list", x.Seq})
			} else if x, ok := l.Tables[name]; ok {
				out = append(out, ListVersion{name, of, "table", x.Seq})
				break
			} else if x, ok := l.Indicators[name]; ok {
				out = append(out, ListVersion{name, of, "indicator set", x.Seq})
			}
		}
		if len(out) == n {
			out = append(out, ListVersion{Name: name})
		}
	}
	return out
}

// OfContext reports whether a control record changes what rules look into, and not which rules run.
func (c *Control) OfContext() bool {
	switch c.Kind {
	case SetList, RemoveList, SetEntries, SetTable, RemoveTable, SetIndicators, RemoveIndicators:
		return true
	}
	return false
}

// lenient leaves out what a list does not take, since one bad value of a rule must not cost the others, and what it has for
// longer: a rule does not end what a person or another rule has put there.
func (c *Entries) lenient(l *list.List, at int64) []PutEntry {
	return slices.DeleteFunc(slices.Clone(c.Put), func(p PutEntry) bool {
		e := l.Get(p.Value, at)
		return !l.Takes(p.Value) || e != nil && p.TTL > 0 && (e.Expires == 0 || e.Expires > at+int64(p.TTL))
	})
}

// HasList reports whether a name stands for anything that a rule of a tenant could look into.
func (g *Generation) HasList(t storage.Tenant, name string) bool { return g.View(t).list(name) != nil }

// EachRule calls f with every rule that runs for the tenant.
func (v *View) EachRule(f func(*rule.Rule)) {
	seen := map[string]bool{}
	for _, l := range []*layer{v.own, v.shared} {
		if l == nil {
			continue
		}
		for _, r := range l.matched {
			if on := v.Rules.Rule(r.ID); on != nil && !seen[r.ID] {
				seen[r.ID] = true
				f(on)
			}
		}
	}
}
