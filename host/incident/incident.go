// Package incident folds the firings of rules and the actions of people, in log order, into incidents as absolute
// values, so that folding a stretch of the log again yields the same incidents and writing them again changes nothing.
package incident

import (
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Firing says that a rule was satisfied for a key. The fold takes over its slices.
type Firing struct {
	Tenant      storage.Tenant
	Rule        string // rule id
	RuleName    string
	RuleVersion string
	Key         []storage.Field // the incident attributes, in the rule's order
	Title       string
	Severity    storage.Severity
	Techniques  []string
	Trigger     storage.EventID // the event, or for a time-out the tick, that completed the pattern
	Time        int64           // event time of the firing, ns
	Evidence    []storage.Evidence
	Conditions  []storage.Condition
	QuietFor    time.Duration // the rule's `clear after`; 0: DefaultQuiet
}

// Do is what a person does to an incident.
type Do string

// The actions. Each is also the name of its history entry.
const (
	Acknowledge Do = "acknowledged" // open → acknowledged
	Reopen      Do = "reopened"     // acknowledged or resolved → open
	Resolve     Do = "resolved"     // open or acknowledged → resolved; Arg is the verdict
	Assign      Do = "assigned"     // Arg is a user name, or "" for nobody
	Comment     Do = "commented"    // Arg is the text
	SetSeverity Do = "severity"     // Arg is the word
)

// Action arrives in a control record, one in a record.
type Action struct {
	Tenant   storage.Tenant `json:"tenant"`
	Incident string         `json:"incident"`
	Who      string         `json:"who"`
	Do       Do             `json:"do"`
	Arg      string         `json:"arg,omitempty"`
}

// Batch is what changed since the batch before. The receiver owns the slices but must not write into what the
// incidents hold, which the next batch may share.
type Batch struct {
	Incidents []storage.Incident     // each changed one once, as it is now, in order of first change
	Patches   []Patch                // in log order
	History   []storage.HistoryEntry // in log order
	Notices   []Notice               // in log order
	Forgotten []storage.Incident     // those dropped for MaxTracked: worth reporting, since their next firing opens another
}

// Empty reports whether there is nothing to write.
func (b *Batch) Empty() bool {
	return len(b.Incidents)+len(b.Patches)+len(b.History)+len(b.Notices) == 0
}

// Patch changes an incident that the fold no longer holds, and of which only people can change anything: it applies
// if the incident exists in Tenant, is in one of the states From and was last changed before Entry.Seq.
type Patch struct {
	Tenant   storage.Tenant
	From     []storage.State  // empty: any
	State    storage.State    // "": as it is
	Verdict  storage.Verdict  // set whenever State is
	Severity storage.Severity // 0: as it is
	Assign   bool             // whether Assignee is set
	Assignee string
	Entry    storage.HistoryEntry
}

// Notice is something to tell the outside.
type Notice struct {
	Tenant  storage.Tenant
	Key     string // idempotency key "INCIDENT.KIND.SEQ": the same on every replay
	Kind    string // KindOpened or KindSeverity
	At      int64  // log time, ns
	Payload []byte // JSON, as in payload.go
}

// The kinds of notice.
const (
	KindOpened   = "opened"   // a new incident
	KindSeverity = "severity" // firings raised an incident's severity
)

// ByVedette is who the history names for what firings did.
const ByVedette = "vedette"
