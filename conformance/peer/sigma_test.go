package peer

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	sigmago "github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
	ruleengine "github.com/markuskont/go-sigma-rule-engine"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Where the rules and events of other people are, to be measured with; they are no part of the project.
const (
	sigmaRules  = root + "/../shared/data/sigmahq-rules.tar.gz"
	sigmaEvents = root + "/../shared/data/evtx_matrix_pysigma_sqlite.jsonl.gz"
	sigmaMatrix = root + "/../shared/data/sigma_matrix_pysigma_sqlite.jsonl.gz"

	processRules = "rules/windows/process_creation"
	sysmon       = "Microsoft-Windows-Sysmon/Operational"
)

// TestBenchSigma matches public Sigma rules with recorded Windows events, beside the Go libraries that do.
func TestBenchSigma(t *testing.T) {
	b := newTable(t, "SIGMA RULES OVER RECORDED WINDOWS EVENTS, CPU OF ONE CORE")
	if _, err := os.Stat(sigmaRules); err != nil {
		b.figure("not measured", "there is no %s", sigmaRules)
		return
	}
	dir := unpack(t, sigmaRules)
	all := readNative(t, sigmaEvents)
	var processes []native
	for _, e := range all {
		if e.fields["Channel"] == sysmon && fmt.Sprint(e.fields["EventID"]) == "1" {
			processes = append(processes, e)
		}
	}
	process, every := rulesIn(t, filepath.Join(dir, processRules)), rulesIn(t, dir)
	ours := matchTime(t, b, fmt.Sprintf("all %d process_creation rules", len(process)), process, processes, 60_000)
	hundred := matchTime(t, b, "100 of them", process[:100], processes, 0)
	b.goal("from 100 to all", "<= 2.5 times", ours/hundred <= 2.5, "%.1f times", ours/hundred)
	hostile := matching(t, process, append(readNative(t, sigmaMatrix), processes...))
	matchTime(t, b, fmt.Sprintf("the same, only %d events that match", len(hostile)), process, hostile, 30_000)
	matchTime(t, b, fmt.Sprintf("all %d rules, all %d events", len(every), len(all)), every, all, 30_000)
	matchTime(t, b, "all rules, process creation only", every, processes, 0)
	peers := []float64{sigmaGo(t, b, filepath.Join(dir, processRules), processes), ruleEngine(t, b, filepath.Join(dir, processRules), processes)}
	best := slices.Min(peers)
	b.goal("beside the faster of them", ">= 500 times", best/ours >= 500, "%.0f times", best/ours)
}

// native is an event with the names of its source.
type native struct {
	fields map[string]any
	event  storage.Event
}

func readNative(t *testing.T, path string) (out []native) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 8<<20)
	names := map[string]string{} // names come again and again, as in a parser's events
	for lines.Scan() {
		var x struct{ Event map[string]any }
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		if x.Event == nil {
			continue
		}
		n := native{fields: x.Event}
		for _, k := range slices.Sorted(mapKeys(x.Event)) {
			if names[k] == "" {
				names[k] = k
			}
			n.event.Fields = append(n.event.Fields, storage.Field{Name: names[k], Value: fmt.Sprint(x.Event[k])})
		}
		out = append(out, n)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if !filepath.IsLocal(h.Name) || !strings.HasSuffix(h.Name, ".yml") {
			continue
		}
		text, err := io.ReadAll(r)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, h.Name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, h.Name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func rulesIn(t *testing.T, dir string) []*rule.Rule {
	t.Helper()
	m, err := rule.Native()
	if err != nil {
		t.Fatal(err)
	}
	f, err := rule.ReadFolder(os.DirFS(dir), rule.Options{Names: m})
	if err != nil {
		t.Fatal(err)
	}
	return f.Rules
}

// matching returns the events that match something.
func matching(t *testing.T, rules []*rule.Rule, events []native) (out []native) {
	t.Helper()
	set, err := detect.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	var sc detect.Scratch
	for _, e := range events {
		if len(set.Match(&e.event, &sc)) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// matchTime returns the CPU time of an event, in seconds, the best of several rounds.
func matchTime(t *testing.T, b *table, name string, rules []*rule.Rule, events []native, goal float64) float64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpu(t)
	set, err := detect.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	var sc detect.Scratch
	for i := range events {
		set.Match(&events[i].event, &sc)
	}
	if set, err = detect.CompileFor(rules, sc.Shares()); err != nil {
		t.Fatal(err)
	}
	compiled := (cpu(t) - start) / 2
	runtime.GC()
	runtime.ReadMemStats(&after)
	best := 0.0
	hits := 0
	for range rounds {
		hits = 0
		start := cpu(t)
		for i := range events {
			hits += len(set.Match(&events[i].event, &sc))
		}
		if took := (cpu(t) - start).Seconds() / float64(len(events)); best == 0 || took < best {
			best = took
		}
	}
	text := fmt.Sprintf("%.0f events/s (%.1f µs); an event: %.2f matches, %.1f sub-patterns looked at; compiled in %v, %d MB",
		1/best, best*1e6, float64(hits)/float64(len(events)), sc.Looked(), compiled.Round(time.Millisecond), (after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))>>20)
	if goal > 0 {
		b.goal(name, fmt.Sprintf(">= %.0f/s", goal), 1/best >= goal, "%s", text)
	} else {
		b.figure(name, "%s", text)
	}
	return best
}

const peerEvents = 40 // they are slow

// sigmaGo measures sigma-go's bundle of rules, which it searches together.
func sigmaGo(t *testing.T, b *table, dir string, events []native) float64 {
	t.Helper()
	var rules []sigmago.Rule
	skipped := 0
	files, _ := filepath.Glob(dir + "/*.yml")
	for _, file := range files {
		r, err := sigmago.ParseRule(read(t, file))
		if err != nil {
			skipped++
			continue
		}
		rules = append(rules, r)
	}
	bundle := evaluator.ForRules(rules)
	start := cpu(t)
	for i := range peerEvents {
		if _, err := bundle.Matches(t.Context(), events[i*len(events)/peerEvents].fields); err != nil {
			t.Fatal(err)
		}
	}
	each := (cpu(t) - start).Seconds() / peerEvents
	b.figure("sigma-go v0.6.6", "%.0f events/s (%.0f µs), %d rules, %d not understood", 1/each, each*1e6, len(rules), skipped)
	return each
}

// engineEvent is an event for go-sigma-rule-engine.
type engineEvent map[string]any

func (e engineEvent) Keywords() ([]string, bool) { return nil, false }

func (e engineEvent) Select(name string) (any, bool) { v, ok := e[name]; return v, ok }

// ruleEngine measures go-sigma-rule-engine, which asks each rule.
func ruleEngine(t *testing.T, b *table, dir string, events []native) float64 {
	t.Helper()
	set, err := ruleengine.NewRuleset(ruleengine.Config{Directory: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	start := cpu(t)
	for i := range peerEvents {
		set.EvalAll(engineEvent(events[i*len(events)/peerEvents].fields))
	}
	each := (cpu(t) - start).Seconds() / peerEvents
	b.figure("go-sigma-rule-engine v0.3.0", "%.0f events/s (%.0f µs), %d rules, %d not understood", 1/each, each*1e6, set.Ok, set.Failed+set.Unsupported)
	return each
}
