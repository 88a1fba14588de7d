package reference

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// World is what an organization runs: rules, each after those whose firings it selects.
type World struct {
	Rules []*Rule
	Lists map[string]map[string]int64 // by name and value, in lower case: until when it is in the list, ns; 0: for good

	events  []Event // so far, of the log and of firings
	sources map[string]*source
	reached int64            // by every source that is not idle
	log     int64            // log time
	marks   map[string]int64 // by rule: watermark
	told    map[string]int   // firings by rule and key
	seen    map[string]int   // of events, by eager rule
}

type source struct{ newest, seen int64 }

// Step is one message of the log: events, a change of a list, or nothing but time.
type Step struct {
	Time   int64 // log time, ns
	Events []Event
	List   *Change
}

// Change puts a value into a list, or takes it out.
type Change struct {
	List, Value string
	TTL         int64 // 0: for good
	Remove      bool
}

// Told is a firing at the place in the log at which it is told.
type Told struct {
	Rule, Key, Title string
	Time             int64
	Pos              int
	Clears           bool
	Writes           []Change
	came             int // of the event that completed it at once: as which of all
}

const (
	idle = 10 * int64(1e9)
	lag  = 300 * int64(1e9)
)

// Begin empties the memory of a world.
func (w *World) Begin() {
	w.events, w.sources, w.marks, w.told, w.seen = nil, map[string]*source{}, map[string]int64{}, map[string]int{}, map[string]int{}
	w.Lists, w.reached, w.log = map[string]map[string]int64{}, math.MinInt64/4, 0
}

// Step returns what is told at one message.
func (w *World) Step(s Step) (out []Told) {
	if s.List != nil {
		w.change(*s.List, s.Time)
		return nil
	}
	w.log = s.Time
	lists := w.listed()
	for _, ev := range s.Events {
		ev.lists = lists
		w.events = append(w.events, ev)
		from := w.sources[ev.Source]
		if from == nil {
			from = &source{newest: math.MinInt64}
			w.sources[ev.Source] = from
		}
		from.newest, from.seen = max(from.newest, min(ev.Time, w.log)), w.log
	}
	low := int64(math.MaxInt64)
	for _, from := range w.sources {
		if w.log-from.seen <= idle {
			low = min(low, from.newest)
		}
	}
	if low < math.MaxInt64 {
		w.reached = max(w.reached, low)
	}
	for _, r := range w.Rules {
		w.reaches(r.ID, w.lateness(r))
		told := []Told{}
		for _, f := range w.news(r) {
			told = append(told, w.tell(r, f, lists))
		}
		if r.clear != nil {
			w.reaches(r.clear.ID, w.lateness(r))
			for _, f := range w.news(r.clear) {
				told = append(told, Told{Rule: r.ID, Key: named(r.clear.incident, strings.Split(f.Key, "|")), Time: f.Time, Pos: f.Pos, Clears: true, came: f.came})
			}
		}
		if r.clear == nil || r.eager() == r.clear.eager() { // otherwise what waits for the watermark comes behind
			sort.SliceStable(told, func(i, j int) bool { // and what clears behind what fired up to then
				a, b := told[i], told[j]
				return r.eager() && a.came < b.came || !r.eager() && a.Time < b.Time
			})
		}
		out = append(out, told...)
	}
	for _, c := range lasting(out) {
		if until, there := w.Lists[c.List][strings.ToLower(c.Value)]; !there || c.TTL == 0 || until > 0 && until < w.log+c.TTL {
			w.change(c, w.log)
		}
	}
	return out
}

// lasting returns what firings write to lists; of what is written twice at one message that which lasts longer.
func lasting(told []Told) (out []Change) {
	at := map[string]int{}
	for _, t := range told {
		for _, c := range t.Writes {
			name := c.List + "|" + strings.ToLower(c.Value)
			if i, ok := at[name]; !ok {
				at[name] = len(out)
				out = append(out, c)
			} else if x := out[i]; x.TTL != 0 && (c.TTL == 0 || c.TTL > x.TTL) {
				out[i] = c
			}
		}
	}
	return out
}

// reaches moves a watermark.
func (w *World) reaches(id string, lateness int64) {
	if _, ok := w.marks[id]; !ok {
		w.marks[id] = math.MinInt64
	}
	w.marks[id] = max(w.marks[id], w.reached-lateness, w.log-lag)
}

// lateness of a rule, or of one whose firings it, or what clears its incidents, looks at.
func (w *World) lateness(r *Rule) int64 {
	late, subs := r.lateness, r.subs
	if r.clear != nil {
		subs = append(subs[:len(subs):len(subs)], r.clear.subs...)
	}
	for _, s := range subs {
		for _, x := range w.Rules {
			if s.rule == x.ID && w.had(x) {
				late = max(late, w.lateness(x))
			}
		}
	}
	return late
}

// had reports whether a rule has had an event.
func (w *World) had(r *Rule) bool {
	for i := range w.events {
		for s := range r.subs {
			if r.matches(s, &w.events[i]) {
				return true
			}
		}
	}
	return false
}

