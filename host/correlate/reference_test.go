package correlate

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"pgregory.net/rapid"
)

// shapes are the patterns of the random traces. Windows are a few seconds, and so are the traces.
var shapes = []struct{ name, subs, expr string }{
	{"count", `a: {where: {s: a}, by: [k], having: "count() >= 3", window: 5s}`, ``},
	{"count one", `a: {where: {s: a}, by: [k], having: "count() > 0", window: 5s}`, ``},
	{"distinct", `a: {where: {s: a}, by: [k], having: "distinct(v) >= 3", window: 6s}`, ``},
	{"sequence", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}}`, `a -> b within 4s`},
	{"three", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `a -> b within 4s -> c within 6s`},
	{"same", `a: {where: {s: a}, by: [k]}`, `a -> a within 3s`},
	{"counted", `{a: {where: {s: a}, by: [k], having: "count() >= 3", window: 8s}, b: {where: {s: b}, by: [k]}}`, `a -> b within 6s`},
	{"counted last", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k], having: "distinct(v) > 1", window: 4s}}`, `a -> b within 6s`},
	{"absence", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}}`, `a !-> b within 5s`},
	{"absence latest", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}}`, `latest a !-> b within 5s`},
	{"heartbeat", `a: {where: {s: a}, by: [k]}`, `a !-> a within 3s`},
	{"heartbeat latest", `a: {where: {s: a}, by: [k]}`, `latest a !-> a within 3s`},
	{"chain absence", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `a -> b within 6s !-> c within 4s`},
	{"counted absence", `{a: {where: {s: a}, by: [k], having: "count() >= 2", window: 4s}, b: {where: {s: b}, by: [k]}}`, `a !-> b within 4s`},
}

// trees are patterns that are no chains; conformance/reference knows what they mean.
var trees = []struct{ name, subs, expr string }{
	{"and", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `a and b and c within 5s`},
	{"counted and", `{a: {where: {s: a}, by: [k], having: "count() >= 3", window: 8s}, b: {where: {s: b}, by: [k]}}`, `a and b within 6s`},
	{"or", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `(a or b) -> (c and a within 3s) within 5s`},
	{"and not", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `(a and not b within 2s) -> c within 8s`},
	{"and not before", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}}`, `a and not before b within 5s`},
	{"absence inside", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}, c: {where: {s: c}, by: [k]}}`, `(a !-> b within 3s) and c within 9s`},
	{"sums", `a: {where: {s: a}, by: [k], having: "sum(v) >= 7 and distinct(v) > 1", window: 9s}`, ``},
	{"average", `a: {where: {s: a}, by: [k], having: "avg(v) > 2", window: 6s}`, ``},
	{"ranks", `a: {where: {s: a}, by: [k], having: "percentile(v, 50) >= 2 and distinct(v) != 3", window: 6s, windows: tumbling}`, ``},
	{"session", `{a: {where: {s: a}, by: [k], having: "count() >= 3", window: 9s, windows: session, gap: 2s}, b: {where: {s: b}, by: [k]}}`, `b -> a within 9s`},
	{"first seen", `a: {where: {s: a}, by: [k], first_seen: {fields: [v], within: 10s, learn: 2s}}`, ``},
	{"baseline", `a: {where: {s: a}, by: [k], having: "count() > stat.mean", window: 3s, baseline: {slots: hour, least: 1}}`, ``},
	{"divided", `{a: {where: {s: a}, by: [k, v], having: "count() >= 2", window: 8s}, b: {where: {s: b}, by: [k]}}`, `a -> b within 6s`},
	{"joined", `{a: {where: {s: a}, by: [k]}, b: {where: {s: b}, by: [k]}}`, `join a -> b within 6s`},
	{"peers", `{a: {where: {s: a}, by: [k], having: "count() > stat.mean", window: 3s, baseline: {least: 1, peers: v}}, b: {where: {s: b}, by: [k], having: "sum(v) < stat.mean", window: 2s, baseline: {least: 2, peers: v}}}`, `a or b`},
}

func shapeRule(t testing.TB, i int, lateness time.Duration) *rule.Rule {
	t.Helper()
	sh := append(shapes[:len(shapes):len(shapes)], trees...)[i]
	var b strings.Builder
	fmt.Fprintf(&b, "kind: pattern\nid: r%d\nname: n\nversion: 1.0.0\nseverity: high\nlateness: %s\n", i, lateness)
	subs := sh.subs
	if !strings.HasPrefix(subs, "{") {
		subs = "{" + subs + "}"
	}
	fmt.Fprintf(&b, "subs: %s\n", subs)
	expr, latest := strings.CutPrefix(sh.expr, "latest ")
	expr, joined := strings.CutPrefix(expr, "join ")
	if joined {
		b.WriteString("join: [a.v != b.v]\n")
	}
	if expr != "" {
		fmt.Fprintf(&b, "expr: %q\n", expr)
	}
	if latest {
		b.WriteString("rearm: latest\n")
	}
	b.WriteString("incident: {key: [k], title: \"t {k}\"}\n")
	return parse(t, b.String())
}

