package logs_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

// frames returns realistic frames whose events are of many tenants in turn, or of one tenant per frame.
func frames(n, perFrame, tenants int, interleaved bool) [][]storage.Event {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([][]storage.Event, n)
	for seq := range all {
		for i := range perFrame {
			tenant := storage.Tenant(1 + seq%tenants)
			if interleaved {
				tenant = storage.Tenant(1 + (seq*perFrame+i)%tenants)
			}
			all[seq] = append(all[seq], storagetest.Firewall(r, uint64(seq+1), uint32(i), tenant, time.Now()))
		}
	}
	return all
}

// BenchmarkAppend is the cost of Append alone: rows are handed over outside the measured time.
func BenchmarkAppend(b *testing.B) {
	s := open(b, logs.Config{GroupDelay: time.Hour})
	const perFrame = 500
	all := frames(20, perFrame, 2, false)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Append(b.Context(), uint64(i), all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
		if i%20 == 19 {
			b.StopTimer()
			if err := s.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perFrame), "ns/event")
}

// BenchmarkStore is everything: CPU of the process per row until all rows are on disk, for one tenant, for 200 tenants
// whose events come in runs, and for 200 whose events are mixed.
func BenchmarkStore(b *testing.B) {
	for _, c := range []struct {
		name        string
		tenants     int
		interleaved bool
		perAppend   int
		delay       time.Duration
	}{
		{"tenants=1", 1, false, 500, 0},
		{"tenants=200/runs", 200, false, 500, 0},
		{"tenants=200/mixed", 200, true, 500, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			all := frames(200, c.perAppend, c.tenants, c.interleaved)
			rows := 0
			var cpu time.Duration
			var disk uint64
			for b.Loop() {
				cfg := logs.Config{Dir: b.TempDir(), GroupDelay: c.delay}
				s, err := logs.Open(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				before := cpuTime()
				for i, events := range all {
					if err := s.Append(b.Context(), uint64(i), events); err != nil {
						b.Fatal(err)
					}
					rows += len(events)
				}
				if _, err := s.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				cpu += cpuTime() - before
				if s, err = logs.Open(b.Context(), cfg); err != nil {
					b.Fatal(err)
				}
				disk += s.Stats().DiskBytes
				if _, err := s.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(rows), "cpu-us/row")
			b.ReportMetric(float64(disk)/float64(rows), "disk-B/row")
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkLibrary is what BenchmarkStore is measured against: logstorage given the same rows in the order they come.
func BenchmarkLibrary(b *testing.B) {
	open(b, logs.Config{}) // sets the library's flags
	for _, interleaved := range []bool{false, true} {
		b.Run(fmt.Sprintf("tenants=200/mixed=%v", interleaved), func(b *testing.B) {
			all := frames(200, 500, 200, interleaved)
			rows := 0
			before := cpuTime()
			for b.Loop() {
				db := logstorage.MustOpenStorage(filepath.Join(b.TempDir(), "db"), &logstorage.StorageConfig{Retention: 1000 * time.Hour, FlushInterval: time.Second})
				lr := logstorage.GetLogRows([]string{storage.FieldDataset}, nil, nil, nil, "")
				var fields []logstorage.Field
				for _, events := range all {
					for i := range events {
						e := &events[i]
						fields = append(fields[:0], logstorage.Field{Name: storage.FieldDataset, Value: e.Stream}, logstorage.Field{Name: "_msg", Value: e.Raw},
							logstorage.Field{Name: storage.FieldID, Value: e.ID.String()}, logstorage.Field{Name: storage.FieldSeq, Value: strconv.FormatUint(e.ID.Seq, 10)},
							logstorage.Field{Name: storage.FieldReceived, Value: time.Unix(0, e.Received).UTC().Format(time.RFC3339Nano)})
						for _, f := range e.Fields {
							fields = append(fields, logstorage.Field(f))
						}
						lr.MustAdd(logstorage.TenantID{AccountID: uint32(e.Tenant)}, e.Time, fields, nil)
					}
					db.MustAddRows(lr)
					lr.ResetKeepSettings()
					rows += len(events)
				}
				logstorage.PutLogRows(lr)
				db.MustClose()
			}
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(rows), "cpu-us/row")
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSearch is the time to answer over 200,000 rows of an hour.
func BenchmarkSearch(b *testing.B) {
	s := open(b, logs.Config{})
	r := rand.New(rand.NewPCG(1, 1))
	start := time.Now().Add(-time.Hour)
	const n = 200_000
	for seq := uint64(0); seq < n/500; seq++ {
		var events []storage.Event
		for i := range 500 {
			at := start.Add(time.Duration(int(seq)*500+i) * time.Hour / n)
			events = append(events, storagetest.Firewall(r, seq, uint32(i), storage.Tenant(1+seq%2), at))
		}
		if err := s.Append(b.Context(), seq, events); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, q := range []logs.Query{
		{Limit: 100},
		{Text: "nosuchword", Limit: 100},
		{Text: "event.action:=deny", Limit: 100},
		{Text: "event.action:=deny", Limit: 5000},
		{Text: "* | top 10 by (source.ip)"},
		{Text: `source.ip:=10.1.0.7`, Limit: 100},
	} {
		b.Run(fmt.Sprintf("%s/limit=%d", q.Text, q.Limit), func(b *testing.B) {
			for b.Loop() {
				storagetest.Search(b, s, storagetest.Analyst(1), q)
			}
		})
	}
}
