package api

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type incidentService struct {
	*API
	vedettev1connect.UnimplementedIncidentServiceHandler
}

func (s incidentService) ListIncidents(ctx context.Context, req *connect.Request[v1.ListIncidentsRequest]) (*connect.Response[v1.ListIncidentsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	q := meta.IncidentQuery{Rule: req.Msg.Rule, Text: req.Msg.Text, Limit: int(req.Msg.Limit), Cursor: req.Msg.PageToken}
	for _, word := range req.Msg.Severities {
		sev, err := storage.ParseSeverity(word)
		if err != nil {
			return nil, err
		}
		q.Severities = append(q.Severities, sev)
	}
	for _, word := range req.Msg.States {
		q.States = append(q.States, storage.State(word))
	}
	page, err := s.cfg.DB.ListIncidents(ctx, p, q)
	if err != nil {
		return nil, err
	}
	out := &v1.ListIncidentsResponse{NextPageToken: page.Next}
	for i := range page.Incidents {
		out.Incidents = append(out.Incidents, incidentOf(&page.Incidents[i]))
	}
	return connect.NewResponse(out), nil
}

func (s incidentService) GetIncident(ctx context.Context, req *connect.Request[v1.GetIncidentRequest]) (*connect.Response[v1.GetIncidentResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	history, err := s.cfg.DB.History(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	out := &v1.GetIncidentResponse{Incident: incidentOf(&in)}
	for _, h := range history {
		out.History = append(out.History, &v1.HistoryEntry{At: moment(h.At), Who: h.Who, What: h.What, Detail: h.Detail, Seq: h.Seq})
	}
	return connect.NewResponse(out), nil
}

// actions are the words of the API for what a person does.
var actions = map[string]incident.Do{
	"acknowledge": incident.Acknowledge, "reopen": incident.Reopen, "resolve": incident.Resolve,
	"assign": incident.Assign, "comment": incident.Comment, "severity": incident.SetSeverity,
}

func (s incidentService) ActOnIncident(ctx context.Context, req *connect.Request[v1.ActOnIncidentRequest]) (*connect.Response[v1.ActOnIncidentResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	if err := tenant.Authorize(p, tenant.WorkIncidents, in.Tenant); err != nil {
		return nil, err
	}
	do, ok := actions[req.Msg.Action]
	if !ok {
		return nil, fmt.Errorf("action %q: want acknowledge, reopen, resolve, assign, comment or severity: %w", req.Msg.Action, storage.ErrInvalid)
	}
	if do == incident.Assign {
		if err := s.assignable(ctx, p, in.Tenant, req.Msg.Argument); err != nil {
			return nil, err
		}
	}
	err = s.cfg.Control.Control(ctx, module.Control{
		Kind: module.Incident, Tenant: in.Tenant, Who: p.User, IncidentID: in.ID, Action: string(do), Argument: req.Msg.Argument,
	})
	if err != nil {
		return nil, err
	}
	if in, err = s.cfg.DB.GetIncident(ctx, p, in.ID); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.ActOnIncidentResponse{Incident: incidentOf(&in)}), nil
}

// assignable refuses a user that the caller cannot see in the organization: a typing error would lose the incident.
func (s incidentService) assignable(ctx context.Context, p storage.Principal, t storage.Tenant, name string) error {
	if name == "" || name == p.User {
		return nil
	}
	p.Tenants = []storage.Tenant{t}
	users, err := s.cfg.DB.ListUsers(ctx, p)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Name == name && !u.Disabled {
			return nil
		}
	}
	return fmt.Errorf("assign to %q: no such user in the organization: %w", name, storage.ErrInvalid)
}

// incidentOf is an incident on the wire, whole.
func incidentOf(in *storage.Incident) *v1.Incident {
	out := Summary(in)
	for _, e := range in.Evidence {
		out.Evidence = append(out.Evidence, &v1.Evidence{Sub: e.Sub, EventId: e.ID.String(), Time: moment(e.Time)})
	}
	for _, c := range in.Conditions {
		out.Conditions = append(out.Conditions, &v1.Condition{Sub: c.Sub, Expr: c.Expr, Actual: c.Actual, Threshold: c.Threshold})
	}
	return out
}

// Summary is an incident on the wire without evidence and conditions.
func Summary(in *storage.Incident) *v1.Incident {
	key := make(map[string]string, len(in.Key))
	for _, f := range in.Key {
		key[f.Name] = f.Value
	}
	return &v1.Incident{
		Id: in.ID, Tenant: uint32(in.Tenant), Rule: in.Rule, RuleName: in.RuleName, RuleVersion: in.RuleVersion, Key: key,
		Title: in.Title, Severity: in.Severity.String(), State: string(in.State), Verdict: string(in.Verdict), Assignee: in.Assignee,
		Count: in.Count, FirstSeen: moment(in.FirstSeen), LastSeen: moment(in.LastSeen), OpenedAt: moment(in.OpenedAt),
		UpdatedAt: moment(in.UpdatedAt), Techniques: in.Techniques,
	}
}
