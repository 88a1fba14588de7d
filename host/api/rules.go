package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/attack"
	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type ruleService struct {
	*API
	vedettev1connect.UnimplementedRuleServiceHandler
}

// Why a rule does not run, when nobody has said more.
const (
	ruleSwitchedOff    = "switched off"
	packageSwitchedOff = "its package is switched off"
)

// asked is for whom a request about rules is: an organization, or with NoTenant all that share the rules.
type asked struct {
	storage.Principal
	tenant storage.Tenant
	gen    *module.Generation
}

// ask returns who asks to do an action on rules as an organization runs them. For 0 it is the caller's only organization.
func (s ruleService) ask(ctx context.Context, h map[string][]string, action tenant.Action, on uint32) (asked, error) {
	var own []uint32
	if on != 0 {
		own = []uint32{on}
	}
	p, err := s.some(ctx, h, action, own)
	if err != nil {
		return asked{}, err
	}
	a := asked{Principal: p, tenant: storage.Tenant(on), gen: s.cfg.Pipeline.Generation()}
	if on == 0 && len(p.Tenants) == 1 {
		a.tenant = p.Tenants[0]
	}
	return a, nil
}

// changer is ask for a change.
func (s ruleService) changer(ctx context.Context, h map[string][]string, on uint32) (asked, error) {
	p, err := moduleService{API: s.API}.changer(ctx, h, on)
	return asked{Principal: p, tenant: storage.Tenant(on), gen: s.cfg.Pipeline.Generation()}, err
}

// installed is a rule of a package, whether or not it runs.
type installed struct {
	rule  *rule.Rule
	mod   *module.Loaded // of a package that is switched off: without code
	layer storage.Tenant
	off   string // why it does not run; "" when it does
}

// installed returns the rules of all packages that stand in the organization's layer or behind it.
func (s ruleService) installed(ctx context.Context, a asked) ([]installed, error) {
	var out []installed
	own, shared := a.gen.Running.Layer(a.tenant), a.gen.Running.Layer(storage.NoTenant)
	layers := []storage.Tenant{storage.NoTenant}
	if a.tenant != storage.NoTenant {
		layers = []storage.Tenant{a.tenant, storage.NoTenant}
	}
	here := map[string]bool{}
	for _, t := range layers {
		names := map[string]bool{}
		for _, m := range a.gen.Modules(t) {
			names[m.Name()] = true
			if m.Manifest.Kind != manifest.Rule || t != a.tenant && slots(own, m.Name()) {
				continue
			}
			off := ""
			if t != a.tenant && own.Off[m.Name()] {
				off = packageSwitchedOff
			}
			for _, r := range m.Rules {
				if here[r.ID] { // the organization's own takes its place
					continue
				}
				out = append(out, installed{r, m, t, offOf(own, shared, t, a.tenant, r.ID, off)})
			}
		}
		for name, slot := range a.gen.Running.Layer(t).Slots {
			if names[name] || !slot.Off || t != a.tenant && slots(own, name) {
				continue
			}
			rules, m, err := s.asleep(ctx, t, slot.Current)
			if err != nil {
				return nil, err
			}
			why := packageSwitchedOff
			if slot.Why != "" {
				why = slot.Why
			}
			for _, r := range rules {
				if !here[r.ID] {
					out = append(out, installed{r, m, t, why})
				}
			}
		}
		for i := range out {
			here[out[i].rule.ID] = here[out[i].rule.ID] || out[i].off == ""
		}
	}
	slices.SortStableFunc(out, func(x, y installed) int { return strings.Compare(x.mod.Name(), y.mod.Name()) })
	return out, nil
}

func slots(l module.Layer, name string) bool { _, ok := l.Slots[name]; return ok }

// offOf says why a rule of a layer does not run for an organization.
func offOf(own, shared module.Layer, layer, t storage.Tenant, id, off string) string {
	for _, l := range []module.Layer{own, shared} {
		if x, ok := l.RulesOff[id]; ok && off == "" {
			if off = ruleSwitchedOff; x.Reason != "" {
				off += ": " + x.Reason
			}
		}
		if layer == t && t != storage.NoTenant {
			break // what is said about shared rules does not concern the organization's own
		}
	}
	return off
}

// dormant remembers the rules of packages that are switched off, which nothing else keeps: reading thousands takes a
// second. A package does not change under its digest.
type dormant struct {
	mu    sync.Mutex
	rules int
	by    map[packageOf]*module.Loaded
}

// asleep returns the rules of a package that is switched off.
func (s ruleService) asleep(ctx context.Context, t storage.Tenant, in module.Install) ([]*rule.Rule, *module.Loaded, error) {
	x, key := s.dormant, packageOf{t, in.Digest}
	x.mu.Lock()
	known := x.by[key]
	x.mu.Unlock()
	if known == nil {
		pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(in.Digest))
		if errors.Is(err, registry.ErrNotFound) || err == nil && pkg.Manifest.Kind != manifest.Rule {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		rules, err := module.RulesOf(&pkg)
		if err != nil {
			return nil, nil, nil //nolint:nilerr // it could not be switched on either, and that says why
		}
		known = &module.Loaded{Tenant: t, Manifest: pkg.Manifest, Rules: rules}
		x.keep(key, known)
	}
	out := *known
	out.Install = in
	return out.Rules, &out, nil
}

