package main

import (
	"bytes"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/kv"
)

// sample is a spec of the cases with its records.
type sample struct {
	yaml    []byte
	records [][]byte
}

func samples(t testing.TB) (all []sample) {
	t.Helper()
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{file(a, "spec.yaml"), bytes.Split(bytes.TrimSuffix(file(a, "input"), []byte("\n")), []byte("\n"))})
	}
	if len(all) == 0 {
		t.Fatal("no cases")
	}
	return all
}

// checkSpans says where the evidence of an event does not hold: bytes at a span give the value, read as they are,
// unescaped, as a number, or as the text that the value was cut from. It returns the number of spans.
func checkSpans(t *testing.T, p sdk.Parser, raw []byte) (spans int) {
	t.Helper()
	var e abi.RecordsEncoder
	e.Begin(1, 1, 0)
	e.Add(raw, "test 192.0.2.1:514", moduletest.Received.UnixNano(), 0)
	var b sdk.Buffers
	status, out := sdk.RunParser(p, e.Bytes(), b.Grow(len(raw)+200, abi.OutBytes(1, len(raw))))
	if status != abi.StatusOK {
		t.Fatalf("%q: status %d", raw, status)
	}
	events, err := abi.DecodeEvents(out, 1)
	if err != nil {
		t.Fatal(err)
	}
	for pos, n := 0, 0; n < events.Count; n++ {
		v, next, err := events.Next(pos, 0)
		if err != nil {
			t.Fatal(err)
		}
		pos = next
		for i := range v.Len() {
			f, err := events.Field(&v, i, raw)
			if err != nil {
				t.Fatalf("%q: %v", raw, err)
			}
			if f.SrcOff == abi.None {
				if f.Type == abi.InRecord {
					t.Errorf("%q: a value of the record without a span", raw)
				}
				continue
			}
			spans++
			at := raw[f.SrcOff : f.SrcOff+f.SrcLen]
			if !stands(&f, at) {
				t.Errorf("%q: field %d is %q, its span is %q", raw, f.Name, f.Bytes, at)
			}
		}
	}
	return spans
}

// stands says whether a field can be read from the bytes at its span.
func stands(f *abi.Field, at []byte) bool {
	switch f.Type {
	case abi.InRecord:
		return bytes.Equal(f.Bytes, at)
	case abi.InArena:
		return bytes.Contains(kv.Unescape(nil, at), f.Bytes) || bytes.Contains(jsontok.Unescape(nil, at), f.Bytes) || mapped[string(f.Bytes)]
	case abi.Int:
		n, err := strconv.ParseInt(string(bytes.TrimLeft(at, "+")), 10, 64)
		return err != nil || n == int64(f.Bits) // a number out of an escaped text has all of that as its span
	}
	return true
}

// mapped are the values of the cases' lookup tables.
var mapped = map[string]bool{"success": true, "failure": true, "unknown": true, "up": true, "down": true, "changed": true}

func TestSpans(t *testing.T) {
	spans := 0
	for _, s := range samples(t) {
		p, _ := parserOf(t, s.yaml)
		for _, raw := range s.records {
			spans += checkSpans(t, p, raw)
		}
	}
	if spans < 100 {
		t.Errorf("only %d spans", spans)
	}
}

// FuzzParse feeds any bytes to each spec of the cases: batches are valid, spans hold, nothing panics.
func FuzzParse(f *testing.F) {
	all := samples(f)
	for i, s := range all {
		for _, raw := range s.records {
			f.Add(uint8(i), raw)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		p, _ := parserOf(t, all[int(which)%len(all)].yaml)
		checkSpans(t, p, raw)
	})
}

func BenchmarkTemplates(b *testing.B) {
	p, _ := parserOf(b, []byte(benchSpec))
	moduletest.Benchmark(b, p, benchLine)
}

func BenchmarkPairs(b *testing.B) {
	p, _ := parserOf(b, []byte("framing: kv\nprefix: acme\nrequire: [devname]\nfields: {srcip: source.ip, srcport: source.port, action: event.action, dstip: destination.ip}\nset: {event.dataset: acme.fw}\n"))
	moduletest.Benchmark(b, p, `date=2024-03-01 time=12:00:00 devname="edge" srcip=192.0.2.1 srcport=4711 dstip=198.51.100.7 action="accept" policyid=7 service="HTTPS" sentbyte=1024`)
}

// benchSpec reads what parsers/auth reads of sshd, for comparison.
const (
	benchSpec = `framing: syslog
programs: [sshd]
prefix: sshd
set: {event.dataset: system.auth, event.module: system, event.kind: event, event.category: [authentication]}
templates:
  - text: "Failed {sshd.method:word} for {?invalid user }{user.name:text(last)} from {source.ip:ip} port {source.port:int}{? ssh2}"
    set: {event.action: ssh_login, event.outcome: failure}
  - text: "Accepted {sshd.method:word} for {user.name:text(last)} from {source.ip:ip} port {source.port:int}{? ssh2}"
    set: {event.action: ssh_login, event.outcome: success}
  - text: "Invalid user {user.name:text(last)} from {source.ip:ip}{? port {source.port:int}}"
    set: {event.action: ssh_login, event.outcome: failure}
  - text: "Connection closed by {?authenticating user {user.name:word} }{source.ip:ip} port {source.port:int}{? [preauth]}"
`
	benchLine = `<38>Feb 29 08:00:02 web-3 sshd[2102]: Failed password for invalid user oracle from 203.0.113.7 port 40022 ssh2`
)
