package logs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

func TestParseFilterRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"_time:5m":                              "_time",
		"a or _time:>2026-01-01":                "_time",
		"_time:day_range[08:00, 18:00)":         "_time",
		"_stream_id:" + strings.Repeat("0", 48): "_stream_id",
		"k:in(* | fields k)":                    "subquery",
		"!k:contains_any(x | fields k)":         "subquery",
		"* | stats count()":                     "pipes",
		"a and":                                 "",
		"(a":                                    "",
		"k:~\"(\"":                              "",
	} {
		if _, err := logs.ParseFilter(text); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want one about %q", text, err, want)
		}
	}
	long := `"` + strings.Repeat("a", storage.MaxQueryBytes-2) + `"`
	if _, err := logs.ParseFilter(long); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := logs.ParseFilter(long + " "); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
}

// vocabulary of the differential test: values that meet every way in which logstorage stores a column.
var (
	filterNames  = []string{"source.ip", "event.action", "n", "float", "mixed", "user name", "absent", "when"}
	filterValues = map[string][]string{
		"source.ip":    {"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.0.1", "10.0.0.255"},
		"event.action": {"accept", "deny", "Deny", "deny-all", "login failed", "a_b"},
		"n":            {"0", "1", "22", "443", "8443", "70000"},
		"float":        {"1.5", "2.25", "100.125", "0.5"},
		"mixed":        {"1", "x", "10.0.0.1", "1.5", "été 2026", "5m", "10KB", "-3", "admin"},
		"user name":    {"root", "Administrator", "svc-backup", "k.lind", "été"},
		"absent":       {"x"},
		"when":         {"2026-01-02T03:04:05.678Z", "2026-02-02T03:04:05.000Z"},
	}
	messages = []string{
		"Failed password for root from 10.0.0.1 port 22 ssh2", "Accepted publickey for k.lind", "session opened; uid=0", "error: ERROR Error",
		"GET /index.html?x=1 HTTP/1.1", "été à la plage", "connection_reset by peer 443", "a-b-c", "[kernel] usb 1-1: new device",
	}
)

func variedEvents(r *rand.Rand, n int) (events []storage.Event) {
	for i := range n {
		e := storagetest.Event(1+uint64(i), uint32(i), 1, time.Now().Add(-time.Duration(i)*time.Second), messages[r.IntN(len(messages))])
		for _, name := range filterNames {
			if values := filterValues[name]; name != "absent" && r.IntN(4) > 0 {
				e.Fields = append(e.Fields, storage.Field{Name: name, Value: values[r.IntN(len(values))]})
			}
		}
		e.Stream = []string{"linux.auth", "nginx.access", "other"}[r.IntN(3)]
		events = append(events, e)
	}
	return events
}

// leaf returns a filter on one field, of every kind that the language has.
func leaf(r *rand.Rand) string {
	name := filterNames[r.IntN(len(filterNames))]
	values := filterValues[name]
	value := func() string { return strconv.Quote(values[r.IntN(len(values))]) }
	word := func() string {
		words := strings.FieldsFunc(messages[r.IntN(len(messages))], func(c rune) bool { return c == ' ' || c == ';' })
		return words[r.IntN(len(words))]
	}
	field := strconv.Quote(name) + ":"
	number := func() string { return []string{"0", "1", "1.5", "22", "100", "443", "8000", "-5", "5KB"}[r.IntN(9)] }
	switch r.IntN(22) {
	case 0:
		return strconv.Quote(word())
	case 1:
		w := []rune(word())
		return strconv.Quote(string(w[:1+r.IntN(len(w))])) + "*"
	case 2:
		return strconv.Quote(word() + " " + word())
	case 3:
		return "i(" + strconv.Quote(strings.ToUpper(word())) + ")"
	case 4:
		return "~" + strconv.Quote([]string{"fail.*root", "(?i)error", "^GET", "[0-9]+$", "uid=\\d"}[r.IntN(5)])
	case 5:
		return field + value()
	case 6:
		return field + "=" + value()
	case 7:
		v := []rune(values[r.IntN(len(values))])
		return field + "=" + strconv.Quote(string(v[:1+r.IntN(len(v))])) + "*"
	case 8:
		return field + "in(" + value() + "," + value() + ")"
	case 9:
		return field + "*"
	case 10:
		return field + `""`
	case 11:
		return field + "range(" + number() + ", " + number() + "]"
	case 12:
		return field + []string{">", ">=", "<", "<="}[r.IntN(4)] + number()
	case 13:
		return field + []string{"ipv4_range(10.0.0.0/24)", "ipv4_range(10.0.0.2, 10.0.1.9)", "ipv4_range(192.168.0.1)"}[r.IntN(3)]
	case 14:
		return field + "~" + strconv.Quote([]string{"^10\\.0", "de?ny", "[A-Z]", "5$", "."}[r.IntN(5)])
	case 15:
		return field + "i(" + value() + ")"
	case 16:
		return field + "contains_any(" + value() + "," + value() + ")"
	case 17:
		return "seq(" + strconv.Quote(word()) + "," + strconv.Quote(word()) + ")"
	case 18:
		return field + "len_range(2, 5)"
	case 19:
		return field + "string_range(" + value() + ", z)"
	case 20:
		return []string{`event.dataset:=linux.auth`, `{event.dataset="nginx.access"}`, `{event.dataset=~"linux.+|other"}`, `event.dataset:nginx*`}[r.IntN(4)]
	}
	return []string{`vedette.seq:range[10, 200]`, `vedette.id:="7-0-1-6-0"`, `"source.ip":eq_field(mixed)`, `vedette.received:*`, `*`}[r.IntN(5)]
}

