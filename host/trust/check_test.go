package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// bench tries modules for a world: it takes a minute for each.
type bench struct {
	mu      sync.Mutex
	kept    map[string]meta.ConformanceReport
	tried   []string
	level   int
	failure error
}

func (b *bench) PutConformance(_ context.Context, c meta.ConformanceReport) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[c.Digest] = c
	return nil
}

func (b *bench) Conformance(_ context.Context, digest string) (meta.ConformanceReport, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.kept[digest]
	if !ok {
		return c, storage.ErrNotFound
	}
	return c, nil
}

func (b *bench) try(ctx context.Context, o Order) (attest.Conformance, error) {
	select {
	case <-time.After(time.Minute):
	case <-ctx.Done():
		return attest.Conformance{}, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried = append(b.tried, o.Package.Manifest.Reference())
	return attest.Conformance{Level: b.level, Suite: "1.0", At: time.Now()}, b.failure
}

func (b *bench) set(level int, failure error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.level, b.failure, b.tried = level, failure, nil
}

func (b *bench) tries() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.tried, " ")
}

// checked returns a world's Trust that tries what runs, as version v of the host.
func (w *world) checked(b *bench, v, more string) *Trust {
	return w.open(func(c *Config) {
		c.Policy = w.strict(more)
		c.Checks = NewChecks(ChecksConfig{Packages: w.packages, Reports: b, Try: b.try, Host: v, Later: []string{"vedette"}, Now: time.Now})
	})
}

// during runs f while what runs is tried.
func during(t *testing.T, trusted *Trust, w *world, f func(failed func() int)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	failures := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		trusted.Check(ctx, w.runs, func(error) {
			mu.Lock()
			defer mu.Unlock()
			failures++
		})
	}()
	f(func() int {
		mu.Lock()
		defer mu.Unlock()
		return failures
	})
	stop()
	<-done
}

// pass waits for time of a bubble, which passes by itself.
func pass(d time.Duration) { <-time.After(d) }

func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), &bench{kept: map[string]meta.ConformanceReport{}, level: 3}
		trusted := w.checked(b, "vedette 1", "")
		shipped := registrytest.Module(t, "vedette/oven:1.0.0", "")
		d, err := w.packages.Push(t.Context(), shipped)
		if err == nil {
			err = w.act(t.Context(), module.Control{Kind: module.Activate, Name: "vedette/oven", Digest: string(d)})
		}
		if err != nil {
			t.Fatal(err)
		}
		during(t, trusted, w, func(failed func() int) {
			pass(61 * time.Second)
			if got := b.tries(); got != "acme/oven:1.0.0" {
				t.Errorf("first it tries %q", got)
			}
			pass(10 * time.Minute)
			if got := b.tries(); got != "acme/oven:1.0.0 vedette/oven:1.0.0" || failed() != 0 {
				t.Errorf("then it has tried %q, %d failures", got, failed())
			}
		})
		c, err := trusted.Conformance(t.Context(), 0, w.digest)
		if err != nil || c.Checked == nil || c.Checked.Level != 3 || c.Checked.Host != "vedette 1" || c.Attested != nil {
			t.Errorf("found: %+v, %v", c, err)
		}

		// A newer host tries again, and goes by the older report until it has.
		b.set(5, errors.New("no memory"))
		trusted = w.checked(b, "vedette 2", "")
		during(t, trusted, w, func(failed func() int) {
			pass(30 * time.Minute)
			if failed() != 2 {
				t.Errorf("%d failures, want one of each module and no more within the hour", failed())
			}
			if c, err := trusted.Conformance(t.Context(), 0, w.digest); err != nil || c.Checked.Level != 3 || !strings.Contains(c.Trouble, "no memory") {
				t.Errorf("while it cannot be tried: %+v, %v", c, err)
			}
			b.set(5, nil)
			pass(2 * time.Hour)
			if c, err := trusted.Conformance(t.Context(), 0, w.digest); err != nil || c.Checked.Level != 5 || c.Checked.Host != "vedette 2" || c.Trouble != "" {
				t.Errorf("after it was: %+v, %v", c, err)
			}
		})
	})
}

