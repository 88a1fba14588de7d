package reference

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/incident"
	watched "github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// TestWorldsAgainstTheEngine has rules look at each other's firings and at lists that change, by hand and by what fires, and
// end incidents, over several sources and two organizations: what fires at each message of the log, what it says and
// writes, and the incidents that come of it must be the reference's. VEDETTE_PAIRS and VEDETTE_SEED are as in
// TestAgainstTheEngine.
func TestWorldsAgainstTheEngine(t *testing.T) {
	runPairs(t, 16, func(seed uint64) (string, tally, error) {
		w := &drawnWorld{drawing: &drawing{Rand: rand.New(rand.NewPCG(seed, 2)), world: true}}
		err := w.compare()
		return w.show(), tally{w.fired, w.cleared}, err
	})
}

type drawnWorld struct {
	*drawing
	texts          []string
	steps          []worldStep
	told           [2]string // by organization
	fired, cleared int
}

// worldStep is a message of the log: the events of one frame are of two organizations.
type worldStep struct {
	Step
	of []storage.Tenant // of its events, or one of a list's change
}

func (w *drawnWorld) compare() error {
	var literal [2]World
	var fast []*rule.Rule
	for i := range 1 + w.IntN(4) {
		id := fmt.Sprintf("r%d", i)
		text := w.document(id)
		w.texts, w.below = append(w.texts, text), append(w.below, id)
		r, err := rule.Parse(id+".yaml", []byte(text))
		if err != nil {
			return fmt.Errorf("the parser refuses it: %w", err)
		}
		fast = append(fast, r)
		for o := range literal {
			l, err := Parse([]byte(text))
			if err != nil {
				return fmt.Errorf("the reference cannot read it: %w", err)
			}
			literal[o].Rules = append(literal[o].Rules, l)
		}
	}
	w.drawSteps()
	e, err := newEngine(fast, w.drawing)
	if err != nil {
		return err
	}
	quiet := func(id string) int64 {
		for _, r := range literal[0].Rules {
			if r.ID == id {
				return r.quiet
			}
		}
		return 0
	}
	literal[0].Begin()
	literal[1].Begin()
	var all [2][]Told
	for i, s := range w.steps {
		have, err := e.step(uint64(i+1), s)
		if err != nil {
			return err
		}
		for o := range literal {
			var want []Told
			if mine, ok := s.of1(storage.Tenant(o + 1)); ok {
				want = literal[o].Step(mine)
			}
			all[o] = append(all[o], want...)
			if len(want) > 0 {
				w.told[o] += fmt.Sprintf(" message %d\n%s", i+1, tellings(want))
			}
			if a, b := tellings(have[o]), tellings(want); a != b {
				return fmt.Errorf("organization %d, message %d: it fired\n%swant\n%sbefore\n%s", o+1, i+1, a, b, w.told[o])
			}
		}
	}
	for o := range literal {
		for _, x := range all[o] {
			if w.fired++; x.Clears {
				w.cleared++
			}
		}
		if a, b := e.incidents(storage.Tenant(o+1)), incidentsOf(Fold(all[o], quiet)); a != b {
			return fmt.Errorf("organization %d: incidents\n%swant\n%sof\n%s", o+1, a, b, w.told[o])
		}
	}
	return nil
}

// of1 returns what a message is to one organization.
func (s *worldStep) of1(org storage.Tenant) (Step, bool) {
	out := Step{Time: s.Time}
	for i := range s.Events {
		if s.of[i] == org {
			out.Events = append(out.Events, s.Events[i])
		}
	}
	if s.List != nil && s.of[0] == org {
		out.List = s.List
	}
	return out, out.List != nil || len(out.Events) > 0 || s.List == nil && len(s.Events) == 0
}

// drawSteps makes a log whose events come in their order: frames, ticks and changes of lists.
func (w *drawnWorld) drawSteps() {
	at, now, pos := start, start, 0
	for range 2 + w.IntN(24) {
		s := worldStep{}
		switch r := w.IntN(100); {
		case r < 12:
			now += pick(w.drawing, second, second, 3*second, 15*second, 400*second)
		case r < 22:
			s.of = []storage.Tenant{storage.Tenant(1 + w.IntN(2))}
			s.List = &Change{List: "known", Value: pick(w.drawing, "1", "2", "3", "5", "x", "Y"), TTL: pick(w.drawing, 0, 5*second, 20*second), Remove: w.chance(20)}
		default:
			for range pick(w.drawing, 1, 1, 1, 1, 2, 3) {
				if w.chance(85) {
					at += w.Int64N(14) * second / 2
				}
				at = max(at, now-2*second)
				s.Events = append(s.Events, w.event(at, pos))
				s.of = append(s.of, pick(w.drawing, storage.Tenant(1), 1, 1, 2))
				pos++
			}
			now = max(now, at+w.Int64N(5)*second/2-second)
		}
		s.Time = now
		w.steps = append(w.steps, s)
	}
	for range 20 {
		now += 30 * second
		w.steps = append(w.steps, worldStep{Step: Step{Time: now}})
	}
}

// engine is what the host does with the messages of a log, without the host.
type engine struct {
	rules []*rule.Rule
	all   *detect.View
	view  [2]*detect.View // by organization, with its lists
	lists [2]map[string]*watched.List
	state *correlate.State
	fold  *incident.Fold
	cases map[string]storage.Incident
	draw  *drawing
	sc    detect.Scratch
}

