package module_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	sandbox "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// ready is a Loader of modules that are there.
type ready map[string]*module.Loaded // by digest

func (r ready) Load(_ context.Context, _ storage.Tenant, in module.Install) (*module.Loaded, error) {
	m := *r[in.Digest]
	m.Install = in
	return &m, nil
}

func (r ready) Table(context.Context, storage.Tenant, module.Table) (*index.Table, error) {
	return nil, nil
}

func (r ready) Indicators(context.Context, storage.Tenant, module.Indicators) (*indicator.Set, error) {
	return nil, nil
}

// many is an installation of a size that costs something: rules that all share, and organizations with modules of their own.
type many struct {
	ready   ready
	running module.Running
	gen     *module.Generation
	seq     uint64
}

func newMany(tb testing.TB, rules, organizations int) *many {
	tb.Helper()
	x := &many{ready: ready{}}
	var err error
	if x.gen, err = module.Build(tb.Context(), x.ready, nil, x.running, storage.NoTenant); err != nil {
		tb.Fatal(err)
	}
	shared := &module.Loaded{Manifest: manifest.Manifest{Kind: manifest.Rule}}
	for i := range rules {
		shared.Rules = append(shared.Rules, manyRule(tb, fmt.Sprintf("shared-%d", i)))
	}
	x.ready["rules"] = shared
	x.swap(tb, storage.NoTenant, "test/rules", "rules")
	x.ready["parser"] = &module.Loaded{Manifest: manifest.Manifest{
		Kind: manifest.Parser, Match: &manifest.Match{Signatures: []manifest.Signature{{All: []string{"devid=", "logid="}}}},
	}}
	x.swap(tb, storage.NoTenant, "test/parser", "parser")
	for t := range organizations {
		own := fmt.Sprintf("own-%d", t)
		x.ready[own] = &module.Loaded{Manifest: manifest.Manifest{Kind: manifest.Rule}, Rules: []*rule.Rule{manyRule(tb, own)}}
		x.swap(tb, storage.Tenant(t+1), "test/own", own)
		x.swap(tb, storage.Tenant(t+1), "test/parser", "parser")
	}
	return x
}

func manyRule(tb testing.TB, id string) *rule.Rule {
	tb.Helper()
	r, err := rule.Parse("rule.yaml", fmt.Appendf(nil, `kind: pattern
id: %[1]s
name: %[1]s
version: 1.0.0
description: One of many.
severity: low
subs:
  seen:
    where: { event.dataset: set-%[1]s, user.name: [u1, u2, u3] }
    by: [user.name]
incident: { key: [user.name], title: "%[1]s" }
`, id))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// swap does what the log waits for at a control record.
func (x *many) swap(tb testing.TB, t storage.Tenant, name, digest string) {
	tb.Helper()
	x.seq++
	next, err := x.running.Apply(x.seq, 0, module.Control{Kind: module.Activate, Tenant: t, Name: name, Digest: digest})
	if err == nil {
		x.gen, err = module.Build(tb.Context(), x.ready, x.gen, next, t)
	}
	if err != nil {
		tb.Fatal(err)
	}
	x.running = next
}

// TestSwapsOfOthers: what somebody swaps leaves what others run as it is, and compiles nothing that has not changed.
func TestSwapsOfOthers(t *testing.T) {
	x := newMany(t, 3, 2)
	before := x.gen
	x.swap(t, 1, "test/parser", "parser")
	if x.gen.View(2) != before.View(2) || x.gen.View(3) != before.View(3) {
		t.Error("an organization's swap made others' views anew")
	}
	for _, id := range []string{"shared-0", "own-0"} {
		if x.gen.View(1).Rules.Rule(id) == nil || x.gen.View(1).Rules.Rule(id) != before.View(1).Rules.Rule(id) {
			t.Errorf("rule %s is another after the swap of a parser", id)
		}
	}
	if x.gen.View(2).Rules.Rule("own-0") != nil {
		t.Error("an organization has another's rule")
	}
}

// TestHold: what is loaded for a control record that is not in the log yet is there when it is, whatever ends meanwhile.
func TestHold(t *testing.T) {
	wasm, err := os.ReadFile(filepath.Join("..", "..", "conformance", "hostile", "poison_trap.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := manifest.ReadFolder("held", fstest.MapFS{manifest.FileName: {Data: []byte(`publisher: test
name: held
version: 1.0.0
kind: parser
title: Held
license: Apache-2.0
abi: "1.0"
entry: {wasm: true}
match: {generic: true}
`)}}, wasm)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := sandbox.New(t.Context(), sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(context.Background())
	lib := module.NewLibrary(packages{"d": p}, rt, func(storage.Tenant, string) []sandbox.Target { return nil })
	in := module.Install{Name: "test/held", Digest: "d", Seq: 7}
	release, err := lib.Hold(t.Context(), 1, in)
	if err != nil {
		t.Fatal(err)
	}
	held, err := lib.Load(t.Context(), 1, in)
	if err != nil {
		t.Fatal(err)
	}
	if gone := lib.Retire(nil, nil); len(gone) != 0 {
		t.Errorf("%d modules were forgotten that are held", len(gone))
	}
	if again, err := lib.Load(t.Context(), 1, in); err != nil || again.Code != held.Code {
		t.Errorf("it was loaded again: %v", err)
	}
	release()
	gone := lib.Retire(nil, nil)
	if err := module.Close(t.Context(), gone); err != nil || len(gone) != 1 {
		t.Errorf("%d modules were forgotten when nobody held any: %v", len(gone), err)
	}
	if _, err := lib.Hold(t.Context(), 1, module.Install{Name: "test/held", Digest: "unknown"}); err == nil {
		t.Error("what is not there is held")
	}
}

// BenchmarkSwap is what the log waits for at a control record, beside thousands of rules and organizations.
func BenchmarkSwap(b *testing.B) {
	for _, size := range []struct{ rules, organizations int }{{50, 1}, {3_000, 1}, {50, 1_000}, {3_000, 100}} {
		x := newMany(b, size.rules, size.organizations)
		for whose, t := range map[string]storage.Tenant{"of-all": storage.NoTenant, "of-one": 1} {
			b.Run(fmt.Sprintf("%s/rules=%d/organizations=%d", whose, size.rules, size.organizations), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					x.swap(b, t, "test/parser", "parser")
				}
			})
		}
	}
}
