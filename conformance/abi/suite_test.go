package conform

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/conformance/abi/guests"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/conformance/abi/reference"
)

// hostEnv makes the test's program the reference host.
const hostEnv = "VEDETTE_CONFORM_HOST"

func TestMain(m *testing.M) {
	if os.Getenv(hostEnv) != "" {
		h, err := reference.New(context.Background(), reference.Config{Version: "test"})
		if err == nil {
			err = protocol.Serve(context.Background(), h, os.Stdin, os.Stdout)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func inProcess(ctx context.Context) (protocol.Host, error) {
	return reference.New(ctx, reference.Config{Version: "test"})
}

// TestReferenceHost runs the whole suite against our own runtime in a process of its own, as any host would be.
func TestReferenceHost(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(hostEnv, "1")
	start := func(ctx context.Context) (protocol.Host, error) { return protocol.Start(ctx, os.Stderr, self) }
	rep, err := Hosts(t.Context(), HostConfig{Start: start, Each: func(r Result) {
		t.Logf("%-9s %s %4d cases %v", r.ID, r.Status, r.Cases, r.Took.Round(1e6))
		if r.Status != Pass {
			t.Errorf("%s: %s: %s", r.ID, r.Text, r.Detail)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Level != MaxLevel {
		t.Errorf("level %s", rep.LevelName())
	}
}

// TestPartial: a report of some requirements has no level.
func TestPartial(t *testing.T) {
	rep, err := Hosts(t.Context(), HostConfig{Start: inProcess, Only: regexp.MustCompile(`^host-1\.0[123]$`)})
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Partial || rep.Level != NoLevel || len(rep.Results) != 3 || rep.Passed != 3 {
		t.Errorf("%+v", rep)
	}
}

// TestRequirements: ids are in order and unique, clauses are clauses of the text, and what each is tried with is there.
func TestRequirements(t *testing.T) {
	text, err := os.ReadFile("../../sdk/ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	clauses := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:#+ )?(\d+(?:\.\d+)?)\.? `).FindAllSubmatch(text, -1) {
		clauses[string(m[1])] = true
	}
	hosts, err := HostRequirements()
	if err != nil {
		t.Fatal(err)
	}
	mods, err := ModuleRequirements()
	if err != nil {
		t.Fatal(err)
	}
	kinds, used := map[string]bool{}, map[string]bool{}
	for whose, all := range map[string][]Requirement{"host-": hosts, "module-": mods} {
		last := ""
		for i := range all {
			q := &all[i]
			id := strings.TrimPrefix(q.ID, whose)
			if id == q.ID || id <= last || q.Level() < 0 || q.Level() > MaxLevel || q.Text == "" || len(q.Clauses) == 0 {
				t.Errorf("%s after %s: its id, level, text or clauses are wrong", q.ID, last)
			}
			last = id
			for _, c := range q.Clauses {
				if !clauses[c] {
					t.Errorf("%s cites clause %s, which sdk/ABI.md does not have", q.ID, c)
				}
			}
			for _, k := range q.Kinds() {
				kinds[k] = true
			}
			checkOf(t, whose, q, used)
		}
	}
	for name := range hostChecks {
		if !used[name] {
			t.Errorf("the check %s belongs to no requirement", name)
		}
	}
	t.Logf("%d requirements of hosts, %d of modules, kinds of attack: %v", len(hosts), len(mods), slices.Sorted(func(yield func(string) bool) {
		for k := range kinds {
			if !yield(k) {
				return
			}
		}
	}))
}

func checkOf(t *testing.T, whose string, q *Requirement, used map[string]bool) {
	t.Helper()
	ways := 0
	for _, there := range []bool{q.Refuse != nil, q.Wild != nil, q.Steps != nil, q.Check != ""} {
		if there {
			ways++
		}
	}
	if ways != 1 {
		t.Errorf("%s is tried in %d ways", q.ID, ways)
	}
	if q.Check != "" {
		used[q.Check] = true
		if whose == "module-" && moduleChecks[q.Check].try == nil || whose == "host-" && hostChecks[q.Check] == nil {
			t.Errorf("%s: no check %q", q.ID, q.Check)
		}
	}
	var names []string
	if q.Refuse != nil {
		names = q.Refuse.Guests.all()
	}
	if q.Wild != nil {
		names = q.Wild.Guests.all()
	}
	for _, name := range names {
		if _, err := guests.Wasm(name); err != nil {
			t.Errorf("%s: %v", q.ID, err)
		}
	}
}

// TestHostileGuests: at least thirty guests are meant to hurt their host.
func TestHostileGuests(t *testing.T) {
	all, err := HostRequirements()
	if err != nil {
		t.Fatal(err)
	}
	hostile := map[string]bool{}
	for i := range all {
		for _, g := range []guestsByKind{refused(&all[i]), wildOf(&all[i])} {
			for _, name := range g.all() {
				hostile[name] = true
			}
		}
	}
	t.Logf("%d hostile guests", len(hostile))
	if len(hostile) < 30 {
		t.Errorf("only %d hostile guests", len(hostile))
	}
}

func refused(q *Requirement) guestsByKind {
	if q.Refuse == nil {
		return nil
	}
	return q.Refuse.Guests
}

func wildOf(q *Requirement) guestsByKind {
	if q.Wild == nil {
		return nil
	}
	return q.Wild.Guests
}
