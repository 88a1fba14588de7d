package pipeline_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// A module that has used up an organization's quota rests for it alone: its records are kept with the reason, and the
// organization is told.
func TestQuota(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	m.must(t, p, module.Control{Kind: module.SetQuota, Tenant: 1, Quota: &module.Quota{OutputBytes: 1000, Fuel: -1}})
	if q := p.Quota(1); q.OutputBytes != 1000 || q.Fuel >= 0 || q.LogLines != pipeline.DefaultQuota.LogLines || p.Quota(2) != pipeline.DefaultQuota {
		t.Errorf("quotas: %+v, %+v", q, p.Quota(2))
	}
	for range 2 { // the first frame uses it up, the second is refused
		for _, tenant := range []storage.Tenant{1, 2} {
			m.settle(t, p, tenant, repeat(20, "door=%d badge=ada result=open")...)
		}
	}
	m.settle(t, p, 1)
	if got := m.streams(2); got["doors.v1"] != 40 || len(got) != 1 {
		t.Errorf("organization 2: %v", got)
	}
	told, refused := 0, 0
	for _, e := range m.store.rows {
		switch why := e.Get("error.message"); {
		case e.Tenant == 1 && strings.Contains(e.Raw, `"event.action":"throttled"`) && strings.Contains(e.Raw, "bytes of output in a minute, 1000 are allowed"):
			told++
		case strings.HasPrefix(why, parserName+" was not asked: it used ") && strings.HasSuffix(why, "bytes of output in a minute, 1000 are allowed; it rests until the next one begins"):
			refused++
		}
	}
	if got := m.streams(1); got["doors.v1"] != 20 || refused != 20 || told != 1 {
		t.Errorf("organization 1: %v, %d refused, told %d times", got, refused, told)
	}
	if rests := p.Generation().Running.Layer(1).Rests; len(rests) != 1 || len(p.Generation().Running.Layer(2).Rests) != 0 {
		t.Errorf("rests: %v", rests)
	}
}

// One frame takes bounded fuel of the modules of an organization, so that nobody behind it waits for long.
func TestFrameFuelIsBounded(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	wasm, err := os.ReadFile(filepath.Join("..", "..", "conformance", "hostile", "endless_loop.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := manifest.ReadFolder("loop", fstest.MapFS{"module.yaml": {Data: []byte("publisher: test\nname: loop\nversion: 1.0.0\nkind: parser\n" +
		"title: Loops\nabi: \"1.0\"\nentry: {wasm: true}\nmatch: {signatures: [{prefix: \"!\"}]}\n")}}, wasm)
	if err != nil {
		t.Fatal(err)
	}
	m.must(t, p, module.Control{Kind: module.Activate, Tenant: 2, Name: "test/loop", Digest: m.world.packages.add(a)})
	const records = 25_000
	m.settle(t, p, 2, slices.Repeat([]string{"!"}, records)...)
	oneCall := int64(2 * (4_000_000 + 256*100_000 + 64<<10*500))
	used := p.Use.OfInstall(2, module.Install{Name: "test/loop", Digest: p.Generation().Running.Layer(2).Slots["test/loop"].Current.Digest})
	if used.Fuel <= pipeline.MaxFrameFuel || used.Fuel > pipeline.MaxFrameFuel+oneCall {
		t.Errorf("%d fuel in one frame, at most %d and one call more", used.Fuel, pipeline.MaxFrameFuel)
	}
	skipped := 0
	for _, e := range m.store.rows {
		if e.Get("error.message") == "test/loop was not asked: the organization's fuel for one frame was spent" {
			skipped++
		}
	}
	if got := m.streams(2); got["unparsed"] != records || skipped == 0 {
		t.Errorf("rows %v, %d of them were not tried", got, skipped)
	}
}

// What an organization's own modules have in memory together is bounded, and what rests gives it back.
func TestMemoryQuota(t *testing.T) {
	t.Parallel()
	m, p := live(t)
	m.must(t, p, module.Control{Kind: module.Activate, Tenant: 2, Name: parserName, Digest: m.world.v2})
	m.must(t, p, module.Control{Kind: module.SetQuota, Tenant: 2, Quota: &module.Quota{MemoryBytes: 1}})
	m.settle(t, p, 2, "door=1 badge=ada result=open")
	own := p.Generation().Modules(2)[0]
	if own.Code.Memory() == 0 {
		t.Fatal("the module has no memory")
	}
	m.must(t, p, module.Control{Kind: module.Throttle, Tenant: 2, Name: parserName, Reason: "for a test"})
	if n := own.Code.Memory(); n != 0 {
		t.Errorf("a module that rests has %d bytes", n)
	}
	m.settle(t, p, 2, "door=2 badge=ada result=open")
	if got := m.streams(2); got["unparsed"] != 2 { // the record, and what tells of it
		t.Errorf("rows: %v", got)
	}
	if rows, _, err := usageOf(t, m.db, 2); err != nil || len(rows) != 0 {
		t.Errorf("nothing is written before a checkpoint: %v %v", rows, err)
	}
}

func usageOf(t *testing.T, db *meta.DB, tenant storage.Tenant) (rows []storage.UsageRow, seq uint64, err error) {
	t.Helper()
	seq, rows, _, err = db.OpenUsage(t.Context())
	kept := rows[:0]
	for _, r := range rows {
		if r.Tenant == tenant {
			kept = append(kept, r)
		}
	}
	return kept, seq, err
}
