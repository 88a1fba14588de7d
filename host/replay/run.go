package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// batchRecords is how many records are parsed at once. The sandbox forgets everything between two calls and reads each
// record alone, so how they were cut when they came makes no difference.
const batchRecords = 256

// run is one replay on its way.
type run struct {
	b       *Bundle
	lib     *module.Library
	scene   *scene
	begins  map[string]Begin // by rule; those of others are not looked at
	absence bool             // a rule is decided by time that passes
	parser  *pipeline.Parser
	matcher *pipeline.Matcher
	events  []storage.Event // computed, by position
	known   map[storage.EventID]bool
	hits    []frame
	out     Result
}

// frame is what the rules selected of the records that came together.
type frame struct {
	gen     *module.Generation
	seq     uint64
	logTime int64 // the newest receive time so far: log time was this or a little later
	times   []correlate.SourceTime
	hits    []correlate.Hit
}

// Run computes the incident of an export again: it parses each record in the sandbox with the parser that read it,
// compares the events, runs the rule over them and compares the incident. What people did (state, assignee, comments,
// their severity) is not computed. Compiled code is kept in cacheDir. An error says that the check could not be made.
func (b *Bundle) Run(ctx context.Context, cacheDir string) (res Result, err error) {
	dir, err := os.MkdirTemp("", "vedette-replay-")
	if err != nil {
		return res, fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	packages, err := layout.Open(dir)
	if err != nil {
		return res, fmt.Errorf("replay: %w", err)
	}
	for named, pkg := range b.packages {
		if d, err := packages.Push(ctx, pkg); err != nil {
			return res, fmt.Errorf("replay: %w", err)
		} else if d != named {
			return res, fmt.Errorf("replay: package %s is in truth %s: %w", named, d, registry.ErrCorrupt)
		}
	}
	rt, err := runtime.New(ctx, runtime.Config{CacheDir: cacheDir})
	if err != nil {
		return res, fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, rt.Close(context.WithoutCancel(ctx))) }()
	r := &run{
		b: b, parser: pipeline.NewParser(), matcher: pipeline.NewMatcher(), known: map[storage.EventID]bool{},
		lib: module.NewLibrary(module.Namespaces{Layout: packages}, rt, func(storage.Tenant, string) []runtime.Target { return nil }).With(table.Kept{From: b}),
	}
	for _, step := range []func(context.Context) error{r.loadRules, r.parse, r.match} {
		if err := step(ctx); err != nil {
			return r.out, fmt.Errorf("replay: %w", err)
		}
		if r.out.Difference != "" {
			return r.out, nil
		}
	}
	return r.out, r.judge()
}

// loadRules loads the rule of the incident and those whose firings it looks at.
func (r *run) loadRules(ctx context.Context) (err error) {
	if r.scene, err = newScene(ctx, r.b, r.lib); err != nil {
		return err
	}
	r.begins = map[string]Begin{r.b.Incident.Rule: r.b.Begins}
	for i := range r.b.Inner {
		r.begins[r.b.Inner[i].ID] = r.b.Inner[i].Begins
	}
	for id := range r.begins {
		one := r.scene.gen.View(r.b.Incident.Tenant).Rules.Rule(id)
		if one == nil {
			return fmt.Errorf("no package of the export has the rule %s: %w", id, storage.ErrInvalid)
		}
		_, absence := correlate.Horizon(one)
		r.absence = r.absence || absence
	}
	return nil
}

// reader returns a parser as it ran under a generation, nil when the export does not hold it.
func (b *Bundle) reader(name string, generation uint64) (in *module.Install) {
	for i := range b.Parsers { // by generation
		if p := &b.Parsers[i]; p.Install.Name == name && p.Generation <= generation {
			in = &p.Install
		}
	}
	return in
}

// parsing is what ran for a parser under a generation.
func (r *run) parsing(in module.Install, generation uint64) module.Running {
	own := r.b.Incident.Tenant
	return module.Running{Seq: generation, Layers: module.LayersOf(map[storage.Tenant]module.Layer{
		storage.NoTenant: {Tables: r.b.tablesAt(storage.NoTenant, generation+1)},
		own:              {Slots: map[string]module.Slot{in.Name: {Current: in}}, Tables: r.b.tablesAt(own, generation+1)},
	})}
}

