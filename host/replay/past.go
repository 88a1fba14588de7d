package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Past knows what ran, and what was in lists, after the log was cut: storage/meta.
type Past interface {
	Controls(ctx context.Context, p storage.Principal, to uint64) ([]meta.Control, error)
	EachMember(ctx context.Context, p storage.Principal, list string, from, to uint64, f func(*meta.Member) error) error
	ListsKnownFrom(ctx context.Context, p storage.Principal) (uint64, error)
	table.Source // the contents of tables and indicator sets
}

// past is what ran for one organization, and what its rules looked into.
type past struct {
	Past
	tenant   storage.Tenant
	controls []meta.Control
	states   []state // by position
	lists    map[listName]map[index.Kind]*list.Past
	asked    []string // names of what rules ask as a list, ascending
	tables   map[content]*index.Table
	sets     map[content]*indicator.Set
	used     map[*list.Member]Listed
	versions []version      // of sets that rules ask as a list
	inSets   map[inSet]bool // values that are noted
	seq      uint64         // of the event that rules are asked about
	err      error          // of what could not be looked into
}

// state is what ran for messages behind a position.
type state struct {
	after uint64
	what  module.Running
}

type listName struct {
	of   storage.Tenant
	name string
}

type content struct {
	of     storage.Tenant
	digest string
}

// inSet is a value that was an indicator of a version of a set.
type inSet struct {
	version int // of past.versions
	value   string
}

// newPast reads what ran up to a position.
func newPast(ctx context.Context, from Past, p storage.Principal, t storage.Tenant, to uint64) (*past, error) {
	x := &past{
		Past: from, tenant: t, lists: map[listName]map[index.Kind]*list.Past{}, tables: map[content]*index.Table{},
		sets: map[content]*indicator.Set{}, used: map[*list.Member]Listed{}, inSets: map[inSet]bool{},
	}
	var err error
	if x.controls, err = from.Controls(ctx, p, to); err != nil {
		return nil, err
	}
	var r module.Running
	for i := range x.controls {
		c := &x.controls[i]
		if c.Kind == meta.KindLayer {
			var l module.Layer
			if err := json.Unmarshal([]byte(c.Record), &l); err != nil {
				return nil, fmt.Errorf("control record %d: %w", c.Seq, err)
			}
			r = module.Running{Seq: c.Seq, Layers: r.Layers.With(c.Tenant, &l)}
			x.states = append(x.states, state{c.Seq - 1, r})
			continue
		}
		record, err := module.DecodeControl([]byte(c.Record))
		if err != nil {
			return nil, fmt.Errorf("control record %d: %w", c.Seq, err)
		}
		// One that is refused here stood on a record that is not kept any more, and says nothing of what follows.
		if next, err := r.Apply(c.Seq, c.At, record); err == nil {
			r = next
			x.states = append(x.states, state{c.Seq, r})
		}
	}
	return x, nil
}

// at returns what ran for the message at a position.
func (x *past) at(seq uint64) module.Running {
	n, _ := slices.BinarySearchFunc(x.states, seq, func(s state, seq uint64) int { return cmp.Compare(s.after, seq) })
	if n == 0 {
		return module.Running{}
	}
	return x.states[n-1].what
}

// ask reads what was in the lists that rules ask, and the tables and sets that stood for them, from a position to another.
func (x *past) ask(ctx context.Context, p storage.Principal, names []string, from, to uint64) error {
	x.asked = names
	count := 0
	for _, name := range names {
		err := x.EachMember(ctx, p, name, from, to, func(m *meta.Member) error {
			if count++; count > MaxMembers {
				return fmt.Errorf("more than %d values were in the lists that it asks: %w", MaxMembers, ErrCannot)
			}
			return x.member(listName{m.Tenant, name}, index.Kind(m.Compared), &list.Member{Value: m.Value, Expires: m.Expires, Since: m.Since, Until: m.Until})
		})
		if err != nil {
			return err
		}
	}
	x.versions = x.spans(names, from, func(l module.Layer, name string) string { return l.Indicators[name].Digest })
	if err := keep(ctx, x.sets, x.versions, indicator.Kept{From: x.Past}.Indicators); err != nil {
		return err
	}
	tables := x.spans(names, from, func(l module.Layer, name string) string { return l.Tables[name].Digest })
	return keep(ctx, x.tables, tables, table.Kept{From: x.Past}.Table)
}

// keep loads versions. Of one whose content is not kept any more it notes that there was one.
func keep[T any](ctx context.Context, in map[content]*T, versions []version, load func(context.Context, storage.Tenant, string) (*T, error)) error {
	for _, v := range versions {
		x, err := load(ctx, v.of, v.digest)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		in[content{v.of, v.digest}] = x
	}
	return nil
}

func (x *past) member(key listName, kind index.Kind, m *list.Member) error {
	if x.lists[key] == nil {
		x.lists[key] = map[index.Kind]*list.Past{}
	}
	if x.lists[key][kind] == nil {
		l, err := list.NewPast(kind)
		if err != nil {
			return err
		}
		x.lists[key][kind] = l
	}
	return x.lists[key][kind].Add(m)
}

// named is what a name stands for, for the event at hand.
type named struct {
	*past
	name string
}

// find implements what detect.View.WithLists takes.
func (x *past) find(name string) detect.List { return named{x, name} }

