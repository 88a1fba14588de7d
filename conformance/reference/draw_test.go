package reference

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// drawing makes random rules, as the text of documents, and random logs.
type drawing struct {
	*rand.Rand
	subs  []string
	uses  map[string]int // in expr
	plain []string       // subs that hold at each of their events
	below []string       // rules whose firings this one may select
	world bool           // rules see each other and lists
}

func (d *drawing) chance(percent int) bool { return d.IntN(100) < percent }

func (d *drawing) seconds(low, high int) string { return fmt.Sprintf("%ds", low+d.IntN(high-low+1)) }

func pick[T any](d *drawing, from ...T) T { return from[d.IntN(len(from))] }

// document returns a rule that the language admits.
func (d *drawing) document(id string) string {
	n := pick(d, 1, 1, 2, 2, 2, 3, 3, 4)
	d.subs, d.uses, d.plain = []string{"a", "b", "c", "d"}[:n], map[string]int{}, nil
	by := pick(d, "[k]", "[k]", "[k]", "[k]", "[]", "[k, m]")
	shorter := n > 1 && by == "[k]" && d.chance(15) // subs that are divided further
	var b strings.Builder
	lateness, severity := "4s", "low"
	if d.world {
		lateness, severity = d.seconds(1, 6), pick(d, "low", "high")
	}
	fmt.Fprintf(&b, "kind: pattern\nid: %s\nname: drawn\nversion: 1.0.0\nseverity: %s\nwindow: %s\nlateness: %s\nsubs:\n", id, severity, d.seconds(3, 40), lateness)
	for i, s := range d.subs {
		mine := by
		if shorter && i == 0 {
			mine = "[k, m]"
		}
		fmt.Fprintf(&b, "  %s:\n%s", s, d.selection())
		if mine != "[]" {
			fmt.Fprintf(&b, "    by: %s\n", mine)
			if d.chance(5) {
				b.WriteString("    null_key: include\n")
			}
		}
		d.condition(&b, s)
	}
	expr := ""
	if n > 1 || d.chance(20) {
		expr = d.expr(3)
		for _, s := range d.subs {
			if d.uses[s]++; d.uses[s] == 1 {
				expr = fmt.Sprintf("(%s) %s %s", expr, pick(d, "and", "or", "->", "->"), s)
			}
		}
		fmt.Fprintf(&b, "expr: %q\n", expr)
	}
	if strings.Contains(expr, "!->") && d.chance(30) {
		b.WriteString("rearm: latest\n")
	}
	joined := false
	plain := d.plain // a field of a counted sub would have to be in its by
	if d.chance(70) {
		plain = slices.DeleteFunc(plain, func(s string) bool { return d.uses[s] != 1 })
	}
	if len(plain) > 1 && d.chance(45) {
		joined = true
		fmt.Fprintf(&b, "join: [%q]\n", fmt.Sprintf("%s.%s %s %s.%s", plain[0], pick(d, "m", "v"), pick(d, "!=", "!=", "==", "<", ">=", "<=", ">"), plain[1], pick(d, "m", "v")))
	}
	if !d.world {
		fmt.Fprintf(&b, "incident: {title: \"{%s.count}\"}\n", strings.Join(d.subs, ".count} {"))
		return b.String()
	}
	key := ""
	switch {
	case n == 1 && len(d.plain) == 1 && expr == "" && d.chance(30):
		key = "key: [v], "
	case by == "[k, m]" && !joined && d.chance(50):
		key = "key: [m], "
	}
	fmt.Fprintf(&b, "incident: {%stitle: %q}\n", key, pick(d, "{k} {m|none}", "{v|nothing} of {k}", "drawn"))
	if joined { // which may be the key of the rule
		by = ""
	}
	d.actions(&b, key, by)
	return b.String()
}

