package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

type listService struct{ *API }

// Limits of the calls about lists.
const (
	defaultListEntries = 100    // of one ListEntries or GetIndicators
	MaxListEntries     = 1_000  // of one ListEntries or GetIndicators
	MaxChangedEntries  = 10_000 // of one ChangeEntries
	MaxListText        = 512    // bytes of what ListEntries and GetIndicators look for
	changedBytes       = 40_000 // of one control record of ChangeEntries
	maxTTL             = 100 * 365 * 24 * time.Hour
)

func (s listService) changer(ctx context.Context, h map[string][]string, on uint32) (storage.Principal, error) {
	return moduleService{API: s.API}.changer(ctx, h, on)
}

// reader returns who asks to read what an organization, or, for 0, what all have.
func (s listService) reader(ctx context.Context, h map[string][]string, on uint32) (storage.Principal, error) {
	var own []uint32 // none: whoever reads modules reads what all share
	if on != 0 {
		own = []uint32{on}
	}
	return s.some(ctx, h, tenant.ReadModules, own)
}

// layer is whose lists a request is about.
func (s listService) layer(t uint32) module.Layer {
	return s.cfg.Pipeline.Generation().Running.Layer(storage.Tenant(t))
}

func (s listService) ListLists(ctx context.Context, req *connect.Request[v1.ListListsRequest]) (*connect.Response[v1.ListListsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	gen := s.cfg.Pipeline.Generation()
	out, missing := &v1.ListListsResponse{}, []*v1.List(nil)
	shared := map[string]*v1.List{}
	for _, t := range append([]storage.Tenant{storage.NoTenant}, p.Tenants...) {
		l := gen.Running.Layer(t)
		uses := usesOf(gen, t)
		for _, name := range slices.Sorted(maps.Keys(l.Lists)) {
			x := listOf(p, t, l.Lists[name])
			if t == storage.NoTenant {
				shared[name] = x
			} else if u := uses[name]; u != nil {
				x.Readers, x.Writers = u.readers, u.writers
			}
			out.Lists = append(out.Lists, x)
		}
		for _, name := range slices.Sorted(maps.Keys(uses)) {
			u := uses[name]
			if x := shared[name]; x != nil && t != storage.NoTenant {
				x.Readers, x.Writers = append(x.Readers, u.readers...), append(x.Writers, u.writers...)
			} else if t != storage.NoTenant && !gen.HasList(t, name) {
				missing = append(missing, &v1.List{Name: name, Tenant: uint32(t), Readers: u.readers, Writers: u.writers, Missing: true})
			}
		}
	}
	for _, x := range shared {
		slices.Sort(x.Readers)
		slices.Sort(x.Writers)
		x.Readers, x.Writers = slices.Compact(x.Readers), slices.Compact(x.Writers)
	}
	out.Lists = append(out.Lists, missing...)
	return connect.NewResponse(out), nil
}

// listUse is which rules of an organization look into a list, and which write to it, by id.
type listUse struct{ readers, writers []string }

// usesOf returns what the rules that run for a tenant do with lists, by the lists' names.
func usesOf(gen *module.Generation, t storage.Tenant) map[string]*listUse {
	uses := map[string]*listUse{}
	of := func(name string) *listUse {
		if uses[name] == nil {
			uses[name] = &listUse{}
		}
		return uses[name]
	}
	if t == storage.NoTenant {
		return uses
	}
	gen.View(t).EachRule(func(r *rule.Rule) {
		for _, name := range detect.ListsOf(r) {
			of(name).readers = append(of(name).readers, r.ID)
		}
		for _, w := range r.Root.WatchLists {
			of(w.Name).writers = append(of(w.Name).writers, r.ID)
		}
	})
	return uses
}

func (s listService) PutList(ctx context.Context, req *connect.Request[v1.PutListRequest]) (*connect.Response[v1.PutListResponse], error) {
	m := req.Msg
	p, err := s.changer(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{
		Kind: module.SetList, Tenant: storage.Tenant(m.Tenant), Who: p.User, Name: m.Name,
		List: &module.ListHead{Kind: index.Kind(m.Kind), Group: m.Group, Description: m.Description},
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.PutListResponse{List: listOf(p, storage.Tenant(m.Tenant), s.layer(m.Tenant).Lists[m.Name])}), nil
}

func (s listService) RemoveList(ctx context.Context, req *connect.Request[v1.RemoveListRequest]) (*connect.Response[v1.RemoveListResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{Kind: module.RemoveList, Tenant: storage.Tenant(req.Msg.Tenant), Who: p.User, Name: req.Msg.Name})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveListResponse{}), nil
}

func (s listService) ListEntries(ctx context.Context, req *connect.Request[v1.ListEntriesRequest]) (*connect.Response[v1.ListEntriesResponse], error) {
	m := req.Msg
	p, err := s.reader(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	limit, err := pageOf(m.Limit, m.Text)
	if err != nil {
		return nil, err
	}
	l, there := s.layer(m.Tenant).Lists[m.Name]
	if !there {
		return nil, fmt.Errorf("list %.80q: %w", m.Name, storage.ErrNotFound)
	}
	now := s.cfg.Pipeline.Positions().LogTime
	out := &v1.ListEntriesResponse{List: listOf(p, storage.Tenant(m.Tenant), l)}
	if m.Value != "" {
		if e := l.Values.Find(m.Value, now); e != nil {
			out.Entries, out.Matches = append(out.Entries, entryOf(e, now)), 1
		}
		return connect.NewResponse(out), nil
	}
	text := strings.ToLower(m.Text)
	for _, e := range l.Values.Entries() {
		if text != "" && !strings.Contains(strings.ToLower(e.Value+"\n"+e.Origin+"\n"+e.Note), text) {
			continue
		}
		if out.Matches >= m.Offset && len(out.Entries) < limit {
			out.Entries = append(out.Entries, entryOf(e, now))
		}
		out.Matches++
	}
	return connect.NewResponse(out), nil
}

// pageOf checks what a request for a page says.
func pageOf(limit uint32, text string) (int, error) {
	if limit > MaxListEntries {
		return 0, fmt.Errorf("%d entries, the limit is %d: %w", limit, MaxListEntries, storage.ErrExhausted)
	}
	if len(text) > MaxListText {
		return 0, fmt.Errorf("a text of %d bytes, the limit is %d: %w", len(text), MaxListText, storage.ErrExhausted)
	}
	if limit == 0 {
		return defaultListEntries, nil
	}
	return int(limit), nil
}

func (s listService) ChangeEntries(ctx context.Context, req *connect.Request[v1.ChangeEntriesRequest]) (*connect.Response[v1.ChangeEntriesResponse], error) {
	m := req.Msg
	p, err := s.changer(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	if n := len(m.Remove) + len(m.Put); n == 0 || n > MaxChangedEntries {
		return nil, fmt.Errorf("change list %.80q: %d values, want 1 to %d: %w", m.Name, n, MaxChangedEntries, storage.ErrInvalid)
	}
	parts, err := changeParts(m, p.User)
	if err != nil {
		return nil, fmt.Errorf("change list %.80q: %w", m.Name, err)
	}
	for i := range parts {
		err := s.cfg.Control.Control(ctx, module.Control{Kind: module.SetEntries, Tenant: storage.Tenant(m.Tenant), Who: p.User, Name: m.Name, Entries: &parts[i]})
		if err != nil && i > 0 {
			err = fmt.Errorf("%w (the first %d of %d parts of the change are in force)", err, i, len(parts))
		}
		if err != nil {
			return nil, err
		}
	}
	return connect.NewResponse(&v1.ChangeEntriesResponse{List: listOf(p, storage.Tenant(m.Tenant), s.layer(m.Tenant).Lists[m.Name])}), nil
}

// changeParts cuts a change into what fits into control records.
func changeParts(m *v1.ChangeEntriesRequest, who string) (parts []module.Entries, err error) {
	room := 0
	part := func(bytes int) *module.Entries {
		if bytes = 64 + 6*bytes; bytes > room { // JSON writes a byte as six at most
			parts, room = append(parts, module.Entries{}), changedBytes
		}
		room -= bytes
		return &parts[len(parts)-1]
	}
	for _, v := range m.Remove {
		if len(v) > index.MaxKeyBytes {
			return nil, fmt.Errorf("a value of %d bytes, at most %d are allowed: %w", len(v), index.MaxKeyBytes, storage.ErrInvalid)
		}
		x := part(len(v))
		x.Remove = append(x.Remove, v)
	}
	for _, e := range m.Put {
		ttl := e.Ttl.AsDuration()
		switch {
		case len(e.Value) > index.MaxKeyBytes || len(e.Note) > list.MaxNoteBytes:
			return nil, fmt.Errorf("a value of %d bytes with a note of %d, at most %d and %d are allowed: %w", len(e.Value), len(e.Note), index.MaxKeyBytes, list.MaxNoteBytes, storage.ErrInvalid)
		case e.Ttl != nil && (ttl <= 0 || ttl > maxTTL):
			return nil, fmt.Errorf("%.80q is to stay for %s: want more than 0 and at most 100 years: %w", e.Value, ttl, storage.ErrInvalid)
		}
		x := part(len(e.Value) + len(e.Note) + len(who))
		x.Put = append(x.Put, module.PutEntry{Value: e.Value, TTL: ttl, Origin: who, Note: e.Note})
	}
	return parts, nil
}

func listOf(p storage.Principal, t storage.Tenant, l module.List) *v1.List {
	out := &v1.List{
		Name: l.Name, Tenant: uint32(t), Group: l.Group, Description: l.Description, Values: uint64(l.Values.Len()), Evicted: l.Evicted,
		Generation: l.Seq, ChangedAt: moment(l.At),
	}
	if l.Values != nil {
		out.Kind = string(l.Values.Kind())
	}
	if mayLookInto(p, t) {
		out.ChangedBy = l.Who
	}
	return out
}

func entryOf(e *list.Entry, now int64) *v1.ListEntry {
	out := &v1.ListEntry{Value: e.Value, Origin: e.Origin, Note: e.Note, AddedAt: moment(e.At), Ended: e.Ended(now)}
	if e.Expires != 0 {
		out.ExpiresAt = moment(e.Expires)
	}
	return out
}

// spanOf reads a span of time that a request may leave out.
func spanOf(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if span := d.AsDuration(); span > 0 && span <= maxTTL {
		return span, nil
	}
	return 0, fmt.Errorf("a span of %s: want more than 0 and at most 100 years: %w", d.AsDuration(), storage.ErrInvalid)
}
