package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func init() { maps.Copy(crossings, ruleCrossings) }

func rulesOf(w *world, u *who) vedettev1connect.RuleServiceClient {
	return vedettev1connect.NewRuleServiceClient(&http.Client{Transport: bearer(u.token)}, w.url)
}

// alphasRule is the one that newWorld gave alpha.
const alphasRule = "crossing-errors"

// writtenRule is a rule on which alpha's records match.
func writtenRule(id, version string) string {
	return "kind: pattern\nid: " + id + "\nname: Written here\nversion: " + version + "\nseverity: low\ntechniques: [T1110.003]\n" +
		"subs: {one: {where: {event.kind: pipeline_error}}}\nincident: {key: [event.kind]}\n" +
		"tests:\n  - {events: [{at: 0s, fields: {event.kind: pipeline_error}}], expect: {incidents: 1}}\n"
}

// one is the organization that a request names, 0 for none.
func one(on []uint32) uint32 {
	if len(on) == 0 {
		return 0
	}
	return on[0]
}

// except makes an exception of alpha's that selects nothing which comes.
func except(ctx context.Context, w *world, u *who) (*v1.RuleException, error) {
	r, err := rulesOf(w, u).AddException(ctx, req(&v1.AddExceptionRequest{Rule: alphasRule, Tenant: w.alpha, Reason: "of " + u.name, Where: "user.name: nobody"}))
	if err != nil {
		return nil, err
	}
	return r.Msg.Exception, nil
}

func isAlphas(w *world, r *v1.Rule) bool { return r.Id == alphasRule && r.Tenant == w.alpha }

var ruleCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.RuleService.ListRules": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := rulesOf(w, u).ListRules(ctx, req(&v1.ListRulesRequest{Tenant: one(on)}))
		return err == nil && slices.ContainsFunc(r.Msg.Rules, func(x *v1.Rule) bool { return isAlphas(w, x) }), err
	}},
	"vedette.v1.RuleService.GetRule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).GetRule(ctx, req(&v1.GetRuleRequest{Id: alphasRule, Tenant: w.alpha}))
		return err == nil && isAlphas(w, r.Msg.Rule) && strings.Contains(r.Msg.Text, "A record could not be read"), err
	}},
	"vedette.v1.RuleService.GetRuleVersion": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		now, err := rulesOf(w, w.ann).GetRule(ctx, req(&v1.GetRuleRequest{Id: alphasRule, Tenant: w.alpha}))
		if err != nil {
			return false, err
		}
		r, err := rulesOf(w, u).GetRuleVersion(ctx, req(&v1.GetRuleVersionRequest{Id: alphasRule, Tenant: w.alpha, Digest: now.Msg.Versions[0].Digest}))
		return err == nil && r.Msg.Text != "", err
	}},
	"vedette.v1.RuleService.DraftRule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).DraftRule(ctx, req(&v1.DraftRuleRequest{Language: "sigma"}))
		return err == nil && r.Msg.Text != "" && u.name != w.ben.name, err // it is nobody's
	}},
	"vedette.v1.RuleService.CheckRule": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := rulesOf(w, u).CheckRule(ctx, req(&v1.CheckRuleRequest{Text: writtenRule(alphasRule, "2.0.0"), Tenant: one(on)}))
		return err == nil && r.Msg.Ok && r.Msg.Rules[0].Replaces == "crossing/errors", err
	}},
	"vedette.v1.RuleService.FormRule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).FormRule(ctx, req(&v1.FormRuleRequest{From: &v1.FormRuleRequest_Text{Text: writtenRule("form", "1.0.0")}}))
		return err == nil && r.Msg.Form != "" && u.name != w.ben.name, err // it reads what the caller brings, and nothing else
	}},
	"vedette.v1.RuleService.CompleteRule": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		text := "subs:\n  one:\n    rule: "
		r, err := rulesOf(w, u).CompleteRule(ctx, req(&v1.CompleteRuleRequest{Text: text, Offset: uint32(len(text)), Tenant: one(on)}))
		return err == nil && slices.ContainsFunc(r.Msg.Completions, func(c *v1.Completion) bool { return c.Text == alphasRule }), err
	}},
	"vedette.v1.RuleService.RunRule": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := rulesOf(w, u).RunRule(ctx, req(&v1.RunRuleRequest{
			Text: writtenRule("run", "1.0.0"), Tenant: one(on), Events: &v1.RunRuleRequest_Query{Query: &v1.Query{}},
		}))
		return err == nil && slices.ContainsFunc(r.Msg.Verdicts, func(v *v1.RunVerdict) bool { return v.Event.Tenant == w.alpha }), err
	}},
	"vedette.v1.RuleService.BacktestRule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		stream, err := rulesOf(w, u).BacktestRule(ctx, req(&v1.BacktestRuleRequest{Text: writtenRule("backtested", "1.0.0"), Tenant: w.alpha}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		for stream.Receive() {
			if r := stream.Msg().Report; r != nil {
				return r.Total > 0 && r.Incidents[0].Rule == "backtested", nil
			}
		}
		return false, stream.Err()
	}},
	"vedette.v1.RuleService.SaveRule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).SaveRule(ctx, req(&v1.SaveRuleRequest{Text: writtenRule("saved", "1.0.0"), Tenant: w.alpha}))
		return err == nil && len(r.Msg.Rules) == 1 && r.Msg.Rules[0].Tenant == w.alpha && r.Msg.Rules[0].Enabled, err
	}},
	"vedette.v1.RuleService.SetRuleEnabled": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		for _, enabled := range []bool{false, true} {
			r, err := rulesOf(w, u).SetRuleEnabled(ctx, req(&v1.SetRuleEnabledRequest{Id: alphasRule, Tenant: w.alpha, Enabled: enabled}))
			if err != nil || r.Msg.Rule.Enabled != enabled {
				return err == nil, err
			}
		}
		return true, nil
	}},
	"vedette.v1.RuleService.AddException": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		x, err := except(ctx, w, u)
		return err == nil && x.Who == u.name && x.Id > 0, err
	}},
	"vedette.v1.RuleService.RemoveException": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		x, err := except(ctx, w, w.ann)
		if err != nil {
			return false, err
		}
		_, err = rulesOf(w, u).RemoveException(ctx, req(&v1.RemoveExceptionRequest{Id: x.Id, Rule: alphasRule, Tenant: w.alpha}))
		return err == nil, err
	}},
	"vedette.v1.RuleService.ProposeException": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).ProposeException(ctx, req(&v1.ProposeExceptionRequest{Incident: w.incident}))
		return err == nil && r.Msg.Tenant == w.alpha && strings.Contains(r.Msg.Where, `event.kind: "pipeline_error"`), err
	}},
	"vedette.v1.RuleService.ExplainEvent": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := rulesOf(w, u).ExplainEvent(ctx, req(&v1.ExplainEventRequest{Event: w.event, Rule: alphasRule}))
		return err == nil && r.Msg.Event.Tenant == w.alpha && r.Msg.Verdict.Matches, err
	}},
	"vedette.v1.RuleService.GetCoverage": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if _, err := rulesOf(w, w.ann).SaveRule(ctx, req(&v1.SaveRuleRequest{Text: writtenRule("covers", "1.0.0"), Tenant: w.alpha})); err != nil {
			return false, err
		}
		r, err := rulesOf(w, u).GetCoverage(ctx, req(&v1.GetCoverageRequest{Tenant: one(on), Navigator: true}))
		return err == nil && strings.Contains(r.Msg.Navigator, "covers") && r.Msg.Covered > 0, err
	}},
	"vedette.v1.RuleService.ListLearnt": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := rulesOf(w, u).ListLearnt(ctx, req(&v1.ListLearntRequest{Rule: alphasRule, Tenant: w.alpha}))
		return err == nil, err // the rule learns nothing, but it is alpha's to say so
	}},
	"vedette.v1.RuleService.Relearn": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := rulesOf(w, u).Relearn(ctx, req(&v1.RelearnRequest{Rule: alphasRule, Tenant: w.alpha}))
		return err == nil, err
	}},
	"vedette.v1.RuleService.GetRuleLedger": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		for _, enabled := range []bool{false, true} {
			if _, err := rulesOf(w, w.ann).SetRuleEnabled(ctx, req(&v1.SetRuleEnabledRequest{Id: alphasRule, Tenant: w.alpha, Enabled: enabled, Reason: "ledger"})); err != nil {
				return false, err
			}
		}
		r, err := rulesOf(w, u).GetRuleLedger(ctx, req(&v1.GetRuleLedgerRequest{Tenant: one(on)}))
		return err == nil && slices.ContainsFunc(r.Msg.Gaps, func(g *v1.RuleGap) bool { return g.Rule == alphasRule && g.Kind == "off" && g.To != nil }), err
	}},
}

