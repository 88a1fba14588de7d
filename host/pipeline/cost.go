package pipeline

import (
	"runtime"
	"sync/atomic"

	"github.com/vedette-siem/vedette/storage"
)

// Stage is a part of an event's way.
type Stage int

// The stages, in the order of the way.
const (
	StageReceive   Stage = iota // read, split and hand over; what net/http does around it is not in it
	StageQueue                  // write and read frames; what NATS does in its own threads is not in it
	StageParse                  // decode, route, Wasm, canonical form
	StageDetect                 // match rules, code rules included
	StageStore                  // hand over to the store; what the store does in its own threads is not in it
	StageCorrelate              // keyed state
	StageIncident               // the SQL transaction
	stages
)

var stageNames = [stages]string{"receive", "queue", "parse", "detect", "store", "correlate", "incident"}

func (s Stage) String() string { return stageNames[s] }

// Costs adds up the CPU time of each stage.
type Costs struct {
	ns      [stages]atomic.Int64
	modules [stages]atomic.Int64 // of it, calls of modules
	fuel    atomic.Int64         // that those took
	events  atomic.Uint64
}

// stageCosts are the stages as storage names what they cost.
var stageCosts = [stages]storage.Cost{
	storage.CostReceive, storage.CostQueue, storage.CostParse, storage.CostDetect, storage.CostStore, storage.CostCorrelate, storage.CostIncident,
}

// Spent returns what the process has spent since its start.
func (c *Costs) Spent() (spent [storage.Costs]int64) {
	for s := range stages {
		modules := c.modules[s].Load()
		spent[stageCosts[s]] = c.ns[s].Load() - modules
		spent[storage.CostModules] += modules
	}
	spent[storage.CostFuel], spent[storage.CostProcess] = c.fuel.Load(), processTime()
	return spent
}

// StageCost is what a stage has cost since the start.
type StageCost struct {
	Stage Stage
	CPUNs int64 // CPU time of the stage's own threads
}

// Snapshot returns the cost of each stage and the events that went through.
func (c *Costs) Snapshot() ([]StageCost, uint64) {
	out := make([]StageCost, stages)
	for s := range stages {
		out[s] = StageCost{s, c.ns[s].Load()}
	}
	return out, c.events.Load()
}

// thread measures the CPU time of one goroutine, which keeps its operating system thread for that.
type thread struct {
	costs *Costs
	from  int64
}

func (c *Costs) thread() *thread {
	runtime.LockOSThread()
	return &thread{costs: c}
}

// Meter returns a function that begins to charge the calling goroutine's CPU time to a stage; what that returns ends it.
func (c *Costs) Meter(s Stage) func() (end func()) {
	return func() func() {
		t := c.thread()
		t.begin()
		return func() {
			t.end(s, 0)
			t.release()
		}
	}
}

func (t *thread) release() { runtime.UnlockOSThread() }

func (t *thread) begin() { t.from = threadTime() }

// end charges the time since begin, and begins anew.
func (t *thread) end(s Stage, events int) {
	now := threadTime()
	t.costs.ns[s].Add(now - t.from)
	t.from = now
	if s == StageStore {
		t.costs.events.Add(uint64(events))
	}
}
