package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// remembering starts a pipeline with the doors parser and the rule that remembers, and returns what it reports.
func remembering(t *testing.T, m *machine, workers int) (*running, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var said []string
	cfg := m.config(workers, time.Hour)
	cfg.Report = func(_ pipeline.Level, text string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(text, "what a rule remembers") {
			said = append(said, fmt.Sprint(args...))
		}
	}
	p := start(t, cfg, nil)
	m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: m.world.v1, Who: "sim"})
	m.control(t, module.Control{Kind: module.Activate, Name: watchName, Digest: m.world.watched1, Grants: stateGrants, Who: "sim"})
	return p, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(said)
	}
}

// counted returns the newest titles of an organization's incidents, which tell what the rule counted, by their order.
func counted(t *testing.T, m *machine, p *running, tenant storage.Tenant) string {
	t.Helper()
	if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, in := range incidents(t, m, storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{tenant}}) {
		out = append(out, fmt.Sprintf("%s (%d)", in.Title, in.Count))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// A rule sees what it remembered of the records before, in their order, of its own organization only, through restarts
// and versions that keep it alike.
func TestRuleRemembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p, _ := remembering(t, m, 4)
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("door=north badge=b%d result=refused", i%10))
	}
	lines = slices.Insert(lines, 100, "door=north badge=sneak result=refused")
	for range 5 {
		m.put(t, 1, "192.0.2.1", lines...)
	}
	m.put(t, 1, "192.0.2.1", "door=north badge=last result=refused")
	m.put(t, 2, "192.0.2.1", "door=north badge=b1 result=refused")
	one, two := counted(t, m, p, 1), counted(t, m, p, 2)
	if !strings.Contains(one, "north 1001 11 1 true (1)") || !strings.Contains(one, " 10 100 false (100)") || two != "north 1 1 1 true (1)" {
		t.Errorf("one organization: %s\nthe other: %s", one, two)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	p = start(t, m.config(1, time.Hour), nil)
	m.put(t, 1, "192.0.2.1", "door=north badge=new result=refused")
	if one := counted(t, m, p, 1); !strings.Contains(one, "north 1002 12 1 true (1)") {
		t.Errorf("after a restart: %s", one)
	}
	m.control(t, module.Control{Kind: module.Disable, Name: watchName, Who: "sim"})
	m.put(t, 1, "192.0.2.1", "door=north badge=unseen result=refused")
	m.control(t, module.Control{Kind: module.Enable, Name: watchName, Who: "sim"})
	m.control(t, module.Control{Kind: module.Activate, Name: watchName, Digest: w.watched1, Grants: stateGrants, Who: "sim"})
	m.put(t, 1, "192.0.2.1", "door=north badge=newer result=refused")
	if one := counted(t, m, p, 1); !strings.Contains(one, "north 1003 13 1 true (1)") {
		t.Errorf("after it was off, and installed again: %s", one)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}

// A version that keeps its state in another way begins with none, where it runs; and that is told.
func TestStateIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p, said := remembering(t, m, 1)
	for tenant := range storage.Tenant(2) {
		m.put(t, tenant+1, "192.0.2.1", "door=north badge=a result=refused", "door=north badge=a result=refused")
	}
	m.control(t, module.Control{Kind: module.Activate, Tenant: 2, Name: watchName, Digest: w.watched2, Grants: stateGrants, Who: "sim"})
	for tenant := range storage.Tenant(2) {
		m.put(t, tenant+1, "192.0.2.1", "door=north badge=b result=refused")
	}
	if one, two := counted(t, m, p, 1), counted(t, m, p, 2); one != "north 2 1 2 false (2); north 3 2 1 true (1)" || two != "north 1 1 1 true (1); north 2 1 2 false (2)" {
		t.Errorf("kept: %s; dropped: %s", one, two)
	}
	m.control(t, module.Control{Kind: module.Forget, Tenant: 1, Who: "sim"})
	if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
		t.Fatal(err)
	}
	if got := said(); len(got) != 1 || !strings.Contains(got[0], "2") || !strings.Contains(got[0], "dropped") {
		t.Errorf("told: %q", got)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}

// What a rule remembers for a time ends with log time, which is that of the records, whenever they are read.
func TestStateEndsWithLogTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p, _ := remembering(t, m, 1)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, "north 1 1 1 true"}, {30 * time.Minute, "north 2 1 2 false"}, {91 * time.Minute, "north 3 1 1 true"}} {
		if err := errors.Join(p.end(), m.queue.Close()); err != nil {
			t.Fatal(err)
		}
		cfg := queueConfig(filepath.Join(m.dir, "log"))
		cfg.Now = func() time.Time { return epoch.Add(c.after) }
		var err error
		if m.queue, err = queue.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		p = start(t, m.config(1, time.Hour), nil)
		m.put(t, 1, "192.0.2.1", "door=north badge=a result=refused")
		if got := counted(t, m, p, 1); !strings.HasPrefix(got, c.want) {
			t.Errorf("after %v: %s, want %s", c.after, got, c.want)
		}
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}

// A checkpoint that this version cannot read in full is refused.
func TestStateOfAnotherVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p, _ := remembering(t, m, 1)
	m.put(t, 1, "192.0.2.1", "door=north badge=a result=refused")
	counted(t, m, p, 1)
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(m.dir, "checkpoint")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.Replace(b, []byte("vedette state 2\n"), []byte("vedette state 9\n"), 1)
	binary.LittleEndian.PutUint32(later[8:], crc32.Checksum(later[12:], crc32.MakeTable(crc32.Castagnoli)))
	if err := os.WriteFile(name, later, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pipeline.New(t.Context(), m.config(1, 0)); err == nil || !strings.Contains(err.Error(), "another version of this program") {
		t.Errorf("%v", err)
	}
}

