package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// actions are the words of the API for what a person does.
var actions = map[string]incident.Do{
	"acknowledge": incident.Acknowledge, "reopen": incident.Reopen, "resolve": incident.Resolve,
	"assign": incident.Assign, "comment": incident.Comment, "severity": incident.SetSeverity, "merge": incident.Merge,
}

func (s incidentService) ActOnIncident(ctx context.Context, req *connect.Request[v1.ActOnIncidentRequest]) (*connect.Response[v1.ActOnIncidentResponse], error) {
	a, err := s.actor(ctx, req.Header(), req.Msg.Action, req.Msg.Argument)
	if err != nil {
		return nil, err
	}
	in, err := a.act(ctx, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.ActOnIncidentResponse{Incident: incidentOf(&in)}), nil
}

// acted is what became of one of many.
type acted struct {
	id  string
	in  storage.Incident
	err error
}

func (s incidentService) ActOnIncidents(ctx context.Context, req *connect.Request[v1.ActOnIncidentsRequest], stream *connect.ServerStream[v1.ActOnIncidentsResponse]) error {
	a, err := s.actor(ctx, req.Header(), req.Msg.Action, req.Msg.Argument)
	if err != nil {
		return err
	}
	ids := slices.Clone(req.Msg.Ids)
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) > MaxBulkIncidents {
		return fmt.Errorf("%d incidents, at most %d at once: %w", len(ids), MaxBulkIncidents, storage.ErrExhausted)
	}
	// A client that goes away ends what was not begun; what is in the log happens.
	g, ctx := errgroup.WithContext(ctx)
	next, results := make(chan string), make(chan acted, len(ids))
	g.Go(func() error {
		defer close(next)
		for _, id := range ids {
			select {
			case next <- id:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range min(bulkAtOnce, len(ids)) {
		g.Go(func() error {
			for id := range next {
				in, err := a.act(ctx, id)
				results <- acted{id, in, err}
			}
			return nil
		})
	}
	g.Go(func() error { return s.progress(ctx, len(ids), results, req.Spec().Procedure, stream.Send) })
	return g.Wait()
}

// progress tells what came of each of total incidents, as many in one message as there are.
func (s incidentService) progress(ctx context.Context, total int, results <-chan acted, procedure string, send func(*v1.ActOnIncidentsResponse) error) error {
	if total == 0 {
		return send(&v1.ActOnIncidentsResponse{})
	}
	for done := 0; done < total; {
		m := &v1.ActOnIncidentsResponse{Total: uint32(total)}
		for more := true; more; {
			var r acted
			select {
			case r = <-results:
			case <-ctx.Done():
				return ctx.Err()
			}
			done++
			if r.err == nil {
				m.Incidents = append(m.Incidents, Summary(&r.in))
			} else {
				wire := (&errorMapper{report: s.cfg.Report}).wire(procedure, r.err)
				m.Failures = append(m.Failures, &v1.ActFailure{Id: r.id, Message: messageOf(wire)})
			}
			more = len(results) > 0 && len(m.Incidents)+len(m.Failures) < MaxPortionRows
		}
		m.Done = uint32(done)
		if err := send(m); err != nil {
			return err
		}
	}
	return nil
}

func messageOf(err error) string {
	var known *connect.Error
	if errors.As(err, &known) {
		return known.Message()
	}
	return err.Error()
}

// actor is one person doing one thing, to one incident or many.
type actor struct {
	*API
	who      storage.Principal
	do       incident.Do
	argument string
}

func (s incidentService) actor(ctx context.Context, h http.Header, action, argument string) (*actor, error) {
	p, err := s.some(ctx, h, tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	do, ok := actions[action]
	if !ok {
		return nil, fmt.Errorf("action %q: want acknowledge, reopen, resolve, assign, comment, severity or merge: %w", action, storage.ErrInvalid)
	}
	return &actor{s.API, p, do, argument}, nil
}

// act puts the action into the log and returns the incident as it is after it.
func (a *actor) act(ctx context.Context, id string) (storage.Incident, error) {
	in, err := a.cfg.DB.GetIncident(ctx, a.who, id)
	if err != nil {
		return in, err
	}
	if err := tenant.Authorize(a.who, tenant.WorkIncidents, in.Tenant); err != nil {
		return in, err
	}
	switch a.do {
	case incident.Assign:
		err = a.assignable(ctx, in.Tenant)
	case incident.Merge:
		err = a.mergeable(ctx, &in)
	}
	if err != nil {
		return in, err
	}
	err = a.cfg.Control.Control(ctx, module.Control{
		Kind: module.Incident, Tenant: in.Tenant, Who: a.who.User, IncidentID: in.ID, Action: string(a.do), Argument: a.argument,
	})
	if err != nil {
		return in, err
	}
	return a.cfg.DB.GetIncident(ctx, a.who, in.ID)
}

// assignable refuses a user that the caller cannot see in the organization: a typing error would lose the incident.
func (a *actor) assignable(ctx context.Context, t storage.Tenant) error {
	if a.argument == "" || a.argument == a.who.User {
		return nil
	}
	p := a.who
	p.Tenants = []storage.Tenant{t}
	users, err := a.cfg.DB.ListUsers(ctx, p)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Name == a.argument && !u.Disabled {
			return nil
		}
	}
	return fmt.Errorf("assign to %q: no such user in the organization: %w", a.argument, storage.ErrInvalid)
}

// mergeable refuses to merge into what the caller cannot see, what is of another organization, or what was merged.
func (a *actor) mergeable(ctx context.Context, in *storage.Incident) error {
	p := a.who
	p.Tenants = []storage.Tenant{in.Tenant}
	into, err := a.cfg.DB.GetIncident(ctx, p, a.argument)
	switch {
	case err != nil:
		return fmt.Errorf("merge: %w", err)
	case into.ID == in.ID:
		return fmt.Errorf("merge incident %s into itself: %w", in.ID, storage.ErrInvalid)
	case into.MergedInto != "":
		return fmt.Errorf("incident %s is itself merged into %s: %w", into.ID, into.MergedInto, storage.ErrConflict)
	}
	return nil
}
