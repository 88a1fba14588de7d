// Package host wires the parts of Vedette together; it is the only place that knows them all.
package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/notify"
	"github.com/vedette-siem/vedette/host/overview"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Version is the version of this host.
const Version = "0.1.0"

// Host is a running Vedette.
type Host struct {
	cfg      Config
	log      *slog.Logger
	started  time.Time
	tenants  map[string]storage.Tenant // by slug, as they were at start
	removed  []string                  // slugs of the configuration that somebody has removed
	password string                    // of the first start's admin

	queue    *queue.Queue
	db       *meta.DB
	packages module.Namespaces
	trust    *trust.Trust
	remote   *remote.Registry // nil: none is configured
	runtime  *runtime.Host
	store    *logs.Store
	library  *module.Library
	pipeline *pipeline.Pipeline
	costs    pipeline.Costs
	receiver *receive.Receiver
	tokens   *tenant.Tokens
	web      net.Listener
	lines    *moduleLog
	ships    []layout.Package // with this binary, until they are installed
	shipped  func() map[registry.Digest]bool
	previews *previews
	wake     chan struct{} // tells notify that a transaction was committed
	asked    chan struct{} // that a feed is to be asked now
	ready    chan struct{} // closed when the shipped modules run
	demo     demoFeed
	vault    *probe.Vault
	monitor  *monitor.Scheduler
	overview *overview.Overview

	tested     sync.Map     // digests of packages whose tests this process ran before they were installed
	collecting sync.RWMutex // read: something is stored that nothing refers to yet; write: what nothing refers to is removed
}

// New opens everything that is kept and binds every socket; nothing moves before Run. The caller closes a Host whether
// or not it ran. Errors say what could not be opened and, for a port or a directory in use, by whom.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Host, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, log: log, started: time.Now(), lines: newModuleLog(), wake: make(chan struct{}, 1), asked: make(chan struct{}, 1), ready: make(chan struct{}), shipped: sync.OnceValue(shippedDigests)}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	var shipped errgroup.Group
	shipped.Go(h.readShipped)
	for _, open := range []func(context.Context) error{h.openQueue, h.openMeta, h.openModules, h.openStore, h.openPipeline, h.openMonitors, h.openSockets} {
		if err := open(ctx); err != nil {
			return nil, errors.Join(err, shipped.Wait(), h.Close())
		}
	}
	if err := shipped.Wait(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) openQueue(ctx context.Context) (err error) {
	h.queue, err = queue.Open(ctx, queue.Config{
		Dir: h.cfg.DataDir, Shards: h.cfg.Queue.Shards, MaxBytes: h.cfg.Queue.MaxBytes, Linger: h.cfg.Queue.Linger, ShareBytes: h.cfg.Queue.ShareBytes,
		Meter: h.costs.Meter(pipeline.StageQueue),
	})
	return err
}

func (h *Host) openMeta(ctx context.Context) (err error) {
	h.db, err = meta.Open(ctx, meta.Config{Path: filepath.Join(h.cfg.DataDir, "vedette.db"), KeepEvents: time.Duration(h.cfg.Retention.Days) * 24 * time.Hour})
	if err != nil {
		return err
	}
	orgs := make([]tenant.Organization, len(h.cfg.Organizations))
	for i, o := range h.cfg.Organizations {
		orgs[i] = tenant.Organization{Slug: o.Slug, Name: o.Name, Demo: h.cfg.Demo && isDemo(o.Slug)}
	}
	s, err := tenant.Start(ctx, h.db, rand.Reader, orgs)
	if err != nil {
		return err
	}
	h.tenants, h.removed, h.password = s.Tenants, s.Removed, s.Password
	h.tokens = tenant.NewTokens(h.db, time.Now)
	return nil
}

