// Package replay computes an incident again from the records, modules and rule that it was made of, and says whether
// it comes out the same.
//
// An export is a tar: records, one stored event a line; the packages that read and judged them; and a manifest with the
// incident. It holds nothing of other organizations and needs no host to be checked.
//
// Which records determine an incident: those of its key that its rule selects, from one span of the rule (its windows
// and edges together) before the first firing to the incident's position in the log. A firing consumes what led to it,
// so where another incident of the same key was seen within that span, the export begins a span before that one, and so
// on. Other senders have a part in it only by moving the watermark, which decides about records that come late. The
// check is made with the lowest watermark that the log allows and, if that gives another incident, with the highest:
// where the two agree, no clock of another sender could have made a difference.
//
// A rule whose code remembers is determined by all that it selected since it began to, of all keys; one that learns by all
// that it selected of the key since it began to learn, or of all keys that learn together. A rule on rules needs those
// rules, and what they select; they run together as they do in the pipeline.
//
// What rules look into changes with the log. An export holds the tables that were in force, and of lists and indicator sets
// the values that its events have, each with the positions between which it was there. What indicators added to an event
// when it was stored is taken as it is.
package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// ErrCannot marks an incident that cannot be computed again; the text says why.
var ErrCannot = errors.New("cannot be replayed")

// format is the version of an export. One of an older version is read, a newer one is refused.
const format = 2

// Manifest describes an export.
type Manifest struct {
	Format      int              `json:"format"`
	Incident    storage.Incident `json:"incident"`     // as it was stored
	SeveritySet bool             `json:"severity_set"` // a person has set the severity, which is then not computed
	Others      []string         `json:"others"`       // further incidents of the rule and key: a firing that opens one ends this one
	Rule        module.Install   `json:"rule"`         // the package of the rule
	Parsers     []Reader         `json:"parsers"`

	Exceptions []module.RuleException `json:"exceptions,omitempty"` // of the organization from the rule, as they were in force

	Begins  Begin    `json:"begins,omitzero"`
	Asks    bool     `json:"asks,omitempty"`    // its rule, or an inner one, asks lists
	Learns  bool     `json:"learns,omitempty"`  // its rule, or an inner one, has learnt from events of before
	Inner   []Inner  `json:"inner,omitempty"`   // rules whose firings it, or another one of these, looks at
	Forgets []Forget `json:"forgets,omitempty"` // by position
	Tables  []Table  `json:"tables,omitempty"`  // by name and position

	Events int `json:"events"`           // lines of records
	Listed int `json:"listed,omitempty"` // lines of lists
}

// Begin says which events count for a rule: what came before has no part in the incident, or is known only in part.
type Begin struct {
	Seq  uint64 `json:"seq,omitempty"`  // position from which on
	Time int64  `json:"time,omitempty"` // event time from which on, ns
}

// has reports whether an event counts.
func (b *Begin) has(e *storage.Event) bool { return e.ID.Seq >= b.Seq && e.Time >= b.Time }

// Inner is a rule whose firings another one looks at.
type Inner struct {
	ID         string                 `json:"id"`
	Rule       module.Install         `json:"rule"` // its package
	Exceptions []module.RuleException `json:"exceptions,omitempty"`
	Begins     Begin                  `json:"begins,omitzero"`
}

// Forget says that a rule forgot what it had learnt: of the key with these values, or of all.
type Forget struct {
	Seq  uint64   `json:"seq"`
	At   int64    `json:"at"` // log time, ns
	Rule string   `json:"rule"`
	Key  []string `json:"key,omitempty"`
}

// Table is a version of a table, with the positions between which it was in force: messages behind Since saw it. Its
// content is a file of the export.
type Table struct {
	Shared bool         `json:"shared,omitempty"`
	Since  uint64       `json:"since"`
	Until  uint64       `json:"until,omitempty"` // 0: until the end
	Table  module.Table `json:"table"`
}

// Listed is a value that was in a list which rules asked, or in an indicator set that they asked as one.
type Listed struct {
	List   string     `json:"list"`
	Shared bool       `json:"shared,omitempty"`
	Kind   index.Kind `json:"kind"`
	list.Member
}

// Reader is a parser as it ran under a generation, and under later ones up to that of the next one of its name.
type Reader struct {
	Generation uint64         `json:"generation"`
	Install    module.Install `json:"install"`
}

// Record is one stored event with the record that it was read from.
type Record struct {
	ID         string      `json:"id"` // of the event
	Time       int64       `json:"time"`
	Received   int64       `json:"received"`
	Source     string      `json:"source"` // "listener peer"
	Flags      uint8       `json:"flags,omitempty"`
	Generation uint64      `json:"generation"`
	Parser     string      `json:"parser,omitempty"` // "publisher/name"; "" when none read the record
	Digest     string      `json:"digest,omitempty"` // the first 12 hex digits
	Raw        string      `json:"raw"`
	Dataset    string      `json:"dataset"`
	Fields     [][2]string `json:"fields"` // by name
}

// Event returns the event as it is stored.
func (r *Record) Event(t storage.Tenant) (storage.Event, error) {
	id, err := storage.ParseEventID(r.ID)
	e := storage.Event{ID: id, Tenant: t, Time: r.Time, Received: r.Received, Raw: r.Raw, Stream: r.Dataset}
	for _, f := range r.Fields {
		e.Fields = append(e.Fields, storage.Field{Name: f[0], Value: f[1]})
	}
	return e, err
}

// Result says what came out.
type Result struct {
	Records    int    // parsed again, or taken as they are
	Unread     int    // of them, records that no parser had read: they are taken as stored
	Enriched   int    // events to which indicators had added fields: those are taken as stored
	Events     int    // compared
	Difference string // the first one, "" when everything is equal
}

// differenceOf returns the first difference between two events in canonical form, whatever the order of their fields.
func differenceOf(stored, computed *storage.Event) string {
	switch {
	case stored.Time != computed.Time:
		return fmt.Sprintf("time is %d, computed %d", stored.Time, computed.Time)
	case stored.Stream != computed.Stream:
		return fmt.Sprintf("dataset is %q, computed %q", stored.Stream, computed.Stream)
	case stored.Raw != computed.Raw:
		return fmt.Sprintf("record is %q, computed %q", clip(stored.Raw), clip(computed.Raw))
	}
	byName := func(a, b storage.Field) int { return strings.Compare(a.Name, b.Name) }
	s, c := slices.SortedFunc(slices.Values(stored.Fields), byName), slices.SortedFunc(slices.Values(computed.Fields), byName)
	for i, j := 0, 0; i < len(s) || j < len(c); i, j = i+1, j+1 {
		switch {
		case j == len(c) || i < len(s) && s[i].Name < c[j].Name:
			return fmt.Sprintf("%s is %q, computed none", s[i].Name, clip(s[i].Value))
		case i == len(s) || c[j].Name < s[i].Name:
			return fmt.Sprintf("%s is not there, computed %q", c[j].Name, clip(c[j].Value))
		case s[i].Value != c[j].Value:
			return fmt.Sprintf("%s is %q, computed %q", s[i].Name, clip(s[i].Value), clip(c[j].Value))
		}
	}
	return ""
}

// clip shortens a value for a message.
func clip(s string) string {
	if len(s) <= 200 {
		return s
	}
	return strings.ToValidUTF8(s[:200], "") + "…"
}
