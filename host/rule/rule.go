// Package rule turns rule documents into one small intermediate representation, and nothing outside it runs.
package rule

import (
	_ "embed"
	"errors"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// ErrNotImplemented marks an operator or a test that what is to run a rule does not know. It is never ignored.
var ErrNotImplemented = errors.New("not implemented")

// Schema is the JSON Schema (2020-12) of pattern documents, for editors and other tools; Parse is stricter.
//
//go:embed pattern.schema.json
var Schema []byte

// Rule is one parsed document. It is immutable and shared by all tenants.
type Rule struct {
	ID             string
	Name           string
	Version        string // semantic version
	Description    string
	Severity       storage.Severity
	Techniques     []string // ATT&CK: "T1110", "T1110.001"
	DataSources    []string // what must be collected for it, in words
	FalsePositives []string
	NextSteps      []string      // what an analyst does about an incident, one step each
	Containment    []string      // how the damage is kept from growing
	Eradication    []string      // how the cause is removed
	References     []string      // URLs of what explains it further
	Author         string        // of an imported rule, as it names them
	License        string        // of an imported rule: SPDX id or what the author wrote
	Language       Language      // that the document is written in
	Unmapped       []string      // fields of a Sigma rule that its mapping does not know; they are looked for under its author's names
	Inner          bool          // its firings are for the rules that name it: they raise no incident
	Interpreted    bool          // its specification leaves open what it means; LANGUAGE.md says how it is read
	MaxKeys        int           // bound of its state, in group keys of one organization; 0: the default
	Package        string        // digest of the package that it came in, set by whoever loads it; "" for a bare document
	Lateness       time.Duration // how far the watermark stays behind the newest event time
	Subs           []Sub         // in the order of the document
	Root           *Emit
	Exceptions     []Exception // already folded into the subs; kept to be shown
	Tests          []Case
	File           string
}

// Sub is a named sub-pattern.
type Sub struct {
	Name      string
	Title     string // in words: "a failed login over SSH"; "" when the document does not say
	Match     *Match
	Aggregate *Aggregate // nil: every match counts
	Baseline  *Baseline  // of Aggregate; nil: thresholds are numbers
	FirstSeen *FirstSeen // nil: every match counts
}

// Language is a language that rules are written in.
type Language string

// The languages.
const (
	PatternLanguage Language = "pattern"
	SigmaLanguage   Language = "sigma"
	FortiSIEM       Language = "fortisiem"
)

// Node returns the sub-pattern's operator.
func (s *Sub) Node() Node {
	switch {
	case s.Baseline != nil:
		return s.Baseline
	case s.Aggregate != nil:
		return s.Aggregate
	case s.FirstSeen != nil:
		return s.FirstSeen
	}
	return s.Match
}

// Exception is an allow-list entry: events that it selects do not take part in the rule, except as the event whose
// absence is awaited.
type Exception struct {
	Reason string
	Where  Pred
}

// Case is an inline test of a rule.
type Case struct {
	Name      string
	Lists     []CaseList // what named lists hold meanwhile
	Events    []CaseEvent
	Until     time.Duration // how long the log runs on, from the first event's base; 0: until everything is decided
	Incidents int           // wanted: incidents
	Count     int           // wanted: firings over all incidents; -1: not checked
	Title     string        // wanted: title of the last firing; "": not checked
	Line      int           // of the case in the document
}

// CaseList is a named list of an inline test. Networks and domains among its values match what is in them.
type CaseList struct {
	Name   string
	Values []string
}

// CaseEvent is one event of an inline test.
type CaseEvent struct {
	At     time.Duration
	Fields []storage.Field // in the order of the document
}
