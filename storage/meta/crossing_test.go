package meta

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// crossing calls one method for a tenant and reports whether anything of tenant a came back or was changed.
type crossing func(w *world, t storage.Tenant) (found bool, err error)

// crossings has a case for every method of DB that takes a Tenant or a Principal. Each is called from tenant a, where
// it must find tenant a's, and from tenant b, where it must not.
var crossings = map[string]crossing{
	"ListTenants": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.ListTenants(ctx, of(t))
		return has(list, func(o Organization) bool { return o.Tenant == w.a }), err
	},
	"ListUsers": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.ListUsers(ctx, of(t))
		return has(list, func(u User) bool { return u.Tenant != w.b }), err
	},
	"CreateSession": func(w *world, t storage.Tenant) (bool, error) {
		// Claims every tenant; the session must be the account's all the same.
		p := storage.Principal{User: map[storage.Tenant]string{w.a: "ann", w.b: "bob"}[t], Role: storage.RoleAdmin, Tenants: []storage.Tenant{w.a, w.b}}
		token, err := w.CreateSession(ctx, p)
		if err != nil {
			return false, err
		}
		p, err = w.PrincipalOf(ctx, token)
		return p.Sees(w.a), err
	},
	"CreateIngestToken": func(w *world, t storage.Tenant) (bool, error) {
		token, err := w.CreateIngestToken(ctx, t, "new")
		if err != nil {
			return false, err
		}
		got, err := w.ResolveIngestToken(ctx, token)
		return got == w.a, err
	},
	"RevokeIngestToken": func(w *world, t storage.Tenant) (bool, error) { return changed(w.RevokeIngestToken(ctx, t, "of a")) },
	"ListIngestTokens": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.ListIngestTokens(ctx, of(t))
		return has(list, func(x IngestToken) bool { return x.Tenant == w.a }), err
	},
	"ListIncidents": func(w *world, t storage.Tenant) (bool, error) {
		page, err := w.ListIncidents(ctx, of(t), IncidentQuery{})
		return has(page.Incidents, func(x storage.Incident) bool { return x.Tenant == w.a }), err
	},
	"GetIncident": func(w *world, t storage.Tenant) (bool, error) {
		_, err := w.GetIncident(ctx, of(t), "of a")
		return changed(err)
	},
	"History": func(w *world, t storage.Tenant) (bool, error) {
		_, err := w.History(ctx, of(t), "of a")
		return changed(err)
	},
	"RelatedIncidents": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.RelatedIncidents(ctx, of(t), "of a", nil, 0)
		if errors.Is(err, storage.ErrNotFound) {
			return false, nil
		}
		return has(list, func(r Related) bool { return r.Incident.ID == "also of a" }), err
	},
	"Episodes": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.Episodes(ctx, of(t), incident(w.a, "of a", 1), 0, math.MaxInt64)
		return has(list, func(in storage.Incident) bool { return in.Tenant == w.a }), err
	},
	"CountIncidents": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.CountIncidents(ctx, of(t))
		return has(list, func(Count) bool { return true }), err
	},
	"Changes": func(w *world, t storage.Tenant) (bool, error) {
		c, err := w.Changes(ctx, t, 0, 0)
		return len(c.List) > 0 || c.Last > 0, err
	},
	"LastCursor": func(w *world, t storage.Tenant) (bool, error) {
		last, err := w.LastCursor(ctx, t)
		return last > 0, err
	},
	"ListQuarantine": func(w *world, t storage.Tenant) (bool, error) {
		list, dropped, err := w.ListQuarantine(ctx, of(t), 0, 0)
		return len(list) > 0 || dropped > 0, err
	},
	"PutWebhook": func(w *world, t storage.Tenant) (bool, error) {
		if err := w.PutWebhook(ctx, t, Webhook{Name: "of a", URL: "https://changed.example", Secret: "s"}); err != nil {
			return false, err
		}
		list, err := w.ListWebhooks(ctx, of(w.a))
		return has(list, func(h Webhook) bool { return h.URL == "https://changed.example" }), err
	},
	"RemoveWebhook": func(w *world, t storage.Tenant) (bool, error) { return changed(w.RemoveWebhook(ctx, t, "of a")) },
	"ListWebhooks": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.ListWebhooks(ctx, of(t))
		return has(list, func(h Webhook) bool { return h.Tenant == w.a }), err
	},
	"EachUsage": func(w *world, t storage.Tenant) (found bool, err error) {
		err = w.EachUsage(ctx, of(t), 0, math.MaxInt64, func(r *storage.UsageRow) error {
			found = found || r.Tenant == w.a
			return nil
		})
		return found, err
	},
	"RuleHours": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.RuleHours(ctx, of(t), "r", time.Unix(0, 0))
		return len(list) > 0, err
	},
	"RuleTotals": func(w *world, t storage.Tenant) (bool, error) {
		all, err := w.RuleTotals(ctx, of(t), time.Unix(0, 1), time.Unix(0, 0))
		return all["r"] != nil && all["r"].Day > 0, err
	},
	"Controls": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.Controls(ctx, of(t), math.MaxInt64)
		return has(list, func(c Control) bool { return c.Tenant == w.a }), err
	},
	"EachMember": func(w *world, t storage.Tenant) (found bool, err error) {
		err = w.EachMember(ctx, of(t), "l", 0, math.MaxInt64, func(m *Member) error {
			found = found || m.Tenant == w.a
			return nil
		})
		return found, err
	},
	"ListsKnownFrom": func(w *world, t storage.Tenant) (bool, error) {
		from, err := w.ListsKnownFrom(ctx, of(t))
		return from > 0, err
	},
	"Gaps": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.Gaps(ctx, of(t), time.Unix(0, 0), nil)
		return has(list, func(g Gap) bool { return g.Tenant == w.a }), err
	},
	"ListFailures": func(w *world, t storage.Tenant) (bool, error) {
		list, err := w.ListFailures(ctx, of(t), 0)
		return has(list, func(f Failure) bool { return f.Tenant == w.a }), err
	},
}