func newEngine(rules []*rule.Rule, d *drawing) (*engine, error) {
	set, err := detect.Compile(rules)
	if err != nil {
		return nil, err
	}
	all, err := detect.NewView(set, nil, nil)
	if err != nil {
		return nil, err
	}
	e := &engine{rules: rules, all: all, state: correlate.New(correlate.Limits{}), fold: incident.New(incident.Config{}), cases: map[string]storage.Incident{}, draw: d}
	e.state.SetNesting(e)
	for o := range e.lists {
		e.lists[o], e.view[o] = map[string]*watched.List{}, all
	}
	return e, nil
}

// Nests implements correlate.Nesting.
func (e *engine) Nests(storage.Tenant) bool { return true }

// Firing implements correlate.Nesting.
func (e *engine) Firing(id string, ev *storage.Event) (hits []correlate.Hit) {
	for _, h := range e.view[ev.Tenant-1].MatchFiring(id, ev, &e.sc) {
		hits = append(hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
	}
	return hits
}

// put changes a list of an organization.
func (e *engine) put(o int, c Change, at int64) error {
	l := e.lists[o][c.List]
	if l == nil {
		l, _ = watched.New(index.NoCase)
	}
	var remove []string
	put := []watched.Entry{{Value: c.Value, At: at}}
	if c.TTL > 0 {
		put[0].Expires = at + c.TTL
	}
	if c.Remove {
		remove, put = []string{c.Value}, nil
	}
	next, _, err := l.With(remove, put, at)
	if err != nil {
		return err
	}
	e.lists[o][c.List] = next
	e.view[o] = e.all.WithLists(func(name string) detect.List {
		if l := e.lists[o][name]; l != nil {
			return l
		}
		return nil
	})
	return nil
}

// step plays one message and returns what it fires, by organization.
func (e *engine) step(seq uint64, s worldStep) (out [2][]Told, err error) {
	if s.List != nil {
		return out, e.put(int(s.of[0]-1), *s.List, s.Time)
	}
	var metas []correlate.SourceTime
	var hits []correlate.Hit
	for i := range s.Events {
		ev := stored(&s.Events[i], seq)
		ev.Tenant, ev.Received = s.of[i], s.Time
		metas = append(metas, correlate.SourceTime{Tenant: ev.Tenant, Source: s.Events[i].Source, Time: ev.Time})
		for _, h := range e.view[ev.Tenant-1].Match(ev, &e.sc) {
			hits = append(hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
		}
	}
	var fired []correlate.Firing
	if len(s.Events) > 0 {
		fired = e.state.Apply(seq, s.Time, metas, hits)
	} else {
		fired = e.state.Tick(seq, s.Time)
	}
	var folded []incident.Firing
	for _, f := range fired {
		folded = append(folded, incident.Firing(f))
		t := Told{Rule: f.Rule, Title: f.Title, Time: f.Time, Pos: int(f.Trigger.Record), Clears: f.Clears}
		var names, values []string
		for _, k := range f.Key {
			names, values = append(names, k.Name), append(values, k.Value)
		}
		t.Key = named(names, values)
		for _, x := range f.Writes {
			t.Writes = append(t.Writes, Change{List: x.List, Value: x.Value, TTL: int64(x.TTL)})
		}
		out[f.Tenant-1] = append(out[f.Tenant-1], t)
	}
	e.fold.Fire(seq, s.Time, folded)
	for _, in := range e.fold.Take().Incidents {
		e.cases[in.ID] = in
	}
	for o := range out {
		for _, c := range lasting(out[o]) {
			if err := e.put(o, c, s.Time); err != nil {
				return out, err
			}
		}
	}
	return out, e.again()
}

// again writes the state and reads it, now and then.
func (e *engine) again() (err error) {
	if !e.draw.chance(10) {
		return nil
	}
	e.state, err = correlate.Restore(bytes.NewReader(e.state.Append(nil)), correlate.Limits{}, func(_ storage.Tenant, id string) *rule.Rule { return e.all.Rule(id) })
	if err == nil {
		e.state.SetNesting(e)
	}
	return err
}

func (e *engine) incidents(org storage.Tenant) string {
	var list []Incident
	for _, in := range e.cases {
		if in.Tenant == org {
			var names, values []string
			for _, k := range in.Key {
				names, values = append(names, k.Name), append(values, k.Value)
			}
			list = append(list, Incident{Rule: in.Rule, Key: named(names, values), Count: int(in.Count), First: in.FirstSeen, Last: in.LastSeen})
		}
	}
	return incidentsOf(list)
}

func incidentsOf(list []Incident) string {
	var lines []string
	for _, in := range list {
		lines = append(lines, fmt.Sprintf("  %s %s: %d, %v to %v\n", in.Rule, in.Key, in.Count, time.Duration(in.First-start), time.Duration(in.Last-start)))
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

func tellings(list []Told) string {
	var lines []string
	for _, t := range list {
		if t.Clears {
			lines = append(lines, fmt.Sprintf("  %s %s cleared at %v\n", t.Rule, t.Key, time.Duration(t.Time-start)))
		} else {
			lines = append(lines, fmt.Sprintf("  %s %s at %v by %d: %s, writes %v\n", t.Rule, t.Key, time.Duration(t.Time-start), t.Pos, t.Title, t.Writes))
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

func (w *drawnWorld) show() string {
	var b strings.Builder
	b.WriteString(strings.Join(w.texts, "---\n"))
	for i, s := range w.steps {
		if i > len(w.steps)-20 {
			break
		}
		fmt.Fprintf(&b, "message %d, %v: %v ", i+1, time.Duration(s.Time-start), s.of)
		if s.List != nil {
			fmt.Fprintf(&b, "%+v", *s.List)
		}
		b.WriteString(strings.TrimPrefix(show(s.Events), "\n") + "\n")
	}
	return b.String()
}
