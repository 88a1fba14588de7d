package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// apiRules shows single rules to the API.
type apiRules struct{ apiModules }

// ruleFile is the document of a package that was written in the console.
const ruleFile = "rule.yaml"

// SaveRule makes a package of a document and installs it. A rule that runs from a package of the same layer that was
// written here is replaced in that one. Errors are those of Install.
func (h apiRules) SaveRule(ctx context.Context, d api.RuleDraft) (api.Installed, error) {
	rules, err := rule.ParseDocuments(ruleFile, d.Text, rule.Options{})
	if err == nil && len(rules) == 0 {
		err = errors.New("the document holds no rule")
	}
	if err != nil {
		return api.Installed{}, fmt.Errorf("save a rule: %w: %w", err, storage.ErrInvalid)
	}
	name := h.packageOf(d.Tenant, rules)
	if running := h.pipeline.Generation().Running.Layer(d.Tenant).Slots[localPublisher+"/"+name].Current.Digest; d.Digest != "" && d.Digest != running {
		return api.Installed{}, fmt.Errorf("save rule %s: it was changed meanwhile: %w", rules[0].ID, storage.ErrConflict)
	}
	version, err := h.nextVersion(ctx, d.Tenant, name)
	if err != nil {
		return api.Installed{}, fmt.Errorf("save rule %s: %w", rules[0].ID, err)
	}
	pkg, err := packRule(name, version, rules, d.Text)
	if err != nil {
		return api.Installed{}, blamed(fmt.Errorf("save rule %s: %w", rules[0].ID, err))
	}
	return h.Install(ctx, api.Candidate{Tenant: d.Tenant, Package: layout.Bare(pkg), Who: d.Who})
}

// packageOf returns the name of the local package that holds one of the rules, or a new one made of the first rule's id.
func (h apiRules) packageOf(t storage.Tenant, rules []*rule.Rule) string {
	for _, m := range h.pipeline.Generation().Modules(t) {
		if m.Manifest.Publisher != localPublisher || m.Manifest.Kind != manifest.Rule {
			continue
		}
		for _, r := range m.Rules {
			if slices.ContainsFunc(rules, func(x *rule.Rule) bool { return x.ID == r.ID }) {
				return m.Manifest.Name
			}
		}
	}
	return packageName(rules[0].ID)
}

// packageName makes a module's name of a rule's id.
func packageName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(id))
	name = strings.Trim(name[:min(len(name), manifest.MaxNameBytes)], "-")
	if name == "" {
		return "rule"
	}
	return name
}

// packRule makes a package of a document.
func packRule(name, version string, rules []*rule.Rule, text []byte) (registry.Artifact, error) {
	r := rules[0]
	m := manifest.Manifest{
		Publisher: localPublisher, Name: name, Version: version, Kind: manifest.Rule, Title: oneLine(r.Name, manifest.MaxTitleBytes),
		Description: oneLine(r.Description, manifest.MaxTextBytes), ABI: "1.0", Entry: manifest.Entry{Documents: []string{ruleFile}},
	}
	canonical, err := m.Canonical()
	if err != nil {
		return registry.Artifact{}, err
	}
	pkg := registry.Artifact{Manifest: m, ManifestBytes: canonical, Documents: []manifest.File{{Path: ruleFile, Data: text}}}
	return pkg, pkg.Check()
}

// oneLine is a text on one line, cut to a limit in bytes.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// Tested reports whether this process ran the tests of a package when it was installed, and they passed.
func (h apiRules) Tested(digest string) bool {
	_, passed := h.tested.Load(digest)
	return passed
}

// TestRule runs the inline tests of a rule that runs, by the code that runs with it.
func (h apiRules) TestRule(ctx context.Context, t storage.Tenant, id string) (string, error) {
	m, r := h.pipeline.Generation().View(t).ModuleOf(id)
	if m == nil {
		return "", fmt.Errorf("test rule %s: it is not installed: %w", id, storage.ErrNotFound)
	}
	var vectors []manifest.File
	if m.Code != nil { // its cases may bring tables along
		pkg, err := h.packages.Pull(ctx, m.Tenant, registry.Digest(m.Install.Digest))
		if err != nil {
			return "", err
		}
		vectors = pkg.Vectors
		if err := take(ctx, h.previews.live); err != nil {
			return "", err
		}
		defer func() { <-h.previews.live }()
	}
	one := *m
	one.Rules = []*rule.Rule{r}
	out, err := pipeline.Test(ctx, &one, vectors)
	if err != nil {
		return "", blamed(fmt.Errorf("test rule %s: %w", id, err))
	}
	return strings.Join(out.Failures, "; "), nil
}

// WhyRule implements api.Rules.
func (h apiRules) WhyRule(t storage.Tenant, r *rule.Rule) (*explain.Of, error) {
	return explain.New(r, h.pipeline.Generation().View(t).Matcher)
}

