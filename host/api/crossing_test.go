package api_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// A crossing calls one method for something of organization alpha, and reports whether anything of alpha came back or
// was changed. on holds alpha's number, or nothing when the request names no organization.
type crossing struct {
	call  func(ctx context.Context, w *world, u *who, on []uint32) (something bool, err error)
	right func(w *world) *who // who may; default: alpha's analyst
	open  bool                // may also be called without naming an organization, and then answers for the caller's own
}

func admin(w *world) *who { return w.admin }

func req[T any](m *T) *connect.Request[T] { return connect.NewRequest(m) }

// alphas reports whether an answer holds anything of alpha.
func alphas[T any](w *world, items []T, tenant func(T) uint32) bool {
	return slices.ContainsFunc(items, func(x T) bool { return tenant(x) == w.alpha })
}

// crossings has one entry for each method of the API. A method without one fails the test.
var crossings = map[protoreflect.FullName]crossing{
	"vedette.v1.AuthService.SignIn": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.auth.SignIn(ctx, req(&v1.SignInRequest{Name: u.name, Password: password}))
		return err == nil && slices.Contains(r.Msg.User.Tenants, w.alpha), err
	}},
	"vedette.v1.AuthService.WhoAmI": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{}))
		return err == nil && slices.Contains(r.Msg.User.Tenants, w.alpha), err
	}},
	"vedette.v1.AuthService.SignOut": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.auth.SignIn(ctx, req(&v1.SignInRequest{Name: u.name, Password: password}))
		if err != nil {
			return false, err
		}
		other := as(w.url, u.name, r.Msg.Token)
		if _, err := other.auth.SignOut(ctx, req(&v1.SignOutRequest{})); err != nil {
			return false, err
		}
		_, err = other.auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{}))
		_, still := w.ann.auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{}))
		return u.name == w.ann.name && connect.CodeOf(err) == connect.CodeUnauthenticated && still == nil, nil
	}},

	"vedette.v1.AuthService.ChangePassword": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		// Everybody may change their own, here to what it is; another session than the caller's ends.
		other, err := u.auth.SignIn(ctx, req(&v1.SignInRequest{Name: u.name, Password: password}))
		if err != nil {
			return false, err
		}
		if _, err := u.auth.ChangePassword(ctx, req(&v1.ChangePasswordRequest{OldPassword: password, NewPassword: password})); err != nil {
			return false, err
		}
		_, err = as(w.url, u.name, other.Msg.Token).auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{}))
		_, still := u.auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{}))
		return u.name == w.ann.name && connect.CodeOf(err) == connect.CodeUnauthenticated && still == nil, nil
	}},

	"vedette.v1.EventService.Search": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		stream, err := u.events.Search(ctx, req(&v1.SearchRequest{Query: &v1.Query{Tenants: on}}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		found := false
		for stream.Receive() {
			found = found || alphas(w, stream.Msg().Events, (*v1.Event).GetTenant)
		}
		return found, stream.Err()
	}},
	"vedette.v1.EventService.Histogram": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.events.Histogram(ctx, req(&v1.HistogramRequest{Query: &v1.Query{Text: "crossing", Tenants: on}, StepSeconds: 3600}))
		return err == nil && len(r.Msg.Buckets) > 0, err
	}},
	"vedette.v1.EventService.Facets": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		for _, record := range []string{"!crossing two", "!crossing three"} { // a facet needs two values
			if err := w.sendTo(ctx, w.alpha, record); err != nil {
				return false, err
			}
		}
		for {
			r, err := u.events.Facets(ctx, req(&v1.FacetsRequest{Query: &v1.Query{Text: "crossing", Tenants: on}}))
			if err != nil || len(r.Msg.Facets) > 0 || u.name == w.ben.name {
				return err == nil && len(r.Msg.Facets) > 0, err
			}
		}
	}},
	"vedette.v1.EventService.FieldNames": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.events.FieldNames(ctx, req(&v1.FieldNamesRequest{Query: &v1.Query{Text: "crossing", Tenants: on}}))
		return err == nil && len(r.Msg.Names) > 0, err
	}},
	"vedette.v1.EventService.FieldValues": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.events.FieldValues(ctx, req(&v1.FieldValuesRequest{Query: &v1.Query{Text: "crossing", Tenants: on}, Field: "event.kind"}))
		return err == nil && len(r.Msg.Values) > 0, err
	}},
	"vedette.v1.EventService.Tail": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		stream, err := u.events.Tail(ctx, req(&v1.TailRequest{Tenants: on}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		if !stream.Receive() { // the first answer says that it follows
			return false, stream.Err()
		}
		// Both organizations are sent to, alpha first: when beta's event is here, alpha's would be.
		if err := errors.Join(w.sendTo(ctx, w.alpha, "!crossing tail"), w.sendTo(ctx, w.beta, "end of the tail")); err != nil {
			return false, err
		}
		for stream.Receive() {
			if alphas(w, stream.Msg().Events, (*v1.Event).GetTenant) {
				return true, nil
			}
			if len(stream.Msg().Events) > 0 {
				return false, nil
			}
		}
		return false, stream.Err()
	}},

	"vedette.v1.HealthService.GetHealth": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.health.GetHealth(ctx, req(&v1.GetHealthRequest{}))
		return err == nil && alphas(w, r.Msg.Sources, (*v1.Source).GetTenant), err
	}},

	"vedette.v1.EventService.Inspect": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.events.Inspect(ctx, req(&v1.InspectRequest{Id: w.event}))
		return err == nil && len(r.Msg.Raw) > 0 && r.Msg.Event.Tenant == w.alpha, err
	}},
	"vedette.v1.EventService.CheckQuery": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.events.CheckQuery(ctx, req(&v1.CheckQueryRequest{Text: "* | stats by (x) count() n"}))
		return err == nil && r.Msg.Ok && r.Msg.Table && u == w.ann, err // it is about nobody's events
	}},

	"vedette.v1.SourceService.GetIngest": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.sources.GetIngest(ctx, req(&v1.GetIngestRequest{Tenant: w.alpha}))
		return err == nil && len(r.Msg.Listeners) > 0, err
	}},
	"vedette.v1.SourceService.WatchSource": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		stream, err := u.sources.WatchSource(ctx, req(&v1.WatchSourceRequest{Tenant: w.alpha}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		for stream.Receive() {
			switch m := stream.Msg(); {
			case m.State == "waiting" && len(m.Hints) == 0:
				if err := w.sendTo(ctx, w.alpha, "to be seen arriving"); err != nil {
					return false, err
				}
			case m.State == "arrived" && m.EventId != "":
				return m.Peer == "127.0.0.1" && m.Records > 0, nil
			}
		}
		return false, stream.Err()
	}},
	"vedette.v1.DashboardService.GetOverview": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.dashboards.GetOverview(ctx, req(&v1.GetOverviewRequest{Tenants: on}))
		return err == nil && slices.ContainsFunc(r.Msg.IncidentsByRule, func(s *v1.Series) bool { return s.Name == "crossing-errors" }), err
	}},
	"vedette.v1.DemoService.GetDemo": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.demo.GetDemo(ctx, req(&v1.GetDemoRequest{})) // TestDemo looks at a host that has one
		return err == nil && !r.Msg.Present && u == w.ann, err
	}},
	"vedette.v1.DemoService.SetDemoFeed": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		return noDemo(second(u.demo.SetDemoFeed(ctx, req(&v1.SetDemoFeedRequest{}))))
	}},
	"vedette.v1.DemoService.StartScenario": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		return noDemo(second(u.demo.StartScenario(ctx, req(&v1.StartScenarioRequest{Name: "port-scan", Tenant: w.alpha}))))
	}},
	"vedette.v1.DemoService.RemoveDemo": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		return noDemo(second(u.demo.RemoveDemo(ctx, req(&v1.RemoveDemoRequest{}))))
	}},

	"vedette.v1.IncidentService.ListIncidents": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.incidents.ListIncidents(ctx, req(&v1.ListIncidentsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Incidents, (*v1.Incident).GetTenant), err
	}},
	"vedette.v1.IncidentService.GetIncident": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.incidents.GetIncident(ctx, req(&v1.GetIncidentRequest{Id: w.incident}))
		return err == nil && len(r.Msg.History) > 0 && len(r.Msg.Incident.Evidence) > 0, err
	}},
	"vedette.v1.IncidentService.ActOnIncidents": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		stream, err := u.incidents.ActOnIncidents(ctx, req(&v1.ActOnIncidentsRequest{Ids: []string{w.incident}, Action: "comment", Argument: "one of many"}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		acted := false
		for stream.Receive() {
			acted = acted || alphas(w, stream.Msg().Incidents, (*v1.Incident).GetTenant)
			for _, f := range stream.Msg().Failures {
				if f.Id != w.incident || strings.Contains(f.Message, "A record") {
					return true, errors.New(f.Message)
				}
			}
		}
		return acted, stream.Err()
	}},
	"vedette.v1.IncidentService.RelatedIncidents": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.incidents.RelatedIncidents(ctx, req(&v1.RelatedIncidentsRequest{Id: w.incident}))
		if err != nil {
			return false, err
		}
		// That the right one is let in is what can be seen: the incident is related to none.
		r, err := u.incidents.RelatedIncidents(ctx, req(&v1.RelatedIncidentsRequest{Id: w.incident, Entity: &v1.Entity{Kind: "host", Value: "nobody"}}))
		return err == nil && len(r.Msg.Incidents) == 0, err
	}},
	"vedette.v1.IncidentService.ExportIncident": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			all, err := w.export(ctx, u)
			if connect.CodeOf(err) != connect.CodeFailedPrecondition || ctx.Err() != nil {
				return bytes.Contains(all, []byte("crossing one")) && !bytes.Contains(all, []byte("of beta alone")), err
			}
			<-again.C // the newest evidence came with the cases before, and cannot be searched for a moment
		}
	}},
	"vedette.v1.IncidentService.ActOnIncident": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.incidents.ActOnIncident(ctx, req(&v1.ActOnIncidentRequest{Id: w.incident, Action: "acknowledge"}))
		return err == nil && r.Msg.Incident.State == "acknowledged", err
	}},

	"vedette.v1.ModuleService.ListModules": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.modules.ListModules(ctx, req(&v1.ListModulesRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Modules, (*v1.Module).GetTenant), err
	}},
	"vedette.v1.ModuleService.InstallModule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Package: newerRule, Tenant: w.alpha}))
		return err == nil && r.Msg.Module.Version == "1.1.0" && r.Msg.Module.Publisher != "" && r.Msg.ReplacedDigest != "", err
	}},
	"vedette.v1.ModuleService.RollbackModule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if u == w.ann { // something to go back from, whichever case came before
			if _, err := u.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Package: newerRule, Tenant: w.alpha})); err != nil {
				return false, err
			}
		}
		_, err := u.modules.RollbackModule(ctx, req(&v1.RollbackModuleRequest{Name: "crossing/errors", Tenant: w.alpha}))
		return err == nil, err
	}},
	"vedette.v1.ModuleService.SetModuleEnabled": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		for _, on := range []bool{false, true} {
			r, err := u.modules.SetModuleEnabled(ctx, req(&v1.SetModuleEnabledRequest{Name: "crossing/errors", Tenant: w.alpha, Enabled: on}))
			if err != nil || r.Msg.Module.Enabled != on {
				return false, err
			}
		}
		return true, nil
	}},
	"vedette.v1.ModuleService.ModuleLogs": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.modules.ModuleLogs(ctx, req(&v1.ModuleLogsRequest{Name: "crossing/trap", Tenant: w.alpha}))
		return err == nil, err // the module writes none; that the right one is let in is what can be seen
	}},
	"vedette.v1.ModuleService.ListQuarantine": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.modules.ListQuarantine(ctx, req(&v1.ListQuarantineRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Records, (*v1.QuarantinedRecord).GetTenant), err
	}},

	"vedette.v1.TenantService.ListTenants": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.tenants.ListTenants(ctx, req(&v1.ListTenantsRequest{}))
		return err == nil && alphas(w, r.Msg.Tenants, (*v1.Tenant).GetId), err
	}},
	"vedette.v1.TenantService.CreateTenant": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.tenants.CreateTenant(ctx, req(&v1.CreateTenantRequest{Slug: "gamma", Name: "Gamma"}))
		return err == nil && r.Msg.Tenant.Id > w.beta, err
	}},
	"vedette.v1.TenantService.ListUsers": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.tenants.ListUsers(ctx, req(&v1.ListUsersRequest{}))
		return err == nil && slices.ContainsFunc(r.Msg.Users, func(x *v1.User) bool { return slices.Contains(x.Tenants, w.alpha) }), err
	}},
	"vedette.v1.TenantService.CreateUser": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.tenants.CreateUser(ctx, req(&v1.CreateUserRequest{Name: "spy", Password: password, Role: "analyst", Tenant: w.alpha}))
		return err == nil, err
	}},
	"vedette.v1.TenantService.CreateIngestToken": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.tenants.CreateIngestToken(ctx, req(&v1.CreateIngestTokenRequest{Tenant: w.alpha, Name: "second"}))
		return err == nil && r.Msg.Token != "", err
	}},
	"vedette.v1.TenantService.ListIngestTokens": {right: admin, open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.tenants.ListIngestTokens(ctx, req(&v1.ListIngestTokensRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Tokens, (*v1.IngestToken).GetTenant), err
	}},
	"vedette.v1.TenantService.RevokeIngestToken": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if u == w.admin {
			if _, err := u.tenants.CreateIngestToken(ctx, req(&v1.CreateIngestTokenRequest{Tenant: w.alpha, Name: "short"})); err != nil {
				return false, err
			}
			_, err := u.tenants.RevokeIngestToken(ctx, req(&v1.RevokeIngestTokenRequest{Tenant: w.alpha, Name: "short"}))
			return err == nil, err
		}
		_, err := u.tenants.RevokeIngestToken(ctx, req(&v1.RevokeIngestTokenRequest{Tenant: w.alpha, Name: "first"}))
		return err == nil, err
	}},
	"vedette.v1.TenantService.SetWebhook": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.tenants.SetWebhook(ctx, req(&v1.SetWebhookRequest{Tenant: w.alpha, Name: "spy", Url: "https://hook.example/in", Secret: "s"}))
		return err == nil, err
	}},
	"vedette.v1.TenantService.ListWebhooks": {right: admin, open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if u == w.admin {
			if _, err := u.tenants.SetWebhook(ctx, req(&v1.SetWebhookRequest{Tenant: w.alpha, Url: "https://hook.example/in", Secret: "s"})); err != nil {
				return false, err
			}
		}
		r, err := u.tenants.ListWebhooks(ctx, req(&v1.ListWebhooksRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Webhooks, (*v1.Webhook).GetTenant), err
	}},
}

