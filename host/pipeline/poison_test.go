package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/storage"
)

// repeat returns n lines of one form.
func repeat(n int, form string) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(form, i))
	}
	return lines
}

// live starts a machine on which the parser runs in its first version, for all.
func live(t *testing.T) (*machine, *running) {
	t.Helper()
	m := newMachine(t, newWorld(t), t.TempDir(), 0)
	p := start(t, m.config(2, time.Hour), nil)
	t.Cleanup(func() {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	})
	m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Digest: m.world.v1})
	return m, p
}

func (m *machine) must(t *testing.T, p *running, c module.Control) {
	t.Helper()
	c.Who = "sim"
	if err := p.Wait(t.Context(), m.control(t, c)); err != nil {
		t.Fatal(err)
	}
}

// settle puts records and waits until they and all that they set off have been processed.
func (m *machine) settle(t *testing.T, p *running, tenant storage.Tenant, lines ...string) {
	t.Helper()
	if len(lines) > 0 {
		m.put(t, tenant, "192.0.2.1", lines...)
	}
	for last := uint64(0); last != m.queue.Last(); {
		last = m.queue.Last()
		if err := p.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
}

// streams counts the rows of a tenant by stream.
func (m *machine) streams(tenant storage.Tenant) map[string]int {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	out := map[string]int{}
	for _, e := range m.store.rows {
		if e.Tenant == tenant {
			out[e.Stream]++
		}
	}
	return out
}

var everybody = storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2}}

func TestPoisonIsQuarantinedByRecord(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	lines := repeat(300, "door=%d badge=ada result=open")
	for _, at := range []int{0, 17, 255, 299} {
		lines[at] = fmt.Sprintf("door=%d badge=trap result=open", at)
	}
	m.settle(t, p, 1, lines...)
	if got := m.streams(1); got["doors.v1"] != 296 || got["unparsed"] != 4 {
		t.Errorf("rows by stream: %v", got)
	}
	list, _, err := m.db.ListQuarantine(t.Context(), everybody, 0, 100)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d in quarantine: %v", len(list), err)
	}
	for _, q := range list {
		if want := lines[q.Position.Record]; string(q.Raw) != want || q.Code != "E_TRAP" || q.Module != parserName || q.Digest != m.world.v1 {
			t.Errorf("in quarantine: %+v of %q, want %q", q, q.Raw, want)
		}
	}
	for _, e := range m.store.rows {
		if why := e.Get("error.message"); strings.Contains(why, "\n") || e.Stream == "unparsed" && !strings.HasPrefix(why, parserName+" failed: E_TRAP") {
			t.Errorf("error.message is %q", why)
		}
	}
	if used := p.Use.Of(p.Generation().Modules(storage.NoTenant)[0]); used.Records != 300 || used.Errors != 4 || used.Events != 296 {
		t.Errorf("counted %+v", used)
	}
}

// When a module fails more records of a batch than it may, what was judged before stands.
func TestFailingBatch(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	lines := append(repeat(40, "door=%d badge=ada result=open"), repeat(20, "door=%d badge=trap result=open")...)
	m.settle(t, p, 1, append(lines, repeat(40, "door=%d badge=eve result=open")...)...)
	got := m.streams(1)
	list, _, err := m.db.ListQuarantine(t.Context(), everybody, 0, 100)
	if err != nil || got["doors.v1"] != 40 || got["unparsed"] != 60 || len(list) != 17 {
		t.Errorf("rows by stream: %v, %d in quarantine: %v", got, len(list), err)
	}
}

// A shared module that fails on one organization's records is taken from that one alone.
func TestProvenModuleIsTakenFromOneOrganization(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	for range 4 {
		m.settle(t, p, 1, repeat(16, "door=%d badge=trap result=open")...)
	}
	run := p.Generation().Running
	if !run.Layer(1).Off[parserName] || run.Layer(storage.NoTenant).Slots[parserName].Off {
		t.Fatalf("what runs: %+v", maps.Collect(run.Layers.All()))
	}
	m.settle(t, p, 1, "door=1 badge=ada result=open")
	m.settle(t, p, 2, "door=1 badge=ada result=open")
	if one, two := m.streams(1), m.streams(2); one["doors.v1"] != 0 || two["doors.v1"] != 1 {
		t.Errorf("rows by stream: %v and %v", one, two)
	}
}

// A new version that fails gives way to the one before, once, however much was in the log when it was found out.
func TestNewVersionIsRolledBack(t *testing.T) {
	t.Parallel()
	for name, tenant := range map[string]storage.Tenant{"shared": storage.NoTenant, "own": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, p := live(t)
			m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Tenant: tenant, Digest: m.world.v1})
			m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Tenant: tenant, Digest: m.world.v2})
			for range 12 { // far more than it takes
				m.put(t, 1, "192.0.2.1", repeat(16, "door=%d badge=sneak result=open")...)
			}
			m.settle(t, p, 1)
			slot := p.Generation().Running.Layer(tenant).Slots[parserName]
			if slot.Current.Digest != m.world.v1 || slot.Undone != m.world.v2 || slot.Off {
				t.Fatalf("what runs: %+v", slot)
			}
			m.settle(t, p, 1, "door=1 badge=sneak result=open")
			if got := m.streams(1); got["doors.v1"] == 0 {
				t.Errorf("rows by stream: %v", got)
			}
		})
	}
}

