package meta

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func init() { maps.Copy(crossings, trustCrossings) }

var trustCrossings = map[string]crossing{
	"SetTrustPolicy": func(w *world, t storage.Tenant) (bool, error) {
		if _, err := w.SetTrustPolicy(ctx, t, "changed", "eve"); err != nil {
			return false, err
		}
		p, err := w.TrustPolicy(ctx, w.a)
		return p.Document == "changed", err
	},
	"TrustPolicy": func(w *world, t storage.Tenant) (bool, error) {
		must(w.SetTrustPolicy(ctx, w.a, "of a", "root"))(w.T)
		p, err := w.TrustPolicy(ctx, t)
		return p.Document != "", err
	},
	"TrustPolicies": func(w *world, t storage.Tenant) (bool, error) {
		must(w.SetTrustPolicy(ctx, w.a, "of a", "root"))(w.T)
		list, err := w.TrustPolicies(ctx, t)
		return len(list) > 0, err
	},
}

func TestTrustPolicies(t *testing.T) {
	w := newWorld(t)
	if p := must(w.TrustPolicy(ctx, w.a))(t); p != (TrustPolicy{}) {
		t.Errorf("before there is one: %+v", p)
	}
	for i := range MaxTrustPoliciesListed + 2 {
		must(w.SetTrustPolicy(ctx, w.a, strings.Repeat("x", i+1), "root"))(t)
	}
	list := must(w.TrustPolicies(ctx, w.a))(t)
	if len(list) != MaxTrustPoliciesListed || len(list[0].Document) != MaxTrustPoliciesListed+2 || len(list[len(list)-1].Document) != 3 {
		t.Errorf("%d are kept, from %d to %d bytes", len(list), len(list[0].Document), len(list[len(list)-1].Document))
	}
	if p := must(w.TrustPolicy(ctx, w.a))(t); p != list[0] || p.Who != "root" || p.At == 0 {
		t.Errorf("in force is %+v", p)
	}
	if _, err := w.SetTrustPolicy(ctx, w.a, strings.Repeat("x", MaxTrustPolicyBytes+1), "root"); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one byte too many: %v", err)
	}
	if _, err := w.SetTrustPolicy(ctx, storage.NoTenant, "x", "root"); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("of nobody: %v", err)
	}
}

func TestPackageDigests(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	waits, decided := w.request(w.a, "waits"), w.request(w.b, "decided")
	w.must(w.DecideInstallRequest(ctx, of(w.b), decided, RequestRejected, ""))
	if list := must(w.PackageDigests(ctx))(t); !slices.Contains(list, "waits") || slices.Contains(list, "decided") || !slices.Contains(list, "sha256:1") || waits == 0 {
		t.Errorf("digests %q", list)
	}
	if list := must(w.AllTenants(ctx))(t); !slices.Equal(list, []storage.Tenant{w.a, w.b}) {
		t.Errorf("tenants %v", list)
	}
}
