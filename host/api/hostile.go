package api

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// HostileModule is a parser of the demo that is made to do harm.
type HostileModule struct{ Name, Title, Description string }

// Stopped says how a hostile parser ended.
type Stopped struct {
	Code, Detail string
	Took         time.Duration // from handing the record over until it was stopped
	Fuel         int64         // spent on that
	Quarantined  uint64        // number of the record; 0 when the parser was refused before it ran
}

// LoadHostile is an admin's alone: what it loads is meant to do harm, even where it cannot.
func (s demoService) LoadHostile(ctx context.Context, req *connect.Request[v1.LoadHostileRequest]) (*connect.Response[v1.LoadHostileResponse], error) {
	p, err := s.host(ctx, req.Header(), tenant.ManageDemo)
	if err != nil {
		return nil, err
	}
	t, err := s.demoTenant(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	end, err := s.cfg.Demo.LoadHostile(ctx, t, req.Msg.Name, p.User)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.LoadHostileResponse{
		Code: end.Code, Detail: end.Detail, Milliseconds: float64(end.Took) / float64(time.Millisecond), Fuel: uint64(end.Fuel),
		Quarantined: end.Quarantined,
	}), nil
}