func (w *world) export(ctx context.Context, u *who) (all []byte, err error) {
	stream, err := u.incidents.ExportIncident(ctx, req(&v1.ExportIncidentRequest{Id: w.incident}))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for stream.Receive() {
		all = append(all, stream.Msg().Data...)
	}
	return all, stream.Err()
}

// noDemo takes for done what was refused for want of a demo alone: the right to it was there.
func noDemo(err error) (bool, error) {
	if connect.CodeOf(err) == connect.CodeFailedPrecondition {
		return true, nil
	}
	return false, err
}

// newerRule is alpha's rule in its second version.
var newerRule = errorRule(&testing.B{}, "1.1.0")

func (w *world) sendTo(ctx context.Context, tenant uint32, record string) error {
	r, err := http.NewRequestWithContext(ctx, "POST", w.url+"/v1/ingest", strings.NewReader(record))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[tenant])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// refused reports whether an error is one that a caller without the right gets.
func refused(err error) bool {
	return slices.Contains([]connect.Code{connect.CodePermissionDenied, connect.CodeNotFound, connect.CodeUnauthenticated}, connect.CodeOf(err))
}

func TestNothingCrosses(t *testing.T) {
	w := newWorld(t)
	w.shipped(t) // some methods ask for a module that ships
	methods := map[protoreflect.FullName]bool{}
	protoregistry.GlobalFiles.RangeFilesByPackage("vedette.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			ms := f.Services().Get(i).Methods()
			for j := range ms.Len() {
				methods[ms.Get(j).FullName()] = true
			}
		}
		return true
	})
	if len(methods) < 25 {
		t.Fatalf("only %d methods were found", len(methods))
	}
	for name := range crossings {
		if !methods[name] {
			t.Errorf("there is no method %s", name)
		}
	}
	for _, name := range slices.Sorted(func(yield func(protoreflect.FullName) bool) {
		for m := range methods {
			if !yield(m) {
				return
			}
		}
	}) {
		t.Run(string(name), func(t *testing.T) {
			c, ok := crossings[name]
			if !ok {
				t.Fatal("no case says what of another organization this method must not give")
			}
			c.test(t, w)
		})
	}
	t.Run("live", func(t *testing.T) { testLive(t, w) })
	t.Run("read-only", func(t *testing.T) { testReadOnly(t, w) })
	t.Run("tail asks the store nothing", func(t *testing.T) { testTailQueries(t, w) })
	t.Run("overview asks the store nothing", func(t *testing.T) { testOverviewQueries(t, w) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, w) })
	t.Run("watches", func(t *testing.T) { testWatches(t, w) })
	t.Run("sources", func(t *testing.T) { testSources(t, w) })
	t.Run("cookie", func(t *testing.T) { testCookie(t, w) })
}