// A person writes a rule, sees what is wrong with it, runs it over events, installs it, is told why it did not fire,
// excepts what should not be told, and switches it off.
func TestRuleLife(t *testing.T) {
	w := newWorld(t)
	ctx, rules := t.Context(), rulesOf(w, w.ann)
	ruleIsChecked(t, w)
	ruleIsRun(t, w)
	saved := must[v1.SaveRuleResponse](t)(rules.SaveRule(ctx, req(&v1.SaveRuleRequest{Text: writtenRule("life", "1.0.0"), Tenant: w.alpha})))
	if r := saved.Rules[0]; r.Package != "local/life" || r.PackageVersion != "1.0.0" || !r.Enabled || r.Techniques[0].Name != "Password Spraying" || saved.Cases != 1 {
		t.Fatal(r)
	}
	w.send(t, w.alpha, "!crossing of a rule's life")
	mine := func() (list []*v1.Incident) {
		m := must[v1.ListIncidentsResponse](t)(w.ann.incidents.ListIncidents(ctx, req(&v1.ListIncidentsRequest{Rule: "life"})))
		return m.Incidents
	}
	eventually(t, "the rule's incident", func() bool { return len(mine()) == 1 })
	got := must[v1.GetRuleResponse](t)(rules.GetRule(ctx, req(&v1.GetRuleRequest{Id: "life"})))
	if !got.Editable || got.Rule.Use.FiresDay != 1 || len(got.Hours) != 1 || got.Rule.Use.LastFired == nil || got.Rule.Tests.Failure != "" || len(got.Versions) != 1 {
		t.Errorf("%v", got)
	}

	// Its second version takes the place of the first, and the difference is shown.
	next := strings.Replace(writtenRule("life", "1.1.0"), "severity: low", "severity: high", 1)
	again := must[v1.SaveRuleResponse](t)(rules.SaveRule(ctx, req(&v1.SaveRuleRequest{Text: next, Tenant: w.alpha, Digest: got.Rule.PackageDigest})))
	if again.Rules[0].PackageVersion != "1.1.0" || again.ReplacedDigest != got.Rule.PackageDigest {
		t.Error(again)
	}
	if _, err := rules.SaveRule(ctx, req(&v1.SaveRuleRequest{Text: next, Tenant: w.alpha, Digest: got.Rule.PackageDigest})); connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("over a version that somebody else has changed: %v", err)
	}
	old := must[v1.GetRuleVersionResponse](t)(rules.GetRuleVersion(ctx, req(&v1.GetRuleVersionRequest{Id: "life", Tenant: w.alpha, Digest: got.Rule.PackageDigest})))
	if d := strings.Join(old.Difference, "\n"); !strings.Contains(d, "-severity: low") || !strings.Contains(d, "+severity: high") {
		t.Error(d)
	}
	ruleIsExcepted(t, w, mine()[0])

	// Off for one organization, and by itself.
	off := must[v1.SetRuleEnabledResponse](t)(rules.SetRuleEnabled(ctx, req(&v1.SetRuleEnabledRequest{Id: "life", Tenant: w.alpha, Reason: "too loud"})))
	if off.Rule.Enabled || off.Rule.Off != "switched off: too loud" {
		t.Error(off.Rule)
	}
	why := must[v1.ExplainEventResponse](t)(rules.ExplainEvent(ctx, req(&v1.ExplainEventRequest{Event: w.event, Rule: "life"})))
	if !strings.Contains(strings.Join(why.Verdict.Notes, "; "), "the rule does not run: switched off: too loud") {
		t.Error(why.Verdict)
	}
}

