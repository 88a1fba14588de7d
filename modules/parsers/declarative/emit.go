package main

import (
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/kv"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// once says whether a slot is still free, and takes it. What a record says first counts.
func (l *line) once(slot uint16) bool {
	bit := uint64(1) << (slot % 64)
	free := l.seen[slot/64]&bit == 0
	l.seen[slot/64] |= bit
	return free
}

// timed says whether the event has a time, which is kept in the slot of no field.
func (l *line) timed() bool { return l.seen[0]&1 != 0 }

// emit gives a value to its target. A value that is no part of the record has the span l.at.
func (l *line) emit(t *template.Target, v []byte) {
	list := t.Flags&template.List != 0
	if len(v) == 0 || t.Conv == template.AsNone || !list && t.Slot != template.SlotNone && !l.once(t.Slot) {
		return
	}
	at := l.at
	if t.Map != 0 {
		if text, ok := l.p.Lookup(t.Map, v); ok {
			l.put(t, l.p.Bytes(text), l.span(v))
			return
		}
	}
	switch t.Conv {
	case template.AsInt:
		if n, ok := number(v); ok {
			l.e.Int(t.Name, n, l.span(v))
			return
		}
	case template.AsEvent, template.AsTime:
		l.time(t, v)
		return
	case template.AsQuote:
		if text, ok := l.scratch.Copy(v); ok && escaped(v) {
			if v, at = kv.Unescape(text[:0], text), l.span(v); len(v) == 0 {
				return
			}
		}
	}
	l.put(t, v, at)
}

// put emits a text and lists it where it is related.
func (l *line) put(t *template.Target, v, at []byte) {
	if t.Flags&template.List != 0 {
		l.e.Element(t.Name, v, at)
	} else {
		l.e.Bytes(t.Name, v, at)
	}
	switch {
	case t.Flags&template.RelatedIP != 0:
		l.e.Element(ecs.RelatedIP, v, at)
	case t.Flags&template.RelatedUser != 0:
		l.e.Element(ecs.RelatedUser, v, at)
	case t.Flags&template.RelatedHosts != 0:
		l.e.Element(ecs.RelatedHosts, v, at)
	}
}

// time emits a time, as that of the event or as a field.
func (l *line) time(t *template.Target, v []byte) {
	s, n, ok := template.Clock(v, str(l.p.Bytes(t.Arg)))
	if !ok || n != len(v) {
		return
	}
	ns, ok := s.Unix(l.p.Zone, l.received)
	switch {
	case !ok:
	case t.Conv == template.AsTime:
		l.e.Timestamp(t.Name, ns, l.span(v))
	case !l.timed():
		l.seen[0] |= 1
		l.e.Time(ns)
	}
}

// span is the place in the record that v stands for: its own, unless the text it was cut from is a copy.
func (l *line) span(v []byte) []byte {
	if l.at != nil {
		return l.at
	}
	return v
}

func escaped(v []byte) bool {
	for _, c := range v {
		if c == '\\' {
			return true
		}
	}
	return false
}

// number reads digits with an optional sign.
func number(b []byte) (v int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > template.MaxIntDigits {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}

// trim takes blanks and line ends off both ends, and a byte order mark.
func trim(b []byte) []byte {
	if len(b) > 2 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		b = b[3:]
	}
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
