package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// cli runs the tool and returns what it wrote and how it ended.
func cli(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// A rule is begun, tested, explained, broken, and written in another form, without a host.
func TestRuleWithoutHost(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "guessing.yaml")
	edit := func(name, from, to string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(b), from, to, 1)
		if text == string(b) {
			t.Fatalf("%q is not in the draft", from)
		}
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		args func() []string
		code int
		want []string // of what it writes
	}{
		{func() []string { return []string{"new", "guessing", "-o", file} }, 0, []string{"written to"}},
		{func() []string { return []string{"new", "guessing", "-o", file} }, 1, []string{"exists"}},
		{func() []string { return []string{"new", "Bad Name"} }, 1, []string{"want lower-case letters"}},
		{func() []string { return []string{"new", "x", "--language", "yara"} }, 1, []string{"want pattern or sigma"}},
		{func() []string { return []string{"check", file} }, 0, []string{"1 rules of 1 files, 0 faults"}},
		{func() []string { return []string{"test", "-v", file} }, 0, []string{"ok    ", "2 tests passed, 0 failed"}},
		{func() []string { return []string{"explain", dir} }, 0, []string{"event.outcome is failure and user.name is there; count() >= 10 within 10m; for each source.ip", "fires: failed, then entered within 10m", "looks at event.category, event.outcome, source.ip, user.name"}},
		{func() []string { return []string{"check", edit("a.yaml", "severity: medium", "severity: dire")} }, 1, []string{"a.yaml:5:11: severity \"dire\"", "\n  severity: dire # informational", "\n            ^"}},
		{func() []string { return []string{"test", edit("a.yaml", "count() >= 10", "count() >= 11")} }, 1, []string{"FAIL", "0 incidents, want 1", "at 0s to 45s (10 times)", "entered: no\n          event.outcome is success; the event has failure", "1 tests passed, 1 failed"}},
		{func() []string { return []string{"export", "--as", "pattern", file} }, 0, []string{"kind: pattern", "failed -> entered"}},
		{func() []string { return []string{"export", file} }, 0, []string{"<Rules>", "FOLLOWED_BY"}},
		{func() []string { return []string{"export", "--as", "yara", file} }, 1, []string{"want fortisiem or pattern"}},
		{func() []string { return []string{"check", filepath.Join(dir, "nothing.yaml")} }, 1, []string{"no such file"}},
	} {
		args := append([]string{"rule"}, c.args()...)
		code, text := cli(t, args...)
		if code != c.code {
			t.Errorf("%q ended with %d: %s", args, code, text)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q: no %q in\n%s", args, want, text)
			}
		}
	}
}

// Rules of FortiSIEM become documents that pass as rules; what is there is not replaced.
func TestRuleImportFortiSIEM(t *testing.T) {
	out := t.TempDir()
	from := filepath.Join("..", "..", "rule", "fortisiem", "testdata", "logins.xml")
	_, text := cli(t, "rule", "import", "fortisiem", from, "--out", out)
	if !strings.Contains(text, "rules written to") {
		t.Fatal(text)
	}
	if code, text := cli(t, "rule", "check", out); code != 0 {
		t.Error(text)
	}
	if code, text := cli(t, "rule", "import", "fortisiem", from, "--out", out); code != 1 || !strings.Contains(text, "exists") {
		t.Error(code, text)
	}
}

// What the host says of a rule is printed so that no sender's text acts on the terminal.
func TestShowWhy(t *testing.T) {
	var b bytes.Buffer
	showWhy(&b, &v1.ExplainEventResponse{
		Verdict: &v1.EventVerdict{
			Rule: "r", RuleName: "Guessing", Notes: []string{"an exception selects it: scanner"},
			Subs: []*v1.SubVerdict{
				{Sub: "a", Title: "a failed login", Matches: true, Tests: []*v1.TestVerdict{{Text: "x is y; the event has y"}}},
				{Sub: "b", Tests: []*v1.TestVerdict{{Text: "x is z; the event has \x1b[2J"}}},
			},
		},
		State: &v1.RuleKeyState{Key: map[string]string{"user.name": "eve", "source.ip": "192.0.2.1"}, Steps: []string{"a: 2 of 3 events within 1m0s"}},
	})
	want := `the event takes no part in Guessing (r)
  an exception selects it: scanner
  a failed login: yes
    x is y; the event has y
  b: no
    x is z; the event has \x1b[2J
  now, for source.ip=192.0.2.1, user.name=eve
    a: 2 of 3 events within 1m0s
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	r := &v1.Rule{Id: "r", Off: "switched off", Tests: &v1.RuleTests{}, Reach: &v1.RuleReach{
		Missing: []*v1.RuleNeed{{Text: "no event had a"}, {Text: "no event had a"}}, Lists: []string{"vips"},
	}, Techniques: []*v1.Technique{{Id: "T1110"}}, Use: &v1.RuleUse{FiresDay: 3}}
	rec := ruleRecord(r)
	if got := strings.Join(rec["remarks"].([]string), "; "); got != "no event had a; no list vips; no tests" || rec["state"] != "switched off" || rec["fires_24h"] != uint64(3) {
		t.Errorf("%v", rec)
	}
}
