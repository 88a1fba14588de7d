package main

import (
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/kv"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// One of each, because a module serves one call at a time and must not allocate.
var (
	key   [MaxKeyBytes]byte
	value [MaxValueBytes]byte
)

// Parse reads a record most of which is key=value pairs. Every pair becomes labels.KEY; time, level and message get
// their ECS fields when they are called by one of their usual names.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	var h syslog.Header
	body := r.Raw
	if syslog.Parse(r.Raw, r.Received, &h) {
		body = h.Message
	} else {
		h = syslog.Header{}
	}
	if !mostlyPairs(body) {
		return sdk.NotMine
	}
	e.Text(ecs.EventDataset, "kv.log", nil)
	e.Text(ecs.EventKind, "event", nil)
	e.Bytes(ecs.HostHostname, h.Hostname, nil)
	e.Bytes(ecs.ProcessName, h.AppName, nil)
	if h.HasPRI {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
	}
	timed := h.HasTime && h.Time != 0
	if timed {
		e.Time(h.Time)
	}
	var level, message bool
	s := kv.New(body)
	for n := 0; n < MaxPairs && s.Next(); n++ {
		v, at := unescaped(&s)
		switch unsafe.String(unsafe.SliceData(s.Key), len(s.Key)) {
		case "time", "ts", "timestamp", "t":
			if ns, ok := when(v); ok && !timed {
				e.Time(ns)
				timed = true
			}
		case "level", "lvl", "severity":
			if !level {
				e.Bytes(ecs.LogLevel, v, at)
				level = len(v) > 0
			}
		case "msg", "message":
			if !message {
				e.Bytes(ecs.Message, v, at)
				message = len(v) > 0
			}
		}
		e.Key("labels.", label(s.Key), v, at)
	}
	if !message {
		e.Bytes(ecs.Message, body, nil)
	}
	return sdk.OK
}

// mostlyPairs keeps prose with a stray "a=b" in it for the other parsers.
func mostlyPairs(body []byte) bool {
	n, filled := 0, 0
	for s := kv.New(body); s.Next(); n++ {
		filled += len(s.Key) + len(s.Value) + 2
		if s.Quoted {
			filled += 2
		}
	}
	return n >= MinPairs && filled*100 >= len(body)*MinPairPercent
}

func unescaped(s *kv.Scanner) (v, at []byte) {
	if s.Escaped && len(s.Value) <= len(value) {
		return kv.Unescape(value[:0], s.Value), s.Value
	}
	return s.Value, nil
}

func when(v []byte) (int64, bool) {
	if ns, ok := clock.RFC3339(v); ok {
		return ns, true
	}
	return clock.Epoch(v)
}

// labelBytes says how each byte of a key is written in the name of a label.
var labelBytes = func() (t [256]byte) {
	for c := range 256 {
		switch {
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			t[c] = byte(c)
		default:
			t[c] = '_'
		}
	}
	return t
}()

// label writes a key as the name of a label: lower case, with _ for what is neither a letter nor a digit.
func label(k []byte) []byte {
	n := min(len(k), len(key))
	for i, c := range k[:n] {
		key[i] = labelBytes[c]
	}
	return key[:n]
}
