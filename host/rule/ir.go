package rule

import (
	"net/netip"
	"regexp"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Node is one operator of the intermediate representation. Every rule language lowers to these types and nothing else
// runs; the set is closed, and a node that the evaluator lacks is refused by Parse with ErrNotImplemented.
type Node interface{ isNode() }

// Match is a stream of events: those for which Where holds and that carry every field of By.
type Match struct {
	Sub   int      // index in Rule.Subs
	Where Pred     // with the rule's exceptions folded in
	By    []string // group key; a field that the event lacks keeps it out of this sub-pattern
	Code  bool     // Where is only the pre-filter: the package's Wasm module decides
}

// Func is an aggregate function.
type Func string

// The aggregate functions. Count and Distinct are evaluated.
const (
	Count      Func = "count"
	Distinct   Func = "distinct"
	Sum        Func = "sum"
	Avg        Func = "avg"
	Min        Func = "min"
	Max        Func = "max"
	Percentile Func = "percentile"
)

// Aggregate holds at each event of Of that ends an interval of length Window, both ends included, over which the
// function of one key satisfies "Op Threshold".
type Aggregate struct {
	Of        *Match
	Func      Func
	Field     string  // argument; "" for count()
	Rank      float64 // percentile(field, Rank), 0..100
	Op        string  // ">=", ">", "<", "<=", "==", "!="
	Threshold float64
	Window    time.Duration
}

// Least returns the smallest whole number that satisfies a count or distinct threshold.
func (a *Aggregate) Least() int {
	if n := int(a.Threshold); a.Op == ">=" && float64(n) == a.Threshold {
		return n
	}
	return int(a.Threshold) + 1
}

// FollowedBy holds at B when A held at most Within before it (tA < tB <= tA+Within; equal times are ordered by position).
type FollowedBy struct {
	A, B   Node
	Within time.Duration
}

// NotFollowedBy holds at tA+Within when B did not occur in (tA, tA+Within]; it is decided when the watermark arrives there.
type NotFollowedBy struct {
	A, B   Node
	Within time.Duration
	Latest bool // a later A moves the deadline; otherwise it is ignored until the first one is decided
}

// And holds when all of Of held within Within, in any order. Not evaluated yet.
type And struct {
	Of     []Node
	Within time.Duration
}

// Or holds when one of Of holds. Not evaluated yet.
type Or struct{ Of []Node }

// AndNot holds when A held and B did not within Within around it. Not evaluated yet.
type AndNot struct {
	A, B   Node
	Within time.Duration
}

// FirstSeen holds for values of Field not seen within Within. Not evaluated yet.
type FirstSeen struct {
	Of     *Match
	Field  string
	Within time.Duration
}

// Baseline compares an aggregate with what was learnt of its key. Not evaluated yet.
type Baseline struct {
	Of   *Match
	Expr string
}

// Join relates fields of different sub-patterns beyond the positional join of their by lists. Not evaluated yet.
type Join struct {
	Of Node
	On []string
}

// Emit is the root of every rule: what happens when Of holds.
type Emit struct {
	Of        Node
	Incident  *Incident
	Clear     *Clear
	WatchList *WatchList // not evaluated yet
	Event     string     // internal event for rules on rules; not evaluated yet
}

// Incident says which firings are one case and how it is called.
type Incident struct {
	Key   []string // subset of the first sub-pattern's by list, or any fields for a rule of a single match
	Title Title
}

// Clear ends an episode.
type Clear struct{ After time.Duration } // quiet period; 0: only people end it

// WatchList writes Value to the list Name.
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
	Place    Place
	Every    bool
	Cased    bool
	Absent   bool
}

func (AllOf) isPred() {}
func (AnyOf) isPred() {}
func (Not) isPred()   {}
func (*Test) isPred() {}

// Value returns the value of a field as rules see it: an event's fields, its dataset, and the record as received under
// the name event.original. It reports false for a field that the event lacks; an empty value counts as lacking.
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
	}
	return "", false
}

// FieldOriginal is the name under which rules see the record as received.
const FieldOriginal = "event.original"
