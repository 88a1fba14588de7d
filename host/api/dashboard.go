package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/overview"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

type dashboardService struct {
	*API
	vedettev1connect.UnimplementedDashboardServiceHandler
}

func (s dashboardService) GetOverview(ctx context.Context, req *connect.Request[v1.GetOverviewRequest]) (*connect.Response[v1.GetOverviewResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadEvents, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	if p.Filter != "" {
		return nil, fmt.Errorf("overview: user %s is limited to some events, and all are counted: %w", p.User, storage.ErrForbidden)
	}
	if req.Msg.Minutes > overview.MaxMinutes {
		return nil, fmt.Errorf("overview of %d minutes, at most %d are counted: %w", req.Msg.Minutes, overview.MaxMinutes, storage.ErrExhausted)
	}
	minutes := int(req.Msg.Minutes)
	if minutes == 0 {
		minutes = overview.MaxMinutes
	}
	w := s.cfg.Overview.Window(time.Now().UnixNano(), minutes, p.Tenants)
	out := &v1.GetOverviewResponse{
		From: moment(w.From), To: moment(w.To), Since: moment(w.Since), Events: w.Events, Unparsed: w.Unparsed, OpenBySeverity: map[string]uint64{},
	}
	for sev := storage.Critical; sev >= storage.Informational; sev-- {
		out.IncidentsBySeverity = append(out.IncidentsBySeverity, &v1.Series{Name: sev.String(), Values: w.BySeverity[sev]})
	}
	for _, id := range slices.Sorted(maps.Keys(w.ByRule)) {
		out.IncidentsByRule = append(out.IncidentsByRule, &v1.Series{Name: id, Values: w.ByRule[id]})
	}
	for i, values := range w.Tops {
		top := &v1.Top{Field: overview.Fields[i]}
		for _, v := range values {
			top.Values = append(top.Values, &v1.TopValue{Value: strings.ToValidUTF8(v.Text, ""), Count: v.Count, Tenant: uint32(v.Tenant)})
		}
		out.Tops = append(out.Tops, top)
	}
	for _, c := range w.Countries {
		out.Countries = append(out.Countries, &v1.CountryCount{Country: strings.ToValidUTF8(c.Text, ""), Count: c.Count})
	}
	counts, err := s.cfg.DB.CountIncidents(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		if c.State != storage.Resolved {
			out.OpenBySeverity[c.Severity.String()] += c.N
		}
	}
	return connect.NewResponse(out), nil
}
