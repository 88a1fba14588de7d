package pipeline_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// restartable is a pipeline that can be killed: it ends at its next step, and what is not durable is lost.
type restartable struct {
	*running
	m    *machine
	dead atomic.Bool
}

func (r *restartable) begin(t *testing.T) {
	t.Helper()
	r.dead.Store(false)
	r.running = start(t, r.m.config(2, time.Millisecond), func(string) error {
		if r.dead.Load() {
			return errCrash
		}
		return nil
	})
}

func (r *restartable) kill(t *testing.T) {
	t.Helper()
	r.dead.Store(true)
	r.m.put(t, 2, "192.0.2.9", "nobody reads this")
	if err := <-r.done; !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	r.m.store.crash(rand.New(rand.NewPCG(1, 1)))
	r.begin(t)
}

// A sequence of which the first step was seen under one version and the second is seen under another fires exactly once,
// whichever of them comes first, however they keep their state, and whatever is killed between.
func TestHalfMatchedSequence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	steps := func(i int) module.Control {
		return module.Control{Kind: module.Activate, Name: stepsName, Digest: w.steps[i], Grants: stateGrants[1:]}
	}
	follows := func(i int) module.Control {
		return module.Control{Kind: module.Activate, Name: followName, Digest: w.follows[i]}
	}
	back := func(name string) module.Control { return module.Control{Kind: module.Rollback, Name: name} }
	own := func(c module.Control) module.Control {
		c.Tenant = 1
		return c
	}
	for _, c := range []struct {
		name          string
		before, after []module.Control // of the first step, of the second
		fires         string           // title of the only incident
	}{
		{"code that shares its state", []module.Control{steps(0)}, []module.Control{steps(1)}, "v2"},
		{"code that shares its state, back", []module.Control{steps(0), steps(1)}, []module.Control{back(stepsName)}, "v1"},
		{"code that migrates", []module.Control{steps(0)}, []module.Control{steps(2)}, "v3"},
		{"code that migrates, there and back", []module.Control{steps(1)}, []module.Control{steps(2), back(stepsName)}, "v2"},
		{"an organization's own", []module.Control{steps(0)}, []module.Control{own(steps(2))}, "v3"},
		{"an organization's own, there and back", []module.Control{steps(0)}, []module.Control{own(steps(2)), own(back(stepsName))}, "v1"},
		{"code that looks back", []module.Control{steps(0)}, []module.Control{steps(3)}, "v4"},
		{"code that looks back, there and back", []module.Control{steps(0)}, []module.Control{steps(3), back(stepsName)}, "v1"},
		{"code that looks back and was not there before", nil, []module.Control{steps(3)}, "v4"},
		{"declarative", []module.Control{follows(0)}, []module.Control{follows(1)}, "v2"},
		{"declarative, back", []module.Control{follows(0), follows(1)}, []module.Control{back(followName)}, "v1"},
		{"declarative, an organization's own", []module.Control{follows(0)}, []module.Control{own(follows(1))}, "v2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, w, t.TempDir(), 3)
			r := &restartable{m: m}
			r.begin(t)
			m.must(t, r.running, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1})
			for _, x := range c.before {
				m.must(t, r.running, x)
			}
			m.settle(t, r.running, 1, "door=north badge=ada result=refused")
			r.kill(t)
			for _, x := range c.after {
				m.must(t, r.running, x)
			}
			r.kill(t)
			m.settle(t, r.running, 1, "door=north badge=ada result=open", "door=north badge=ada result=open")
			r.kill(t)
			m.settle(t, r.running, 1, "door=north badge=ada result=open")
			list := incidents(t, m, everybody)
			if len(list) != 1 || list[0].Title != c.fires || list[0].Count != 1 {
				t.Errorf("%d incidents: %+v", len(list), list)
			}
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// H30: a version that cannot migrate what is there gives way to the one before, which finds its state as it was. What
// came meanwhile is missing there, and that is told.
func TestH30MigrationIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	r := &restartable{m: m}
	r.begin(t)
	m.must(t, r.running, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1})
	m.must(t, r.running, module.Control{Kind: module.Activate, Name: stepsName, Digest: w.steps[0], Grants: stateGrants[1:]})
	m.settle(t, r.running, 1, "door=north badge=ada result=refused", "door=north badge=cursed result=refused")
	m.settle(t, r.running, 2, "door=north badge=eve result=refused")
	seq := m.control(t, module.Control{Kind: module.Activate, Name: stepsName, Digest: w.steps[2], Grants: stateGrants[1:], Who: "sim"})
	m.settle(t, r.running, 0)
	slot := r.Generation().Running.Layer(storage.NoTenant).Slots[stepsName]
	if slot.Current.Digest != w.steps[0] || slot.Undone != w.steps[2] || slot.Current.Who != "vedette" {
		t.Fatalf("what runs: %+v", slot)
	}
	said := fmt.Sprint(r.Carried(seq))
	if !strings.Contains(said, "2 keys kept as state 1 could not be migrated") || !strings.Contains(said, "a curse lies on it") || !strings.Contains(said, "1 key migrated from state 1 to 2") {
		t.Errorf("told: %s", said)
	}
	m.settle(t, r.running, 1, "door=north badge=ada result=open")
	m.settle(t, r.running, 2, "door=north badge=eve result=open")
	var titles []string
	for _, in := range incidents(t, m, everybody) {
		titles = append(titles, fmt.Sprintf("%s %d", in.Title, in.Count))
	}
	if !slices.Equal(titles, []string{"v1 1", "v1 1"}) {
		t.Errorf("incidents: %q", titles)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

// later lets wall-clock time pass on a machine, and goes on.
func (m *machine) later(t *testing.T, p *running, cfg pipeline.Config, after time.Duration) *running {
	t.Helper()
	if err := errors.Join(p.end(), m.queue.Close()); err != nil {
		t.Fatal(err)
	}
	c := queueConfig(filepath.Join(m.dir, "log"))
	c.Now = func() time.Time { return epoch.Add(after) }
	var err error
	if m.queue, err = queue.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	cfg.Queue = m.queue
	return start(t, cfg, nil)
}

// A version that does something else than the one before gives way to it, for a reason that names the numbers; one that
// does the same stays, and so does one that a person has gone back to.
func TestDriftIsRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name, under2 string // lines under the second version
		off, gone    bool
	}{{"the same", "door=%d badge=ada result=open", false, false}, {"fewer events", "door=%d badge=ada result=none", false, true}, {"switched off", "door=%d badge=ada result=none", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, w, t.TempDir(), 0)
			cfg := m.config(2, time.Hour)
			cfg.Probation = pipeline.Probation{Records: 200, Off: c.off}
			var said atomic.Value
			cfg.Report = func(_ pipeline.Level, text string, args ...any) {
				if text == "a module is taken out" {
					said.Store(fmt.Sprint(args...))
				}
			}
			p := start(t, cfg, nil)
			m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1})
			m.settle(t, p, 1, repeat(300, "door=%d badge=ada result=open")...)
			m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v2})
			m.settle(t, p, 1, repeat(300, c.under2)...)
			p = m.later(t, p, cfg, 2*time.Minute)
			m.settle(t, p, 1, "door=1 badge=ada result=open")
			slot := p.Generation().Running.Layer(storage.NoTenant).Slots[parserName]
			if gone := slot.Undone == w.v2 && slot.Current.Digest == w.v1; gone != c.gone {
				t.Errorf("what runs: %+v", slot)
			}
			text, _ := said.Load().(string)
			if !strings.HasSuffix(text, slot.Reason) || (slot.Reason != "") != c.gone {
				t.Errorf("the slot says: %q", slot.Reason)
			}
			if c.gone != strings.Contains(text, "records, against 1.000 of 300 of the version before, less than 0.5 times as many") {
				t.Errorf("told: %s", text)
			}
			if c.gone { // it comes back, and goes on doing what it did
				m.settle(t, p, 1, repeat(300, c.under2)...)
				p = m.later(t, p, cfg, 4*time.Minute)
				m.settle(t, p, 1, "door=1 badge=ada result=open")
				if slot := p.Generation().Running.Layer(storage.NoTenant).Slots[parserName]; slot.Current.Digest != w.v1 {
					t.Errorf("what runs in the end: %+v", slot)
				}
			}
			if err := p.end(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
