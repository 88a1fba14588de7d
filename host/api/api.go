// Package api translates between the wire and the host: it says who asks, whether they may, and what went wrong, and
// decides nothing else.
package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/overview"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Candidate is a package that a user wants to run.
type Candidate struct {
	Tenant    storage.Tenant // NoTenant for all organizations
	Package   layout.Package // with what vouches for it; of a reference the zero value
	Reference string         // of what stands in a registry, as of InstallModuleRequest
	Settings  string         // JSON
	Grants    []string       // capability numbers
	Who       string
	Approver  bool // who asks may grant capabilities
}

// Spec is a declarative parser that a user wants to run.
type Spec struct {
	Tenant  storage.Tenant // NoTenant for all organizations
	Name    string         // of the module, under the publisher of what people write here
	Version string         // "" for the next one
	Text    []byte         // YAML
	Samples [][]byte       // what it makes of them now becomes its tests
	Who     string
}

// Installed says what an installation did.
type Installed struct {
	Name     string // "publisher/name"
	Replaced string // digest of the version that ran before, or ""
	Cases    int    // of the package's own tests, and those that people saved
	Waiting  uint64 // number of the request that waits for approval; nothing was installed then
	Missing  []string
	Warnings []string // what it took away, and what speaks against it
	State    []string // what became of what its rules knew
	Trust    policy.Verdict
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
	// SetSettings has what runs go on with other settings, JSON.
	SetSettings(ctx context.Context, t storage.Tenant, name, settings, who string) (Installed, error)
	// InstallSpec makes a package of a declarative parser and installs that.
	InstallSpec(ctx context.Context, s Spec) (Installed, error)
	// Preview runs parsers on records and keeps nothing of it.
	Preview(ctx context.Context, p Preview) (Previewed, error)
	// Backtest says what a candidate would change, and keeps nothing of it.
	Backtest(ctx context.Context, c Backtest, progress func(BacktestProgress)) (Backtested, error)
	// Approve installs what an installation request asks for, Reject ends it.
	Approve(ctx context.Context, by storage.Principal, id uint64, note string) error
	Reject(ctx context.Context, by storage.Principal, id uint64, note string) error
	// SaveCase keeps an incident's events as a case on which its rule must not fire.
	SaveCase(ctx context.Context, by storage.Principal, incident string, shared bool) (meta.ModuleCase, error)
	// Shipped reports whether a digest came with the host.
	Shipped(digest string) bool
	// Trust says how far a version that runs for t, or for NoTenant for all, is trusted now.
	Trust(ctx context.Context, t storage.Tenant, digest string) (policy.Verdict, error)
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
	Rules    Rules
	Demo     Demo
	Monitors Monitors

	Indicators Indicators
	Rereader   Rereader
	Registry   Registry
	Overview   *overview.Overview
	HTTPAddr   string          // of the web server, "127.0.0.1:8080"
	DataDir    string          // whose disk is watched
	MaxBytes   int64           // retention of the log store by bytes; 0 for none
	Secure     bool            // the host is reached over TLS, and the session cookie never otherwise; default false
	Report     func(err error) // what only the host's log should tell in full
}

// API is the host's front.
type API struct {
	cfg     Config
	vitals  *vitals
	disk    *forecast
	watches watches
	clients *clients

	arrivals  *arrivals
	workloads *workloads
	proofs    *proofs
	packages  *packages
	dormant   *dormant
}

// New returns the front of a host.
func New(cfg Config) *API {
	return &API{cfg: cfg, clients: newClients(), arrivals: &arrivals{}, workloads: &workloads{}, proofs: &proofs{tested: tested(cfg.Rules)}, packages: &packages{}, dormant: &dormant{}, vitals: newVitals(cfg.Pipeline, time.Now), disk: &forecast{
		size: func() uint64 { return cfg.Store.Stats().DiskBytes }, free: func() uint64 { return freeBytes(cfg.DataDir) }, most: uint64(cfg.MaxBytes),
	}}
}

// Run measures rates, and runs the tests of rules again, until ctx ends.
func (a *API) Run(ctx context.Context) {
	var proving sync.WaitGroup
	defer proving.Wait()
	proving.Go(func() { a.proofs.run(ctx, a.cfg.Pipeline.Generation, a.cfg.Rules) })
	seconds, minutes := time.NewTicker(time.Second), time.NewTicker(sizeEvery)
	defer seconds.Stop()
	defer minutes.Stop()
	a.disk.add(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-seconds.C:
			a.vitals.add(a.vitals.take())
		case now := <-minutes.C:
			a.disk.add(now)
		}
	}
}

// Handler serves all services below /vedette.v1.
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
	mux.Handle(vedettev1connect.NewDemoServiceHandler(demoService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewSourceServiceHandler(sourceService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewAdmissionServiceHandler(admissionService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewBacktestServiceHandler(backtestService{API: a}, common, connect.WithReadMaxBytes(MaxInstallBytes)))
	mux.Handle(vedettev1connect.NewTableServiceHandler(tableService{API: a}, common, connect.WithReadMaxBytes(MaxInstallBytes)))
	mux.Handle(vedettev1connect.NewListServiceHandler(listService{API: a}, common, connect.WithReadMaxBytes(MaxIndicatorRequestBytes)))
	mux.Handle(vedettev1connect.NewRegistryServiceHandler(registryService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewMonitorServiceHandler(monitorService{API: a}, common, connect.WithReadMaxBytes(MaxMonitorRequestBytes)))
	mux.Handle(vedettev1connect.NewDashboardServiceHandler(dashboardService{API: a}, common, small))
	mux.Handle(vedettev1connect.NewRuleServiceHandler(ruleService{API: a}, common, connect.WithReadMaxBytes(MaxRuleRequestBytes)))
	mux.Handle(vedettev1connect.NewUsageServiceHandler(usageService{API: a}, common, small))
	path, modules := vedettev1connect.NewModuleServiceHandler(moduleService{API: a}, common, small)
	_, large := vedettev1connect.NewModuleServiceHandler(moduleService{API: a}, common, connect.WithReadMaxBytes(MaxInstallBytes))
	mux.Handle(path, modules)
	for _, procedure := range []string{
		vedettev1connect.ModuleServiceInstallModuleProcedure, vedettev1connect.ModuleServiceInstallSpecProcedure,
		vedettev1connect.ModuleServicePreviewModuleProcedure, vedettev1connect.ModuleServiceSuggestSpecProcedure,
	} {
		mux.Handle(procedure, large)
	}
	long := http.NewServeMux()
	long.Handle(vedettev1connect.RegistryServiceImportPackagesProcedure, timeBody(mux, ImportTimeout))
	long.Handle("/", timeBody(mux, BodyTimeout))
	return guard(long)
}
