package api

import (
	"context"

	"connectrpc.com/connect"

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
	if out.Explanation, err = s.explain(ctx, p, &in); err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

func (s incidentService) RelatedIncidents(ctx context.Context, req *connect.Request[v1.RelatedIncidentsRequest]) (*connect.Response[v1.RelatedIncidentsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	var about *storage.Entity
	if e := req.Msg.Entity; e != nil {
		about = &storage.Entity{Kind: storage.EntityKind(e.Kind), Value: e.Value, Field: e.Field}
	}
	list, err := s.cfg.DB.RelatedIncidents(ctx, p, in.ID, about, int(min(req.Msg.Limit, meta.MaxRelated)))
	if err != nil {
		return nil, err
	}
	out := &v1.RelatedIncidentsResponse{}
	for i := range list {
		out.Incidents = append(out.Incidents, &v1.RelatedIncident{
			Incident: Summary(&list[i].Incident), Shared: entitiesOf(list[i].Shared), SameRule: list[i].Incident.Rule == in.Rule,
		})
	}
	return connect.NewResponse(out), nil
}

// incidentOf is an incident on the wire, whole.
func incidentOf(in *storage.Incident) *v1.Incident {
	out := Summary(in)
	for _, e := range in.Evidence {
		out.Evidence = append(out.Evidence, &v1.Evidence{Sub: e.Sub, EventId: e.ID.String(), Time: moment(e.Time)})
	}
	for _, c := range in.Conditions {
		out.Conditions = append(out.Conditions, conditionOf(c))
	}
	for _, l := range in.Lists {
		out.Lists = append(out.Lists, &v1.IncidentList{Name: l.Name, Version: l.Seq})
	}
	if out.RuleDigest, out.Approximate = in.RuleDigest, in.Approximate; in.Watermark > 0 {
		out.Watermark = moment(in.Watermark)
	}
	return out
}

func conditionOf(c storage.Condition) *v1.Condition {
	return &v1.Condition{Sub: c.Sub, Expr: c.Expr, Actual: c.Actual, Threshold: c.Threshold}
}

func entitiesOf(list []storage.Entity) []*v1.Entity {
	out := make([]*v1.Entity, len(list))
	for i, e := range list {
		out[i] = &v1.Entity{Kind: string(e.Kind), Value: e.Value, Field: e.Field}
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
		Entities: entitiesOf(in.Entities), MergedInto: in.MergedInto,
	}
}