func has[T any](list []T, is func(T) bool) bool {
	for _, x := range list {
		if is(x) {
			return true
		}
	}
	return false
}

// changed reads "not found" as an answer.
func changed(err error) (bool, error) {
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// furnish gives tenant a one of everything and tenant b an account only.
func furnish(w *world) {
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}, "correct horse"))
	w.must(w.CreateUser(ctx, User{Name: "bob", Role: storage.RoleAnalyst, Tenant: w.b}, "correct horse"))
	w.must(w.CreateUser(ctx, User{Name: "root", Role: storage.RoleAdmin}, "correct horse"))
	must(w.CreateIngestToken(ctx, w.a, "of a"))(w.T)
	w.must(w.PutWebhook(ctx, w.a, Webhook{Name: "of a", URL: "https://example.com", Secret: "s", Enabled: true}))
	w.apply(Batch{
		Incidents:  []storage.Incident{incident(w.a, "of a", 1), incident(w.a, "also of a", 1)},
		History:    []storage.HistoryEntry{opened("of a", 1)},
		Notices:    []Notice{{Tenant: w.a, Key: "k", Kind: "opened", Payload: []byte("{}")}},
		Quarantine: []QuarantineEntry{{Tenant: w.a, Position: storage.EventID{Seq: 1}, Module: "m", Digest: "d", Raw: []byte("raw")}},
		Fires:      []RuleFires{{Tenant: w.a, Rule: "r", Seq: 1, At: 1, N: 1, Newest: 1}},
		Gaps:       []Gap{{Tenant: w.a, Subject: "rule r", Kind: "off", Since: 1, Seq: 1}},
		Controls:   []Control{{Tenant: w.a, Seq: 1, At: 1, Kind: KindLayer, Record: "{}"}},
		Listed:     []Listed{{Tenant: w.a, List: "l", Compared: "exact", Value: "of a", Seq: 1, At: 1}},
	})
	w.must(w.CountUsage(ctx, 1, []storage.UsageRow{usageRow(w.a, "p/x", UsageMinute, 1)}, []storage.CostRow{costRow(UsageMinute, 1)}))
	due := must(w.DueDeliveries(ctx, 0, 0))(w.T)
	w.must(w.SettleDelivery(ctx, due[0].ID, Outcome{At: 1, Error: "status 500", Next: 2}))
}

func TestNothingCrossesBetweenTenants(t *testing.T) {
	for name, call := range crossings {
		t.Run(name, func(t *testing.T) {
			// From the wrong tenant first: it must not spoil what the right one finds.
			w := newWorld(t)
			furnish(w)
			for _, c := range []struct {
				tenant storage.Tenant
				want   bool
			}{{w.b, false}, {w.a, true}} {
				found, err := call(w, c.tenant)
				w.must(err)
				if found != c.want {
					t.Errorf("from tenant %d: found %v; want %v", c.tenant, found, c.want)
				}
			}
		})
	}
}

// TestEveryMethodHasACrossing fails for a method that takes a Tenant or Principal and has no case above, or that
// takes it anywhere but right after ctx.
func TestEveryMethodHasACrossing(t *testing.T) {
	scoped := map[reflect.Type]bool{reflect.TypeFor[storage.Tenant](): true, reflect.TypeFor[storage.Principal](): true}
	db := reflect.TypeFor[*DB]()
	found := map[string]bool{}
	for i := range db.NumMethod() {
		m := db.Method(i)
		for in := 1; in < m.Type.NumIn(); in++ {
			if !scoped[m.Type.In(in)] {
				continue
			}
			found[m.Name] = true
			if in != 2 {
				t.Errorf("%s takes %s as argument %d; it belongs right after ctx", m.Name, m.Type.In(in), in)
			}
			if crossings[m.Name] == nil {
				t.Errorf("%s has no crossing case", m.Name)
			}
		}
	}
	for name := range crossings {
		if !found[name] {
			t.Errorf("the case of %s tests no method", name)
		}
	}
}
