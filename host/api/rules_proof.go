package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// proofs remembers whether the tests of rules pass here. Those of a package passed when it was installed, but maybe with
// another version of the host. Neither a package changes under its digest nor the host while it runs, so each test is run
// once: by the installation or in the background.
type proofs struct {
	tested func(digest string) bool // by the installation, and passed
	mu     sync.Mutex
	by     map[proofOf]string // what fails; "" when all pass
}

// tested returns what a host says of installations; a process without rules has none.
func tested(rules Rules) func(string) bool {
	if rules == nil {
		return func(string) bool { return false }
	}
	return rules.Tested
}

// proofOf names a rule of a package, in a layer.
type proofOf struct {
	tenant       storage.Tenant
	digest, rule string
}

// of returns what fails of a rule's tests, and whether that is known yet.
func (p *proofs) of(m *module.Loaded, r *rule.Rule) (failure string, known bool) {
	if len(r.Tests) == 0 || p.tested(m.Install.Digest) {
		return "", true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	failure, known = p.by[proofOf{m.Tenant, m.Install.Digest, r.ID}]
	return failure, known
}

func (p *proofs) put(m *module.Loaded, r *rule.Rule, failure string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[proofOf]string{}
	}
	p.by[proofOf{m.Tenant, m.Install.Digest, r.ID}] = failure
}

// run proves whatever comes to run, until ctx ends.
func (p *proofs) run(ctx context.Context, generation func() *module.Generation, rules Rules) {
	var proven *module.Generation
	for {
		if gen := generation(); gen != proven && p.all(ctx, gen, generation, rules) {
			proven = gen
		}
		if !rest(ctx, proofEvery) {
			return
		}
	}
}

// all proves the rules of a generation that are not proven yet, and reports whether it came to the end. It takes a small
// share of a processor's time.
func (p *proofs) all(ctx context.Context, gen *module.Generation, generation func() *module.Generation, rules Rules) bool {
	kept := map[proofOf]bool{}
	for _, t := range gen.Running.Tenants() {
		for _, m := range gen.Modules(t) {
			if m.Manifest.Kind != manifest.Rule {
				continue
			}
			for _, r := range m.Rules {
				kept[proofOf{m.Tenant, m.Install.Digest, r.ID}] = true
				if _, known := p.of(m, r); known || !runs(gen, t, m, r) {
					continue
				}
				began := time.Now()
				err := p.prove(ctx, t, m, r, generation, rules)
				if err != nil || !rest(ctx, min(proofRest*time.Since(began), proofEvery)) {
					return false
				}
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.by {
		if !kept[k] {
			delete(p.by, k)
		}
	}
	return true
}

// prove runs the tests of a rule and remembers what came of them, unless another version has taken its place meanwhile.
func (p *proofs) prove(ctx context.Context, t storage.Tenant, m *module.Loaded, r *rule.Rule, generation func() *module.Generation, rules Rules) error {
	failure, err := rules.TestRule(ctx, t, r.ID)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, storage.ErrNotFound) || !runs(generation(), t, m, r):
		return nil
	case err != nil:
		failure = "they could not be run: " + err.Error()
	}
	p.put(m, r, failure)
	return nil
}

// runs reports whether a rule of a package is what runs under its id.
func runs(gen *module.Generation, t storage.Tenant, m *module.Loaded, r *rule.Rule) bool {
	now, _ := gen.View(t).ModuleOf(r.ID)
	return now != nil && now.Tenant == m.Tenant && now.Install.Digest == m.Install.Digest
}

// rest waits, and reports whether ctx has not ended.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
