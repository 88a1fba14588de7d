package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

const (
	meadowTenant = 2 // of newDemo
	foreign      = "zebra"
	own          = "heron"
)

// testRoles looks at the console as a reader and as an analyst of one organization, and as the admin of all.
func testRoles(t *testing.T, s *server, token string) {
	ctx := t.Context()
	meadow := s.readProbes(ctx, meadowTenant)
	s.createUser(ctx, "rita", "read-only", mainTenant)
	s.createUser(ctx, "mara", "analyst", mainTenant)
	s.createUser(ctx, foreign+"fred", "analyst", meadowTenant)
	s.probe(ctx, meadow, foreign+" 1", foreign+" 2")
	s.probe(ctx, token, own+" 1", own+" 2")
	s.drain(ctx)
	readerMayLook(t, s)
	analystSeesOwn(t, s, token, meadow)
	adminSeesWhose(t, s, token, meadow)
}

// session is what the API takes from a browser that is signed in: its cookie, used by hand.
func (p *page) session(s *server) []connect.ClientOption {
	p.t.Helper()
	r, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{s.url}})
	if err != nil || len(r.Cookies) != 1 {
		p.t.Fatalf("cookies of %s: %v %v", p.name, r, err)
	}
	cookie := r.Cookies[0].Name + "=" + r.Cookies[0].Value
	return []connect.ClientOption{connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			req.Header().Set("Cookie", cookie)
			req.Header().Set("Sec-Fetch-Site", "same-origin")
			return next(ctx, req)
		}
	}))}
}

// attempt is a call that somebody may not make.
type attempt struct {
	name string
	call func() error
	want connect.Code
}

func refused(t *testing.T, who string, attempts []attempt) {
	t.Helper()
	for _, a := range attempts {
		if err := a.call(); connect.CodeOf(err) != a.want {
			t.Errorf("%s as %s: %v, want %v", a.name, who, err, a.want)
		}
	}
}

func called[T any](_ *connect.Response[T], err error) error { return err }

// readerMayLook: everything that changes something is there, disabled, with the reason.
func readerMayLook(t *testing.T, s *server) {
	ctx := t.Context()
	p := openPage(t, "reader", s.url)
	p.signInAs("rita", userPassword)
	p.open(s.url + "/queue?q=probe+" + own)
	p.awaitRows(2)
	in := s.titled(ctx, own)["probe "+own+" 1"]
	const why = `Your role, read-only, may not change incidents\.`
	p.press("jx")
	usable := on[[]string](p.find("toolbar", "What to do with the selected incidents"), `function() {
  return [...this.querySelectorAll('button')].filter((b) => b.ariaDisabled !== 'true').map((b) => b.ariaLabel ?? b.innerText.trim()) }`)
	if want := []string{"Select all 2", "Clear the selection"}; len(usable) != len(want) || !strings.HasPrefix(usable[0], want[0]) || usable[1] != want[1] {
		t.Errorf("a reader can use %q, want %q", usable, want)
	}
	p.find("button", "Acknowledge").hover()
	p.says(why)
	p.picture("roles-reader-queue")
	p.pointAway()
	p.press("xa")
	p.says(why)
	p.press("c")
	p.press("s")
	p.gone("dialog", ".*")
	p.open(s.url + "/incidents/" + in.Id + "?view=timeline")
	p.find("heading", "(?i).*probe.*")
	for _, command := range []string{"Acknowledge a", "Escalate e", "Close c", "Note n", "Add note"} {
		p.disabled("button", command)
	}
	p.says("Timeline")
	p.picture("roles-reader-incident")
	for _, x := range []struct{ path, button, why string }{
		{"/access", "Add a user", "change users"},
		{"/access?show=organizations", "Add an organization", "change organizations"},
		{"/access?show=tokens", "Create a token", "change ingest tokens"},
		{"/access?show=webhooks", "Add a webhook", "change webhooks"},
		{"/sources/add", "Create a token", "change ingest tokens"},
	} {
		p.open(s.url + x.path)
		if said := p.disabled("button", x.button); !strings.Contains(said, x.why) {
			t.Errorf("%s: %q is disabled because %q, want %q", x.path, x.button, said, x.why)
		}
	}
	p.open(s.url + "/modules")
	p.find("switch", ".*")
	for _, title := range eval[[]string](p, `[...document.querySelectorAll('[role=switch]')].map((x) => x.disabled ? x.title : 'none: it can be used')`) {
		if !strings.Contains(title, "may not change modules") {
			t.Errorf("a module's switch is disabled because %q", title)
		}
	}
	p.open(s.url + "/access")
	p.says(`Your role, read-only, does not see users`)
	p.picture("roles-reader-access")
	opts := p.session(s)
	refused(t, "rita", append(changes(ctx, s, opts, in.Id), attempt{"read the quarantine", func() error {
		return called(vedettev1connect.NewModuleServiceClient(http.DefaultClient, s.url, opts...).ListQuarantine(ctx, connect.NewRequest(&v1.ListQuarantineRequest{})))
	}, connect.CodePermissionDenied}))
	if now := s.titled(ctx, own)["probe "+own+" 1"]; now.State != "open" || now.Assignee != "" || now.UpdatedAt.AsTime() != in.UpdatedAt.AsTime() {
		t.Errorf("after it the incident is %v", now)
	}
}

