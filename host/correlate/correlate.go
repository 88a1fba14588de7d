// Package correlate joins hits into firings by keyed state machines over event time, in which only the records of the
// log move time: the same log gives the same firings, byte for byte, live, after a crash, and in a backtest.
package correlate

import (
	"sort"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Hit is one event that satisfied one sub-pattern. Hits come in log order; those of one event are adjacent.
type Hit struct {
	Rule  *rule.Rule
	Sub   int
	Event *storage.Event // read during the call only
	// What a code rule's module says about the hit. Title and Severity apply to a firing that the hit completes (zero:
	// the rule's); ExtraKey extends the group key and the incident's key.
	Title    string
	Severity storage.Severity
	ExtraKey []storage.Field
	Evidence []storage.Evidence // events that led to the hit, beside Event
}

// SourceTime says that a record of a source carried an event time. The newest one of a source in a frame is enough.
type SourceTime struct {
	Tenant storage.Tenant
	Source string // who sent it: the unit whose clock may be wrong
	Time   int64  // event time as adjusted to [receive-24h, receive+2m], ns
}

// Firing is a rule's pattern completed once for one key.
type Firing struct {
	Tenant      storage.Tenant
	Rule        string // id
	RuleName    string
	RuleVersion string
	Key         []storage.Field // of the incident
	Title       string
	Severity    storage.Severity
	Techniques  []string
	Trigger     storage.EventID // the event that completed it; of an absence, the event that nothing followed
	Time        int64           // event time at which the pattern held, ns; of an absence, the deadline
	Evidence    []storage.Evidence
	Conditions  []storage.Condition
	Entities    []storage.Entity    // of the key, then of the events that led here, the newest first; at most storage.MaxEntities
	RuleDigest  string              // rule.Rule.Package
	QuietFor    time.Duration       // the incident clears after this long without a firing; 0: never by itself
	Suppress    time.Duration       // no second notification about the incident within this time; 0: none is held back
	Clears      bool                // the rule's clear pattern held: it ends the incident of Key and opens none
	Writes      []storage.ListWrite // to watch lists of the tenant
	Watermark   int64               // of the rule in its tenant when it fired, ns
	Lists       []storage.ListAsked // what its lists were; whoever knows which run fills it in
	Approximate bool                // a count or percentile of Conditions is not exact
}

// Report is a change of state that an operator must know of, since it can hide an attack.
type Report struct {
	Tenant    storage.Tenant
	Rule      string
	Kind      ReportKind
	Keys      int   // keys concerned
	Undecided int   // of them, absences that were armed: neither fired nor excluded
	Oldest    int64 // event time of the oldest key's first event, ns
	LogTime   int64 // ns
}

// EvictedRule is the rule that fires when another one has forgotten keys because a bound was hit: that can hide an attack.
const EvictedRule = "rule.state_evicted"

// ReportKind says what happened.
type ReportKind string

// The kinds of report.
const (
	Evicted ReportKind = "evicted" // a bound was hit
	Kept    ReportKind = "kept"    // a new rule version took over the state, but for changed sub-patterns
	Dropped ReportKind = "dropped" // a new rule version, or a rule's end, made the state meaningless
)

// Carried says what became of what a rule knew of a tenant's keys when another version of it took over.
type Carried struct {
	Rule      string
	Kept      int      // keys of which something is still known
	Dropped   int      // keys of which nothing is
	Restarted []string // sub-patterns that begin anew, by name; those of a rule whose keys are all dropped are not listed
}

// Stats counts since the State was made. They are not part of a snapshot.
type Stats struct {
	Hits, Firings uint64
	NullKey       uint64 // hits that lacked a group field, or whose key was too long
	Late          uint64 // hits below the watermark
	Forced        uint64 // marks settled before the watermark because a key had too many
	Evicted       uint64 // keys
	Lost          uint64 // occurrences of parts of an expression that were not remembered, since rules last changed
	Keys          int    // now
	Bytes         int    // now, estimated
}

// State is the state of all rules of one log. It belongs to one goroutine.
type State struct {
	limits   Limits
	seq      uint64
	logTime  int64
	tenants  map[storage.Tenant]*tenant
	order    []*tenant // by tenant
	stats    Stats
	bytes    int
	out      []Firing
	nesting  Nesting
	nested   bool             // hits are of firings
	triggers []*storage.Event // that completed the firings of out; nil: time did. Only for nesting
	reports  []Report
	touched  []*tenant
	key      []byte // scratch
	join     joined
	programs map[programOf]*program
}

// New makes an empty state.
func New(l Limits) *State {
	return &State{limits: l.withDefaults(), tenants: map[storage.Tenant]*tenant{}, programs: map[programOf]*program{}}
}

// Seq returns the log sequence of the last call.
func (s *State) Seq() uint64 { return s.seq }

// Stats returns the counters.
func (s *State) Stats() Stats {
	st := s.stats
	st.Bytes = s.bytes
	counted := map[*program]bool{} // tenants share them
	for _, t := range s.order {
		for _, tb := range t.order {
			st.Keys += len(tb.machines)
			if p := tb.prog; p.lost > 0 && !counted[p] {
				st.Lost += p.lost
				counted[p] = true
			}
		}
	}
	return st
}

// Reports returns what happened since the last call, in log order.
func (s *State) Reports() []Report {
	r := s.reports
	s.reports = nil
	return r
}

// Apply takes one frame at its place in the log: its hits in order against the watermark before it, then the time that
// its records prove, then the deadlines that are due. Firings come in that order and are the caller's; deadlines are
// ordered by tenant, rule, time and key.
func (s *State) Apply(seq uint64, logTime int64, metas []SourceTime, hits []Hit) []Firing {
	s.begin(seq, logTime)
	for i := range hits {
		s.hit(&hits[i])
	}
	s.flush()
	s.nest(0)
	for i := range metas {
		t := s.tenant(metas[i].Tenant)
		t.clock.observe(metas[i].Source, metas[i].Time, s.logTime, s.limits.MaxSourcesPerTenant)
		s.touch(t)
	}
	sort.Slice(s.touched, func(i, j int) bool { return s.touched[i].id < s.touched[j].id })
	for _, t := range s.touched {
		s.advance(t)
	}
	return s.end()
}

// Tick takes a record that carries nothing but time.
func (s *State) Tick(seq uint64, logTime int64) []Firing {
	s.begin(seq, logTime)
	for _, t := range s.order {
		s.advance(t)
	}
	return s.end()
}

// SetRules takes over the rules that run for a tenant from now on, at a control record's place in the log, and says what
// became of the state of each that changed. lookup returns the rule under an id, nil when it no longer runs. Steps that
// were seen are kept, also when filters or the times between steps are edited; an edited threshold, window or group field
// starts that sub-pattern anew, anything else starts the rule anew.
func (s *State) SetRules(id storage.Tenant, lookup func(id string) *rule.Rule) []Carried {
	t, ok := s.tenants[id]
	if !ok {
		return nil
	}
	var out []Carried
	for _, tb := range append([]*table(nil), t.order...) {
		clears := tb.prog.clears
		switch r := lookup(tb.prog.source.ID); {
		case r == nil || clears && clearing(r) == nil:
			s.report(tb, Dropped, len(tb.machines), tb.armed())
			s.remove(tb)
			if !clears {
				out = append(out, Carried{Rule: tb.prog.rule.ID, Dropped: len(tb.machines)})
			}
		case r != tb.prog.source:
			if _, c := s.adopt(tb, r); !clears {
				out = append(out, c)
			}
		}
	}
	return out
}

func (s *State) begin(seq uint64, logTime int64) {
	s.seq = seq
	s.logTime = max(s.logTime, logTime)
	s.out, s.triggers = nil, s.triggers[:0]
}

func (s *State) end() []Firing {
	for _, t := range s.touched {
		t.touched = false
	}
	s.touched = s.touched[:0]
	out := s.out
	s.out = nil
	if s.nesting != nil {
		clear(s.triggers)
		out = s.public(out)
	}
	s.stats.Firings += uint64(len(out))
	return out
}

func (s *State) touch(t *tenant) {
	if !t.touched {
		t.touched = true
		s.touched = append(s.touched, t)
	}
}

// tenant is one organization's time and rules.
type tenant struct {
	id      storage.Tenant
	clock   clock
	tables  map[string]*table // by rule id
	order   []*table          // by rule id
	bytes   int
	touched bool
	moved   int64                             // log time of the last advance
	was     struct{ frontier, logTime int64 } // before time last moved
}

func (s *State) tenant(id storage.Tenant) *tenant {
	if t, ok := s.tenants[id]; ok {
		return t
	}
	t := &tenant{id: id, tables: map[string]*table{}, clock: newClock()}
	s.tenants[id] = t
	at := sort.Search(len(s.order), func(i int) bool { return s.order[i].id > id })
	s.order = append(s.order, nil)
	copy(s.order[at+1:], s.order[at:])
	s.order[at] = t
	return t
}

// advance moves a tenant's watermark and decides what it has reached.
func (s *State) advance(t *tenant) {
	t.was.frontier, t.was.logTime = t.clock.frontier, t.moved
	t.clock.advance(s.logTime)
	t.moved = s.logTime
	for level, highest := 0, t.rank(); level <= highest; level++ {
		first := len(s.out)
		from := first
		for _, tb := range t.order {
			if tb.level != level {
				continue
			}
			tb.watermark = max(tb.watermark, t.clock.watermark(tb.lateness, s.logTime))
			if !tb.prog.clears { // what clears a rule's incidents comes behind it, and is told between its firings
				from = len(s.out)
			}
			s.due(tb)
			sortFirings(s.out[from:])
			s.flushEvictions(tb)
		}
		if len(s.out) > first {
			s.nest(first)
			highest = t.rank()
		}
	}
}

func sortFirings(f []Firing) {
	sort.SliceStable(f, func(i, j int) bool {
		if f[i].Time != f[j].Time {
			return f[i].Time < f[j].Time
		}
		if f[i].Clears != f[j].Clears {
			return f[j].Clears
		}
		for k := range min(len(f[i].Key), len(f[j].Key)) {
			if a, b := f[i].Key[k].Value, f[j].Key[k].Value; a != b {
				return a < b
			}
		}
		return f[i].Trigger.Less(f[j].Trigger)
	})
}
