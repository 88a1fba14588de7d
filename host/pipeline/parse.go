package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// What crosses into a module at once. Both depend on the frame alone, so every replay cuts alike.
const (
	batchRecords = 256      // 16 to 256 are best, more fall out of the cache
	batchBytes   = 64 << 10 // its answer, several times as long, fits an ordinary instance; a longer record crosses alone
)

// Poison is a record that a module could not survive.
type Poison struct {
	Tenant storage.Tenant
	ID     storage.EventID // of the record; the ordinal is 0
	Module *module.Loaded
	Code   string
	Detail string
	Raw    []byte // as received; it is not written again
	Others int    // further records that were given up because of this one, without a verdict of their own
	Fuel   int64  // that the failed call took
	Took   time.Duration
}

// pending is a record on its way through the parsers.
type pending struct {
	rec    *queue.Record
	index  int // in the segment
	raw    string
	ask    []*module.Loaded // parsers still to be asked
	first  int              // what the parser made of it: built[first : first+events]
	events int
	by     *module.Loaded // who recognised it
	failed string         // why whoever recognised it gave up
	done   bool
	drop   bool
}

// next strikes out the parser that was asked.
func (r *pending) next() { r.ask = r.ask[1:] }

// Parser turns the records of frames into events. It belongs to one goroutine.
type Parser struct {
	view    *module.View // of the segment at hand
	build   *builder
	route   module.RouteScratch
	enc     abi.RecordsEncoder
	recs    []pending
	groups  []group
	asks    []*module.Loaded // slab of the records' ask lists
	built   []made           // of this segment, in the order of their making
	res     runtime.Result
	fuel    int64 // that the segment has taken
	tally   *tally
	source  []byte
	ordinal uint16
	genSeq  uint64
	genText string
	from    queue.Source // of the record before, and as text
	fromTxt string

	indicators indicator.Matcher
}

// made is an event without the fields that the host adds.
type made struct {
	event     storage.Event
	canonical bool
}

// group is the records that are to be handed to one module at once.
type group struct {
	mod  *module.Loaded
	recs []int
}

func newParser(t *tally) *Parser { return &Parser{build: newBuilder(), tally: t} }

// segment appends the events of one segment to events, in the order of its records, and what was poison.
//
// Each record is offered to its parsers in the order of routing until one takes it. All records that wait for the same
// module cross together, so a frame costs one crossing per module and batch, not one per record.
func (p *Parser) segment(ctx context.Context, gen *module.Generation, f *queue.Frame, s int, events []storage.Event, poison []Poison) ([]storage.Event, []Poison, error) {
	seg := &f.Segments[s]
	p.start(gen.View(seg.Tenant), seg)
	rests := gen.Running.Layer(seg.Tenant).Rests
	for {
		p.group()
		if len(p.groups) == 0 {
			break
		}
		for i := range p.groups {
			g := &p.groups[i]
			if r := rests[g.mod.Name()]; r.At(f.LogTime) {
				p.refuse(g.recs, seg.Tenant, g.mod, r.Reason)
				continue
			}
			for at := 0; at < len(g.recs); {
				part := g.recs[at : at+p.fit(g.recs[at:])]
				at += len(part)
				if p.fuel > MaxFrameFuel {
					p.refuse(part, seg.Tenant, g.mod, frameFuelSpent)
					continue
				}
				var err error
				if poison, err = p.call(ctx, f, s, g.mod, part, poison); err != nil {
					return events, poison, err
				}
			}
		}
	}
	for i := range p.recs {
		events = p.finish(gen, f, s, &p.recs[i], events)
	}
	return events, poison, nil
}

// refuse keeps records from a module. They stay what they are, with the reason.
func (p *Parser) refuse(recs []int, t storage.Tenant, mod *module.Loaded, reason string) {
	for _, i := range recs {
		p.recs[i].done, p.recs[i].failed = true, mod.Name()+" was not asked: "+reason
	}
	p.tally.add(spent{mod: mod, tenant: t, used: storage.Used{storage.Skipped: int64(len(recs))}})
}

