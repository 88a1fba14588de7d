package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// stages say to whom a profile's sample belongs: the first whose text is in one of the stack's functions.
var stages = []struct {
	name string
	any  []string
}{
	{"parse, in the sandbox", []string{"runtime._ExternalCode"}},
	{"parse, around it", []string{"host/pipeline.(*Parser)", "host/queue.(*Message).Frame", "host/queue.Message.Frame"}},
	{"detect", []string{"host/pipeline.(*worker).detect", "host/detect."}},
	{"store", []string{"storage/logs.", "VictoriaMetrics/lib/", "valyala/gozstd"}},
	{"incident", []string{"host/correlate.", "host/incident.", "storage/meta.", "modernc.org/", "host/pipeline.(*sequencer)"}},
	{"queue", []string{"host/queue.", "nats-io/"}},
	{"receive", []string{"host/receive.", "net/http."}},
	{"garbage collection", []string{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"}},
}

const restStage = "scheduler and the rest"

// TestBenchStages: where the CPU time of an event goes, by a profile of the whole process, so that nothing is left out.
func TestBenchStages(t *testing.T) {
	b := newTable(t, "CPU PER EVENT BY STAGE")
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	r := throughput(t, t.TempDir(), profile)
	shares, err := sharesOf(profile)
	if err != nil {
		t.Fatal(err)
	}
	perEvent := float64(r.used.Microseconds()) / float64(r.events)
	for _, s := range append(stages, struct {
		name string
		any  []string
	}{name: restStage}) {
		b.figure(s.name, "%.2f µs  (%.0f %%)", shares[s.name]*perEvent, shares[s.name]*100)
	}
	b.figure("all", "%.2f µs", perEvent)
	if keep := os.Getenv("VEDETTE_BENCH_PROFILE"); keep != "" {
		text, err := os.ReadFile(profile)
		if err == nil {
			err = os.WriteFile(keep, text, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func startProfile(t *testing.T, path string) (stop func()) {
	t.Helper()
	if path == "" {
		return func() {}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// sharesOf returns the share of each stage in a CPU profile.
func sharesOf(profile string) (map[string]float64, error) {
	text, err := exec.Command("go", "tool", "pprof", "-traces", profile).Output()
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	return classify(text), nil
}

// classify reads `go tool pprof -traces`: stacks divided by lines of dashes, the first line of each begins with its time.
func classify(traces []byte) map[string]float64 {
	sum := map[string]float64{}
	total := 0.0
	for _, stack := range bytes.Split(traces, []byte("\n-----------+")) {
		lines := bufio.NewScanner(bytes.NewReader(stack))
		lines.Scan() // the rest of the dashes
		if !lines.Scan() {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		d, err := time.ParseDuration(value)
		if err != nil {
			continue
		}
		sum[stageOf(stack)] += d.Seconds()
		total += d.Seconds()
	}
	for name := range sum {
		sum[name] /= total
	}
	return sum
}

func stageOf(stack []byte) string {
	for _, s := range stages {
		for _, text := range s.any {
			if bytes.Contains(stack, []byte(text)) {
				return s.name
			}
		}
	}
	return restStage
}

func TestClassify(t *testing.T) {
	got := classify([]byte(`File: x
Type: cpu
-----------+-------------------------------------------------------
      30ms   runtime.memmove
             github.com/vedette-siem/vedette/host/pipeline.(*Parser).segment
-----------+-------------------------------------------------------
      10ms   runtime.futex
             runtime.schedule
-----------+-------------------------------------------------------
`))
	if got["parse, around it"] != 0.75 || got[restStage] != 0.25 {
		t.Errorf("shares are %v", got)
	}
}
