package correlate

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// plot is what a leaf remembers of one group of its events: those of the key, or, of a sub-pattern that is grouped by more
// than the key, those with one combination of the other values.
type plot struct {
	rest   string
	used   uint64 // grows with use
	bytes  int    // estimated, of one of several
	rings  [][]entry
	win    window
	learnt *learnt // outlives firings; nil unless the leaf learns
}

// entry is what a sliding window keeps of an event.
type entry struct {
	time int64
	id   storage.EventID
	val  string // of a distinct count
	num  float64
}

// window is the one that is open.
type window struct {
	open       bool
	held       bool // an eager condition held in it
	begin, end int64
	last       int64
	count      int
	sums       []summary // by condition
	recent     []place   // the newest events
	vals       []string  // of the newest event
}

// place is where an occurrence begins or ends. What time decides is placed after all events of its time.
type place struct {
	time int64
	id   storage.EventID
}

// decided stands for the position of what time decides.
var decided = storage.EventID{Seq: math.MaxUint64, Shard: math.MaxUint16, Segment: math.MaxUint16, Record: math.MaxUint32, Ordinal: math.MaxUint16}

func (a place) before(b place) bool { return before(a.time, a.id, b.time, b.id) }

func (a place) compare(b place) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// summary is what is known of the values of a condition's function in a window.
type summary struct {
	n        int
	sum      float64
	min, max float64
	values   map[string]struct{} // of distinct, as long as there are few
	many     *cardinality        // of distinct, when there are more
	sample   []float64           // of a percentile, as long as there are few
	sketch   *quantiles          // of a percentile, when there are more
}

func (s *summary) add(c *rule.Condition, val string, num float64) {
	s.n++
	switch c.Func {
	case rule.Count:
	case rule.Distinct:
		s.addValue(val)
	case rule.Percentile:
		s.addSample(num)
	default:
		s.sum += num
		if s.n == 1 || num < s.min {
			s.min = num
		}
		if s.n == 1 || num > s.max {
			s.max = num
		}
	}
}

func (s *summary) addValue(val string) {
	if s.many != nil {
		s.many.add(val)
		return
	}
	if s.values == nil {
		s.values = map[string]struct{}{}
	}
	s.values[val] = struct{}{}
	if len(s.values) > maxExactValues {
		s.many = &cardinality{}
		for v := range s.values {
			s.many.add(v)
		}
		s.values = nil
	}
}

func (s *summary) addSample(num float64) {
	if s.sketch != nil {
		s.sketch.add(num)
		return
	}
	if s.sample = append(s.sample, num); len(s.sample) > maxExactValues {
		s.sketch = newQuantiles(s.sample)
		s.sample = nil
	}
}

// value returns the value of a condition's function over a window that had an event, and whether it is exact.
func (s *summary) value(c *rule.Condition) (v float64, exact bool) {
	switch c.Func {
	case rule.Count:
		return float64(s.n), true
	case rule.Distinct:
		if s.many != nil {
			return s.many.estimate(), false
		}
		return float64(len(s.values)), true
	case rule.Sum:
		return s.sum, true
	case rule.Avg:
		return s.sum / float64(s.n), true
	case rule.Min:
		return s.min, true
	case rule.Max:
		return s.max, true
	}
	if s.sketch != nil {
		return s.sketch.at(c.Rank), false
	}
	all := slices.Clone(s.sample)
	slices.Sort(all)
	return all[rankOf(c.Rank, len(all))], true
}

// rankOf returns the index of the smallest of n sorted values with at least rank per cent at or below it.
func rankOf(rank float64, n int) int { return min(max(int(math.Ceil(rank*float64(n)/100)), 1), n) - 1 }

// verdict is what conditions say of a window, with what they looked at.
type verdict struct {
	count  int
	more   bool // than count, which is as far as was remembered
	values []judged
	recent []place
}

type judged struct {
	value, threshold float64
	exact            bool
}

// holds compares as a condition says.
func holds(op string, a, b float64) bool {
	switch op {
	case ">=":
		return a >= b
	case ">":
		return a > b
	case "<=":
		return a <= b
	case "<":
		return a < b
	case "==":
		return a == b
	}
	return a != b
}

// near reports whether two numbers differ by no more than rounding does: a billionth.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

