package module

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	views   Tree[*View]
}

// layer is the modules of one organization, or the shared ones.
type layer struct {
	of      storage.Tenant
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
	g := &Generation{Seq: r.Seq, Running: r}
	if prev != nil && changed != storage.NoTenant {
		g.shared, g.common = prev.shared, prev.common
		v, err := g.changedView(ctx, lib, prev, changed)
		if err != nil {
			return nil, err
		}
		if v != nil {
			g.views = prev.views.With(changed, v)
		} else {
			g.views = prev.views.Without(changed)
		}
		return g, nil
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
	if err := g.buildViews(ctx, lib, prev); err != nil {
		return nil, err
	}
	return g, nil
}

// changedView makes the view of a tenant whose layer has changed; nil when it runs what all do.
func (g *Generation) changedView(ctx context.Context, lib Loader, prev *Generation, t storage.Tenant) (*View, error) {
	was, now := prev.Running.Layer(t), g.Running.Layer(t)
	if !now.runs() {
		return nil, nil
	}
	if v, ok := prev.views.Get(t); ok && was.same(now) {
		if !was.sameLists(now) {
			v = v.relist(now)
		}
		return v, nil // else its watches, quota or rests have changed
	}
	own, err := buildLayer(ctx, lib, prev, t, now)
	if err != nil {
		return nil, err
	}
	return g.view(prev, t, own)
}

// buildViews makes the views of all tenants that have a layer. Where prev has one, its layer is taken over.
func (g *Generation) buildViews(ctx context.Context, lib Loader, prev *Generation) error {
	tenants := slices.DeleteFunc(g.Running.Tenants(), func(t storage.Tenant) bool {
		return t == storage.NoTenant || !g.Running.Layer(t).runs()
	})
	views := make([]*View, len(tenants))
	err := together(len(tenants), func(i int) (err error) {
		own := prev.layer(tenants[i])
		if own == nil {
			if own, err = buildLayer(ctx, lib, prev, tenants[i], g.Running.Layer(tenants[i])); err != nil {
				return err
			}
		}
		views[i], err = g.view(prev, tenants[i], own)
		return err
	})
	if err != nil {
		return err
	}
	for i, t := range tenants {
		g.views = g.views.With(t, views[i])
	}
	return nil
}

// together calls f with 0 to n-1 on all processors and returns the error of the lowest number that has one: who called it
// with one after another would have come to the same.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = f(i)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
	out := &layer{of: t, code: map[*rule.Rule]*Loaded{}, tables: tables, lists: l.Lists, indicators: sets}
	if out.modules, err = loadAll(ctx, lib, t, l); err != nil {
		return nil, err
	}
	for _, m := range out.modules {
		switch m.Manifest.Kind {
		case manifest.Parser:
			out.parsers = append(out.parsers, m)
			out.asked = append(out.asked, Candidate{Name: m.Name(), Match: m.Manifest.Match})
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

// loadAll loads the modules of a layer that are switched on and returns them by name.
func loadAll(ctx context.Context, lib Loader, t storage.Tenant, l Layer) ([]*Loaded, error) {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(l.Slots)), func(name string) bool { return l.Slots[name].Off })
	modules := make([]*Loaded, len(names))
	err := together(len(names), func(i int) (err error) {
		modules[i], err = lib.Load(ctx, t, l.Slots[names[i]].Current)
		return err
	})
	return modules, err
}

// index compiles the signatures and the rules of a layer, but for those that had, the layer before, has compiled: who
// swaps a parser must not wait for a thousand rules.
func (l *layer) index(had *layer, t storage.Tenant) (err error) {
	switch {
	case len(l.asked) == 0:
		l.router = asksNobody
	case had != nil && slices.Equal(had.asked, l.asked):
		l.router = had.router
	default:
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

// asksNobody is the router of layers without parsers.
var asksNobody = NewRouter(nil)

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
		had, _ = prev.views.Get(t)
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
	}
	if v, ok := g.views.Get(t); ok {
		return v.own
	}
	return nil
}

// eachLayer calls f with the shared layer and with every tenant's own.
func (g *Generation) eachLayer(f func(*layer)) {
	if g == nil {
		return
	}
	f(g.shared)
	for _, v := range g.views.All() {
		f(v.own)
	}
}

// leftTo calls f with every layer that the next generation has not; with every one when there is none.
func (g *Generation) leftTo(next *Generation, f func(*layer)) {
	if next == nil {
		g.eachLayer(f)
		return
	}
	if g.shared != next.shared {
		f(g.shared)
	}
	for t, v := range g.views.Since(next.views) {
		if next.layer(t) != v.own {
			f(v.own)
		}
	}
}

// eachDigest calls f with the digest of every table and every indicator set.
func (l *layer) eachDigest(f func(digest string)) {
	for _, t := range l.tables {
		f(t.digest)
	}
	for _, x := range l.indicators {
		f(x.digest)
	}
}

func (l *layer) hasDigest(digest string) (has bool) {
	if l != nil {
		l.eachDigest(func(d string) { has = has || d == digest })
	}
	return has
}

// keysOf returns the keys of what a tenant's layers run in generations.
func keysOf(t storage.Tenant, gens []*Generation) map[string]bool {
	keys := map[string]bool{}
	for _, g := range gens {
		if l := g.layer(t); l != nil {
			for _, m := range l.modules {
				keys[m.key] = true
			}
		}
	}
	return keys
}

// View returns what a tenant runs.
func (g *Generation) View(t storage.Tenant) *View {
	if v, ok := g.views.Get(t); ok {
		return v
	}
	return g.common
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
	if v, ok := g.views.Get(t); ok {
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
