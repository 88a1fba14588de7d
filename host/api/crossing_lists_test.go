package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func init() { maps.Copy(crossings, listCrossings) }

func listsOf(w *world, u *who) vedettev1connect.ListServiceClient {
	return vedettev1connect.NewListServiceClient(&http.Client{Transport: bearer(u.token)}, w.url)
}

// stageLists gives alpha a list, an indicator set and a feed of one name each, by an admin.
func stageLists(ctx context.Context, w *world, name string) error {
	s := listsOf(w, w.admin)
	_, err := s.ChangeEntries(ctx, req(&v1.ChangeEntriesRequest{Name: name, Tenant: w.alpha, Put: []*v1.NewEntry{{Value: "secret of alpha"}}}))
	if err == nil {
		_, err = s.PutIndicators(ctx, req(&v1.PutIndicatorsRequest{Name: name + "-set", Tenant: w.alpha, Document: &v1.IndicatorDocument{Content: []byte("alpha.example\n")}}))
	}
	if err == nil {
		_, err = s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: &v1.Feed{Name: name + "-feed", Tenant: w.alpha, Kind: "file", Url: "https://alpha.example/", Disabled: true}}))
	}
	return err
}

// onLists is a crossing that first stages something under a name.
func onLists(name string, call func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, on []uint32) (bool, error)) crossing {
	return crossing{call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if err := stageLists(ctx, w, name); err != nil {
			return false, err
		}
		return call(ctx, w, listsOf(w, u), on)
	}}
}

// open makes a crossing one that may be called without naming an organization.
func (c crossing) opened() crossing {
	c.open = true
	return c
}

var listCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.ListService.ListLists": onLists("l-listed", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, on []uint32) (bool, error) {
		r, err := s.ListLists(ctx, req(&v1.ListListsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Lists, (*v1.List).GetTenant), err
	}).opened(),
	"vedette.v1.ListService.PutList": onLists("l-put", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.PutList(ctx, req(&v1.PutListRequest{Name: "l-put", Tenant: w.alpha, Kind: "nocase", Description: "changed"}))
		return err == nil && r.Msg.List.Description == "changed", err
	}),
	"vedette.v1.ListService.RemoveList": onLists("l-removed", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		_, err := s.RemoveList(ctx, req(&v1.RemoveListRequest{Name: "l-removed", Tenant: w.alpha}))
		return err == nil, err
	}),
	"vedette.v1.ListService.ListEntries": onLists("l-read", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.ListEntries(ctx, req(&v1.ListEntriesRequest{Name: "l-read", Tenant: w.alpha}))
		return err == nil && r.Msg.Entries[0].Value == "secret of alpha", err
	}),
	"vedette.v1.ListService.ChangeEntries": onLists("l-changed-values", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.ChangeEntries(ctx, req(&v1.ChangeEntriesRequest{Name: "l-changed-values", Tenant: w.alpha, Put: []*v1.NewEntry{{Value: "x"}}}))
		return err == nil && r.Msg.List.Values == 2, err
	}),
	"vedette.v1.ListService.ListIndicatorSets": onLists("l-sets", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, on []uint32) (bool, error) {
		r, err := s.ListIndicatorSets(ctx, req(&v1.ListIndicatorSetsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Sets, (*v1.IndicatorSet).GetTenant), err
	}).opened(),
	"vedette.v1.ListService.CheckIndicators": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := listsOf(w, u).CheckIndicators(ctx, req(&v1.CheckIndicatorsRequest{Document: &v1.IndicatorDocument{Content: []byte(u.name + ".example\n")}}))
		return err == nil && u.name != w.ben.name && r.Msg.Indicators == 1, err // it reads what the caller brings, and nothing else
	}},
	"vedette.v1.ListService.PutIndicators": onLists("l-ioc-put", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.PutIndicators(ctx, req(&v1.PutIndicatorsRequest{Name: "l-ioc-put-set", Tenant: w.alpha, Add: true, Document: &v1.IndicatorDocument{Content: []byte("192.0.2.7\n")}}))
		return err == nil && r.Msg.Set.Indicators == 2, err
	}),
	"vedette.v1.ListService.GetIndicators": onLists("l-ioc-get", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.GetIndicators(ctx, req(&v1.GetIndicatorsRequest{Name: "l-ioc-get-set", Tenant: w.alpha}))
		return err == nil && r.Msg.Indicators[0].Value == "alpha.example", err
	}),
	"vedette.v1.ListService.RemoveIndicators": onLists("l-ioc-removed", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		_, err := s.RemoveIndicators(ctx, req(&v1.RemoveIndicatorsRequest{Name: "l-ioc-removed-set", Tenant: w.alpha}))
		return err == nil, err
	}),
	"vedette.v1.ListService.ListFeeds": onLists("l-feeds", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, on []uint32) (bool, error) {
		r, err := s.ListFeeds(ctx, req(&v1.ListFeedsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Feeds, (*v1.Feed).GetTenant), err
	}).opened(),
	"vedette.v1.ListService.PutFeed": onLists("l-feed-put", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		r, err := s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: &v1.Feed{Name: "l-feed-put-feed", Tenant: w.alpha, Kind: "file", Url: "https://other.example/", Disabled: true}}))
		return err == nil && r.Msg.Feed.Tenant == w.alpha, err
	}),
	"vedette.v1.ListService.RemoveFeed": onLists("l-feed-removed", func(ctx context.Context, w *world, s vedettev1connect.ListServiceClient, _ []uint32) (bool, error) {
		_, err := s.RemoveFeed(ctx, req(&v1.RemoveFeedRequest{Name: "l-feed-removed-feed", Tenant: w.alpha}))
		return err == nil, err
	}),
	"vedette.v1.ListService.DiscoverTaxii": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte(`{"collections": [{"id": "c", "title": "of whoever asks"}]}`))
		}))
		defer server.Close()
		r, err := listsOf(w, u).DiscoverTaxii(ctx, req(&v1.DiscoverTaxiiRequest{Url: server.URL + "/"})) // for all: the machine's own network
		return err == nil && len(r.Msg.Collections) == 1, err
	}},
}