// TryRule runs rules on events and keeps nothing of it. Errors wrap storage.ErrInvalid, ErrNotFound, ErrExhausted or
// ErrUnavailable.
func (h apiRules) TryRule(ctx context.Context, c api.RuleTrial, progress func(api.RuleProgress)) (api.RuleTried, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Shadow+backtestTime, fmt.Errorf("try a rule: it takes longer than %v: %w", c.Shadow+backtestTime, storage.ErrExhausted))
	defer cancel()
	waiting, stop := context.WithTimeoutCause(ctx, previewWait, fmt.Errorf("try a rule: another trial is running, and there was no room within %v: %w", previewWait, storage.ErrExhausted))
	defer stop()
	if err := take(waiting, h.previews.backtests); err != nil {
		return api.RuleTried{}, err
	}
	t := ruleTrial{apiRules: h, c: c, progress: progress, leave: sync.OnceFunc(func() { <-h.previews.backtests })}
	defer t.leave()
	err := t.run(ctx)
	if err == nil {
		return t.out, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return api.RuleTried{}, cause
	}
	return api.RuleTried{}, blamed(fmt.Errorf("try a rule: %w", err))
}

// ruleTrial is a trial on its way.
type ruleTrial struct {
	apiRules
	c        api.RuleTrial
	progress func(api.RuleProgress)
	leave    func() // gives the place of a trial that reads stored events free
	told     time.Time
	gen      *module.Generation
	test     *backtest.Trial
	out      api.RuleTried
	others   []api.RuleVerdict // of events that take part in nothing
}

func (t *ruleTrial) run(ctx context.Context) error {
	loaded, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	events := t.c.Given
	if events == nil && (t.c.Query.Limit > 0) {
		if events, t.out.Truncated, err = t.storedEvents(ctx, t.c.Reader, t.c.Query); err != nil {
			return err
		}
	}
	if t.gen, err = t.generation(ctx, loaded); err != nil {
		return err
	}
	t.test = backtest.NewTrial(t.gen)
	if err := t.verdicts(events); err != nil {
		return err
	}
	for from := 0; from < len(events) && err == nil; {
		to := from
		for to < len(events) && events[to].ID.Seq == events[from].ID.Seq {
			to++
		}
		err = t.frame(ctx, events[from:to], "stored")
		from = to
	}
	if err == nil && t.c.Given != nil {
		t.test.Pass(rule.MaxDuration + time.Hour) // what waits for time is decided
	}
	if err == nil && t.c.Shadow > 0 {
		t.leave() // it takes minutes and little of the machine: others need not wait for it
		err = t.live(ctx)
	}
	t.out.Matched, t.out.Hours = t.test.Matched(), t.test.Fired()
	t.out.Incidents = t.mine(t.test.Incidents())
	return err
}

// mine leaves out what rules raise that are not on trial.
func (t *ruleTrial) mine(list []storage.Incident) []storage.Incident {
	return slices.DeleteFunc(list, func(in storage.Incident) bool {
		return !slices.ContainsFunc(t.out.Rules, func(r *rule.Rule) bool { return r.ID == in.Rule })
	})
}

