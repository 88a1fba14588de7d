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
	Entities    []storage.Entity
	RuleDigest  string              // of the package whose rule it was
	QuietFor    time.Duration       // the rule's `clear after`; 0: DefaultQuiet
	Suppress    time.Duration       // no second notice about the incident within this time; 0: none is held back
	Clears      bool                // it ends the incident of Key and opens none
	Writes      []storage.ListWrite // not the fold's
	Watermark   int64               // of the rule when it fired, ns
	Lists       []storage.ListAsked // that the rule asked
	Approximate bool                // a value of Conditions is not exact
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
	Merge       Do = "merged"       // open or acknowledged → resolved as duplicate; Arg is the incident that goes on
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
	// Merged into this one, which has to exist in Tenant and not be merged itself; it gets an entry too. Set whenever
	// State is.
	Into  string
	Entry storage.HistoryEntry
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

// Cleared is what the history says when the rule's clear pattern ended an incident: the next firing opens another.
const Cleared = "cleared"

// RuleChanged is what the history says when another version of the rule fires than before.
const RuleChanged = "rule"

// ByVedette is who the history names for what firings did.
const ByVedette = "vedette"
