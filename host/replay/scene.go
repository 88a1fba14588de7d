package replay

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// scene is the rules of an export, and what they look into as the log goes on. Whoever's the packages were, here they are
// the organization's: of the others there is nothing that shared ones could look into.
type scene struct {
	b       *Bundle
	lib     *module.Library
	gen     *module.Generation
	layers  map[storage.Tenant]*module.Layer // of NoTenant and of the organization
	changes []change                         // by position
	done    int                              // of changes
}

// change is a value that comes into a list, or goes.
type change struct {
	after uint64 // messages behind this position see it
	list  listName
	kind  index.Kind
	gone  bool
	of    *list.Member
}

// newScene loads the rules of an export.
func newScene(ctx context.Context, b *Bundle, lib *module.Library) (*scene, error) {
	own := module.Layer{Slots: map[string]module.Slot{b.Rule.Name: {Current: b.Rule}}, Exceptions: map[string][]module.RuleException{}}
	if len(b.Exceptions) > 0 {
		own.Exceptions[b.Incident.Rule] = b.Exceptions
	}
	for i := range b.Inner {
		x := &b.Inner[i]
		own.Slots[x.Rule.Name] = module.Slot{Current: x.Rule}
		if len(x.Exceptions) > 0 {
			own.Exceptions[x.ID] = x.Exceptions
		}
	}
	s := &scene{b: b, lib: lib, layers: map[storage.Tenant]*module.Layer{storage.NoTenant: {}, b.Incident.Tenant: &own}}
	for i := range b.listed {
		l := &b.listed[i]
		c := change{after: l.Since, list: listName{b.owner(l.Shared), l.List}, kind: l.Kind, of: &l.Member}
		s.changes = append(s.changes, c)
		if l.Until != 0 {
			c.after, c.gone = l.Until, true
			s.changes = append(s.changes, c)
		}
	}
	slices.SortStableFunc(s.changes, func(a, b change) int {
		if n := cmp.Compare(a.after, b.after); n != 0 || a.gone == b.gone {
			return n
		}
		if a.gone { // what takes the place of a value comes behind it
			return -1
		}
		return 1
	})
	first := uint64(1)
	if len(b.records) > 0 {
		first = b.records[0].event.ID.Seq
	}
	return s, s.at(ctx, first)
}

// owner is whose something is.
func (b *Bundle) owner(shared bool) storage.Tenant {
	if shared {
		return storage.NoTenant
	}
	return b.Incident.Tenant
}

// tablesAt returns the tables of a layer that were in force for the message at a position.
func (b *Bundle) tablesAt(of storage.Tenant, seq uint64) map[string]module.Table {
	out := map[string]module.Table{}
	for i := range b.Tables {
		t := &b.Tables[i]
		if b.owner(t.Shared) == of && t.Since < seq && (t.Until == 0 || seq <= t.Until) {
			out[t.Table.Name] = t.Table
		}
	}
	return out
}

// at makes gen what ran for the message at a position, which is not before that of the last call.
func (s *scene) at(ctx context.Context, seq uint64) error {
	touched := map[storage.Tenant]bool{storage.NoTenant: s.gen == nil, s.b.Incident.Tenant: s.gen == nil}
	for of, l := range s.layers {
		tables := s.b.tablesAt(of, seq)
		if !maps.EqualFunc(tables, l.Tables, func(a, b module.Table) bool { return a.Digest == b.Digest }) {
			next := *l
			next.Tables, s.layers[of], touched[of] = tables, &next, true
		}
	}
	if err := s.lists(seq, touched); err != nil {
		return err
	}
	for _, of := range []storage.Tenant{storage.NoTenant, s.b.Incident.Tenant} {
		if !touched[of] {
			continue
		}
		r := module.Running{Seq: seq}
		for t, l := range s.layers {
			r.Layers = r.Layers.With(t, l)
		}
		var err error
		if s.gen, err = module.Build(ctx, s.lib, s.gen, r, of); err != nil {
			return err
		}
	}
	return nil
}

// lists takes the changes of lists before a position.
func (s *scene) lists(seq uint64, touched map[storage.Tenant]bool) error {
	type edit struct {
		kind index.Kind
		gone map[string]bool
		came map[string]*list.Member
	}
	edits := map[listName]*edit{}
	for ; s.done < len(s.changes) && s.changes[s.done].after < seq; s.done++ {
		c := &s.changes[s.done]
		if edits[c.list] == nil {
			edits[c.list] = &edit{gone: map[string]bool{}, came: map[string]*list.Member{}}
		}
		e := edits[c.list]
		if e.kind = c.kind; c.gone {
			delete(e.came, c.of.Value)
			e.gone[c.of.Value] = true
		} else {
			e.came[c.of.Value] = c.of
		}
	}
	for name, e := range edits {
		next := *s.layers[name.of]
		next.Lists = maps.Clone(next.Lists)
		if next.Lists == nil {
			next.Lists = map[string]module.List{}
		}
		l := next.Lists[name.name]
		if l.Values.Len() == 0 && len(e.came) > 0 {
			empty, err := list.New(e.kind)
			if err != nil {
				return err
			}
			l.Values = empty
		}
		if l.Values == nil {
			continue
		}
		var put []list.Entry
		for _, v := range slices.Sorted(maps.Keys(e.came)) {
			put = append(put, list.Entry{Value: v, Expires: e.came[v].Expires})
		}
		values, _, err := l.Values.With(slices.Sorted(maps.Keys(e.gone)), put, 0)
		if err != nil {
			return err
		}
		l.Name, l.Values = name.name, values
		next.Lists[name.name] = l
		s.layers[name.of], touched[name.of] = &next, true
	}
	return nil
}