// selection writes what a sub selects.
func (d *drawing) selection() string {
	if len(d.below) == 0 || d.chance(50) {
		return "    where: " + d.where() + "\n"
	}
	return "    rule: " + pick(d, d.below...) + "\n" + pick(d, "", "", "    where: {event.severity|gte: 3}\n", "    where: {message|startswith: x}\n", "    where: {v|in: watched}\n", "    where: {not: {m: 1}}\n")
}

// actions writes what a firing does, and what ends its incident.
func (d *drawing) actions(b *strings.Builder, key, by string) {
	switch d.IntN(5) {
	case 0:
		fmt.Fprintf(b, "clear: {after: %s}\n", d.seconds(1, 20))
	case 1, 2:
		fields := map[string]string{"": by, "key: [v], ": "[v]", "key: [m], ": "[m]"}[key]
		if fields == "[k]" {
			fields = pick(d, "[k]", "[m]")
		}
		if fields != "" {
			fields = "    by: " + fields + "\n"
		}
		fmt.Fprintf(b, "clear:\n%s%s%s", pick(d, "", "", "    after: 9s\n"), d.selection(), fields)
		d.condition(b, "")
	}
	if d.chance(40) {
		fmt.Fprintf(b, "watchlist: [{name: watched, value: %s, ttl: %s}]\n", pick(d, "k", "m", "v"), d.seconds(1, 20))
	}
	if d.chance(20) {
		fmt.Fprintf(b, "exceptions: [{reason: r, where: {%s}}]\n", pick(d, "m: 1", "v|in: known", "k: y"))
	}
}

func (d *drawing) where() string {
	var values []string
	for _, v := range []string{"p", "q", "r", "s"} {
		if d.chance(45) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		values = []string{"p"}
	}
	where := fmt.Sprintf("{t: [%s]}", strings.Join(values, ", "))
	if d.world && d.chance(25) {
		return fmt.Sprintf(pick(d, "{t: [%s], v|in: known}", "{t: [%s], m|in: [watched, known]}", "{t: [%s], not: {k|in: watched}}"), strings.Join(values, ", "))
	}
	switch d.IntN(12) {
	case 0:
		return fmt.Sprintf("{t: [%s], v|gte: %d}", strings.Join(values, ", "), d.IntN(5))
	case 1:
		return fmt.Sprintf("[%s, {m: 2}]", where)
	case 2:
		return fmt.Sprintf("{all: [%s], not: {m: 3}}", where)
	}
	return where
}

// condition writes what a sub says beside what it selects.
func (d *drawing) condition(b *strings.Builder, name string) {
	r := d.IntN(100)
	if name == "" && r < 58 { // what clears learns nothing
		return
	}
	switch {
	case r < 45:
		d.plain = append(d.plain, name)
	case r < 52:
		fmt.Fprintf(b, "    first_seen: {fields: [m], within: %s%s}\n", d.seconds(5, 60), pick(d, "", ", learn: "+d.seconds(1, 20)))
	case r < 58:
		op := pick(d, ">", ">=", "<", "!=")
		fmt.Fprintf(b, "    having: \"%s %s %s\"\n    window: %s\n    baseline: {slots: %s, least: %d%s}\n", pick(d, "count()", "sum(v)", "avg(v)", "distinct(m)"), op,
			pick(d, "stat.mean", "stat.mean + stat.std", "2 * stat.mean - 1", "(stat.mean + 1) * 2 - stat.n / 4"), d.seconds(2, 12), pick(d, "none", "hour", "hour_of_week"), 1+d.IntN(3), pick(d, "", "", ", peers: m", ", peers: g"))
	default:
		parts := []string{d.having()}
		if d.chance(20) {
			parts = append(parts, d.having())
		}
		fmt.Fprintf(b, "    having: %q\n", strings.Join(parts, " and "))
		if d.chance(70) {
			fmt.Fprintf(b, "    window: %s\n", d.seconds(2, 30))
		}
		switch d.IntN(6) {
		case 0:
			b.WriteString("    windows: tumbling\n")
		case 1:
			fmt.Fprintf(b, "    windows: session\n    gap: %s\n", d.seconds(1, 8))
		}
	}
}