// changes are calls that change something of "main" or of the host: on an incident, and what an admin does.
func changes(ctx context.Context, s *server, opts []connect.ClientOption, id string) []attempt {
	incidents := vedettev1connect.NewIncidentServiceClient(http.DefaultClient, s.url, opts...)
	modules := vedettev1connect.NewModuleServiceClient(http.DefaultClient, s.url, opts...)
	var out []attempt
	for action, argument := range map[string]string{"acknowledge": "", "resolve": "benign", "assign": "rita", "comment": "x", "severity": "low", "reopen": ""} {
		out = append(out, attempt{action, func() error {
			return called(incidents.ActOnIncident(ctx, connect.NewRequest(&v1.ActOnIncidentRequest{Id: id, Action: action, Argument: argument})))
		}, connect.CodePermissionDenied})
	}
	return append(append(out, attempt{"install a parser", func() error {
		return called(modules.InstallSpec(ctx, connect.NewRequest(&v1.InstallSpecRequest{Tenant: mainTenant, Name: "x", Spec: probeSpec, Samples: [][]byte{[]byte("PROBE a b")}})))
	}, connect.CodePermissionDenied}), administration(ctx, s, opts)...)
}

// administration is what only an admin does.
func administration(ctx context.Context, s *server, opts []connect.ClientOption) []attempt {
	tenants := vedettev1connect.NewTenantServiceClient(http.DefaultClient, s.url, opts...)
	demo := vedettev1connect.NewDemoServiceClient(http.DefaultClient, s.url, opts...)
	modules := vedettev1connect.NewModuleServiceClient(http.DefaultClient, s.url, opts...)
	const denied = connect.CodePermissionDenied
	return []attempt{
		{"create an organization", func() error {
			return called(tenants.CreateTenant(ctx, connect.NewRequest(&v1.CreateTenantRequest{Slug: "x", Name: "X"})))
		}, denied},
		{"create an admin", func() error {
			return called(tenants.CreateUser(ctx, connect.NewRequest(&v1.CreateUserRequest{Name: "x", Password: userPassword, Role: "admin"})))
		}, denied},
		{"create a token", func() error {
			return called(tenants.CreateIngestToken(ctx, connect.NewRequest(&v1.CreateIngestTokenRequest{Tenant: mainTenant, Name: "x"})))
		}, denied},
		{"set a webhook", func() error {
			return called(tenants.SetWebhook(ctx, connect.NewRequest(&v1.SetWebhookRequest{Tenant: mainTenant, Name: "x", Url: "https://evil.example"})))
		}, denied},
		{"pause the demo", func() error {
			return called(demo.SetDemoFeed(ctx, connect.NewRequest(&v1.SetDemoFeedRequest{})))
		}, denied},
		{"switch a shared module off", func() error {
			return called(modules.SetModuleEnabled(ctx, connect.NewRequest(&v1.SetModuleEnabledRequest{Name: "e2e/probe"})))
		}, denied},
	}
}

