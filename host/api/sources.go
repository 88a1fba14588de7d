package api

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/overview"
	"github.com/vedette-siem/vedette/host/receive"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

type sourceService struct {
	*API
	vedettev1connect.UnimplementedSourceServiceHandler
}

func (s sourceService) GetIngest(ctx context.Context, req *connect.Request[v1.GetIngestRequest]) (*connect.Response[v1.GetIngestResponse], error) {
	if _, err := s.one(ctx, req.Header(), tenant.ReadSources, req.Msg.Tenant); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.GetIngestResponse{Listeners: s.listeners(storage.Tenant(req.Msg.Tenant))}), nil
}

// ingestPath is where HTTP ingest is, on the address of the web server.
const ingestPath = "/v1/ingest"

// listeners returns where an organization's records are taken.
func (a *API) listeners(t storage.Tenant) []*v1.Listener {
	var out []*v1.Listener
	for _, l := range a.cfg.Receiver.Stats() {
		if l.Tenant == t {
			protocol, _, _ := strings.Cut(l.ID, ":")
			out = append(out, &v1.Listener{Protocol: protocol, Address: l.Addr})
		}
	}
	return append(out, &v1.Listener{Protocol: "http", Address: a.cfg.HTTPAddr + ingestPath})
}

// watches counts the WatchSource streams that are open. The zero value is ready, and goroutines may share one.
type watches struct {
	mu  sync.Mutex
	all int
	per map[storage.Tenant]int
}

// enter counts a watch in; leave counts it out. The error wraps storage.ErrExhausted.
func (w *watches) enter(t storage.Tenant) (leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.per[t] == MaxTenantWatches:
		return nil, fmt.Errorf("watch: %d of organization %s are open already, close one: %w", MaxTenantWatches, t, storage.ErrExhausted)
	case w.all == MaxWatches:
		return nil, fmt.Errorf("watch: %d are open already, try again later: %w", MaxWatches, storage.ErrExhausted)
	case w.per == nil:
		w.per = map[storage.Tenant]int{}
	}
	w.all++
	w.per[t]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all--
		if w.per[t]--; w.per[t] == 0 {
			delete(w.per, t)
		}
	}, nil
}

