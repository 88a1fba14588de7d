package api

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// shelf is a Loader of packages of one rule, of their digest's name.
type shelf map[string]*module.Loaded

func (s shelf) Load(_ context.Context, t storage.Tenant, in module.Install) (*module.Loaded, error) {
	m := *s[in.Digest]
	m.Install, m.Tenant = in, t
	return &m, nil
}

func (shelf) Table(context.Context, storage.Tenant, module.Table) (*index.Table, error) {
	return nil, nil
}

func (shelf) Indicators(context.Context, storage.Tenant, module.Indicators) (*indicator.Set, error) {
	return nil, nil
}

// shelved has generations of packages of one rule each.
type shelved struct {
	shelf
	running module.Running
	gen     *module.Generation
	now     atomic.Pointer[module.Generation] // as others ask for it
	ran     map[string]int                    // tests, by organization and rule
	meet    func()                            // what happens while a test runs
}

func (x *shelved) swap(t *testing.T, tenant storage.Tenant, name, digest string) {
	t.Helper()
	r, err := rule.Parse("rule.yaml", fmt.Appendf(nil, `kind: pattern
id: %s
name: a rule
version: 1.0.0
severity: low
subs: {seen: {where: {user.name: u}}}
incident: {title: it}
tests: [{name: one, events: [{at: 0s, fields: {user.name: u}}], expect: {incidents: 1}}]
`, name))
	if err != nil {
		t.Fatal(err)
	}
	x.shelf[digest] = &module.Loaded{Manifest: manifest.Manifest{Kind: manifest.Rule}, Rules: []*rule.Rule{r}}
	next, err := x.running.Apply(uint64(len(x.shelf)), 0, module.Control{Kind: module.Activate, Tenant: tenant, Name: "test/" + name, Digest: digest})
	if err == nil {
		x.gen, err = module.Build(t.Context(), x.shelf, x.gen, next, tenant)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.running = next
	x.now.Store(x.gen)
}

// outcomes are what tests come to, by rule.
type outcomes struct {
	Rules
	*shelved
}

func (x outcomes) TestRule(_ context.Context, t storage.Tenant, id string) (string, error) {
	x.ran[fmt.Sprint(t, " ", id)]++
	if x.meet != nil {
		x.meet()
		x.meet = nil
	}
	switch id {
	case "bad":
		return "one: 0 incidents, 1 is expected", nil
	case "broken":
		return "", errors.New("no room")
	}
	return "", nil
}

// state says what is known of the tests of a rule.
func (x *shelved) state(p *proofs, t storage.Tenant, id string) string {
	m, r := x.gen.View(t).ModuleOf(id)
	failure, known := p.of(m, r)
	switch {
	case !known:
		return "waits"
	case failure != "":
		return failure
	}
	return "passes"
}

// Tests of what runs are run once each, by layer and version, and only what runs is remembered.
func TestProofs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &shelved{shelf: shelf{}, ran: map[string]int{}}
		var err error
		if x.gen, err = module.Build(t.Context(), x.shelf, nil, x.running, storage.NoTenant); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"good", "bad", "broken"} {
			x.swap(t, storage.NoTenant, name, name+" 1")
		}
		x.swap(t, 7, "own", "own 1")
		x.swap(t, 7, "seen", "seen 1")
		p := proofs{tested: func(digest string) bool { return digest == "seen 1" }}
		if got := x.state(&p, 7, "good"); got != "waits" {
			t.Errorf("at first the rule %s", got)
		}
		if got := x.state(&p, 7, "seen"); got != "passes" {
			t.Errorf("a rule that was tested when it was installed %s", got)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.run(ctx, x.now.Load, outcomes{shelved: x})
		}()
		pass := func() { <-time.After(2 * proofEvery); synctest.Wait() } // of the bubble’s clock
		pass()
		for id, want := range map[string]string{"good": "passes", "bad": "one: 0 incidents, 1 is expected", "broken": "they could not be run: no room", "own": "passes"} {
			if got := x.state(&p, 7, id); got != want {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
		}
		x.swap(t, 7, "own", "own 2")
		if got := x.state(&p, 7, "own"); got != "waits" {
			t.Errorf("another version %s", got)
		}
		pass()
		pass()
		if got := x.state(&p, 7, "own"); got != "passes" || fmt.Sprint(x.ran) != "map[0 bad:1 0 broken:1 0 good:1 7 own:2]" || len(p.by) != 4 {
			t.Errorf("%s, after %v, with %d remembered", got, x.ran, len(p.by))
		}
		stop()
		<-ended
	})
}

// A version that is replaced while its test runs is not what the test was of.
func TestProofOfWhatIsReplaced(t *testing.T) {
	x := &shelved{shelf: shelf{}, ran: map[string]int{}}
	var err error
	if x.gen, err = module.Build(t.Context(), x.shelf, nil, x.running, storage.NoTenant); err != nil {
		t.Fatal(err)
	}
	x.swap(t, 7, "own", "own 1")
	m, r := x.gen.View(7).ModuleOf("own")
	x.meet = func() { x.swap(t, 7, "own", "own 2") }
	p := proofs{tested: func(string) bool { return false }}
	if err := p.prove(t.Context(), 7, m, r, x.now.Load, outcomes{shelved: x}); err != nil {
		t.Fatal(err)
	}
	if len(p.by) != 0 {
		t.Errorf("remembered: %v", p.by)
	}
}
