package main

import (
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// native is the prefix of names that are not of ECS.
const native = "json."

// Things that are said once, though a document may say them twice.
const (
	saidTime = 1 << iota
	saidKind
	saidDataset
	saidMessage
	saidLevel
	saidHost
	saidUser
	saidError
)

// document is what Parse works on. It is one variable because a module serves one call at a time and must not allocate.
type document struct {
	e       *sdk.Event
	flat    jsontok.Flat
	header  syslog.Header
	scratch jsontok.Scratch
	buf     [MaxScratchBytes]byte
	said    uint
}

var doc document

// Parse reads one JSON object, bare or behind a syslog header. Names that begin as those of ECS do are kept, the usual
// names of time, level, message, host and user become ECS' own, and all others stand under "json.".
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	d := &doc
	d.e, d.said = e, 0
	d.scratch.Reset(d.buf[:])
	d.header = syslog.Header{}
	body := trim(r.Raw)
	if len(body) == 0 {
		return sdk.NotMine
	}
	if body[0] != '{' {
		if !syslog.Parse(body, r.Received, &d.header) {
			return sdk.NotMine
		}
		if body = trim(d.header.Message); len(body) == 0 || body[0] != '{' {
			return sdk.NotMine
		}
	}
	n := 0
	for d.flat.Reset(body); d.flat.Next(); {
		if n < MaxFields {
			n++
			d.value()
		}
	}
	if d.flat.Err() != nil || n == 0 {
		return sdk.NotMine
	}
	d.frame()
	return sdk.OK
}

// frame emits what the document has not said itself.
func (d *document) frame() {
	e, h := d.e, &d.header
	if d.said&saidTime == 0 && h.HasTime && h.Time != 0 {
		e.Time(h.Time)
	}
	if d.said&saidKind == 0 {
		e.Text(ecs.EventKind, "event", nil)
	}
	if d.said&saidDataset == 0 {
		e.Text(ecs.EventDataset, "json.log", nil)
	}
	if d.said&saidHost == 0 {
		e.Bytes(ecs.HostHostname, h.Hostname, nil)
	}
	e.Bytes(ecs.LogSyslogAppname, h.AppName, nil)
	if h.HasPRI {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
	}
}

// value emits the value that the walk stands on.
func (d *document) value() {
	f := &d.flat
	v, ok := d.scratch.Text(f.Value, f.Escaped)
	var at []byte
	if f.Escaped && ok {
		at = f.Value
	}
	if !f.List && d.usual(str(f.Name), v, at) {
		return
	}
	prefix := native
	if known(f.Name) {
		prefix = ""
	}
	if f.List {
		d.e.KeyElement(prefix, f.Name, v, at)
	} else {
		d.e.Key(prefix, f.Name, v, at)
	}
}

// usual takes the values whose names everybody knows; it is false for any other, which then keeps its name.
func (d *document) usual(name string, v, at []byte) bool {
	switch name {
	case "@timestamp", "timestamp", "time", "ts", "eventTime", "event_time", "datetime", "date", "created_at", "Timestamp", "Time":
		return d.time(v, name == "@timestamp")
	case "event.kind":
		return d.once(saidKind, ecs.EventKind, v, at)
	case "event.dataset":
		return d.once(saidDataset, ecs.EventDataset, v, at)
	case "event.original":
		d.e.Key(native, d.flat.Name, v, at) // the record itself is the original
		return true
	case "message", "msg", "Message":
		return d.once(saidMessage, ecs.Message, v, at)
	case "log.level", "level", "severity", "lvl", "loglevel", "Level", "Severity":
		return d.once(saidLevel, ecs.LogLevel, v, at)
	case "host.name", "host", "hostname", "Hostname":
		return d.once(saidHost, ecs.HostName, v, at)
	case "user.name", "user", "username", "User":
		return d.once(saidUser, ecs.UserName, v, at)
	case "error.message", "error", "err":
		return d.once(saidError, ecs.ErrorMessage, v, at)
	}
	return false
}

// once emits a well-known field unless it has been said; then the value keeps its own name.
func (d *document) once(what uint, name abi.Name, v, at []byte) bool {
	if d.said&what != 0 || len(v) == 0 {
		return false
	}
	d.said |= what
	d.e.Bytes(name, v, at)
	return true
}

// time sets the event's time from the first value that is one; "@timestamp" counts more than any other.
func (d *document) time(v []byte, sure bool) bool {
	if d.said&saidTime != 0 && !sure {
		return false
	}
	ns, ok := clock.RFC3339(v)
	if !ok {
		if ns, ok = clock.Epoch(v); !ok {
			return false
		}
	}
	d.said |= saidTime
	d.e.Time(ns)
	return true
}

// known says whether a name is one of ECS': a root of ECS with something below it, or a field of its own.
func known(name []byte) bool {
	n := 0
	for n < len(name) && name[n] != '.' {
		n++
	}
	root := str(name[:n])
	if n == len(name) {
		return root == "tags"
	}
	switch n {
	case 3:
		return root == "ecs" || root == "log" || root == "dns" || root == "url" || root == "tls" || root == "dll"
	case 4:
		return root == "host" || root == "user" || root == "file" || root == "http" || root == "rule"
	case 5:
		return root == "event" || root == "agent" || root == "cloud" || root == "error" || root == "email" || root == "group" || root == "trace"
	case 6:
		return root == "source" || root == "client" || root == "server" || root == "device" || root == "threat" || root == "labels"
	case 7:
		return root == "process" || root == "network" || root == "service" || root == "related" || root == "package"
	case 8:
		return root == "observer" || root == "registry"
	case 9:
		return root == "container"
	case 10:
		return root == "user_agent"
	case 11:
		return root == "destination" || root == "transaction" || root == "data_stream"
	case 12:
		return root == "organization" || root == "orchestrator"
	case 13:
		return root == "vulnerability"
	}
	return false
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] <= ' ' || b[0] == 0xEF && len(b) > 2 && b[1] == 0xBB && b[2] == 0xBF) {
		if b[0] == 0xEF {
			b = b[2:]
		}
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
