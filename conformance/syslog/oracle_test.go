package syslog

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	oracle "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// FuzzRFC5424 holds our reader against an independent one: the same decision, the same fields.
func FuzzRFC5424(f *testing.F) {
	for _, s := range []string{
		`<34>1 2024-05-06T07:08:09.010Z gate login 4711 AUTH [a k="v\"" l=""][b] text`, "<1>1 - - - - - -", `<1>1 - - - - - [a k="`,
	} {
		f.Add([]byte(s))
	}
	m := rfc5424.NewParser()
	f.Fuzz(func(t *testing.T, b []byte) {
		var h syslog.Header
		ok := syslog.ParseRFC5424(b, &h)
		inside(t, b, &h)
		if bytes.Count(b, []byte("[")) > syslog.MaxElements {
			return
		}
		msg, err := m.Parse(b)
		if ok != (err == nil) {
			t.Fatalf("%q: accepted is %v, the oracle says %v", b, ok, err)
		}
		if !ok {
			return
		}
		got, _ := read("rfc5424", string(b))
		o := msg.(*rfc5424.SyslogMessage)
		want := base(&o.Base)
		want.Version = int(o.Version)
		if o.StructuredData != nil {
			want.StructuredData = *o.StructuredData
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q (-oracle +ours):\n%s", b, d)
		}
	})
}

// FuzzRFC3164 compares decisions, and fields where a message has a tag and so is not ambiguous.
func FuzzRFC3164(f *testing.F) {
	for _, s := range []string{
		"<13>Mar  1 00:00:00 box prog[17]: text", "<13>Mar  1 00:00:00 prog: text\n", "<13>Feb 30 00:00:00 box x",
	} {
		f.Add([]byte(s))
	}
	m := rfc3164.NewParser()
	f.Fuzz(func(t *testing.T, b []byte) {
		var h syslog.Header
		ok := syslog.ParseRFC3164(b, 0, &h)
		inside(t, b, &h)
		msg, err := m.Parse(b)
		if msg != nil && !ok {
			if m := msg.(*rfc3164.SyslogMessage).Message; m == nil || strings.TrimSpace(*m) == "" || strings.HasPrefix(*m, "\n") {
				return // the oracle takes a header with nothing but blanks behind it, and a newline there but nowhere else
			}
		}
		if ok != (msg != nil) { // the oracle's error is nil for a message that stops too early
			t.Fatalf("%q: accepted is %v, the oracle says %v", b, ok, err)
		}
		if !ok || h.AppName == nil || h.Hostname == nil || bytes.HasPrefix(h.Message, []byte(" ")) {
			return
		}
		got, _ := read("rfc3164", string(b))
		if d := cmp.Diff(base(&msg.(*rfc3164.SyslogMessage).Base), got); d != "" {
			t.Fatalf("%q (-oracle +ours):\n%s", b, d)
		}
	})
}

func base(o *oracle.Base) *fields {
	f := &fields{
		Facility: int(*o.Facility), Severity: int(*o.Severity), Priority: int(*o.Priority),
		Hostname: o.Hostname, Appname: o.Appname, ProcID: o.ProcID, MsgID: o.MsgID, Message: o.Message,
	}
	if o.Timestamp != nil {
		s := o.Timestamp.UTC().Format(time.RFC3339Nano)
		f.Timestamp = &s
	}
	return f
}

// inside fails when a part of the header is not a part of the input.
func inside(t *testing.T, b []byte, h *syslog.Header) {
	t.Helper()
	for _, v := range [][]byte{h.PRIText, h.TimeText, h.Hostname, h.AppName, h.ProcID, h.MsgID, h.SD, h.Message} {
		if len(v) > 0 && !bytes.Contains(b, v) {
			t.Fatalf("%q: %q is no part of it", b, v)
		}
	}
}
