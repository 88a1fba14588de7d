package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

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
	sources map[queue.Source]int // of this segment: index in its times
	dropped *atomic.Uint64       // records of organizations that were removed
}

func (p *Pipeline) work(ctx context.Context, in <-chan *item) error {
	w := &worker{parse: newParser(p.Use), code: coder{used: p.Use}, sources: map[queue.Source]int{}, dropped: &p.dropped}
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
	w.parse.build.slab = it.fields
	for s := range it.frame.Segments {
		if seg := &it.frame.Segments[s]; it.gen.Running.Gone[seg.Tenant] {
			w.dropped.Add(uint64(len(seg.Records)))
			continue
		}
		from := len(it.events)
		var err error
		if it.events, it.poison, err = w.parse.segment(ctx, it.gen, &it.frame, s, it.events, it.poison); err != nil {
			return err
		}
		it.times = w.timesOf(it.times, &it.frame.Segments[s], it.events[from:])
	}
	it.fields, w.parse.build.slab = w.parse.build.slab, nil
	t.end(StageParse, 0)
	if err := w.detect(ctx, it); err != nil {
		return err
	}
	t.end(StageDetect, 0)
	return nil
}

// timesOf notes the newest event time of each source of a segment.
func (w *worker) timesOf(times []correlate.SourceTime, seg *queue.Segment, events []storage.Event) []correlate.SourceTime {
	clear(w.sources)
	at, of := -1, queue.Source{}
	for i := range events {
		src := seg.Records[events[i].ID.Record].Source
		if at < 0 || src != of { // records come in runs of one source
			var known bool
			if at, known = w.sources[src]; !known {
				at = len(times)
				w.sources[src] = at
				times = append(times, correlate.SourceTime{Tenant: seg.Tenant, Source: events[i].Get(storage.FieldSource), Time: events[i].Time})
			}
			of = src
		}
		times[at].Time = max(times[at].Time, events[i].Time)
	}
	return times
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
	part  []ask
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
		mod, bytes := c.asks[0].mod, 0
		part, rest := c.part[:0], c.asks[:0]
		for _, a := range c.asks {
			n := rowBytes(it.hits[a.hit].Event, mod)
			if a.mod == mod && len(part) < batchRecords && (len(part) == 0 || bytes+n <= batchBytes) {
				part, bytes = append(part, a), bytes+n
			} else {
				rest = append(rest, a)
			}
		}
		c.part, c.asks = part, rest
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

// rowBytes is at least what an event adds to a batch of rows. One event alone always fits: its fields are bounded together.
func rowBytes(e *storage.Event, mod *module.Loaded) int {
	if mod == nil {
		return 0
	}
	n := 8 + len(mod.Manifest.Reads)*abi.CellSize
	for _, name := range mod.Manifest.Reads {
		v, _ := rule.Value(e, name)
		n += len(v)
	}
	return n
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
	gaveUp := errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap)
	if err != nil && !gaveUp {
		return fmt.Errorf("evaluate frame %d with %s: %w", it.msg.Seq, mod.Name(), err)
	}
	before := len(it.poison)
	var last *Poison
	for _, x := range c.found.Poison {
		it.poison = append(it.poison, poisonOf(it.hits[part[x.Record].hit].Event, mod, x.Trap))
	}
	errs := len(it.poison) - before
	if gaveUp { // what was judged until then stands; the rest is no finding
		if errs == 0 {
			it.poison = append(it.poison, poisonOf(it.hits[part[0].hit].Event, mod, trap))
		}
		it.poison[len(it.poison)-1].Others = max(len(part)-errs-1, 0)
		errs = len(part)
	}
	if errs > 0 {
		last = &it.poison[len(it.poison)-1]
	}
	c.used.add(mod, len(part), len(c.found.List), c.found.Fuel, errs, last)
	for _, f := range c.found.List {
		h := &it.hits[part[f.Event].hit]
		delete(drop, part[f.Event].hit)
		h.Title, h.Severity = strings.ToValidUTF8(string(f.Title), "\uFFFD"), storage.Severity(f.Severity)
		if len(f.Key) > 0 {
			h.ExtraKey = []storage.Field{{Name: "finding", Value: strings.ToValidUTF8(string(f.Key), "\uFFFD")}}
		}
	}
	return nil
}

func poisonOf(e *storage.Event, mod *module.Loaded, t *runtime.Trap) Poison {
	return Poison{
		Tenant: e.Tenant, ID: e.ID, Module: mod, Code: t.Code, Detail: strings.ToValidUTF8(t.Detail, "\uFFFD"), Raw: []byte(e.Raw), Fuel: t.Fuel, Took: t.Took,
	}
}
