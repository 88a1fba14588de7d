package reference

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestSharesNothing: an oracle that used what it judges would agree with its faults.
func TestSharesNothing(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, "vedette") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}

// tally is what happened in a pair: enough of it must, to show anything.
type tally struct{ fired, special int }

// runPairs compares pairs of what is drawn by a seed; compare returns how the pair reads and what happened in it.
// VEDETTE_PAIRS is how many for a share of 1, VEDETTE_SEED repeats a run; each pair prints the seed that repeats it
// alone.
func runPairs(t *testing.T, share int, compare func(seed uint64) (string, tally, error)) {
	pairs, seed, only := 4_000, uint64(20261122), false
	if n, err := strconv.Atoi(os.Getenv("VEDETTE_PAIRS")); err == nil {
		pairs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("VEDETTE_SEED"), 10, 64); err == nil {
		seed, only = n, os.Getenv("VEDETTE_PAIRS") == ""
	}
	if pairs /= share; only {
		pairs = 1
	}
	var next, fired, special atomic.Int64
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for !t.Failed() {
				i := next.Add(1) - 1
				if i >= int64(pairs) {
					return
				}
				text, n, err := compare(seed + uint64(i))
				if err != nil {
					t.Errorf("VEDETTE_SEED=%d: %v\n%s", seed+uint64(i), err, text)
					return
				}
				fired.Add(int64(n.fired))
				special.Add(int64(n.special))
			}
		})
	}
	wait.Wait()
	t.Logf("%d pairs from seed %d: %d firings, %d special", pairs, seed, fired.Load(), special.Load())
	if !t.Failed() && pairs > 1 && (fired.Load() < int64(pairs)/4 || special.Load() < int64(pairs)/8) {
		t.Error("too little happened to show anything")
	}
}

// TestAgainstTheEngine draws rules and logs, and has both say what fires: in order, in another order within lateness, and
// with the engine's state written and read again on the way.
func TestAgainstTheEngine(t *testing.T) {
	runPairs(t, 1, func(seed uint64) (string, tally, error) {
		p := pair{seed: seed}
		err := p.compare()
		n := tally{fired: p.fired}
		if p.settled {
			n.special = 1
		}
		return fmt.Sprintf("%s\nlog %s\nas it came %s", p.text, show(p.log), show(p.late)), n, err
	})
}

// pair is a rule and a log.
type pair struct {
	seed    uint64
	text    string
	log     []Event
	late    []Event
	fired   int
	settled bool
}

func (p *pair) compare() error {
	d := &drawing{Rand: rand.New(rand.NewPCG(p.seed, 1))}
	p.text, p.log = d.document("drawn"), d.log()
	const lateness = 4 * second
	p.late = d.shuffled(p.log, lateness)
	literal, err := Parse([]byte(p.text))
	if err != nil {
		return fmt.Errorf("the reference cannot read it: %w", err)
	}
	fast, err := rule.Parse("drawn.yaml", []byte(p.text))
	if err != nil {
		return fmt.Errorf("the parser refuses it: %w", err)
	}
	p.settled = !eagerly(fast)
	want := literal.Run(p.log)
	p.fired = len(want)
	have, err := run(fast, p.text, p.log, d, false)
	if err != nil {
		return err
	}
	if a, b := describeAll(have, true), describeAll(want, true); a != b {
		return fmt.Errorf("in order it fired\n%swant\n%s", a, b)
	}
	have, err = run(fast, p.text, p.late, d, true)
	if err != nil {
		return err
	}
	want = literal.Run(p.late)
	if a, b := describeAll(have, p.settled), describeAll(want, p.settled); a != b {
		return fmt.Errorf("out of order it fired\n%swant\n%s", a, b)
	}
	return nil
}

