package reference

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
)

// TestBoundsAgainstTheEngine has rules remember fewer keys than come: what fires, how many keys there are and how many were evicted
// must be the reference's at every message.
func TestBoundsAgainstTheEngine(t *testing.T) {
	runPairs(t, 16, func(seed uint64) (string, tally, error) {
		d := &drawing{Rand: rand.New(rand.NewPCG(seed, 3))}
		text := d.bounded()
		n, err := compareBounded(d, text)
		return text, n, err
	})
}

// bounded writes a rule of few keys, whose windows do not end while a log lasts.
func (d *drawing) bounded() string {
	count := fmt.Sprintf(", window: 1h, having: \"count() >= %d\"", 2+d.IntN(7))
	sub := func(t, having string) string { return "{where: {t: " + t + "}, by: BY" + having + "}" }
	subs := pick(d, "a: "+sub("p", count), "a: "+sub("p", ""), "a: "+sub("p", count))
	expr := ""
	if !strings.Contains(subs, "having") || d.chance(60) {
		subs += "\n  b: " + sub(pick(d, "q", "q", "[p, q]"), pick(d, "", "", ", window: 1h, having: \"count() >= 3\""))
		expr = "expr: " + pick(d, "a -> b", "a -> b", "(a -> b) span 2h") + "\n"
	}
	by, most := "[k]", 1+d.IntN(8)
	if d.chance(50) {
		by, most = "[k, m]", 3+d.IntN(30)
	}
	return fmt.Sprintf("kind: pattern\nid: drawn\nname: drawn\nversion: 1.0.0\nseverity: low\nwindow: 1h\nlateness: 4s\nsubs:\n  %s\n%slimits: {max_keys: %d}\nincident: {title: drawn}\n",
		strings.ReplaceAll(subs, "BY", by), expr, most)
}

func compareBounded(d *drawing, text string) (n tally, err error) {
	literal, err := Parse([]byte(text))
	if err != nil {
		return n, err
	}
	fast, err := rule.Parse("drawn.yaml", []byte(text))
	if err != nil {
		return n, err
	}
	match, err := detect.Matcher(fast)
	if err != nil {
		return n, err
	}
	b := &Bounded{Rule: literal, Most: fast.MaxKeys}
	s, at := correlate.New(correlate.Limits{}), start
	for i := range 20 + d.IntN(100) {
		at += d.Int64N(5) * second / 2
		ev := Event{Time: at, Pos: i, Fields: map[string]string{"t": pick(d, "p", "p", "q"), "k": pick(d, "x", "x", "x", "y", "z", "u", "v", "w"), "m": fmt.Sprint(d.IntN(9))}}
		if d.chance(60) { // some keys come again and again
			ev.Fields["k"], ev.Fields["m"] = pick(d, "x", "y"), "1"
		}
		var hits []correlate.Hit
		in := stored(&ev, uint64(i+1))
		for _, sub := range match(in) {
			hits = append(hits, correlate.Hit{Rule: fast, Sub: sub, Event: in})
		}
		var have []string
		for _, f := range s.Apply(uint64(i+1), at, []correlate.SourceTime{{Tenant: in.Tenant, Source: "s", Time: at}}, hits) {
			if f.Rule == fast.ID {
				have = append(have, fmt.Sprint(f.Key, f.Time))
			}
		}
		want := b.Step(&ev, at-4*second)
		st := s.Stats()
		if len(have) != len(want) || st.Keys != b.Keys() || int(st.Evicted) != b.Evicted {
			return n, fmt.Errorf("event %d at %v, %v: fired %v, %d keys, %d evicted, want %d, %d and %d", i, time.Duration(at-start), ev.Fields, have, st.Keys, st.Evicted, len(want), b.Keys(), b.Evicted)
		}
		n.fired += len(want)
	}
	n.special = b.Evicted
	return n, nil
}
