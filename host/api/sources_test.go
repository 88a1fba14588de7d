package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/api"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// The overview is counted in memory: opening it, and the health page, sends no query to the store.
func testOverviewQueries(t *testing.T, w *world) {
	queries := func() uint64 {
		return must[v1.GetHealthResponse](t)(w.admin.health.GetHealth(t.Context(), req(&v1.GetHealthRequest{}))).StoreQueries
	}
	before := queries()
	for range 3 {
		m := must[v1.GetOverviewResponse](t)(w.ann.dashboards.GetOverview(t.Context(), req(&v1.GetOverviewRequest{})))
		total := uint64(0)
		for _, n := range m.Events {
			total += n
		}
		if total == 0 || len(m.Events) != 360 || len(m.IncidentsBySeverity) != 5 || m.OpenBySeverity["low"] == 0 || m.Since == nil {
			t.Errorf("overview %v", m)
		}
	}
	if after := queries(); after != before || before == 0 {
		t.Errorf("%d queries of the store before, %d after", before, after)
	}
	if _, err := w.ann.dashboards.GetOverview(t.Context(), req(&v1.GetOverviewRequest{Minutes: 61})); err == nil {
		t.Error("an overview of more than an hour")
	}
}

// testWatches: one watch too many of an organization is refused, one of another is not, and one that ends makes room.
func testWatches(t *testing.T, w *world) {
	open := func(ctx context.Context, by *who, tenant uint32) error {
		stream, err := by.sources.WatchSource(ctx, req(&v1.WatchSourceRequest{Tenant: tenant}))
		if err == nil && !stream.Receive() {
			err = stream.Err()
		}
		return err
	}
	watch := func(ctx context.Context) error { return open(ctx, w.ann, w.alpha) }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range api.MaxTenantWatches {
		if err := watch(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := watch(ctx); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("one watch more: %v", err)
	}
	if err := open(ctx, w.admin, w.beta); err != nil {
		t.Errorf("a watch of another organization: %v", err)
	}
	stop()
	again, end := context.WithTimeout(t.Context(), patience)
	defer end()
	eventually(t, "room for a watch", func() bool { return watch(again) == nil })
}

// testRefusals: who watches learns of a revoked token of the own organization, and of an unknown one only when it came
// from the own address.
func testRefusals(t *testing.T, w *world) {
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	token := must[v1.CreateIngestTokenResponse](t)(w.admin.tenants.CreateIngestToken(ctx, req(&v1.CreateIngestTokenRequest{Tenant: w.alpha, Name: "old"}))).Token
	must[v1.RevokeIngestTokenResponse](t)(w.admin.tenants.RevokeIngestToken(ctx, req(&v1.RevokeIngestTokenRequest{Tenant: w.alpha, Name: "old"})))
	for _, c := range []struct{ token, says string }{{token, "revoked"}, {"vdi_nobody", "unknown"}} {
		for _, u := range []*who{w.ann, w.ben} {
			tenant := map[*who]uint32{w.ann: w.alpha, w.ben: w.beta}[u]
			stream, err := u.sources.WatchSource(ctx, req(&v1.WatchSourceRequest{Tenant: tenant}))
			if err != nil {
				t.Fatal(err)
			}
			if !stream.Receive() || stream.Msg().State != "waiting" {
				t.Fatalf("%v, %v", stream.Msg(), stream.Err())
			}
			post(t, w, c.token)
			if u == w.ben && c.token == token { // alpha's alone: what beta sees next is its own record
				w.send(t, w.beta, "of beta")
			}
			if !stream.Receive() {
				t.Fatal(stream.Err())
			}
			m := stream.Msg()
			if u == w.ben && c.token == token {
				if m.State != "arrived" {
					t.Errorf("beta was told of alpha's token: %v", m)
				}
			} else if m.State != "refused" || !strings.Contains(m.Text, c.says) || m.Peer != "127.0.0.1" || len(m.Hints) == 0 {
				t.Errorf("%s: %v", c.says, m)
			}
			stream.Close()
		}
	}
}

func post(t *testing.T, w *world, token string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/v1/ingest", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("a token that is not in force got %s", resp.Status)
	}
}

// testSources: the health page knows who sends, how much of it was read and by whom.
func testSources(t *testing.T, w *world) {
	t.Helper()
	w.shipped(t)
	w.send(t, w.alpha, `{"@timestamp":"2024-03-01T12:00:00Z","user":{"name":"O\"Brien"},"message":"x"}`)
	var last *v1.GetHealthResponse
	defer func() {
		if t.Failed() {
			t.Logf("sources %v, lag %d", last.GetSources(), last.GetQueueLag())
		}
	}()
	eventually(t, "alpha's source", func() bool {
		h := must[v1.GetHealthResponse](t)(w.admin.health.GetHealth(t.Context(), req(&v1.GetHealthRequest{})))
		last = h
		for _, s := range h.Sources {
			if s.Tenant == w.alpha && s.Listener == "http" && s.Peer == "127.0.0.1" {
				return s.FirstSeen != nil && s.RecordsPerSecond > 0 && s.Processed == s.Records && s.Unparsed > 0 && s.Parser != "" && h.DiskFreeBytes > 0 && h.QueueLag == 0
			}
		}
		return false
	})
	// The crossing records were unparsed: one with an escape is inspected through its own parser.
	var id string
	eventually(t, "the escaped event", func() bool {
		stream, err := w.ann.events.Search(t.Context(), req(&v1.SearchRequest{Query: &v1.Query{Text: `user.name:"Brien"`}}))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		for stream.Receive() {
			for _, e := range stream.Msg().Events {
				id = e.Id
			}
		}
		return id != ""
	})
	m := must[v1.InspectResponse](t)(w.ann.events.Inspect(t.Context(), req(&v1.InspectRequest{Id: id})))
	found := ""
	for _, s := range m.Spans {
		if s.Field == "user.name" {
			found = string(m.Raw[s.Start:s.End])
		}
	}
	if found != `O\"Brien` || !strings.HasPrefix(m.Parser, "vedette/json ") || !strings.HasPrefix(m.Digest, "sha256:") || m.Note != "" {
		t.Errorf("user.name was read from %q by %q %s: %s", found, m.Parser, m.Digest, m.Note)
	}
	if m := must[v1.InspectResponse](t)(w.ann.events.Inspect(t.Context(), req(&v1.InspectRequest{Id: w.event}))); m.Parser != "" || len(m.Spans) > 0 || m.Note != "" {
		t.Errorf("an event that no parser has read: %v", m)
	}
	for _, id := range []string{"", "1-2", "999999-0-0-0-0"} {
		if _, err := w.ann.events.Inspect(t.Context(), req(&v1.InspectRequest{Id: id})); err == nil {
			t.Errorf("event %q exists", id)
		}
	}
}
