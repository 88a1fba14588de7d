// Package panther runs the timed test cases of another product's correlation rules through vedette correlate, with their
// rules translated to patterns.
package panther

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vedette-siem/vedette/host/rule"
)

const (
	root   = "../.."
	corpus = root + "/../shared/data/panther_tests.jsonl.gz" // other people's; it is no part of the project
)

// epoch is the time of a case's minute 0.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// timed is a case: which base rules matched when, and whether the correlation rule must fire.
type timed struct {
	ID        string
	Analysis  string
	Test      string
	Detection []detection
	Outputs   []output `json:"rule_outputs"`
	Expected  bool
}

// detection is a correlation rule: entries that happen in any order, or one after the other.
type detection struct {
	Group, Sequence []step
	Transitions     []transition
	MatchCriteria   map[string][]struct{ GroupID, Match string }
	Lookback        int `json:"LookbackWindowMinutes"`
}

type step struct {
	ID            string
	Absence       bool
	MinMatchCount int
}

type transition struct {
	From, To               string
	WithinTimeFrameMinutes int
	Match                  []map[string]string // On: one field, which YAML 1.1 reads as true; or From and To
}

// output says when a base rule matched, by field and value: minutes, or points in time.
type output struct {
	ID      string
	Matches map[string]map[string][]json.RawMessage
}

// differs names the cases that come out otherwise, and why.
var differs = map[string]string{}

// TestTimedSequences translates every case and compares what fires.
func TestTimedSequences(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("not measured: there is no %s", corpus)
	}
	cases := read(t)
	bin := binary(t)
	agree := 0
	for i, c := range cases {
		name := c.ID + ": " + c.Test
		fires := run(t, bin, c)
		switch why := differs[name]; {
		case fires == c.Expected:
			agree++
			if why != "" {
				t.Errorf("case %d, %s, agrees and is said to differ", i, name)
			}
		case why != "":
			t.Logf("%s: fires %v, they say %v: %s", name, fires, c.Expected, why)
		default:
			t.Errorf("case %d, %s: fires %v, they say %v", i, name, fires, c.Expected)
		}
	}
	t.Logf("%d of %d cases agree", agree, len(cases))
}

