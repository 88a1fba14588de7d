package main

import (
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/settings"
)

// set are the settings of module.yaml.
var set struct {
	name  string
	port  int
	maxMs int64 // 0: no limit
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.name, set.port, set.maxMs = v.Text("name", ""), int(v.Int("port", 22)), v.Int("max_ms", 0)
	return err
}

// Poll connects once. The cursor is the state that was found: up or down.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	facts, err := probe.TCP("target", set.port)
	state, outcome, reason := "up", "success", ""
	switch {
	case err != nil:
		reason = "no connection"
	case set.maxMs != 0 && facts.Int("elapsed_ns") > set.maxMs*int64(time.Millisecond):
		reason = "too slow"
	}
	if reason != "" {
		state, outcome = "down", "failure"
	}
	kind, action := "metric", "tcp_check"
	if last := string(p.Cursor); last != state && (last != "" || state == "down") {
		kind, action = "event", "service_"+state
	}
	name := set.name
	if name == "" {
		name = p.Name
	}
	d := document.New(p.At).Event("vedette.tcpcheck", kind, action, outcome).Texts("event.category", []string{"network"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("service.name", name).Text("service.type", "tcp").Text("service.state", state).Int("server.port", int64(set.port)).
		Text("event.reason", reason)
	message := name + " is " + state
	if reason != "" {
		message += ": " + reason
	}
	if err != nil {
		d.Text("error.message", err.Error())
	} else {
		d.Int("event.duration", facts.Int("elapsed_ns"))
	}
	p.Record(d.Text("message", message).Bytes())
	return []byte(state), nil
}