// A list is made, filled, read and emptied; what rules of an organization see follows.
func TestLists(t *testing.T) {
	w := newWorld(t)
	ctx, s := t.Context(), listsOf(w, w.admin)
	put := must[v1.PutListResponse](t)(s.PutList(ctx, req(&v1.PutListRequest{Name: "crown-jewels", Tenant: w.alpha, Kind: "cidr", Group: "devices", Description: "What must not fall"}))).List
	if put.Kind != "cidr" || put.Group != "devices" || put.ChangedBy != w.admin.name {
		t.Errorf("%v", put)
	}
	var many []*v1.NewEntry
	for n := range 3000 {
		many = append(many, &v1.NewEntry{Value: fmt.Sprintf("10.0.%d.%d", n>>8, n&255), Note: "a note of some length", Ttl: durationpb.New(time.Hour)})
	}
	if l := must[v1.ChangeEntriesResponse](t)(s.ChangeEntries(ctx, req(&v1.ChangeEntriesRequest{Name: "crown-jewels", Tenant: w.alpha, Put: many}))).List; l.Values != 3000 {
		t.Errorf("%d values", l.Values)
	}
	r := must[v1.ListEntriesResponse](t)(s.ListEntries(ctx, req(&v1.ListEntriesRequest{Name: "crown-jewels", Tenant: w.alpha, Text: "10.0.11.", Limit: 5, Offset: 10})))
	if r.Matches != 184 || len(r.Entries) != 5 || r.Entries[0].Origin != w.admin.name || r.Entries[0].ExpiresAt == nil || r.Entries[0].Ended {
		t.Errorf("%d matches, %v", r.Matches, r.Entries)
	}
	if l := must[v1.ChangeEntriesResponse](t)(s.ChangeEntries(ctx, req(&v1.ChangeEntriesRequest{Name: "crown-jewels", Tenant: w.alpha, Remove: []string{"10.0.0.0"}, Put: []*v1.NewEntry{{Value: "192.0.2.0/24"}}}))).List; l.Values != 3000 {
		t.Errorf("%d values", l.Values)
	}
	one := must[v1.ListEntriesResponse](t)(s.ListEntries(ctx, req(&v1.ListEntriesRequest{Name: "crown-jewels", Tenant: w.alpha, Value: "192.0.2.77"})))
	if len(one.Entries) != 1 || one.Entries[0].Value != "192.0.2.0/24" || one.Entries[0].ExpiresAt != nil {
		t.Errorf("%v", one.Entries)
	}
	for what, m := range map[string]*v1.ChangeEntriesRequest{
		"nothing":        {Name: "crown-jewels", Tenant: w.alpha},
		"a value":        {Name: "crown-jewels", Tenant: w.alpha, Put: []*v1.NewEntry{{Value: "no address"}}},
		"a long value":   {Name: "crown-jewels", Tenant: w.alpha, Put: []*v1.NewEntry{{Value: strings.Repeat("x", 600)}}},
		"a time":         {Name: "crown-jewels", Tenant: w.alpha, Put: []*v1.NewEntry{{Value: "192.0.2.1", Ttl: durationpb.New(-1)}}},
		"too many":       {Name: "crown-jewels", Tenant: w.alpha, Remove: make([]string, 10_001)},
		"a name":         {Name: "Crown Jewels", Tenant: w.alpha, Put: []*v1.NewEntry{{Value: "192.0.2.1"}}},
		"a long removal": {Name: "crown-jewels", Tenant: w.alpha, Remove: []string{strings.Repeat("x", 600)}},
	} {
		if _, err := s.ChangeEntries(ctx, req(m)); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.ListEntries(ctx, req(&v1.ListEntriesRequest{Name: "crown-jewels", Tenant: w.alpha, Limit: 1001})); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a page of more than a thousand: %v", err)
	}
	if _, err := s.RemoveList(ctx, req(&v1.RemoveListRequest{Name: "crown-jewels", Tenant: w.alpha})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ListEntries(ctx, req(&v1.ListEntriesRequest{Name: "crown-jewels", Tenant: w.alpha})); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a list that was removed: %v", err)
	}
}

