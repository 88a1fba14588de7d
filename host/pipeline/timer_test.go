package pipeline_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// A timer fires once log time has passed it, also after a restart, and what it finds is an incident with the events that led
// to it as evidence. One on which the module fails is put aside with its key, and the others fire.
func TestTimers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p := start(t, m.config(2, time.Hour), nil)
	later := func(after time.Duration) {
		t.Helper()
		if err := errors.Join(p.end(), m.queue.Close()); err != nil {
			t.Fatal(err)
		}
		cfg := queueConfig(filepath.Join(m.dir, "log"))
		cfg.Now = func() time.Time { return epoch.Add(after) }
		var err error
		if m.queue, err = queue.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		p = start(t, m.config(1, time.Hour), nil)
	}
	m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
	m.control(t, module.Control{Kind: module.Activate, Name: lateName, Digest: w.overdue[0], Grants: timerGrants, Who: "sim"})
	m.put(t, 1, "192.0.2.1", "door=north badge=b7 result=refused", "door=north badge=b8 result=refused", "door=north badge=cursed result=refused", "door=north badge=b9 result=refused")
	m.put(t, 1, "192.0.2.1", "door=south badge=b8 result=open")
	later(2 * time.Second)
	m.put(t, 1, "192.0.2.1", "window=north", "door=north badge=b9 result=refused")
	if got := counted(t, m, p, 1); got != "" {
		t.Errorf("before its time: %s", got)
	}
	later(4 * time.Second)
	m.put(t, 2, "192.0.2.1", "window=north") // of another organization: time passes for all
	if got := counted(t, m, p, 1); got != "v1 b7 (1)" {
		t.Fatalf("when they are due: %s", got)
	}
	in := incidents(t, m, storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1}})[0]
	if len(in.Evidence) != 1 || in.Evidence[0].ID.Record != 0 || in.Evidence[0].ID.Seq < 3 || in.Evidence[0].Sub != "used" || in.Severity != storage.High {
		t.Errorf("evidence %+v, severity %v", in.Evidence, in.Severity)
	}
	if state := m.state(t); !strings.Contains(state, "-1-65535") {
		t.Error("the timer on which the module fails is not in quarantine")
	}
	m.control(t, module.Control{Kind: module.Disable, Name: lateName, Who: "sim"})
	later(8 * time.Second)
	m.put(t, 1, "192.0.2.1", "window=north")
	if got := counted(t, m, p, 1); got != "v1 b7 (1)" {
		t.Errorf("while the module is off: %s", got)
	}
	m.control(t, module.Control{Kind: module.Activate, Name: lateName, Digest: w.overdue[1], Grants: timerGrants, Who: "sim"})
	m.put(t, 1, "192.0.2.1", "window=north")
	if got := counted(t, m, p, 1); got != "v1 b7 (1); v3 b9 (1)" {
		t.Errorf("when another version runs, which has migrated them: %s", got)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}
