package api

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/pipeline"
)

// Windows of the figures, in samples of a second.
const (
	rateWindow = 10
	costWindow = 60
	costEvents = 1_000 // fewer say nothing about the cost of one
)

// stageOther is what the process used beside the stages that measure themselves.
const stageOther = "other"

// sample is what had been done at a moment.
type sample struct {
	at     time.Time
	events uint64
	stages []pipeline.StageCost
	cpu    int64 // of the process, ns; 0 where the system does not tell
}

// vitals turns counters that only grow into rates. Samples are taken by one goroutine and read by any.
type vitals struct {
	take func() sample

	mu    sync.Mutex
	first sample
	ring  []sample // oldest first, at most costWindow+1
}

// cost is what one stage costs.
type cost struct {
	stage   string
	events  uint64
	perItem time.Duration
	fixed   time.Duration // of perItem, what the process would have used without events
}

func newVitals(p *pipeline.Pipeline, now func() time.Time) *vitals {
	v := &vitals{take: func() sample {
		s := sample{at: now(), cpu: processCPU()}
		s.stages, s.events = p.Cost.Snapshot()
		return s
	}}
	v.first = v.take()
	v.ring = []sample{v.first}
	return v
}

func (v *vitals) add(s sample) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.ring) > costWindow {
		v.ring = append(v.ring[:0], v.ring[1:]...)
	}
	v.ring = append(v.ring, s)
}

// rate returns the events per second over the last ten seconds.
func (v *vitals) rate() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	last := v.ring[len(v.ring)-1]
	from := v.ring[max(0, len(v.ring)-1-rateWindow)]
	if d := last.at.Sub(from.at).Seconds(); d > 0 {
		return float64(last.events-from.events) / d
	}
	return 0
}

// costs returns what each stage costs per event, over the last minute when that had enough events, else since the
// start; nil when even that had not.
func (v *vitals) costs() []cost {
	v.mu.Lock()
	defer v.mu.Unlock()
	from, to := v.ring[0], v.ring[len(v.ring)-1]
	if to.events-from.events < costEvents {
		from = v.first
	}
	n := to.events - from.events
	if n < costEvents {
		return nil
	}
	var out []cost
	rest := to.cpu - from.cpu
	for i, s := range to.stages {
		ns := s.CPUNs - from.stages[i].CPUNs
		rest -= ns
		out = append(out, cost{stage: s.Stage.String(), events: n, perItem: time.Duration(ns) / time.Duration(n)})
	}
	if rest > 0 {
		fixed := min(rest, int64(to.at.Sub(from.at))*int64(runtime.GOMAXPROCS(0))/idleShare)
		out = append(out, cost{stageOther, n, time.Duration(rest) / time.Duration(n), time.Duration(fixed) / time.Duration(n)})
	}
	return out
}

// idleShare is the part of the machine, one in so many, that what no stage measures may use without its being put
// down to events: consoles, clean-up and the store's upkeep, which a busy host has no more of.
const idleShare = 20

// sustainable returns the events per second that all cores could do, and the stage that costs most. It is too small
// while few events come, since these travel in small batches.
func sustainable(costs []cost) (perSecond float64, slowest string) {
	var all, most time.Duration
	for _, c := range costs {
		all += c.perItem - c.fixed
		if c.perItem > most && c.stage != stageOther {
			most, slowest = c.perItem, c.stage
		}
	}
	if all == 0 {
		return 0, ""
	}
	return float64(runtime.GOMAXPROCS(0)) / all.Seconds(), slowest
}

// clockTick is the unit of times in /proc/PID/stat, the same on every Linux.
const clockTick = 10 * time.Millisecond

// processCPU returns the CPU time of the process in ns, as Linux tells it: proc_pid_stat(5), fields 14 and 15.
func processCPU() int64 {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]) // the name before it may hold anything
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return (user + system) * int64(clockTick)
}

// residentBytes returns the memory of the process, as Linux tells it: proc_pid_statm(5), field 2.
func residentBytes() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
