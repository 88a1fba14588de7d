package sdks

import (
	"testing"
	"time"

	"github.com/vedette-siem/vedette/conformance/sdks/reference/refkv"
	"github.com/vedette-siem/vedette/host/runtime"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// benchBatch is a batch of 256 ordinary records.
func benchBatch() (in []byte, n int) {
	lines := make([][]byte, 256)
	for i := range lines {
		lines[i] = line(i)
	}
	return recordBatch(lines...), len(lines)
}

// BenchmarkParse is what a record costs in each language, metering, restoring and checking included, beside the same
// source natively. Fuel is the same on every machine.
func BenchmarkParse(b *testing.B) {
	in, n := benchBatch()
	perRecord := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
	}
	b.Run("native", func(b *testing.B) {
		var buf sdk.Buffers
		buf.Grow(0, 320<<10)
		b.ReportAllocs()
		for b.Loop() {
			if s, _ := sdk.RunParser(refkv.Parser, in, &buf); s != abi.StatusOK {
				b.Fatal(s)
			}
		}
		perRecord(b)
	})
	for i := range builds {
		b.Run(builds[i].name, func(b *testing.B) {
			m := builds[i].load(b, newHost(b, runtime.Config{}), "refkv")
			var r runtime.Result
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Parse(b.Context(), in, &r); err != nil {
					b.Fatal(err)
				}
			}
			perRecord(b)
			b.ReportMetric(float64(r.Fuel)/float64(n), "fuel/record")
		})
	}
}

// maxCallAllocations is what the host allocates for a call, whatever is in it: some 6, and more while the
// collector runs. One for each record would be 256.
const maxCallAllocations = 64

// TestNothingIsAllocatedPerRecord: a batch of 256 records costs what a call costs. A guest whose memory has grown would be
// replaced, which allocates; standard Go's collector lets it grow now and then, so that one is only reported.
func TestNothingIsAllocatedPerRecord(t *testing.T) {
	in, n := benchBatch()
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			m := b.load(t, newHost(t, runtime.Config{}), "refkv")
			var r runtime.Result
			got := testing.AllocsPerRun(50, func() {
				if err := m.Parse(t.Context(), in, &r); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%.0f allocations for a batch of %d records", got, n)
			if got > maxCallAllocations && b.name != "go" {
				t.Errorf("%.0f allocations for a batch of %d records, at most %d", got, n, maxCallAllocations)
			}
		})
	}
}

// BenchmarkRatios is BenchmarkParse with all languages taking turns, so that a busy machine hurts them alike: the best
// time of each, and how many times the native one it is.
func BenchmarkRatios(b *testing.B) {
	in, n := benchBatch()
	h := newHost(b, runtime.Config{})
	var r runtime.Result
	var buf sdk.Buffers
	buf.Grow(0, 320<<10)
	names := []string{"native"}
	calls := []func() error{func() error {
		sdk.RunParser(refkv.Parser, in, &buf)
		return nil
	}}
	for i := range builds {
		if builds[i].here() == "" && !builds[i].dist {
			continue
		}
		m := builds[i].load(b, h, "refkv")
		names = append(names, builds[i].name)
		calls = append(calls, func() error { return m.Parse(b.Context(), in, &r) })
	}
	best := make([]time.Duration, len(calls))
	for b.Loop() {
		for i, call := range calls {
			began := time.Now()
			if err := call(); err != nil {
				b.Fatal(err)
			}
			if took := time.Since(began); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	for i, name := range names {
		b.ReportMetric(float64(best[i].Nanoseconds())/float64(n), name+"-ns/record")
		b.ReportMetric(float64(best[i])/float64(best[0]), name+"-ratio")
	}
}
