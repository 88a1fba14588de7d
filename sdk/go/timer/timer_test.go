package timer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

const second = int64(time.Second)

// A rule that waits for what does not come: what it sets in one batch is answered in another, and what a batch sets that
// fails is not.
func TestWaiting(t *testing.T) {
	state.Native = state.New(state.Limits{}, nil)
	defer func() { state.Native = nil }()
	rule := sdk.Rule{Eval: func(r *sdk.Row, f *sdk.Findings) {
		key := r.Get(0)
		if string(r.Get(1)) == "came" {
			if _, err := timer.Cancel(key); err != nil {
				t.Error(err)
			}
			return
		}
		if err := errors.Join(keys.Put(key, r.Ref(), keys.Forever), timer.Set(key, r.LogTime()+10*second)); err != nil {
			t.Error(err)
		}
		if string(r.Get(1)) == "much" {
			for range abi.MaxFindingsPerBatch + 1 {
				f.Add(0, nil, nil, nil)
			}
		}
	}}
	timer.Register(func(x *sdk.Timer, f *sdk.Findings) {
		ref, err := keys.Get(x.Key, make([]byte, 64))
		if err != nil {
			t.Error(err)
		}
		title := fmt.Appendf(nil, "%s is %d s late", x.Key, (x.Now-x.At)/second)
		f.Report(abi.Finding{Severity: abi.SeverityLow, Title: title, Key: append([]byte("a.b="), x.Key...), Evidence: ref})
	})
	buf := (&sdk.Buffers{}).Grow(0, 1<<20)
	eval := func(want abi.Status, rows ...string) {
		t.Helper()
		var e abi.RowsEncoder
		e.BeginRefs(len(rows)/2, 2, 1, second)
		for i := 0; i < len(rows); i += 2 {
			e.Event(0)
			e.Ref(append([]byte{byte(i + 1)}, make([]byte, abi.RefSize-1)...))
			e.Cell(0, rows[i])
			e.Cell(1, rows[i+1])
		}
		if status, _ := sdk.RunRule(rule, e.Bytes(), buf); status != want {
			t.Fatalf("status %d, want %d", status, want)
		}
	}
	eval(abi.StatusOK, "ann", "left", "bob", "left", "bob", "came", "eve", "left")
	eval(abi.StatusOutTooShort, "dan", "much")
	var e abi.DueEncoder
	e.Begin(2, 13*second)
	state.Native.TakeDue(13*second, 9, func(at int64, key string) { e.Timer(at, []byte(key)) })
	status, out := timer.Run(e.Bytes(), buf)
	var got []string
	if err := abi.DecodeTimed(out, 9, func(f abi.Finding) {
		got = append(got, fmt.Sprintf("%d %s %s %d", f.Event, f.Title, f.Key, f.Evidence[0]))
	}); err != nil || status != abi.StatusOK {
		t.Fatal(status, err)
	}
	if want := "[0 ann is 2 s late a.b=ann 1 1 eve is 2 s late a.b=eve 7]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Outside of a batch, and beyond a bound, nothing is set.
func TestRefused(t *testing.T) {
	if _, err := timer.Cancel([]byte("k")); !errors.Is(err, timer.ErrLimit) || !errors.Is(timer.Set([]byte("k"), 1), timer.ErrLimit) {
		t.Error("a timer is set by nobody")
	}
	timer.Register(nil)
	if status, _ := timer.Run(nil, &sdk.Buffers{}); status != abi.StatusBadInput {
		t.Errorf("a rule without timers answers %d", status)
	}
}
