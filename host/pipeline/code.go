package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/state"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// coder puts the hits of code rules to their modules: the rule document selected the events, the module decides. Modules
// without state are asked by the workers, those that remember by the sequencer, in log order.
type coder struct {
	tally *tally
	state *state.State // of the sequencer's; nil: no module that remembers is asked

	// rebuild has a module that begins anew for an organization look back; nil: it begins with nothing.
	rebuild func(ctx context.Context, it *item, mod *module.Loaded, t storage.Tenant) error

	tables runtime.Tables // of a trial; nil: those of the organization
	asks   []ask
	part   []ask
	fuel   int64        // that the organization's hits of this frame have taken
	drop   map[int]bool // hits that were asked about and are not confirmed
	more   []further
	others map[other]int // where they are in more
	rows   abi.RowsEncoder
	timers timers
	found  runtime.Findings
}

// ask is one hit that a module has to confirm.
type ask struct {
	mod *module.Loaded
	hit int
}

// further is a hit that a module found in an event beside another one.
type further struct {
	beside int // the hit that was asked about
	hit    correlate.Hit
}

type other struct {
	beside int
	key    string
}

// begin is called for each organization of a frame.
func (c *coder) begin() { c.asks, c.fuel = c.asks[:0], 0 }

// decide keeps, of the hits that were asked about, those that their modules confirm.
func (c *coder) decide(ctx context.Context, it *item) error {
	if len(c.asks) == 0 {
		return nil
	}
	c.drop = map[int]bool{}
	if err := c.judge(ctx, it); err != nil {
		return err
	}
	c.keep(it)
	return nil
}

// late is decide for the hits of modules that remember. Those of one organization are put to each of its modules in
// their order.
func (c *coder) late(ctx context.Context, it *item) error {
	if len(it.late) == 0 {
		return nil
	}
	c.drop = map[int]bool{}
	for all := it.late; len(all) > 0; {
		t, n := it.hits[all[0].hit].Event.Tenant, 1
		for n < len(all) && it.hits[all[n].hit].Event.Tenant == t {
			n++
		}
		c.begin()
		c.asks = append(c.asks, all[:n]...)
		all = all[n:]
		if err := c.judge(ctx, it); err != nil {
			return err
		}
	}
	it.late = it.late[:0]
	c.keep(it)
	return nil
}

// judge puts all asks, which are of one organization, to their modules.
func (c *coder) judge(ctx context.Context, it *item) error {
	for len(c.asks) > 0 {
		mod, bytes := c.asks[0].mod, 0
		part, rest, full := c.part[:0], c.asks[:0], false
		for _, a := range c.asks {
			n := rowBytes(it.hits[a.hit].Event, mod)
			if a.mod == mod && !full && len(part) < batchRecords && (len(part) == 0 || bytes+n <= batchBytes) {
				part, bytes = append(part, a), bytes+n
			} else {
				full = full || a.mod == mod // what comes later must not overtake it
				rest = append(rest, a)
			}
		}
		c.part, c.asks = part, rest
		if err := c.call(ctx, it, mod, part); err != nil {
			return err
		}
	}
	return nil
}

// keep takes out the hits that are to be dropped and puts in further ones. Those that wait for the sequencer are told their
// new places.
func (c *coder) keep(it *item) {
	kept, waits, more := it.hits[:0], it.late, c.more
	if len(more) > 0 {
		slices.SortStableFunc(more, func(a, b further) int { return a.beside - b.beside })
		kept = make([]correlate.Hit, 0, len(it.hits)+len(more))
	}
	for i, h := range it.hits {
		if c.drop[i] {
			continue
		}
		if len(waits) > 0 && waits[0].hit == i {
			waits[0].hit = len(kept)
			waits = waits[1:]
		}
		kept = append(kept, h)
		for len(more) > 0 && more[0].beside == i {
			kept, more = append(kept, more[0].hit), more[1:]
		}
	}
	it.hits, c.more = kept, c.more[:0]
	clear(c.others)
}

// rowBytes is at least what an event adds to a batch of rows. One event alone always fits: its fields are bounded together.
func rowBytes(e *storage.Event, mod *module.Loaded) int {
	if mod == nil {
		return 0
	}
	n := 8 + abi.RefSize + len(mod.Manifest.Reads)*abi.CellSize
	for _, name := range mod.Manifest.Reads {
		if name == wholeEvent {
			n += wholeBytes(e)
			continue
		}
		v, _ := rule.Value(e, name)
		n += len(v)
	}
	return n
}

// env is what a module may use of the organization whose hits it is asked about.
func (c *coder) env(ctx context.Context, it *item, mod *module.Loaded, t storage.Tenant) (runtime.Env, error) {
	e := runtime.Env{Tables: c.tables}
	if it.gen != nil {
		e.Tables = it.gen.View(t)
	}
	if c.state == nil || !mod.Stateful() {
		return e, nil
	}
	name, version := mod.Name(), mod.Manifest.StateVersion()
	if c.rebuild != nil && mod.Manifest.LooksBack() && c.state.Rebuilds(t, name, version) {
		if err := c.rebuild(ctx, it, mod, t); err != nil {
			return e, err
		}
	}
	e.State = c.state.Of(t, name, version)
	return e, nil
}

