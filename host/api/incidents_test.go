package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// guess makes the password of user be guessed on bastion-1 from an address: a count and a sequence.
func (w *world) guess(t *testing.T, user, addr string) {
	t.Helper()
	var lines []string
	for i := range 14 {
		lines = append(lines, fmt.Sprintf("%s bastion-1 sshd[2102]: Failed password for %s from %s port 40022 ssh2",
			time.Now().Add(time.Duration(i)*time.Millisecond-time.Second).UTC().Format("2006-01-02T15:04:05.000000Z07:00"), user, addr))
	}
	lines = append(lines, fmt.Sprintf("%s bastion-1 sshd[2102]: Accepted password for %s from %s port 40022 ssh2",
		time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"), user, addr))
	w.send(t, w.alpha, strings.Join(lines, "\n"))
}

// shipped waits until the shipped modules run.
func (w *world) shipped(t *testing.T) {
	t.Helper()
	eventually(t, "host that is ready", func() bool {
		resp, err := http.Get(w.url + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (w *world) one(t *testing.T, rule string) *v1.Incident {
	t.Helper()
	var in *v1.Incident
	eventually(t, "incident of "+rule, func() bool {
		list := must[v1.ListIncidentsResponse](t)(w.ann.incidents.ListIncidents(t.Context(), req(&v1.ListIncidentsRequest{Rule: rule}))).Incidents
		if len(list) > 0 {
			in = list[0]
		}
		return len(list) > 0
	})
	return in
}

func entities(list []*v1.Entity) (out []string) {
	for _, e := range list {
		out = append(out, e.Kind+" "+e.Value)
	}
	return out
}

// TestWhatHappened follows one attack through what an analyst asks: what happened, to whom, why, what else, what now.
func TestWhatHappened(t *testing.T) {
	w := newWorld(t)
	w.shipped(t)
	w.guess(t, "root", "203.0.113.7")
	in := w.one(t, "ssh-guessed-password")
	for _, want := range []string{"address 203.0.113.7", "user root", "host bastion-1"} {
		if !slices.Contains(entities(in.Entities), want) {
			t.Errorf("the list lacks %s: %v", want, entities(in.Entities))
		}
	}
	t.Run("explanation", func(t *testing.T) { testExplanation(t, w, in.Id) })
	t.Run("related", func(t *testing.T) {
		other := w.one(t, "ssh-brute-force")
		r := must[v1.RelatedIncidentsResponse](t)(w.ann.incidents.RelatedIncidents(t.Context(), req(&v1.RelatedIncidentsRequest{Id: in.Id})))
		at := slices.IndexFunc(r.Incidents, func(x *v1.RelatedIncident) bool { return x.Incident.Id == other.Id })
		if at < 0 || len(r.Incidents[at].Shared) < 3 || r.Incidents[at].SameRule {
			t.Errorf("%+v", r.Incidents)
		}
	})
	t.Run("merge", func(t *testing.T) {
		other := w.one(t, "ssh-brute-force")
		r := must[v1.ActOnIncidentResponse](t)(w.ann.incidents.ActOnIncident(t.Context(), req(&v1.ActOnIncidentRequest{Id: other.Id, Action: "merge", Argument: in.Id})))
		if m := r.Incident; m.State != "resolved" || m.Verdict != "duplicate" || m.MergedInto != in.Id || m.Count != other.Count {
			t.Errorf("%+v", m)
		}
		h := must[v1.GetIncidentResponse](t)(w.ann.incidents.GetIncident(t.Context(), req(&v1.GetIncidentRequest{Id: in.Id}))).History
		if last := h[len(h)-1]; last.What != "merged" || last.Detail != other.Id || last.Who != "ann" {
			t.Errorf("history %+v", last)
		}
		for into, want := range map[string]connect.Code{other.Id: connect.CodeAborted, in.Id: connect.CodeInvalidArgument, "nobody": connect.CodeNotFound} {
			_, err := w.ann.incidents.ActOnIncident(t.Context(), req(&v1.ActOnIncidentRequest{Id: in.Id, Action: "merge", Argument: into}))
			if connect.CodeOf(err) != want {
				t.Errorf("into %s: %v, want %v", into, err, want)
			}
		}
	})
	t.Run("permissions", func(t *testing.T) {
		for u, may := range map[*who]bool{w.ann: true, w.carl: false} {
			have := must[v1.WhoAmIResponse](t)(u.auth.WhoAmI(t.Context(), req(&v1.WhoAmIRequest{}))).Permissions
			if slices.Contains(have, "incidents.work") != may || !slices.Contains(have, "incidents.read") {
				t.Errorf("%s: %v", u.name, have)
			}
		}
	})
}

func testExplanation(t *testing.T, w *world, id string) {
	var why *v1.Explanation
	eventually(t, "events of the evidence", func() bool {
		why = must[v1.GetIncidentResponse](t)(w.ann.incidents.GetIncident(t.Context(), req(&v1.GetIncidentRequest{Id: id}))).Explanation
		return len(why.Parts) == 2 && len(why.Parts[0].Events) == 14 && len(why.Parts[1].Events) == 1
	})
	if !strings.HasPrefix(why.Headline, "root logged in after 14 failures from 203.0.113.7 on bastion-1, at 20") {
		t.Errorf("headline %q", why.Headline)
	}
	if why.Description == "" || len(why.NextSteps) < 3 || len(why.FalsePositives) == 0 || len(why.References) == 0 || !strings.Contains(why.RuleText, "id: ssh-guessed-password") {
		t.Errorf("the rule's document is not there: %+v", why)
	}
	fail, ok := why.Parts[0], why.Parts[1]
	if fail.Sub != "fail" || fail.Title != "a failed login over SSH" || fail.Total != 14 || ok.Sub != "ok" || ok.Total != 1 {
		t.Errorf("parts %s %q %d, %s %d", fail.Sub, fail.Title, fail.Total, ok.Sub, ok.Total)
	}
	if c := fail.Conditions; len(c) != 1 || c[0].Actual != "14" || c[0].Threshold != "10" {
		t.Errorf("conditions %+v", c)
	}
	if e := fail.Events[0]; e.Fields["user.name"] != "root" || !strings.Contains(e.Raw, "Failed password for root") {
		t.Errorf("event %+v", e)
	}
	if !slices.IsSortedFunc(fail.Events, func(a, b *v1.Event) int { return a.Time.AsTime().Compare(b.Time.AsTime()) }) {
		t.Error("the events are not oldest first")
	}
}

// TestManyAtOnce acts on a thousand incidents, tells the progress, and lets what fails not stop the others. It logs how
// long that takes, 2 s on two cores; ten are the goal, and on a machine that does much else at once nothing is proven.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	w.shipped(t)
	const n = 1_000
	w.install(t, w.ann, w.alpha, packed(t, fstest.MapFS{
		"module.yaml": {Data: []byte("publisher: crossing\nname: many\nversion: 1.0.0\nkind: rule\ntitle: Many\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n")},
		"rule.yaml": {Data: []byte("kind: pattern\nid: many-at-once\nname: Many\nversion: 1.0.0\nseverity: low\n" +
			"subs: {one: {where: {host.name|startswith: h}}}\nincident: {key: [host.name], title: \"{host.name} is one of many\"}\n")},
	}, nil))
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"@timestamp":%q,"message":"many at once","host":{"name":"h%d"}}`, time.Now().UTC().Format(time.RFC3339Nano), i))
	}
	w.send(t, w.alpha, strings.Join(lines, "\n"))
	var ids []string
	eventually(t, "a thousand incidents", func() bool {
		list := must[v1.ListIncidentsResponse](t)(w.ann.incidents.ListIncidents(t.Context(), req(&v1.ListIncidentsRequest{Rule: "many-at-once", Limit: n}))).Incidents
		ids = ids[:0]
		for _, in := range list {
			ids = append(ids, in.Id)
		}
		return len(ids) == n
	})
	ids[17] = "made up"
	act := func(u *who, ids []string, action, argument string) (done, failed int, messages int, err error) {
		stream, err := u.incidents.ActOnIncidents(t.Context(), req(&v1.ActOnIncidentsRequest{Ids: ids, Action: action, Argument: argument}))
		if err != nil {
			return 0, 0, 0, err
		}
		defer stream.Close()
		for stream.Receive() {
			m := stream.Msg()
			messages++
			if done += len(m.Incidents) + len(m.Failures); int(m.Done) != done || int(m.Total) != len(ids) {
				t.Errorf("message %d says %d of %d, %d were told", messages, m.Done, m.Total, done)
			}
			failed += len(m.Failures)
		}
		return done, failed, messages, stream.Err()
	}
	began := time.Now()
	done, failed, messages, err := act(w.ann, ids, "acknowledge", "")
	took := time.Since(began)
	if err != nil || done != n || failed != 1 || messages < 2 {
		t.Errorf("%d done, %d failed, %d messages: %v", done, failed, messages, err)
	}
	t.Logf("%d incidents in %v, %d messages", n, took, messages)
	if done, failed, _, err := act(w.ann, ids, "acknowledge", ""); err != nil || done != n || failed != n {
		t.Errorf("again: %d done, %d failed: %v", done, failed, err)
	}
	if done, failed, _, err := act(w.carl, ids[:3], "resolve", "benign"); err != nil || done != 3 || failed != 3 {
		t.Errorf("read-only: %d done, %d failed: %v", done, failed, err)
	}
	if _, _, _, err := act(w.ann, append(ids, "one more"), "acknowledge", ""); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("one over the limit: %v", err)
	}
	if _, _, _, err := act(w.ann, ids[:1], "destroy", ""); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("unknown action: %v", err)
	}
	if _, _, messages, err := act(w.ann, nil, "acknowledge", ""); err != nil || messages != 1 {
		t.Errorf("none: %d messages, %v", messages, err)
	}
}
