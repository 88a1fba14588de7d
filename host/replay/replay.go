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
// A rule whose code remembers is determined by all that it selected since it began to: the export holds that, of all
// keys, or there is none.
package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// ErrCannot marks an incident that cannot be computed again; the text says why.
var ErrCannot = errors.New("cannot be replayed")

// format is the version of an export. Another one is refused.
const format = 1

// Manifest describes an export.
type Manifest struct {
	Format      int              `json:"format"`
	Incident    storage.Incident `json:"incident"`     // as it was stored
	SeveritySet bool             `json:"severity_set"` // a person has set the severity, which is then not computed
	Others      []string         `json:"others"`       // further incidents of the rule and key: a firing that opens one ends this one
	Rule        module.Install   `json:"rule"`         // the package of the rule
	Parsers     []Reader         `json:"parsers"`

	Exceptions []module.RuleException `json:"exceptions,omitempty"` // of the organization from the rule, as they were in force

	Events int `json:"events"` // lines of records
}

// Reader is a parser as it ran under a generation.
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