// parse makes the events of all records again and compares them with those that are stored.
func (r *run) parse(ctx context.Context) error {
	type key struct {
		generation uint64
		name       string
		shard      uint16
	}
	groups, order := map[key][]int{}, []key{} // the first line of each record
	stored := map[storage.EventID]*storage.Event{}
	for i := range r.b.records {
		x := &r.b.records[i]
		stored[x.event.ID] = &x.event
		if i > 0 && recordOf(x.event.ID) == recordOf(r.b.records[i-1].event.ID) {
			continue
		}
		r.out.Records++
		k := key{x.Generation, x.Parser, x.event.ID.Shard}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	for _, k := range order {
		if k.name == "" {
			r.unread(groups[k])
			continue
		}
		in := r.b.reader(k.name, k.generation)
		if in == nil {
			return fmt.Errorf("parser %s of generation %d is not in the export: %w", k.name, k.generation, storage.ErrInvalid)
		}
		gen, err := module.Build(ctx, r.lib, nil, r.parsing(*in, k.generation), storage.NoTenant)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(groups[k], batchRecords) {
			if err := r.parseTogether(ctx, gen, part, stored); err != nil || r.out.Difference != "" {
				return err
			}
		}
	}
	for i := range r.b.records {
		if id := r.b.records[i].event.ID; !r.known[id] {
			r.out.Difference = fmt.Sprintf("event %s is stored, and its parser makes no such event of its record", id)
			return nil
		}
	}
	slices.SortFunc(r.events, func(a, b storage.Event) int { return compareIDs(a.ID, b.ID) })
	return nil
}

// recordOf is the position of an event's record.
func recordOf(id storage.EventID) storage.EventID {
	id.Ordinal = 0
	return id
}

// unread takes records that no parser had read as they are stored: there is nothing to compute.
func (r *run) unread(list []int) {
	for _, i := range list {
		r.out.Unread++
		e := r.b.records[i].event
		r.known[e.ID] = true
		r.events = append(r.events, e)
	}
}

func (r *run) parseTogether(ctx context.Context, gen *module.Generation, part []int, stored map[storage.EventID]*storage.Event) error {
	recs := make([]queue.Record, len(part))
	for i, at := range part {
		x := &r.b.records[at]
		listener, peer, _ := strings.Cut(x.Source, " ")
		recs[i] = queue.Record{
			Raw: []byte(x.Raw), Received: x.Received, Flags: x.Flags, Source: queue.Source{Listener: listener, Peer: peer},
		}
	}
	first := &r.b.records[part[0]]
	f := queue.Frame{
		Shard: first.event.ID.Shard, Seq: first.event.ID.Seq, LogTime: first.Received,
		Segments: []queue.Segment{{Tenant: r.b.Incident.Tenant, Records: recs}},
	}
	events, _, err := r.parser.Frame(ctx, gen, &f)
	if err != nil {
		return err
	}
	for i := range events {
		e := events[i]
		ordinal := e.ID.Ordinal
		e.ID = recordOf(r.b.records[part[e.ID.Record]].event.ID) // its own place again
		e.ID.Ordinal = ordinal
		if s := stored[e.ID]; s != nil {
			r.out.Events++
			r.known[e.ID] = true
			if pipeline.TakeEnriched(s, &e) {
				r.out.Enriched++
			}
			if d := differenceOf(s, &e); d != "" {
				r.out.Difference = fmt.Sprintf("event %s: stored %s", e.ID, d)
				if strings.Contains(s.Raw, "\uFFFD") {
					r.out.Difference += " (the record was not text, and the store keeps text)"
				}
				return nil
			}
		}
		r.events = append(r.events, e)
	}
	return nil
}

// match runs the rules' filters, and their code, over the events.
func (r *run) match(ctx context.Context) error {
	logTime := int64(0)
	for from := 0; from < len(r.events); {
		to, seq := from, r.events[from].ID.Seq
		var times []correlate.SourceTime
		for to < len(r.events) && r.events[to].ID.Seq == seq {
			e := &r.events[to]
			logTime = max(logTime, e.Received)
			times = append(times, correlate.SourceTime{Tenant: e.Tenant, Source: e.Get(storage.FieldSource), Time: e.Time})
			to++
		}
		if err := r.scene.at(ctx, seq); err != nil {
			return err
		}
		hits, poison, err := r.matcher.Match(ctx, r.scene.gen, seq, logTime, r.events[from:to])
		if err != nil {
			return err
		}
		for i := range poison {
			// Of a rule that remembers there are records of all keys: what failed on one was no finding then either.
			if p := &poison[i]; !p.Module.Stateful() {
				r.out.Difference = fmt.Sprintf("event %s: the rule's code fails on it: %s", p.ID, p.Code)
				return nil
			}
		}
		if hits = r.counting(hits); r.out.Difference != "" {
			return nil
		}
		r.hits = append(r.hits, frame{r.scene.gen, seq, logTime, times, hits})
		from = to
	}
	return nil
}

// counting returns the hits that count. An event of the incident's rule that is not stored is a difference, unless what
// other events of its record asked of lists is not known here.
func (r *run) counting(hits []correlate.Hit) []correlate.Hit {
	return slices.DeleteFunc(hits, func(h correlate.Hit) bool {
		begins, counts := r.begins[h.Rule.ID]
		if !counts || !begins.has(h.Event) {
			return true
		}
		known := r.known[h.Event.ID]
		if !known && h.Rule.ID == r.b.Incident.Rule && len(detect.ListsOf(h.Rule)) == 0 {
			r.out.Difference = fmt.Sprintf("event %s is selected by the rule and is not stored", h.Event.ID)
		}
		return !known
	})
}

// counted has rules look at the firings of others, as far as they count.
type counted struct {
	correlate.Nesting
	*run
}

// Firing implements correlate.Nesting.
func (c counted) Firing(id string, ev *storage.Event) []correlate.Hit {
	return slices.DeleteFunc(c.Nesting.Firing(id, ev), func(h correlate.Hit) bool {
		begins, counts := c.begins[h.Rule.ID]
		return !counts || !begins.has(ev)
	})
}
