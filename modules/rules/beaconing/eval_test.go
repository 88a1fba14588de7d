package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

const start = int64(1_700_000_000_000_000_000)

// host plays the host: log time is event time.
type host struct {
	t     testing.TB
	now   int64
	seq   uint64
	buf   sdk.Buffers
	found []string
}

func newHost(t testing.TB, settings string) *host {
	t.Helper()
	state.Native = state.New(state.Limits{}, nil)
	t.Cleanup(func() { state.Native = nil })
	timer.Register(Due)
	if err := Init([]byte(settings)); err != nil {
		t.Fatal(err)
	}
	return &host{t: t, now: start}
}

// pass lets time pass until at, timer by timer.
func (h *host) pass(at int64) {
	for {
		next, ok := state.Native.Alarm()
		if !ok || next > at {
			break
		}
		var e abi.DueEncoder
		e.Begin(1, next)
		state.Native.TakeDue(next, abi.MaxDuePerBatch, func(at int64, key string) { e.Timer(at, []byte(key)) })
		in := e.Bytes()
		status, out := timer.Run(in, h.buf.Grow(0, 256<<10))
		if status != abi.StatusOK {
			h.t.Fatalf("status %d", status)
		}
		if err := abi.DecodeTimed(out, abi.MaxDuePerBatch, func(f abi.Finding) {
			h.found = append(h.found, fmt.Sprintf("%s (%s) %d", f.Title, f.Reason, len(f.Evidence)/abi.RefSize))
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.now = max(h.now, at)
}

func (h *host) call(at int64, from, to, port string) {
	h.pass(at)
	var e abi.RowsEncoder
	e.BeginRefs(1, 4, 1, h.now)
	e.Event(at)
	h.seq++
	ref := make([]byte, abi.RefSize)
	ref[0] = byte(h.seq)
	e.Ref(ref)
	for col, v := range []string{sourceIP: from, destinationDomain: to, destinationPort: port} {
		if v != "" {
			e.Cell(col, v)
		}
	}
	if status, _ := sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), h.buf.Grow(0, 64<<10)); status != abi.StatusOK {
		h.t.Fatalf("status %d", status)
	}
}

// Regular calls are found although they jitter, some are lost, and the program pauses; irregular ones are not.
func TestIntervals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sec := int64(time.Second)
	for _, c := range []struct {
		name string
		next func(i int) int64 // seconds to the next call; 0: that call is lost
		want string
	}{
		{"regular", func(int) int64 { return 300 }, "c2.example every 5m0s"},
		{"ten per cent of jitter", func(int) int64 { return 270 + r.Int64N(61) }, "c2.example every 4m57s"},
		{"one in five is lost", func(int) int64 { return 300 * (1 + r.Int64N(5)/4) }, "c2.example every 5m0s"},
		{"a pause of two hours", func(i int) int64 { return map[bool]int64{true: 7200, false: 240}[i == 14] }, "c2.example every 4m0s"},
		{"any time", func(int) int64 { return 1 + int64(r.ExpFloat64()*300) }, ""},
		{"half of the time as far", func(int) int64 { return 150 + r.Int64N(300) }, ""},
		{"bursts", func(i int) int64 { return map[bool]int64{true: 900, false: 2 + int64(r.ExpFloat64()*40)}[i%4 == 3] }, ""},
		{"every second", func(int) int64 { return 1 }, ""},
	} {
		h := newHost(t, "")
		at := start
		for i := range 200 {
			h.call(at, "10.0.0.1", "C2.example", "443")
			at += c.next(i) * sec
		}
		h.pass(at + 10*3600*sec)
		if (c.want == "") != (len(h.found) == 0) || c.want != "" && !strings.Contains(h.found[0], c.want) {
			t.Errorf("%s: %q, want %q", c.name, h.found, c.want)
		}
		if n := state.Native.Len(); n != 0 {
			t.Errorf("%s: %d keys are left of a series that has ended", c.name, n)
		}
	}
}

// Who calls what on which port is kept apart; a series that was reported begins anew.
func TestApart(t *testing.T) {
	h := newHost(t, `{"least_calls":5,"least_minutes":10,"ignore":["Update.example","192.0.2.1"]}`)
	minute := int64(time.Minute)
	for i := range int64(20) {
		h.call(start+i*9*minute, "10.0.0.1", "c2.example", "443")
		h.call(start+i*9*minute+1, "10.0.0.1", []string{"c2.example", "c3.example"}[i%2], "8443")
		h.call(start+i*9*minute+2, "10.0.0.2", "cdn.update.example", "443")
		h.call(start+i*9*minute+3, "10.0.0.2", "192.0.2.1", "443")
		h.call(start+i*9*minute+4, "10.0.0.3", "myupdate.example", "")
	}
	h.pass(start + 600*minute)
	count := map[string]int{}
	for _, f := range h.found {
		count[f]++
	}
	if n := len(h.found); n != 8 && n != 9 {
		t.Errorf("%d findings: %q", n, h.found)
	}
	for f := range count {
		if strings.Contains(f, "cdn.") || strings.Contains(f, "192.0.2.1") || !strings.HasSuffix(f, " 4") {
			t.Errorf("%s", f)
		}
	}
}

func FuzzSeries(f *testing.F) {
	var s series
	s.begin(1, make([]byte, abi.RefSize))
	s.call(2e9, make([]byte, abi.RefSize))
	f.Add(s.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s series
		if !s.read(b) {
			return
		}
		if got := s.append(nil); len(got) != len(b) {
			t.Fatalf("%x comes back as %x", b, got)
		}
		s.call(s.last+1e10, make([]byte, abi.RefSize))
		s.regular()
	})
}

func BenchmarkEval(b *testing.B) {
	newHost(b, "")
	const n = 256
	var e abi.RowsEncoder
	e.BeginRefs(n, 4, 1, start)
	for i := range n {
		e.Event(start + int64(i)*1e9)
		e.Ref(make([]byte, abi.RefSize))
		e.Cell(sourceIP, fmt.Sprint("10.0.0.", i%20))
		e.Cell(destinationIP, fmt.Sprint("203.0.113.", i%50))
	}
	buf := (&sdk.Buffers{}).Grow(0, 64<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), buf)
		}
	}
}