func finite(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// number writes a number for people.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// argument reads the value that an event brings to a condition.
func argument(c *rule.Condition, args []int, vals []string) (val string, num float64) {
	switch {
	case c.Func == rule.Count:
	case c.Func != rule.Distinct:
		num, _ = finite(vals[args[0]])
	case len(args) == 1:
		val = vals[args[0]]
	default:
		val = combined(args, vals)
	}
	return val, num
}

// combined makes one text of several values.
func combined(at []int, vals []string) string {
	if len(at) == 1 {
		return vals[at[0]]
	}
	var b strings.Builder
	for _, i := range at {
		b.WriteString(strconv.Itoa(len(vals[i])))
		b.WriteByte(':')
		b.WriteString(vals[i])
	}
	return b.String()
}

// slide adds an event to the sliding windows of a plot and returns what they say, nil when a condition does not hold.
func (l *leaf) slide(pl *plot, f *stream, m *mark, late bool) *verdict {
	if pl.rings == nil {
		pl.rings = make([][]entry, len(l.agg.All))
	}
	width := int64(l.agg.Window)
	for i := range l.agg.All {
		c := &l.agg.All[i]
		x := entry{time: m.time, id: m.id}
		x.val, x.num = argument(c, f.args[i], m.vals)
		pl.rings[i] = insert(pl.rings[i], c, width, x)
	}
	at := m.time
	for !l.satisfied(pl, at) {
		if !late {
			return nil
		}
		later := slices.IndexFunc(pl.rings[0], func(x entry) bool { return x.time > at }) // a window that a late event completes
		if later < 0 || pl.rings[0][later].time-m.time > width {
			return nil
		}
		at = pl.rings[0][later].time
	}
	v := &verdict{}
	for i := range l.agg.All {
		c := &l.agg.All[i]
		value, _ := l.look(c, pl.rings[i], at)
		v.values = append(v.values, judged{value, c.Threshold, true})
		in := inWindow(pl.rings[i], at, width)
		if n := len(in); n > v.count {
			v.count, v.more = n, n == keeps(c)
			v.recent = v.recent[:0]
			for _, x := range in[max(0, n-storage.MaxEvidence):] {
				v.recent = append(v.recent, place{x.time, x.id})
			}
		}
	}
	return v
}

// satisfied reports whether all conditions hold over the sliding window that ends at t.
func (l *leaf) satisfied(pl *plot, t int64) bool {
	for i := range l.agg.All {
		if _, ok := l.look(&l.agg.All[i], pl.rings[i], t); !ok {
			return false
		}
	}
	return true
}

// keeps returns how many events or values a sliding window remembers.
func keeps(c *rule.Condition) int {
	if c.Func == rule.Count || c.Func == rule.Distinct {
		return max(c.Least(), maxChainEvents)
	}
	return maxExactValues
}

// insert puts an entry in its place. Of a distinct count each value is remembered by its newest event.
func insert(r []entry, c *rule.Condition, width int64, x entry) []entry {
	if c.Func == rule.Distinct {
		for i := len(r) - 1; i >= 0; i-- {
			if r[i].val == x.val {
				if before(x.time, x.id, r[i].time, r[i].id) {
					return r
				}
				r = append(r[:i], r[i+1:]...)
				break
			}
		}
	}
	at := len(r)
	for at > 0 && before(x.time, x.id, r[at-1].time, r[at-1].id) {
		at--
	}
	r = slices.Insert(r, at, x)
	drop := max(0, len(r)-keeps(c))
	if at == len(r)-1 {
		for drop < at && x.time-r[drop].time > width {
			drop++
		}
	}
	return r[drop:]
}

// inWindow returns the part of a ring in the window that ends with the events of time t.
func inWindow(r []entry, t, width int64) []entry {
	to := len(r)
	for to > 0 && r[to-1].time > t {
		to--
	}
	from := to
	for from > 0 && t-r[from-1].time <= width {
		from--
	}
	return r[from:to]
}

// look returns what a condition says of the sliding window that ends at t.
func (l *leaf) look(c *rule.Condition, r []entry, t int64) (float64, bool) {
	in := inWindow(r, t, int64(l.agg.Window))
	if len(in) == 0 {
		return 0, false
	}
	v := 0.0
	switch c.Func {
	case rule.Count, rule.Distinct:
		v = float64(len(in))
	case rule.Sum:
		for i := range in {
			v += in[i].num
		}
	default:
		v = in[0].num
		for i := range in {
			if c.Func == rule.Max {
				v = max(v, in[i].num)
			} else {
				v = min(v, in[i].num)
			}
		}
	}
	return v, holds(c.Op, v, c.Threshold)
}

// close returns the time at which an open window is over.
func (l *leaf) close(w *window) int64 {
	if l.agg.Windows == rule.Session {
		return min(w.end, w.last+int64(l.agg.Gap))
	}
	return w.end
}

// enter adds an event to a window, which it opens if need be. Of a brief one only the sums are wanted.
func (l *leaf) enter(w *window, f *stream, m *mark, brief bool) {
	if !w.open {
		*w = window{open: true, begin: m.time, last: m.time, end: m.time + int64(l.agg.Window), sums: make([]summary, len(l.agg.All))}
		if l.agg.Windows == rule.Tumbling {
			w.begin = floorTo(m.time, int64(l.agg.Window))
			w.end = w.begin + int64(l.agg.Window) - 1
		}
	}
	w.last = max(w.last, m.time)
	w.count++
	for i := range l.agg.All {
		val, num := argument(&l.agg.All[i], f.args[i], m.vals)
		w.sums[i].add(&l.agg.All[i], val, num)
	}
	if brief {
		return
	}
	if len(w.recent) == storage.MaxEvidence {
		w.recent = append(w.recent[:0], w.recent[1:]...)
	}
	w.recent = append(w.recent, place{m.time, m.id})
	w.vals = m.vals
}

// floorTo returns the newest multiple of width that is not above t.
func floorTo(t, width int64) int64 {
	k := t / width
	if t < k*width {
		k--
	}
	return k * width
}

// judge returns what the conditions say of an open window, nil when one of them does not hold.
func (l *leaf) judge(w *window, past *stats) *verdict {
	var v verdict
	for i := range l.agg.All {
		c := &l.agg.All[i]
		limit := c.Threshold
		if c.Stat != nil {
			if past == nil || past.n < l.base.Least {
				return nil
			}
			limit = past.threshold(c.Stat)
		}
		value, exact := w.sums[i].value(c)
		if c.Stat != nil && near(value, limit) {
			limit = value // what was learnt is rounded
		}
		if !holds(c.Op, value, limit) {
			return nil
		}
		v.values = append(v.values, judged{value, limit, exact})
	}
	v.count, v.recent = w.count, slices.Clone(w.recent)
	return &v
}