func (h *Host) openModules(ctx context.Context) (err error) {
	if h.packages.Layout, err = layout.Open(filepath.Join(h.cfg.DataDir, "modules")); err != nil {
		return err
	}
	if err := h.openTrust(); err != nil {
		return err
	}
	fetch := &runtime.HTTP{}
	h.runtime, err = runtime.New(ctx, runtime.Config{
		CacheDir: filepath.Join(h.cfg.DataDir, "cache"), Fetch: fetch.Fetch, Log: h.lines.write,
		Compiler: h.cfg.Compiler, Trusted: modules.Ships,
	})
	if err != nil {
		return err
	}
	h.library = module.NewLibrary(h.packages, h.runtime, noTargets).With(table.Kept{From: h.db}).WithIndicators(indicator.Kept{From: h.db})
	h.previews = newPreviews()
	return nil
}

func (h *Host) openStore(ctx context.Context) (err error) {
	h.store, err = logs.Open(ctx, logs.Config{
		Dir: filepath.Join(h.cfg.DataDir, "logs"), RetentionDays: h.cfg.Retention.Days, MaxBytes: h.cfg.Retention.Bytes,
		MemoryBytes: h.cfg.LogMemoryBytes,
	})
	if err != nil {
		return err
	}
	for _, q := range h.store.Opened().Quarantined {
		h.log.Warn("part of the log store was broken and is set aside", "name", q.Name, "reason", q.Reason, "path", q.Path)
	}
	return nil
}

func (h *Host) openPipeline(ctx context.Context) (err error) {
	h.overview = overview.New()
	h.pipeline, err = pipeline.New(ctx, pipeline.Config{
		Dir: h.cfg.DataDir, Workers: h.cfg.Workers, CheckpointEvery: h.cfg.CheckpointEvery, KeepAll: h.cfg.Queue.KeepAll,
		Queue: h.queue, Store: h.store, DB: h.db, Library: h.library, Cost: &h.costs, Report: h.report, Quota: module.Quota(h.cfg.Quotas), Watch: h.overview,
		History: history{h.store}, Probation: h.cfg.Modules.Probation,
	})
	if err == nil {
		h.pipeline.OnCommit(func([]storage.Tenant) {
			select {
			case h.wake <- struct{}{}:
			default:
			}
		})
	}
	return err
}

func (h *Host) report(level pipeline.Level, text string, args ...any) {
	if level == pipeline.Warn {
		h.log.Warn(text, args...)
		return
	}
	h.log.Info(text, args...)
}

func (h *Host) openSockets(context.Context) (err error) {
	cfg := receive.Config{StateDir: h.cfg.DataDir, Meter: h.costs.Meter(pipeline.StageReceive)}
	for _, l := range h.cfg.Syslog {
		if slices.Contains(h.removed, l.Organization) {
			h.log.Warn("a listener stays closed: its organization was removed", "protocol", l.Protocol, "listen", l.Listen, "organization", l.Organization)
			continue
		}
		cfg.Listeners = append(cfg.Listeners, receive.Listener{Network: l.Protocol, Addr: l.Listen, Tenant: h.tenants[l.Organization]})
		if l.Cert != "" {
			cfg.CertFile, cfg.KeyFile = l.Cert, l.Key
		}
	}
	if h.receiver, err = receive.Open(cfg, h.queue, h.tokens); err != nil {
		return err
	}
	if h.web, err = net.Listen("tcp", h.cfg.HTTP); err != nil {
		return receive.PortTaken("tcp", h.cfg.HTTP)
	}
	return nil
}

// Password returns the password of the admin account that this start created, "" when there was one already.
func (h *Host) Password() string { return h.password }

// Addr returns the address of console and API.
func (h *Host) Addr() string { return h.web.Addr().String() }

