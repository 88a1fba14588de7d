// Package storage names what Vedette keeps: events in a log store, and tenants, users and incidents in a database.
package storage

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Error kinds of the room. Implementations wrap them with what they were doing; host/api maps them to wire codes.
var (
	ErrNotFound     = errors.New("not found")
	ErrInvalid      = errors.New("invalid")        // the caller's input is wrong; the text says how
	ErrConflict     = errors.New("conflict")       // the thing changed since it was read, or exists already
	ErrUnauthorized = errors.New("not signed in")  // no or wrong credentials
	ErrForbidden    = errors.New("not allowed")    // known principal, missing right
	ErrUnavailable  = errors.New("unavailable")    // try again later; nothing was changed
	ErrExhausted    = errors.New("limit exceeded") // a documented limit was hit; the text names it
)

// Tenant identifies an organization. Numbers are given by storage/meta, start at 1 and are never used again.
type Tenant uint32

// NoTenant is no organization: nothing may be stored for it or read with it.
const NoTenant Tenant = 0

// String returns the decimal form used in files and messages.
func (t Tenant) String() string { return strconv.FormatUint(uint64(t), 10) }

// EventID is an event's position in the log. It orders events of one log and never changes on replay.
type EventID struct {
	Seq     uint64 // stream sequence of the frame
	Shard   uint16 // shard that the frame belongs to
	Segment uint16 // segment (tenant) within the frame
	Record  uint32 // record within the segment
	Ordinal uint16 // event within the record
}

// String returns "seq-shard-segment-record-ordinal" in decimal.
func (id EventID) String() string {
	var b [64]byte
	return string(id.Append(b[:0]))
}

// Append appends the String form to b.
func (id EventID) Append(b []byte) []byte {
	b = strconv.AppendUint(b, id.Seq, 10)
	b = strconv.AppendUint(append(b, '-'), uint64(id.Shard), 10)
	b = strconv.AppendUint(append(b, '-'), uint64(id.Segment), 10)
	b = strconv.AppendUint(append(b, '-'), uint64(id.Record), 10)
	return strconv.AppendUint(append(b, '-'), uint64(id.Ordinal), 10)
}

// Less orders by position.
func (id EventID) Less(o EventID) bool {
	if id.Seq != o.Seq {
		return id.Seq < o.Seq
	}
	if id.Segment != o.Segment {
		return id.Segment < o.Segment
	}
	if id.Record != o.Record {
		return id.Record < o.Record
	}
	return id.Ordinal < o.Ordinal
}

// ParseEventID reads the String form. The error wraps ErrInvalid.
func ParseEventID(s string) (EventID, error) {
	p := strings.Split(s, "-")
	if len(p) != 5 {
		return EventID{}, fmt.Errorf("event id %q: want seq-shard-segment-record-ordinal: %w", s, ErrInvalid)
	}
	var n [5]uint64
	for i, bits := range [5]int{64, 16, 16, 32, 16} {
		v, err := strconv.ParseUint(p[i], 10, bits)
		if err != nil {
			return EventID{}, fmt.Errorf("event id %q: part %d is not a number of %d bits: %w", s, i+1, bits, ErrInvalid)
		}
		n[i] = v
	}
	return EventID{Seq: n[0], Shard: uint16(n[1]), Segment: uint16(n[2]), Record: uint32(n[3]), Ordinal: uint16(n[4])}, nil
}

// Field is one field of an event in canonical form: an ECS name and a value as the store returns it.
type Field struct{ Name, Value string }

// Event is a parsed, normalised record in canonical form: field names are unique, valid and not reserved, values are
// non-empty valid UTF-8 within the limits, list-valued fields hold a JSON array of strings. Detection sees exactly
// what the store returns, so a backtest cannot differ from the live run.
type Event struct {
	ID       EventID
	Tenant   Tenant
	Time     int64   // event time, ns since the Unix epoch, UTC; within [Received-24h, Received+2m]
	Received int64   // receive time, ns since the Unix epoch
	Raw      string  // the record as received (made valid UTF-8); stored as _msg
	Stream   string  // stream label: the dataset ("fortinet_fortigate.log"); low cardinality, <= 128 bytes
	Fields   []Field // without the fields above
}

// Get returns the value of a field, or "" when the event has none.
func (e *Event) Get(name string) string {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return e.Fields[i].Value
		}
	}
	return ""
}

// Names of the fields that Vedette itself adds to each stored row. No parser may set a name below "vedette.".
const (
	FieldID         = "vedette.id"         // EventID.String
	FieldSeq        = "vedette.seq"        // EventID.Seq in decimal
	FieldReceived   = "vedette.received"   // receive time, RFC 3339 with ns
	FieldParser     = "vedette.parser"     // parser name, "" when none read the record
	FieldDigest     = "vedette.digest"     // first 12 hex digits of the parser's digest
	FieldGeneration = "vedette.generation" // sequence of the control record in force
	FieldSource     = "vedette.source"     // listener and peer address of the sender
	FieldDataset    = "event.dataset"      // the stream label
)

