package api

import (
	"context"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

type healthService struct{ *API }

func (s healthService) GetHealth(ctx context.Context, req *connect.Request[v1.GetHealthRequest]) (*connect.Response[v1.GetHealthResponse], error) {
	p, err := s.host(ctx, req.Header(), tenant.ReadHealth)
	if err != nil {
		return nil, err
	}
	out := &v1.GetHealthResponse{
		Version: s.cfg.Version, Started: timestamppb.New(s.cfg.Started), EventsPerSecond: s.vitals.rate(), Sources: s.sources(p.Tenants),
	}
	costs := s.vitals.costs()
	out.SustainableEventsPerSecond, out.SlowestStage = sustainable(costs)
	for _, c := range costs {
		out.Stages = append(out.Stages, &v1.Stage{Name: c.stage, Events: c.events, CpuMicrosecondsPerEvent: float64(c.perItem) / float64(time.Microsecond)})
	}
	if p.Role != storage.RoleAdmin {
		return connect.NewResponse(out), nil
	}
	applied, err := s.cfg.DB.AppliedSeq(ctx)
	if err != nil {
		return nil, err
	}
	at, store := s.cfg.Pipeline.Positions(), s.cfg.Store.Stats()
	out.Positions = &v1.Positions{
		First: at.First, Last: at.Last, Processed: at.Processed, StoredDurable: at.Durable, Checkpoint: at.Checkpoint, Applied: applied,
	}
	out.MemoryBytes, out.StoreBytes, out.StoreQueries = residentBytes(), store.DiskBytes, store.Queries
	out.Drops = s.drops()
	return connect.NewResponse(out), nil
}

// Live returns the header line of the console.
func (a *API) Live() *v1.LiveHealth {
	return &v1.LiveHealth{EventsPerSecond: a.vitals.rate(), Dropped: a.lost()}
}

// lost counts what went missing without its sender knowing. HTTP senders are told.
func (a *API) lost() uint64 {
	n := a.cfg.Queue.Stats().LostRecords
	for _, l := range a.cfg.Receiver.Stats() {
		n += l.Reasons[receive.KernelDropped.String()]
		if l.ID != "http" {
			n += l.Reasons[receive.QueueFull.String()]
		}
	}
	d := a.cfg.Store.Stats().Dropped
	return n + d.TooOld + d.TooNew + d.Refused
}

// drops counts what was refused, cut or lost, by reason.
func (a *API) drops() map[string]uint64 {
	out := map[string]uint64{}
	for _, l := range a.cfg.Receiver.Stats() {
		for reason, n := range l.Reasons {
			out["receive."+reason] += n
		}
	}
	d := a.cfg.Store.Stats().Dropped
	for reason, n := range map[string]uint64{
		"queue.lost": a.cfg.Queue.Stats().LostRecords, "store.too_old": d.TooOld, "store.too_new": d.TooNew, "store.refused": d.Refused,
	} {
		if n > 0 {
			out[reason] = n
		}
	}
	return out
}

func (s healthService) sources(ts []storage.Tenant) []*v1.Source {
	var out []*v1.Source
	for _, t := range ts {
		for _, x := range s.cfg.Receiver.Sources(t) {
			if len(out) == MaxSources {
				return out
			}
			out = append(out, &v1.Source{
				Tenant: uint32(x.Tenant), Listener: strings.ToValidUTF8(x.Source.Listener, "?"), Peer: strings.ToValidUTF8(x.Source.Peer, "?"),
				Records: x.Records, LastSeen: moment(x.LastSeen),
			})
		}
	}
	return out
}
