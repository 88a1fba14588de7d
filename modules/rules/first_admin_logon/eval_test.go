package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// logon is a row: when, and its columns; "" for a field that the event lacks.
type logon struct {
	at                           time.Duration
	user, domain, host, hostname string
}

// eval puts batches of one row each to the rule, which remembers from one to the next.
func eval(t testing.TB, rows ...logon) (found []abi.Finding) {
	t.Helper()
	var b sdk.Buffers
	for _, r := range rows {
		var e abi.RowsEncoder
		e.Begin(1, 4, 1, int64(r.at))
		e.Event(int64(r.at))
		for col, v := range []string{r.user, r.domain, r.host, r.hostname} {
			if v != "" {
				e.Cell(col, v)
			}
		}
		status, out := sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), b.Grow(0, 64<<10))
		if status != abi.StatusOK {
			t.Fatalf("status %d", status)
		}
		if err := abi.DecodeFindings(out, 1, func(f abi.Finding) {
			found = append(found, abi.Finding{Title: []byte(string(f.Title)), Reason: []byte(string(f.Reason)), Key: []byte(string(f.Key))})
		}); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func remember(t testing.TB, l state.Limits) {
	state.Native = state.New(l, nil)
	t.Cleanup(func() { state.Native = nil })
}

const day = 24 * time.Hour

// What an account did is forgotten after 90 days, and so is a host of which nothing was heard; the inline tests of
// rule.yaml hold the rest.
func TestForgets(t *testing.T) {
	remember(t, state.Limits{})
	found := eval(t,
		logon{0, "eva", "", "dc", ""}, logon{8 * day, "eva", "", "dc", ""}, logon{9 * day, "ann", "", "dc", ""}, logon{9 * day, "eva", "", "", "web"},
		logon{97 * day, "eva", "", "dc", ""}, logon{100 * day, "ann", "", "dc", ""}, // eva was there 89 days ago, ann 91
		logon{110 * day, "eva", "", "", "web"}, // the host is new again
	)
	var got []string
	for _, f := range found {
		got = append(got, string(f.Title)+" ("+string(f.Reason)+")")
	}
	want := []string{
		"ann used administrator rights on dc for the first time in 90 days (2 accounts have used administrator rights on it within 30 days)",
		"ann used administrator rights on dc for the first time in 90 days (2 accounts have used administrator rights on it within 30 days)",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Rows that lack something, and names of any length, do no harm.
func TestOddRows(t *testing.T) {
	remember(t, state.Limits{})
	long := strings.Repeat("Ä", 5000)
	found := eval(t,
		logon{0, "", "", "dc", ""}, logon{0, "eva", "", "", ""}, logon{0, long, long, long, ""},
		logon{8 * day, long + "x", long, long, ""}, logon{8 * day, "x" + long, long, long, long},
	)
	if len(found) != 1 || len(found[0].Title) > abi.MaxTitleBytes {
		t.Errorf("%d findings", len(found))
	}
}

// Where nothing more can be remembered nothing is new.
func TestFullQuota(t *testing.T) {
	remember(t, state.Limits{Keys: 2})
	found := eval(t, logon{0, "eva", "", "a", ""}, logon{0, "eva", "", "b", ""}, logon{0, "eva", "", "c", ""}, logon{8 * day, "eva", "", "c", ""})
	if len(found) != 0 {
		t.Errorf("%d findings", len(found))
	}
}

func BenchmarkEval(b *testing.B) {
	remember(b, state.Limits{})
	var e abi.RowsEncoder
	const n = 256
	e.Begin(n, 4, 1, int64(8*day))
	for i := range n {
		e.Event(0)
		e.Cell(userName, fmt.Sprint("user", i%20))
		e.Cell(userDomain, "EXAMPLE")
		e.Cell(hostName, fmt.Sprint("host", i%50))
	}
	var buf sdk.Buffers
	buf.Grow(0, 64<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), &buf)
		}
	}
}