func (c crossing) test(t *testing.T, w *world) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	on := [][]uint32{{w.alpha}}
	if c.open {
		on = append(on, nil)
	}
	right := w.ann
	if c.right != nil {
		right = c.right(w)
	}
	for _, tenants := range on {
		something, err := c.call(ctx, w, w.ben, tenants)
		if something {
			t.Errorf("organizations %v: something of alpha came to, or was done by, a user of beta", tenants)
		}
		if err != nil && !refused(err) {
			t.Errorf("organizations %v: a user of beta got %v", tenants, err)
		}
		if c.open && tenants != nil && connect.CodeOf(err) != connect.CodePermissionDenied {
			t.Errorf("naming alpha gave a user of beta %v, want permission denied", err)
		}
		if c.open && tenants == nil && c.right == nil && err != nil {
			t.Errorf("naming no organization gave a user of beta %v", err)
		}
	}
	nobody := as(w.url, "nobody", "vds_unknown")
	if something, err := c.call(ctx, w, nobody, nil); something || connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("without a session: %v, %v", something, err)
	}
	for _, tenants := range on {
		if something, err := c.call(ctx, w, right, tenants); err != nil || !something {
			t.Errorf("organizations %v: %s of alpha got nothing: %v", tenants, right.name, err)
		}
	}
}

