// Package api translates between the wire and the host: it says who asks, whether they may, and what went wrong, and
// decides nothing else.
package api

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Candidate is a package that a user wants to run.
type Candidate struct {
	Tenant   storage.Tenant // NoTenant for all organizations
	Package  registry.Artifact
	Settings string   // JSON
	Grants   []string // capability numbers
	Who      string
}

// Installed says what an installation did.
type Installed struct {
	Replaced string // digest of the version that ran before, or ""
	Cases    int    // of the package's own tests
}

// LogLine is one line of a module's log.
type LogLine struct {
	At          time.Time
	Level, Text string
}

// Control puts a control record into the log and waits until what it changed is stored. It may be called by many
// goroutines at once; the error is the record's outcome.
type Control interface {
	Control(ctx context.Context, c module.Control) error
}

// Modules installs packages and knows about them. It may be called by many goroutines at once, and the caller owns what
// it returns.
type Modules interface {
	Install(ctx context.Context, c Candidate) (Installed, error)
	// Shipped reports whether a digest came with the host.
	Shipped(digest string) bool
	// Log returns the newest lines of a module, oldest first; limit 0 for all.
	Log(digest string, limit int) []LogLine
}

// Config is what the API speaks for. All fields are needed but Secure.
type Config struct {
	Version  string
	Started  time.Time
	DB       *meta.DB
	Store    *logs.Store
	Pipeline *pipeline.Pipeline
	Queue    *queue.Queue
	Receiver *receive.Receiver
	Packages module.Packages
	Control  Control
	Modules  Modules
	Secure   bool            // the host is reached over TLS, and the session cookie never otherwise; default false
	Report   func(err error) // what only the host's log should tell in full
}

// API is the host's front.
type API struct {
	cfg    Config
	vitals *vitals
}

// New returns the front of a host.
func New(cfg Config) *API {
	return &API{cfg: cfg, vitals: newVitals(cfg.Pipeline, time.Now)}
}

// Run measures rates until ctx ends.
func (a *API) Run(ctx context.Context) { a.vitals.run(ctx) }

// Handler serves all services below /vedette.v1. It refuses what a browser sends for another site, so that the session
// cookie cannot be borrowed; programs, which send no such headers, are not concerned.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	common := connect.WithHandlerOptions(
		connect.WithInterceptors(&errorMapper{report: a.cfg.Report}),
		connect.WithRecover(recovered),
	)
	small := connect.WithReadMaxBytes(MaxRequestBytes)
	mux.Handle(vedettev1connect.NewAuthServiceHandler(authService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewEventServiceHandler(eventService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewHealthServiceHandler(healthService{a}, common, small))
	mux.Handle(vedettev1connect.NewIncidentServiceHandler(incidentService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewTenantServiceHandler(tenantService{a}, common, small))
	path, modules := vedettev1connect.NewModuleServiceHandler(moduleService{API: a}, common, small)
	_, install := vedettev1connect.NewModuleServiceHandler(moduleService{API: a}, common, connect.WithReadMaxBytes(MaxInstallBytes))
	mux.Handle(path, modules)
	mux.Handle(vedettev1connect.ModuleServiceInstallModuleProcedure, install)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		guarded.ServeHTTP(w, r)
	})
}