// prepare finds the module on trial: that of a rule that runs, or one made of the document.
func (t *ruleTrial) prepare(ctx context.Context) (*module.Loaded, error) {
	view := t.pipeline.Generation().View(t.c.Tenant)
	if t.c.Text == nil {
		m, r := view.ModuleOf(t.c.Rule)
		if m == nil {
			return nil, fmt.Errorf("rule %s is not installed: %w", t.c.Rule, storage.ErrNotFound)
		}
		one := *m
		one.Tenant, one.Rules = t.c.Tenant, []*rule.Rule{r}
		one.Install.Digest = candidateDigest
		t.out.Rules = one.Rules
		return &one, nil
	}
	rules, err := rule.ParseDocuments(ruleFile, t.c.Text, rule.Options{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	if t.c.Rule != "" {
		rules = slices.DeleteFunc(rules, func(r *rule.Rule) bool { return r.ID != t.c.Rule })
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("the document holds no such rule: %w", storage.ErrInvalid)
	}
	t.out.Rules = rules
	m := &module.Loaded{
		Install: module.Install{Name: localPublisher + "/" + packageName(rules[0].ID), Digest: candidateDigest}, Tenant: t.c.Tenant, Rules: rules,
		Manifest: manifest.Manifest{Publisher: localPublisher, Name: packageName(rules[0].ID), Version: "0.0.0", Kind: manifest.Rule},
	}
	// A rule with code is tried with the code of the package that it is in now.
	if now, _ := view.ModuleOf(rules[0].ID); now != nil {
		m.Code, m.Manifest, m.Install.Grants = now.Code, now.Manifest, now.Install.Grants
		m.Install.Name = now.Install.Name
	}
	return m, nil
}

// generation is what the organization runs, but of rules only those on trial, and those on whose firings they live.
func (t *ruleTrial) generation(ctx context.Context, m *module.Loaded) (*module.Generation, error) {
	now := t.pipeline.Generation().Running
	own, shared := now.Layer(t.c.Tenant), now.Layer(storage.NoTenant)
	own.RulesOff, shared.RulesOff = nil, nil
	if !nested(m.Rules) {
		own.Slots, own.Off, shared.Slots, shared.Off = nil, nil, nil, nil
	}
	slots := map[string]module.Slot{}
	for name, slot := range own.Slots {
		slots[name] = slot
	}
	slots[m.Install.Name] = module.Slot{Current: m.Install}
	own.Slots = slots
	alone := module.Running{Seq: max(now.Seq, 1), Layers: module.LayersOf(map[storage.Tenant]module.Layer{storage.NoTenant: shared, t.c.Tenant: own})}
	return module.Build(ctx, module.WithCandidate(t.library, m), nil, alone, storage.NoTenant)
}

// nested reports whether one of the rules lives on the firings of others.
func nested(rules []*rule.Rule) bool {
	for _, r := range rules {
		for i := range r.Subs {
			if r.Subs[i].Match.Rule != "" {
				return true
			}
		}
	}
	return false
}

// verdicts says of some events why they take part or do not: of those that do first.
func (t *ruleTrial) verdicts(events []storage.Event) error {
	if t.c.Told == 0 {
		return nil
	}
	view := t.gen.View(t.c.Tenant)
	for _, r := range t.out.Rules {
		if runs := view.Rules.Rule(r.ID); runs != nil {
			r = runs // with the organization's exceptions
		}
		of, err := explain.New(r, view.Matcher)
		if err != nil {
			return err
		}
		for i := range events {
			v := api.RuleVerdict{At: i, Event: events[i], Rule: r, Verdict: of.Why(&events[i])}
			if v.Matches {
				t.out.Verdicts = append(t.out.Verdicts, v)
			} else if len(t.others) < t.c.Told {
				t.others = append(t.others, v)
			}
			if len(t.out.Verdicts) == t.c.Told {
				break
			}
		}
	}
	t.out.Verdicts = append(t.out.Verdicts, t.others...)
	t.out.Verdicts = t.out.Verdicts[:min(len(t.out.Verdicts), t.c.Told)]
	slices.SortStableFunc(t.out.Verdicts, func(a, b api.RuleVerdict) int { return a.At - b.At })
	return nil
}

// frame gives the events of one frame to the rules.
func (t *ruleTrial) frame(ctx context.Context, events []storage.Event, phase string) error {
	if err := take(ctx, t.previews.live); err != nil {
		return err
	}
	_, err := t.test.Frame(ctx, events)
	<-t.previews.live
	if err != nil {
		return err
	}
	if t.out.Events == 0 {
		t.out.From = events[0].Received
	}
	t.out.Events += len(events)
	t.out.To = max(t.out.To, events[len(events)-1].Received)
	if now := time.Now(); t.progress != nil && phase == "stored" && now.Sub(t.told) >= backtestTell {
		t.told = now
		t.progress(api.RuleProgress{Phase: phase, Events: t.out.Events, Incidents: t.test.Raised()})
	}
	return nil
}

// live lets the rules follow the stream for a while. They take what they can: the stream does not wait for them.
func (t *ruleTrial) live(ctx context.Context) error {
	leave, err := t.previews.follow(t.c.Tenant)
	if err != nil {
		t.out.Ended = "it did not follow the stream: " + err.Error()
		return nil // what the stored events showed counts
	}
	defer leave()
	tail := t.pipeline.Tails.Follow(t.c.Reader)
	if tail == nil {
		return fmt.Errorf("too many readers follow the stream: %w", storage.ErrExhausted)
	}
	defer tail.Close()
	before, seen := t.out.Events, t.test.Raised()
	tell := func() {
		all := t.test.Incidents()
		t.progress(api.RuleProgress{Phase: "live", Events: t.out.Events, Incidents: len(all), News: t.mine(all[seen:])})
		seen = t.test.Raised()
	}
	tell()
	defer func() { t.out.Live, t.out.Dropped = t.out.Events-before, tail.Dropped() }()
	every := time.NewTicker(backtestTell)
	defer every.Stop()
	for end := time.After(t.c.Shadow); ; {
		select {
		case events := <-tail.C:
			err := t.frame(ctx, events, "live")
			if errors.Is(err, runtime.ErrClosed) {
				t.out.Ended = "its package was changed meanwhile; what was seen until then counts"
				return nil
			}
			if err != nil {
				return err
			}
		case <-every.C:
			t.test.Pass(backtestTell) // time passes without events too
			tell()
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