// liveCrossings has one entry for each kind of frame.
var liveCrossings = map[protoreflect.Name]func(t *testing.T, w *world){
	"changes": func(t *testing.T, w *world) {
		got := map[string]map[uint32]int{}
		for _, u := range []*who{w.ann, w.ben} {
			got[u.name] = map[uint32]int{}
			s, _ := w.dial(t, http.Header{"Authorization": {"Bearer " + u.token}})
			defer s.Close()
			s.ask(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "incidents", After: map[uint32]uint64{w.alpha: 0}}}})
			if u == w.ben {
				s.ask(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "health"}}})
			}
			for f := s.frame(t); ; f = s.frame(t) {
				if c := f.GetChanges(); c != nil {
					got[u.name][c.Tenant] += len(c.Incidents)
				}
				// Health comes after all that a first subscription brings.
				if f.GetHealth() != nil || u == w.ann && got[u.name][w.alpha] > 0 {
					break
				}
			}
		}
		if got["ann"][w.alpha] == 0 || len(got["ann"]) != 1 {
			t.Errorf("alpha's analyst got %v", got["ann"])
		}
		if _, ok := got["ben"][w.alpha]; ok {
			t.Errorf("beta's analyst got %v", got["ben"])
		}
	},
	"health": func(t *testing.T, w *world) { // the host's rate, which everybody may see
		s, _ := w.dial(t, http.Header{"Authorization": {"Bearer " + w.ben.token}})
		defer s.Close()
		s.ask(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "health"}}})
		if s.frame(t).GetHealth() == nil {
			t.Error("no health")
		}
	},
	"error": func(t *testing.T, w *world) {
		s, _ := w.dial(t, http.Header{"Authorization": {"Bearer " + w.ben.token}})
		defer s.Close()
		s.ask(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "incidents", Tenants: []uint32{w.alpha}}}})
		if f := s.frame(t); f.GetError() == nil {
			t.Errorf("subscribing to alpha gave a user of beta %v", f)
		}
	},
}

