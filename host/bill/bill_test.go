package bill

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

const minute = meta.UsageMinute

func used(pairs ...int64) (u storage.Used) {
	for i := 0; i < len(pairs); i += 2 {
		u[pairs[i]] = pairs[i+1]
	}
	return u
}

func module(t storage.Tenant, name string) storage.Consumer {
	return storage.Consumer{Tenant: t, Module: name}
}

// The ledger writes absolute values of what has changed, closes a minute when the next begins, and goes on after a
// restart where it was.
func TestLedger(t *testing.T) {
	l := NewLedger(nil, storage.CostRow{})
	start := [storage.Costs]int64{storage.CostProcess: 7}
	l.Spend(&start) // before the first minute
	early := used(int64(storage.Requests), 1)
	l.Add(module(2, "p/poller"), &early)
	if rows, costs := l.Take(); rows != nil || costs != nil {
		t.Errorf("before the first minute: %v %v", rows, costs)
	}
	l.Advance(5*minute + 1)
	one, own := used(int64(storage.Fuel), 10), used(int64(storage.BytesIn), 100, int64(storage.Stored), 2)
	l.Add(module(1, "p/x"), &one)
	if got := l.Add(module(1, "p/x"), &one); got[storage.Fuel] != 20 {
		t.Errorf("in this minute: %d", got[storage.Fuel])
	}
	l.Add(module(1, ""), &own)
	rows, costs := l.Take()
	want := []storage.CostRow{{At: 5 * minute, Span: minute, Spent: [storage.Costs]int64{
		storage.CostProcess: 7, storage.TotalFuel: 20, storage.TotalBytesIn: 100, storage.TotalStored: 2,
	}}}
	if diff := gocmp.Diff(want, costs); diff != "" || len(rows) != 3 {
		t.Errorf("%d rows, costs (-want +got):\n%s", len(rows), diff)
	}
	if rows, costs := l.Take(); rows != nil || costs != nil {
		t.Errorf("nothing has changed: %v %v", rows, costs)
	}

	l = NewLedger(rows, costs[0])
	if l.Ends(5*minute+59) || !l.Ends(6*minute) {
		t.Error("the minute ends when the next begins")
	}
	l.Add(module(1, "p/x"), &one)
	l.Advance(7 * minute)
	l.Add(module(2, "p/x"), &one)
	l.Add(module(3, "p/x"), &one)
	l.Forget(3)
	rows, costs = l.Take()
	if len(rows) != 2 || rows[0].At != 5*minute || rows[0].Used[storage.Fuel] != 30 || rows[1].At != 7*minute || rows[1].Tenant != 2 || len(costs) != 2 {
		t.Errorf("after a restart: %v %v", rows, costs)
	}
	l.Add(module(3, "p/x"), &one)
	l.Advance(8 * minute)
	l.Forget(3)
	if rows, _ := l.Take(); len(rows) != 0 {
		t.Errorf("of an organization that is gone: %v", rows)
	}
}

// What is shared and what is the host's adds up to what the process spent, whatever the rows are.
func TestABillAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLedger(nil, storage.CostRow{})
		var rows []storage.UsageRow
		var costs []storage.CostRow
		n := func(name string) int64 { return rapid.Int64Range(0, 1<<40).Draw(t, name) }
		spent := int64(0)
		for at := range int64(3) {
			l.Advance((at + 1) * minute)
			var c [storage.Costs]int64
			for i := storage.CostModules; i <= storage.CostIncident; i++ {
				c[i] = n(i.String())
				c[storage.CostProcess] += c[i]
			}
			c[storage.CostProcess] += n("rest")
			c[storage.CostFuel] = n("fuel")
			spent += c[storage.CostProcess]
			l.Spend(&c)
			for tenant := range storage.Tenant(3) {
				for _, name := range []string{"", "p/x", "p/y"} {
					u := used(int64(storage.Fuel), n("of"), int64(storage.BytesIn), n("bytes"), int64(storage.Stored), n("stored"))
					l.Add(module(tenant+1, name), &u)
				}
			}
			r, c2 := l.Take()
			rows, costs = append(rows, r...), append(costs, c2...)
		}
		for _, by := range []Group{{}, {Tenant: true}, {Step: true}} {
			b, err := New(minute, 4*minute, minute, by, costs)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := b.Add(&rows[i]); err != nil {
					t.Fatal(err)
				}
			}
			b.Sort()
			var lines, series, process, shared int64
			for _, x := range b.Lines {
				lines += x.CPU
				for _, v := range x.Series {
					series += v
				}
			}
			for i := range b.Process {
				process, shared = process+b.Process[i], shared+b.Shared[i]
			}
			if process != spent || lines != series && !by.Step || lines > process || math.Abs(float64(lines-shared)) > 1000 {
				t.Fatalf("lines %d, their series %d, shared %d, process %d of %d", lines, series, shared, process, spent)
			}
			if !slices.IsSortedFunc(b.Lines, func(x, y Line) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(y.CPU, x.CPU)) }) {
				t.Fatal("the lines are in no order")
			}
		}
	})
}

