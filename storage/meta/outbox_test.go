package meta

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func TestNoticesGoToEachEnabledWebhook(t *testing.T) {
	w := newWorld(t)
	for _, h := range []Webhook{{Name: "one", Enabled: true}, {Name: "two", Enabled: true}, {Name: "off"}} {
		h.URL, h.Secret = "https://example.com/"+h.Name, "secret of "+h.Name
		w.must(w.PutWebhook(ctx, w.a, h))
	}
	w.must(w.PutWebhook(ctx, w.b, Webhook{Name: "one", URL: "https://b.example.com", Secret: "s", Enabled: true}))
	w.apply(Batch{Notices: []Notice{{Tenant: w.a, Key: "k", Kind: "opened", At: 3, Payload: []byte(`{"x":1}`)}}})
	due := must(w.DueDeliveries(ctx, 0, 0))(t)
	if len(due) != 2 || due[0].Key == due[1].Key || due[0].Secret != "secret of one" || string(due[1].Payload) != `{"x":1}` || due[1].URL != "https://example.com/two" {
		t.Fatalf("due %+v", due)
	}
	w.must(w.SettleDelivery(ctx, due[0].ID, Outcome{At: 10, Error: strings.Repeat("e", MaxErrorBytes+1), Next: 50}))
	if list := must(w.DueDeliveries(ctx, 49, 0))(t); len(list) != 1 || list[0].ID != due[1].ID {
		t.Errorf("before its next attempt: %+v", list)
	}
	if list := must(w.DueDeliveries(ctx, 50, 0))(t); len(list) != 2 || list[1].Attempts != 1 {
		t.Errorf("at its next attempt: %+v", list)
	}
	if f := must(w.ListFailures(ctx, of(w.a), 0))(t); len(f) != 1 || f[0].GivenUp || f[0].Webhook != "one" || len(f[0].LastError) != MaxErrorBytes {
		t.Errorf("failures %+v", f)
	}
	w.must(w.SettleDelivery(ctx, due[0].ID, Outcome{At: 60, Error: "refused"}))
	w.must(w.RemoveWebhook(ctx, w.a, "two"))
	w.must(w.SettleDelivery(ctx, due[1].ID, Outcome{At: 60}))
	if list := must(w.DueDeliveries(ctx, 1<<62, 0))(t); len(list) != 0 {
		t.Errorf("due after all: %+v", list)
	}
	if p := must(w.Prune(ctx, time.Unix(0, 60).Add(KeepFailed)))(t); p.Deliveries != 0 {
		t.Errorf("pruned %+v", p)
	}
	if p := must(w.Prune(ctx, time.Unix(0, 61).Add(KeepFailed)))(t); p.Deliveries != 1 {
		t.Errorf("pruned %+v", p)
	}
	if hooks := must(w.ListWebhooks(ctx, of(w.a)))(t); len(hooks) != 2 || hooks[0].Secret != "" {
		t.Errorf("webhooks %+v", hooks)
	}
}

func TestDueDeliveriesTakeTurns(t *testing.T) {
	w := newWorld(t)
	var b Batch
	for _, t := range []storage.Tenant{w.a, w.b} {
		w.must(w.PutWebhook(ctx, t, Webhook{Name: "h", URL: "http://example.com", Secret: "s", Enabled: true}))
	}
	for i := range 3 {
		b.Notices = append(b.Notices, Notice{Tenant: w.a, Key: fmt.Sprint("a", i), Payload: []byte("{}")})
	}
	b.Notices = append(b.Notices, Notice{Tenant: w.b, Key: "b", Payload: []byte("{}")})
	w.apply(b)
	if due := must(w.DueDeliveries(ctx, 0, 3))(t); len(due) != 3 || due[1].Tenant != w.b {
		t.Errorf("due %+v; want tenant b's second", due)
	}
	_, err := w.write.Exec(`WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO outbox (tenant, webhook, kind, key, payload, created) SELECT ?2, 1, '', 'n' || i, '', 0 FROM n`, MaxOutboxPerTenant, w.a)
	w.must(err)
	if p := must(w.Prune(ctx, w.cfg.Now()))(t); p != (Pruned{Deliveries: 1}) {
		t.Errorf("pruned %+v; want the one over the limit", p)
	}
}