// A feed is fetched when it is put, and fills the set of its name; what is wrong with one is said.
func TestFeedIsFetched(t *testing.T) {
	w := newWorld(t)
	ctx, s := t.Context(), listsOf(w, w.admin)
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Authorization")
		_, _ = rw.Write([]byte("indicator,confidence\n192.0.2.7,80\nnothing,1\n"))
	}))
	defer server.Close()
	f := &v1.Feed{Name: "c2", Kind: "file", Url: server.URL, Secret: "token", Ttl: durationpb.New(24 * time.Hour)}
	if got := must[v1.PutFeedResponse](t)(s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: f}))).Feed; !got.HasSecret || got.Secret != "" || got.Every.AsDuration() != time.Hour {
		t.Errorf("%v", got)
	}
	feed := func() *v1.Feed {
		t.Helper()
		list := must[v1.ListFeedsResponse](t)(s.ListFeeds(ctx, req(&v1.ListFeedsRequest{}))).Feeds
		if len(list) != 1 {
			t.Fatalf("%v", list)
		}
		return list[0]
	}
	eventually(t, "what the feed says", func() bool { return feed().Came == 1 })
	if got := feed(); got.Problems != 1 || got.Error != "" || asked != "Bearer token" {
		t.Errorf("%v, asked with %q", got, asked)
	}
	r := must[v1.GetIndicatorsResponse](t)(s.GetIndicators(ctx, req(&v1.GetIndicatorsRequest{Name: "c2"})))
	if len(r.Indicators) != 1 || r.Indicators[0].Value != "192.0.2.7" || r.Indicators[0].Confidence != 80 || r.Indicators[0].Source != "c2" || r.Indicators[0].ExpiresAt == nil || r.Set.Origin != "file "+server.URL {
		t.Errorf("%v", r)
	}
	f.Url, f.Secret = server.URL+"/elsewhere", ""
	if got := must[v1.PutFeedResponse](t)(s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: f}))).Feed; got.HasSecret {
		t.Error("a secret was sent to another place than it was given for")
	}
	f.Tenant = w.alpha // an organization does not reach the machine's own network
	if _, err := s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: f})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that it was refused", func() bool {
		for _, x := range must[v1.ListFeedsResponse](t)(s.ListFeeds(ctx, req(&v1.ListFeedsRequest{Tenants: []uint32{w.alpha}}))).Feeds {
			if x.Tenant == w.alpha && strings.Contains(x.Error, "private address") {
				return true
			}
		}
		return false
	})
	for what, x := range map[string]*v1.Feed{
		"nothing": nil, "a name": {Name: "A b", Kind: "file", Url: server.URL}, "a kind": {Name: "x", Kind: "ftp", Url: server.URL},
		"a span": {Name: "x", Kind: "file", Url: server.URL, Every: durationpb.New(time.Second)}, "a url": {Name: "x", Kind: "file", Url: "file:///etc/passwd"},
	} {
		if _, err := s.PutFeed(ctx, req(&v1.PutFeedRequest{Feed: x})); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: %v", what, err)
		}
	}
}
