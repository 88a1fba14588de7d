// Package rules holds the shipped rules, each of which an analyst can act on at night.
package rules

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

var update = flag.Bool("update", false, "write the table of README.md")

// document is what this test looks at; host/rule reads the rest.
type document struct {
	ID             string
	Name           string
	Severity       string
	Description    string
	Techniques     []string
	DataSources    []string `yaml:"data_sources"`
	FalsePositives []string `yaml:"false_positives"`
	NextSteps      []string `yaml:"next_steps"`
	Containment    []string
	Eradication    []string
	References     []string
	Subs           yaml.MapSlice
	Incident       struct{ Title string }
	Clear          any
	Tests          []struct {
		Name   string
		Expect struct{ Incidents int }
	}
}

// pack is one folder.
type pack struct {
	dir      string
	manifest manifest.Manifest
	rules    []document
}

func read(t *testing.T) []pack {
	t.Helper()
	files, err := filepath.Glob("*/" + manifest.FileName)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d packages, %v", len(files), err)
	}
	var all []pack
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := pack{dir: filepath.Dir(file)}
		if p.manifest, err = manifest.Parse(file, src); err != nil {
			t.Fatal(err)
		}
		for _, name := range p.manifest.Entry.Documents {
			src, err := os.ReadFile(filepath.Join(p.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			var d document
			if err := yaml.Unmarshal(src, &d); err != nil {
				t.Fatalf("%s/%s: %v", p.dir, name, err)
			}
			p.rules = append(p.rules, d)
		}
		all = append(all, p)
	}
	return all
}

// untagged begins the sentence with which a rule says why it has no technique.
const untagged = "It has no technique: "

var placeholder = regexp.MustCompile(`\{[A-Za-z_.0-9]+(\|[^}]*)?\}`)

// TestAnalystsCanAct: every rule says what it needs, when it is wrong, what to do, and shows when it fires and when it does not.
func TestAnalystsCanAct(t *testing.T) {
	seen := map[string]string{}
	for _, p := range read(t) {
		listed := slices.Clone(p.manifest.Entry.Documents)
		there, _ := filepath.Glob(filepath.Join(p.dir, "*.yaml")) // the pattern is well formed
		for _, name := range there {
			if base := filepath.Base(name); base != manifest.FileName && !slices.Contains(listed, base) {
				t.Errorf("%s is not in the documents of its module.yaml", name)
			}
		}
		for i := range p.rules {
			d := &p.rules[i]
			if other := seen[d.ID]; other != "" {
				t.Errorf("%s: in %s and %s", d.ID, other, p.dir)
			}
			seen[d.ID] = p.dir
			d.check(t)
		}
	}
	if len(seen) < 80 {
		t.Errorf("%d rules are shipped, want 80 or more", len(seen))
	}
}

func (d *document) check(t *testing.T) {
	t.Helper()
	for name, list := range map[string][]string{
		"data_sources": d.DataSources, "false_positives": d.FalsePositives, "next_steps": d.NextSteps,
		"containment": d.Containment, "eradication": d.Eradication,
	} {
		if len(list) == 0 {
			t.Errorf("%s: no %s", d.ID, name)
		}
	}
	if n := len(d.NextSteps); n < 3 || n > 5 {
		t.Errorf("%s: %d next steps, want 3 to 5", d.ID, n)
	}
	if d.Description == "" || strings.Contains(d.Description, untagged) != (len(d.Techniques) == 0) {
		t.Errorf("%s: a description is needed, and either techniques or %q", d.ID, untagged)
	}
	for _, technique := range d.Techniques {
		if url := attack(technique); !slices.Contains(d.References, url) {
			t.Errorf("%s: the reference %s is missing", d.ID, url)
		}
	}
	for _, url := range d.References {
		if strings.HasPrefix(url, attack("")) && !slices.ContainsFunc(d.Techniques, func(x string) bool { return attack(x) == url }) {
			t.Errorf("%s: the reference %s is of no technique of the rule", d.ID, url)
		}
	}
	if !placeholder.MatchString(strings.ReplaceAll(strings.ReplaceAll(d.Incident.Title, ".count}", ""), "{count}", "")) {
		t.Errorf("%s: the title %q names nobody and nothing", d.ID, d.Incident.Title)
	}
	elsewhere := false // whether it fires is shown by code or by another rule
	for _, s := range d.Subs {
		sub, _ := s.Value.(map[string]any)
		elsewhere = elsewhere || sub["code"] == true || sub["rule"] != nil
		if sub["title"] == nil {
			t.Errorf("%s: sub %v has no title", d.ID, s.Key)
		}
	}
	fires, quiet := 0, 0
	for _, c := range d.Tests {
		if c.Expect.Incidents > 0 {
			fires++
		} else {
			quiet++
		}
	}
	if !elsewhere && (fires == 0 || quiet == 0) {
		t.Errorf("%s: %d tests fire, %d do not; want both", d.ID, fires, quiet)
	}
}

// attack is the page of a technique.
func attack(technique string) string {
	const root = "https://attack.mitre.org/techniques/"
	if technique == "" {
		return root
	}
	return root + strings.ReplaceAll(technique, ".", "/") + "/"
}

const (
	tableBegin = "<!-- table: go test ./modules/rules -update -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

// TestTable: README.md lists what is shipped.
func TestTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| Rule | Severity | Techniques | Needs |\n|---|---|---|---|\n")
	packs, full, rules := read(t), 0, 0
	for _, p := range packs {
		if len(p.rules) == 0 {
			continue // code that runs the rules of others
		}
		full++
		fmt.Fprintf(&b, "| **[%s](%s)** | | | |\n", cell(p.manifest.Title), p.dir)
		for i := range p.rules {
			d := &p.rules[i]
			rules++
			fmt.Fprintf(&b, "| `%s` %s | %s | %s | %s |\n", d.ID, cell(d.Name), d.Severity, strings.Join(d.Techniques, " "), cell(strings.Join(d.DataSources, "; ")))
		}
	}
	fmt.Fprintf(&b, "\n%d rules in %d packages.\n", rules, full)
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := bytes.Cut(text, []byte(tableBegin))
	have, tail, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok1 || !ok2 {
		t.Fatalf("README.md lacks the lines %q and %q", tableBegin, tableEnd)
	}
	if string(have) == b.String() {
		return
	}
	if !*update {
		t.Fatal("the table of README.md is not up to date: go test ./modules/rules -update")
	}
	text = slices.Concat(head, []byte(tableBegin), []byte(b.String()), []byte(tableEnd), tail)
	if err := os.WriteFile("README.md", text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
