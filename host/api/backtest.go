package api

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

// Backtest asks what a candidate would change. One of Package and Spec is set.
type Backtest struct {
	Tenant   storage.Tenant // whose it would be; NoTenant for all
	Package  *registry.Artifact
	Spec     []byte // of a declarative parser, YAML
	Name     string // of a parser that is given by its spec
	Settings string
	Grants   []string
	Approver bool              // who asks may grant capabilities
	Reader   storage.Principal // whose records are looked at
	Last     time.Duration
	Limit    int // records
	Shadow   time.Duration
}

// BacktestProgress is how far a test has come.
type BacktestProgress struct {
	Phase            string // stored or live
	Records, Changed int
}

// Backtested is what a test found.
type Backtested struct {
	backtest.Report
	Live    int    // of the records, those from the stream
	Dropped uint64 // events of the stream that it was too slow for
	Ended   string // why it ended early
}

type backtestService struct {
	*API
	vedettev1connect.UnimplementedBacktestServiceHandler
}

func (s backtestService) BacktestModule(ctx context.Context, req *connect.Request[v1.BacktestModuleRequest], stream *connect.ServerStream[v1.BacktestModuleResponse]) error {
	c, err := s.backtest(ctx, req)
	if err != nil {
		return err
	}
	var sent error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done, err := s.cfg.Modules.Backtest(ctx, c, func(p BacktestProgress) {
		if sent = stream.Send(&v1.BacktestModuleResponse{Phase: p.Phase, Records: uint32(p.Records), Changed: uint32(p.Changed)}); sent != nil {
			cancel() // who asked is gone
		}
	})
	if sent != nil {
		return sent
	}
	if err != nil {
		return err
	}
	return stream.Send(&v1.BacktestModuleResponse{
		Records: uint32(done.Records), Changed: uint32(done.Changed), Report: s.report(&done, c.Reader),
	})
}

// backtest checks a request: running foreign code takes the right to install it, and records that to read them.
func (s backtestService) backtest(ctx context.Context, req *connect.Request[v1.BacktestModuleRequest]) (Backtest, error) {
	m := req.Msg
	if x, ok := m.Candidate.(*v1.BacktestModuleRequest_Request); ok {
		return s.waiting(ctx, req.Header(), m, x.Request)
	}
	c := Backtest{
		Tenant: storage.Tenant(m.Tenant), Name: m.Name, Settings: m.Settings, Grants: m.Grants,
		Last: m.Last.AsDuration(), Limit: int(m.Limit), Shadow: m.Shadow.AsDuration(),
	}
	if err := s.bound(ctx, req.Header(), &c); err != nil {
		return c, err
	}
	switch x := m.Candidate.(type) {
	case *v1.BacktestModuleRequest_Package:
		pkg, err := readPackage(x.Package)
		if err != nil {
			return c, fmt.Errorf("backtest: %w", err)
		}
		c.Package = &pkg.Artifact
	case *v1.BacktestModuleRequest_Spec:
		c.Spec = []byte(x.Spec)
		if c.Name == "" {
			return c, fmt.Errorf("backtest: a spec needs the name of the parser that it would be: %w", storage.ErrInvalid)
		}
	default:
		return c, fmt.Errorf("backtest: no candidate is given: %w", storage.ErrInvalid)
	}
	return c, nil
}

// waiting is backtest for an installation that waits for approval.
func (s backtestService) waiting(ctx context.Context, h map[string][]string, m *v1.BacktestModuleRequest, id uint64) (Backtest, error) {
	p, err := s.Principal(ctx, h)
	if err != nil {
		return Backtest{}, err
	}
	r, err := s.cfg.DB.InstallRequest(ctx, p, id)
	if err != nil {
		return Backtest{}, err
	}
	c := Backtest{Tenant: r.Tenant, Settings: r.Settings, Grants: r.Asks, Last: m.Last.AsDuration(), Limit: int(m.Limit), Shadow: m.Shadow.AsDuration()}
	if err := s.bound(ctx, h, &c); err != nil {
		return c, err
	}
	pkg, err := s.cfg.Packages.Pull(ctx, r.Tenant, registry.Digest(r.Digest))
	if err != nil {
		return c, fmt.Errorf("backtest request %d: %w", id, err)
	}
	c.Package = &pkg
	return c, nil
}

