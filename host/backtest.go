package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// Backtest says what a candidate would have made of the newest stored records and, when asked, of those that come while
// it runs beside the stream. Nothing of it is kept, stored or told to anybody. progress is called now and then from the
// caller's goroutine. Errors wrap storage.ErrInvalid, ErrForbidden, ErrExhausted or ErrUnavailable.
func (h *Host) Backtest(ctx context.Context, c api.Backtest, progress func(api.BacktestProgress)) (api.Backtested, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Shadow+backtestTime, fmt.Errorf("backtest: it takes longer than %v: %w", c.Shadow+backtestTime, storage.ErrExhausted))
	defer cancel()
	out, err := h.backtest(ctx, c, progress)
	if err == nil {
		return out, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return api.Backtested{}, cause
	}
	return api.Backtested{}, blamed(fmt.Errorf("backtest: %w", err))
}

func (h *Host) backtest(ctx context.Context, c api.Backtest, progress func(api.BacktestProgress)) (api.Backtested, error) {
	pkg, err := candidatePackage(c)
	if err != nil {
		return api.Backtested{}, err
	}
	waiting, stop := context.WithTimeoutCause(ctx, previewWait, fmt.Errorf("another one is running, and there was no room within %v: %w", previewWait, storage.ErrExhausted))
	defer stop()
	if err := take(waiting, h.previews.backtests); err != nil {
		return api.Backtested{}, err
	}
	leave := sync.OnceFunc(func() { <-h.previews.backtests })
	defer leave()
	m, err := h.prepareBacktest(ctx, c, pkg)
	if err != nil {
		return api.Backtested{}, err
	}
	if m.Code != nil {
		defer func() { _ = m.Code.Close(context.WithoutCancel(ctx)) }() // frees memory; there is nothing to do about an error
	}
	now := time.Now()
	events, truncated, err := h.storedEvents(ctx, c.Reader, logs.Query{From: now.Add(-c.Last), To: now.Add(time.Hour), Limit: c.Limit})
	if err != nil {
		return api.Backtested{}, err
	}
	for {
		b := &backtesting{Host: h, c: c, progress: progress}
		gen := h.pipeline.Generation()
		if b.test, err = b.begin(ctx, gen, m); err != nil {
			return api.Backtested{}, err
		}
		err := b.history(ctx, events)
		if errors.Is(err, runtime.ErrClosed) && gen != h.pipeline.Generation() {
			continue // another generation came into force meanwhile
		}
		if err == nil && c.Shadow > 0 {
			leave() // it takes minutes and little of the machine: others need not wait for it
			err = b.live(ctx)
		}
		b.out.Report = b.test.Report()
		b.out.Truncated = truncated
		return b.out, err
	}
}

// candidatePackage returns the package of a candidate, that of a spec without tests of its own.
func candidatePackage(c api.Backtest) (registry.Artifact, error) {
	if c.Package != nil {
		return *c.Package, c.Package.Check()
	}
	if _, problems := spec.Parse(c.Spec); len(problems) > 0 {
		return registry.Artifact{}, fmt.Errorf("spec, line %d: %s: %w", problems[0].Line, problems[0].Text, storage.ErrInvalid)
	}
	interpreter, err := modules.Interpreter()
	if err != nil {
		return registry.Artifact{}, err
	}
	return spec.Package(spec.About{Publisher: localPublisher, Name: c.Name}, c.Spec, interpreter, nil)
}

