package bill

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Limits of one bill.
const (
	MaxLines     = 10_000  // consumers
	MaxStepLines = 100_000 // consumers times steps, when each step has a line
	MaxSteps     = 1_440   // points of one line
	MaxCells     = 400_000 // lines times points
)

// CPU returns a row's part, in ns, of the processor time that the process spent in the same span.
//
// A module pays for its fuel, at the rate that all calls of modules had then. What the host does with an organization's
// records is shared by their bytes as long as they are moved (receive, queue, store), and by events from then on that they
// are looked into (parse and detect without the modules, correlate, incident).
func CPU(r *storage.UsageRow, c *storage.CostRow) int64 {
	s := &c.Spent
	if r.Module != "" {
		// Fuel that was spent on records read again after a restart is nobody's. Seconds that fall into another span than
		// their records must not make more of the time than there was.
		return part(s[storage.CostModules], r.Used[storage.Fuel], max(s[storage.CostFuel], s[storage.TotalFuel]))
	}
	moved := s[storage.CostReceive] + s[storage.CostQueue] + s[storage.CostStore]
	judged := s[storage.CostParse] + s[storage.CostDetect] + s[storage.CostCorrelate] + s[storage.CostIncident]
	return part(moved, r.Used[storage.BytesIn], s[storage.TotalBytesIn]) + part(judged, r.Used[storage.Stored], s[storage.TotalStored])
}

func part(whole, n, of int64) int64 {
	if n <= 0 || of <= 0 || whole <= 0 {
		return 0
	}
	return int64(float64(whole) * (float64(n) / float64(of)))
}

// Group says what has a line of its own: each consumer in the whole interval, unless one of these is set.
type Group struct {
	Tenant bool // all consumers of an organization together
	Step   bool // each step apart
}

// Line is what one consumer used.
type Line struct {
	storage.Consumer
	At     int64 // begin, ns
	Used   storage.Used
	CPU    int64   // ns
	Series []int64 // of CPU, in each step; none when each step has a line
}

// Bill is what some consumers used in an interval, and what the process spent in it.
type Bill struct {
	From, To, Step int64 // ns
	Lines          []Line
	Process        []int64 // processor time of the process in each step, ns
	Shared         []int64 // of it, what was shared among all consumers, of this bill or not
	Rate           float64 // ns of processor time for one unit of fuel, over the interval; 0 when no module ran
	by             Group
	costs          map[span]*storage.CostRow
	lines          map[place]int
}

type span struct{ at, span int64 }

type place struct {
	storage.Consumer
	at int64
}

// New begins a bill of the interval [from, to), whose ends are multiples of a step, with what the process spent in it. The
// error wraps storage.ErrInvalid or ErrExhausted.
func New(from, to, step int64, by Group, costs []storage.CostRow) (*Bill, error) {
	if step <= 0 || from < 0 || to <= from || from%step != 0 || to%step != 0 {
		return nil, fmt.Errorf("usage from %d to %d in steps of %d ns: want an interval of whole steps: %w", from, to, step, storage.ErrInvalid)
	}
	if (to-from)/step > MaxSteps {
		return nil, fmt.Errorf("usage in %d steps, at most %d are told at once: %w", (to-from)/step, MaxSteps, storage.ErrExhausted)
	}
	steps := (to - from) / step
	b := &Bill{
		From: from, To: to, Step: step, Process: make([]int64, steps), Shared: make([]int64, steps), by: by,
		costs: map[span]*storage.CostRow{}, lines: map[place]int{},
	}
	var modules, fuel int64
	for i := range costs {
		c := &costs[i]
		if c.At < from || c.At >= to {
			continue
		}
		b.costs[span{c.At, c.Span}] = c
		n := (c.At - from) / step
		b.Process[n] += c.Spent[storage.CostProcess]
		b.Shared[n] += shared(c)
		modules += c.Spent[storage.CostModules]
		fuel += max(c.Spent[storage.CostFuel], c.Spent[storage.TotalFuel])
	}
	if fuel > 0 {
		b.Rate = float64(modules) / float64(fuel)
	}
	return b, nil
}

// shared is what all rows of a span pay together.
func shared(c *storage.CostRow) int64 {
	t := &c.Spent
	all := storage.UsageRow{Consumer: storage.Consumer{Module: "all"}}
	all.Used[storage.Fuel] = t[storage.TotalFuel]
	n := CPU(&all, c)
	all.Module = ""
	all.Used[storage.BytesIn], all.Used[storage.Stored] = t[storage.TotalBytesIn], t[storage.TotalStored]
	return n + CPU(&all, c)
}

// Add adds a row of the interval. The error wraps storage.ErrExhausted.
func (b *Bill) Add(r *storage.UsageRow) error {
	if r.At < b.From || r.At >= b.To {
		return nil
	}
	used := r.Used
	if b.by.Tenant {
		used = summed(r)
	}
	l, err := b.line(r)
	if err != nil {
		return err
	}
	l.Used.Add(&used)
	if c := b.costs[span{r.At, r.Span}]; c != nil {
		cpu := CPU(r, c)
		l.CPU += cpu
		if l.Series != nil {
			l.Series[(r.At-b.From)/b.Step] += cpu
		}
	}
	return nil
}

// line finds the line of a row.
func (b *Bill) line(r *storage.UsageRow) (*Line, error) {
	at, most, points := place{r.Consumer, b.From}, MaxLines, len(b.Process)
	if b.by.Tenant {
		at.Consumer = storage.Consumer{Tenant: r.Tenant}
	}
	if b.by.Step {
		at.at, most, points = r.At-r.At%b.Step, MaxStepLines, 1
	}
	if n, known := b.lines[at]; known {
		return &b.Lines[n], nil
	}
	n := len(b.Lines)
	if n >= most || (n+1)*points > MaxCells {
		return nil, fmt.Errorf("usage of more than %d lines of %d points: ask for fewer organizations or longer steps: %w", n, points, storage.ErrExhausted)
	}
	l := Line{Consumer: at.Consumer, At: at.at}
	if !b.by.Step {
		l.Series = make([]int64, points)
	}
	b.lines[at] = n
	b.Lines = append(b.Lines, l)
	return &b.Lines[n], nil
}

// summed is what a row adds to its organization: what was handed from the organization to its modules is not counted
// again.
func summed(r *storage.UsageRow) storage.Used {
	used := r.Used
	if r.Module != "" {
		for _, m := range []storage.Measure{storage.Records, storage.BytesIn, storage.Findings} {
			used[m] = 0
		}
	}
	return used
}

// Sort puts the lines in order, by step and then those that took the most time first. Nothing may be added afterwards.
func (b *Bill) Sort() {
	slices.SortFunc(b.Lines, func(x, y Line) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(y.CPU, x.CPU), cmp.Compare(x.Tenant, y.Tenant), cmp.Compare(x.Module, y.Module))
	})
	clear(b.lines)
}

// Resolution returns the longest span in which usage of the time from may be kept at the time newest, in ns.
func Resolution(from, newest int64) int64 {
	switch {
	case from >= newest-int64(meta.KeepUsageMinutes):
		return meta.UsageMinute
	case from >= newest-int64(meta.KeepUsageHours):
		return meta.UsageHour
	}
	return meta.UsageDay
}
