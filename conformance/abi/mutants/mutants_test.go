// Package mutants breaks the reference host on purpose, one thing at a time, and requires that the conformance suite
// notices: what no broken host fails is no test.
package mutants

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	conform "github.com/vedette-siem/vedette/conformance/abi"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

const (
	root    = "../../.."
	program = "./conformance/abi/mutants/broken"

	// patience is how long a broken host may take for an answer: one that hangs is caught as well after this time as after
	// the suite's own.
	patience = 4 * time.Second

	// wholeEnv runs the whole suite on each mutant and lists all requirements that notice, instead of the named one alone.
	wholeEnv = "VEDETTE_SOAK"
)

// mutant is a host that is broken in one way.
type mutant struct {
	Name   string `yaml:"name"`
	Caught string `yaml:"caught"` // id of the requirement that must fail
	Edit   `yaml:",inline"`
	Also   []Edit `yaml:"also"`
}

// Edit replaces Old, which stands once in File, by New.
type Edit struct {
	File string `yaml:"file"`
	Old  string `yaml:"old"`
	New  string `yaml:"new"`
}

func mutantsOf(tb testing.TB) []mutant {
	tb.Helper()
	text, err := os.ReadFile("mutants.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	var all []mutant
	if err := yaml.UnmarshalWithOptions(text, &all, yaml.Strict()); err != nil {
		tb.Fatal(err)
	}
	return all
}

// build makes the host with edits and returns its program.
func build(t *testing.T, edits []Edit) string {
	t.Helper()
	dir := t.TempDir()
	sources, replace := map[string]string{}, map[string]string{}
	for _, e := range edits {
		path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(e.File)))
		if err != nil {
			t.Fatal(err)
		}
		source, ok := sources[path]
		if !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source = string(b)
		}
		if n := strings.Count(source, e.Old); n != 1 {
			t.Fatalf("%s holds %q %d times: the source has changed, and this mutant with it", e.File, e.Old, n)
		}
		sources[path] = strings.Replace(source, e.Old, e.New, 1)
	}
	for path, source := range sources {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(replace[path], []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "broken")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", out, program)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return out
}

// failures runs the suite on a host and returns the requirements that fail.
func failures(t *testing.T, host string, only *regexp.Regexp) map[string]string {
	t.Helper()
	rep, err := conform.Hosts(t.Context(), conform.HostConfig{Only: only, Patience: patience, Start: func(ctx context.Context) (protocol.Host, error) {
		return protocol.Start(ctx, nil, host)
	}})
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]string{}
	for _, r := range rep.Results {
		if r.Status == conform.Fail {
			failed[r.ID] = r.Detail
		}
	}
	return failed
}

// TestMutants builds each broken host and requires that the suite fails it, by the requirement that it breaks.
func TestMutants(t *testing.T) {
	all := mutantsOf(t)
	table := make([]string, len(all))
	t.Run("each", func(t *testing.T) {
		for i, m := range all {
			t.Run(strings.ReplaceAll(m.Name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				host := build(t, append([]Edit{m.Edit}, m.Also...))
				only := regexp.MustCompile("^" + regexp.QuoteMeta(m.Caught) + "$")
				if os.Getenv(wholeEnv) != "" {
					only = nil
				}
				failed := failures(t, host, only)
				why, ok := failed[m.Caught]
				if !ok {
					t.Errorf("the suite does not notice: %s passes; these fail: %v", m.Caught, failed)
				}
				others := ""
				if len(failed) > 1 {
					others = fmt.Sprintf(" and %d more", len(failed)-1)
				}
				why, _, _ = strings.Cut(why, "\n")
				table[i] = fmt.Sprintf("%-52s %s%s  %.110s  (%v)", m.Name, m.Caught, others, why, time.Since(began).Round(time.Second))
			})
		}
	})
	t.Log("broken host -> requirement that fails\n" + strings.Join(table, "\n"))
}

// TestEveryRequirementHasItsMutant: a requirement without a broken host is listed here with its reason.
func TestEveryRequirementHasItsMutant(t *testing.T) {
	without := map[string]string{
		"host-0.09": "the engine refuses two exports of one name as well",
		"host-0.17": "the engine refuses these as well",
		"host-3.03": "its mutants are those of host-3.16: without the charge the storms still end",
		"host-3.05": "its mutant is that of host-3.16: without the charge the storm still ends",
	}
	all, err := conform.HostRequirements()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range mutantsOf(t) {
		have[m.Caught] = true
	}
	for _, q := range all {
		if have[q.ID] == (without[q.ID] != "") {
			t.Errorf("%s: has a broken host: %v; reason for having none: %q", q.ID, have[q.ID], without[q.ID])
		}
	}
}
