package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/settings"
)

// set are the settings of module.yaml.
var set struct {
	question, kind string
	expect         []string // sorted; empty: anything
	maxMs          int64    // 0: no limit
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.question, set.kind, set.maxMs = v.Text("question", ""), v.Text("type", "A"), v.Int("max_ms", 0)
	set.expect = slices.Clone(v["expect"])
	slices.Sort(set.expect)
	return err
}

// Poll asks once. The cursor is the state and the answers that were found: "up 192.0.2.1,192.0.2.2".
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	if set.question == "" {
		return nil, errors.New("the settings name no question")
	}
	facts, err := probe.DNS("target", set.question, set.kind)
	answers := facts.All("answer")
	slices.Sort(answers)
	reason := judge(facts, answers, err)
	state, outcome := "up", "success"
	if reason != "" {
		state, outcome = "down", "failure"
	}
	found := strings.Join(answers, ",")
	last, before, _ := strings.Cut(string(p.Cursor), " ")
	kind, action := "metric", "dns_check"
	switch {
	case last != state && (last != "" || state == "down"):
		kind, action = "event", "service_"+state
	case last == "up" && state == "up" && before != found:
		kind, action, reason = "event", "dns_answer_changed", "it was "+before
	}
	if state == "down" {
		found = before
	}
	d := document.New(p.At).Event("vedette.dnscheck", kind, action, outcome).Texts("event.category", []string{"network"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("service.name", p.Name).Text("service.type", "dns").Text("service.state", state).
		Text("dns.question.name", set.question).Text("dns.question.type", set.kind).Text("dns.response_code", strings.ToUpper(facts.Get("status"))).
		Texts("dns.resolved", answers).Text("event.reason", reason)
	message := p.Name + " answers " + set.kind + " of " + set.question + " with " + strings.Join(answers, ", ")
	if state == "down" {
		message = p.Name + " fails for " + set.kind + " of " + set.question
	}
	if reason != "" {
		message += ": " + reason
	}
	if err != nil {
		d.Text("error.message", err.Error())
	} else {
		d.Int("event.duration", facts.Int("elapsed_ns"))
	}
	p.Record(d.Text("message", message).Bytes())
	return []byte(state + " " + found), nil
}

// judge says what is wrong with an answer; nothing when it is as it should be.
func judge(f probe.Facts, answers []string, err error) string {
	switch {
	case err != nil:
		return "no answer"
	case f.Get("status") != "noerror":
		return f.Get("status")
	case len(answers) == 0:
		return "no record of that type"
	case len(set.expect) > 0 && !slices.Equal(answers, set.expect):
		return "not the answer that is wanted"
	case set.maxMs != 0 && f.Int("elapsed_ns") > set.maxMs*int64(time.Millisecond):
		return "too slow"
	}
	return ""
}