func ruleIsChecked(t *testing.T, w *world) {
	t.Helper()
	check := func(text string) *v1.CheckRuleResponse {
		return must[v1.CheckRuleResponse](t)(rulesOf(w, w.ann).CheckRule(t.Context(), req(&v1.CheckRuleRequest{Text: text})))
	}
	bad := check(strings.Replace(writtenRule("life", "1.0.0"), "severity: low", "severity: dire", 1))
	if bad.Ok || len(bad.Problems) != 1 || bad.Problems[0].Line != 5 || !strings.Contains(bad.Problems[0].Text, "dire") {
		t.Errorf("%v", bad.Problems)
	}
	failing := check(strings.Replace(writtenRule("life", "1.0.0"), "incidents: 1", "incidents: 3", 1))
	if failing.Ok || len(failing.Problems) != 1 || failing.Problems[0].Line != 10 || !strings.Contains(failing.Problems[0].Text, "1 incidents, want 3") {
		t.Errorf("%v", failing.Problems)
	}
	sigma := check("title: Dump\nid: 2b0ad5c1-6a0e-4d8c-8a0a-000000000001\nlogsource: {category: dns}\n" +
		"detection: {s: {query|endswith: '.top', Strange: 1}, condition: s}\nlevel: high\n")
	if !sigma.Ok || sigma.Rules[0].Rule.Language != "sigma" || !slices.Equal(sigma.Rules[0].Rule.Unmapped, []string{"Strange"}) || !sigma.Rules[0].Rule.Reach.Never {
		t.Errorf("%v", sigma)
	}
	form := must[v1.FormRuleResponse](t)(rulesOf(w, w.ann).FormRule(t.Context(), req(&v1.FormRuleRequest{From: &v1.FormRuleRequest_Text{Text: writtenRule("life", "1.0.0")}})))
	back := must[v1.FormRuleResponse](t)(rulesOf(w, w.ann).FormRule(t.Context(), req(&v1.FormRuleRequest{From: &v1.FormRuleRequest_Form{Form: form.Form}})))
	if r := check(back.Text); !r.Ok || r.Rules[0].Rule.Name != "Written here" || !json.Valid([]byte(form.Form)) {
		t.Errorf("%s\n%v", back.Text, r.Problems)
	}
}

func ruleIsRun(t *testing.T, w *world) {
	t.Helper()
	text := "kind: pattern\nid: run\nname: Run\nversion: 1.0.0\nseverity: low\nwindow: 1m\n" +
		"subs: {one: {where: {event.action: fail}, by: [user.name], having: count() >= 2}}\nincident: {key: [user.name], title: '{user.name}: {count}'}\n"
	events := `{"@timestamp":"2026-01-01T00:00:00Z","event":{"action":"fail"},"user":{"name":"eve"}}` + "\n\n" +
		`{"@timestamp":"2026-01-01T00:00:30Z","event.action":"fail","user.name":"eve"}` + "\n" +
		`{"@timestamp":"2026-01-01T00:00:40Z","event.action":"ok","user.name":"eve","event.category":["a","b"]}` + "\n"
	r := must[v1.RunRuleResponse](t)(rulesOf(w, w.ann).RunRule(t.Context(), req(&v1.RunRuleRequest{Text: text, Events: &v1.RunRuleRequest_Jsonl{Jsonl: events}})))
	if r.Events != 3 || r.Matched != 2 || len(r.Incidents) != 1 || r.Incidents[0].Title != "eve: 2" || !slices.Equal(r.Incidents[0].Evidence, []string{"1", "3"}) {
		t.Errorf("%v", r)
	}
	last := r.Verdicts[len(r.Verdicts)-1]
	if last.Line != 4 || last.Verdict.Matches || last.Verdict.Subs[0].Tests[0].Text != "event.action is fail; the event has ok" {
		t.Errorf("%v", last)
	}
	for _, c := range []struct{ events, why string }{
		{"", "no events are given"},
		{"[1]", "line 1: want a JSON object"},
		{`{"@timestamp":"yesterday"}`, "want a time such as"},
		{strings.Repeat("{}\n", 5_001), "more than 5000 events"},
		{strings.Repeat(" ", 1<<20+1), "at most 1048576"},
	} {
		_, err := rulesOf(w, w.ann).RunRule(t.Context(), req(&v1.RunRuleRequest{Text: text, Events: &v1.RunRuleRequest_Jsonl{Jsonl: c.events}}))
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	if _, err := rulesOf(w, w.carl).RunRule(t.Context(), req(&v1.RunRuleRequest{Text: text, Events: &v1.RunRuleRequest_Jsonl{Jsonl: events}})); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("a reader runs a rule: %v", err)
	}
}

