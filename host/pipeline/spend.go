package pipeline

import (
	"context"
	"fmt"
	"sync"

	"github.com/vedette-siem/vedette/host/bill"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
)

// spent is what one call of a module took or, without a module, what the host did with an organization's records. It goes
// along with the frame, so that it is counted in log order, and once.
type spent struct {
	mod    *module.Loaded
	tenant storage.Tenant // whose records they were
	used   storage.Used
	last   *Poison // that the module failed on last, or nil
}

// usedBy is what a call with so many records took.
func usedBy(records int, fuel int64, errs int, w *runtime.Work) (u storage.Used) {
	u[storage.Calls], u[storage.Records], u[storage.Fuel], u[storage.Errors] = 1, int64(records), fuel, int64(errs)
	u[storage.BytesOut], u[storage.LogLines] = w.OutBytes, w.LogLines
	u[storage.StateCalls], u[storage.StateBytes] = w.StateCalls, w.StateBytes
	u[storage.Requests], u[storage.RequestBytes] = w.Requests, w.RequestBytes
	return u
}

// kept is what the records of a segment and their events take of the host itself.
func kept(seg *queue.Segment, events []storage.Event) spent {
	x := spent{tenant: seg.Tenant}
	x.used[storage.Records], x.used[storage.Stored] = int64(len(seg.Records)), int64(len(events))
	for i := range seg.Records {
		x.used[storage.BytesIn] += int64(len(seg.Records[i].Raw))
	}
	n := 0
	for i := range events {
		n += len(events[i].Raw)
		for _, f := range events[i].Fields {
			n += len(f.Name) + len(f.Value)
		}
	}
	x.used[storage.StoredBytes] = int64(n)
	return x
}

// tally gathers what calls took. It belongs to one goroutine, which keeps its thread; nil gathers nothing.
type tally struct {
	list  []spent
	costs *Costs
}

func (t *tally) add(x spent) {
	if t != nil {
		t.list = append(t.list, x)
	}
}

// begin and end measure the CPU time of a call within a stage.
func (t *tally) begin() int64 {
	if t == nil {
		return 0
	}
	return threadTime()
}

func (t *tally) end(s Stage, from, fuel int64) {
	if t != nil {
		t.costs.modules[s].Add(threadTime() - from)
		t.costs.fuel.Add(fuel)
	}
}

// aside is what was used beside the log, until the sequencer counts it.
type aside struct {
	mu sync.Mutex
	by map[storage.Consumer]*storage.Used
}

// Polled counts a poll of a monitor. Polls are no part of the log, so a kill can lose those of the last
// Config.CheckpointEvery.
func (p *Pipeline) Polled(t storage.Tenant, name string, shared bool, found *runtime.Polled) {
	used := usedBy(0, found.Fuel, 0, &found.Work)
	used[storage.Events] = int64(len(found.Records))
	who := storage.Consumer{Tenant: t, Module: name, Shared: shared}
	p.aside.mu.Lock()
	defer p.aside.mu.Unlock()
	if p.aside.by == nil {
		p.aside.by = map[storage.Consumer]*storage.Used{}
	}
	if p.aside.by[who] == nil {
		p.aside.by[who] = &storage.Used{}
	}
	p.aside.by[who].Add(&used)
}

func (a *aside) take() map[storage.Consumer]*storage.Used {
	a.mu.Lock()
	defer a.mu.Unlock()
	by := a.by
	a.by = nil
	return by
}

// openLedger goes on where the usage in the database ends.
func (p *Pipeline) openLedger(ctx context.Context) error {
	counted, rows, cost, err := p.cfg.DB.OpenUsage(ctx)
	if err != nil {
		return err
	}
	p.counted, p.ledger = counted, bill.NewLedger(rows, cost)
	return nil
}

// found is one firing.
var found = storage.Used{storage.Findings: 1}

// pass lets the ledger's time pass with the log's.
func (s *sequencer) pass() {
	if s.seq > s.p.counted && s.p.ledger.Ends(s.at) {
		s.pay()
		s.p.ledger.Advance(s.at)
		s.weigh()
	}
}

// pay counts what the process has spent since it was last counted, and what was used beside the log.
func (s *sequencer) pay() {
	now := s.p.Cost.Spent()
	delta := now
	for c := range delta {
		delta[c] -= s.paid[c]
	}
	s.paid = now
	rate := 0.0
	if now[storage.CostFuel] > 0 {
		rate = float64(now[storage.CostModules]) / float64(now[storage.CostFuel])
	}
	for who, used := range s.p.aside.take() {
		s.count(who, used)
		// Nobody measures a poll's processor time: it mostly waits, and not on a thread of its own.
		delta[storage.CostFuel] += used[storage.Fuel]
		delta[storage.CostModules] += int64(rate * float64(used[storage.Fuel]))
	}
	s.p.ledger.Spend(&delta)
}

// spend counts what the calls for a message took.
func (s *sequencer) spend(list []spent) {
	for i := range list {
		x := &list[i]
		who := storage.Consumer{Tenant: x.tenant}
		if x.mod != nil {
			s.p.Use.add(x, s.at)
			who.Module, who.Shared = x.mod.Name(), x.mod.Tenant == storage.NoTenant
		}
		if s.seq > s.p.resume {
			s.p.drift.count(x)
		}
		s.count(who, &x.used)
	}
}

func (s *sequencer) count(who storage.Consumer, used *storage.Used) {
	if s.seq <= s.p.counted {
		return
	}
	if sum := s.p.ledger.Add(who, used); who.Module != "" {
		s.limit(who, sum)
	}
}

// account writes what was used until now, before the checkpoint that lets the log be cut.
func (s *sequencer) account(ctx context.Context) error {
	if s.seq <= s.p.counted {
		return nil
	}
	s.pay()
	rows, costs := s.p.ledger.Take()
	if err := s.p.reach("account"); err != nil {
		return err
	}
	if err := s.p.cfg.DB.CountUsage(ctx, s.seq, rows, costs); err != nil {
		return fmt.Errorf("account up to position %d: %w", s.seq, err)
	}
	return s.p.reach("accounted")
}
