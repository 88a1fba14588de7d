package main

import (
	"strconv"
	"strings"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/settings"
)

const day = int64(24 * time.Hour)

// set are the settings of module.yaml.
var set struct {
	name      string
	port      int
	warn      int64 // days
	untrusted bool  // is right too
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.name, set.port, set.warn, set.untrusted = v.Text("name", ""), int(v.Int("port", 443)), v.Int("warn_days", 30), v.Bool("accept_untrusted", false)
	return err
}

// What a certificate can be.
const (
	fine        = "certificate_ok"
	expiring    = "certificate_expiring"
	expired     = "certificate_expired"
	untrusted   = "certificate_untrusted"
	changed     = "certificate_changed"
	unreachable = "tls_unreachable"
)

// Poll shakes hands once. The cursor is what the certificate was and its digest: "certificate_ok 5F…".
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	facts, err := probe.TLS("target", set.port)
	state, reason := judge(facts, err, p.At)
	before, sum, _ := strings.Cut(string(p.Cursor), " ")
	kind, action := "metric", state
	now := facts.Get("sha256")
	switch {
	case state != before && (before != "" || state != fine):
		kind = "event"
	case now != "" && sum != "" && now != sum:
		kind, action = "event", changed
	}
	if now == "" {
		now = sum
	}
	outcome := "success"
	if state != fine {
		outcome = "failure"
	}
	name := set.name
	if name == "" {
		name = p.Name
	}
	d := document.New(p.At).Event("vedette.tlscheck", kind, action, outcome).Texts("event.category", []string{"network"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("service.name", name).Text("service.type", "tls").Int("server.port", int64(set.port)).Text("event.reason", reason)
	message := name + ": " + strings.ReplaceAll(action, "_", " ")
	if err != nil {
		d.Text("error.message", err.Error())
	} else {
		left := (facts.Int("not_after") - p.At) / day
		message += ", " + strconv.FormatInt(left, 10) + " days left"
		d.Int("event.duration", facts.Int("elapsed_ns")).Text("tls.version", facts.Get("version")).Text("tls.cipher", facts.Get("cipher")).Bool("tls.established", true).
			Text("tls.server.subject", facts.Get("subject")).Text("tls.server.issuer", facts.Get("issuer")).Text("tls.server.hash.sha256", facts.Get("sha256")).
			Time("tls.server.not_before", facts.Int("not_before")).Time("tls.server.not_after", facts.Int("not_after")).
			Text("tls.server.x509.serial_number", facts.Get("serial")).Texts("tls.server.x509.alternative_names", facts.All("name")).
			Int("tls.server.days_left", left).Bool("tls.server.trusted", facts.Get("verified") == "true")
	}
	if reason != "" {
		message += ": " + reason
	}
	p.Record(d.Text("message", message).Bytes())
	return []byte(state + " " + now), nil
}

// judge says what a certificate is, and what is wrong with it.
func judge(f probe.Facts, err error, at int64) (state, reason string) {
	left := f.Int("not_after") - at
	switch {
	case err != nil:
		return unreachable, "no handshake"
	case left <= 0:
		return expired, "the certificate has expired"
	case f.Get("verified") != "true" && !set.untrusted:
		return untrusted, f.Get("problem")
	case left < set.warn*day:
		return expiring, "less than " + strconv.FormatInt(set.warn, 10) + " days left"
	}
	return fine, ""
}