func TestWebhooksThatCannotBe(t *testing.T) {
	w := newWorld(t)
	ok := Webhook{Name: "h", URL: "https://example.com/x", Secret: "s"}
	for what, change := range map[string]func(*Webhook){
		"no name": func(h *Webhook) { h.Name = "" }, "no secret": func(h *Webhook) { h.Secret = "" }, "no host": func(h *Webhook) { h.URL = "https:///x" },
		"scheme": func(h *Webhook) { h.URL = "file:///etc/passwd" }, "user": func(h *Webhook) { h.URL = "https://u:p@example.com" },
		"no URL": func(h *Webhook) { h.URL = ":" }, "long URL": func(h *Webhook) { h.URL = "https://e/" + strings.Repeat("x", MaxURLBytes-9) },
		"long secret": func(h *Webhook) { h.Secret = strings.Repeat("x", MaxSecretBytes+1) },
	} {
		h := ok
		if change(&h); !isInvalid(w.PutWebhook(ctx, w.a, h)) {
			t.Errorf("%s: accepted", what)
		}
	}
	for i := range MaxWebhooksPerTenant {
		ok.Name = fmt.Sprint("h", i)
		w.must(w.PutWebhook(ctx, w.a, ok))
	}
	ok.Secret = ""
	w.must(w.PutWebhook(ctx, w.a, ok)) // replaces, keeps the secret
	ok.Name, ok.Secret = "one over", "s"
	w.want(w.PutWebhook(ctx, w.a, ok), storage.ErrExhausted)
	w.want(w.RemoveWebhook(ctx, w.a, "one over"), storage.ErrNotFound)
}

func isInvalid(err error) bool {
	return err != nil && strings.Contains(err.Error(), storage.ErrInvalid.Error())
}

func TestQuarantineDropsTheOldestAndCounts(t *testing.T) {
	w := newWorld(t)
	entry := func(t storage.Tenant, n, size int) QuarantineEntry {
		return QuarantineEntry{
			Tenant: t, Position: storage.EventID{Seq: w.seq + 1, Record: uint32(n)}, Module: "m", Digest: "d", Code: "fuel", Detail: strings.Repeat("x", MaxQuarantineDetailBytes+1),
			Raw: bytes.Repeat([]byte{'r'}, size), At: 9,
		}
	}
	var b Batch
	for i := range MaxQuarantinePerTenant + 1 {
		b.Quarantine = append(b.Quarantine, entry(w.a, i, 1))
	}
	b.Quarantine = append(b.Quarantine, entry(w.a, 0, 1), entry(w.b, 0, MaxQuarantineRawBytes+1))
	w.apply(b)
	list, dropped, err := w.ListQuarantine(ctx, of(w.a), 0, MaxListed)
	w.must(err)
	// The last entry repeats a position that was just dropped, so it counts as a new one.
	if len(list) != MaxQuarantinePerTenant || dropped != 2 || len(list[0].Detail) != MaxQuarantineDetailBytes || list[1].Position.Record != MaxQuarantinePerTenant {
		t.Errorf("%d kept, %d dropped, newest %+v", len(list), dropped, list[1].Position)
	}
	if older, _, err := w.ListQuarantine(ctx, of(w.a), list[1].ID, 1); err != nil || len(older) != 1 || older[0].ID != list[2].ID {
		t.Errorf("next page %+v, %v", older, err)
	}
	list, _, err = w.ListQuarantine(ctx, of(w.b), 0, 0)
	w.must(err)
	if len(list) != 1 || len(list[0].Raw) != MaxQuarantineRawBytes {
		t.Errorf("tenant b: %d entries", len(list))
	}
	b = Batch{}
	for i := range MaxQuarantineBytes/MaxQuarantineRawBytes + 1 {
		b.Quarantine = append(b.Quarantine, entry(w.b, i, MaxQuarantineRawBytes))
	}
	w.apply(b)
	if list, dropped, err = w.ListQuarantine(ctx, of(w.b), 0, 0); err != nil || len(list) != MaxQuarantineBytes/MaxQuarantineRawBytes || dropped != 2 {
		t.Errorf("%d kept, %d dropped, %v", len(list), dropped, err)
	}
}