// ruleIsExcepted excepts what an incident is about: the next event like it raises nothing, and why says so.
func ruleIsExcepted(t *testing.T, w *world, in *v1.Incident) {
	t.Helper()
	ctx, rules := t.Context(), rulesOf(w, w.ann)
	proposal := must[v1.ProposeExceptionResponse](t)(rules.ProposeException(ctx, req(&v1.ProposeExceptionRequest{Incident: in.Id})))
	ends := timestamppb.New(time.Now().Add(time.Hour))
	x := must[v1.AddExceptionResponse](t)(rules.AddException(ctx, req(&v1.AddExceptionRequest{
		Rule: "life", Tenant: w.alpha, Reason: "known trouble", Where: proposal.Where, Until: ends,
	}))).Exception
	if x == nil || x.Reason != "known trouble" || x.Until == nil {
		t.Fatal(x)
	}
	w.send(t, w.alpha, "!crossing after the exception")
	var event string
	eventually(t, "the event", func() bool {
		stream, err := w.ann.events.Search(ctx, req(&v1.SearchRequest{Query: &v1.Query{Text: `"after the exception"`}}))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		for stream.Receive() {
			for _, e := range stream.Msg().Events {
				event = e.Id
			}
		}
		return event != ""
	})
	why := must[v1.ExplainEventResponse](t)(rules.ExplainEvent(ctx, req(&v1.ExplainEventRequest{Event: event, Rule: "life"})))
	if why.Verdict.Matches || fmt.Sprint(why.Verdict.Notes) != "[an exception selects it: known trouble]" {
		t.Errorf("%v", why.Verdict)
	}
	now := must[v1.GetIncidentResponse](t)(w.ann.incidents.GetIncident(ctx, req(&v1.GetIncidentRequest{Id: in.Id})))
	if now.Incident.Count != in.Count {
		t.Errorf("it counts %d, it was %d", now.Incident.Count, in.Count)
	}
	must[v1.RemoveExceptionResponse](t)(rules.RemoveException(ctx, req(&v1.RemoveExceptionRequest{Id: x.Id, Rule: "life", Tenant: w.alpha})))
	w.send(t, w.alpha, "!crossing without the exception")
	eventually(t, "that it counts again", func() bool {
		r := must[v1.GetIncidentResponse](t)(w.ann.incidents.GetIncident(ctx, req(&v1.GetIncidentRequest{Id: in.Id})))
		return r.Incident.Count > in.Count
	})
	for _, c := range []struct {
		reason, where string
		until         *timestamppb.Timestamp
		why           string
	}{
		{"", "a: b", nil, "needs a reason"},
		{"x", "just text", nil, "want a mapping"},
		{"x", "a|nonsense: b", nil, "unknown modifier"},
		{"x", "a: b", timestamppb.New(time.Unix(1, 0)), "its end is past"},
	} {
		_, err := rules.AddException(ctx, req(&v1.AddExceptionRequest{Rule: "life", Tenant: w.alpha, Reason: c.reason, Where: c.where, Until: c.until}))
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	stream, err := rules.BacktestRule(ctx, req(&v1.BacktestRuleRequest{Text: writtenRule("x", "1.0.0"), Tenant: w.alpha, Last: durationpb.New(31 * 24 * time.Hour)}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeResourceExhausted {
		t.Errorf("over a month: %v", stream.Err())
	}
}
