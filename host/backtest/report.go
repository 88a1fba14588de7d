package backtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Report is what a change would have made of the records. Counts are of records unless said otherwise.
type Report struct {
	From, To  int64 // receive times of the first and last record, ns since the Unix epoch
	Records   int   // looked at
	Truncated bool  // the span holds more; these are the newest

	Changed   int // would have other events
	NewlyRead int // of them: that no parser reads now, and one would
	NoLonger  int // of them: that a parser reads now, and none would
	Failed    int // would have failed in a parser and gone to quarantine
	Examples  []Change
	Fields    []FieldChange // by name, the most frequent first
	Incidents []IncidentChange
	Appear    int // incidents that there would have been
	Disappear int // that there would not have been
	Recounted int // that would have counted other events
}

// Change is a record whose events would differ.
type Change struct {
	ID            storage.EventID // of its first event
	Tenant        storage.Tenant
	Raw           string // at most MaxShownBytes
	Parser, Would string // "publisher/name", "" when none reads it
	Fields        []FieldDiff
	Events        [2]int // how many events it has, and would have
}

// FieldDiff is one field before and after; "" is none.
type FieldDiff struct{ Name, Is, Would string }

// FieldChange counts the records in which a field would differ.
type FieldChange struct {
	Name                   string
	Added, Gone, Rewritten int
}

// IncidentChange is an incident that would be, would not be, or would count otherwise.
type IncidentChange struct {
	Tenant   storage.Tenant
	Rule     string
	Severity storage.Severity
	Title    string
	Key      []storage.Field
	Is       uint64 // events that it counts now; 0: there is none
	Would    uint64
	Evidence []storage.EventID
}

// ignored are fields that say who read a record and when, and so differ whenever a version does.
var ignored = map[string]bool{storage.FieldDigest: true, storage.FieldGeneration: true, storage.FieldParser: true}

// compare notes the records whose events differ.
func (t *Test) compare(recs []placed, was, would []storage.Event) {
	i, j := 0, 0
	for k := range recs {
		i0, j0 := i, j
		for i < len(was) && recordOf(was[i].ID) == recs[k].at {
			i++
		}
		for j < len(would) && recordOf(would[j].ID) == recs[k].at {
			j++
		}
		t.record(&recs[k], was[i0:i], would[j0:j])
	}
}

func (t *Test) record(rec *placed, was, would []storage.Event) {
	var diffs []FieldDiff
	for n := range max(len(was), len(would)) {
		diffs = append(diffs, diff(at(was, n), at(would, n))...)
	}
	if len(diffs) == 0 && len(was) == len(would) {
		return
	}
	t.report.Changed++
	before, after := reader(was), reader(would)
	switch {
	case before == "" && after != "":
		t.report.NewlyRead++
	case before != "" && after == "":
		t.report.NoLonger++
	}
	t.count(diffs)
	if len(t.report.Examples) < MaxExamples {
		id := rec.at
		t.report.Examples = append(t.report.Examples, Change{
			ID: id, Tenant: rec.tenant, Raw: clip(strings.ToValidUTF8(string(rec.Raw), "\uFFFD")), Parser: before, Would: after,
			Fields: diffs, Events: [2]int{len(was), len(would)},
		})
	}
}

func at(events []storage.Event, n int) *storage.Event {
	if n < len(events) {
		return &events[n]
	}
	return &storage.Event{}
}

// reader returns the parser that made sense of a record, "" when none did.
func reader(events []storage.Event) string {
	if len(events) == 0 || events[0].Get("event.kind") == "pipeline_error" {
		return ""
	}
	return events[0].Get(storage.FieldParser)
}

// diff returns the fields in which two events differ, by name.
func diff(is, would *storage.Event) []FieldDiff {
	byName := func(a, b storage.Field) int { return strings.Compare(a.Name, b.Name) }
	a, b := slices.SortedFunc(slices.Values(is.Fields), byName), slices.SortedFunc(slices.Values(would.Fields), byName)
	var out []FieldDiff
	if is.Stream != would.Stream {
		out = append(out, FieldDiff{storage.FieldDataset, is.Stream, would.Stream})
	}
	if is.Time != would.Time {
		out = append(out, FieldDiff{"@timestamp", stamp(is.Time), stamp(would.Time)})
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		var d FieldDiff
		switch {
		case j == len(b) || i < len(a) && a[i].Name < b[j].Name:
			d = FieldDiff{a[i].Name, a[i].Value, ""}
			i++
		case i == len(a) || b[j].Name < a[i].Name:
			d = FieldDiff{b[j].Name, "", b[j].Value}
			j++
		default:
			d = FieldDiff{a[i].Name, a[i].Value, b[j].Value}
			i, j = i+1, j+1
		}
		if d.Is != d.Would && !ignored[d.Name] {
			out = append(out, FieldDiff{d.Name, clip(d.Is), clip(d.Would)})
		}
	}
	return out
}

func (t *Test) count(diffs []FieldDiff) {
	for _, d := range diffs {
		c := t.fields[d.Name]
		if c == nil {
			if len(t.fields) == MaxFieldChanges {
				continue
			}
			c = &FieldChange{Name: d.Name}
			t.fields[d.Name] = c
		}
		switch {
		case d.Is == "":
			c.Added++
		case d.Would == "":
			c.Gone++
		default:
			c.Rewritten++
		}
	}
}

func (t *Test) sortedFields() []FieldChange {
	out := make([]FieldChange, 0, len(t.fields))
	for _, c := range t.fields {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b FieldChange) int {
		return cmp.Or(cmp.Compare(b.Added+b.Gone+b.Rewritten, a.Added+a.Gone+a.Rewritten), strings.Compare(a.Name, b.Name))
	})
	return out
}

// caseKey says which incidents are the same on both sides: the rule and what it is about. Positions are not part of it,
// since a change may move the event that opens one.
type caseKey struct {
	tenant    storage.Tenant
	rule, key string
}

// incidents compares what both sides raised.
func (t *Test) incidents(is, would []storage.Incident) {
	all := map[caseKey]*IncidentChange{}
	var order []caseKey
	note := func(in *storage.Incident, after bool) {
		k := caseKey{in.Tenant, in.Rule, keyText(in.Key)}
		c := all[k]
		if c == nil {
			c = &IncidentChange{Tenant: in.Tenant, Rule: in.Rule, Severity: in.Severity, Title: in.Title, Key: in.Key}
			for _, e := range in.Evidence {
				c.Evidence = append(c.Evidence, e.ID)
			}
			all[k] = c
			order = append(order, k)
		}
		if after {
			c.Would += in.Count
		} else {
			c.Is += in.Count
		}
	}
	for i := range is {
		note(&is[i], false)
	}
	for i := range would {
		note(&would[i], true)
	}
	for _, k := range order {
		c := all[k]
		switch {
		case c.Is == c.Would:
			continue
		case c.Is == 0:
			t.report.Appear++
		case c.Would == 0:
			t.report.Disappear++
		default:
			t.report.Recounted++
		}
		if len(t.report.Incidents) < MaxIncidentChanges {
			t.report.Incidents = append(t.report.Incidents, *c)
		}
	}
}

func keyText(key []storage.Field) string {
	var b strings.Builder
	for _, f := range key {
		b.WriteString(f.Name + "\x00" + f.Value + "\x00")
	}
	return b.String()
}

// clip shortens a value that is shown.
func clip(s string) string {
	if len(s) <= MaxShownBytes {
		return s
	}
	return strings.ToValidUTF8(s[:MaxShownBytes], "") + "…"
}

func stamp(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
}
