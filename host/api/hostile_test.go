package api_test

import (
	"testing"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// TestLoadHostile: an admin lets hostile parsers loose on a demo organization and is told how they ended; nobody else
// may, and nowhere else.
func TestLoadHostile(t *testing.T) {
	w, h, _ := demoHost(t, warm(t))
	w.admin = w.signIn(t, "admin", h.Password())
	orgs := map[string]uint32{}
	for _, o := range must[v1.ListTenantsResponse](t)(w.admin.tenants.ListTenants(t.Context(), req(&v1.ListTenantsRequest{}))).Tenants {
		orgs[o.Slug] = o.Id
	}
	hana := w.user(t, "hana", "analyst", orgs["harbour"])
	load := func(u *who, on uint32, name string) (*v1.LoadHostileResponse, error) {
		r, err := u.demo.LoadHostile(t.Context(), req(&v1.LoadHostileRequest{Name: name, Tenant: on}))
		if err != nil {
			return nil, err
		}
		return r.Msg, nil
	}
	list := must[v1.GetDemoResponse](t)(w.admin.demo.GetDemo(t.Context(), req(&v1.GetDemoRequest{}))).Hostile
	if len(list) < 4 {
		t.Fatalf("hostile parsers: %v", list)
	}
	for _, x := range list {
		end, err := load(w.admin, orgs["harbour"], x.Name)
		if err != nil || end.Code == "" || end.Milliseconds <= 0 || end.Fuel == 0 || end.Quarantined == 0 {
			t.Fatalf("%s: %v, %v", x.Name, end, err)
		}
		q := must[v1.ListQuarantineResponse](t)(hana.modules.ListQuarantine(t.Context(), req(&v1.ListQuarantineRequest{Limit: 1}))).Records
		if len(q) != 1 || q[0].Number != end.Quarantined || q[0].Code != end.Code || q[0].Module != "hostile/"+x.Name {
			t.Errorf("%s: the quarantine holds %v, want number %d", x.Name, q, end.Quarantined)
		}
	}
	for _, m := range must[v1.ListModulesResponse](t)(hana.modules.ListModules(t.Context(), req(&v1.ListModulesRequest{}))).Modules {
		if m.Tenant == orgs["harbour"] && (m.Enabled || m.Use.GetErrors() != 1 || m.Use.GetLastError() == "") {
			t.Errorf("what is left of %s: %v", m.Name, m)
		}
	}
	for name, c := range map[string]struct {
		u    *who
		on   string
		name string
		want connect.Code
	}{
		"an analyst":          {hana, "harbour", "endless-loop", connect.CodePermissionDenied},
		"a real organization": {w.admin, "main", "endless-loop", connect.CodePermissionDenied},
		"an unknown one":      {w.admin, "meadow", "flood", connect.CodeNotFound},
	} {
		if _, err := load(c.u, orgs[c.on], c.name); connect.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
