package rule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestExpressions runs testdata/expressions.txtar.
func TestExpressions(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/expressions.txtar")
	if err != nil {
		t.Fatal(err)
	}
	const base = "kind: pattern\nid: base\nname: Base\nversion: 1.0.0\nseverity: low\nwindow: 5m\nincident: {title: t}\n" +
		"subs: {a: {where: {x: 1}}, b: {where: {x: 1}}, c: {where: {x: 1}}, d: {where: {x: 1}}}\n"
	for i := 0; i+1 < len(ar.Files); i += 2 {
		in, want := ar.Files[i], ar.Files[i+1]
		t.Run(in.Name, func(t *testing.T) {
			r, err := Parse(in.Name, []byte(edit(t, base, string(in.Data))))
			if err != nil {
				t.Fatal(err)
			}
			if got := tree(r, strings.Contains(string(want.Data), "keys:")); got != string(want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
		})
	}
}

// tree prints the operators of a rule.
func tree(r *Rule, keys bool) string {
	var b strings.Builder
	b.WriteString(show(r, r.Root.Of) + "\n")
	if keys {
		var of []string
		for i := range r.Subs {
			of = append(of, strings.Join(r.Subs[i].Match.RuleKey(), ","))
		}
		b.WriteString("keys: " + strings.Join(of, "|") + "\n")
	}
	if c := r.Root.Clear; c != nil {
		fmt.Fprintf(&b, "clear %s %s\n", short(c.After), show(r, c.Of))
	}
	if r.Root.Suppress > 0 {
		fmt.Fprintf(&b, "suppress %s\n", short(r.Root.Suppress))
	}
	for _, w := range r.Root.WatchLists {
		fmt.Fprintf(&b, "list %s %s %s\n", w.Name, w.Value, short(w.TTL))
	}
	return b.String()
}

func short(d time.Duration) string {
	s := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		return strings.TrimSuffix(s, "0m")
	}
	if s == "" || strings.Trim(s[len(s)-1:], "0123456789") == "" {
		return d.String()
	}
	return s
}

func show(r *Rule, n Node) string {
	of := func(list ...Node) string {
		var out []string
		for _, n := range list {
			out = append(out, show(r, n))
		}
		return strings.Join(out, " ") + ")"
	}
	switch n := n.(type) {
	case *Match:
		return r.Subs[n.Sub].Name
	case *Aggregate:
		return "{" + showAggregate(n) + "}"
	case *Baseline:
		return fmt.Sprintf("<%s %s %d %s>", show(r, n.Of), n.Slots, n.Least, n.Peers)
	case *FirstSeen:
		return fmt.Sprintf("[%s %s %s]", strings.Join(n.Fields, ","), short(n.Within), short(n.Learn))
	case *And:
		return "(and " + short(n.Within) + " " + of(n.Of...)
	case *Or:
		return "(or " + of(n.Of...)
	case *FollowedBy:
		return "(-> " + short(n.Within) + " " + of(n.A, n.B)
	case *NotFollowedBy:
		latest := ""
		if n.Latest {
			latest = "latest "
		}
		return "(!-> " + short(n.Within) + " " + latest + of(n.A, n.B)
	case *AndNot:
		word := "not"
		if n.Before {
			word = "before"
		}
		return "(" + word + " " + short(n.Within) + " " + of(n.A, n.B)
	case *Span:
		return "(span " + short(n.Within) + " " + of(n.Of)
	case *Join:
		s := "(join " + show(r, n.Of)
		for _, c := range n.On {
			s += fmt.Sprintf(" %s.%s%s%s.%s", r.Subs[c.A].Name, c.AField, c.Op, r.Subs[c.B].Name, c.BField)
		}
		return s + ")"
	}
	return fmt.Sprintf("%T", n)
}

func showAggregate(a *Aggregate) string {
	var b strings.Builder
	for i := range a.All {
		c := &a.All[i]
		b.WriteString(string(c.Func))
		switch {
		case c.Func == Percentile:
			fmt.Fprintf(&b, "(%s,%v)", c.Fields[0], c.Rank)
		case len(c.Fields) > 0:
			fmt.Fprintf(&b, "(%s)", strings.Join(c.Fields, ","))
		}
		if c.Stat != nil {
			fmt.Fprintf(&b, " %s (%s) ", c.Op, showStat(c.Stat))
		} else {
			fmt.Fprintf(&b, " %s %v ", c.Op, c.Threshold)
		}
	}
	b.WriteString(short(a.Window))
	if a.Windows != Sliding {
		b.WriteString(" " + string(a.Windows))
	}
	if a.Gap > 0 {
		b.WriteString(" " + short(a.Gap))
	}
	return b.String()
}

func showStat(s *Stat) string {
	switch {
	case s.Op != 0:
		return "(" + showStat(s.A) + string(s.Op) + showStat(s.B) + ")"
	case s.Var != "":
		return s.Var
	}
	return fmt.Sprint(s.Value)
}