// bound sets whose records are looked at, if they may ask, and checks how many.
func (s backtestService) bound(ctx context.Context, h map[string][]string, c *Backtest) error {
	p, err := moduleService{API: s.API}.changer(ctx, h, uint32(c.Tenant))
	if err != nil {
		return err
	}
	c.Reader, c.Approver = p, mayGrant(p, c.Tenant)
	if c.Tenant != storage.NoTenant {
		if err := tenant.Authorize(p, tenant.ReadEvents, c.Tenant); err != nil {
			return err
		}
		c.Reader.Tenants = []storage.Tenant{c.Tenant}
	}
	if c.Last == 0 {
		c.Last = DefaultBacktestSpan
	}
	if c.Limit == 0 {
		c.Limit = DefaultBacktestRecords
	}
	switch {
	case c.Last < 0 || c.Last > MaxBacktestSpan:
		return fmt.Errorf("backtest over %v, at most %v are allowed: %w", c.Last, MaxBacktestSpan, storage.ErrExhausted)
	case c.Limit > backtest.MaxRecords:
		return fmt.Errorf("backtest over %d records, at most %d are allowed: %w", c.Limit, backtest.MaxRecords, storage.ErrExhausted)
	case c.Shadow < 0 || c.Shadow > MaxBacktestShadow:
		return fmt.Errorf("backtest beside the stream for %v, at most %v are allowed: %w", c.Shadow, MaxBacktestShadow, storage.ErrExhausted)
	}
	return nil
}

func (s backtestService) report(done *Backtested, p storage.Principal) *v1.BacktestReport {
	out := &v1.BacktestReport{
		Records: uint32(done.Records), Truncated: done.Truncated, LiveRecords: uint32(done.Live), LiveDropped: done.Dropped,
		Changed: uint32(done.Changed), NewlyRead: uint32(done.NewlyRead), NoLongerRead: uint32(done.NoLonger), Failed: uint32(done.Failed),
		IncidentsAppear: uint32(done.Appear), IncidentsDisappear: uint32(done.Disappear), IncidentsRecounted: uint32(done.Recounted), Ended: done.Ended,
	}
	if done.Records > 0 {
		out.From, out.To = timestamppb.New(time.Unix(0, done.From)), timestamppb.New(time.Unix(0, done.To))
	}
	for _, f := range done.Fields {
		out.Fields = append(out.Fields, &v1.BacktestFieldCount{Name: f.Name, Added: uint32(f.Added), Gone: uint32(f.Gone), Rewritten: uint32(f.Rewritten)})
	}
	for i := range done.Examples {
		if x := &done.Examples[i]; p.Sees(x.Tenant) {
			out.Examples = append(out.Examples, exampleOf(x))
		}
	}
	for i := range done.Incidents {
		x := &done.Incidents[i]
		if !p.Sees(x.Tenant) {
			continue
		}
		in := &v1.BacktestIncident{Tenant: uint32(x.Tenant), Rule: x.Rule, Severity: x.Severity.String(), Title: x.Title, Is: x.Is, Would: x.Would}
		for _, id := range x.Evidence {
			in.Evidence = append(in.Evidence, id.String())
		}
		out.Incidents = append(out.Incidents, in)
	}
	return out
}

func exampleOf(x *backtest.Change) *v1.BacktestExample {
	e := &v1.BacktestExample{
		Id: x.ID.String(), Tenant: uint32(x.Tenant), Raw: x.Raw, Parser: x.Parser, WouldParser: x.Would,
		Events: uint32(x.Events[0]), WouldEvents: uint32(x.Events[1]),
	}
	for _, f := range x.Fields {
		e.Fields = append(e.Fields, &v1.BacktestFieldDiff{Name: f.Name, Is: f.Is, Would: f.Would})
	}
	return e
}