func testLive(t *testing.T, w *world) {
	kinds := (&v1.LiveFrame{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	for i := range kinds.Len() {
		name := kinds.Get(i).Name()
		c, ok := liveCrossings[name]
		if !ok {
			t.Errorf("no case for frames of kind %s", name)
			continue
		}
		t.Run(string(name), func(t *testing.T) { c(t, w) })
	}
	for name, h := range map[string]http.Header{
		"no session": {}, "an unknown session": {"Authorization": {"Bearer vds_unknown"}},
		"a cookie from another site": {"Cookie": {"vedette_session=" + w.ann.token}, "Origin": {"http://evil.example"}},
	} {
		s, resp := w.dial(t, h)
		s.Close()
		if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	s, resp := w.dial(t, http.Header{"Cookie": {"vedette_session=" + w.ann.token}, "Origin": {w.url}})
	s.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("the cookie of the own page: %s", resp.Status)
	}
}

// Someone who may only read changes nothing.
func testReadOnly(t *testing.T, w *world) {
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"act": func() error {
			_, err := w.carl.incidents.ActOnIncident(ctx, req(&v1.ActOnIncidentRequest{Id: w.incident, Action: "comment", Argument: "x"}))
			return err
		},
		"install": func() error {
			_, err := w.carl.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Package: newerRule, Tenant: w.alpha}))
			return err
		},
		"install for all": func() error {
			_, err := w.ann.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Package: newerRule}))
			return err
		},
		"quarantine": func() error {
			_, err := w.carl.modules.ListQuarantine(ctx, req(&v1.ListQuarantineRequest{}))
			return err
		},
		"logs of a shared module": func() error {
			_, err := w.ann.modules.ModuleLogs(ctx, req(&v1.ModuleLogsRequest{Name: "vedette/fortigate"}))
			return err
		},
	} {
		if err := call(); connect.CodeOf(err) != connect.CodePermissionDenied {
			t.Errorf("%s: %v, want permission denied", name, err)
		}
	}
	if _, err := w.carl.incidents.GetIncident(ctx, req(&v1.GetIncidentRequest{Id: w.incident})); err != nil {
		t.Errorf("reading: %v", err)
	}
}