// eagerly tells the two kinds of rules of section 2 apart.
func eagerly(r *rule.Rule) bool {
	var walk func(rule.Node) bool
	walk = func(n rule.Node) bool {
		switch n := n.(type) {
		case *rule.Match:
			return true
		case *rule.Aggregate:
			return n.Eager()
		case *rule.FollowedBy:
			return walk(n.A) && walk(n.B)
		case *rule.And:
			for _, x := range n.Of {
				if !walk(x) {
					return false
				}
			}
			return true
		case *rule.Or:
			for _, x := range n.Of {
				if !walk(x) {
					return false
				}
			}
			return true
		case *rule.Span:
			return walk(n.Of)
		case *rule.Join:
			return walk(n.Of)
		}
		return false
	}
	return walk(r.Root.Of)
}

// run plays a log into the engine in small frames. broken writes its state and reads it again now and then.
func run(r *rule.Rule, text string, log []Event, d *drawing, broken bool) (out []Firing, err error) {
	match, err := detect.Matcher(r)
	if err != nil {
		return nil, err
	}
	s := correlate.New(correlate.Limits{})
	seq, now := uint64(0), start
	take := func(fs []correlate.Firing) {
		for _, f := range fs {
			var key []string
			for _, k := range f.Key {
				key = append(key, k.Value)
			}
			out = append(out, Firing{Key: strings.Join(key, "|"), Time: f.Time, Pos: int(f.Trigger.Record), Says: "[" + f.Title + "] " + evidence(&f)})
		}
	}
	for len(log) > 0 {
		n := min(1+d.IntN(4), len(log))
		var metas []correlate.SourceTime
		var hits []correlate.Hit
		seq++
		for i := range log[:n] {
			ev := stored(&log[i], seq)
			now = max(now, ev.Time)
			metas = append(metas, correlate.SourceTime{Tenant: ev.Tenant, Source: "src", Time: ev.Time})
			for _, sub := range match(ev) {
				hits = append(hits, correlate.Hit{Rule: r, Sub: sub, Event: ev})
			}
		}
		take(s.Apply(seq, now, metas, hits))
		log = log[n:]
		if broken && d.chance(20) {
			if s, err = correlate.Restore(bytes.NewReader(s.Append(nil)), correlate.Limits{}, func(storage.Tenant, string) *rule.Rule { return r }); err != nil {
				return nil, err
			}
		}
	}
	for range 30 {
		seq++
		now += int64(30 * time.Second)
		take(s.Tick(seq, now))
	}
	if st := s.Stats(); st.Forced+st.Evicted > 0 {
		return nil, errors.New("a bound was hit, which the reference does not have")
	}
	if n := s.Stats().Keys; n > 0 && !strings.Contains(text, "first_seen") && !strings.Contains(text, "baseline") {
		return nil, fmt.Errorf("%d keys are remembered after a long silence", n)
	}
	return out, nil
}

// evidence writes the events behind a firing as the reference does.
func evidence(f *correlate.Firing) string {
	var out []string
	for _, e := range f.Evidence {
		out = append(out, fmt.Sprint(e.Sub, ":", e.ID.Record))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func stored(ev *Event, seq uint64) *storage.Event {
	out := &storage.Event{ID: storage.EventID{Seq: seq, Record: uint32(ev.Pos)}, Tenant: 7, Time: ev.Time}
	for name, v := range ev.Fields {
		out.Fields = append(out.Fields, storage.Field{Name: name, Value: v})
	}
	sort.Slice(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
	return out
}

// describeAll lists firings: how often for each key, and with times also when, and after which event, if one completed it.
func describeAll(fs []Firing, times bool) string {
	var lines []string
	for _, f := range fs {
		if times {
			lines = append(lines, fmt.Sprintf("  %s at %v by %d: %s\n", f.Key, time.Duration(f.Time-start), f.Pos, f.Says))
		} else {
			lines = append(lines, "  "+f.Key+"\n")
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

func show(log []Event) string {
	var b strings.Builder
	for _, ev := range log {
		fmt.Fprintf(&b, "\n  %d %v %v", ev.Pos, time.Duration(ev.Time-start), ev.Fields)
	}
	return b.String()
}
