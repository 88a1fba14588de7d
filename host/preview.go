package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// previews bounds what trying parsers takes from the pipeline: a few run at once, of one organization one, and of those
// that borrow the modules that run, one: each has an instance more than the workers need, and no more.
type previews struct {
	slots     chan struct{}
	live      chan struct{}
	backtests chan struct{}

	mu sync.Mutex
	by map[storage.Tenant]*turns

	following map[storage.Tenant]bool // whose backtest follows the stream
}

// turns is an organization's place in the queue.
type turns struct {
	turn chan struct{}
	here int // that run or wait
}

func newPreviews() *previews {
	return &previews{slots: make(chan struct{}, maxPreviews), live: make(chan struct{}, 1), backtests: make(chan struct{}, maxBacktests), by: map[storage.Tenant]*turns{}, following: map[storage.Tenant]bool{}}
}

// follow lets a backtest follow the stream: one of each organization, and maxFollowing of all. The error wraps
// storage.ErrExhausted.
func (p *previews) follow(t storage.Tenant) (leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.following[t] {
		return nil, fmt.Errorf("one of organization %s follows the stream already: %w", t, storage.ErrExhausted)
	}
	if len(p.following) >= maxFollowing {
		return nil, fmt.Errorf("%d follow the stream already, no more are allowed: %w", maxFollowing, storage.ErrExhausted)
	}
	p.following[t] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.following, t)
	}, nil
}

// enter waits for an organization's turn. The caller calls leave when it is done. The error wraps storage.ErrExhausted
// when too many wait already or the wait was long.
func (p *previews) enter(ctx context.Context, t storage.Tenant) (leave func(), err error) {
	o := p.join(t)
	if o == nil {
		return nil, fmt.Errorf("preview: %d of organization %s run or wait already: %w", maxPreviewsPerTenant, t, storage.ErrExhausted)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, previewWait, fmt.Errorf("preview: no room within %v: %w", previewWait, storage.ErrExhausted))
	defer cancel()
	if err := take(ctx, o.turn); err != nil {
		p.part(t, o)
		return nil, err
	}
	if err := take(ctx, p.slots); err != nil {
		<-o.turn
		p.part(t, o)
		return nil, err
	}
	return func() {
		<-p.slots
		<-o.turn
		p.part(t, o)
	}, nil
}

// join counts a preview in; nil when the organization has too many.
func (p *previews) join(t storage.Tenant) *turns {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.by[t]
	if o == nil {
		o = &turns{turn: make(chan struct{}, 1)}
		p.by[t] = o
	}
	if o.here == maxPreviewsPerTenant {
		return nil
	}
	o.here++
	return o
}

func (p *previews) part(t storage.Tenant, o *turns) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.here--; o.here == 0 {
		delete(p.by, t)
	}
}

