package api

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

func TestErrorsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		err  error
		want connect.Code
	}{
		{storage.ErrUnauthorized, connect.CodeUnauthenticated},
		{storage.ErrForbidden, connect.CodePermissionDenied},
		{storage.ErrNotFound, connect.CodeNotFound},
		{storage.ErrConflict, connect.CodeAborted},
		{storage.ErrExhausted, connect.CodeResourceExhausted},
		{storage.ErrUnavailable, connect.CodeUnavailable},
		{storage.ErrInvalid, connect.CodeInvalidArgument},
		{context.Canceled, connect.CodeCanceled},
		{context.DeadlineExceeded, connect.CodeDeadlineExceeded},
		{connect.NewError(connect.CodeOutOfRange, errors.New("x")), connect.CodeOutOfRange},
		{errors.New("disk /dev/sda1 on fire"), connect.CodeInternal},
	} {
		if got := code(fmt.Errorf("doing: %w", c.err)); got != c.want {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
	}
}

// What went wrong inside stays inside, and is reported once.
func TestInternalErrorsAreNotTold(t *testing.T) {
	var reported []error
	m := errorMapper{report: func(err error) { reported = append(reported, err) }}
	err := m.wire("/x", errors.New("disk /dev/sda1 on fire"))
	if strings.Contains(err.Error(), "sda1") || len(reported) != 1 || !strings.Contains(reported[0].Error(), "sda1") {
		t.Errorf("told %v, reported %v", err, reported)
	}
	if err := m.wire("/x", fmt.Errorf("search: no such field: %w", storage.ErrInvalid)); err.Error() != "invalid_argument: search: no such field" || len(reported) != 1 {
		t.Errorf("told %v, reported %v", err, reported)
	}
}

func TestNarrow(t *testing.T) {
	p := storage.Principal{User: "ann", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{2, 5}}
	for _, c := range []struct {
		on   []uint32
		want string
		err  error
	}{
		{nil, "[2 5]", nil},
		{[]uint32{5, 5}, "[5]", nil},
		{[]uint32{5, 2}, "[2 5]", nil},
		{[]uint32{2, 3}, "", storage.ErrForbidden},
		{[]uint32{0}, "", storage.ErrForbidden},
		{make([]uint32, MaxRequestedTenants+1), "", storage.ErrExhausted},
	} {
		got, err := Narrow(p, tenant.ReadEvents, c.on)
		if !errors.Is(err, c.err) || err == nil && fmt.Sprint(got.Tenants) != c.want {
			t.Errorf("%v: %v, %v", c.on, got.Tenants, err)
		}
	}
	if _, err := Narrow(p, tenant.ManageTokens, nil); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("an action that an analyst may not do: %v", err)
	}
}

func TestSteps(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, 100 * time.Second: time.Second, 101 * time.Second: 2 * time.Second, time.Hour: time.Minute,
		24 * time.Hour: 15 * time.Minute, 90 * 24 * time.Hour: 24 * time.Hour, 365 * 24 * time.Hour: 96 * time.Hour,
	} {
		if got := stepFor(d); got != want || d > got*SearchBuckets {
			t.Errorf("%v has steps of %v, want %v", d, got, want)
		}
	}
}

// Rows leave in portions that a message holds.
func TestPortions(t *testing.T) {
	rows := make([]logs.Row, 2*MaxPortionRows+1)
	for i := range 3 {
		rows[i].Raw = strings.Repeat("x", MaxPortionBytes/2)
	}
	var sizes []int
	err := sendRows(rows, func(m *v1.SearchResponse) error { sizes = append(sizes, len(m.Events)); return nil })
	if err != nil || fmt.Sprint(sizes) != fmt.Sprintf("[3 %d %d]", MaxPortionRows, MaxPortionRows-2) {
		t.Errorf("portions of %v, %v", sizes, err)
	}
	boom := errors.New("gone")
	if err := sendRows(rows, func(*v1.SearchResponse) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("a reader that is gone: %v", err)
	}
}

// script is a series of samples, a second apart.
func script(events ...uint64) *vitals {
	v := &vitals{}
	for i, n := range events {
		s := sample{at: time.Unix(int64(i), 0), events: n, cpu: int64(n) * 50_000, stages: []pipeline.StageCost{
			{Stage: pipeline.StageParse, CPUNs: int64(n) * 20_000}, {Stage: pipeline.StageStore, CPUNs: int64(n) * 10_000},
		}}
		if i == 0 {
			v.first, v.ring = s, []sample{s}
		} else {
			v.add(s)
		}
	}
	return v
}

func TestVitals(t *testing.T) {
	if v := script(0); v.rate() != 0 || v.costs() != nil {
		t.Errorf("at the start: %v events/s, %v", v.rate(), v.costs())
	}
	if v := script(0, 999); v.rate() != 999 || v.costs() != nil {
		t.Errorf("before %d events: %v events/s, %v", costEvents, v.rate(), v.costs())
	}
	var steady []uint64
	for i := range 200 {
		steady = append(steady, uint64(i)*100)
	}
	v := script(steady...)
	if v.rate() != 100 || len(v.ring) != costWindow+1 {
		t.Errorf("%v events/s with %d samples", v.rate(), len(v.ring))
	}
	costs := v.costs()
	perSecond, slowest := sustainable(costs)
	// At 100 events/s the 20 µs beside the stages are less than a twentieth of the machine: they count as fixed.
	if want := float64(runtime.GOMAXPROCS(0)) / 30e-6; len(costs) != 3 || costs[2].perItem != 20*time.Microsecond || perSecond != want || slowest != "parse" {
		t.Errorf("%v, %v events/s, slowest %s, want %v and parse", costs, perSecond, slowest, want)
	}
}

func TestProcessFigures(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux tells")
		return
	}
	if residentBytes() < 1<<20 {
		t.Errorf("%d bytes resident", residentBytes())
	}
	for deadline := time.Now().Add(10 * time.Second); processCPU() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no CPU time after ten seconds of using it")
		}
	}
}