// Has implements detect.List: of the organization's and the shared one, unless a table of the organization hides that.
func (n named) Has(value string, at int64) bool {
	r := n.at(n.seq)
	for _, t := range []storage.Tenant{n.tenant, storage.NoTenant} {
		for _, l := range n.lists[listName{t, n.name}] {
			if l.Has(value, at, n.seq) {
				return true
			}
		}
		layer := r.Layer(t)
		if v, ok := layer.Tables[n.name]; ok {
			return inTable(known(n.past, n.tables, t, v.Digest), value)
		}
		if v, ok := layer.Indicators[n.name]; ok {
			if s := known(n.past, n.sets, t, v.Digest); s != nil && s.Has(value, at) {
				return true
			}
		}
	}
	return false
}

func inTable(t *index.Table, value string) bool {
	if t == nil || t.Kind() == index.CIDR && !list.IsAddress(value) {
		return false
	}
	_, found := t.Find([]byte(value))
	return found
}

// known returns what was loaded, nil with an error noted when it is not kept any more.
func known[T any](x *past, in map[content]*T, of storage.Tenant, digest string) *T {
	v := in[content{of, digest}]
	if v == nil {
		x.err = fmt.Errorf("a version of a table or an indicator set that was in force is not kept any more (%.19s): %w", digest, ErrCannot)
	}
	return v
}

// touch notes, of what is asked as a list, the values that an event has.
func (x *past) touch(e *storage.Event) {
	if len(x.asked) == 0 {
		return
	}
	for i := range e.Fields {
		for _, v := range texts(e.Fields[i].Value) {
			for key, kinds := range x.lists {
				for kind, l := range kinds {
					l.Each(v, func(m *list.Member) {
						x.used[m] = Listed{List: key.name, Shared: key.of == storage.NoTenant, Kind: kind, Member: *m}
					})
				}
			}
			x.touchSets(e, v)
		}
	}
}

// touchSets notes a value that is an indicator of a set, in each version that was in force at the event or later.
func (x *past) touchSets(e *storage.Event, value string) {
	for i := range x.versions {
		v := &x.versions[i]
		if v.until != 0 && v.until < e.ID.Seq || x.inSets[inSet{i, value}] {
			continue
		}
		if s := known(x, x.sets, v.of, v.digest); s != nil && s.Has(value, e.Received) {
			x.inSets[inSet{i, value}] = true
			m := &list.Member{Value: value, Since: v.since, Until: v.until}
			x.used[m] = Listed{List: v.name, Shared: v.of == storage.NoTenant, Kind: index.Exact, Member: *m}
		}
	}
}

// texts returns the values of a field: those of a list one by one.
func texts(value string) []string {
	if strings.HasPrefix(value, `["`) {
		var list []string
		if json.Unmarshal([]byte(value), &list) == nil {
			return list
		}
	}
	return []string{value}
}

// listed returns the values that were noted, in an order of their own.
func (x *past) listed() []Listed {
	return slices.SortedFunc(maps.Values(x.used), func(a, b Listed) int {
		shared := func(l *Listed) int {
			if l.Shared {
				return 1
			}
			return 0
		}
		return cmp.Or(strings.Compare(a.List, b.List), cmp.Compare(shared(&a), shared(&b)), cmp.Compare(a.Since, b.Since), strings.Compare(a.Value, b.Value), strings.Compare(string(a.Kind), string(b.Kind)))
	})
}

// version is the version of a table or a set that was in force between two positions.
type version struct {
	listName
	digest       string
	since, until uint64 // messages behind since saw it; until 0: it is in force
}

// spans returns the versions of what has one of some names, for the event at a position and later.
func (x *past) spans(names []string, from uint64, digest func(l module.Layer, name string) string) (out []version) {
	open := map[listName]int{}
	for i := range x.states {
		s := &x.states[i]
		if i+1 < len(x.states) && x.states[i+1].after < from {
			continue
		}
		for _, t := range []storage.Tenant{x.tenant, storage.NoTenant} {
			for _, name := range names {
				key := listName{t, name}
				d := digest(s.what.Layer(t), name)
				n, had := open[key]
				if had && out[n].digest == d {
					continue
				}
				if had {
					out[n].until = s.after
					delete(open, key)
				}
				if d != "" {
					open[key] = len(out)
					out = append(out, version{listName: key, digest: d, since: s.after})
				}
			}
		}
	}
	return out
}

// tablesOf returns the versions of tables that were in force at the event at a position and later.
func (x *past) tablesOf(names []string, from uint64) (out []Table) {
	for _, v := range x.spans(names, from, func(l module.Layer, name string) string { return l.Tables[name].Digest }) {
		t := x.at(v.since + 1).Layer(v.of).Tables[v.name]
		t.Who = "" // may be of the host: no concern of an organization
		out = append(out, Table{Shared: v.of == storage.NoTenant, Since: v.since, Until: v.until, Table: t})
	}
	return out
}

// contents calls f with the content of each table once.
func (x *past) contents(ctx context.Context, tables []Table, f func(digest string, text []byte) error) error {
	done := map[string]bool{}
	for i := range tables {
		t, of := &tables[i], x.tenant
		if t.Shared {
			of = storage.NoTenant
		}
		if done[t.Table.Digest] {
			continue
		}
		done[t.Table.Digest] = true
		text, err := x.TableContent(ctx, of, t.Table.Digest)
		if errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("table %s as it was in force is not kept any more: %w", t.Table.Name, ErrCannot)
		} else if err != nil {
			return err
		}
		if err := f(t.Table.Digest, text); err != nil {
			return err
		}
	}
	return nil
}