// disabled wants a button that cannot be used, and returns the reason in its title.
func (p *page) disabled(role, pattern string) string {
	p.t.Helper()
	e := p.find(role, pattern)
	if !on[bool](e, `function() { return this.disabled || this.ariaDisabled === 'true' }`) {
		p.t.Errorf("browser %q: %q can be used", p.name, e.name)
	}
	return on[string](e, `function() { return this.title }`)
}

// analystSeesOwn: an analyst of "main" sees nothing of another organization, neither on any page nor over the wire.
func analystSeesOwn(t *testing.T, s *server, token, meadow string) {
	ctx := t.Context()
	p := openPage(t, "own", s.url)
	var frames, crossed atomic.Int64
	if _, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(p.ctx, func(ev any) {
		if f, ok := ev.(*network.EventWebSocketFrameReceived); ok {
			frames.Add(1)
			if text := string(f.Response.PayloadData); strings.Contains(text, foreign) || strings.Contains(text, "bastion-1") {
				crossed.Add(1)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	p.signInAs("mara", userPassword)
	nothing := func(where string) {
		t.Helper()
		if eval[bool](p, fmt.Sprintf(`new RegExp('%s|Meadow|Harbour').test(document.documentElement.outerHTML)`, foreign)) {
			t.Errorf("%s shows something of another organization", where)
		}
	}
	p.open(s.url + "/queue?q=probe+" + own)
	p.awaitRows(2)
	s.probe(ctx, meadow, foreign+" live")
	s.drain(ctx)
	s.probe(ctx, token, own+" live")
	p.awaitRows(3)
	nothing("the queue")
	seesOnlyOwnFacets(t, s, p)
	p.gone("button", "Organization:.*")
	for _, path := range []string{"/queue?state=any&org=meadow", "/queue?q=" + foreign + "&state=any", "/dashboards", "/sources", "/modules", "/access", "/health", "/search?q=" + foreign} {
		p.open(s.url + path)
		p.find("heading", ".+")
		p.await(path+" to be loaded", `document.querySelector('[aria-busy=true]') === null`)
		if !strings.Contains(path, "q="+foreign) {
			nothing(path)
		}
	}
	suggestsOwn(s, p, nothing)
	theirs := s.titled(ctx, foreign)["probe "+foreign+" 1"].Id
	p.open(s.url + "/incidents/" + theirs)
	p.says(`There is no such incident`)
	nothing("the page of an incident of theirs")
	p.picture("roles-foreign-incident")
	refused(t, "mara", append(crossings(ctx, s, p.session(s), theirs), administration(ctx, s, p.session(s))...))
	if frames.Load() == 0 || crossed.Load() > 0 {
		t.Errorf("of %d frames of the stream %d had something of another organization in them", frames.Load(), crossed.Load())
	}
}

// seesOnlyOwnFacets compares what the facets count with what the host lets the analyst see.
func seesOnlyOwnFacets(t *testing.T, s *server, p *page) {
	t.Helper()
	p.open(s.url + "/queue?state=any")
	p.pointAway()
	r, err := vedettev1connect.NewIncidentServiceClient(http.DefaultClient, s.url, p.session(s)...).
		ListIncidents(t.Context(), connect.NewRequest(&v1.ListIncidentsRequest{Limit: 1000}))
	if err != nil || r.Msg.NextPageToken != "" {
		t.Fatalf("incidents of the analyst: %v, more: %q", err, r.Msg.GetNextPageToken())
	}
	want := map[string]int{}
	for _, i := range r.Msg.Incidents {
		if want[i.State]++; i.Tenant != mainTenant {
			t.Errorf("the analyst gets the incident %q", i.Title)
		}
	}
	p.awaitRows(len(r.Msg.Incidents))
	p.until(fmt.Sprintf("the facet to count %v", want), func() (bool, error) {
		values := on[[]facetValue](p.find("group", "State"), facetValues)
		return !slices.ContainsFunc(values, func(v facetValue) bool { return v.Count != want[strings.ToLower(v.Label)] }), nil
	})
	p.gone("group", "Organization")
	p.picture("roles-analyst-queue")
}

// suggestsOwn looks at what is offered while somebody types.
func suggestsOwn(s *server, p *page, nothing func(string)) {
	p.t.Helper()
	p.open(s.url + "/queue?q=probe+" + own)
	p.awaitRows(3)
	p.press("js")
	p.find("dialog", "Severity and assignee of .*")
	p.find("combobox", "Assignee").fill("a")
	p.find("option", "mara")
	nothing("the suggestions for the assignee")
	if all, err := p.all("option", ".*"+foreign+".*"); err != nil || len(all) > 0 {
		p.t.Errorf("the assignees offered: %v %v", all, err)
	}
	p.press(keyEscape)
	p.closeDialog()
	p.chord("k")
	p.find("textbox", "Go to or do")
	nothing("the palette")
	p.closeDialog()
}

// crossings are calls for something of another organization.
func crossings(ctx context.Context, s *server, opts []connect.ClientOption, theirs string) []attempt {
	incidents := vedettev1connect.NewIncidentServiceClient(http.DefaultClient, s.url, opts...)
	events := vedettev1connect.NewEventServiceClient(http.DefaultClient, s.url, opts...)
	return []attempt{
		{"read theirs", func() error {
			return called(incidents.GetIncident(ctx, connect.NewRequest(&v1.GetIncidentRequest{Id: theirs})))
		}, connect.CodeNotFound},
		{"acknowledge theirs", func() error {
			return called(incidents.ActOnIncident(ctx, connect.NewRequest(&v1.ActOnIncidentRequest{Id: theirs, Action: "acknowledge"})))
		}, connect.CodeNotFound},
		{"relate theirs", func() error {
			return called(incidents.RelatedIncidents(ctx, connect.NewRequest(&v1.RelatedIncidentsRequest{Id: theirs})))
		}, connect.CodeNotFound},
		{"list theirs", func() error {
			return called(incidents.ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Tenants: []uint32{meadowTenant}})))
		}, connect.CodePermissionDenied},
		{"count theirs", func() error {
			return called(events.Facets(ctx, connect.NewRequest(&v1.FacetsRequest{Query: &v1.Query{Text: "*", Tenants: []uint32{meadowTenant}}})))
		}, connect.CodePermissionDenied},
		{"complete theirs", func() error {
			r, err := events.FieldValues(ctx, connect.NewRequest(&v1.FieldValuesRequest{Query: &v1.Query{Text: "*"}, Field: "user.name"}))
			if err == nil && slices.ContainsFunc(r.Msg.Values, func(v *v1.ValueCount) bool { return strings.Contains(v.Value, foreign) }) {
				return nil
			}
			return connect.NewError(connect.CodeNotFound, err)
		}, connect.CodeNotFound},
	}
}

// adminSeesWhose: in the Global view each row says whose it is; in one organization there is nothing of the others, also
// when something comes in.
func adminSeesWhose(t *testing.T, s *server, token, meadow string) {
	ctx := t.Context()
	p := openPage(t, "whose", s.url)
	p.signIn(s)
	p.open(s.url + "/queue?q=probe+" + own)
	p.find("row", ".*probe "+own+" 1.*Main organization.*")
	p.open(s.url + "/queue?q=probe+" + foreign)
	p.find("row", ".*probe "+foreign+" 1.*Meadow Street Clinic.*")
	p.press("jo")
	p.find("row", ".*probe "+foreign+" 1.*")
	p.says(`Organization\s+Meadow Street Clinic`)
	p.picture("roles-global")
	p.press("o")
	p.press(keyEscape)
	p.open(s.url + "/queue?q=probe")
	p.pointAway()
	p.click("button", "Organization:.*All organizations")
	p.click("menuitem", "Meadow Street Clinic")
	p.await("the organization in the address", `new URLSearchParams(location.search).get('org') === 'meadow'`)
	p.gone("row", ".*probe "+own+".*")
	p.awaitRows(3)
	s.probe(ctx, token, own+" later")
	s.drain(ctx)
	s.probe(ctx, meadow, foreign+" later")
	p.awaitRows(4)
	if eval[bool](p, fmt.Sprintf(`document.body.innerText.includes(%q)`, own)) {
		t.Error("Meadow's queue shows something of main")
	}
	p.picture("roles-one")
	p.click("button", "Organization:.*Meadow Street Clinic")
	p.click("menuitem", "All organizations")
	p.find("row", ".*probe "+own+" later.*Main organization.*")
}
