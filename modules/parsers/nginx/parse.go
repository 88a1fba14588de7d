package main

import (
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/scan"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// record is what Parse works on. It is one variable because a module serves one call at a time and must not allocate.
type record struct {
	e     *sdk.Event
	host  []byte // of the syslog header
	addrs [MaxAddresses][]byte
	n     int
	path  [MaxPathBytes]byte
	seen  [4][]byte // already in related.ip
	seenN int
}

var rec record

// Parse reads lines of an access log or one entry of an error log, bare or behind a syslog header. A shipper may have
// joined lines: each that is a request becomes an event, and what follows an error belongs to it.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	p := &rec
	p.e, p.host = e, nil
	if p.failure(r.Raw) { // before syslog, which would take its time for a header's
		return sdk.OK
	}
	body := r.Raw
	var h syslog.Header
	if syslog.Parse(body, r.Received, &h) {
		if p.host = h.Hostname; len(h.Message) > 0 {
			body = h.Message
		}
	}
	if !p.failure(body) && !p.lines(body) {
		return sdk.NotMine
	}
	return sdk.OK
}

// lines reads requests up to the first line that is none; it is false when that is the first line.
func (p *record) lines(b []byte) bool {
	any := false
	for len(b) > 0 {
		line := b
		if i := scan.Byte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if any {
			p.e.Next()
		}
		if !p.access(line) {
			return any
		}
		any = true
	}
	return any
}

// begin emits what all events have.
func (p *record) begin(dataset, kind string, ns int64) {
	e := p.e
	p.n, p.seenN = 0, 0
	e.Time(ns)
	e.Text(ecs.EventDataset, dataset, nil)
	e.Text(ecs.EventModule, "nginx", nil)
	e.Text(ecs.EventKind, "event", nil)
	e.ElementText(ecs.EventCategory, "web", nil)
	e.ElementText(ecs.EventType, kind, nil)
	e.Bytes(ecs.HostHostname, p.host, nil)
}

// failure reads an entry of the error log:
//
//	2006/01/02 15:04:05 [error] 123#0: *45 message, client: 192.0.2.1, server: example.net, request: "…", host: "…"
func (p *record) failure(b []byte) bool {
	const stamp = len("2006/01/02 15:04:05")
	if len(b) < stamp+4 || b[stamp] != ' ' || b[stamp+1] != '[' {
		return false
	}
	ns, ok := clock.Slashed(b[:stamp])
	end := scan.Byte(b, ']')
	if !ok || end < 0 || end > stamp+12 || end+2 > len(b) {
		return false
	}
	level, rest := b[stamp+2:end], b[end+2:]
	hash := scan.Byte(rest, '#')
	colon := scan.Byte(rest, ':')
	if hash <= 0 || colon <= hash {
		return false
	}
	pid, ok1 := number(rest[:hash])
	tid, ok2 := number(rest[hash+1 : colon])
	if !ok1 || !ok2 {
		return false
	}
	p.begin("nginx.error", "error", ns)
	e := p.e
	e.Bytes(ecs.LogLevel, level, nil)
	e.Int(ecs.ProcessPID, pid, rest[:hash])
	e.Int(ecs.ProcessThreadID, tid, rest[hash+1:colon])
	rest = trim(rest[colon+1:])
	if len(rest) > 1 && rest[0] == '*' {
		if i := scan.Byte(rest, ' '); i > 0 {
			e.Key("nginx.error.connection_id", nil, rest[1:i], nil)
			rest = rest[i+1:]
		}
	}
	e.Bytes(ecs.Message, rest, nil)
	p.context(rest)
	return true
}

// contexts are the labels that nginx puts behind an error, in the order in which it does.
var contexts = [...]struct{ label, name string }{
	{", client: ", ""},
	{", server: ", "nginx.error.server"},
	{", request: \"", "nginx.error.request"},
	{", upstream: \"", "nginx.error.upstream"},
	{", host: \"", "nginx.error.host"},
	{", referrer: \"", "nginx.error.referrer"},
}

func (p *record) context(b []byte) {
	for i := range contexts {
		c := &contexts[i]
		at := scan.Text(b, c.label)
		if at < 0 {
			continue
		}
		b = b[at+len(c.label):]
		stop := byte(',')
		if c.label[len(c.label)-1] == '"' {
			stop = '"'
		}
		v := b
		if n := scan.Byte(b, stop); n >= 0 {
			v = b[:n]
		}
		if c.name == "" {
			p.e.Bytes(ecs.SourceAddress, v, nil)
			if address(v) {
				p.e.Bytes(ecs.SourceIP, v, nil)
				p.related(v)
			}
			continue
		}
		p.e.Key(c.name, nil, v, nil)
	}
}

// related lists an address once.
func (p *record) related(ip []byte) {
	for _, known := range p.seen[:p.seenN] {
		if is(known, str(ip)) {
			return
		}
	}
	if p.seenN < len(p.seen) {
		p.seen[p.seenN] = ip
		p.seenN++
		p.e.Element(ecs.RelatedIP, ip, nil)
	}
}

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func is(b []byte, s string) bool { return len(b) == len(s) && str(b) == s }

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && str(b[:len(s)]) == s }

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

func number(b []byte) (v int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, true
}