func testTailQueries(t *testing.T, w *world) {
	queries := func() uint64 {
		return must[v1.GetHealthResponse](t)(w.admin.health.GetHealth(t.Context(), req(&v1.GetHealthRequest{}))).StoreQueries
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	before := queries()
	stream, err := w.ann.events.Tail(ctx, req(&v1.TailRequest{Filter: `"tail query" AND event.kind:pipeline_error`}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	w.send(t, w.alpha, "not this one")
	w.send(t, w.alpha, "!crossing tail query")
	for stream.Receive() && len(stream.Msg().Events) == 0 {
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	for _, e := range stream.Msg().Events {
		if !strings.Contains(e.Raw, "tail query") {
			t.Errorf("the filter let %q through", e.Raw)
		}
	}
	if after := queries(); after != before || before == 0 {
		t.Errorf("%d queries of the store before, %d after the tail", before, after)
	}
}

// The cookie of a browser works for the own page and not for another site.
func testCookie(t *testing.T, w *world) {
	resp, err := as(w.url, "", "").auth.SignIn(t.Context(), req(&v1.SignInRequest{Name: "ann", Password: password}))
	if err != nil {
		t.Fatal(err)
	}
	cookie := resp.Header().Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	for _, c := range []struct {
		site string
		want int
	}{{"same-origin", 200}, {"cross-site", 403}, {"same-site", 403}, {"", 200}} {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/vedette.v1.AuthService/WhoAmI", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", strings.Split(cookie, ";")[0])
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("Sec-Fetch-Site %q: %s, want %d", c.site, resp.Status, c.want)
		}
	}
}
