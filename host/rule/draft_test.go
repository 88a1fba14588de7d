package rule_test

import (
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
)

// What a draft says works, its tests included, and nothing of the template is left in it.
func TestDraft(t *testing.T) {
	for _, l := range []rule.Language{rule.PatternLanguage, rule.SigmaLanguage} {
		text, err := rule.Draft(l, "ssh-guessing")
		if err != nil {
			t.Fatal(err)
		}
		if s := string(text); !strings.Contains(s, "Ssh guessing") || strings.Contains(s, "TITLE") || strings.Contains(s, "UUID") || strings.Contains(s, "NAME") {
			t.Errorf("%s", s)
		}
		rules, err := rule.ParseDocuments("rule.yaml", text, rule.Options{})
		if err != nil || len(rules) != 1 {
			t.Fatalf("%s: %d rules, %v", l, len(rules), err)
		}
		match, err := detect.CaseMatcher(rules[0])
		if err == nil {
			err = correlate.RunTests(rules[0], match)
		}
		if err != nil {
			t.Errorf("%s: %v", l, err)
		}
	}
	for _, bad := range []struct{ language, name string }{{"yara", "x"}, {"pattern", "Not An Id"}} {
		if _, err := rule.Draft(rule.Language(bad.language), bad.name); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