func (s sourceService) WatchSource(ctx context.Context, req *connect.Request[v1.WatchSourceRequest], stream *connect.ServerStream[v1.WatchSourceResponse]) error {
	p, err := s.one(ctx, req.Header(), tenant.ReadSources, req.Msg.Tenant)
	if err != nil {
		return err
	}
	leave, err := s.watches.enter(storage.Tenant(req.Msg.Tenant))
	if err != nil {
		return err
	}
	defer leave()
	w := s.newWatch(p, storage.Tenant(req.Msg.Tenant), hostOf(req.Peer().Addr))
	end := time.NewTimer(WatchTime)
	defer end.Stop()
	every, recheck := time.NewTicker(WatchEvery), time.NewTicker(RecheckEvery)
	defer every.Stop()
	defer recheck.Stop()
	var last *v1.WatchSourceResponse
	var sent time.Time
	for {
		now := time.Now()
		if m := w.look(now); last == nil || !sameState(last, m) || now.Sub(sent) >= WatchAgain {
			if err := stream.Send(m); err != nil {
				return err
			}
			last, sent = m, now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-recheck.C:
			if w.who, err = s.one(ctx, req.Header(), tenant.ReadSources, req.Msg.Tenant); err != nil {
				return err
			}
		case <-every.C:
		}
	}
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// sameState leaves out texts: they hold how long something has lasted.
func sameState(a, b *v1.WatchSourceResponse) bool {
	return a.State == b.State && a.Peer == b.Peer && a.Parser == b.Parser && a.Records == b.Records && a.Unparsed == b.Unparsed &&
		a.EventId == b.EventId && slices.Equal(a.Hints, b.Hints)
}

// watch compares what an organization has received with what it had at the beginning.
type watch struct {
	*API
	who     storage.Principal
	tenant  storage.Tenant
	peer    string // address of who watches
	began   time.Time
	records map[receive.Source]uint64
	read    map[string]overview.Source // by "listener peer"
	flagged map[string]map[string]uint64
}

func (a *API) newWatch(p storage.Principal, t storage.Tenant, peer string) *watch {
	w := &watch{API: a, who: p, tenant: t, peer: peer, began: time.Now(), records: map[receive.Source]uint64{}, flagged: map[string]map[string]uint64{}}
	for _, x := range a.cfg.Receiver.Sources(t) {
		w.records[x.Source] = x.Records
	}
	for _, l := range a.cfg.Receiver.Stats() {
		if l.Tenant == t {
			w.flagged[l.ID] = l.Reasons
		}
	}
	w.read = a.cfg.Overview.Sources(t)
	return w
}

// look says how it stands now.
func (w *watch) look(now time.Time) *v1.WatchSourceResponse {
	if m := w.arrived(now); m != nil {
		return m
	}
	if m := w.refused(); m != nil {
		return m
	}
	waited := now.Sub(w.began).Truncate(time.Second)
	where := addresses(w.listeners(w.tenant))
	if waited < WatchAgain {
		return &v1.WatchSourceResponse{State: "waiting", Text: "waiting for the first record on " + where}
	}
	return &v1.WatchSourceResponse{
		State: "waiting", Text: fmt.Sprintf("nothing has arrived on %s for %v", where, waited), Hints: w.silence(),
	}
}

func addresses(ls []*v1.Listener) string {
	var out []string
	for _, l := range ls {
		out = append(out, l.Protocol+" "+l.Address)
	}
	return strings.Join(out, ", ")
}

// arrived returns what came since the watch began, as of the source that sent last; nil when nothing did.
func (w *watch) arrived(now time.Time) *v1.WatchSourceResponse {
	var newest *receive.SourceStats
	records := uint64(0)
	all := w.cfg.Receiver.Sources(w.tenant) // the longest silent first
	for i := range all {
		if n := all[i].Records - min(all[i].Records, w.records[all[i].Source]); n > 0 {
			newest, records = &all[i], records+n
		}
	}
	if newest == nil {
		return nil
	}
	m := &v1.WatchSourceResponse{
		State: "arrived", Peer: strings.ToValidUTF8(newest.Source.Peer, "?"), Listener: strings.ToValidUTF8(newest.Source.Listener, "?"), Records: records,
	}
	read, processed := w.cfg.Overview.Sources(w.tenant), uint64(0)
	for from, x := range read {
		before := w.read[from]
		processed += x.Processed - min(x.Processed, before.Processed)
		m.Unparsed += x.Unparsed - min(x.Unparsed, before.Unparsed)
	}
	from := newest.Source.Listener + " " + newest.Source.Peer
	x := read[from]
	switch {
	case x.Processed == w.read[from].Processed:
		m.Text = fmt.Sprintf("a record from %s has arrived and is being processed", m.Peer)
		if waited := now.Sub(time.Unix(0, newest.LastSeen)); waited > WatchAgain {
			m.Hints = append(m.Hints, "Processing is behind: see the queue's lag on the health page.")
		}
	case x.Parser == "":
		m.EventId = x.Newest.String()
		m.Text = fmt.Sprintf("first record from %s, and no parser reads it", m.Peer)
		m.Hints = append(m.Hints, "It is kept and can be searched. Create a parser from this record, or install one.")
	default:
		m.EventId, m.Parser = x.Newest.String(), x.Parser
		m.Text = fmt.Sprintf("first record from %s, parsed by %s", m.Peer, x.Parser)
		if w.generic(x.Parser) {
			m.Hints = append(m.Hints, "Only a parser of the general format reads it. Create one for this source to get its own fields.")
		}
	}
	m.Hints = append(m.Hints, w.flags()...)
	return m
}

// generic reports whether a parser reads a whole format rather than a product.
func (w *watch) generic(name string) bool {
	gen := w.cfg.Pipeline.Generation()
	for _, t := range []storage.Tenant{w.tenant, storage.NoTenant} {
		for _, m := range gen.Modules(t) {
			if m.Name() == name {
				return m.Manifest.Match != nil && m.Manifest.Match.Generic
			}
		}
	}
	return false
}

// flagHints say what is wrong with records that arrived all the same, by the reason that they were counted for.
var flagHints = []struct{ reason, hint string }{
	{receive.BadFraming.String(), "The framing is broken: over TCP and TLS each message needs a line end or its length in front (RFC 6587)."},
	{receive.Oversized.String(), "Some records were longer than the limit and were cut."},
	{receive.Empty.String(), "Some messages held nothing."},
	{receive.KernelDropped.String(), "The kernel dropped datagrams: send over TCP, or slower."},
	{receive.ConnectionLost.String(), "A connection was lost before it was closed."},
}

func (w *watch) flags() []string {
	var out []string
	for _, f := range flagHints {
		for _, l := range w.cfg.Receiver.Stats() {
			if l.Tenant == w.tenant && l.Reasons[f.reason] > w.flagged[l.ID][f.reason] {
				out = append(out, f.hint)
				break
			}
		}
	}
	return out
}

// refusalTexts say in words why something was refused, and what to do about it.
var refusalTexts = map[receive.Reason][2]string{
	receive.Unauthenticated:     {"a request with an unknown token was refused", "Check the header Authorization: Bearer TOKEN. A token is shown once; create another when it is lost."},
	receive.TLSHandshake:        {"a TLS connection did not come about", "The sender must speak TLS 1.2 or newer on this port, and trust this host's certificate; plain text belongs to the TCP port."},
	receive.ConnectionLimit:     {"a connection was closed: too many are open", "Let senders share connections, or put a relay in front."},
	receive.BodyTooLarge:        {"a request was refused: its body is too large", "Send smaller requests."},
	receive.TooManyRecords:      {"a request was refused: it holds too many records", "Send smaller requests."},
	receive.BadEncoding:         {"a request was refused: its body does not decompress", "Content-Encoding must be gzip or zstd, and true."},
	receive.BadJSON:             {"a request was refused: its body is no JSON", "Send JSON objects as application/json, or lines as text/plain."},
	receive.UnsupportedEncoding: {"a request was refused for its Content-Encoding", "It must be gzip or zstd."},
	receive.UnsupportedType:     {"a request was refused for its Content-Type", "It must be text/plain, application/x-ndjson or application/json."},
	receive.BadMethod:           {"a request was refused for its method", "Use POST."},
	receive.Incomplete:          {"a request ended before its body was whole", "Check for a proxy in between that cuts it."},
	receive.Busy:                {"a request was refused: too many at once", "Let senders wait and try again."},
	receive.QueueFull:           {"a request was refused: the queue is full", "See the health page: the disk, or processing, does not keep up."},
	receive.Failed:              {"a request could not be stored", "See the host's log."},
}

// refused returns the newest refusal that the watcher may know of; nil when there is none.
//
// Whose a request without a known token was, nobody knows. An admin sees it; anybody else only when it came from the
// watcher's own address or from one that has sent for the organization: then it is likely the watcher's own mistake, and
// all that is told is that address and the reason.
func (w *watch) refused() *v1.WatchSourceResponse {
	for _, x := range w.cfg.Receiver.Refusals(w.began.UnixNano()) {
		switch {
		case x.Tenant == w.tenant:
		case x.Tenant != storage.NoTenant:
			continue
		case w.who.Role == storage.RoleAdmin, x.Peer == w.peer, w.knows(x.Peer):
		default:
			continue
		}
		text := refusalTexts[x.Reason]
		if x.Reason == receive.Unauthenticated && x.Tenant == w.tenant {
			text = [2]string{"a request with a revoked token was refused", "Give the sender a token that is in force."}
		}
		return &v1.WatchSourceResponse{State: "refused", Text: text[0], Peer: strings.ToValidUTF8(x.Peer, "?"), Listener: x.Listener, Hints: []string{text[1]}}
	}
	return nil
}

func (w *watch) knows(peer string) bool {
	for s := range w.records {
		if s.Peer == peer {
			return true
		}
	}
	return false
}

// silence says what is likely wrong when nothing comes.
func (w *watch) silence() []string {
	var local []string
	for _, l := range w.listeners(w.tenant) {
		host := hostOf(strings.TrimSuffix(l.Address, ingestPath))
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
			local = append(local, l.Protocol)
		}
	}
	out := w.flags()
	if len(local) > 0 {
		out = append(out, fmt.Sprintf("Only this machine can reach %s. For senders elsewhere change the address in vedette.yaml.", strings.Join(local, ", ")))
	}
	return append(out,
		"Check the sender's address and port, and that no firewall stands between: UDP is lost without a word.",
		"Try it from the sender's machine with logger or curl, as shown above.")
}
