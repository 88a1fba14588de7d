package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// rulePackage holds a rule of one sub-pattern over the field f.
func rulePackage(name, version string) registry.Artifact {
	m := manifest.Manifest{
		Publisher: "local", Name: name, Version: version, Kind: manifest.Rule, Title: name, ABI: "1.0", Entry: manifest.Entry{Documents: []string{"rule.yaml"}},
	}
	text := "kind: pattern\nid: " + name + "\nname: " + name + "\nversion: " + version + "\nseverity: low\nsubs: {one: {where: {f: [x, y]}}}\nincident: {title: t}\n"
	return registry.Artifact{Manifest: m, Documents: []manifest.File{{Path: "rule.yaml", Data: []byte(text)}}}
}

// ruled is a running system that holds rules only.
type ruled struct {
	*testing.T
	lib *module.Library
	run module.Running
	gen *module.Generation
}

func newRuled(t *testing.T) *ruled {
	t.Helper()
	shelf := packages{}
	for _, name := range []string{"p", "q"} {
		for _, version := range []string{"1.0.0", "2.0.0"} {
			shelf[registry.Digest(name+version)] = rulePackage(name, version)
		}
	}
	r := &ruled{T: t, lib: module.NewLibrary(shelf, nil, nil)}
	var err error
	if r.gen, err = module.Build(t.Context(), r.lib, nil, r.run, storage.NoTenant); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *ruled) try(c module.Control) error {
	next, err := r.run.Apply(r.run.Seq+1, int64(r.run.Seq+1), c)
	if err != nil {
		return err
	}
	gen, err := module.Build(context.Background(), r.lib, r.gen, next, c.Tenant)
	if err != nil {
		return err
	}
	r.run, r.gen = next, gen
	return nil
}

func (r *ruled) do(c module.Control) {
	r.Helper()
	if err := r.try(c); err != nil {
		r.Fatal(err)
	}
}

// hits names the rules that an event with f=value matches for each of three organizations.
func (r *ruled) hits(value string) string {
	var out []string
	for t := storage.Tenant(1); t <= 3; t++ {
		var sc detect.Scratch
		var ids []string
		for _, h := range r.gen.View(t).Rules.Match(&storage.Event{Fields: []storage.Field{{Name: "f", Value: value}}}, &sc) {
			ids = append(ids, h.Rule.ID+h.Rule.Version[:1])
		}
		out = append(out, strings.Join(ids, ","))
	}
	return strings.Join(out, " ")
}

func (r *ruled) want(value, want string) {
	r.Helper()
	if got := r.hits(value); got != want {
		r.Errorf("%s: got %q, want %q", value, got, want)
	}
}

// Single rules are switched off and excepted for one organization, or switched off for all; packages go on.
func TestRulings(t *testing.T) {
	r := newRuled(t)
	r.do(module.Control{Kind: module.Activate, Name: "local/p", Digest: "p1.0.0"})
	r.do(module.Control{Kind: module.Activate, Name: "local/q", Digest: "q1.0.0"})
	r.do(module.Control{Kind: module.Activate, Tenant: 3, Name: "local/p", Digest: "p2.0.0"})
	r.want("x", "p1,q1 p1,q1 q1,p2")
	r.do(module.Control{Kind: module.DisableRule, Tenant: 1, Name: "q", Who: "ann", Reason: "loud"})
	r.want("x", "p1 p1,q1 q1,p2")
	r.do(module.Control{Kind: module.DisableRule, Name: "p"}) // of all but those that have one of their own
	r.want("x", " q1 q1,p2")
	r.do(module.Control{Kind: module.EnableRule, Name: "p"})
	r.do(module.Control{Kind: module.EnableRule, Tenant: 1, Name: "q"})
	r.want("x", "p1,q1 p1,q1 q1,p2")

	except := func(tenant storage.Tenant, rule, where string) {
		t.Helper()
		r.do(module.Control{Kind: module.ExceptRule, Tenant: tenant, Name: rule, Who: "ann", Exception: &module.RuleException{Reason: "r", Where: where}})
	}
	except(2, "p", "f: x")
	except(3, "p", "f: x")
	r.want("x", "p1,q1 q1 q1")
	r.want("y", "p1,q1 q1,p1 q1,p2")
	excepted := r.gen.View(2).Rules.Rule("p")
	if n := len(excepted.Exceptions); n != 1 || excepted.Exceptions[0].Reason != "r" {
		t.Errorf("%d exceptions", n)
	}
	if m, from := r.gen.View(2).ModuleOf("p"); m == nil || from == excepted || len(from.Exceptions) != 0 {
		t.Error("the package's rule has changed")
	}

	// What has not changed is the same rule: what it has seen goes on.
	except(2, "q", "f: z")
	r.do(module.Control{Kind: module.Disable, Tenant: 1, Name: "local/q"})
	r.do(module.Control{Kind: module.Activate, Name: "local/q", Digest: "q2.0.0"})
	if r.gen.View(2).Rules.Rule("p") != excepted {
		t.Error("an excepted rule was made anew by another rule's change")
	}
	r.want("y", "p1 p1,q2 q2,p2")
	first := r.run.Layer(2).Exceptions["p"][0].Seq
	r.do(module.Control{Kind: module.RemoveException, Tenant: 2, Name: "p", To: first})
	r.want("x", "p1 p1,q2 q2")
	r.do(module.Control{Kind: module.Disable, Tenant: 2, Name: "local/q"}) // with an exception in it
	r.want("x", "p1 p1 q2")
	if err := r.try(module.Control{Kind: module.RemoveException, Tenant: 2, Name: "p", To: first}); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
}