func randomFilter(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(3) == 0 {
		return leaf(r)
	}
	a, b := randomFilter(r, depth-1), randomFilter(r, depth-1)
	switch r.IntN(5) {
	case 0:
		return a + " " + b
	case 1:
		return "(" + a + " or " + b + ")"
	case 2:
		return "!(" + a + ")"
	case 3:
		return "not " + a + " and (" + b + ")"
	}
	return a + " AND (" + b + " OR " + a + ")"
}

// A filter matches in memory exactly what the store finds.
func TestFilterEqualsSearch(t *testing.T) {
	s := open(t, logs.Config{})
	r := rand.New(rand.NewPCG(7, 8))
	events := variedEvents(r, 500)
	for i := range events {
		storage.Canonical(&events[i])
	}
	for portion := range slices.Chunk(events, 100) { // different blocks give columns different types
		storagetest.Put(t, s, slices.Clone(portion)...)
	}
	hits := make([]bool, len(events))
	matched, filters := 0, 1000
	for range filters {
		text := randomFilter(r, 2)
		f, err := logs.ParseFilter(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		f.MatchAll(events, hits)
		want := map[storage.EventID]bool{}
		for _, row := range storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{Text: text}) {
			want[row.ID] = true
		}
		for i := range events {
			if hits[i] {
				matched++
			}
			if hits[i] != want[events[i].ID] {
				t.Fatalf("%s: in memory %v, in the store %v: %q %v", text, hits[i], want[events[i].ID], events[i].Raw, events[i].Fields)
			}
		}
	}
	if share := float64(matched) / float64(filters*len(events)); share < 0.1 || share > 0.9 {
		t.Fatalf("filters match %.2f of the events: the test says little", share)
	}
}

func TestFilterQueriesNothing(t *testing.T) {
	s := open(t, logs.Config{})
	before := s.Stats().Queries
	f, err := logs.ParseFilter(`failed source.ip:=10.0.0.1`)
	if err != nil {
		t.Fatal(err)
	}
	e := storagetest.Event(1, 0, 1, time.Now(), "it failed", "source.ip", "10.0.0.1")
	if !f.Match(&e) || s.Stats().Queries != before {
		t.Fatalf("match %v, %d queries", f.Match(&e), s.Stats().Queries-before)
	}
}

func TestFilterHammer(t *testing.T) {
	f, err := logs.ParseFilter(`n:>10 or deny or "source.ip":ipv4_range(10.0.0.0/24)`)
	if err != nil {
		t.Fatal(err)
	}
	events := variedEvents(rand.New(rand.NewPCG(1, 1)), 2*logs.MaxFilterBatch+1)
	want := make([]bool, len(events))
	f.MatchAll(events, want)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			hits := make([]bool, len(events))
			for range 5 {
				if f.MatchAll(events, hits); !slices.Equal(hits, want) {
					t.Error("another answer")
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParseFilter(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		f.Add(randomFilter(r, 2))
	}
	f.Add("_time:5m")
	events := variedEvents(r, 20)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := logs.ParseFilter(text)
		if err != nil {
			if !errors.Is(err, storage.ErrInvalid) && !errors.Is(err, storage.ErrExhausted) {
				t.Fatal(err)
			}
			return
		}
		filter.MatchAll(events, make([]bool, len(events)))
	})
}

func BenchmarkFilter(b *testing.B) {
	events := make([]storage.Event, 500)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range events {
		events[i] = storagetest.Firewall(r, 1, uint32(i), 1, time.Now())
	}
	for _, text := range []string{"", "denied", "event.action:=deny", `event.action:=deny destination.port:in(22, 3389) !source.ip:ipv4_range(10.0.0.0/24)`} {
		f, err := logs.ParseFilter(text)
		if err != nil {
			b.Fatal(err)
		}
		hits := make([]bool, len(events))
		b.Run(fmt.Sprintf("batch/%.20s", text), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.MatchAll(events, hits)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
		})
		b.Run(fmt.Sprintf("single/%.20s", text), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Match(&events[0])
			}
		})
	}
}
