package module

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Generation is what runs at one position, ready to run: the shared layer, and a view for each tenant that differs from
// it. It is immutable; a batch holds the one that was in force at its position.
type Generation struct {
	Seq     uint64
	Running Running
	shared  *layer
	common  *View // of every tenant without a layer of its own
	views   map[storage.Tenant]*View
}

// layer is the modules of one organization, or the shared ones.
type layer struct {
	modules []*Loaded // that are switched on, by name
	parsers []*Loaded
	asked   []Candidate // the parsers, as router knows them
	router  *Router
	matched []*rule.Rule // the rules, as rules knows them
	rules   *detect.Set
	code    map[*rule.Rule]*Loaded // rules that a module decides
	pollers []*Loaded
	tables  map[string]held // by name

	lists      map[string]List
	indicators map[string]keptSet
}

// View is what one tenant runs. It is immutable.
type View struct {
	shared, own *layer
	hidden      []bool // shared parsers that the tenant has replaced or switched off
	Rules       *detect.View
	skip        map[string]bool // shared modules, by name, that do not run for the tenant

	feeds    []indicator.Feed
	excepted map[string]excepted // rules that it runs with exceptions of its own, by id
	beside   *detect.Set         // its own rules, those with exceptions included
}

// RouteScratch is what one goroutine needs to route.
type RouteScratch struct {
	own, shared   Scratch
	ownTo, common []int
}

