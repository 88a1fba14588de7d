package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// worker does what needs nothing but a frame and its generation: parse and match.
type worker struct {
	tally   *tally
	parse   *Parser
	scratch detect.Scratch
	code    coder
	rank    *ranker              // nil: nobody wants to know what rules saw
	sources map[queue.Source]int // of this segment: index in its times
	dropped *atomic.Uint64       // records of organizations that were removed
}

func (p *Pipeline) work(ctx context.Context, in <-chan *item) error {
	tally := &tally{costs: p.Cost}
	w := &worker{tally: tally, parse: newParser(tally), code: coder{tally: tally}, rank: &p.ranker, sources: map[queue.Source]int{}, dropped: &p.dropped}
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
	w.parse.build.slab, w.tally.list = it.fields, it.spent
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
		w.tally.add(kept(&it.frame.Segments[s], it.events[from:]))
	}
	it.fields, w.parse.build.slab = w.parse.build.slab, nil
	t.end(StageParse, 0)
	if err := w.detect(ctx, it); err != nil {
		return err
	}
	it.spent, w.tally.list = w.tally.list, nil
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

// detect matches the events with the rules of their tenants, in order. Hits of code rules are put to their modules, but
// for those of modules that remember.
func (w *worker) detect(ctx context.Context, it *item) error {
	for i := 0; i < len(it.events); {
		t := it.events[i].Tenant
		view := it.gen.View(t)
		w.code.begin()
		for ; i < len(it.events) && it.events[i].Tenant == t; i++ {
			e := &it.events[i]
			for _, h := range view.Rules.Match(e, &w.scratch) {
				w.code.hit(it, view.Code(h.Rule), correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: e})
			}
		}
		if err := w.code.decide(ctx, it); err != nil {
			return err
		}
		if shared := view.Rules.Shared(); w.rank != nil && shared != nil && w.scratch.Seen() >= rankEvery {
			w.rank.add(shared, w.scratch.Shares())
		}
	}
	return nil
}