// What one organization may say about rules is bounded, and what says nothing is refused.
func TestRulingsAreBounded(t *testing.T) {
	ok := func() *module.RuleException { return &module.RuleException{Reason: "r", Where: "a: b"} }
	for _, c := range []struct {
		c    module.Control
		kind error
	}{
		{module.Control{Kind: module.DisableRule, Tenant: 1}, storage.ErrInvalid},
		{module.Control{Kind: module.ExceptRule, Tenant: 1, Name: "p"}, storage.ErrInvalid},
		{module.Control{Kind: module.ExceptRule, Name: "p", Exception: ok()}, storage.ErrInvalid},
		{module.Control{Kind: module.ExceptRule, Tenant: 1, Name: "p", Exception: &module.RuleException{Reason: "r", Where: "a: [b"}}, storage.ErrInvalid},
		{module.Control{Kind: module.ExceptRule, Tenant: 1, Name: "p", Exception: &module.RuleException{Reason: strings.Repeat("r", module.MaxExceptionReasonBytes+1), Where: "a: b"}}, storage.ErrExhausted},
		{module.Control{Kind: module.ExceptRule, Tenant: 1, Name: "p", Exception: &module.RuleException{Reason: "r", Where: "a: " + strings.Repeat("b", module.MaxExceptionBytes)}}, storage.ErrExhausted},
	} {
		if _, err := (module.Running{}).Apply(1, 1, c.c); !errors.Is(err, c.kind) {
			t.Errorf("%+v: %v", c.c, err)
		}
	}
	off := module.Layer{RulesOff: map[string]module.RuleOff{}}
	for i := range module.MaxRulesOff {
		off.RulesOff[fmt.Sprint(i)] = module.RuleOff{Seq: 1}
	}
	all := module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{1: off})}
	if _, err := all.Apply(2, 2, module.Control{Kind: module.DisableRule, Tenant: 1, Name: "one more"}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one rule more is off: %v", err)
	}
	full := func(make func(i int) module.Control, most int) {
		t.Helper()
		var run module.Running
		for i := range most + 1 {
			next, err := run.Apply(uint64(i+1), 1, make(i))
			if (err == nil) != (i < most) || err != nil && !errors.Is(err, storage.ErrExhausted) {
				t.Fatalf("number %d of %d: %v", i, most, err)
			}
			if err == nil {
				run = next
			}
		}
	}
	full(func(int) module.Control {
		return module.Control{Kind: module.ExceptRule, Tenant: 1, Name: "p", Exception: ok()}
	}, module.MaxExceptionsPerRule)
	full(func(i int) module.Control {
		return module.Control{Kind: module.ExceptRule, Tenant: 1, Name: fmt.Sprint(i / module.MaxExceptionsPerRule), Exception: ok()}
	}, module.MaxExceptionsPerTenant)
}