// Severity is one of Sigma's five.
type Severity uint8

// The severities in ascending order.
const (
	Informational Severity = iota + 1
	Low
	Medium
	High
	Critical
)

var severities = [...]string{Informational: "informational", Low: "low", Medium: "medium", High: "high", Critical: "critical"}

func (s Severity) String() string {
	if s < Informational || s > Critical {
		return "unknown"
	}
	return severities[s]
}

// ParseSeverity reads one of Sigma's five words. The error wraps ErrInvalid.
func ParseSeverity(word string) (Severity, error) {
	for s := Informational; s <= Critical; s++ {
		if severities[s] == word {
			return s, nil
		}
	}
	return 0, fmt.Errorf("severity %q: want informational, low, medium, high or critical: %w", word, ErrInvalid)
}

// State is what is being done about an incident.
type State string

// The states of an incident.
const (
	Open         State = "open"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved" // with a Verdict
)

// Verdict says what a resolved incident was.
type Verdict string

// The verdicts of a resolved incident.
const (
	TruePositive  Verdict = "true_positive"
	FalsePositive Verdict = "false_positive"
	Benign        Verdict = "benign" // really happened, and was allowed
	Duplicate     Verdict = "duplicate"
)

// Evidence is one event that satisfied a part of a rule.
type Evidence struct {
	Sub  string  `json:"sub"` // the sub-pattern that it satisfied
	ID   EventID `json:"id"`
	Time int64   `json:"time"` // event time, ns
}

// Condition is one threshold of a rule beside what was measured when it fired.
type Condition struct {
	Sub       string `json:"sub"`
	Expr      string `json:"expr"`      // "count() >= 10 within 1m0s"
	Actual    string `json:"actual"`    // "14"
	Threshold string `json:"threshold"` // "10"
}

// Incident is findings worked as one case. Count, times and evidence are absolute values at position Applied, never
// increments, so that writing one twice changes nothing.
type Incident struct {
	ID          string // UUIDv5 over tenant, rule, key and the position of the first trigger
	Tenant      Tenant
	Rule        string // rule id
	RuleName    string
	RuleVersion string
	Key         []Field // the incident attributes that make it one case
	Title       string
	Severity    Severity
	State       State
	Verdict     Verdict
	Assignee    string
	Count       uint64 // firings
	FirstSeen   int64  // event time of the first firing, ns
	LastSeen    int64  // event time of the last firing, ns
	OpenedAt    int64  // log time of the first firing, ns
	UpdatedAt   int64  // log time of the last change, ns
	Techniques  []string
	Evidence    []Evidence  // newest MaxEvidence per sub-pattern, by position
	Conditions  []Condition // as of the last firing
	Entities    []Entity    // who and what it is about: its key, and the events of its last firing; at most MaxEntities
	RuleDigest  string      // of the package whose rule fired last; "" when it came in none
	MergedInto  string      // the incident that goes on instead of this one; "" for most
	Watermark   int64       // of the rule at the last firing: what came late was below it, ns; 0: not known
	Approximate bool        // a number in Conditions is not exact
	Lists       []ListAsked // versions of the lists that the rule asked, as of the last firing
	Applied     uint64      // log sequence of the last change
}

// ListAsked is the version of a list that a rule asked.
type ListAsked struct {
	Name string `json:"name"`
	Seq  uint64 `json:"seq"` // log sequence of the record that changed it last; 0: there is no such list
}

// ListWrite puts a value on a watch list of an organization.
type ListWrite struct {
	List, Value string
	TTL         time.Duration // of log time; 0: for good
}

// HistoryEntry is one change of an incident that a person should see; counting is not one.
type HistoryEntry struct {
	Incident string
	Seq      uint64 // log sequence of the change
	At       int64  // log time, ns
	Who      string // user name, or "vedette"
	What     string // "opened", "acknowledged", "resolved", "reopened", "assigned", "commented", "severity", "merged", "rule", "cleared"
	Detail   string // of a merge: the id of the other incident; of "rule": the version that fires from here on
}

// Role is what a user may do.
type Role string

// The roles. Admin sees every organization; analyst and read-only see one.
const (
	RoleAdmin    Role = "admin"
	RoleAnalyst  Role = "analyst"
	RoleReadOnly Role = "read-only"
)

// Principal is who asks. Every query, tail, stream and export takes one and can return nothing outside Tenants.
type Principal struct {
	User    string
	Role    Role
	Tenants []Tenant // sorted; never empty for a valid principal
	Filter  string   // LogsQL that every query is narrowed by; "" for none
}

// Sees reports whether the principal may read what belongs to t.
func (p Principal) Sees(t Tenant) bool {
	for _, x := range p.Tenants {
		if x == t && t != NoTenant {
			return true
		}
	}
	return false
}