func (c *coder) call(ctx context.Context, it *item, mod *module.Loaded, part []ask) error {
	for _, a := range part {
		c.drop[a.hit] = true
	}
	if mod == nil {
		return nil // the rule has no code: its document alone does not suffice
	}
	encodeRows(&c.rows, mod, it.msg.Seq, it.msg.LogTime, len(part), func(k int) *storage.Event { return it.hits[part[k].hit].Event })
	tenant, from := it.hits[part[0].hit].Event.Tenant, c.tally.begin()
	if c.resting(it, mod, tenant) { // what it does not confirm is no finding
		c.tally.add(spent{mod: mod, tenant: tenant, used: storage.Used{storage.Skipped: int64(len(part))}})
		return nil
	}
	env, err := c.env(ctx, it, mod, tenant)
	if err != nil {
		return err
	}
	err = mod.Code.EvalIn(ctx, env, c.rows.Bytes(), &c.found)
	c.tally.end(StageDetect, from, c.found.Fuel)
	c.fuel += c.found.Fuel
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
	used := usedBy(len(part), c.found.Fuel, errs, &c.found.Work)
	used[storage.Findings], used[storage.BytesIn] = int64(len(c.found.List)), int64(len(c.rows.Bytes()))
	c.tally.add(spent{mod, tenant, used, last})
	for _, f := range c.found.List {
		c.confirm(it, part[f.Event].hit, &f)
	}
	return nil
}

// confirm makes a finding of the hit that was asked about, or a further hit if that has a finding with another key.
func (c *coder) confirm(it *item, at int, f *abi.Finding) {
	h, name := &it.hits[at], strings.ToValidUTF8(string(f.Key), "\uFFFD")
	var key []storage.Field
	if name != "" {
		key = []storage.Field{{Name: "finding", Value: name}}
	}
	if !c.drop[at] && !slices.Equal(h.ExtraKey, key) {
		i, known := c.others[other{at, name}]
		if !known {
			if c.others == nil {
				c.others = map[other]int{}
			}
			i = len(c.more)
			c.others[other{at, name}] = i
			c.more = append(c.more, further{at, *h})
		}
		h = &c.more[i].hit
	}
	delete(c.drop, at)
	h.Title, h.Severity, h.ExtraKey = strings.ToValidUTF8(string(f.Title), "\uFFFD"), storage.Severity(f.Severity), key
	h.Evidence = evidenceOf(f.Evidence, it.msg.Seq)
}

// encodeRows makes a batch of n events for a rule's module. One that remembers is given references to them.
func encodeRows(rows *abi.RowsEncoder, mod *module.Loaded, seq uint64, logTime int64, n int, event func(k int) *storage.Event) {
	reads, refs := mod.Manifest.Reads, mod.Stateful()
	if refs {
		rows.BeginRefs(n, len(reads), seq, logTime)
	} else {
		rows.Begin(n, len(reads), seq, logTime)
	}
	for k := range n {
		e := event(k)
		rows.Event(e.Time)
		if refs {
			ref := refOf(e)
			rows.Ref(ref[:])
		}
		for col, name := range reads {
			if name == wholeEvent {
				rows.CellOf(col, func(b []byte) []byte { return appendWhole(b, e) })
			} else if v, ok := rule.Value(e, name); ok {
				rows.Cell(col, v)
			}
		}
	}
}

// wholeEvent is the name of the column that holds all of an event (ABI 6.4).
const wholeEvent = "*"

func appendWhole(b []byte, e *storage.Event) []byte {
	for i := range e.Fields {
		b = abi.AppendField(b, e.Fields[i].Name, e.Fields[i].Value)
	}
	if e.Stream != "" {
		b = abi.AppendField(b, storage.FieldDataset, e.Stream)
	}
	if e.Raw != "" {
		b = abi.AppendField(b, rule.FieldOriginal, e.Raw)
	}
	return b
}

// wholeBytes is at least what appendWhole appends.
func wholeBytes(e *storage.Event) int {
	n := 64 + len(e.Stream) + len(e.Raw)
	for i := range e.Fields {
		n += 8 + len(e.Fields[i].Name) + len(e.Fields[i].Value)
	}
	return n
}

// resting reports whether a module is not to be asked about hits of this message.
func (c *coder) resting(it *item, mod *module.Loaded, t storage.Tenant) bool {
	if it.gen == nil { // a trial
		return false
	}
	return c.fuel > MaxFrameFuel || it.gen.Running.Resting(t, mod.Name(), it.msg.LogTime) != ""
}

func poisonOf(e *storage.Event, mod *module.Loaded, t *runtime.Trap) Poison {
	return Poison{
		Tenant: e.Tenant, ID: e.ID, Module: mod, Code: t.Code, Detail: strings.ToValidUTF8(t.Detail, "\uFFFD"), Raw: []byte(e.Raw), Fuel: t.Fuel, Took: t.Took,
	}
}

// hit adds a hit of an event. When the rule has code, its module is asked about it: at once, or later in log order if it
// remembers.
func (c *coder) hit(it *item, mod *module.Loaded, h correlate.Hit) {
	if h.Rule.Subs[h.Sub].Match.Code {
		if a := (ask{mod, len(it.hits)}); mod != nil && mod.Stateful() {
			it.late = append(it.late, a)
		} else {
			c.asks = append(c.asks, a)
		}
	}
	it.hits = append(it.hits, h)
}
