package rule

import (
	"net/netip"
	"regexp"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Node is one operator of the intermediate representation. Every rule language lowers to these types and nothing else
// runs; the set is closed, and whoever does not know a node refuses the rule with ErrNotImplemented.
type Node interface{ isNode() }

// Match is a stream of events: those for which Where holds and that carry every field of By.
type Match struct {
	Sub   int      // index in Rule.Subs
	Where Pred     // with the rule's exceptions folded in
	Rule  string   // id of a rule whose firings these are; "": events of the log
	By    []string // group key; a field that the event lacks keeps it out of this sub-pattern, unless NullKey is set
	Key   []int    // of By, those that are the key of the rule, in its order; nil: all. The others divide this sub-pattern further
	Code  bool     // Where is only the pre-filter: the package's Wasm module decides
	// NullKey takes an event without a field of By in, as if its value were empty.
	NullKey bool
	// Alias names fields of Condition and Join in this stream, where it calls them otherwise.
	Alias map[string]string
}

// Func is an aggregate function.
type Func string

// The aggregate functions.
const (
	Count      Func = "count"
	Distinct   Func = "distinct"
	Sum        Func = "sum"
	Avg        Func = "avg"
	Min        Func = "min"
	Max        Func = "max"
	Percentile Func = "percentile"
)

// Condition compares an aggregate function with a threshold.
type Condition struct {
	Func      Func
	Fields    []string // arguments; none for count(), one for all others but distinct, which counts combinations
	Rank      float64  // percentile(field, Rank), 0..100
	Op        string   // ">=", ">", "<", "<=", "==", "!="
	Threshold float64
	Stat      *Stat // a threshold made of what was learnt; nil: Threshold
}

// Eager reports whether more events can only make the condition true.
func (c *Condition) Eager() bool {
	switch c.Func {
	case Count, Distinct, Sum, Max:
		return c.Op == ">=" || c.Op == ">"
	case Min:
		return c.Op == "<=" || c.Op == "<"
	}
	return false
}

// Stat is an expression over what was learnt: a number, a variable (mean, std, n), or an operation on two of them.
type Stat struct {
	Var   string // "mean", "std" or "n"
	Op    byte   // '+', '-', '*' or '/'; 0: a leaf
	A, B  *Stat
	Value float64 // of a leaf without Var
}

// Windows says which spans of time an Aggregate looks at.
type Windows string

// The kinds of windows; LANGUAGE.md section 5.
const (
	Sliding  Windows = "sliding"
	Tumbling Windows = "tumbling"
	Session  Windows = "session"
)

// Aggregate holds where all conditions hold over a window of the events of one key; LANGUAGE.md section 5.
type Aggregate struct {
	Of      *Match
	Also    []*Match // further streams that are counted together, with group keys of the same length (Sigma aliases)
	All     []Condition
	Window  time.Duration
	Windows Windows
	Gap     time.Duration // of Session
}

// Eager reports whether the aggregate holds at an event, and not when a window closes.
func (a *Aggregate) Eager() bool {
	for i := range a.All {
		if !a.All[i].Eager() {
			return false
		}
	}
	return true
}

// Least returns the smallest whole number that satisfies an eager count or distinct condition.
func (c *Condition) Least() int {
	if n := int(c.Threshold); c.Op == ">=" && float64(n) == c.Threshold {
		return n
	}
	return int(c.Threshold) + 1
}

// FollowedBy holds where B does, when A ended at most Within before the end of B and before B began.
type FollowedBy struct {
	A, B   Node
	Within time.Duration
}

// NotFollowedBy holds Within after A when B did not occur in (end of A, end of A + Within].
type NotFollowedBy struct {
	A, B   Node
	Within time.Duration
	Latest bool // a later A moves the deadline; otherwise it is ignored until the first one is decided
}

// And holds when all of Of held within Within, in any order.
type And struct {
	Of     []Node
	Within time.Duration
}

// Or holds when one of Of holds.
type Or struct{ Of []Node }

// AndNot holds when A held and B did not within Within around it, or, with Before, at most Within before it.
type AndNot struct {
	A, B   Node
	Within time.Duration
	Before bool
}

// Span holds for what Of says that took no longer than Within.
type Span struct {
	Of     Node
	Within time.Duration
}

// FirstSeen holds for events whose values of Fields their key did not have within Within; LANGUAGE.md section 8.
type FirstSeen struct {
	Of            *Match
	Fields        []string
	Within, Learn time.Duration
}

// Slots says which samples of a baseline go together.
type Slots string

// The slots of a baseline, in UTC.
const (
	NoSlots        Slots = "none"
	SlotHour       Slots = "hour"
	SlotHourOfWeek Slots = "hour_of_week"
)

// Baseline is an aggregate whose thresholds come from what was learnt of its key; LANGUAGE.md section 9.
type Baseline struct {
	Of    *Aggregate
	Slots Slots
	Least int
	Peers string // a field: keys with one value of it are learnt together; "": each key alone
}

// Compare relates fields of the events that complete two sub-patterns.
type Compare struct {
	A, B           int // indexes in Rule.Subs
	AField, BField string
	Op             string // "==", "!=", and of numbers "<", "<=", ">", ">="
}

// Join holds for what Of says when all of On hold. It stands directly below Emit.
type Join struct {
	Of Node
	On []Compare
}

// Emit is the root of every rule: what happens when Of holds.
type Emit struct {
	Of         Node
	Incident   *Incident
	Suppress   time.Duration // no second notification of one incident within it; 0: none is held back
	Clear      *Clear
	WatchLists []WatchList
}

// Incident says which firings are one case and how it is called.
type Incident struct {
	Key   []string // subset of the first sub-pattern's by list, or any fields for a rule of a single match
	Title Title
}

// Clear ends an episode.
type Clear struct {
	After time.Duration // quiet period; 0: none
	Of    Node          // a Match or an Aggregate of the sub-pattern "clear", the last of Rule.Subs; nil: none
}

// WatchList writes the value of a field, of the key or of the event that completed the pattern, to the list Name.
type WatchList struct {
	Name, Value string
	TTL         time.Duration
}

func (*Match) isNode()         {}
func (*Aggregate) isNode()     {}
func (*FollowedBy) isNode()    {}
func (*NotFollowedBy) isNode() {}
func (*And) isNode()           {}
func (*Or) isNode()            {}
func (*AndNot) isNode()        {}
func (*FirstSeen) isNode()     {}
func (*Baseline) isNode()      {}
func (*Join) isNode()          {}
func (*Span) isNode()          {}
func (*Emit) isNode()          {}

// Pred is a stateless condition on one event.
type Pred interface{ isPred() }

// AllOf holds when all hold; an empty one holds.
type AllOf []Pred

// AnyOf holds when one holds.
type AnyOf []Pred

// Not holds when Of does not.
type Not struct{ Of Pred }

// Op is what a Test does with the values of its field.
type Op uint8

// The tests of a field.
const (
	OpMatch  Op = iota + 1 // Patterns
	OpRegexp               // Regexps
	OpCIDR                 // Nets
	OpNumber               // Cmp against Number
	OpExists               // the event has the field (or, with Absent, lacks it)
	OpField                // Refs: other fields, whose values stand at Place of the field's
	OpList                 // Lists: the value is in one of them
)

// Place is where in a value a text stands.
type Place uint8

// The places.
const (
	Whole Place = iota
	Prefix
	Suffix
	Inside
)

// Test looks at one field. A field whose value is a JSON array of strings has several values, and the test holds when
// one of them passes; a missing field passes only OpExists with Absent. Several patterns, expressions or networks are
// alternatives, unless Every is set: then each of them must be matched by some value.
type Test struct {
	Field    string // "": any field of the event, and the record as received
	Op       Op
	Patterns []Pattern
	Regexps  []*regexp.Regexp // RE2, unanchored
	Nets     []netip.Prefix
	Cmp      string // ">", ">=", "<", "<=", "=="
	Number   []float64
	Part     string   // of a time, compared in its place: minute, hour, day, week (ISO 8601), month, year; "": the number itself
	Refs     []string // names of fields
	Lists    []string // names of lists
	Place    Place
	Every    bool
	Cased    bool
	Absent   bool
}

func (AllOf) isPred() {}
func (AnyOf) isPred() {}
func (Not) isPred()   {}
func (*Test) isPred() {}

// Value returns the value of a field as rules see it: an event's fields, its dataset, its time, and the record as
// received under the name event.original. It reports false for a field that the event lacks; an empty value counts as lacking.
func Value(ev *storage.Event, name string) (string, bool) {
	for i := range ev.Fields {
		if ev.Fields[i].Name == name {
			return ev.Fields[i].Value, ev.Fields[i].Value != ""
		}
	}
	switch name {
	case storage.FieldDataset:
		return ev.Stream, ev.Stream != ""
	case FieldOriginal:
		return ev.Raw, ev.Raw != ""
	case FieldTime:
		return time.Unix(0, ev.Time).UTC().Format(time.RFC3339Nano), ev.Time != 0
	}
	return "", false
}

// FiringDataset is the dataset of firings that are events, for rules on rules.
const FiringDataset = "vedette.firing"

// FieldTime is the name under which rules see the time of an event, in UTC; an event's own field of that name comes first.
const FieldTime = "@timestamp"

// FieldOriginal is the name under which rules see the record as received.
const FieldOriginal = "event.original"
