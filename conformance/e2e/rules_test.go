package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func (s *server) ruleService() vedettev1connect.RuleServiceClient {
	return vedettev1connect.NewRuleServiceClient(http.DefaultClient, s.url, s.bearer())
}

// sigmaRule names a field that nothing maps, in a part that it can do without.
const (
	sigmaID   = "3b1f7a52-6d0e-4f0e-9a7c-5d2f0c9be11d"
	sigmaRule = `title: SSH login of an intruder
id: ` + sigmaID + `
status: test
description: Somebody who calls themselves intruder tries to log in.
author: Somebody Else
logsource:
  product: linux
  service: sshd
detection:
  keywords:
    - for intruder from
  secret:
    SecretSauce: 1
  condition: keywords and not secret
level: high
tags:
  - attack.credential-access
  - attack.t1110
`
)

// A matrix record is what the rule of a technique of its own waits for.
const (
	matrixSpec = `framing: none
set:
  event.dataset: e2e.matrix
  event.kind: event
templates:
  - "MATRIX {host.name:word} {user.name:rest}"
`
	matrixRule = `kind: pattern
id: e2e.matrix
name: Encryption was weakened
version: 1.0.0
severity: low
techniques: [T1600]
subs:
  seen:
    title: a record of the matrix
    where: {event.dataset: e2e.matrix}
    by: [user.name]
incident: {key: [user.name], title: "matrix {user.name}"}
tests:
  - name: one
    events:
      - {at: 0s, fields: {event.dataset: e2e.matrix, user.name: u}}
    expect: {incidents: 1}
`
)

func sshd(host string) string {
	return fmt.Sprintf("<86>%s %s sshd[711]: Failed password for intruder from 203.0.113.77 port 4711 ssh2\n", time.Now().UTC().Format(time.Stamp), host)
}

// testRules takes a pasted rule to an incident, excepts what it found, and asks why; meanwhile the data of another one
// arrives and its technique turns green.
func testRules(t *testing.T, s *server, token string) {
	ctx := t.Context()
	if _, err := s.modules().InstallSpec(ctx, connect.NewRequest(&v1.InstallSpecRequest{
		Tenant: mainTenant, Name: "matrix", Spec: matrixSpec, Samples: [][]byte{[]byte("MATRIX h1 u1")},
	})); err != nil {
		t.Fatal(err)
	}
	p := openPage(t, "rules", s.url)
	p.signIn(s)
	writesARule(t, s, p)
	p.open(s.url + "/rules/attack?org=main")
	p.find("button", "Weaken Encryption ?, No data.*T1600.*")
	send := func(lines string) {
		t.Helper()
		if err := s.ingest(ctx, http.DefaultClient, token, lines); err != nil {
			t.Fatal(err)
		}
	}
	send("MATRIX h1 u1\n")
	pastesSigma(t, s, p, send)
	looksAtRules(t, s, p)
	s.until("the technique to be covered", 2*time.Minute, func() bool {
		r, err := s.ruleService().GetCoverage(ctx, connect.NewRequest(&v1.GetCoverageRequest{Tenant: mainTenant}))
		if err != nil {
			t.Fatal(err)
		}
		return stateOf(r.Msg, "T1600") == "covered"
	})
	p.open(s.url + "/rules/attack?org=main")
	p.find("button", "Weaken Encryption ?, Covered.*T1600.*").click()
	p.find("link", "Encryption was weakened")
	p.picture("rules-attack")
	p.axe("the ATT&CK matrix")
}

func stateOf(r *v1.GetCoverageResponse, technique string) string {
	for _, tactic := range r.Tactics {
		for _, t := range tactic.Techniques {
			if t.Id == technique {
				return t.State
			}
		}
	}
	return ""
}

// writesARule writes a pattern, sees a mistake named at its place, changes it in the form, tries it and installs it.
func writesARule(t *testing.T, s *server, p *page) {
	t.Helper()
	p.open(s.url + "/rules/new?org=main")
	p.says("Nothing to read yet")
	p.fill("textbox", "Rule, YAML", strings.Replace(matrixRule, "severity: low", "severity: harmless", 1))
	p.find("list", "Mistakes")
	p.find("button", `5:\d+ .*harmless.*`)
	if why := p.disabled("button", "Install"); why != "The rule has mistakes." {
		t.Errorf("Install says %q", why)
	}
	p.picture("rules-mistake")
	p.axe("the editor with a mistake")
	p.fill("textbox", "Rule, YAML", matrixRule)
	p.gone("list", "Mistakes")
	p.says("Its test passes")
	p.says("no e2e\\.matrix|event.dataset is e2e\\.matrix")
	p.click("radio", "Form")
	p.fill("textbox", "Description", "Somebody writes MATRIX.")
	p.says("Its test passes")
	p.axe("the form of a rule")
	p.picture("rules-form")
	p.click("radio", "Text")
	p.await("the text to have what the form was given", `document.querySelector('.cm-content').innerText.includes('description: Somebody writes MATRIX.')`)
	p.click("tab", "Try")
	p.fill("textbox", "Events as JSON, one a line", `{"event.dataset": "e2e.matrix", "user.name": "mallory"}`+"\n"+`{"event.dataset": "other", "user.name": "mallory"}`)
	p.says("1 of 2 events takes part; 1 incident would be raised")
	p.says("matrix mallory")
	p.click("button", ".*takes no part.*line 2.*")
	p.find("row", `event\.dataset is e2e\.matrix; the event has other`)
	p.axe("a rule that is tried")
	p.picture("rules-try")
	p.click("tab", "Backtest")
	p.click("button", "Run")
	p.says("Over the last day (it would have raised no incident|there is no event)")
	p.click("button", "Install")
	p.says(`Encryption was weakened 1\.\d+\.\d+ runs for Main organization; 1 test passed`)
}

