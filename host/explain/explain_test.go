package explain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Each case is a rule, events as "name=value; name=value", and what is said of them.
func TestWhy(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			part := map[string]*txtar.File{}
			for i := range archive.Files {
				part[archive.Files[i].Name] = &archive.Files[i]
			}
			r, err := rule.Parse("rule.yaml", part["rule.yaml"].Data)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(explain.Meaning(r), "\n") + "\n"
			for line := range strings.Lines(string(part["events"].Data)) {
				got += "\n" + line + told(t, r, eventOf(strings.TrimSpace(line)))
			}
			if got == string(part["want"].Data) {
				return
			}
			if os.Getenv("UPDATE") != "" {
				part["want"].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, part["want"].Data)
		})
	}
}

func told(t *testing.T, r *rule.Rule, ev *storage.Event) string {
	t.Helper()
	of, err := explain.New(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	match, err := detect.Matcher(r)
	if err != nil {
		t.Fatal(err)
	}
	hits := slices.Clone(match(ev))
	v := of.Why(ev)
	var b strings.Builder
	for _, reason := range v.Excepted {
		fmt.Fprintf(&b, "  excepted: %s\n", reason)
	}
	for i, s := range v.Subs {
		fmt.Fprintf(&b, "  %s %v\n", s.Name, s.Matches)
		for _, x := range s.Tests {
			fmt.Fprintf(&b, "    %v: %s\n", x.Holds, x)
			if x.Holds != s.Matches {
				t.Errorf("%s decides that %s is %v", x, s.Name, s.Matches)
			}
		}
		if lacks := len(s.Tests) == 1 && strings.Contains(s.Tests[0].Says, "groups by"); !lacks && s.Matches != slices.Contains(hits, i) {
			t.Errorf("%s: %v, the matcher says otherwise", s.Name, s.Matches)
		}
	}
	return b.String()
}

func eventOf(line string) *storage.Event {
	ev := &storage.Event{}
	for pair := range strings.SplitSeq(line, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		if name == storage.FieldDataset {
			ev.Stream = value
		} else {
			ev.Fields = append(ev.Fields, storage.Field{Name: name, Value: value})
		}
	}
	return ev
}

func TestMissing(t *testing.T) {
	r, err := rule.Parse("rule.yaml", []byte(`kind: pattern
id: a
name: a
version: 1.0.0
severity: low
window: 1m
subs:
  query: {where: {dns.question.name|endswith: .top}, by: [source.ip]}
  login: {where: {event.dataset: [windows.security, "linux.*"], user.name|exists: true, not: {user.name: root}}, by: [source.ip]}
expr: query -> login
incident: {title: a}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fields string
		values []string
		want   string
	}{
		{"", nil, "query: no event came, login: no event came"},
		{"x", nil, "query: no DNS logs: no event had dns.question.name, login: no event had event.dataset"},
		{"dns.question.name event.dataset user.name source.ip", []string{"dns.log"}, "login: no event was there of which event.dataset is windows.security or linux.*"},
		{"dns.question.name event.dataset user.name", []string{"linux.auth"}, "query: no event had source.ip, login: no event had source.ip"},
		{"dns.question.name event.dataset source.ip", []string{"linux.auth"}, "login: no event had user.name"},
		{"dns.question.name event.dataset user.name source.ip", []string{"linux.auth"}, ""},
	} {
		a := &explain.Arrived{Fields: map[string]uint64{}, Values: map[string][]string{storage.FieldDataset: c.values}}
		for _, f := range strings.Fields(c.fields) {
			a.Fields[f], a.Events = 1, 1
		}
		var got []string
		for _, n := range explain.Missing(r, nil, a) {
			got = append(got, n.Sub+": "+n.Text)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("with %s:\n got %s\nwant %s", c.fields, strings.Join(got, ", "), c.want)
		}
	}
	if got := strings.Join(explain.Fields(r), " "); got != "dns.question.name event.dataset source.ip user.name" {
		t.Error(got)
	}
}