// take puts a token into a channel, which holds as many as may be out.
func take(ctx context.Context, c chan<- struct{}) error {
	select {
	case c <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Preview runs a candidate, or what runs now, on records and keeps nothing of it. Errors wrap storage.ErrInvalid,
// ErrForbidden, ErrNotFound, ErrExhausted or ErrUnavailable; a parser that fails on records is no error.
func (h *Host) Preview(ctx context.Context, c api.Preview) (api.Previewed, error) {
	leave, err := h.previews.enter(ctx, c.Tenant)
	if err != nil {
		return api.Previewed{}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, previewTime, fmt.Errorf("preview: it takes longer than %v: %w", previewTime, storage.ErrExhausted))
	defer cancel()
	began := time.Now()
	var out api.Previewed
	switch {
	case c.Package != nil:
		out, err = h.previewPackage(ctx, c.Tenant, *c.Package, c.Records)
	case c.Spec != nil:
		out, err = h.previewSpec(ctx, c.Tenant, c.Spec, c.Records)
	default:
		out, err = h.previewRunning(ctx, c.Tenant, c.Name, c.Records)
	}
	if out.Took = time.Since(began); err == nil {
		return out, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return api.Previewed{}, cause
	}
	return api.Previewed{}, blamed(fmt.Errorf("preview: %w", err))
}

// previewSpec tries a declarative parser by the way of any package. Loading one anew takes a few milliseconds, since the
// code is the same for all and compiled once: keeping them from one key stroke to the next would gain nothing.
func (h *Host) previewSpec(ctx context.Context, t storage.Tenant, text []byte, recs []queue.Record) (api.Previewed, error) {
	var out api.Previewed
	_, problems := spec.Parse(text)
	for _, p := range problems {
		out.Problems = append(out.Problems, &v1.Problem{Line: uint32(p.Line), Column: uint32(p.Column), Text: p.Text, Hint: p.Hint})
	}
	if len(problems) > 0 {
		return out, nil
	}
	interpreter, err := modules.Interpreter()
	if err != nil {
		return out, err
	}
	p, err := spec.Package(spec.About{Name: "preview"}, text, interpreter, nil)
	if err != nil {
		return out, err
	}
	return h.previewPackage(ctx, t, p, recs)
}

// previewPackage tries a package that is not installed.
func (h *Host) previewPackage(ctx context.Context, t storage.Tenant, p registry.Artifact, recs []queue.Record) (api.Previewed, error) {
	if err := p.Check(); err != nil {
		return api.Previewed{}, err
	}
	m, err := h.prepareTrial(ctx, t, p)
	if err != nil {
		return api.Previewed{}, err
	}
	defer func() { _ = m.Code.Close(context.WithoutCancel(ctx)) }() // frees memory; there is nothing to do about an error
	return tryOne(ctx, m, h.pipeline.Generation().View(t), recs)
}

// prepareTrial makes a parser's package ready to run. Parsers can ask for tables of the organization and nothing else.
func (h *Host) prepareTrial(ctx context.Context, t storage.Tenant, p registry.Artifact) (*module.Loaded, error) {
	if p.Manifest.Kind != manifest.Parser {
		return nil, fmt.Errorf("%s is a %s, and only parsers can be tried on records: %w", p.Manifest.Reference(), p.Manifest.Kind, storage.ErrInvalid)
	}
	if p.Manifest.Limits.MemoryPages > maxPreviewPages {
		return nil, fmt.Errorf("%s asks for %d pages of memory, a preview has %d: %w", p.Manifest.Reference(), p.Manifest.Limits.MemoryPages, maxPreviewPages, storage.ErrExhausted)
	}
	settings, err := p.Manifest.CheckSettings(nil)
	if err != nil {
		return nil, err
	}
	name := p.Manifest.Publisher + "/" + p.Manifest.Name
	m, err := h.library.Prepare(ctx, t, module.Install{Name: name, Settings: string(settings), Digest: candidateDigest, Grants: p.Manifest.Asks()}, p)
	if err == nil && m.Code == nil {
		err = fmt.Errorf("%s has no code: %w", p.Manifest.Reference(), storage.ErrInvalid)
	}
	return m, err
}

// previewRunning tries an installed parser or, without a name, all that records are routed to.
func (h *Host) previewRunning(ctx context.Context, t storage.Tenant, name string, recs []queue.Record) (api.Previewed, error) {
	if err := take(ctx, h.previews.live); err != nil {
		return api.Previewed{}, err
	}
	defer func() { <-h.previews.live }()
	for {
		gen := h.pipeline.Generation()
		out, err := tryRunning(ctx, gen, t, name, recs)
		if errors.Is(err, runtime.ErrClosed) && gen != h.pipeline.Generation() {
			continue // another generation came into force meanwhile
		}
		return out, err
	}
}

func tryRunning(ctx context.Context, gen *module.Generation, t storage.Tenant, name string, recs []queue.Record) (api.Previewed, error) {
	if name != "" {
		m := running(gen, t, name)
		if m == nil {
			return api.Previewed{}, fmt.Errorf("no parser %q runs for organization %s: %w", name, t, storage.ErrNotFound)
		}
		return tryOne(ctx, m, gen.View(t), recs)
	}
	var scratch module.RouteScratch
	view := gen.View(t)
	trial := pipeline.Trial{Tables: view}
	out, err := trial.Run(ctx, recs, func(r *queue.Record) []*module.Loaded {
		return view.Route(nil, r.Raw, r.Source.Listener, &scratch)
	})
	return api.Previewed{Records: out, Fuel: trial.Fuel}, err
}

// running returns the parser of a name that runs for an organization: its own, or else the shared one.
func running(gen *module.Generation, t storage.Tenant, name string) *module.Loaded {
	for _, layer := range []storage.Tenant{t, storage.NoTenant} {
		for _, m := range gen.Modules(layer) {
			if m.Name() == name && m.Manifest.Kind == manifest.Parser {
				return m
			}
		}
	}
	return nil
}

// notSelected is said of a record that a parser reads and would never be asked for.
const notSelected = "it reads this record but would not be asked for it: no signature of its manifest fits"

// tryOne tries one parser on all records, also on those that its signatures do not fit, and says of which that is so.
func tryOne(ctx context.Context, m *module.Loaded, tables runtime.Tables, recs []queue.Record) (api.Previewed, error) {
	ask := []*module.Loaded{m}
	trial := pipeline.Trial{Tables: tables}
	out, err := trial.Run(ctx, recs, func(*queue.Record) []*module.Loaded { return ask })
	if err != nil {
		return api.Previewed{}, err
	}
	router := module.NewRouter([]module.Candidate{{Name: m.Name(), Match: m.Manifest.Match}})
	var scratch module.Scratch
	for i := range out {
		to, _ := router.Route(nil, recs[i].Raw, recs[i].Source.Listener, &scratch)
		if len(to) == 0 && out[i].Failed == "" {
			out[i].Failed = notSelected
		}
	}
	return api.Previewed{Records: out, Fuel: trial.Fuel}, nil
}
