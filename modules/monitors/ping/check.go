package main

import (
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/settings"
)

// set are the settings of module.yaml.
var set struct {
	count   int
	maxLoss int64 // percent
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.count, set.maxLoss = int(v.Int("count", 3)), v.Int("max_loss_percent", 50)
	return err
}

// Poll sends a few requests. The cursor is the state that was found: up or down. A host that may not send any has failed,
// and says nothing about the device.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	facts, err := probe.Ping("target", set.count)
	if err != nil {
		return nil, err
	}
	loss := int64(100)
	if sent := facts.Int("sent"); sent > 0 {
		loss = 100 - 100*facts.Int("received")/sent
	}
	state, outcome := "up", "success"
	if loss > set.maxLoss {
		state, outcome = "down", "failure"
	}
	kind, action := "metric", "ping"
	if last := string(p.Cursor); last != state && (last != "" || state == "down") {
		kind, action = "event", "host_"+state
	}
	d := document.New(p.At).Event("vedette.ping", kind, action, outcome).Texts("event.category", []string{"network"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("service.name", p.Name).Text("service.type", "icmp").Text("service.state", state).
		Int("network.packets_sent", facts.Int("sent")).Int("network.packets_received", facts.Int("received")).Int("network.loss_percent", loss)
	if facts.Int("received") > 0 {
		d.Int("event.duration", facts.Int("avg_ns")).Int("network.rtt_min_ns", facts.Int("min_ns")).Int("network.rtt_max_ns", facts.Int("max_ns"))
	}
	p.Record(d.Text("message", p.Name+" is "+state+", "+strconv.FormatInt(loss, 10)+" % lost").Bytes())
	return []byte(state), nil
}
