package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unwatched is the Makefile's list of packages that are compiled without the race detector, over as many lines as it has.
var unwatched = regexp.MustCompile(`(?m)^UNWATCHED := ((?:.*\\\n)*.*)$`)

// prefixed is the one function of make that the list uses.
var prefixed = regexp.MustCompile(`\$\(addprefix ([^,]+),([^)]+)\)`)

// synchronizes is a symbol of a generic function of sync or sync/atomic. The linker keeps one copy of it for all packages
// that have the same. If that is one from a package which the race detector does not watch, it no longer sees what the
// others synchronize by it and reports races that are none.
var synchronizes = regexp.MustCompile(`\b(sync|atomic)\.`)

// What the race detector does not watch is not ours and shares no synchronization with what it does watch.
func TestUnwatchedOnlyComputes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	list := unwatched.FindStringSubmatch(string(text))
	if list == nil {
		t.Fatal("the Makefile has no UNWATCHED")
	}
	patterns := strings.ReplaceAll(list[1], "\\\n", " ")
	if m := prefixed.FindStringSubmatch(patterns); m != nil {
		patterns = prefixed.ReplaceAllString(patterns, m[1]+strings.Join(strings.Fields(m[2]), " "+m[1]))
	}
	args := append([]string{"list", "-export", "-f", "{{.ImportPath}}\t{{.Export}}"}, strings.Fields(patterns)...)
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	packages := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(packages) < len(strings.Fields(patterns)) {
		t.Fatalf("%v are %d packages", args, len(packages))
	}
	for _, p := range packages {
		name, file, _ := strings.Cut(p, "\t")
		if strings.HasPrefix(name, module) {
			t.Errorf("%s is ours: the race detector must watch it", name)
		}
		if file == "" {
			continue // of another architecture: no code
		}
		symbols, err := exec.CommandContext(t.Context(), "go", "tool", "nm", file).Output()
		if err != nil {
			t.Fatalf("the symbols of %s: %v", name, err)
		}
		for s := range strings.Lines(string(symbols)) {
			if strings.Contains(s, " T ") && strings.Contains(s, "go.shape") && synchronizes.MatchString(s) {
				t.Errorf("%s cannot be left out by the race detector: it has %.200s", name, s)
				break
			}
		}
	}
}
