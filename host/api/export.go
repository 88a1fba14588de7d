package api

import (
	"bufio"
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// ExportIncident gives what is the organization's: its events, and the modules that it runs.
func (s incidentService) ExportIncident(ctx context.Context, req *connect.Request[v1.ExportIncidentRequest], stream *connect.ServerStream[v1.ExportIncidentResponse]) error {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Id)
	if err != nil {
		return err
	}
	for _, needed := range []tenant.Action{tenant.ReadEvents, tenant.ReadModules} {
		if err := tenant.Authorize(p, needed, in.Tenant); err != nil {
			return err
		}
	}
	p.Tenants = []storage.Tenant{in.Tenant}
	w := bufio.NewWriterSize(pieces(stream.Send), exportPieceBytes)
	err = replay.Export(ctx, replay.Host{
		Incidents: s.cfg.DB, Store: s.cfg.Store, Packages: s.cfg.Packages, Past: s.cfg.DB, KeptSince: time.Now().Add(-s.cfg.DB.KeepsEvents()), Generation: s.cfg.Pipeline.Generation(),
	}, p, in.ID, w)
	if errors.Is(err, replay.ErrCannot) {
		return connect.NewError(connect.CodeFailedPrecondition, err)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// pieces sends what is written to it, in messages of bounded size.
type pieces func(*v1.ExportIncidentResponse) error

func (p pieces) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		piece := b[:min(len(b), exportPieceBytes)]
		if err = p(&v1.ExportIncidentResponse{Data: piece}); err == nil {
			n, b = n+len(piece), b[len(piece):]
		}
	}
	return n, err
}