// A rule without state is decided by the workers, as if there were none that remember: this measures both kinds.
func BenchmarkCodeRules(b *testing.B) {
	w := newWorld(b)
	all, err := modules.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(all, func(p manifest.Package) bool { return p.Manifest.Name == "encoded-powershell" })
	for _, c := range []struct {
		name, module, digest string
		grants               []string
		fields               []storage.Field
	}{
		{"pure", "vedette/encoded-powershell", w.packages.add(all[at]), nil, []storage.Field{
			{Name: "event.provider", Value: "Microsoft-Windows-Sysmon"},
			{Name: "event.code", Value: "1"},
			{Name: "process.name", Value: "powershell.exe"},
			{Name: "process.command_line", Value: "powershell -e RwBlAHQALQBEAGEAdABlAA=="},
		}},
		{"remembers", watchName, w.watched1, stateGrants, []storage.Field{
			{Name: "event.action", Value: "refused"}, {Name: "observer.name", Value: "north"}, {Name: "user.name", Value: "b1"},
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			lib := w.library()
			defer lib.Keep(context.Background())
			slots := map[string]module.Slot{c.module: {Current: module.Install{Name: c.module, Digest: c.digest, Grants: c.grants}}}
			gen, err := module.Build(b.Context(), lib, nil, module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{storage.NoTenant: {Slots: slots}})}, storage.NoTenant)
			if err != nil {
				b.Fatal(err)
			}
			match := pipeline.NewMatcher()
			events := make([]storage.Event, 256)
			for i := range events {
				events[i] = storage.Event{Tenant: 1, ID: storage.EventID{Seq: 1, Record: uint32(i)}, Fields: c.fields}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(events) == 0 {
					if hits, _, err := match.Match(b.Context(), gen, uint64(i), int64(i), events); err != nil || len(hits) != len(events) {
						b.Fatal(len(hits), err)
					}
				}
			}
		})
	}
}

// A batch sees the version of a table that was in force at its position: an organization's own, else the shared one. A
// table that is used stays, and a module without its table does not run.
func TestTableVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p := start(t, m.config(4, time.Hour), nil)
	must := func(c module.Control) {
		t.Helper()
		if err := p.Wait(t.Context(), m.control(t, c)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(c module.Control, why string) {
		t.Helper()
		if err := p.Wait(t.Context(), m.control(t, c)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s %s: %v, want %q", c.Kind, c.Name, err, why)
		}
	}
	must(module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
	list := module.Control{Kind: module.Activate, Name: listName, Digest: w.listed, Grants: tableGrants, Who: "sim"}
	refused(list, `local/listed uses the table "badges", which organization 0 does not have`)
	list.Grants = tableGrants[:1]
	refused(list, "asks for vedette_lookup_v1:badges, which is not granted")
	list.Grants = tableGrants
	must(w.tables.set(t, 0, "a,v1"))
	must(list)
	refused(module.Control{Kind: module.RemoveTable, Name: "badges", Who: "sim"}, `uses the table "badges"`)
	refused(module.Control{Kind: module.RemoveTable, Name: "other", Who: "sim"}, "no such table")
	for _, step := range []struct {
		change   module.Control
		one, two string
	}{
		{w.tables.set(t, 0, "a,v2"), "v2 (1)", "v2 (1)"},
		{w.tables.set(t, 1, "A,own"), "own (2)", "v2 (2)"},
		{w.tables.set(t, 0, "b,v3"), "own (3)", "v2 (2)"},
		{module.Control{Kind: module.RemoveTable, Tenant: 1, Name: "badges", Who: "sim"}, "own (3)", "v2 (2)"},
		{w.tables.set(t, 0, "a,v1"), "v1 (4)", "v1 (3)"},
	} {
		m.control(t, step.change) // and at once what comes after it
		for _, of := range []storage.Tenant{1, 2} {
			m.put(t, of, "192.0.2.1", "door=north badge=a result=refused")
		}
		if one, two := counted(t, m, p, 1), counted(t, m, p, 2); one != step.one || two != step.two {
			t.Errorf("after %v: %s and %s, want %s and %s", step.change.Table, one, two, step.one, step.two)
		}
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	if used, known := p.TablesInUse(); !known || len(used) < 1 {
		t.Errorf("tables in use: %v %v", used, known)
	}
}

// A package's own cases run with the tables that it brings along.
func TestCasesHaveTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lib := w.library()
	pkg, err := w.packages.Pull(t.Context(), storage.NoTenant, registry.Digest(w.listed))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := lib.Prepare(t.Context(), storage.NoTenant, module.Install{Name: listName, Digest: w.listed, Grants: tableGrants}, pkg)
	if err != nil {
		t.Fatal(err)
	}
	defer mod.Code.Close(t.Context())
	if o, err := pipeline.Test(t.Context(), mod, pkg.Vectors); err != nil || o.Cases != 1 || len(o.Failures) > 0 {
		t.Errorf("%+v %v", o, err)
	}
	if o, err := pipeline.Test(t.Context(), mod, nil); err != nil || len(o.Failures) != 1 {
		t.Errorf("without its table: %+v %v", o, err)
	}
}