// keep remembers a package, and forgets others when there are too many rules.
func (x *dormant) keep(key packageOf, m *module.Loaded) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.by == nil || x.rules+len(m.Rules) > MaxRulesListed {
		x.by, x.rules = map[packageOf]*module.Loaded{}, 0
	}
	if x.by[key] == nil {
		x.by[key], x.rules = m, x.rules+len(m.Rules)
	}
}

func (s ruleService) ListRules(ctx context.Context, req *connect.Request[v1.ListRulesRequest]) (*connect.Response[v1.ListRulesResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	list, err := s.installed(ctx, a)
	if err != nil {
		return nil, err
	}
	if len(list) > MaxRulesListed {
		return nil, fmt.Errorf("%d rules, a list holds %d: %w", len(list), MaxRulesListed, storage.ErrExhausted)
	}
	out := &v1.ListRulesResponse{Tenant: uint32(a.tenant)}
	read := s.figures
	if req.Msg.AtOnce {
		read = s.known
	}
	figures, err := read(ctx, a)
	if err != nil {
		return nil, err
	}
	for i := range list {
		r := s.rule(a, &list[i], figures)
		if req.Msg.Brief {
			r.Description, r.File, r.License, r.PackageDigest = "", "", "", ""
		}
		out.Rules = append(out.Rules, r)
	}
	return connect.NewResponse(out), nil
}

// find returns the rule of an id, the one that runs before others.
func (s ruleService) find(ctx context.Context, a asked, id string) (*installed, error) {
	list, err := s.installed(ctx, a)
	if err != nil {
		return nil, err
	}
	found := -1
	for i := range list {
		if list[i].rule.ID == id && (found < 0 || list[found].off != "" && list[i].off == "") {
			found = i
		}
	}
	if found < 0 {
		return nil, fmt.Errorf("rule %.80q: it is not installed: %w", id, storage.ErrNotFound)
	}
	return &list[found], nil
}

// figures are what is known of all rules together.
type figures struct {
	totals  map[string]*meta.RuleTotal
	arrived *arrived // nil: not known
}

func (s ruleService) figures(ctx context.Context, a asked) (figures, error) {
	f, err := s.known(ctx, a)
	if err == nil && f.told(a) {
		f.arrived = s.arrivals.of(ctx, s.API, a.on())
	}
	return f, cmp.Or(err, ctx.Err())
}

// told reports whether who asks may know what arrives for an organization.
func (figures) told(a asked) bool {
	return a.tenant != storage.NoTenant && tenant.Authorize(a.Principal, tenant.ReadEvents, a.tenant) == nil
}

// known is figures without asking the store: what has arrived may be long ago, or not be known.
func (s ruleService) known(ctx context.Context, a asked) (f figures, err error) {
	p := a.on()
	if p.Filter == "" && len(p.Tenants) > 0 { // who is limited to some events is not told of others by counts
		now := time.Unix(0, s.cfg.Pipeline.Positions().LogTime)
		if f.totals, err = s.cfg.DB.RuleTotals(ctx, p, now, now.Add(-verdictSpan)); err != nil {
			return f, err
		}
	}
	if f.told(a) {
		f.arrived = s.arrivals.last(p)
	}
	return f, nil
}

// rule describes a rule.
func (s ruleService) rule(a asked, x *installed, f figures) *v1.Rule {
	out := describeRule(x.rule)
	m := x.mod
	out.Package, out.PackageVersion, out.PackageDigest = m.Name(), m.Manifest.Version, m.Install.Digest
	out.Tenant, out.Enabled, out.Off = uint32(x.layer), x.off == "", x.off
	if out.License == "" {
		out.License = m.Manifest.License
	}
	if out.Author == "" {
		out.Author = m.Manifest.Publisher
	}
	out.Exceptions = uint32(len(a.gen.Running.Layer(a.tenant).Exceptions[x.rule.ID]))
	out.Use = s.ruleUse(a, x, f.totals[x.rule.ID])
	out.Tests = s.tests(x)
	out.Reach = &v1.RuleReach{}
	for _, l := range a.gen.ListsOf(a.tenant, x.rule) {
		if l.What == "" {
			out.Reach.Lists = append(out.Reach.Lists, l.Name)
		}
	}
	if f.arrived != nil {
		needs := f.arrived.missing(a.gen.View(a.tenant).Matcher, x.rule)
		out.Reach.Never, out.Reach.At = len(needs) > 0, moment(f.arrived.at.UnixNano())
		out.Reach.Missing = needsOf(needs)
	}
	return out
}

// tests says what came of a rule's tests on this host; of one that does not run, nothing.
func (s ruleService) tests(x *installed) *v1.RuleTests {
	out := &v1.RuleTests{Count: uint32(len(x.rule.Tests))}
	if x.off == "" {
		failure, known := s.proofs.of(x.mod, x.rule)
		out.Failure, out.Waiting = failure, !known
	}
	return out
}

func needsOf(list []explain.Need) []*v1.RuleNeed {
	out := make([]*v1.RuleNeed, len(list))
	for i, n := range list {
		out[i] = &v1.RuleNeed{Sub: n.Sub, Field: n.Field, Values: n.Wanted, Text: n.Text}
	}
	return out
}

// describeRule is what a rule says about itself.
func describeRule(r *rule.Rule) *v1.Rule {
	out := &v1.Rule{
		Id: r.ID, Name: r.Name, Version: r.Version, Description: r.Description, Severity: r.Severity.String(), Language: string(r.Language),
		File: r.File, DataSources: r.DataSources, Author: r.Author, License: r.License, Interpreted: r.Interpreted, Unmapped: r.Unmapped,
		Tests: &v1.RuleTests{Count: uint32(len(r.Tests))},
	}
	if out.Language == "" {
		out.Language = string(rule.PatternLanguage)
	}
	for _, id := range r.Techniques {
		out.Techniques = append(out.Techniques, techniqueOf(id))
	}
	for i := range r.Subs {
		out.Code = out.Code || r.Subs[i].Match.Code
	}
	return out
}

func techniqueOf(id string) *v1.Technique {
	t, known := attack.Find(id)
	out := &v1.Technique{Id: id}
	if known {
		out.Name = t.Name
		for _, tactic := range t.Tactics {
			out.Tactics = append(out.Tactics, tactic.Name)
		}
	}
	return out
}

func (s ruleService) ruleUse(a asked, x *installed, t *meta.RuleTotal) *v1.RuleUse {
	out := &v1.RuleUse{}
	if t != nil {
		out.FiresDay, out.FiresWeek = t.Day, t.Week
		if t.Newest != 0 {
			out.LastFired = moment(t.Newest)
		}
		out.Unresolved, out.TruePositives, out.FalsePositives = t.Verdicts[""], t.Verdicts[storage.TruePositive], t.Verdicts[storage.FalsePositive]
		out.Benign, out.Duplicates = t.Verdicts[storage.Benign], t.Verdicts[storage.Duplicate]
	}
	if x.mod.Code != nil && mayLookInto(a.Principal, x.layer) {
		u := s.cfg.Pipeline.Use.OfInstall(x.layer, x.mod.Install)
		out.Fuel, out.Calls = uint64(u.Fuel), u.Calls
	}
	return out
}

func (s ruleService) SetRuleEnabled(ctx context.Context, req *connect.Request[v1.SetRuleEnabledRequest]) (*connect.Response[v1.SetRuleEnabledResponse], error) {
	a, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, a, req.Msg.Id); err != nil {
		return nil, err
	}
	if len(req.Msg.Reason) > module.MaxExceptionReasonBytes {
		return nil, fmt.Errorf("a reason of %d bytes, at most %d are allowed: %w", len(req.Msg.Reason), module.MaxExceptionReasonBytes, storage.ErrExhausted)
	}
	kind := module.DisableRule
	if req.Msg.Enabled {
		kind = module.EnableRule
	}
	c := module.Control{Kind: kind, Tenant: a.tenant, Who: a.User, Name: req.Msg.Id, Reason: strings.TrimSpace(req.Msg.Reason)}
	if err := s.cfg.Control.Control(ctx, c); err != nil {
		return nil, err
	}
	out, err := s.current(ctx, a, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetRuleEnabledResponse{Rule: out}), nil
}