// Ready returns when the log that was there at start has been processed and the shipped modules run.
func (h *Host) Ready(ctx context.Context) error {
	select {
	case <-h.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// IngestToken returns a new ingest token of an organization, in the place of an older one of the same name.
func (h *Host) IngestToken(ctx context.Context, slug, name string) (string, error) {
	t, ok := h.tenants[slug]
	if !ok {
		return "", fmt.Errorf("ingest token for organization %q: %w", slug, storage.ErrNotFound)
	}
	if err := h.db.RevokeIngestToken(ctx, t, name); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", err
	}
	return h.db.CreateIngestToken(ctx, t, name)
}

// Run moves events until ctx ends or something fails that only a restart can mend.
func (h *Host) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.pipeline.Run(ctx) })
	g.Go(func() error { return h.receiver.Run(ctx) })
	g.Go(func() error { return h.serveWeb(ctx) })
	sender, err := notify.New(notify.Config{
		Outbox: h.db, Jitter: mrand.Float64, Wake: h.wake, AllowPrivate: h.cfg.WebhookPrivateTargets,
		Failed: func(err error) { h.log.Warn("outbox", "error", err) },
	})
	if err != nil {
		return err
	}
	g.Go(func() error { sender.Run(ctx); return nil })
	g.Go(func() error { return h.prune(ctx) })
	g.Go(func() error {
		play, err := h.prepare(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was told to end; the next start installs the rest
			}
			return err
		}
		close(h.ready)
		g.Go(play)
		debug.FreeOSMemory() // compiling the shipped modules left several times what they need
		g.Go(func() error { h.watchTrust(ctx); return nil })
		g.Go(func() error { h.expireExceptions(ctx); return nil })
		g.Go(func() error { h.runFeeds(ctx); return nil })
		h.monitor.Run(ctx)
		return nil
	})
	return g.Wait()
}

// prepare does what is done once at start, beside the log that is read meanwhile. It returns what plays the demo.
func (h *Host) prepare(ctx context.Context) (play func() error, err error) {
	if err := h.seed(ctx); err != nil {
		return nil, err
	}
	for t := range h.pipeline.Generation().Running.Gone {
		h.receiver.Refuse(t) // the log was ahead of the database when the sockets were opened
	}
	if !h.cfg.Demo {
		return func() error { return nil }, nil
	}
	return h.prepareDemo(ctx)
}

// prune removes what is past its time.
func (h *Host) prune(ctx context.Context) error {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	collect := time.Now().Add(collectFirst)
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if _, err := h.db.Prune(ctx, now); err != nil && ctx.Err() == nil {
				h.log.Warn("remove what is past its time", "error", err)
			}
			h.pruneTables(ctx, now)
			h.tidyRegistry(ctx, now, &collect)
		}
	}
}

// pruneTables removes the content of tables that nothing needs any more.
func (h *Host) pruneTables(ctx context.Context, now time.Time) {
	used, known := h.pipeline.TablesInUse()
	if !known || h.cfg.Queue.KeepAll { // else a log that is kept whole could not be read again
		return
	}
	if _, err := h.db.PruneTableContents(ctx, now, used); err != nil && ctx.Err() == nil {
		h.log.Warn("remove tables that nobody uses", "error", err)
	}
}

// Close releases everything, in the order in which nothing is lost: what is in the log is safe, the store writes what
// it has, and the checkpoint then says that all of it is there.
func (h *Host) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	var errs []error
	if h.web != nil {
		h.web.Close()
	}
	if h.receiver != nil {
		h.receiver.Close()
	}
	if h.remote != nil {
		h.remote.Close()
	}
	if h.store != nil {
		seq, err := h.store.Close(ctx)
		errs = append(errs, err)
		if err == nil && h.pipeline != nil {
			errs = append(errs, h.pipeline.Settle(seq))
		}
	}
	if h.runtime != nil {
		errs = append(errs, h.runtime.Close(ctx))
	}
	if h.db != nil {
		errs = append(errs, h.db.Close())
	}
	if h.queue != nil {
		errs = append(errs, h.queue.Close())
	}
	return errors.Join(errs...)
}
