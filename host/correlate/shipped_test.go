package correlate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
)

// TestShippedRules runs the inline tests of every shipped rule, and asks each rule for a test that fires and one that does not.
func TestShippedRules(t *testing.T) {
	files, err := filepath.Glob("../../modules/rules/*/*.yaml")
	files = slices.DeleteFunc(files, func(f string) bool { return filepath.Base(f) == "module.yaml" })
	if err != nil || len(files) < 80 {
		t.Fatalf("%d shipped rules, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := rule.Parse(name, src)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(r.NextSteps); n < 3 || n > 5 || r.Description == "" || len(r.FalsePositives) == 0 {
				t.Errorf("an analyst needs a description, 3 to 5 next steps (there are %d), and what looks alike", n)
			}
			for i := range r.Subs {
				if r.Subs[i].Title == "" {
					t.Errorf("sub %s has no title", r.Subs[i].Name)
				}
			}
			for i := range r.Subs {
				if r.Subs[i].Match.Code {
					return // tested by the vectors of its module
				}
			}
			match, err := detect.CaseMatcher(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := RunTests(r, match); err != nil {
				t.Fatal(err)
			}
			fires, quiet := false, false
			for _, c := range r.Tests {
				fires = fires || c.Incidents > 0
				quiet = quiet || c.Incidents == 0
			}
			if !fires || !quiet {
				t.Error("needs a test that fires and one that does not")
			}
		})
	}
}

// TestFailingCase: a case that does not come out says what was wanted, and where it stands.
func TestFailingCase(t *testing.T) {
	r := parse(t, `kind: pattern
id: x
name: n
version: 1.0.0
severity: low
subs: {a: {where: {s: a}}}
incident: {title: t}
tests:
  - {name: never, events: [{at: 0s, fields: {s: a}}], expect: {incidents: 0}}
`)
	match, err := detect.CaseMatcher(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := RunTests(r, match); err == nil || !strings.Contains(err.Error(), "rule.yaml:9: rule x: never: 1 incidents, want 0") {
		t.Fatal(err)
	}
}
