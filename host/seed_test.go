package host

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// few are some of the packages that ship: a parser, a spec and rules.
func few(t testing.TB) (list []layout.Package) {
	t.Helper()
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if slices.Contains([]string{"kv", "haproxy", "ssh-brute-force", "password-spray", "web-attacks"}, p.Manifest.Name) {
			list = append(list, layout.Bare(p))
		}
	}
	return list
}

// later is a later version of a package that ships, with its documents changed.
func later(t testing.TB, p layout.Package, version string, changes ...string) layout.Package {
	t.Helper()
	a := p.Artifact
	a.Manifest.Version = version
	var err error
	if a.ManifestBytes, err = a.Manifest.Canonical(); err != nil {
		t.Fatal(err)
	}
	a.Documents = slices.Clone(a.Documents)
	for i := range a.Documents {
		a.Documents[i].Data = []byte(strings.NewReplacer(changes...).Replace(string(a.Documents[i].Data)))
	}
	if p = layout.Bare(a); p.Digest == "" {
		t.Fatalf("%s breaks a rule", a.Manifest.Reference())
	}
	return p
}

// sets returns which modules were activated together, by the position of the control record.
func sets(h *Host) map[uint64][]string {
	sets := map[uint64][]string{}
	for name, slot := range h.pipeline.Generation().Running.Layer(storage.NoTenant).Slots {
		sets[slot.Current.Seq] = append(sets[slot.Current.Seq], name)
	}
	return sets
}

// What ships is installed by one control record, once; a later start installs the new versions of what nobody has changed,
// and one that cannot run keeps none of the others from it.
func TestSeed(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	var said bytes.Buffer
	h.log = slog.New(slog.NewTextHandler(&said, nil))
	seed := func(list []layout.Package) map[uint64][]string {
		t.Helper()
		before := maps.Clone(sets(h))
		h.ships = list
		if err := h.seed(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := sets(h)
		maps.DeleteFunc(now, func(seq uint64, _ []string) bool { return before[seq] != nil })
		return now
	}
	list := few(t)
	if news := seed(list); len(news) != 1 || len(sets(h)) != 1 || len(slices.Concat(slices.Collect(maps.Values(news))...)) != len(list) {
		t.Fatalf("a first start: %v", news)
	}
	if news := seed(list); len(news) != 0 {
		t.Errorf("a second start changes something: %v", news)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.Disable, Name: "vedette/web-attacks", Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	at := func(name string) int {
		return slices.IndexFunc(list, func(p layout.Package) bool { return p.Artifact.Manifest.Name == name })
	}
	for _, name := range []string{"ssh-brute-force", "password-spray", "web-attacks"} {
		list[at(name)] = later(t, list[at(name)], "9.0.0")
	}
	news := seed(list)
	if names := slices.Concat(slices.Collect(maps.Values(news))...); len(news) != 1 || len(names) != 2 || slices.Contains(names, "vedette/web-attacks") {
		t.Errorf("new versions: %v", news)
	}
	list[at("ssh-brute-force")] = later(t, list[at("ssh-brute-force")], "9.1.0", "incidents: 1", "incidents: 7")
	list[at("password-spray")] = later(t, list[at("password-spray")], "9.1.0")
	list[at("haproxy")] = later(t, list[at("haproxy")], list[at("haproxy")].Artifact.Manifest.Version, "haproxy.", "other.")
	news = seed(list)
	if names := slices.Concat(slices.Collect(maps.Values(news))...); len(names) != 1 || names[0] != "vedette/password-spray" {
		t.Errorf("beside one that fails its tests and one that is another under the same number: %v", news)
	}
	if text := said.String(); strings.Count(text, "level=") != 2 || !strings.Contains(text, "a shipped module was refused") || !strings.Contains(text, "refused at its own tests") || !strings.Contains(text, "differs from the one of the same version") {
		t.Errorf("it is said: %s", text)
	}
}

// seedEnv is set for the child process that is killed during its first start: it names the data directory.
const seedEnv = "VEDETTE_SEED"

// A first start that is killed at any moment leaves nothing that the next one does not put right: all modules run, each
// activated by the same control record.
func TestSeedKilled(t *testing.T) {
	if dir := os.Getenv(seedEnv); dir != "" {
		beKilled(t, dir)
	}
	t.Parallel()
	list := few(t)
	moments := map[string]func(dir string) bool{
		"the database is there":    exists("vedette.db"),
		"the first code is stored": exists("modules/blobs/sha256/[0-9a-f]*"),
		"packages are named": func(dir string) bool {
			text, _ := os.ReadFile(filepath.Join(dir, "modules", "index.json")) // not there yet
			return bytes.Contains(text, []byte("vedette/kv"))
		},
		"code is compiled": exists("cache/meter-*/*/*"),
		"all is done":      func(string) bool { return false },
	}
	for when, reached := range moments {
		t.Run(when, func(t *testing.T) {
			dir := t.TempDir()
			killedAt(t, dir, reached)
			h, stop := begin(t, Config{DataDir: dir})
			defer stop()
			h.ships = list
			if err := h.seed(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := sets(h); len(got) != 1 || len(slices.Concat(slices.Collect(maps.Values(got))...)) != len(list) {
				t.Errorf("what runs: %v", got)
			}
			for _, p := range list {
				if d, err := h.packages.Resolve(t.Context(), registry.RefOf(&p.Artifact.Manifest)); err != nil || d != p.Digest {
					t.Errorf("%s is stored as %s: %v", p.Artifact.Manifest.Reference(), d, err)
				}
			}
		})
	}
}

func exists(pattern string) func(dir string) bool {
	return func(dir string) bool {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is well formed
		return len(found) > 0
	}
}

// killedAt runs a first start in a process of its own and kills it when something is reached, or when it is done.
func killedAt(t *testing.T, dir string, reached func(dir string) bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeedKilled$") //nolint:gosec // this program
	cmd.Env = append(os.Environ(), seedEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "seeded" {
				return
			}
		}
	}()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for limit := time.After(time.Minute); !reached(dir); {
		select {
		case <-poll.C:
			continue
		case <-done:
		case <-limit:
			t.Error("it is not done after a minute")
		}
		break
	}
	_ = cmd.Process.Kill() // fails when it has ended, which Wait tells
	<-done
	if err := cmd.Wait(); err == nil {
		t.Error("it ended before it was killed")
	}
}

// beKilled is the child: it seeds, says so, and waits for its end.
func beKilled(t *testing.T, dir string) {
	t.Helper()
	h, _ := begin(t, Config{DataDir: dir})
	h.ships = few(t)
	if err := h.seed(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString("seeded\n"); err != nil {
		t.Fatal(err)
	}
	select {}
}
