package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type healthService struct{ *API }

func (s healthService) GetHealth(ctx context.Context, req *connect.Request[v1.GetHealthRequest]) (*connect.Response[v1.GetHealthResponse], error) {
	p, err := s.host(ctx, req.Header(), tenant.ReadHealth)
	if err != nil {
		return nil, err
	}
	sources, err := s.sources(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.GetHealthResponse{
		Version: s.cfg.Version, Started: timestamppb.New(s.cfg.Started), EventsPerSecond: s.vitals.rate(), Sources: sources,
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
	out.MemoryBytes, out.StoreBytes = residentBytes(), store.DiskBytes
	out.StoreQueries, out.StoreQueriesRunning = store.Queries, uint32(store.Running)
	out.Drops, out.QueueLag = s.drops(), s.lag()
	out.DiskFreeBytes, out.StoreBytesPerDay, out.DaysLeft, out.DaysLeftUntil = s.disk.state()
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
		"pipeline.removed_organization": a.cfg.Pipeline.Dropped(), "overview.not_counted": a.cfg.Overview.Skipped(), "overview.sources_forgotten": a.cfg.Overview.Evicted(),
		"queue.lost": a.cfg.Queue.Stats().LostRecords, "store.too_old": d.TooOld, "store.too_new": d.TooNew, "store.refused": d.Refused,
	} {
		if n > 0 {
			out[reason] = n
		}
	}
	return out
}

// silentRules are the shipped rules whose incidents say that a sender fell silent; the value of their one key names it. An
// organization that wants another interval installs a rule of its own under the same id.
var silentRules = []string{"silent-host", "silent-syslog-host", "silent-firewall"}

// sources returns who sends for some organizations, the longest silent of each first.
func (s healthService) sources(ctx context.Context, p storage.Principal) ([]*v1.Source, error) {
	type name struct {
		tenant storage.Tenant
		host   string
	}
	silent := map[name]storage.Incident{}
	for _, rule := range silentRules {
		if p.Filter != "" {
			break // incidents are drawn from events that the filter may hide
		}
		page, err := s.cfg.DB.ListIncidents(ctx, p, meta.IncidentQuery{Rule: rule, States: []storage.State{storage.Open, storage.Acknowledged}, Limit: meta.MaxListed})
		if err != nil {
			return nil, err
		}
		for _, in := range page.Incidents {
			if len(in.Key) > 0 {
				silent[name{in.Tenant, in.Key[0].Value}] = in
			}
		}
	}
	var out []*v1.Source
	for _, t := range p.Tenants {
		read := s.cfg.Overview.Sources(t)
		for _, x := range s.cfg.Receiver.Sources(t) {
			if len(out) == MaxSources {
				return out, nil
			}
			r := read[x.Source.Listener+" "+x.Source.Peer]
			incident := ""
			if in, ok := silent[name{t, r.Host}]; ok && !sentSince(r.Newest, &in) {
				incident = in.ID
			}
			out = append(out, &v1.Source{
				Tenant: uint32(x.Tenant), Listener: strings.ToValidUTF8(x.Source.Listener, "?"), Peer: strings.ToValidUTF8(x.Source.Peer, "?"),
				Records: x.Records, FirstSeen: moment(x.FirstSeen), LastSeen: moment(x.LastSeen), RecordsPerSecond: x.PerSecond,
				Processed: r.Processed, Unparsed: r.Unparsed, Parser: r.Parser, SilentIncident: incident,
			})
		}
	}
	return out, nil
}

// sentSince reports whether a sender's newest record came after those that a silence is measured from: the incident waits
// for a person, the source is silent no more. Positions decide, whatever the sender's clock says.
func sentSince(newest storage.EventID, silence *storage.Incident) bool {
	return !slices.ContainsFunc(silence.Evidence, func(e storage.Evidence) bool { return !e.ID.Less(newest) })
}

// lag counts the records that were received since the start and are not processed. What was in the log at the start is
// no part of it.
func (a *API) lag() uint64 {
	at := a.cfg.Pipeline.Positions()
	done := a.cfg.Overview.Records() + a.cfg.Pipeline.Dropped() + a.cfg.Queue.Stats().LostRecords
	taken := uint64(0)
	for _, l := range a.cfg.Receiver.Stats() {
		taken += l.Records
	}
	if at.Processed >= at.Last && a.cfg.Queue.Stats().PendingBytes == 0 {
		return 0
	}
	return taken - min(taken, done)
}