// An organization's own module that never worked gives way to the shared one.
func TestOwnModuleGivesWayToShared(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	m.must(t, p, module.Control{Kind: module.Activate, Name: parserName, Tenant: 1, Digest: m.world.v2})
	m.settle(t, p, 1, "door=1 badge=ada result=open")
	m.settle(t, p, 2, "door=1 badge=ada result=open")
	if one, two := m.streams(1), m.streams(2); one["doors.v2"] != 1 || two["doors.v1"] != 1 {
		t.Fatalf("rows by stream: %v and %v", one, two)
	}
	for range 4 {
		m.settle(t, p, 1, repeat(16, "door=%d badge=sneak result=open")...)
	}
	if run := p.Generation().Running; run.Layers.Len() != 1 {
		t.Errorf("what runs: %+v", maps.Collect(run.Layers.All()))
	}
	m.settle(t, p, 1, "door=2 badge=sneak result=open")
	if one := m.streams(1); one["doors.v1"] != 1 {
		t.Errorf("rows by stream: %v", one)
	}
}

// A control record that cannot be applied says why to who waits for it, changes nothing, and harms no later start.
func TestControlThatCannotBeApplied(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	m.must(t, p, module.Control{Kind: module.Activate, Name: ruleName, Digest: m.world.rule})
	before := p.Generation()
	for name, c := range map[string]struct {
		control module.Control
		is      error
	}{
		"a rule of an id that runs":   {module.Control{Kind: module.Activate, Name: "local/other", Digest: m.world.badRule}, storage.ErrInvalid},
		"a package of another name":   {module.Control{Kind: module.Activate, Name: "local/strange", Digest: m.world.badRule}, storage.ErrInvalid},
		"no earlier version":          {module.Control{Kind: module.Rollback, Name: ruleName}, storage.ErrNotFound},
		"no such module":              {module.Control{Kind: module.Disable, Name: "local/none"}, storage.ErrNotFound},
		"an incident that is not one": {module.Control{Kind: module.Incident, Tenant: 1, Action: "resolved"}, storage.ErrInvalid},
		"meant for another version":   {module.Control{Kind: module.Suspend, Name: ruleName, Digest: m.world.v1}, storage.ErrConflict},
	} {
		if err := p.Wait(t.Context(), m.control(t, c.control)); !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	seq, err := m.queue.PublishControl(t.Context(), []byte(`{"kind":"newer","tenant":0,"who":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context(), seq); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a record of a newer host: %v", err)
	}
	if p.Generation() != before {
		t.Error("another generation is in force")
	}
	cfg := m.config(1, time.Hour)
	cfg.Library = m.world.library()
	again := start(t, cfg, nil) // nothing was checkpointed: all of it is read again
	if err := again.Wait(t.Context(), seq); err != nil {
		t.Error(err)
	}
	if got := again.Generation(); got.Seq != before.Seq {
		t.Errorf("after a restart generation %d is in force, was %d", got.Seq, before.Seq)
	}
	if err := errors.Join(again.end(), cfg.Library.Keep(context.Background())); err != nil {
		t.Error(err)
	}
}

// A package that cannot be read stops the host: going on without it would read the records otherwise than a replay.
func TestMissingPackageStops(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newWorld(t), t.TempDir(), 0)
	p := start(t, m.config(1, time.Hour), nil)
	seq := m.control(t, module.Control{Kind: module.Activate, Name: "local/gone", Digest: "sha256:" + strings.Repeat("0", 64)})
	if err := p.Wait(t.Context(), seq); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Wait: %v", err)
	}
	if err := p.end(); err == nil || !strings.Contains(err.Error(), "local/gone") {
		t.Errorf("Run: %v", err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(ctx, m.queue.Last()+1); !errors.Is(err, context.Canceled) {
		t.Errorf("an impatient waiter: %v", err)
	}
	ahead := make(chan error, 1)
	go func() { ahead <- p.Wait(t.Context(), m.queue.Last()+100) }()
	if err := p.Wait(t.Context(), 1); err != nil {
		t.Errorf("for what is done: %v", err)
	}
	p.stop()
	if err := <-ahead; !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("for what this run will not do: %v", err)
	}
	if err := p.Wait(t.Context(), m.queue.Last()+100); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
}

// A store that is unavailable holds the log up and loses nothing.
func TestStoreUnavailable(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	m.store.mu.Lock()
	m.store.down = 2
	m.store.mu.Unlock()
	m.settle(t, p, 1, "door=1 badge=ada result=open")
	if got := m.streams(1); got["doors.v1"] != 1 {
		t.Errorf("rows by stream: %v", got)
	}
}

// Followers see what may be searched a little later, and only what is theirs.
func TestTails(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	one := storage.Principal{User: "a", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{1}}
	tail := p.Tails.Follow(one)
	var others []*pipeline.Tail
	for range pipeline.MaxTails - 1 {
		others = append(others, p.Tails.Follow(everybody))
	}
	if slices.Contains(others, nil) || p.Tails.Follow(one) != nil {
		t.Error("MaxTails readers, and no more, may follow")
	}
	for _, o := range others {
		o.Close()
	}
	m.settle(t, p, 2, "door=1 badge=eve result=open")
	m.settle(t, p, 1, "door=1 badge=ada result=double")
	got := <-tail.C
	if len(got) != 2 || got[0].Tenant != 1 || !bytes.Contains([]byte(got[1].Raw), []byte("ada")) || len(tail.C) != 0 || tail.Dropped() != 0 {
		t.Errorf("got %+v", got)
	}
	for range 300 {
		m.put(t, 1, "192.0.2.1", "door=1 badge=ada result=open")
	}
	m.settle(t, p, 1)
	if n := uint64(len(tail.C)) + tail.Dropped(); n != 300 || tail.Dropped() != 0 {
		t.Errorf("%d events came or were counted as lost", n)
	}
	tail.Close()
}
