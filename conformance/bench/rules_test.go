package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// sigmaRules are other people's, to be measured with; they are no part of the project.
const sigmaRules = "../../../shared/data/sigmahq-rules.tar.gz"

// TestBenchRules: from the moment at which an event was due to be sent to its incident's frame in a websocket, at 5,000 events
// a second, with all public Sigma rules on beside the shipped ones.
func TestBenchRules(t *testing.T) {
	b := newTable(t, "LATENCY WITH ALL PUBLIC SIGMA RULES ON")
	if _, err := os.Stat(sigmaRules); err != nil {
		b.figure("not measured", "there is no %s", sigmaRules)
		return
	}
	dir := t.TempDir()
	rules, pkg, bin := filepath.Join(dir, "rules"), filepath.Join(dir, "sigma"), filepath.Join(dir, "vedette")
	if err := os.Mkdir(rules, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"tar", "-xzf", sigmaRules, "-C", rules}, {"go", "build", "-o", bin, "../../host/cmd/vedette"}, {bin, "rule", "import", "sigma", rules, "--out", pkg},
	} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	p, err := manifest.ReadFolder(pkg, os.DirFS(pkg), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := startHost(t, filepath.Join(dir, "data"))
	h.plant()
	began := time.Now()
	if _, err := h.Install(t.Context(), host.Candidate{Tenant: storage.NoTenant, Package: layout.Bare(p), Who: "bench"}); err != nil {
		t.Fatal(err)
	}
	b.figure("installing them live", "%v, %d files", time.Since(began).Round(time.Millisecond), len(p.Documents))
	before := cpu()
	r := runLoad(t, loadSpec{
		URL: h.url, Session: h.session, Senders: h.senders(5_000, 0, 0), For: latencyFor, Plant: latencyPlant, Settle: latencyWait,
	})
	h.drain()
	used := cpu() - before
	if len(r.Latencies) < r.Planted {
		t.Errorf("%d of %d planted events arrived", len(r.Latencies), r.Planted)
	}
	p99 := quantile(r.Latencies, 0.99)
	b.goal("5000 events/s, event to incident", "p99 < 1 s", p99 < time.Second && r.Refused == 0, "median %v, p99 %v of %d; refused %d, host CPU %.0f %% of a core",
		quantile(r.Latencies, 0.5).Round(time.Millisecond/10), p99.Round(time.Millisecond/10), len(r.Latencies), r.Refused, 100*used.Seconds()/latencyFor.Seconds())
	h.close()
}