// fit returns how many of the records cross together.
func (p *Parser) fit(recs []int) (n int) {
	bytes := 0
	for n < min(len(recs), batchRecords) {
		rec := p.recs[recs[n]].rec
		bytes += abi.RecordSize + len(rec.Raw) + len(rec.Source.Listener) + len(rec.Source.Peer) + 1
		if bytes > batchBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

// start routes the records of a segment. Events share the bytes of the message, which are never written again.
func (p *Parser) start(view *module.View, seg *queue.Segment) {
	p.view, p.fuel = view, 0
	clear(p.built)
	p.recs, p.asks, p.built = p.recs[:0], p.asks[:0], p.built[:0]
	for i := range seg.Records {
		rec := &seg.Records[i]
		from := len(p.asks)
		p.asks = view.Route(p.asks, rec.Raw, rec.Source.Listener, &p.route)
		p.recs = append(p.recs, pending{rec: rec, index: i, raw: unsafe.String(unsafe.SliceData(rec.Raw), len(rec.Raw)), ask: p.asks[from:len(p.asks):len(p.asks)]})
	}
}

// group gathers the records that are not done yet by the next module that they ask.
func (p *Parser) group() {
	for i := range p.groups {
		p.groups[i].recs = p.groups[i].recs[:0]
	}
	n := 0
	for i := range p.recs {
		r := &p.recs[i]
		if r.done || len(r.ask) == 0 {
			continue
		}
		mod := r.ask[0]
		g := 0
		for g < n && p.groups[g].mod != mod {
			g++
		}
		if g == n {
			if n == len(p.groups) {
				p.groups = append(p.groups, group{})
			}
			p.groups[n].mod = mod
			n++
		}
		p.groups[g].recs = append(p.groups[g].recs, i)
	}
	p.groups = p.groups[:n]
}

// call hands records to a module and takes its answer. The error is no verdict on the module: the machine stalled, or
// ctx ended.
func (p *Parser) call(ctx context.Context, f *queue.Frame, s int, mod *module.Loaded, part []int, poison []Poison) ([]Poison, error) {
	p.enc.Begin(len(part), f.Seq, f.LogTime)
	for _, i := range part {
		rec := p.recs[i].rec
		p.enc.Add(rec.Raw, p.sourceOf(rec), rec.Received, uint32(rec.Flags)&abi.RecordTruncated)
	}
	from := p.tally.begin()
	err := mod.Code.ParseIn(ctx, runtime.Env{Tables: p.view}, p.enc.Bytes(), &p.res)
	p.tally.end(StageParse, from, p.res.Fuel)
	p.fuel += p.res.Fuel
	var trap *runtime.Trap
	gaveUp := errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap)
	if err != nil && !gaveUp {
		return poison, fmt.Errorf("parse frame %d with %s: %w", f.Seq, mod.Name(), err)
	}
	for _, i := range part {
		p.recs[i].next()
	}
	before := len(poison)
	for _, x := range p.res.Poison {
		poison = append(poison, p.fail(f, s, part[x.Record], mod, x.Trap))
	}
	errs := len(p.res.Poison)
	if gaveUp { // what was judged until then stands
		rest := part[judged(&p.res):]
		poison = append(poison, p.fail(f, s, rest[0], mod, trap))
		poison[len(poison)-1].Others = len(rest) - 1
		for _, i := range rest[1:] {
			p.recs[i].done, p.recs[i].failed = true, mod.Name()+" failed on too many records that came with this one"
		}
		errs += len(rest)
	}
	events := 0
	for i := range p.res.Parts {
		n, err := p.take(f, s, mod, part, &p.res.Parts[i])
		if err != nil {
			return poison, err
		}
		events += n
	}
	var last *Poison
	if len(poison) > before {
		last = &poison[len(poison)-1]
	}
	used := usedBy(len(part), p.res.Fuel, errs, &p.res.Work)
	used[storage.Events] = int64(events)
	for _, i := range part {
		used[storage.BytesIn] += int64(len(p.recs[i].rec.Raw))
	}
	p.tally.add(spent{mod, f.Segments[s].Tenant, used, last})
	return poison, nil
}

// judged returns how many records, from the front, have a verdict.
func judged(r *runtime.Result) (n int) {
	if len(r.Parts) > 0 {
		last := &r.Parts[len(r.Parts)-1]
		n = last.First + last.Events.Records
	}
	if len(r.Poison) > 0 {
		n = max(n, r.Poison[len(r.Poison)-1].Record+1)
	}
	return n
}

// fail notes that a module could not survive a record.
func (p *Parser) fail(f *queue.Frame, s, i int, mod *module.Loaded, t *runtime.Trap) Poison {
	r := &p.recs[i]
	what, _, _ := strings.Cut(t.Detail, "\n") // the trace is in the quarantine
	r.done, r.failed = true, mod.Name()+" failed: "+t.Code+": "+what
	return Poison{
		Tenant: f.Segments[s].Tenant, ID: storage.EventID{Seq: f.Seq, Shard: f.Shard, Segment: uint16(s), Record: uint32(r.index)},
		Module: mod, Code: t.Code, Detail: strings.ToValidUTF8(t.Detail, "\uFFFD"), Raw: r.rec.Raw, Fuel: t.Fuel, Took: t.Took,
	}
}

// take builds the events of one stretch of an answer, which the runtime has checked.
func (p *Parser) take(f *queue.Frame, s int, mod *module.Loaded, part []int, x *runtime.Part) (events int, err error) {
	ev := &x.Events
	for k := range ev.Records {
		r := &p.recs[part[x.First+k]]
		outcome, why, err := ev.Outcome(k)
		if err != nil {
			return events, err
		}
		switch outcome {
		case abi.OK, abi.Drop:
			r.done, r.drop, r.by = true, outcome == abi.Drop, mod
		case abi.Failed:
			r.done, r.by, r.failed = true, mod, mod.Name()+": "+string(why)
		}
	}
	t := textsOf(ev.Arena())
	pos, prev := 0, uint32(0)
	for n := range ev.Count {
		var v abi.Event
		if v, pos, err = ev.Next(pos, prev); err != nil {
			return events, err
		}
		r := &p.recs[part[x.First+int(v.Record)]]
		if n == 0 || v.Record != prev {
			p.ordinal = 0
			t.record(r.raw)
		}
		prev = v.Record
		if r.events == 0 {
			r.first = len(p.built)
		}
		r.events++
		p.built = append(p.built, made{event: storage.Event{
			ID:     storage.EventID{Seq: f.Seq, Shard: f.Shard, Segment: uint16(s), Record: uint32(r.index), Ordinal: p.ordinal},
			Tenant: f.Segments[s].Tenant, Received: r.rec.Received, Raw: r.raw,
		}})
		e := &p.built[len(p.built)-1]
		e.canonical = p.build.event(&e.event, &v, &mod.Manifest, &t)
		adjust(&e.event, v.Time)
		p.ordinal++
		events++
	}
	return events, nil
}

// finish appends a record's events in canonical form; a record that no parser has read is kept as unparsed, since
// evidence outranks tidiness.
func (p *Parser) finish(gen *module.Generation, f *queue.Frame, s int, r *pending, events []storage.Event) []storage.Event {
	if r.events == 0 {
		e := storage.Event{
			ID:     storage.EventID{Seq: f.Seq, Shard: f.Shard, Segment: uint16(s), Record: uint32(r.index)},
			Tenant: f.Segments[s].Tenant, Time: r.rec.Received, Received: r.rec.Received, Raw: r.raw,
			Fields: p.build.take(hostFields + 2),
		}
		r.explain(&e)
		p.host(gen, r, &e)
		storage.Canonical(&e)
		return append(events, e)
	}
	for i := range p.built[r.first : r.first+r.events] {
		m := &p.built[r.first+i]
		if !p.host(gen, r, &m.event) || !m.canonical {
			storage.Canonical(&m.event)
		}
		p.enrich(&m.event)
		events = append(events, m.event)
	}
	return events
}

// host adds the fields that the host knows, and reports whether an event that was in canonical form still is.
func (p *Parser) host(gen *module.Generation, r *pending, e *storage.Event) (canonical bool) {
	source, parser, digest := p.sourceOf(r.rec), "", ""
	e.Fields = append(e.Fields, storage.Field{Name: storage.FieldSource, Value: source},
		storage.Field{Name: storage.FieldGeneration, Value: p.generation(gen)})
	if r.by != nil {
		parser, digest = r.by.Name(), r.by.Short()
		e.Fields = append(e.Fields, storage.Field{Name: storage.FieldParser, Value: parser},
			storage.Field{Name: storage.FieldDigest, Value: digest})
		if e.Stream == "" {
			e.Stream = r.by.Manifest.Name
		}
	}
	if text := flagText[r.rec.Flags&(queue.FlagTruncated|queue.FlagBadFraming)]; text != "" {
		e.Fields = append(e.Fields, storage.Field{Name: FieldFlags, Value: text})
	}
	return isASCII(source) && parser != "" && digest != "" && isASCII(parser) && len(e.Stream) <= storage.MaxStreamBytes
}

// explain says why a record has no events of its own.
func (r *pending) explain(e *storage.Event) {
	switch {
	case r.drop:
		e.Fields = append(e.Fields, storage.Field{Name: fieldKind, Value: "event"}, storage.Field{Name: FieldDropped, Value: "true"})
		return
	case r.failed == "":
		r.failed = "no parser knows this record"
	}
	e.Stream = streamUnparsed
	e.Fields = append(e.Fields, storage.Field{Name: fieldKind, Value: KindUnparsed}, storage.Field{Name: fieldError, Value: r.failed})
}

// sourceOf returns a record's source as text, made once for a run of records.
func (p *Parser) sourceOf(rec *queue.Record) string {
	if p.from != rec.Source || p.fromTxt == "" {
		p.source = append(append(append(p.source[:0], rec.Source.Listener...), ' '), rec.Source.Peer...)
		p.from, p.fromTxt = rec.Source, p.build.keep(p.source)
	}
	return p.fromTxt
}

// generation returns the generation's number as text, made once for each.
func (p *Parser) generation(g *module.Generation) string {
	if p.genSeq != g.Seq || p.genText == "" {
		p.genSeq, p.genText = g.Seq, strconv.FormatUint(g.Seq, 10)
	}
	return p.genText
}

// NewParser returns a parser for use outside a running pipeline: trying records on a module, or parsing a file.
func NewParser() *Parser { return newParser(nil) }

// Frame returns the events of a frame under a generation, in the order of its records, and what was poison. Events and
// poison share the bytes of the frame's records, which must not be written again.
func (p *Parser) Frame(ctx context.Context, gen *module.Generation, f *queue.Frame) ([]storage.Event, []Poison, error) {
	var events []storage.Event
	var poison []Poison
	p.build.slab = nil
	for s := range f.Segments {
		var err error
		if events, poison, err = p.segment(ctx, gen, f, s, events, poison); err != nil {
			return nil, nil, err
		}
	}
	return events, poison, nil
}