// A policy that wants a level goes by what this host has found.
func TestWantsConformance(t *testing.T) {
	const wants = ", require: {conformance: {level: 3}}"
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), &bench{kept: map[string]meta.ConformanceReport{}, level: 3}
		trusted := w.checked(b, "vedette 1", wants)
		pkg, err := w.packages.Package(t.Context(), w.digest)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := trusted.Running(t.Context(), 0, w.digest); err != nil || v.Stop {
			t.Errorf("what is about to be tried: %+v, %v", v, err)
		}
		if v, err := trusted.Judge(t.Context(), 0, &pkg, ""); err != nil || !v.Allow || b.tries() != "acme/oven:1.0.0" {
			t.Errorf("tried when it is installed: %+v, %v, %q", v, err, b.tries())
		}
		if v, err := trusted.Judge(t.Context(), 0, &pkg, ""); err != nil || !v.Allow || b.tries() != "acme/oven:1.0.0" {
			t.Errorf("not tried again: %+v, %v, %q", v, err, b.tries())
		}
		b.set(2, nil)
		trusted = w.checked(b, "vedette 2", wants)
		during(t, trusted, w, func(func() int) { pass(5 * time.Minute) })
		if v, err := trusted.Running(t.Context(), 0, w.digest); err != nil || !v.Stop || !strings.Contains(Reasons(v.Reasons), "it conforms to level L2, as checked on this host, and L3 is wanted") {
			t.Errorf("what conforms less: %+v, %v", v, err)
		}
		// What nobody else trusts is not tried.
		unsigned := layout.Bare(registrytest.Module(t, "acme/other:1.0.0", ""))
		b.set(5, nil)
		if v, err := trusted.Judge(t.Context(), 0, &unsigned, ""); err != nil || v.Allow || b.tries() != "" {
			t.Errorf("unsigned: %+v, %v, %q", v, err, b.tries())
		}
	})
}

// The tests below run this binary as the program that tries modules.
func checker(t *testing.T, test string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{self, "-test.run=^" + test + "$", "--"}
}

func isChild() bool { return len(os.Args) > 3 && os.Args[len(os.Args)-2] == "--" }

func TestCheckerProcess(t *testing.T) {
	if !isChild() {
		t.Skip("it is the other process of TestProcess")
	}
	o, err := ReadOrder(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := attest.Conformance{Level: 4, Suite: string(o.Settings), Host: o.Package.Manifest.Reference(), At: registrytest.Now}
	_ = json.NewEncoder(os.Stdout).Encode(c) // the parent sees
	os.Exit(0)
}

func TestCheckerFails(*testing.T) {
	if isChild() {
		fmt.Fprintln(os.Stderr, strings.Repeat("out of memory ", 10_000))
		os.Exit(2)
	}
}

func TestProcess(t *testing.T) {
	o := Order{Package: registrytest.Module(t, "acme/oven:1.0.0", ""), Settings: []byte(`{"a":1}`)}
	c, err := Process(checker(t, "TestCheckerProcess"), t.TempDir())(t.Context(), o)
	if err != nil || c.Level != 4 || c.Suite != `{"a":1}` || c.Host != "acme/oven:1.0.0" {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = Process(checker(t, "TestCheckerFails"), t.TempDir())(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "out of memory") || len(err.Error()) > 2*maxReasonBytes {
		t.Errorf("one that fails: %v", err)
	}
	if _, err = Process([]string{"/nonexistent"}, t.TempDir())(t.Context(), o); err == nil {
		t.Error("one that is not there")
	}
}

func FuzzReadOrder(f *testing.F) {
	var b bytes.Buffer
	o := Order{Package: registrytest.Module(f, "acme/oven:1.0.0", ""), Settings: []byte(`{}`)}
	if err := o.write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("null\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadOrder(bytes.NewReader(data)); err == nil && len(data) < 512 {
			t.Errorf("an order of %d bytes", len(data))
		}
	})
}

// Many ask while what runs is tried, and while somebody installs.
func TestChecksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), &bench{kept: map[string]meta.ConformanceReport{}, level: 3}
		trusted := w.checked(b, "vedette 1", ", require: {conformance: {level: 3}}")
		pkg, err := w.packages.Package(t.Context(), w.digest)
		if err != nil {
			t.Fatal(err)
		}
		during(t, trusted, w, func(func() int) {
			var g sync.WaitGroup
			for i := range 4 {
				g.Go(func() {
					for range 10 {
						if i == 0 {
							if v, err := trusted.Judge(t.Context(), 0, &pkg, ""); err != nil || !v.Allow {
								t.Errorf("%+v, %v", v, err)
							}
							continue
						}
						if _, err := trusted.Conformance(t.Context(), 0, w.digest); err != nil {
							t.Error(err)
						}
						pass(time.Second)
					}
				})
			}
			g.Wait()
		})
	})
}
