package trust

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Reports keeps what was found out: storage/meta. It may be called by many goroutines at once.
type Reports interface {
	PutConformance(ctx context.Context, c meta.ConformanceReport) error
	Conformance(ctx context.Context, digest string) (meta.ConformanceReport, error)
}

// Order is a module to be tried.
type Order struct {
	Package  manifest.Package
	Settings []byte // JSON that it starts with; nil for none
}

// ChecksConfig says how modules are tried.
type ChecksConfig struct {
	Packages *layout.Layout
	Reports  Reports
	Try      func(ctx context.Context, o Order) (attest.Conformance, error) // runs the conformance suite; Process is one
	Host     string                                                         // this version of the host, with that of its meter
	Later    []string                                                       // publishers that have tried theirs: these wait for laterAfter and for all others
	Now      func() time.Time
}

// Checks tries what runs against the requirements that the ABI has for modules, one at a time, and knows what came of it.
// It may be used by many goroutines at once.
type Checks struct {
	cfg     ChecksConfig
	started time.Time
	turn    chan struct{} // of the one that is tried

	mu      sync.Mutex
	known   map[registry.Digest]*attest.Conformance // nil: there is none
	trouble map[registry.Digest]trouble
}

// trouble is why a module could not be tried.
type trouble struct {
	text string
	next time.Time
}

// NewChecks returns Checks that have found nothing yet but what is kept.
func NewChecks(cfg ChecksConfig) *Checks {
	return &Checks{cfg: cfg, started: cfg.Now(), turn: make(chan struct{}, 1), known: map[registry.Digest]*attest.Conformance{}, trouble: map[registry.Digest]trouble{}}
}

// Report returns what was found out about a version last, also by an older host; nil when it was not tried.
func (c *Checks) Report(ctx context.Context, d registry.Digest) (*attest.Conformance, error) {
	c.mu.Lock()
	r, ok := c.known[d]
	c.mu.Unlock()
	if ok {
		return r, nil
	}
	kept, err := c.cfg.Reports.Conformance(ctx, string(d))
	switch {
	case errors.Is(err, storage.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		found, err := attest.ParseConformance([]byte(kept.Report))
		if err != nil {
			return nil, fmt.Errorf("report about %s: %w", d.Short(), err)
		}
		r = &found
	}
	c.learn(d, r)
	return r, nil
}

func (c *Checks) learn(d registry.Digest, r *attest.Conformance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnownReports {
		clear(c.known) // they are read again
	}
	c.known[d] = r
	if r != nil {
		delete(c.trouble, d)
	}
}

// Trouble says why a version could not be tried; "" when it was, or nobody has begun.
func (c *Checks) Trouble(d registry.Digest) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble[d].text
}

// Check tries a version, after the one that is being tried, and keeps what is found. settings are those that it starts with
// if it takes no defaults.
func (c *Checks) Check(ctx context.Context, d registry.Digest, a *registry.Artifact, settings string) (*attest.Conformance, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	o := Order{Package: *a}
	if _, err := a.Manifest.CheckSettings(nil); err != nil {
		o.Settings = []byte(settings)
	}
	r, err := c.cfg.Try(ctx, o)
	if err == nil {
		r.Host, r.At = c.cfg.Host, c.cfg.Now().UTC().Truncate(time.Second)
		err = c.keep(ctx, d, &r)
	}
	if err != nil {
		return nil, fmt.Errorf("try the conformance of %s: %w", a.Manifest.Reference(), err)
	}
	return &r, nil
}

func (c *Checks) keep(ctx context.Context, d registry.Digest, r *attest.Conformance) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := c.cfg.Reports.PutConformance(ctx, meta.ConformanceReport{Digest: string(d), Host: r.Host, At: r.At.UnixNano(), Report: string(text)}); err != nil {
		return err
	}
	c.learn(d, r)
	return nil
}

// Watch tries whatever runs and was not tried by this version of the host, until ctx ends. It rests as long as it works, so
// that trying takes half a core at most. failed is told what could not be tried.
func (c *Checks) Watch(ctx context.Context, running func() module.Running, failed func(error)) {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
		began := c.cfg.Now()
		if err := c.step(ctx, running()); err != nil && ctx.Err() == nil {
			failed(err)
		}
		rest.Reset(max(lookEvery, c.cfg.Now().Sub(began)))
	}
}

