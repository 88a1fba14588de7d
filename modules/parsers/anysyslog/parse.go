package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// One of each, because a module serves one call at a time and must not allocate.
var (
	name  [2*syslog.MaxSDNameBytes + 1]byte
	value [1024]byte
)

// Parse reads any record that begins with a PRI or a time, and says what its header says.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	var h syslog.Header
	if !syslog.Parse(r.Raw, r.Received, &h) {
		return sdk.NotMine
	}
	if h.HasTime && h.Time != 0 {
		e.Time(h.Time)
	}
	e.Text(ecs.EventDataset, "syslog.log", nil)
	e.Text(ecs.EventKind, "event", nil)
	if h.HasPRI {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
		e.Int(ecs.LogSyslogFacilityCode, int64(h.Facility), h.PRIText)
		e.Int(ecs.LogSyslogSeverityCode, int64(h.Severity), h.PRIText)
	}
	if h.Version > 0 {
		e.Int(ecs.LogSyslogVersion, int64(h.Version), nil)
	}
	e.Bytes(ecs.HostHostname, h.Hostname, nil)
	e.Bytes(ecs.LogSyslogHostname, h.Hostname, nil)
	e.Bytes(ecs.LogSyslogAppname, h.AppName, nil)
	e.Bytes(ecs.LogSyslogProcid, h.ProcID, nil)
	e.Bytes(ecs.LogSyslogMsgid, h.MsgID, nil)
	e.Bytes(ecs.ProcessName, h.AppName, nil)
	for p := syslog.ParamsOf(h.SD); p.Next(); {
		param(e, &p)
	}
	e.Bytes(ecs.Message, h.Message, nil)
	return sdk.OK
}

// param emits one parameter as log.syslog.structured_data.ID.NAME.
func param(e *sdk.Event, p *syslog.Params) {
	if p.Name == nil {
		return
	}
	n := copy(name[:], p.ID)
	name[n] = '.'
	n++
	n += copy(name[n:], p.Name)
	v, at := p.Value, []byte(nil)
	if p.Escaped && len(v) <= len(value) {
		v, at = syslog.Unescape(value[:0], v), p.Value
	}
	e.Key("log.syslog.structured_data.", name[:n], v, at)
}
