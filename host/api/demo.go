package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

// ErrNoDemo says that a host has no demo, or none any more.
var ErrNoDemo = errors.New("there is no demo here")

// DemoState says what there is of the demo.
type DemoState struct {
	Running   bool             // the feed sends
	Tenants   []storage.Tenant // demo organizations, by number; empty when there is no demo
	Scenarios []DemoScenario   // empty while no feed is there to play them
}

// DemoScenario is a named attack in one demo organization.
type DemoScenario struct {
	Tenant                   storage.Tenant
	Name, Title, Description string
}

// Demo steers the demo. It may be called by many goroutines at once. Without a demo errors wrap ErrNoDemo.
type Demo interface {
	State(ctx context.Context) (DemoState, error)
	SetRunning(on bool) error
	// Start plays a scenario and returns how many records were sent.
	Start(ctx context.Context, t storage.Tenant, name string) (int, error)
	// Hostile lists the hostile parsers that LoadHostile takes.
	Hostile() ([]HostileModule, error)
	// LoadHostile lets a hostile parser loose on one record of a demo organization and switches it off again.
	LoadHostile(ctx context.Context, t storage.Tenant, name, who string) (Stopped, error)
	// Remove ends the feed and the demo organizations.
	Remove(ctx context.Context, who string) error
}

type demoService struct {
	*API
	vedettev1connect.UnimplementedDemoServiceHandler
}

func (s demoService) GetDemo(ctx context.Context, req *connect.Request[v1.GetDemoRequest]) (*connect.Response[v1.GetDemoResponse], error) {
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	state, err := s.cfg.Demo.State(ctx)
	if err != nil {
		return nil, err
	}
	out := &v1.GetDemoResponse{Present: len(state.Tenants) > 0, Running: state.Running}
	out.Tenants = numbers(slices.DeleteFunc(state.Tenants, func(t storage.Tenant) bool { return !p.Sees(t) }))
	for _, x := range state.Scenarios {
		if p.Sees(x.Tenant) {
			out.Scenarios = append(out.Scenarios, &v1.Scenario{Name: x.Name, Title: x.Title, Description: x.Description, Tenant: uint32(x.Tenant)})
		}
	}
	if !out.Present {
		return connect.NewResponse(out), nil
	}
	hostile, err := s.cfg.Demo.Hostile()
	if err != nil {
		return nil, err
	}
	for _, x := range hostile {
		out.Hostile = append(out.Hostile, &v1.HostileModule{Name: x.Name, Title: x.Title, Description: x.Description})
	}
	return connect.NewResponse(out), nil
}

func (s demoService) SetDemoFeed(ctx context.Context, req *connect.Request[v1.SetDemoFeedRequest]) (*connect.Response[v1.SetDemoFeedResponse], error) {
	if _, err := s.host(ctx, req.Header(), tenant.ManageDemo); err != nil {
		return nil, err
	}
	if err := s.cfg.Demo.SetRunning(req.Msg.Running); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetDemoFeedResponse{}), nil
}

func (s demoService) StartScenario(ctx context.Context, req *connect.Request[v1.StartScenarioRequest]) (*connect.Response[v1.StartScenarioResponse], error) {
	t, err := s.demoTenant(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	n, err := s.cfg.Demo.Start(ctx, t, req.Msg.Name)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.StartScenarioResponse{Records: uint32(n)}), nil
}

// demoTenant returns a demo organization that the caller may run attacks in. One that is real is refused in the same
// words as one that does not exist.
func (s demoService) demoTenant(ctx context.Context, h map[string][]string, on uint32) (storage.Tenant, error) {
	if on == 0 {
		return 0, fmt.Errorf("no organization is named: %w", storage.ErrInvalid)
	}
	if _, err := s.one(ctx, h, tenant.RunDemo, on); err != nil {
		return 0, err
	}
	state, err := s.cfg.Demo.State(ctx)
	if err != nil {
		return 0, err
	}
	if len(state.Tenants) == 0 {
		return 0, ErrNoDemo
	}
	if !slices.Contains(state.Tenants, storage.Tenant(on)) {
		return 0, fmt.Errorf("organization %d is not one of the demo: %w", on, storage.ErrForbidden)
	}
	return storage.Tenant(on), nil
}

func (s demoService) RemoveDemo(ctx context.Context, req *connect.Request[v1.RemoveDemoRequest]) (*connect.Response[v1.RemoveDemoResponse], error) {
	p, err := s.host(ctx, req.Header(), tenant.ManageDemo)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Demo.Remove(ctx, p.User); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveDemoResponse{}), nil
}
