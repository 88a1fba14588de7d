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

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Indicators keeps indicator sets and fetches them. It may be called by many goroutines at once.
type Indicators interface {
	// Put makes a version of a set of t, or of NoTenant of the shared one.
	Put(ctx context.Context, t storage.Tenant, name, origin, who string, all []indicator.Indicator) error
	// Discover asks a TAXII server for its collections, from where a feed of t would be fetched.
	Discover(ctx context.Context, t storage.Tenant, o indicator.Origin) ([]indicator.Collection, error)
	// Seal encrypts a feed's secret.
	Seal(t storage.Tenant, name, secret string) ([]byte, error)
	// Ask has feeds that are due fetched now.
	Ask()
}

// Limits of the calls about indicators.
const (
	MaxIndicatorRequestBytes = 64 << 20
	MaxFeedEvery             = 30 * 24 * time.Hour
	MinFeedEvery             = time.Minute
	defaultFeedEvery         = time.Hour
	MaxFeedSecretBytes       = 4 << 10
	checkedIndicators        = 20 // that CheckIndicators shows
)

func (s listService) ListIndicatorSets(ctx context.Context, req *connect.Request[v1.ListIndicatorSetsRequest]) (*connect.Response[v1.ListIndicatorSetsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	out, running := &v1.ListIndicatorSetsResponse{}, s.cfg.Pipeline.Generation().Running
	for _, t := range append([]storage.Tenant{storage.NoTenant}, p.Tenants...) {
		sets := running.Layer(t).Indicators
		for _, name := range slices.Sorted(maps.Keys(sets)) {
			out.Sets = append(out.Sets, setOf(p, t, sets[name]))
		}
	}
	return connect.NewResponse(out), nil
}

// readIndicators reads a document and tells the format that it was read as.
func readIndicators(d *v1.IndicatorDocument) (indicator.Read, indicator.Format, error) {
	f := indicator.Format(d.GetFormat())
	if f == "" {
		f = indicator.FormatOf(d.GetContent())
	}
	ttl, err := spanOf(d.GetTtl())
	if err != nil {
		return indicator.Read{}, f, err
	}
	defaults := indicator.Defaults{Source: d.GetSource(), Confidence: int(min(d.GetConfidence(), 100))}
	if len(defaults.Source) > indicator.MaxTextBytes {
		return indicator.Read{}, f, fmt.Errorf("a source of %d bytes, at most %d are allowed: %w", len(defaults.Source), indicator.MaxTextBytes, storage.ErrInvalid)
	}
	if ttl > 0 {
		defaults.Expires = time.Now().Add(ttl).UnixNano()
	}
	r, err := indicator.Parse(f, d.GetContent(), defaults)
	return r, f, err
}

func (s listService) CheckIndicators(ctx context.Context, req *connect.Request[v1.CheckIndicatorsRequest]) (*connect.Response[v1.CheckIndicatorsResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ManageModules, nil); err != nil {
		return nil, err
	}
	r, f, err := readIndicators(req.Msg.Document)
	if err != nil {
		return nil, err
	}
	out := &v1.CheckIndicatorsResponse{Format: string(f), Counts: map[string]uint64{}, Indicators: uint64(len(r.Indicators)), Problems: unreadOf(&r), TotalProblems: uint64(r.Total)}
	for i := range r.Indicators {
		out.Counts[string(r.Indicators[i].Type)]++
		if i < checkedIndicators {
			out.First = append(out.First, indicatorOf(&r.Indicators[i], 0))
		}
	}
	return connect.NewResponse(out), nil
}

func (s listService) PutIndicators(ctx context.Context, req *connect.Request[v1.PutIndicatorsRequest]) (*connect.Response[v1.PutIndicatorsResponse], error) {
	m := req.Msg
	p, err := s.changer(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	if !manifest.ValidName(m.Name) {
		return nil, fmt.Errorf("put indicators %.80q: want a name of letters a to z, digits and hyphens: %w", m.Name, storage.ErrInvalid)
	}
	r, f, err := readIndicators(m.Document)
	if err != nil {
		return nil, fmt.Errorf("put indicators %s: %w", m.Name, err)
	}
	t := storage.Tenant(m.Tenant)
	fetched := indicator.Fetched{Read: r, Whole: !m.Add}
	all := indicator.Merge(s.cfg.Pipeline.Generation().IndicatorSet(t, m.Name), &fetched, time.Now().UnixNano())
	if err := s.cfg.Indicators.Put(ctx, t, m.Name, "upload ("+string(f)+")", p.User, all); err != nil {
		return nil, fmt.Errorf("put indicators %s: %w", m.Name, err)
	}
	return connect.NewResponse(&v1.PutIndicatorsResponse{
		Set: setOf(p, t, s.layer(m.Tenant).Indicators[m.Name]), Problems: unreadOf(&r), TotalProblems: uint64(r.Total),
	}), nil
}

func (s listService) GetIndicators(ctx context.Context, req *connect.Request[v1.GetIndicatorsRequest]) (*connect.Response[v1.GetIndicatorsResponse], error) {
	m := req.Msg
	p, err := s.reader(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	limit, err := pageOf(m.Limit, m.Text)
	if err != nil {
		return nil, err
	}
	gen, t := s.cfg.Pipeline.Generation(), storage.Tenant(m.Tenant)
	v, there := gen.Running.Layer(t).Indicators[m.Name]
	set := gen.IndicatorSet(t, m.Name)
	if !there || set == nil {
		return nil, fmt.Errorf("indicators %.80q: %w", m.Name, storage.ErrNotFound)
	}
	now, text := s.cfg.Pipeline.Positions().LogTime, strings.ToLower(m.Text)
	out := &v1.GetIndicatorsResponse{Set: setOf(p, t, v)}
	for x := range set.All {
		if text != "" && !strings.Contains(strings.ToLower(x.Value+"\n"+x.Source+"\n"+x.Description), text) {
			continue
		}
		if out.Matches >= m.Offset && len(out.Indicators) < limit {
			out.Indicators = append(out.Indicators, indicatorOf(&x, now))
		}
		out.Matches++
	}
	return connect.NewResponse(out), nil
}

func (s listService) RemoveIndicators(ctx context.Context, req *connect.Request[v1.RemoveIndicatorsRequest]) (*connect.Response[v1.RemoveIndicatorsResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{Kind: module.RemoveIndicators, Tenant: storage.Tenant(req.Msg.Tenant), Who: p.User, Name: req.Msg.Name})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveIndicatorsResponse{}), nil
}

func (s listService) ListFeeds(ctx context.Context, req *connect.Request[v1.ListFeedsRequest]) (*connect.Response[v1.ListFeedsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ManageModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	out, all := &v1.ListFeedsResponse{}, p.Tenants
	if mayLookInto(p, storage.NoTenant) {
		all = append([]storage.Tenant{storage.NoTenant}, all...)
	}
	for _, t := range all {
		list, err := s.cfg.DB.Feeds(ctx, t)
		if err != nil {
			return nil, err
		}
		for i := range list {
			out.Feeds = append(out.Feeds, feedOf(&list[i]))
		}
	}
	return connect.NewResponse(out), nil
}

func (s listService) PutFeed(ctx context.Context, req *connect.Request[v1.PutFeedRequest]) (*connect.Response[v1.PutFeedResponse], error) {
	m := req.Msg.GetFeed()
	p, err := s.changer(ctx, req.Header(), m.GetTenant())
	if err != nil {
		return nil, err
	}
	f, err := s.feed(ctx, m, p.User)
	if err != nil {
		return nil, fmt.Errorf("put feed %.80q: %w", m.GetName(), err)
	}
	if err := s.cfg.DB.PutFeed(ctx, f); err != nil {
		return nil, err
	}
	s.cfg.Indicators.Ask()
	list, err := s.cfg.DB.Feeds(ctx, f.Tenant)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Name == f.Name {
			f = list[i]
		}
	}
	return connect.NewResponse(&v1.PutFeedResponse{Feed: feedOf(&f)}), nil
}

// feed checks what a request says of a feed, and seals its secret.
func (s listService) feed(ctx context.Context, m *v1.Feed, who string) (f meta.Feed, err error) {
	t := storage.Tenant(m.GetTenant())
	f = meta.Feed{
		Tenant: t, Name: m.GetName(), Kind: m.GetKind(), URL: m.GetUrl(), Collection: m.GetCollection(), Format: m.GetFormat(), Username: m.GetUsername(),
		Every: defaultFeedEvery, Disabled: m.GetDisabled(), Confidence: int(min(m.GetConfidence(), 100)), Who: who,
	}
	if !manifest.ValidName(f.Name) {
		return f, fmt.Errorf("want a name of letters a to z, digits and hyphens: %w", storage.ErrInvalid)
	}
	if m.GetEvery() != nil {
		f.Every = m.Every.AsDuration()
	}
	if f.Every < MinFeedEvery || f.Every > MaxFeedEvery {
		return f, fmt.Errorf("every %s: want from %s to %s: %w", f.Every, MinFeedEvery, MaxFeedEvery, storage.ErrInvalid)
	}
	if f.TTL, err = spanOf(m.GetTtl()); err != nil {
		return f, err
	}
	o := indicator.Origin{Kind: f.Kind, URL: f.URL, Collection: f.Collection, Format: indicator.Format(f.Format), Username: f.Username, Secret: m.GetSecret()}
	if err := o.Check(); err != nil {
		return f, err
	}
	if len(m.GetSecret()) > MaxFeedSecretBytes {
		return f, fmt.Errorf("a secret of %d bytes, at most %d are allowed: %w", len(m.GetSecret()), MaxFeedSecretBytes, storage.ErrInvalid)
	}
	if m.GetSecret() != "" {
		f.Secret, err = s.cfg.Indicators.Seal(t, f.Name, m.GetSecret())
		return f, err
	}
	return f, s.sameTarget(ctx, &f)
}

// sameTarget takes a secret away that was given for another server: whoever may change a feed must not be able to send it
// elsewhere.
func (s listService) sameTarget(ctx context.Context, f *meta.Feed) error {
	list, err := s.cfg.DB.Feeds(ctx, f.Tenant)
	if err != nil {
		return err
	}
	for _, old := range list {
		if old.Name == f.Name && (old.URL != f.URL || old.Kind != f.Kind) {
			f.Secret = []byte{}
		}
	}
	return nil
}

func (s listService) RemoveFeed(ctx context.Context, req *connect.Request[v1.RemoveFeedRequest]) (*connect.Response[v1.RemoveFeedResponse], error) {
	if _, err := s.changer(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	if err := s.cfg.DB.RemoveFeed(ctx, storage.Tenant(req.Msg.Tenant), req.Msg.Name); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveFeedResponse{}), nil
}

func (s listService) DiscoverTaxii(ctx context.Context, req *connect.Request[v1.DiscoverTaxiiRequest]) (*connect.Response[v1.DiscoverTaxiiResponse], error) {
	m := req.Msg
	if _, err := s.changer(ctx, req.Header(), m.Tenant); err != nil {
		return nil, err
	}
	list, err := s.cfg.Indicators.Discover(ctx, storage.Tenant(m.Tenant), indicator.Origin{URL: m.Url, Username: m.Username, Secret: m.Secret})
	if err != nil {
		return nil, err
	}
	out := &v1.DiscoverTaxiiResponse{}
	for _, c := range list {
		out.Collections = append(out.Collections, &v1.TaxiiCollection{ApiRoot: c.Root, Id: c.ID, Title: c.Title, Description: c.Description, CanRead: c.CanRead})
	}
	return connect.NewResponse(out), nil
}

func setOf(p storage.Principal, t storage.Tenant, v module.Indicators) *v1.IndicatorSet {
	out := &v1.IndicatorSet{
		Name: v.Name, Tenant: uint32(t), Counts: map[string]uint64{}, Bytes: uint64(v.Bytes), Digest: v.Digest, Generation: v.Seq, SetAt: moment(v.At),
	}
	for kind, n := range v.Counts {
		out.Counts[string(kind)] = uint64(n)
		out.Indicators += uint64(n)
	}
	if mayLookInto(p, t) {
		out.SetBy, out.Origin = v.Who, v.Origin
	}
	return out
}

func indicatorOf(x *indicator.Indicator, now int64) *v1.Indicator {
	out := &v1.Indicator{Type: string(x.Type), Value: x.Value, Confidence: int32(x.Confidence), Source: x.Source, Description: x.Description}
	if x.Expires != 0 {
		out.ExpiresAt, out.Ended = moment(x.Expires), x.Expires <= now
	}
	return out
}

func unreadOf(r *indicator.Read) (list []*v1.IndicatorProblem) {
	for _, p := range r.Problems {
		list = append(list, &v1.IndicatorProblem{Where: p.Where, Text: p.Text})
	}
	return list
}

func feedOf(f *meta.Feed) *v1.Feed {
	out := &v1.Feed{
		Name: f.Name, Tenant: uint32(f.Tenant), Kind: f.Kind, Url: f.URL, Collection: f.Collection, Format: f.Format, Username: f.Username,
		Every: durationpb.New(f.Every), Disabled: f.Disabled, Confidence: uint32(f.Confidence), HasSecret: f.Secret != nil,
		DueAt: moment(f.Due), Error: f.Error, Came: uint64(f.Came), Withdrawn: uint64(f.Withdrawn), Problems: uint64(f.Problems),
	}
	if f.TTL > 0 {
		out.Ttl = durationpb.New(f.TTL)
	}
	if f.Asked > 0 {
		out.AskedAt = moment(f.Asked)
	}
	return out
}
