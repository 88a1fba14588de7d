package meta

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func init() { maps.Copy(crossings, admissionCrossings) }

// admissionCrossings are those of requests and cases.
var admissionCrossings = map[string]crossing{
	"PutInstallRequest": func(w *world, t storage.Tenant) (bool, error) {
		if _, err := w.PutInstallRequest(ctx, t, InstallRequest{Module: "local/x", Digest: "d"}); err != nil {
			return false, err
		}
		list, err := w.ListInstallRequests(ctx, of(w.a), false, 0)
		return len(list) > 0, err
	},
	"ListInstallRequests": func(w *world, t storage.Tenant) (bool, error) {
		w.request(w.a, "d")
		list, err := w.ListInstallRequests(ctx, of(t), true, 0)
		return len(list) > 0, err
	},
	"InstallRequest": func(w *world, t storage.Tenant) (bool, error) {
		_, err := w.InstallRequest(ctx, of(t), w.request(w.a, "d"))
		return changed(err)
	},
	"DecideInstallRequest": func(w *world, t storage.Tenant) (bool, error) {
		return changed(w.DecideInstallRequest(ctx, of(t), w.request(w.a, "d"), RequestRejected, ""))
	},
	"PutModuleCase": func(w *world, t storage.Tenant) (bool, error) {
		if _, err := w.PutModuleCase(ctx, t, ModuleCase{Module: "local/x", Incident: "i", Events: []byte("[]")}); err != nil {
			return false, err
		}
		list, err := w.ModuleCases(ctx, w.a, "local/x")
		return len(list) > 0, err
	},
	"ModuleCases": func(w *world, t storage.Tenant) (bool, error) {
		w.keepCase(w.a, "i")
		list, err := w.ModuleCases(ctx, t, "")
		return len(list) > 0, err
	},
	"DeleteModuleCase": func(w *world, t storage.Tenant) (bool, error) {
		return changed(w.DeleteModuleCase(ctx, t, w.keepCase(w.a, "i")))
	},
}

func (w *world) request(t storage.Tenant, digest string) uint64 {
	id, err := w.PutInstallRequest(ctx, t, InstallRequest{
		Module: "local/x", Version: "1.0.0", Digest: digest, Settings: "{}", Asks: []string{"vedette_http_v1", "vedette_kv_v1"}, Missing: []string{"vedette_kv_v1"}, Who: "ann", At: 7,
	})
	w.must(err)
	return id
}

// keepCase returns the case of an incident, which it makes when there is none.
func (w *world) keepCase(t storage.Tenant, incident string) uint64 {
	id, err := w.PutModuleCase(ctx, t, ModuleCase{Module: "local/x", Rule: "x", Incident: incident, Title: "T", Events: []byte(`[1]`), Who: "ann", At: 7})
	if !errors.Is(err, storage.ErrConflict) {
		w.must(err)
		return id
	}
	list, err := w.ModuleCases(ctx, t, "local/x")
	w.must(err)
	return list[0].ID
}

func TestInstallRequests(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	admin := storage.Principal{User: "root", Role: storage.RoleAdmin, Tenants: []storage.Tenant{w.a, w.b}}
	first, again := w.request(w.a, "d"), w.request(w.a, "d")
	if first != again {
		t.Errorf("the same request is %d and %d", first, again)
	}
	all := w.request(storage.NoTenant, "d")
	list := must(w.ListInstallRequests(ctx, admin, false, 0))(t)
	if len(list) != 2 || list[0].ID != all || list[0].Tenant != storage.NoTenant || list[1].Tenant != w.a {
		t.Fatalf("an admin sees %+v", list)
	}
	x := list[1]
	if x.Module != "local/x" || x.Version != "1.0.0" || fmt.Sprint(x.Asks, x.Missing) != "[vedette_http_v1 vedette_kv_v1] [vedette_kv_v1]" || x.Who != "ann" || x.At != 7 || x.State != RequestWaiting {
		t.Errorf("%+v", x)
	}
	if list := must(w.ListInstallRequests(ctx, of(w.a), false, 0))(t); len(list) != 1 {
		t.Errorf("an analyst sees %+v", list) // those for all are an admin's
	}
	w.must(w.DecideInstallRequest(ctx, admin, first, RequestApproved, "fine"))
	if err := w.DecideInstallRequest(ctx, admin, first, RequestRejected, ""); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("decided twice: %v", err)
	}
	got := must(w.InstallRequest(ctx, admin, first))(t)
	if got.State != RequestApproved || got.Decider != "root" || got.Decided == 0 || got.Note != "fine" {
		t.Errorf("%+v", got)
	}
	for n := range MaxWaitingPerTenant {
		w.request(w.a, fmt.Sprint("e", n))
	}
	if _, err := w.PutInstallRequest(ctx, w.a, InstallRequest{Module: "local/x", Digest: "one over"}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
}

func TestModuleCases(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.keepCase(w.a, "i")
	if _, err := w.PutModuleCase(ctx, w.a, ModuleCase{Module: "local/x", Incident: "i", Events: []byte("[]")}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	w.keepCase(storage.NoTenant, "i")
	list := must(w.ModuleCases(ctx, w.a, "local/x"))(t)
	if len(list) != 1 || string(list[0].Events) != "[1]" || list[0].Rule != "x" || list[0].Title != "T" {
		t.Errorf("%+v", list)
	}
	if list := must(w.ModuleCases(ctx, w.a, ""))(t); len(list) != 1 || list[0].Events != nil {
		t.Errorf("a list without a module: %+v", list)
	}
	if _, err := w.PutModuleCase(ctx, w.a, ModuleCase{Module: "local/x", Incident: "big", Events: make([]byte, MaxCaseBytes+1)}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("too large: %v", err)
	}
	for n := range MaxCasesPerModule - 1 {
		w.keepCase(w.a, fmt.Sprint("i", n))
	}
	if _, err := w.PutModuleCase(ctx, w.a, ModuleCase{Module: "local/x", Incident: "one over", Events: []byte("[]")}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
}