func (d *drawing) having() string {
	op := pick(d, ">=", ">=", ">=", ">", ">", "<", "<=", "==", "!=")
	switch f := pick(d, "count", "count", "count", "distinct", "distinct", "sum", "avg", "min", "max", "percentile"); f {
	case "count":
		return fmt.Sprintf("count() %s %d", op, 1+d.IntN(4))
	case "distinct":
		return fmt.Sprintf("distinct(%s) %s %d", pick(d, "m", "v", "m, v"), op, 1+d.IntN(3))
	case "percentile":
		return fmt.Sprintf("percentile(v, %d) %s %d", pick(d, 0, 25, 50, 90, 100), op, d.IntN(8))
	default:
		return fmt.Sprintf("%s(v) %s %d", f, op, 1+d.IntN(8))
	}
}

func (d *drawing) expr(depth int) string {
	if depth == 0 || d.chance(25) {
		s := pick(d, d.subs...)
		d.uses[s]++
		return s
	}
	a, b := d.operand(depth-1), d.operand(depth-1)
	within := ""
	if d.chance(60) {
		within = " within " + d.seconds(2, 30)
	}
	switch d.IntN(9) {
	case 0:
		return a + " or " + b
	case 1, 2:
		if d.chance(30) {
			return a + " and " + b + " and " + d.operand(depth-1) + within
		}
		return a + " and " + b + within
	case 3:
		return a + " and not " + b + within
	case 4:
		return a + " and not before " + b + within
	case 5, 6:
		return a + " -> " + b + within
	case 7:
		return a + " !-> " + b + within
	}
	return "(" + a + " -> " + b + within + ") span " + d.seconds(2, 20)
}

func (d *drawing) operand(depth int) string {
	e := d.expr(depth)
	if strings.Contains(e, " ") {
		return "(" + e + ")"
	}
	return e
}

const second = int64(time.Second)

// start of every log: a time that is no multiple of the windows.
const start = int64(1_800_000_003) * second

// log returns events in the order of their times.
func (d *drawing) log() []Event {
	n := 1 + d.IntN(26)
	span := int64(n + d.IntN(120))
	out := make([]Event, 0, n)
	at := int64(0)
	for i := range n {
		if d.chance(85) {
			at += d.Int64N(2*span/int64(n)+1) * second / 2
		}
		out = append(out, d.event(start+at, i))
	}
	return out
}

// event makes an event of a few kinds, keys and values.
func (d *drawing) event(at int64, pos int) Event {
	ev := Event{Time: at, Pos: pos, Source: pick(d, "s1", "s1", "s2"), Fields: map[string]string{"t": pick(d, "p", "q", "r", "s")}}
	if d.chance(97) {
		ev.Fields["k"] = pick(d, "x", "x", "y")
	}
	if d.chance(92) {
		ev.Fields["m"] = pick(d, "1", "2", "3")
	}
	if d.chance(92) {
		ev.Fields["g"] = pick(d, "f", "f", "h")
	}
	if d.chance(92) {
		ev.Fields["v"] = pick(d, "0", "1", "2", "3", "5", "8", "-2", "x")
	}
	return ev
}

// shuffled returns the events as they come when each is delayed by less than lateness.
func (d *drawing) shuffled(log []Event, lateness int64) []Event {
	type arrival struct {
		ev Event
		at int64
	}
	in := make([]arrival, len(log))
	for i, ev := range log {
		in[i] = arrival{ev, ev.Time + d.Int64N(lateness)}
	}
	for i := range in { // insertion keeps equal ones in order
		for j := i; j > 0 && in[j].at < in[j-1].at; j-- {
			in[j], in[j-1] = in[j-1], in[j]
		}
	}
	out := make([]Event, len(in))
	for i := range in {
		out[i] = in[i].ev
		out[i].Pos = i
	}
	return out
}