// TestTranslate: sequences of the forms that the corpus may hold become rules that load, and mean what they say.
func TestTranslate(t *testing.T) {
	ab := []transition{{From: "A", To: "B", WithinTimeFrameMinutes: 10, Match: []map[string]string{{"On": "user"}}}}
	for _, c := range []struct {
		d    detection
		want string
		join int
	}{
		{detection{Sequence: []step{{ID: "A"}, {ID: "B"}}, Transitions: ab}, "s0 -> s1 within 10m", 0},
		{detection{Sequence: []step{{ID: "A"}, {ID: "B", Absence: true}}, Transitions: ab}, "(s0) !-> s1 within 10m", 0},
		{detection{Sequence: []step{{ID: "A", Absence: true}, {ID: "B"}}, Transitions: ab}, "(s1) and not before s0", 0},
		{
			detection{Sequence: []step{{ID: "A"}, {ID: "B"}, {ID: "C"}}, Transitions: append(ab[:1:1], transition{From: "B", To: "C", Match: []map[string]string{{"From": "key", "To": "id"}}})},
			"s0 -> s1 within 10m -> s2", 2,
		},
	} {
		if got := c.d.sequence(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if got := c.d.joins(c.d.Sequence); len(got) != c.join {
			t.Errorf("%s: joins %v", c.want, got)
		}
		c.d.Lookback = 60
		src, err := yaml.Marshal(translate("case", c.d))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rule.Parse("case.yaml", src); err != nil {
			t.Errorf("%v\n%s", err, src)
		}
	}
}

func read(t *testing.T) (cases []timed) {
	f, err := os.Open(corpus)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var kind struct{ Analysis string }
		if err := json.Unmarshal(lines.Bytes(), &kind); err != nil {
			t.Fatal(err)
		}
		if kind.Analysis != "correlation_rule" {
			continue
		}
		var c timed
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// binary builds the host.
func binary(t *testing.T) string {
	bin := filepath.Join(t.TempDir(), "vedette")
	cmd := exec.Command("go", "build", "-o", bin, "./host/cmd/vedette")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return bin
}

// run reports whether the translated rule fires on the translated events.
func run(t *testing.T, bin string, c timed) bool {
	t.Helper()
	dir := t.TempDir()
	for i, d := range c.Detection {
		src, err := yaml.Marshal(translate(fmt.Sprintf("case-%d", i), d))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(bin, "correlate", "--rules", dir, "--jsonl")
	cmd.Stdin = bytes.NewReader(events(t, c.Outputs))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || !strings.Contains(said.String(), " 0 refused") {
		t.Fatalf("%s: %v: %s", c.ID, err, said.String())
	}
	return len(out) > 0
}

// translate makes a pattern of a correlation rule. Its entries are sub-patterns that select what their base rule matched.
func translate(id string, d detection) yaml.MapSlice {
	steps := d.Group
	if len(d.Sequence) > 0 {
		steps = d.Sequence
	}
	var subs yaml.MapSlice
	for i, s := range steps {
		sub := yaml.MapSlice{{Key: "where", Value: map[string]string{"base.rule": s.ID}}, {Key: "by", Value: d.fields(s.ID)}}
		if s.MinMatchCount > 1 {
			sub = append(sub, yaml.MapItem{Key: "having", Value: fmt.Sprintf("count() >= %d", s.MinMatchCount)})
		}
		subs = append(subs, yaml.MapItem{Key: fmt.Sprintf("s%d", i), Value: sub})
	}
	expr := group(steps)
	if len(d.Sequence) > 0 {
		expr = d.sequence()
	}
	doc := yaml.MapSlice{
		{Key: "kind", Value: "pattern"},
		{Key: "id", Value: id},
		{Key: "name", Value: id},
		{Key: "version", Value: "1.0.0"},
		{Key: "severity", Value: "low"},
		{Key: "window", Value: fmt.Sprintf("%dm", d.Lookback)},
		{Key: "subs", Value: subs},
		{Key: "expr", Value: expr},
		{Key: "incident", Value: map[string]string{"title": id}},
	}
	if lines := d.joins(steps); len(lines) > 0 {
		doc = append(doc, yaml.MapItem{Key: "join", Value: lines})
	}
	return doc
}

// fields are what the matches of an entry have in common with those of the others.
func (d *detection) fields(id string) []string {
	fields := []string{}
	for _, name := range slices.Sorted(maps.Keys(d.MatchCriteria)) {
		for _, m := range d.MatchCriteria[name] {
			if m.GroupID == id {
				fields = append(fields, m.Match)
			}
		}
	}
	for _, tr := range d.Transitions {
		for _, m := range tr.Match {
			field := cmp.Or(m["On"], m["true"])
			if tr.From == id {
				field = cmp.Or(field, m["From"])
			} else if tr.To == id {
				field = cmp.Or(field, m["To"])
			} else {
				continue
			}
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	return fields
}

// group is entries in any order: all of them but those that must be absent.
func group(steps []step) string {
	var there, absent []string
	for i, s := range steps {
		if s.Absence {
			absent = append(absent, fmt.Sprintf("s%d", i))
		} else {
			there = append(there, fmt.Sprintf("s%d", i))
		}
	}
	expr := strings.Join(there, " and ")
	if len(absent) > 0 {
		expr = "(" + expr + ") and not (" + strings.Join(absent, " or ") + ")"
	}
	return expr
}

// sequence is entries one after the other. One that must be absent stands behind what it must not follow, or, when others
// follow it, before the end of what comes after it.
func (d *detection) sequence() string {
	expr, before, last := "", []string(nil), -1
	for i, s := range d.Sequence {
		name := fmt.Sprintf("s%d", i)
		switch {
		case s.Absence && last >= 0 && i == len(d.Sequence)-1:
			expr = fmt.Sprintf("(%s) !-> %s%s", expr, name, d.within(last, i))
		case s.Absence:
			before = append(before, name)
		case last < 0:
			expr, last = name, i
		default:
			expr, last = fmt.Sprintf("%s -> %s%s", expr, name, d.within(last, i)), i
		}
	}
	for _, name := range before {
		expr = fmt.Sprintf("(%s) and not before %s", expr, name)
	}
	return expr
}

// within is the time between two entries that are next to each other but for absent ones, when the rule says it.
func (d *detection) within(from, to int) string {
	minutes := 0
	for _, tr := range d.Transitions {
		for i := from; i < to; i++ {
			if tr.From == d.Sequence[i].ID && tr.To == d.Sequence[i+1].ID {
				minutes += tr.WithinTimeFrameMinutes
			}
		}
		if tr.From == d.Sequence[from].ID && tr.To == d.Sequence[to].ID {
			minutes = max(minutes, tr.WithinTimeFrameMinutes)
		}
	}
	if minutes == 0 {
		return ""
	}
	return fmt.Sprintf(" within %dm", minutes)
}

// joins relate the fields of entries when these do not all have as many: by position they go together without.
func (d *detection) joins(steps []step) (lines []string) {
	number := map[string]int{}
	same := true
	for i, s := range steps {
		number[s.ID] = i
		same = same && len(d.fields(s.ID)) == len(d.fields(steps[0].ID))
	}
	if same {
		return nil
	}
	for _, tr := range d.Transitions {
		for _, m := range tr.Match {
			on := cmp.Or(m["On"], m["true"])
			lines = append(lines, fmt.Sprintf("s%d.%s == s%d.%s", number[tr.From], cmp.Or(on, m["From"]), number[tr.To], cmp.Or(on, m["To"])))
		}
	}
	return lines
}

// events makes the lines of what base rules matched, in the order of time.
func events(t *testing.T, outputs []output) []byte {
	type event struct {
		Time  time.Time         `json:"time"`
		Event map[string]string `json:"event"`
	}
	var all []event
	for _, o := range outputs {
		at := map[time.Time]event{}
		for field, values := range o.Matches {
			for value, times := range values {
				for _, raw := range times {
					when := timeOf(t, raw)
					e, ok := at[when]
					if _, taken := e.Event[field]; !ok || taken {
						e = event{when, map[string]string{"base.rule": o.ID}}
						all = append(all, e)
						at[when] = e
					}
					e.Event[field] = value
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.Time.Compare(b.Time) })
	var b bytes.Buffer
	for _, e := range all {
		if err := json.NewEncoder(&b).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func timeOf(t *testing.T, raw json.RawMessage) time.Time {
	var minutes float64
	if json.Unmarshal(raw, &minutes) == nil {
		return epoch.Add(time.Duration(minutes * float64(time.Minute)))
	}
	var when time.Time
	if err := json.Unmarshal(raw, &when); err != nil {
		t.Fatalf("time %s: %v", raw, err)
	}
	return when
}
