package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/kv"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// line is what is known about the current record. It is one variable because a module serves one call at a time and
// must not allocate.
type line struct {
	p       *template.Program
	match   template.Matcher
	h       syslog.Header
	flat    jsontok.Flat
	scratch jsontok.Scratch
	buf     [MaxScratchBytes]byte

	e        *sdk.Event
	received int64
	at       []byte // the bytes of the record that stand for a text which is no part of it; nil otherwise
	seen     [template.MaxSlots / 64]uint64
	required uint16
	framed   bool // h is the record's header
	pairs    int
	text     []byte // what the templates are applied to, when a key holds it
	textAt   []byte
}

var reader line

// Parse reads a record as the spec says.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	l := &reader
	l.begin(r, e)
	if l.p == nil {
		return sdk.NotMine
	}
	body := trim(r.Raw)
	if body = l.unframe(body); len(body) == 0 || !l.p.Accepts(l.h.AppName) {
		return sdk.NotMine
	}
	base := l.p.Base
	switch l.p.Framing {
	case template.KeyValue:
		l.keyValue(body)
	case template.JSONObject:
		if !l.json(body) {
			return sdk.NotMine
		}
	default:
		l.text = body
	}
	if l.required != l.p.Required {
		return sdk.NotMine
	}
	if l.text != nil && len(l.p.Variants) > 0 {
		if l.match.Match(l.text) {
			if !l.captured() {
				return sdk.NotMine
			}
			base = l.p.Variants[l.match.Variant]
		} else if l.p.Flags&template.KeepUnmatched == 0 {
			return sdk.NotMine
		}
	}
	l.header()
	l.constants(base)
	return sdk.OK
}

func (l *line) begin(r *sdk.Record, e *sdk.Event) {
	l.e, l.received, l.at, l.text, l.textAt = e, r.Received, nil, nil, nil
	l.required, l.framed, l.pairs = 0, false, 0
	l.seen = [template.MaxSlots / 64]uint64{}
	l.h = syslog.Header{}
	l.scratch.Reset(l.buf[:])
}

// unframe takes off the syslog header that the spec wants, or that may stand before pairs and objects. It returns nil
// when there is none and should be one.
func (l *line) unframe(body []byte) []byte {
	switch l.p.Framing {
	case template.Plain:
		return body
	case template.JSONObject:
		if len(body) > 0 && body[0] == '{' {
			return body
		}
	}
	if l.framed = syslog.Parse(body, l.received, &l.h); l.framed {
		return trim(l.h.Message)
	}
	if l.p.Framing == template.KeyValue {
		return body
	}
	return nil
}

// captured emits what the holes have taken. It is false when one that should hold an object does not.
func (l *line) captured() bool {
	l.at = l.textAt
	for _, c := range l.match.Captures {
		h := &l.p.Holes[c.Hole]
		v := template.Inside(h.Kind, l.text[c.Start:c.End])
		switch h.Target.Conv {
		case template.AsPairs:
			l.keyValue(v)
		case template.AsJSON:
			if !l.json(v) {
				return false
			}
		default:
			l.emit(&h.Target, v)
		}
	}
	l.at = nil
	return true
}

// header emits what the syslog header says and nothing else has said.
func (l *line) header() {
	if !l.framed {
		return
	}
	h, e := &l.h, l.e
	if h.HasTime {
		s := template.Stamp{Civil: h.Civil, Zoned: template.Zoned(h.TimeText)}
		if ns, ok := s.Unix(l.p.Zone, l.received); ok && !l.timed() {
			e.Time(ns)
		}
	}
	if h.Hostname != nil && l.once(template.SlotHostname) {
		e.Bytes(ecs.HostHostname, h.Hostname, nil)
		e.Element(ecs.RelatedHosts, h.Hostname, nil)
	}
	if h.AppName != nil && l.once(template.SlotProcess) {
		e.Bytes(ecs.ProcessName, h.AppName, nil)
	}
	if pid, ok := number(h.ProcID); ok && l.once(template.SlotPID) {
		e.Int(ecs.ProcessPID, pid, h.ProcID)
	}
	if h.HasPRI && l.once(template.SlotPriority) {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
	}
	if l.once(template.SlotMessage) {
		e.Bytes(ecs.Message, h.Message, nil)
	}
}

// constants emits what the spec sets and the record has not said.
func (l *line) constants(v template.Variant) {
	for i := range l.p.Consts[v.First : v.First+v.Consts] {
		c := &l.p.Consts[int(v.First)+i]
		text := l.p.Bytes(c.Value)
		if c.Flags&template.List != 0 {
			l.e.Element(c.Name, text, nil)
		} else if l.once(c.Slot) {
			l.e.Bytes(c.Name, text, nil)
		}
	}
}

// keyValue reads pairs. What is no pair is gone over.
func (l *line) keyValue(body []byte) {
	s := kv.New(body)
	s.Sep = l.p.Separator
	for s.Next() && l.pairs < MaxPairs {
		l.pairs++
		v, at := s.Value, []byte(nil)
		if s.Escaped {
			if text, ok := l.scratch.Copy(v); ok {
				v, at = kv.Unescape(text[:0], text), s.Value
			}
		}
		l.member(s.Key, v, at, false)
	}
}

// json reads an object; it is false when body is none.
func (l *line) json(body []byte) bool {
	for l.flat.Reset(body); l.flat.Next(); {
		if l.pairs++; l.pairs > MaxPairs {
			continue
		}
		v, ok := l.scratch.Text(l.flat.Value, l.flat.Escaped)
		var at []byte
		if l.flat.Escaped && ok {
			at = l.flat.Value
		}
		l.member(l.flat.Name, v, at, l.flat.List)
	}
	return l.flat.Err() == nil && l.pairs > 0
}

// member takes a value by its key. at is its place in the record when v is a copy.
func (l *line) member(key, v, at []byte, element bool) {
	if at == nil {
		at = l.at
	}
	k := l.p.Find(key)
	if k == nil {
		l.other(key, v, at, element)
		return
	}
	l.required |= k.Required
	if k.Message && l.text == nil {
		l.text, l.textAt = v, at
		if l.text == nil {
			l.text = []byte{}
		}
	}
	t := &k.Target
	if t.Conv == template.AsNone || len(v) == 0 {
		return
	}
	if !template.Fits(k.Kind, v, str(l.p.Bytes(t.Arg))) {
		l.other(key, v, at, element)
		return
	}
	outer := l.at
	l.at = at
	l.emit(t, v)
	l.at = outer
}

// other keeps a value that goes nowhere below the spec's prefix.
func (l *line) other(key, v, at []byte, element bool) {
	if l.p.Flags&template.KeepOthers == 0 {
		return
	}
	if prefix := str(l.p.Bytes(l.p.Prefix)); element {
		l.e.KeyElement(prefix, key, v, at)
	} else {
		l.e.Key(prefix, key, v, at)
	}
}
