package pipeline_test

import (
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/bill"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// What two organizations are charged and what is left to the host add up to the processor time that the kernel says the
// process took, and what is counted of organizations and modules is what they sent and what came of it.
func TestABillAddsUpToTheProcess(t *testing.T) {
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p := start(t, m.config(2, time.Hour), nil)
	m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
	m.control(t, module.Control{Kind: module.Activate, Name: "local/watched", Digest: w.watched1, Grants: stateGrants, Who: "sim"})
	sent := map[storage.Tenant]*storage.Used{1: {}, 2: {}}
	for n := range 60 {
		tenant := storage.Tenant(1 + n%3/2) // twice as much of 1
		lines := make([]string, 200)
		for i := range lines {
			lines[i] = fmt.Sprintf("door=%d badge=%d result=refused", i%5, i%7)
			sent[tenant][storage.BytesIn] += int64(len(lines[i]))
		}
		sent[tenant][storage.Records] += int64(len(lines))
		m.put(t, tenant, "192.0.2.1", lines...)
	}
	p.Polled(2, "local/poller", true, &runtime.Polled{Records: [][]byte{nil, nil}, Fuel: 500, Work: runtime.Work{Requests: 3, RequestBytes: 70}})
	if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
		t.Fatal(err)
	}
	uses := p.Use.Of(p.Generation().Modules(storage.NoTenant)[0])
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		t.Fatal(err)
	}
	process := ru.Utime.Nano() + ru.Stime.Nano()

	from := epoch.UnixNano() - epoch.UnixNano()%meta.UsageHour - meta.UsageHour
	to := from + 4*meta.UsageHour
	costs, err := m.db.UsageCosts(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bill.New(from, to, meta.UsageHour, bill.Group{}, costs)
	if err != nil {
		t.Fatal(err)
	}
	all := storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2, 3}}
	if err := m.db.EachUsage(t.Context(), all, from, to, b.Add); err != nil {
		t.Fatal(err)
	}
	var told, shared, charged int64
	for n := range b.Process {
		told, shared = told+b.Process[n], shared+b.Shared[n]
	}
	lines, doors := map[string]bill.Line{}, storage.Used{}
	for _, l := range b.Lines {
		charged += l.CPU
		lines[fmt.Sprintf("%d %s", l.Tenant, l.Module)] = l
		if l.Module == parserName {
			doors.Add(&l.Used)
		}
	}
	if math.Abs(float64(told-process)) > 0.05*float64(process) {
		t.Errorf("the bill is of %v, the kernel says %v", time.Duration(told), time.Duration(process))
	}
	if charged <= 0 || charged > told || math.Abs(float64(charged-shared)) > 1000 {
		t.Errorf("charged %v, to be shared %v, of %v", time.Duration(charged), time.Duration(shared), time.Duration(told))
	}
	for tenant, want := range sent {
		own, parser, rule := lines[fmt.Sprintf("%d ", tenant)], lines[fmt.Sprintf("%d %s", tenant, parserName)], lines[fmt.Sprintf("%d local/watched", tenant)]
		for _, l := range []bill.Line{own, parser} {
			if l.Used[storage.Records] != want[storage.Records] || l.Used[storage.BytesIn] != want[storage.BytesIn] || l.CPU <= 0 {
				t.Errorf("organization %d %s: %v, sent %v", tenant, l.Module, l.Used, want)
			}
		}
		if n := want[storage.Records]; own.Used[storage.Stored] != n || parser.Used[storage.Events] != n || rule.Used[storage.Records] != n || rule.Used[storage.Findings] != n || rule.Used[storage.StateCalls] != 4*n {
			t.Errorf("organization %d: %v %v %v", tenant, own.Used, parser.Used, rule.Used)
		}
	}
	if a, b := lines["1 "+parserName], lines["2 "+parserName]; a.Used[storage.Fuel] != 2*b.Used[storage.Fuel] || math.Abs(float64(a.CPU-2*b.CPU)) > 10 {
		t.Errorf("who sends twice as much of the same uses twice as much: %v and %v", a, b)
	}
	if uint64(doors[storage.Calls]) != uses.Calls || uint64(doors[storage.Records]) != uses.Records || doors[storage.Fuel] != uses.Fuel {
		t.Errorf("organizations together %v, the module %v", doors, uses)
	}
	if poll := lines["2 local/poller"]; !poll.Shared || poll.Used[storage.Requests] != 3 || poll.Used[storage.Fuel] != 500 || poll.CPU <= 0 {
		t.Errorf("a poll: %v", poll)
	}
	t.Logf("process %v, charged %v, the host's %v; %.2f ns for a unit of fuel", time.Duration(told), time.Duration(charged), time.Duration(told-charged), b.Rate)
}