// current describes a rule as it is after a change.
func (s ruleService) current(ctx context.Context, a asked, id string) (*v1.Rule, error) {
	a.gen = s.cfg.Pipeline.Generation()
	x, err := s.find(ctx, a, id)
	if err != nil {
		return nil, err
	}
	f, err := s.figures(ctx, a)
	if err != nil {
		return nil, err
	}
	return s.rule(a, x, f), nil
}

func (s ruleService) SaveRule(ctx context.Context, req *connect.Request[v1.SaveRuleRequest]) (*connect.Response[v1.SaveRuleResponse], error) {
	a, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	done, err := s.cfg.Rules.SaveRule(ctx, RuleDraft{Tenant: a.tenant, Text: []byte(req.Msg.Text), Digest: req.Msg.Digest, Who: a.User})
	if err != nil {
		return nil, err
	}
	a.gen = s.cfg.Pipeline.Generation()
	list, err := s.installed(ctx, a)
	if err != nil {
		return nil, err
	}
	f, err := s.figures(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &v1.SaveRuleResponse{ReplacedDigest: done.Replaced, Cases: uint32(done.Cases), State: done.State, Warnings: done.Warnings}
	for i := range list {
		if list[i].layer == a.tenant && list[i].mod.Name() == done.Name {
			out.Rules = append(out.Rules, s.rule(a, &list[i], f))
		}
	}
	return connect.NewResponse(out), nil
}
