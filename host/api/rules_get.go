package api

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// localPrefix begins the names of packages that were written here.
const localPrefix = "local/"

func (s ruleService) GetRule(ctx context.Context, req *connect.Request[v1.GetRuleRequest]) (*connect.Response[v1.GetRuleResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	x, err := s.find(ctx, a, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	f, err := s.figures(ctx, a)
	if err != nil {
		return nil, err
	}
	r := x.rule
	out := &v1.GetRuleResponse{
		Rule: s.rule(a, x, f), Meaning: explain.Meaning(r), FalsePositives: r.FalsePositives, NextSteps: r.NextSteps, Containment: r.Containment,
		Eradication: r.Eradication, References: r.References,
		Editable: strings.HasPrefix(x.mod.Name(), localPrefix) && x.layer == a.tenant,
	}
	out.Text, _ = s.text(ctx, x) // without its package the rest is shown all the same
	for _, e := range a.gen.Running.Layer(a.tenant).Exceptions[r.ID] {
		out.Exceptions = append(out.Exceptions, exceptionOf(r.ID, &e))
	}
	out.Versions = s.ruleVersions(ctx, a, x)
	if f.totals != nil {
		from := time.Unix(0, s.cfg.Pipeline.Positions().LogTime).Add(-ruleHoursSpan)
		hours, err := s.cfg.DB.RuleHours(ctx, a.on(), r.ID, from)
		if err != nil {
			return nil, err
		}
		for _, h := range hours {
			out.Hours = append(out.Hours, &v1.RuleHour{At: moment(h.Hour), Fires: h.Fires})
		}
	}
	if out.Rule.Tests.Waiting {
		if err := s.proofs.prove(ctx, a.tenant, x.mod, r, s.cfg.Pipeline.Generation, s.cfg.Rules); err != nil {
			return nil, err
		}
		out.Rule.Tests = s.tests(x)
	}
	if out.Cost, err = s.cost(ctx, a, x); err != nil {
		s.cfg.Report(fmt.Errorf("cost of rule %s: %w", r.ID, err))
	}
	return connect.NewResponse(out), nil
}

// on is the principal, narrowed to the organization that was asked for if one was.
func (a asked) on() storage.Principal {
	p := a.Principal
	if a.tenant != storage.NoTenant {
		p.Tenants = []storage.Tenant{a.tenant}
	}
	return p
}

// packages remembers the documents of packages that were read last: people go from rule to rule of one, and it may have
// thousands. A package does not change under its digest.
type packages struct {
	mu    sync.Mutex
	bytes int // of all documents
	by    map[packageOf]*registry.Artifact
}

// packageOf names a package in a layer.
type packageOf struct {
	tenant storage.Tenant
	digest string
}

// pull returns a package, of which nothing may be changed.
func (s ruleService) pull(ctx context.Context, t storage.Tenant, digest string) (*registry.Artifact, error) {
	x, key := s.packages, packageOf{t, digest}
	x.mu.Lock()
	known := x.by[key]
	x.mu.Unlock()
	if known != nil {
		return known, nil
	}
	pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(digest))
	if err != nil {
		return nil, err
	}
	out := &registry.Artifact{Manifest: pkg.Manifest, Documents: pkg.Documents}
	n := 0
	for _, d := range out.Documents {
		n += len(d.Data)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.by == nil || x.bytes+n > keptPackageBytes {
		x.by, x.bytes = map[packageOf]*registry.Artifact{}, 0
	}
	if n <= keptPackageBytes && x.by[key] == nil {
		x.by[key], x.bytes = out, x.bytes+n
	}
	return out, nil
}

// textOf returns the document of a rule in a package; "" when that has no such rule.
func (s ruleService) textOf(ctx context.Context, t storage.Tenant, digest, id string) (string, error) {
	pkg, err := s.pull(ctx, t, digest)
	if err != nil {
		return "", err
	}
	_, text, err := module.RuleOf(pkg, id)
	return text, err
}

// text returns the document of a rule that is installed.
func (s ruleService) text(ctx context.Context, x *installed) (string, error) {
	pkg, err := s.pull(ctx, x.layer, x.mod.Install.Digest)
	if err != nil {
		return "", err
	}
	for _, d := range pkg.Documents {
		if d.Path == x.rule.File {
			return string(d.Data), nil
		}
	}
	return "", nil
}

// ruleVersions returns the versions of a rule's package, the one that runs first.
func (s ruleService) ruleVersions(ctx context.Context, a asked, x *installed) []*v1.RuleVersion {
	slot := a.gen.Running.Layer(x.layer).Slots[x.mod.Name()]
	var out []*v1.RuleVersion
	for i, in := range append([]module.Install{slot.Current}, slot.Previous...) {
		v := &v1.RuleVersion{Digest: in.Digest, Generation: in.Seq, ActivatedAt: moment(in.At), Running: i == 0 && x.off == ""}
		if mayLookInto(a.Principal, x.layer) {
			v.ActivatedBy = in.Who
		}
		if i == 0 {
			v.PackageVersion, v.Version = x.mod.Manifest.Version, x.rule.Version
		} else if pkg, err := s.pull(ctx, x.layer, in.Digest); err == nil {
			v.PackageVersion = pkg.Manifest.Version
			if r, _, err := module.RuleOf(pkg, x.rule.ID); err == nil && r != nil {
				v.Version = r.Version
			}
		}
		out = append(out, v)
	}
	return out
}

func (s ruleService) GetRuleVersion(ctx context.Context, req *connect.Request[v1.GetRuleVersionRequest]) (*connect.Response[v1.GetRuleVersionResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	x, err := s.find(ctx, a, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	slot := a.gen.Running.Layer(x.layer).Slots[x.mod.Name()]
	known := slot.Current.Digest == req.Msg.Digest
	for _, in := range slot.Previous {
		known = known || in.Digest == req.Msg.Digest
	}
	if !known {
		return nil, fmt.Errorf("rule %s: its package has no version %.80q: %w", x.rule.ID, req.Msg.Digest, storage.ErrNotFound)
	}
	was, err := s.textOf(ctx, x.layer, req.Msg.Digest, x.rule.ID)
	if err != nil {
		return nil, err
	}
	is, err := s.text(ctx, x)
	if err != nil {
		return nil, err
	}
	out := &v1.GetRuleVersionResponse{Text: was}
	if d := texts.Diff([]byte(was), []byte(is), maxDiffBytes); len(d.Text) > 0 {
		out.Difference = strings.Split(strings.TrimSuffix(string(d.Text), "\n"), "\n")
	}
	return connect.NewResponse(out), nil
}

func (s ruleService) CheckRule(ctx context.Context, req *connect.Request[v1.CheckRuleRequest]) (*connect.Response[v1.CheckRuleResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	out := &v1.CheckRuleResponse{}
	rules, problems := readRules([]byte(req.Msg.Text))
	out.Problems = problems
	f, err := s.figures(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		c, err := s.checked(a, r, f)
		if err != nil {
			out.Problems = append(out.Problems, &v1.Problem{Text: err.Error()})
			continue
		}
		if failure := c.Rule.Tests.Failure; failure != "" {
			out.Problems = append(out.Problems, testProblem(failure))
		}
		out.Rules = append(out.Rules, c)
	}
	out.Ok = len(out.Problems) == 0 && len(out.Rules) > 0
	return connect.NewResponse(out), nil
}

// readRules reads a document. What is wrong with it is said by place.
func readRules(text []byte) (rules []*rule.Rule, problems []*v1.Problem) {
	if len(text) > MaxRuleBytes {
		return nil, []*v1.Problem{{Text: fmt.Sprintf("a document of %d bytes, at most %d are allowed", len(text), MaxRuleBytes)}}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, []*v1.Problem{{Line: 1, Column: 1, Text: "the document is empty"}}
	}
	f, err := rule.ParseTogether([]rule.Document{{File: "rule.yaml", Data: text}}, rule.Options{})
	if err != nil {
		return nil, problemsOf(err)
	}
	for _, err := range f.Refused {
		problems = append(problems, problemsOf(err)...)
	}
	return f.Rules, problems
}

// problemsOf returns what one or several joined errors say of a document.
func problemsOf(err error) []*v1.Problem {
	switch e := err.(type) { //nolint:errorlint // each of several is looked at
	case nil:
		return nil
	case *rule.Error:
		return []*v1.Problem{{Line: uint32(e.Line), Column: uint32(e.Col), Text: e.Msg, Hint: e.Hint}}
	case interface{ Unwrap() []error }:
		var out []*v1.Problem
		for _, one := range e.Unwrap() {
			out = append(out, problemsOf(one)...)
		}
		return out
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			if out := problemsOf(inner); len(out) > 0 && out[0].Line > 0 {
				return out
			}
		}
	}
	return []*v1.Problem{{Text: err.Error()}}
}

// testProblem is a failed test of a document, "rule.yaml:17: rule x: test 1: …".
func testProblem(failure string) *v1.Problem {
	p := &v1.Problem{Text: failure}
	rest, _ := strings.CutPrefix(failure, "rule.yaml:")
	var line uint32
	if n, _ := fmt.Sscanf(rest, "%d:", &line); n == 1 {
		_, p.Text, _ = strings.Cut(rest, ": ")
		p.Line, p.Column = line, 1
	}
	return p
}

// checked describes a rule of a document beside what the organization has.
func (s ruleService) checked(a asked, r *rule.Rule, f figures) (*v1.CheckedRule, error) {
	out := &v1.CheckedRule{Rule: describeRule(r), Meaning: explain.Meaning(r)}
	out.Rule.Enabled = a.gen.View(a.tenant).Rules.Rule(r.ID) != nil
	if m, _ := a.gen.View(a.tenant).ModuleOf(r.ID); m != nil {
		out.Replaces = m.Name()
	}
	out.Rule.Reach = &v1.RuleReach{}
	for _, l := range a.gen.ListsOf(a.tenant, r) {
		if l.What == "" {
			out.Rule.Reach.Lists = append(out.Rule.Reach.Lists, l.Name)
		}
	}
	if err := testText(r); err != nil && !out.Rule.Code {
		out.Rule.Tests.Failure = err.Error()
	}
	matcher := a.gen.View(a.tenant).Matcher
	if _, err := matcher(r); err != nil { // a limit of the matcher
		return nil, err
	}
	if f.arrived == nil {
		return out, nil
	}
	out.Rule.Reach.Missing = needsOf(explain.Missing(r, matcher, &f.arrived.Arrived))
	out.Rule.Reach.Never, out.Rule.Reach.At = len(out.Rule.Reach.Missing) > 0, moment(f.arrived.at.UnixNano())
	for _, name := range explain.Fields(r) {
		seen := &v1.SeenField{Name: name, Count: f.arrived.Fields[name]}
		values := f.arrived.Values[name]
		seen.Examples = values[:min(len(values), DefaultFacetValues)]
		out.Fields = append(out.Fields, seen)
	}
	return out, nil
}