// Build makes the generation of r. prev is the generation before, of which everything that did not change is taken
// over; nil at start. changed is the tenant whose layer the last control record changed.
//
// An error that wraps storage.ErrInvalid, ErrForbidden or ErrExhausted, or a *runtime.Trap, is a verdict on what r asks
// for: it depends on r and the packages alone, so every replay comes to it. Any other is the machine's.
func Build(ctx context.Context, lib Loader, prev *Generation, r Running, changed storage.Tenant) (*Generation, error) {
	g := &Generation{Seq: r.Seq, Running: r, views: map[storage.Tenant]*View{}}
	if prev != nil && changed != storage.NoTenant {
		g.shared, g.common = prev.shared, prev.common
		g.views = maps.Clone(prev.views)
		delete(g.views, changed)
		if !r.Layer(changed).runs() {
			return g, nil
		}
		if v, ok := prev.views[changed]; ok && prev.Running.Layer(changed).same(r.Layer(changed)) {
			if !prev.Running.Layer(changed).sameLists(r.Layer(changed)) {
				v = v.relist(r.Layer(changed))
			}
			g.views[changed] = v // else its watches, quota or rests have changed
			return g, nil
		}
		own, err := buildLayer(ctx, lib, prev, changed, r.Layer(changed))
		if err != nil {
			return nil, err
		}
		g.views[changed], err = g.view(prev, changed, own)
		return g, err
	}
	var err error
	if g.shared, err = buildLayer(ctx, lib, prev, storage.NoTenant, r.Layer(storage.NoTenant)); err != nil {
		return nil, err
	}
	g.common = &View{shared: g.shared, hidden: make([]bool, len(g.shared.parsers))}
	if g.common.Rules, err = detect.NewView(g.shared.rules, nil, g.common.off(r.Layer(storage.NoTenant), Layer{})); err != nil {
		return nil, fmt.Errorf("build generation %d: %w", r.Seq, err)
	}
	g.common.look()
	if err := g.common.checkTables(storage.NoTenant); err != nil {
		return nil, err
	}
	for _, t := range r.Tenants() {
		if t == storage.NoTenant || !r.Layer(t).runs() {
			continue
		}
		var own *layer
		if prev != nil && prev.views[t] != nil {
			own = prev.views[t].own
		} else if own, err = buildLayer(ctx, lib, prev, t, r.Layer(t)); err != nil {
			return nil, err
		}
		if g.views[t], err = g.view(prev, t, own); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// buildLayer makes the layer of a tenant. Where only its tables differ from those that it had, the rest is taken over.
func buildLayer(ctx context.Context, lib Loader, prev *Generation, t storage.Tenant, l Layer) (*layer, error) {
	tables, err := loadTables(ctx, lib, t, l)
	if err != nil {
		return nil, err
	}
	sets, err := loadIndicators(ctx, lib, t, l)
	if err != nil {
		return nil, err
	}
	if had := prev.layer(t); had != nil && prev.Running.Layer(t).sameModules(l) {
		same := *had
		same.tables, same.lists, same.indicators = tables, l.Lists, sets
		return &same, nil
	}
	out := &layer{code: map[*rule.Rule]*Loaded{}, tables: tables, lists: l.Lists, indicators: sets}
	for _, name := range slices.Sorted(maps.Keys(l.Slots)) {
		slot := l.Slots[name]
		if slot.Off {
			continue
		}
		m, err := lib.Load(ctx, t, slot.Current)
		if err != nil {
			return nil, err
		}
		out.modules = append(out.modules, m)
		switch m.Manifest.Kind {
		case manifest.Parser:
			out.parsers = append(out.parsers, m)
			out.asked = append(out.asked, Candidate{Name: name, Match: m.Manifest.Match})
		case manifest.Rule:
			for _, r := range m.Rules {
				out.matched = append(out.matched, r)
				if m.Code != nil {
					out.code[r] = m
				}
			}
		case manifest.Monitor:
			out.pollers = append(out.pollers, m)
		}
	}
	if n := literalBytes(out.asked); n > MaxLiteralBytes {
		return nil, fmt.Errorf("the signatures of the parsers of organization %s have %d bytes of literals, at most %d are allowed: %w", t, n, MaxLiteralBytes, storage.ErrExhausted)
	}
	return out, out.index(prev.layer(t), t)
}

// index compiles the signatures and the rules of a layer, but for those that had, the layer before, has compiled: who
// swaps a parser must not wait for a thousand rules.
func (l *layer) index(had *layer, t storage.Tenant) (err error) {
	if had != nil && slices.Equal(had.asked, l.asked) {
		l.router = had.router
	} else {
		l.router = NewRouter(l.asked)
	}
	if had != nil && slices.Equal(had.matched, l.matched) {
		l.rules = had.rules
		return nil
	}
	if l.rules, err = detect.Compile(l.matched); err != nil {
		return fmt.Errorf("compile the rules of organization %s: %w: %w", t, err, storage.ErrInvalid)
	}
	return nil
}

// literalBytes is what the automaton of a layer grows with.
func literalBytes(candidates []Candidate) (n int) {
	for _, c := range candidates {
		if c.Match == nil {
			continue
		}
		for _, s := range c.Match.Signatures {
			for _, l := range s.All {
				n += len(l)
			}
			for _, l := range s.Any {
				n += len(l)
			}
		}
	}
	return n
}

// view makes the view of a tenant that has a layer.
func (g *Generation) view(prev *Generation, t storage.Tenant, own *layer) (*View, error) {
	l := g.Running.Layer(t)
	v := &View{shared: g.shared, own: own, hidden: make([]bool, len(g.shared.parsers)), skip: map[string]bool{}}
	for _, m := range g.shared.modules {
		if _, replaced := l.Slots[m.Name()]; replaced || l.Off[m.Name()] {
			v.skip[m.Name()] = true
		}
	}
	for i, m := range g.shared.parsers {
		v.hidden[i] = v.skip[m.Name()]
	}
	var had *View
	if prev != nil {
		had = prev.views[t]
	}
	err := v.except(had, l)
	if err == nil {
		v.Rules, err = detect.NewView(g.shared.rules, v.beside, v.off(g.Running.Layer(storage.NoTenant), l))
	}
	if err != nil {
		return nil, fmt.Errorf("build the rules of organization %s: %w", t, err)
	}
	v.look()
	return v, v.checkTables(t)
}

// layer returns a tenant's own layer, or the shared one; nil when there is none.
func (g *Generation) layer(t storage.Tenant) *layer {
	switch {
	case g == nil:
		return nil
	case t == storage.NoTenant:
		return g.shared
	case g.views[t] == nil:
		return nil
	}
	return g.views[t].own
}

// eachTable calls f with the digest of every table and every indicator set that is loaded.
func (g *Generation) eachTable(f func(digest string)) {
	if g == nil {
		return
	}
	each := func(l *layer) {
		for _, t := range l.tables {
			f(t.digest)
		}
		for _, x := range l.indicators {
			f(x.digest)
		}
	}
	each(g.shared)
	for _, v := range g.views {
		each(v.own)
	}
}

// View returns what a tenant runs.
func (g *Generation) View(t storage.Tenant) *View {
	if v, ok := g.views[t]; ok {
		return v
	}
	return g.common
}

// each calls f with every loaded module.
func (g *Generation) each(f func(*Loaded)) {
	if g == nil {
		return
	}
	for _, m := range g.shared.modules {
		f(m)
	}
	for _, v := range g.views {
		for _, m := range v.own.modules {
			f(m)
		}
	}
}

// Conflict says why a candidate cannot run beside what runs in a layer; nil when it can. Build decides again, since
// another control record may come first.
func (g *Generation) Conflict(t storage.Tenant, candidate *Loaded) error {
	layer := g.Running.Layer(t)
	if _, there := layer.Slots[candidate.Name()]; !there && len(layer.Slots) >= limitOf(t) {
		return fmt.Errorf("%d modules run already, no more are allowed: %w", len(layer.Slots), storage.ErrExhausted)
	}
	for _, m := range g.Modules(t) {
		if m.Name() == candidate.Name() {
			continue
		}
		for _, r := range m.Rules {
			for _, c := range candidate.Rules {
				if r.ID == c.ID {
					return fmt.Errorf("%s: rule %s runs already, from %s: %w", c.File, c.ID, m.Name(), storage.ErrConflict)
				}
			}
		}
	}
	return nil
}

// Modules returns what a layer runs, by name: the shared layer's for NoTenant.
func (g *Generation) Modules(t storage.Tenant) []*Loaded {
	if t == storage.NoTenant {
		return g.shared.modules
	}
	if v, ok := g.views[t]; ok {
		return v.own.modules
	}
	return nil
}

// Monitors returns the monitors that run for a tenant: its own. A shared monitor runs for whoever has granted it
// targets, which is the caller's to know.
func (v *View) Monitors() []*Loaded {
	var out []*Loaded
	if v.own != nil {
		out = append(out, v.own.pollers...)
	}
	for _, m := range v.shared.pollers {
		if !v.skip[m.Name()] {
			out = append(out, m)
		}
	}
	return out
}

// Code returns the module that decides about a rule's hits, nil when the rule is declarative.
func (v *View) Code(r *rule.Rule) *Loaded {
	if x, ok := v.excepted[r.ID]; ok {
		r = x.from
	}
	if v.own != nil {
		if m, ok := v.own.code[r]; ok {
			return m
		}
	}
	return v.shared.code[r]
}

// Route appends to dst the parsers to ask for a record, in order: the tenant's own, the shared ones, then the generic
// ones of both.
func (v *View) Route(dst []*Loaded, raw []byte, listener string, s *RouteScratch) []*Loaded {
	ownGeneric := 0
	s.ownTo = s.ownTo[:0]
	if v.own != nil && len(v.own.parsers) > 0 {
		s.ownTo, ownGeneric = v.own.router.Route(s.ownTo, raw, listener, &s.own)
		for _, i := range s.ownTo[:ownGeneric] {
			dst = append(dst, v.own.parsers[i])
		}
	}
	var generic int
	s.common, generic = v.shared.router.Route(s.common[:0], raw, listener, &s.shared)
	for n, i := range s.common {
		if n == generic {
			dst = v.appendOwn(dst, s.ownTo[ownGeneric:])
		}
		if !v.hidden[i] {
			dst = append(dst, v.shared.parsers[i])
		}
	}
	if generic == len(s.common) {
		dst = v.appendOwn(dst, s.ownTo[ownGeneric:])
	}
	return dst
}

func (v *View) appendOwn(dst []*Loaded, numbers []int) []*Loaded {
	for _, i := range numbers {
		dst = append(dst, v.own.parsers[i])
	}
	return dst
}
