package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// Parse reads a line of a Unix host's system log: RFC 3164 with or without PRI, ISO 8601 times, macOS' process names,
// and what rsyslog makes of it in RFC 5424. Appliances that only borrow the header are another parser's.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	var h syslog.Header
	if !syslog.Parse(r.Raw, r.Received, &h) || !unix(&h) {
		return sdk.NotMine
	}
	if h.Time != 0 {
		e.Time(h.Time)
	}
	e.Text(ecs.EventDataset, "system.syslog", nil)
	e.Text(ecs.EventModule, "system", nil)
	e.Bytes(ecs.HostHostname, h.Hostname, nil)
	e.Bytes(ecs.ProcessName, h.AppName, nil)
	if pid, ok := number(h.ProcID); ok {
		e.Int(ecs.ProcessPID, pid, h.ProcID)
	}
	if h.HasPRI {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
		e.Int(ecs.LogSyslogFacilityCode, int64(h.Facility), h.PRIText)
		e.Int(ecs.LogSyslogSeverityCode, int64(h.Severity), h.PRIText)
	}
	e.Bytes(ecs.Message, h.Message, nil)
	return sdk.OK
}

// unix tells the line of a daemon from a product's record behind a syslog header: it has a time, a host and a
// program's name, and a message that is prose. Message ids and structured data are what appliances send.
func unix(h *syslog.Header) bool {
	if !h.HasTime || h.Hostname == nil || h.MsgID != nil || h.SD != nil || len(h.Message) == 0 {
		return false
	}
	if !h.HasPRI && len(h.TimeText) > 10 && h.TimeText[4] == '-' && h.TimeText[10] == ' ' {
		return false // "2024-03-01 12:00:00,123 INFO …": an application's own log
	}
	if h.ProcID != nil && h.Version > 0 {
		if _, ok := number(h.ProcID); !ok {
			return false
		}
	}
	return program(h.AppName) && prose(h.Message)
}

// program says whether a tag is the name of a program: it begins with a letter, or a path or a bracketed kernel thread
// does, and is not one of the framings that stand in its place.
func program(tag []byte) bool {
	if len(tag) == 0 {
		return false
	}
	switch c := tag[0]; {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '/', c == '_', c == '(':
	default:
		return false
	}
	return !starts(tag, "CEF") && !starts(tag, "LEEF")
}

// prose says whether a message does not begin like a record of some format.
func prose(msg []byte) bool {
	switch msg[0] {
	case '{', '<', '|', '%':
		return false
	case '[': // [key:"value"; …] of Check Point
		for i := 1; i+1 < len(msg) && msg[i] > ' '; i++ {
			if msg[i] == ':' {
				return msg[i+1] != '"'
			}
		}
	}
	return !starts(msg, "CEF:") && !starts(msg, "LEEF:")
}

func starts(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		if b[i] != s[i] {
			return false
		}
	}
	return true
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
