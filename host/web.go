package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"time"

	"github.com/vedette-siem/vedette/console"
	"github.com/vedette-siem/vedette/console/live"
	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/policy"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Timeouts of the web server. Answers have none: a search may stream for long, and each has its own bound.
const (
	headerTimeout   = 10 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = time.Second
	maxHeaderBytes  = 64 << 10
)

// serveWeb serves console, API, live updates and HTTP ingest until ctx ends.
func (h *Host) serveWeb(ctx context.Context) error {
	front := api.New(api.Config{
		Version: Version, Started: h.started, DB: h.db, Store: h.store, Pipeline: h.pipeline, Queue: h.queue, Receiver: h.receiver,
		Packages: h.packages, Control: h, Modules: apiModules{h}, Rules: apiRules{apiModules{h}}, Demo: apiDemo{h}, Monitors: apiMonitors{h}, Indicators: apiIndicators{h}, Rereader: h, Registry: apiRegistry{h}, Overview: h.overview,
		HTTPAddr: h.Addr(), DataDir: h.cfg.DataDir, MaxBytes: h.cfg.Retention.Bytes, Secure: h.cfg.HTTPCert != "",
		Report: func(err error) { h.log.Error("a request failed", "error", err) },
	})
	oci, err := front.OCI(h.ociServer())
	if err != nil {
		return err
	}
	hub := live.NewHub(live.Config{
		Feed: feed{h.db}, Health: front.Live, Viewer: viewer(front), Report: func(err error) { h.log.Warn("live updates", "error", err) },
	})
	defer hub.Close()
	h.pipeline.OnCommit(func(changed []storage.Tenant) {
		tenants := make([]uint32, len(changed))
		for i, t := range changed {
			tenants[i] = uint32(t)
		}
		hub.Notify(tenants)
	})

	mux, services := http.NewServeMux(), front.Handler()
	for _, service := range []string{"Admission", "Auth", "Backtest", "Dashboard", "Demo", "Event", "Health", "Incident", "List", "Module", "Monitor", "Registry", "Rule", "Table", "Source", "Tenant", "Usage"} {
		mux.Handle("/vedette.v1."+service+"Service/", services)
	}
	mux.Handle("/v2/", oci)
	mux.Handle("/v1/ingest", h.receiver.HTTP())
	mux.Handle("GET /live", hub)
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.Handle("/", console.Handler())
	server := &http.Server{
		Handler: h.transport(mux), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: stdlog.New(io.Discard, "", 0), // what strangers do wrong is no news; receive counts what concerns records
	}

	measured := make(chan struct{})
	go func() {
		defer close(measured)
		front.Run(ctx)
	}()
	served := make(chan error, 1)
	go func() {
		if h.cfg.HTTPCert != "" {
			served <- server.ServeTLS(h.web, h.cfg.HTTPCert, h.cfg.HTTPKey)
			return
		}
		served <- server.Serve(h.web)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve the console: %w", err)
	case <-ctx.Done():
	}
	hub.Close()
	stop, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		server.Close() // tails and long searches are cut
	}
	<-measured
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the console: %w", err)
	}
	return nil
}

// transport tells browsers that have come over TLS never to come without it again.
func (h *Host) transport(next http.Handler) http.Handler {
	if h.cfg.HTTPCert == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// viewer says who a live connection is of, by the same session as the API.
func viewer(front *api.API) func(*http.Request) (live.Viewer, error) {
	return func(r *http.Request) (live.Viewer, error) {
		p, err := front.Principal(r.Context(), r.Header)
		if err == nil {
			p, err = api.Narrow(p, tenant.ReadIncidents, nil)
		}
		if err != nil {
			return live.Viewer{}, err
		}
		v := live.Viewer{User: p.User, Tenants: make([]uint32, len(p.Tenants))}
		for i, t := range p.Tenants {
			v.Tenants[i] = uint32(t)
		}
		return v, nil
	}
}

// feed shows the database to the live updates. The hub has checked that the viewer may see the organization.
type feed struct{ db *meta.DB }

func (f feed) Changes(ctx context.Context, tenant uint32, after uint64, limit int) (live.Changes, error) {
	ch, err := f.db.Changes(ctx, storage.Tenant(tenant), after, limit)
	if err != nil {
		return live.Changes{}, err
	}
	out := live.Changes{Next: ch.Next, Gap: ch.Gap, Incidents: make([]*v1.Incident, len(ch.List))}
	for i := range ch.List {
		out.Incidents[i] = api.Summary(&ch.List[i].Incident)
	}
	return out, nil
}

func (f feed) LastCursor(ctx context.Context, tenant uint32) (uint64, error) {
	return f.db.LastCursor(ctx, storage.Tenant(tenant))
}

func (f feed) List(ctx context.Context, tenant uint32, page string, limit int) ([]*v1.Incident, string, error) {
	reader := storage.Principal{User: byVedette, Role: storage.RoleReadOnly, Tenants: []storage.Tenant{storage.Tenant(tenant)}}
	got, err := f.db.ListIncidents(ctx, reader, meta.IncidentQuery{Limit: limit, Cursor: page})
	if err != nil {
		return nil, "", err
	}
	out := make([]*v1.Incident, len(got.Incidents))
	for i := range got.Incidents {
		out[i] = api.Summary(&got.Incidents[i])
	}
	return out, got.Next, nil
}

// apiModules shows the host's modules to the API.
type apiModules struct{ *Host }

func (m apiModules) Install(ctx context.Context, c api.Candidate) (api.Installed, error) {
	if c.Reference != "" {
		var err error
		if c.Package, err = m.fetch(ctx, c.Tenant, c.Reference); err != nil {
			return api.Installed{}, fmt.Errorf("install %s: %w", c.Reference, err)
		}
	}
	done, err := m.Host.Install(ctx, Candidate{Tenant: c.Tenant, Package: c.Package, Settings: c.Settings, Grants: c.Grants, Who: c.Who, Approver: c.Approver})
	return shown(&done), err
}

func shown(done *Installed) api.Installed {
	return api.Installed{
		Name: done.Install.Name, Replaced: done.Replaced, Cases: done.Cases, Waiting: done.Waiting, Missing: done.Missing, Warnings: done.Warnings, State: done.State, Trust: done.Trust,
	}
}

func (m apiModules) SetSettings(ctx context.Context, t storage.Tenant, name, settings, who string) (api.Installed, error) {
	done, err := m.Host.SetSettings(ctx, t, name, settings, who)
	return shown(&done), err
}

func (m apiModules) Approve(ctx context.Context, by storage.Principal, id uint64, note string) error {
	_, err := m.Host.Approve(ctx, by, id, note)
	return err
}

func (m apiModules) Shipped(digest string) bool { return m.shipped()[registry.Digest(digest)] }

func (m apiModules) Trust(ctx context.Context, t storage.Tenant, digest string) (policy.Verdict, error) {
	return m.trust.Running(ctx, t, registry.Digest(digest))
}

func (m apiModules) Log(digest string, limit int) []api.LogLine {
	lines := m.lines.of(digest, limit)
	out := make([]api.LogLine, len(lines))
	for i, l := range lines {
		out[i] = api.LogLine(l)
	}
	return out
}

// healthz answers 200 once the log that was there at start has been processed and the shipped modules run. Records are
// taken before that too: they wait in the log.
func (h *Host) healthz(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-h.ready:
		_, _ = io.WriteString(w, "ok\n") // who asked may be gone
	default:
		http.Error(w, "starting", http.StatusServiceUnavailable)
	}
}