// news returns the firings that were not told before: of a rule that waits those that the watermark has reached, of an
// eager one those that an event completes, one event after the other as they came.
func (w *World) news(r *Rule) (out []Firing) {
	if !r.eager() {
		return w.untold(r, r.Run(w.events))
	}
	for ; w.seen[r.ID] < len(w.events); w.seen[r.ID]++ {
		by := &w.events[w.seen[r.ID]]
		for _, f := range w.untold(r, r.Run(w.events[:w.seen[r.ID]+1])) {
			f.Pos, f.at, f.came = by.Pos, []*Event{by}, w.seen[r.ID]
			out = append(out, f)
		}
	}
	return out
}

// untold leaves out what was told before: as many firings of each key as were.
func (w *World) untold(r *Rule, list []Firing) (out []Firing) {
	at := map[string]int{}
	for _, f := range list {
		if !r.eager() && f.Time > w.marks[r.ID] {
			continue
		}
		at[f.Key]++
		if name := r.ID + "|" + f.Key; at[f.Key] > w.told[name] {
			w.told[name]++
			out = append(out, f)
		}
	}
	return out
}

// tell makes a firing known, to rules that select it too.
func (w *World) tell(r *Rule, f Firing, lists map[string]bool) Told {
	t := Told{Rule: r.ID, Time: f.Time, Pos: f.Pos, came: f.came}
	var names, values []string
	for _, name := range r.incidentKey() {
		if v, ok := r.field(f, name); ok {
			names, values = append(names, name), append(values, v)
		}
	}
	t.Key = named(names, values)
	t.Title = placeholder(r.title, func(name string) (string, bool) { return r.field(f, name) })
	ev := Event{Time: f.Time, Pos: f.Pos, rule: r.ID, lists: lists, Fields: map[string]string{}}
	if r.eager() {
		for name, v := range f.at[0].Fields {
			ev.Fields[name] = v
		}
	}
	for i, name := range names {
		if values[i] != "" {
			ev.Fields[name] = values[i]
		}
	}
	for name, v := range map[string]string{"rule.id": r.ID, "rule.name": r.Name, "event.severity": strconv.Itoa(r.severity), "message": t.Title} {
		ev.Fields[name] = v
	}
	w.events = append(w.events, ev)
	for _, x := range r.writes {
		if v, ok := r.field(f, x.value); ok && v != "" {
			t.Writes = append(t.Writes, Change{List: x.list, Value: v, TTL: x.ttl})
		}
	}
	return t
}

// field returns a field of the key or of the event that completed the pattern.
func (r *Rule) field(f Firing, name string) (string, bool) {
	for s := range r.subs {
		if at := slices.Index(r.keys[s], name); at >= 0 {
			return strings.Split(f.Key, "|")[at], true
		}
	}
	for _, ev := range f.at {
		if v, ok := ev.Fields[name]; ok {
			return v, true
		}
	}
	return "", false
}

// named writes fields with their values.
func named(fields, values []string) string {
	var out []string
	for i, name := range fields {
		out = append(out, name+"="+values[i])
	}
	return strings.Join(out, " ")
}

// listed returns what is in lists now.
func (w *World) listed() map[string]bool {
	out := map[string]bool{}
	for name, values := range w.Lists {
		for v, until := range values {
			if until == 0 || w.log < until {
				out[name+"|"+v] = true
			}
		}
	}
	return out
}

func (w *World) change(c Change, at int64) {
	if w.Lists[c.List] == nil {
		w.Lists[c.List] = map[string]int64{}
	}
	v := strings.ToLower(c.Value)
	if c.Remove {
		delete(w.Lists[c.List], v)
		return
	}
	until := int64(0)
	if c.TTL > 0 {
		until = at + c.TTL
	}
	w.Lists[c.List][v] = until
}

// placeholder fills in {name} and {name|text}.
func placeholder(text string, field func(string) (string, bool)) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		name, instead, said := strings.Cut(name, "|")
		if !said {
			instead = "-"
		}
		if v, _ := field(name); v != "" {
			b.WriteString(v)
		} else {
			b.WriteString(instead)
		}
		text = after
	}
}

// Incident is a row of firings with one key. It is named by the event that opened it, so one event opens one at most.
type Incident struct {
	Rule, Key   string
	Count       int
	First, Last int64
	by          int
}

// Fold makes incidents of what is told, in the order in which it is; quiet is how long the incidents of a rule wait for
// another firing, 0: for ever.
func Fold(list []Told, quiet func(rule string) int64) (out []Incident) {
	open := map[string]int{}
	for _, t := range list {
		name := t.Rule + " " + t.Key
		at, ok := open[name]
		if t.Clears {
			if ok && t.Time >= out[at].Last {
				delete(open, name)
			}
			continue
		}
		if q := quiet(t.Rule); !ok || q > 0 && t.Time-out[at].Last > q {
			at = len(out)
			for i := range out {
				if out[i].Rule == t.Rule && out[i].Key == t.Key && out[i].by == t.Pos {
					at = i
				}
			}
			if at == len(out) {
				out = append(out, Incident{Rule: t.Rule, Key: t.Key, First: t.Time, Last: t.Time, by: t.Pos})
				open[name] = at
			}
		}
		in := &out[at]
		in.Count++
		in.First, in.Last = min(in.First, t.Time), max(in.Last, t.Time)
	}
	return out
}