func (h *Host) prepareBacktest(ctx context.Context, c api.Backtest, pkg registry.Artifact) (*module.Loaded, error) {
	if pkg.Manifest.Kind == manifest.Monitor {
		return nil, fmt.Errorf("%s is a monitor: it reads no records, so there is nothing to compare: %w", pkg.Manifest.Reference(), storage.ErrInvalid)
	}
	settings, err := pkg.Manifest.CheckSettings([]byte(c.Settings))
	if err != nil {
		return nil, err
	}
	in := module.Install{Name: pkg.Manifest.Publisher + "/" + pkg.Manifest.Name, Digest: candidateDigest, Settings: string(settings)}
	in.Grants, _ = h.grants(&Candidate{Tenant: c.Tenant, Package: layout.Bare(pkg), Grants: c.Grants, Approver: c.Approver}, in.Name)
	m, err := h.library.Prepare(ctx, c.Tenant, in, pkg)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// storedEvents returns the newest stored events of a query by position.
func (h *Host) storedEvents(ctx context.Context, by storage.Principal, q logs.Query) (events []storage.Event, truncated bool, err error) {
	bytes := 0
	full := errors.New("enough")
	done, err := h.store.Search(ctx, by, q, func(rows []logs.Row) error {
		for i := range rows {
			e, err := rows[i].Event()
			if err != nil {
				return err
			}
			bytes += len(e.Raw)
			for _, f := range e.Fields {
				bytes += len(f.Name) + len(f.Value)
			}
			if bytes > backtest.MaxRecordBytes {
				return full
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil && !errors.Is(err, full) {
		return nil, false, err
	}
	slices.SortFunc(events, func(a, b storage.Event) int {
		switch {
		case a.ID.Less(b.ID):
			return -1
		case b.ID.Less(a.ID):
			return 1
		}
		return 0
	})
	return events, done.Truncated || err != nil, nil
}

// backtesting is one test on its way.
type backtesting struct {
	*Host
	c        api.Backtest
	test     *backtest.Test
	out      api.Backtested
	progress func(api.BacktestProgress)
	told     time.Time
}

// begin builds the generation that would run.
func (b *backtesting) begin(ctx context.Context, gen *module.Generation, m *module.Loaded) (*backtest.Test, error) {
	next, err := gen.Running.Apply(gen.Seq+1, time.Now().UnixNano(), module.Control{
		Kind: module.Activate, Tenant: m.Tenant, Name: m.Install.Name, Digest: m.Install.Digest, Settings: m.Install.Settings, Grants: m.Install.Grants,
	})
	if err != nil {
		return nil, err
	}
	then, err := module.Build(ctx, module.WithCandidate(b.library, m), gen, next, m.Tenant)
	if err != nil {
		return nil, err
	}
	return backtest.New(gen, then, m.Manifest.Kind == manifest.Parser), nil
}

func (b *backtesting) history(ctx context.Context, events []storage.Event) error {
	for from := 0; from < len(events); {
		to := from
		for to < len(events) && events[to].ID.Seq == events[from].ID.Seq {
			to++
		}
		if err := b.frame(ctx, events[from:to], "stored"); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// frame gives one frame to the test, with an instance of the modules that run: there is one more than the workers need.
func (b *backtesting) frame(ctx context.Context, events []storage.Event, phase string) error {
	if err := take(ctx, b.previews.live); err != nil {
		return err
	}
	err := b.test.Frame(ctx, events)
	<-b.previews.live
	if now := time.Now(); err == nil && now.Sub(b.told) >= backtestTell {
		b.told = now
		records, changed := b.test.SoFar()
		b.progress(api.BacktestProgress{Phase: phase, Records: records, Changed: changed})
	}
	return err
}

// live runs the candidate beside the stream for a while. It takes what it can: the stream does not wait for it.
func (b *backtesting) live(ctx context.Context) error {
	leave, err := b.previews.follow(b.c.Tenant)
	if err != nil {
		b.out.Ended = "it did not follow the stream: " + err.Error()
		return nil // what the stored records showed counts
	}
	defer leave()
	tail := b.pipeline.Tails.Follow(b.c.Reader)
	if tail == nil {
		return fmt.Errorf("too many readers follow the stream: %w", storage.ErrExhausted)
	}
	defer tail.Close()
	before, changed := b.test.SoFar()
	b.progress(api.BacktestProgress{Phase: "stored", Records: before, Changed: changed}) // what comes from here on is live
	defer func() {
		records, _ := b.test.SoFar()
		b.out.Live, b.out.Dropped = records-before, tail.Dropped()
	}()
	for end := time.After(b.c.Shadow); ; {
		select {
		case events := <-tail.C:
			err := b.frame(ctx, events, "live")
			if errors.Is(err, runtime.ErrClosed) {
				b.out.Ended = "another module was changed meanwhile; what was seen until then counts"
				return nil
			}
			if err != nil {
				return err
			}
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