// step tries one version, if there is one to try.
func (c *Checks) step(ctx context.Context, r module.Running) error {
	now := c.cfg.Now()
	for _, x := range c.due(r) {
		if now.Before(c.started.Add(laterAfter)) && c.later(x.name) {
			return nil // only such are left
		}
		d := registry.Digest(x.Digest)
		report, err := c.Report(ctx, d)
		if err != nil {
			return err
		}
		c.mu.Lock()
		wait := now.Before(c.trouble[d].next)
		c.mu.Unlock()
		if wait || report != nil && report.Host == c.cfg.Host {
			continue
		}
		pkg, err := c.cfg.Packages.In(registry.Namespace(x.tenant)).Pull(ctx, d)
		if err == nil {
			_, err = c.Check(ctx, d, &pkg, x.Settings)
		}
		if err != nil {
			c.mu.Lock()
			c.trouble[d] = trouble{err.Error(), now.Add(tryAgain)}
			c.mu.Unlock()
		}
		if errors.Is(err, registry.ErrNotFound) {
			continue // its package is no longer here
		}
		return err
	}
	return nil
}

// running is an install and whose it is.
type running struct {
	module.Install
	tenant storage.Tenant
	name   string
}

// due lists what runs, each content once: others' before those that were tried before they came, the newest first.
func (c *Checks) due(r module.Running) []running {
	var out []running
	seen := map[string]bool{}
	for _, t := range r.Tenants() {
		slots := r.Layer(t).Slots
		for _, name := range slices.Sorted(maps.Keys(slots)) {
			in := slots[name].Current
			if in.Digest != "" && !seen[in.Digest] {
				seen[in.Digest] = true
				out = append(out, running{in, t, name})
			}
		}
	}
	rank := func(x running) int {
		if c.later(x.name) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b running) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(b.Seq, a.Seq)) })
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.trouble, func(d registry.Digest, _ trouble) bool { return !seen[string(d)] })
	return out
}

func (c *Checks) later(name string) bool {
	publisher, _, _ := strings.Cut(name, "/")
	return slices.Contains(c.cfg.Later, publisher)
}

// Process returns what tries modules by a program: it is given the folder of its compiled code as its last argument and the
// order on its standard input, and writes the report as JSON. The program limits itself; here it has only so much time.
func Process(command []string, cacheDir string) func(context.Context, Order) (attest.Conformance, error) {
	return func(ctx context.Context, o Order) (attest.Conformance, error) {
		ctx, cancel := context.WithTimeout(ctx, MaxCheckTime)
		defer cancel()
		var in, out, said bytes.Buffer
		if err := o.write(&in); err != nil {
			return attest.Conformance{}, err
		}
		cmd := exec.CommandContext(ctx, command[0], append(slices.Clone(command[1:]), cacheDir)...) //nolint:gosec // our own binary
		cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &limited{&out, meta.MaxConformanceBytes}, &limited{&said, maxReasonBytes}
		cmd.Env = []string{"GOMAXPROCS=1"}
		cmd.WaitDelay = killDelay
		if err := cmd.Run(); ctx.Err() != nil {
			return attest.Conformance{}, fmt.Errorf("it took longer than %v: %w", MaxCheckTime, context.Cause(ctx))
		} else if err != nil {
			return attest.Conformance{}, fmt.Errorf("%w: %s", err, strings.ToValidUTF8(strings.TrimSpace(said.String()), "\uFFFD"))
		}
		return attest.ParseConformance(out.Bytes())
	}
}

// limited keeps the beginning of what is written.
type limited struct {
	to   *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.to.Write(p[:n])
	return len(p), nil
}

// write writes the settings as a line of JSON, and the package behind it.
func (o *Order) write(w *bytes.Buffer) error {
	if err := json.NewEncoder(w).Encode(o.Settings); err != nil {
		return err
	}
	return layout.Pack(o.Package, w)
}

// ReadOrder is the other end of Process.
func ReadOrder(r io.Reader) (Order, error) {
	var o Order
	b := bufio.NewReaderSize(r, 64<<10)
	line, err := b.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o.Settings)
	}
	if err == nil {
		o.Package, err = layout.Import(b)
	}
	if err != nil {
		return Order{}, fmt.Errorf("read the order: %w", err)
	}
	return o, nil
}