func TestLinesOfOrganizations(t *testing.T) {
	b, err := New(0, minute, minute, Group{Tenant: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []storage.UsageRow{
		{Consumer: module(1, ""), Used: used(int64(storage.Records), 10, int64(storage.BytesIn), 50, int64(storage.Findings), 1, int64(storage.Stored), 11)},
		{Consumer: module(1, "p/x"), Used: used(int64(storage.Records), 10, int64(storage.BytesIn), 50, int64(storage.Findings), 4, int64(storage.Fuel), 9)},
		{Consumer: module(1, "p/y"), Used: used(int64(storage.Records), 3, int64(storage.Fuel), 1)},
	} {
		if err := b.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	want := used(int64(storage.Records), 10, int64(storage.BytesIn), 50, int64(storage.Findings), 1, int64(storage.Stored), 11, int64(storage.Fuel), 10)
	if len(b.Lines) != 1 || b.Lines[0].Used != want || b.Lines[0].Module != "" {
		t.Errorf("%v", b.Lines)
	}
}

func TestBillLimits(t *testing.T) {
	for _, c := range []struct {
		from, to, step int64
		want           error
	}{
		{0, MaxSteps * minute, minute, nil},
		{0, (MaxSteps + 1) * minute, minute, storage.ErrExhausted},
		{1, minute, minute, storage.ErrInvalid},
		{minute, minute, minute, storage.ErrInvalid},
		{0, minute, 0, storage.ErrInvalid},
		{0, minute + 1, minute, storage.ErrInvalid},
	} {
		if _, err := New(c.from, c.to, c.step, Group{}, nil); !errors.Is(err, c.want) {
			t.Errorf("%d to %d by %d: %v, want %v", c.from, c.to, c.step, err, c.want)
		}
	}
	for _, steps := range []int64{1, 400} {
		b, err := New(0, steps*minute, minute, Group{}, nil)
		for n := 0; err == nil; n++ {
			if n > MaxLines || int64(n)*steps > MaxCells {
				t.Fatalf("%d lines of %d steps", n, steps)
			}
			err = b.Add(&storage.UsageRow{Consumer: module(storage.Tenant(n), "")})
		}
		if !errors.Is(err, storage.ErrExhausted) {
			t.Error(err)
		}
	}
	b, err := New(0, minute, minute, Group{Step: true}, nil)
	for n := 0; err == nil && n <= MaxStepLines; n++ {
		err = b.Add(&storage.UsageRow{Consumer: module(storage.Tenant(n), "")})
	}
	if !errors.Is(err, storage.ErrExhausted) || len(b.Lines) != MaxStepLines {
		t.Errorf("%d lines by step: %v", len(b.Lines), err)
	}
}

func TestResolution(t *testing.T) {
	newest := 1000 * meta.UsageDay
	for _, c := range []struct{ ago, want int64 }{
		{int64(meta.KeepUsageMinutes), meta.UsageMinute},
		{int64(meta.KeepUsageMinutes) + 1, meta.UsageHour},
		{int64(meta.KeepUsageHours), meta.UsageHour},
		{int64(meta.KeepUsageHours) + 1, meta.UsageDay},
	} {
		if got := Resolution(newest-c.ago, newest); got != c.want {
			t.Errorf("%d ago: %d, want %d", c.ago, got, c.want)
		}
	}
}