// pastesSigma installs a Sigma rule as it was pasted, gets its incident, and excepts in two clicks what raised it.
func pastesSigma(t *testing.T, s *server, p *page, send func(string)) {
	t.Helper()
	ctx := t.Context()
	p.open(s.url + "/rules/new?org=main")
	p.fill("textbox", "Rule, YAML", sigmaRule)
	p.says("SSH login of an intruder")
	p.find("button", `13:\d+ Nothing maps “SecretSauce” to a field of events.*`)
	p.axe("a pasted Sigma rule")
	p.picture("rules-sigma")
	p.click("button", "Install")
	p.says(`SSH login of an intruder 1\.\d+\.\d+ runs for Main organization`)
	send(sshd("ssh-1"))
	s.until("the incident of the pasted rule", patience, func() bool { return len(s.titled(ctx, "SSH login of an intruder")) == 1 })
	for _, i := range s.titled(ctx, "SSH login of an intruder") {
		p.open(s.url + "/incidents/" + i.Id)
	}
	p.click("button", "Except this….*")
	p.find("dialog", "Keep events from “SSH login of an intruder”")
	p.find("checkbox", ".*ssh-1.*")
	p.axe("an exception that is proposed")
	p.picture("rules-except")
	p.click("button", "Save the exception")
	p.noDialog()
	p.says("takes no part in “SSH login of an intruder” from the next record on")
	send(strings.Repeat(sshd("ssh-1"), 5) + sshd("ssh-2"))
	s.drain(ctx)
	list, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Rule: sigmaID}))
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, i := range list.Msg.Incidents {
		hosts = append(hosts, fmt.Sprint(i.Key["host.hostname"], i.Count))
	}
	if slices.Sort(hosts); !slices.Equal(hosts, []string{"ssh-11", "ssh-21"}) { // the first one, and that of another host
		t.Errorf("incidents of the hosts %q: what was excepted took part", hosts)
	}
	asksWhy(t, s, p)
}

// asksWhy asks of an event why rules did not fire on it.
func asksWhy(t *testing.T, s *server, p *page) {
	t.Helper()
	var events []*v1.Event
	s.until("the event to be stored", patience, func() bool {
		events = s.search(t.Context(), `host.hostname:="ssh-2"`)
		return len(events) > 0
	})
	p.open(s.url + "/search?org=main&q=" + "host.hostname%3A%3D%22ssh-2%22")
	p.find("row", ".*ssh-2.*").click()
	p.click("button", "Why did a rule fire, or not\\?")
	p.fill("combobox", "Rule", "Encryption was weak")
	p.click("option", "Encryption was weakened")
	p.says("The event takes no part in Encryption was weakened")
	p.find("row", `event\.dataset is e2e\.matrix; the event has system\.auth`)
	p.axe("why a rule did not fire")
	p.picture("rules-why")
	p.closeDialog()
}

// looksAtRules goes through the list and what it says of one rule, and switches it.
func looksAtRules(t *testing.T, s *server, p *page) {
	t.Helper()
	p.open(s.url + "/rules?org=main")
	p.fill("textbox", "Filter rules", "intruder")
	p.find("row", `High SSH login of an intruder (?i:own 1 exc\.) .*`).click()
	p.says("Nothing maps the field SecretSauce")
	p.says("Somebody Else")
	p.axe("a rule beside the list")
	p.picture("rules")
	p.click("tab", "Figures")
	p.says("2 incidents")
	p.click("tab", "Exceptions 1")
	p.says("Harmless: ")
	p.click("tab", "Document")
	p.find("textbox", "Document of SSH login of an intruder, YAML")
	p.axe("the document of a rule")
	on := func() bool {
		r, err := s.ruleService().GetRule(t.Context(), connect.NewRequest(&v1.GetRuleRequest{Id: sigmaID, Tenant: mainTenant}))
		if err != nil {
			t.Fatal(err)
		}
		return r.Msg.Rule.Enabled
	}
	p.find("row", "High SSH login of an intruder .*").click()
	p.press("o")
	p.says("“SSH login of an intruder” is off for Main organization")
	if on() {
		t.Error("the rule is on")
	}
	p.click("button", "Undo")
	s.until("the rule to be on again", patience, on)
}
