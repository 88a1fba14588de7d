package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// worker does what needs nothing but a frame and its generation: parse and match.
type worker struct {
	parse   *Parser
	scratch detect.Scratch
	code    coder
}

func (p *Pipeline) work(ctx context.Context, in <-chan *item) error {
	w := &worker{parse: newParser(p.Use), code: coder{used: p.Use}}
	t := p.Cost.thread()
	defer t.release()
	for {
		select {
		case it, ok := <-in:
			if !ok {
				return nil
			}
			t.begin()
			it.err = w.frame(ctx, it, t)
			close(it.parsed)
		case <-ctx.Done():
			return nil
		}
	}
}

// frame fills in an item's events, hits, times and poison.
func (w *worker) frame(ctx context.Context, it *item, t *thread) error {
	if err := it.msg.Frame(&it.frame); err != nil {
		return fmt.Errorf("frame %d: %w", it.msg.Seq, err)
	}
	for s := range it.frame.Segments {
		from := len(it.events)
		var err error
		if it.events, it.poison, err = w.parse.segment(ctx, it.gen, &it.frame, s, it.events, it.poison); err != nil {
			return err
		}
		it.times = appendTimes(it.times, &it.frame.Segments[s], it.events[from:])
	}
	t.end(StageParse, 0)
	if err := w.detect(ctx, it); err != nil {
		return err
	}
	t.end(StageDetect, 0)
	return nil
}

// appendTimes notes the newest event time of each source of a segment.
func appendTimes(times []correlate.SourceTime, seg *queue.Segment, events []storage.Event) []correlate.SourceTime {
	from := len(times)
	for i := range events {
		src := seg.Records[events[i].ID.Record].Source
		at := -1
		for j := from; j < len(times); j++ {
			if sameSource(times[j].Source, src) {
				at = j
				break
			}
		}
		if at < 0 {
			times = append(times, correlate.SourceTime{Tenant: seg.Tenant, Source: src.Listener + " " + src.Peer, Time: events[i].Time})
		} else if events[i].Time > times[at].Time {
			times[at].Time = events[i].Time
		}
	}
	return times
}

// sameSource compares without making a string.
func sameSource(name string, src queue.Source) bool {
	n := len(src.Listener)
	return len(name) == n+1+len(src.Peer) && name[:n] == src.Listener && name[n+1:] == src.Peer
}

// detect matches the events with the rules of their tenants, in order. Hits of code rules are put to their modules.
func (w *worker) detect(ctx context.Context, it *item) error {
	for i := 0; i < len(it.events); {
		t := it.events[i].Tenant
		view := it.gen.View(t)
		w.code.begin()
		for ; i < len(it.events) && it.events[i].Tenant == t; i++ {
			e := &it.events[i]
			for _, h := range view.Rules.Match(e, &w.scratch) {
				if h.Rule.Subs[h.Sub].Match.Code {
					w.code.asks = append(w.code.asks, ask{view.Code(h.Rule), len(it.hits)})
				}
				it.hits = append(it.hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: e})
			}
		}
		if err := w.code.decide(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// coder puts the hits of code rules to their modules: the rule document selected the events, the module decides.
type coder struct {
	used  *Usage
	asks  []ask
	rows  abi.RowsEncoder
	found runtime.Findings
}

// ask is one hit that a module has to confirm.
type ask struct {
	mod *module.Loaded
	hit int
}

func (c *coder) begin() { c.asks = c.asks[:0] }

// decide keeps, of the hits that were asked about, those that their modules confirm.
func (c *coder) decide(ctx context.Context, it *item) error {
	if len(c.asks) == 0 {
		return nil
	}
	drop := map[int]bool{}
	for len(c.asks) > 0 {
		mod := c.asks[0].mod
		var part, rest []ask
		for _, a := range c.asks {
			if a.mod == mod && len(part) < batchRecords {
				part = append(part, a)
			} else {
				rest = append(rest, a)
			}
		}
		c.asks = rest
		if err := c.call(ctx, it, mod, part, drop); err != nil {
			return err
		}
	}
	kept := it.hits[:0]
	for i, h := range it.hits {
		if !drop[i] {
			kept = append(kept, h)
		}
	}
	it.hits = kept
	return nil
}

func (c *coder) call(ctx context.Context, it *item, mod *module.Loaded, part []ask, drop map[int]bool) error {
	for _, a := range part {
		drop[a.hit] = true
	}
	if mod == nil {
		return nil // the rule has no code: its document alone does not suffice
	}
	c.rows.Begin(len(part), len(mod.Manifest.Reads), it.msg.Seq, it.msg.LogTime)
	for _, a := range part {
		e := it.hits[a.hit].Event
		c.rows.Event(e.Time)
		for col, name := range mod.Manifest.Reads {
			if v, ok := rule.Value(e, name); ok {
				c.rows.Cell(col, v)
			}
		}
	}
	err := mod.Code.Eval(ctx, c.rows.Bytes(), &c.found)
	var trap *runtime.Trap
	if errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap) {
		c.used.add(mod, len(part), 0, c.found.Fuel, len(part), trap.Error())
		for _, a := range part {
			it.poison = append(it.poison, poisonOf(it.hits[a.hit].Event, mod, trap))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("evaluate frame %d with %s: %w", it.msg.Seq, mod.Name(), err)
	}
	for _, x := range c.found.Poison {
		it.poison = append(it.poison, poisonOf(it.hits[part[x.Record].hit].Event, mod, x.Trap))
	}
	last := ""
	if n := len(c.found.Poison); n > 0 {
		last = c.found.Poison[n-1].Trap.Error()
	}
	c.used.add(mod, len(part), len(c.found.List), c.found.Fuel, len(c.found.Poison), last)
	for _, f := range c.found.List {
		h := &it.hits[part[f.Event].hit]
		delete(drop, part[f.Event].hit)
		h.Title, h.Severity = string(f.Title), storage.Severity(f.Severity)
		if len(f.Key) > 0 {
			h.ExtraKey = []storage.Field{{Name: "finding", Value: string(f.Key)}}
		}
	}
	return nil
}

func poisonOf(e *storage.Event, mod *module.Loaded, t *runtime.Trap) Poison {
	return Poison{Tenant: e.Tenant, ID: e.ID, Module: mod, Code: t.Code, Detail: t.Detail, Raw: []byte(e.Raw)}
}
