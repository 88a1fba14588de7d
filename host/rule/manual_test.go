package rule_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
)

// TestManual: every example of LANGUAGE.md is a rule, and its tests come out as they say.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("LANGUAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, line := 0, 1
	for i, part := range strings.Split(string(text), "```") {
		if src, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			examples++
			t.Run(fmt.Sprintf("LANGUAGE.md:%d", line), func(t *testing.T) { run(t, src) })
		}
		line += strings.Count(part, "\n")
	}
	if examples < 10 {
		t.Errorf("%d examples", examples)
	}
}

func run(t *testing.T, src string) {
	all, err := rule.ParseDocuments("example", []byte(src), rule.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		match, err := detect.CaseMatcher(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := correlate.RunTests(r, match); err != nil {
			t.Error(err)
		}
	}
}