func parse(t testing.TB, doc string) *rule.Rule {
	t.Helper()
	r, err := rule.Parse("rule.yaml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// happened is one event of a random trace.
type happened struct {
	at   int64 // ns after the start
	key  string
	subs uint64
	val  string
	pos  int // place in the log
}

// reference finds the firings of one key by looking at all events again and again. It shares the documents' types with
// the machines and nothing else.
type reference struct {
	r      *rule.Rule
	steps  []rule.Node
	within []int64 // of the edge into a step
	absent bool
	latest bool
	ev     []happened // in event-time order
	start  int        // events before it were consumed
}

func newReference(r *rule.Rule) *reference {
	f := &reference{r: r}
	var walk func(n rule.Node)
	walk = func(n rule.Node) {
		switch n := n.(type) {
		case *rule.FollowedBy:
			walk(n.A)
			f.steps, f.within = append(f.steps, n.B), append(f.within, int64(n.Within))
		case *rule.NotFollowedBy:
			walk(n.A)
			f.absent, f.latest = true, n.Latest
			f.steps, f.within = append(f.steps, n.B), append(f.within, int64(n.Within))
		default:
			f.steps, f.within = append(f.steps, n), append(f.within, 0)
		}
	}
	walk(r.Root.Of)
	return f
}

// satisfied: event e satisfies a step by itself or, counted, with the events before it that were not consumed.
func (f *reference) satisfied(n rule.Node, e int) bool {
	switch n := n.(type) {
	case *rule.Match:
		return f.ev[e].subs&(1<<n.Sub) != 0
	case *rule.Aggregate:
		if f.ev[e].subs&(1<<n.Of.Sub) == 0 {
			return false
		}
		count, values := 0, map[string]bool{}
		for i := f.start; i <= e; i++ {
			if f.ev[i].subs&(1<<n.Of.Sub) != 0 && f.ev[e].at-f.ev[i].at <= int64(n.Window) {
				count++
				values[f.ev[i].val] = true
			}
		}
		if n.All[0].Func == rule.Distinct {
			count = len(values)
		}
		return n.All[0].Op == ">=" && float64(count) >= n.All[0].Threshold || n.All[0].Op == ">" && float64(count) > n.All[0].Threshold
	}
	panic("reference: step")
}

// holds: some choice of events ends at e with step i.
func (f *reference) holds(i, e int) bool {
	if !f.satisfied(f.steps[i], e) {
		return false
	}
	if i == 0 {
		return true
	}
	for p := f.start; p < e; p++ {
		if f.ev[e].at-f.ev[p].at <= f.within[i] && f.holds(i-1, p) {
			return true
		}
	}
	return false
}

func (f *reference) run() (times []int64) {
	last := len(f.steps) - 1
	if !f.absent {
		for e := range f.ev {
			if f.holds(last, e) {
				times = append(times, f.ev[e].at)
				f.start = e + 1
			}
		}
		return times
	}
	armed := -1
	for e := range f.ev {
		if armed >= 0 && f.ev[armed].at+f.within[last] < f.ev[e].at {
			times = append(times, f.ev[armed].at+f.within[last])
			armed, f.start = -1, e
		}
		if armed >= 0 && f.satisfied(f.steps[last], e) {
			armed = -1
		}
		if f.holds(last-1, e) && (armed < 0 || f.latest) {
			armed = e
		}
	}
	if armed >= 0 {
		times = append(times, f.ev[armed].at+f.within[last])
	}
	return times
}

const traceStart = int64(1_800_000_000_000_000_000)

// drawTrace makes events of a few keys, distinct in time, sorted by it.
func drawTrace(t *rapid.T) []happened {
	n := rapid.IntRange(1, 60).Draw(t, "events")
	span := rapid.IntRange(n, 300).Draw(t, "span")
	times := rapid.SliceOfNDistinct(rapid.IntRange(0, span), n, n, rapid.ID[int]).Draw(t, "times")
	sort.Ints(times)
	out := make([]happened, n)
	for i := range out {
		out[i] = happened{
			at:   int64(times[i]) * int64(time.Second) / 5,
			key:  string(rune('x' + rapid.IntRange(0, 1).Draw(t, "key"))),
			subs: uint64(rapid.IntRange(1, 7).Draw(t, "subs")),
			val:  string(rune('1' + rapid.IntRange(0, 3).Draw(t, "val"))),
			pos:  i,
		}
	}
	return out
}

// shuffle delays each event by less than lateness and returns the order of arrival.
func shuffle(t *rapid.T, trace []happened, lateness time.Duration) []happened {
	type arrival struct {
		h  happened
		at int64
	}
	in := make([]arrival, len(trace))
	for i, h := range trace {
		in[i] = arrival{h, h.at + rapid.Int64Range(0, int64(lateness)-1).Draw(t, "delay")}
	}
	sort.SliceStable(in, func(i, j int) bool { return in[i].at < in[j].at })
	out := make([]happened, len(in))
	for i := range in {
		out[i] = in[i].h
		out[i].pos = i
	}
	return out
}

// feed plays events into a state in frames, then lets time pass until everything is decided. between runs after each frame.
func feed(s *State, r *rule.Rule, trace []happened, frame int, between func(*State) *State) (out []Firing) {
	seq, now := uint64(0), traceStart
	for len(trace) > 0 {
		n := min(frame, len(trace))
		var metas []SourceTime
		var hits []Hit
		seq++
		for i, h := range trace[:n] {
			ev := &storage.Event{
				ID: storage.EventID{Seq: seq, Record: uint32(i)}, Tenant: 7, Time: traceStart + h.at,
				Fields: []storage.Field{{Name: "k", Value: h.key}, {Name: "v", Value: h.val}, {Name: "user.name", Value: h.val}},
			}
			now = max(now, ev.Time)
			metas = append(metas, SourceTime{7, "src", ev.Time})
			for sub := range r.Subs {
				if h.subs&(1<<sub) != 0 {
					hits = append(hits, Hit{Rule: r, Sub: sub, Event: ev})
				}
			}
		}
		out = append(out, s.Apply(seq, now, metas, hits)...)
		s = between(s)
		trace = trace[n:]
	}
	for range 20 {
		seq++
		now += int64(30 * time.Second)
		out = append(out, s.Tick(seq, now)...)
		s = between(s)
	}
	return out
}

func same(s *State) *State { return s }

func wanted(r *rule.Rule, trace []happened) map[string][]int64 {
	want := map[string][]int64{}
	for _, key := range []string{"x", "y"} {
		f := newReference(r)
		for _, h := range trace {
			if h.key == key {
				f.ev = append(f.ev, h)
			}
		}
		if times := f.run(); len(times) > 0 {
			want[key] = times
		}
	}
	return want
}

func got(firings []Firing) map[string][]int64 {
	out := map[string][]int64{}
	for _, f := range firings {
		out[f.Key[0].Value] = append(out[f.Key[0].Value], f.Time-traceStart)
	}
	return out
}

// TestAgainstReference plays random traces in order: every firing and its time must be the reference's.
func TestAgainstReference(t *testing.T) {
	for i := range shapes {
		t.Run(shapes[i].name, func(t *testing.T) {
			r := shapeRule(t, i, 4*time.Second)
			rapid.Check(t, func(t *rapid.T) {
				trace := drawTrace(t)
				frame := rapid.IntRange(1, 5).Draw(t, "frame")
				have, want := got(feed(New(Limits{}), r, trace, frame, same)), wanted(r, trace)
				if fmt.Sprint(have) != fmt.Sprint(want) {
					t.Fatalf("firings %v, want %v\ntrace %+v", have, want, trace)
				}
			})
		})
	}
}

// TestTreeIsChain has the machine for any expression run what the machine for sequences runs.
func TestTreeIsChain(t *testing.T) {
	const lateness = 4 * time.Second
	for i := range shapes {
		t.Run(shapes[i].name, func(t *testing.T) {
			r := shapeRule(t, i, lateness)
			wide := *r
			root := *r.Root
			root.Of = &rule.Span{Of: r.Root.Of, Within: rule.MaxDuration}
			wide.Root = &root
			if compile(&wide).tree == nil || compile(r).tree != nil || compile(&wide).eager != compile(r).eager {
				t.Fatal("a chain and a tree were meant")
			}
			rapid.Check(t, func(t *rapid.T) {
				trace := shuffle(t, drawTrace(t), lateness)
				want, have := feed(New(Limits{}), r, trace, 2, same), feed(New(Limits{}), &wide, trace, 2, same)
				if fmt.Sprint(brief(have)) != fmt.Sprint(brief(want)) {
					t.Fatalf("firings %v, want %v\n%+v", brief(have), brief(want), trace)
				}
			})
		})
	}
}

// brief is what two machines must say alike of firings.
func brief(list []Firing) (out []string) {
	for i := range list {
		f := &list[i]
		out = append(out, fmt.Sprint(f.Key, f.Time-traceStart, f.Trigger, f.Title))
	}
	return out
}

// TestAnyOrderWithinLateness delays events by less than the lateness: as many firings for each key as in order, and for
// absences, which wait for the watermark, the same times.
func TestAnyOrderWithinLateness(t *testing.T) {
	const lateness = 4 * time.Second
	for i := range shapes {
		t.Run(shapes[i].name, func(t *testing.T) {
			r := shapeRule(t, i, lateness)
			rapid.Check(t, func(t *rapid.T) {
				trace := drawTrace(t)
				late := shuffle(t, trace, lateness)
				have, want := got(feed(New(Limits{}), r, late, 1, same)), wanted(r, trace)
				for _, key := range []string{"x", "y"} {
					if len(have[key]) != len(want[key]) {
						t.Fatalf("key %s: %d firings, want %d\n%v\n%v\ntrace %+v", key, len(have[key]), len(want[key]), have, want, late)
					}
				}
				if _, absence := r.Root.Of.(*rule.NotFollowedBy); absence && fmt.Sprint(have) != fmt.Sprint(want) {
					t.Fatalf("firings %v, want %v", have, want)
				}
			})
		})
	}
}
