// Package bill keeps what each module of each organization has used, by minutes of log time, and shares the processor
// time of the process among them.
//
// What was used follows from the log: a record costs the same fuel wherever and whenever it is read. So it is counted in
// the log's order and exactly once, whatever is killed. What the process spent is measured where it runs; the bill is the
// one shared by the other, and what cannot be shared is the host's.
package bill

import (
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Ledger is what was used in the minute of log time that goes on, and what is not written yet of those before. It belongs
// to one goroutine.
type Ledger struct {
	at      int64 // begin of the open minute, ns; 0 before the first
	open    map[storage.Consumer]*entry
	cost    storage.CostRow
	changed bool // cost, since it was last taken
	rows    []storage.UsageRow
	costs   []storage.CostRow
}

type entry struct {
	used    storage.Used
	changed bool
}

// NewLedger returns a ledger that goes on with the newest minute of an earlier run, as meta.OpenUsage tells it.
func NewLedger(rows []storage.UsageRow, cost storage.CostRow) *Ledger {
	l := &Ledger{at: cost.At, open: map[storage.Consumer]*entry{}, cost: cost}
	for i := range rows {
		l.open[rows[i].Consumer] = &entry{used: rows[i].Used}
	}
	return l
}

// Ends reports whether the open minute has ended at a log time, in ns.
func (l *Ledger) Ends(at int64) bool { return at-at%meta.UsageMinute > l.at }

// Advance lets log time pass to a minute after the open one, which is closed.
func (l *Ledger) Advance(at int64) {
	at -= at % meta.UsageMinute
	if l.at != 0 { // what the start took belongs to the first minute
		l.settle()
		clear(l.open)
		l.cost = storage.CostRow{}
	}
	l.at, l.cost.At, l.cost.Span = at, at, meta.UsageMinute
}

// Add counts what a consumer used in the open minute, and returns what it has used in it until now. The result is the
// ledger's and valid until the next call.
func (l *Ledger) Add(c storage.Consumer, used *storage.Used) *storage.Used {
	e := l.open[c]
	if e == nil {
		e = &entry{}
		l.open[c] = e
	}
	e.used.Add(used)
	e.changed, l.changed = true, true
	if c.Module != "" {
		l.cost.Spent[storage.TotalFuel] += used[storage.Fuel]
	} else {
		l.cost.Spent[storage.TotalBytesIn] += used[storage.BytesIn]
		l.cost.Spent[storage.TotalStored] += used[storage.Stored]
	}
	return &e.used
}

// Spend counts what the process spent, to the open minute.
func (l *Ledger) Spend(spent *[storage.Costs]int64) {
	for c, n := range spent {
		l.cost.Spent[c] += n
	}
	l.changed = true
}

// Forget drops what an organization used and is not written yet.
func (l *Ledger) Forget(t storage.Tenant) {
	for c := range l.open {
		if c.Tenant == t {
			delete(l.open, c)
		}
	}
	kept := l.rows[:0]
	for _, r := range l.rows {
		if r.Tenant != t {
			kept = append(kept, r)
		}
	}
	l.rows = kept
}

// Take returns what has changed since it was last taken, as absolute values. It is the caller's.
func (l *Ledger) Take() ([]storage.UsageRow, []storage.CostRow) {
	l.settle()
	rows, costs := l.rows, l.costs
	l.rows, l.costs = nil, nil
	return rows, costs
}

// settle lays aside what has changed in the open minute.
func (l *Ledger) settle() {
	if !l.changed || l.at == 0 {
		return
	}
	l.changed = false
	for c, e := range l.open {
		if e.changed {
			e.changed = false
			l.rows = append(l.rows, storage.UsageRow{Consumer: c, At: l.at, Span: meta.UsageMinute, Used: e.used})
		}
	}
	l.costs = append(l.costs, l.cost)
}
