package main

import (
	"errors"
	"strings"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
)

// target is the name under which the manifest asks for the service; only the grant knows its address.
const target = "target"

// maxQuotedBytes keeps a record readable; settings and the host's errors are no longer.
const maxQuotedBytes = abi.MaxMessageBytes

// settings are those of module.yaml, whose schema the host has checked.
type settings struct {
	name   string // service.name of the records; empty: what is polled
	path   string // asked for; empty: "/"
	status int    // wanted; 0 is any from 200 to 399
	maxMs  int64  // an answer that takes longer is a failure; 0 is no limit
	text   string // that the answer must contain
}

// set holds for as long as the module's memory: the host calls Init once and restores what it left before every poll.
var set = settings{path: "/"}

// record is written anew by every poll; it has room for four texts of which every byte is escaped.
var record [4*6*maxQuotedBytes + 2<<10]byte

// Init reads the settings.
func Init(b []byte) error {
	set = settings{path: "/"}
	if len(b) == 0 {
		return nil
	}
	var f jsontok.Flat
	for f.Reset(b); f.Next(); {
		text := string(jsontok.Unescape(nil, f.Value))
		n, _ := number(f.Value)
		switch string(f.Name) {
		case "name":
			set.name = text
		case "path":
			set.path = text
		case "expect_status":
			set.status = int(n)
		case "max_ms":
			set.maxMs = n
		case "contains":
			set.text = text
		}
	}
	if f.Err() != nil {
		return f.Err()
	}
	if set.path == "" || set.path[0] != '/' {
		return errors.New(`path: want it to begin with "/"`)
	}
	return nil
}

// The cursor is the state that the last poll found, so that a record tells when it has changed.
const (
	up   = "up"
	down = "down"
)

// Poll asks once and hands over one record in ECS form.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	r, err := sdk.HTTPGet(target, set.path)
	reason := set.judge(r, err)
	state, outcome := up, "success"
	if reason != "" {
		state, outcome = down, "failure"
	}
	kind, action := "metric", "http_check"
	if last := string(p.Cursor); last != "" && last != state || last == "" && state == down {
		kind, action = "event", "service_"+state
	}
	name := set.name
	if name == "" {
		name = p.Name
	}
	if name == "" {
		name = target
	}
	w := writer{b: record[:0]}
	w.text(`{"@timestamp":"`)
	w.b = time.Unix(0, p.At).UTC().AppendFormat(w.b, time.RFC3339Nano)
	w.text(`","event":{"dataset":"vedette.httpcheck","kind":"`).text(kind).text(`","category":["network"],"type":["info"],"action":"`).text(action)
	w.text(`","outcome":"`).text(outcome).text(`"`)
	if err == nil {
		w.text(`,"duration":`).number(r.ElapsedNs)
	}
	if reason != "" {
		w.text(`,"reason":"`).quoted(reason).text(`"`)
	}
	w.text(`},"service":{"name":"`).quoted(name).text(`","type":"http","state":"`).text(state).text(`"},"url":{"path":"`).quoted(set.path).text(`"}`)
	if err == nil {
		w.text(`,"http":{"response":{"status_code":`).number(int64(r.Status)).text(`,"body":{"bytes":`).number(int64(len(r.Body))).text(`}}}`)
		if r.TLSNotAfter != 0 {
			w.text(`,"tls":{"established":true,"server":{"not_after":"`)
			w.b = time.Unix(0, r.TLSNotAfter).UTC().AppendFormat(w.b, time.RFC3339)
			w.text(`"}}`)
		}
	} else {
		w.text(`,"error":{"message":"`).quoted(err.Error()).text(`"}`)
	}
	w.text(`,"message":"`).quoted(name).text(" is ").text(state)
	if reason != "" {
		w.text(": ").quoted(reason)
	}
	w.text(`"}`)
	p.Record(w.b)
	return []byte(state), nil
}

// judge says what is wrong with an answer; nothing when it is as it should be.
func (s *settings) judge(r sdk.HTTPResponse, err error) string {
	switch {
	case err != nil:
		return "no answer"
	case s.status != 0 && r.Status != s.status || s.status == 0 && (r.Status < 200 || r.Status > 399):
		return "unexpected status"
	case s.text != "" && !strings.Contains(string(r.Body), s.text):
		return "unexpected answer"
	case s.maxMs != 0 && r.ElapsedNs > s.maxMs*int64(time.Millisecond):
		return "too slow"
	}
	return ""
}

// writer appends JSON to a buffer.
type writer struct{ b []byte }

func (w *writer) text(s string) *writer {
	w.b = append(w.b, s...)
	return w
}

// quoted appends the inside of a JSON string.
func (w *writer) quoted(s string) *writer {
	const digits = "0123456789abcdef"
	for i := range min(len(s), maxQuotedBytes) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c < ' ':
			w.b = append(w.b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			w.b = append(w.b, c)
		}
	}
	return w
}

func (w *writer) number(v int64) *writer {
	if v < 0 {
		w.b = append(w.b, '-')
		v = -v
	}
	var d [20]byte
	i := len(d)
	for more := true; more; more = v > 0 {
		i--
		d[i] = byte('0' + v%10)
		v /= 10
	}
	w.b = append(w.b, d[i:]...)
	return w
}

// number reads a whole number without a sign.
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
