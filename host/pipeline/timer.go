package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/storage"
)

// timers is a batch of timers on its way to a module.
type timers struct {
	enc  abi.DueEncoder
	keys []string
	at   []int64
}

// take removes the timers of a space that are due, at most so many, makes a batch of them and returns how many they are.
func (t *timers) take(space *state.Space, seq uint64, logTime int64, most int) int {
	t.keys, t.at = t.keys[:0], t.at[:0]
	t.enc.Begin(seq, logTime)
	space.TakeDue(logTime, most, func(at int64, key string) {
		t.keys, t.at = append(t.keys, key), append(t.at, at)
		t.enc.Timer(at, []byte(key))
	})
	return len(t.keys)
}

// wake has the modules whose timers are due at a position answer them, and returns what they found. The timers of modules
// that do not run wait, and so does what is more than a position takes.
func (c *coder) wake(ctx context.Context, it *item, logTime int64) ([]correlate.Hit, error) {
	var hits []correlate.Hit
	last := storage.NoTenant
	for _, o := range c.state.Due() {
		view := it.gen.View(o.Tenant)
		mod := view.Module(o.Module)
		if mod == nil || mod.Manifest.StateVersion() != o.Version || mod.Code == nil || !mod.Code.Timed() {
			continue
		}
		if o.Tenant != last {
			c.begin()
			last = o.Tenant
		}
		r, sub := speaks(mod)
		if r != nil && view.Rules.Rule(r.ID) != r {
			r = nil // it is off
		}
		var err error
		if hits, err = c.ring(ctx, it, alarmed{o.Tenant, mod, r, sub}, logTime, hits); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

// alarmed is a module whose timers are due for an organization, and the rule and sub-pattern for which it speaks; nil: what
// it finds is dropped.
type alarmed struct {
	tenant storage.Tenant
	mod    *module.Loaded
	rule   *rule.Rule
	sub    int
}

// speaks returns the rule and the sub-pattern that the findings of a module's timers are of: the first with code.
func speaks(mod *module.Loaded) (*rule.Rule, int) {
	for _, r := range mod.Rules {
		for i := range r.Subs {
			if r.Subs[i].Match.Code {
				return r, i
			}
		}
	}
	return nil, 0
}

// ring hands a module its timers, batch by batch, and appends what it finds to hits.
func (c *coder) ring(ctx context.Context, it *item, a alarmed, logTime int64, hits []correlate.Hit) ([]correlate.Hit, error) {
	env, err := c.env(ctx, it, a.mod, a.tenant)
	if err != nil {
		return hits, err
	}
	for done := 0; done < MaxDuePerPosition && !c.resting(it, a.mod, a.tenant); {
		n := c.timers.take(env.State, it.msg.Seq, logTime, min(abi.MaxDuePerBatch, MaxDuePerPosition-done))
		if n == 0 {
			break
		}
		from := c.tally.begin()
		err := a.mod.Code.DueIn(ctx, env, c.timers.enc.Bytes(), &c.found)
		c.tally.end(StageDetect, from, c.found.Fuel)
		c.fuel += c.found.Fuel
		var trap *runtime.Trap
		gaveUp := errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap)
		if err != nil && !gaveUp {
			return hits, fmt.Errorf("wake %s at position %d: %w", a.mod.Name(), it.msg.Seq, err)
		}
		c.failed(it, a, done, n, trap)
		for _, f := range c.found.List {
			if h, ok := timed(&f, a, c.timers.at[f.Event], it.msg.Seq); ok {
				hits = append(hits, h)
			}
		}
		done += n
	}
	return hits, nil
}

// failed counts a batch of timers, and puts those in quarantine that the module fails on. trap is why it gave up.
func (c *coder) failed(it *item, a alarmed, done, n int, trap *runtime.Trap) {
	before := len(it.poison)
	for _, x := range c.found.Poison {
		it.poison = append(it.poison, c.poisonTimer(it, a, done, x.Record, x.Trap))
	}
	errs := len(it.poison) - before
	if trap != nil {
		if errs == 0 {
			it.poison = append(it.poison, c.poisonTimer(it, a, done, 0, trap))
		}
		it.poison[len(it.poison)-1].Others = max(n-errs-1, 0)
		errs = n
	}
	var last *Poison
	if errs > 0 {
		last = &it.poison[len(it.poison)-1]
	}
	used := usedBy(n, c.found.Fuel, errs, &c.found.Work)
	used[storage.Findings] = int64(len(c.found.List))
	c.tally.add(spent{a.mod, a.tenant, used, last})
}

// poisonTimer is a timer in quarantine: its key stands for the record, and its place is one that no event has.
func (c *coder) poisonTimer(it *item, a alarmed, done, n int, t *runtime.Trap) Poison {
	return Poison{
		Tenant: a.tenant, ID: storage.EventID{Seq: it.msg.Seq, Record: uint32(done + n), Ordinal: math.MaxUint16}, Module: a.mod,
		Code: t.Code, Detail: strings.ToValidUTF8(t.Detail, "\uFFFD"), Raw: []byte(c.timers.keys[n]), Fuel: t.Fuel, Took: t.Took,
	}
}

// timed makes a hit of what a timer's finding says: it stands for an event with the fields of its key, at the time of the
// timer, in the place of the newest event that led to it.
func timed(f *abi.Finding, a alarmed, at int64, seq uint64) (correlate.Hit, bool) {
	if a.rule == nil {
		return correlate.Hit{}, false
	}
	e := &storage.Event{ID: storage.EventID{Seq: seq}, Tenant: a.tenant, Time: at, Received: at}
	for line := range bytes.SplitSeq(f.Key, []byte{'\n'}) {
		name, value, _ := strings.Cut(strings.ToValidUTF8(string(line), "\uFFFD"), "=")
		if name == storage.FieldDataset {
			e.Stream = value
		} else {
			e.Fields = append(e.Fields, storage.Field{Name: name, Value: value})
		}
	}
	h := correlate.Hit{Rule: a.rule, Sub: a.sub, Event: e, Evidence: evidenceOf(f.Evidence, seq)}
	if n := len(h.Evidence); n > 0 {
		e.ID = h.Evidence[n-1].ID
	}
	h.Title, h.Severity = strings.ToValidUTF8(string(f.Title), "\uFFFD"), storage.Severity(f.Severity)
	return h, true
}

// refOf makes the reference of an event that a module may keep (ABI 20.4).
func refOf(e *storage.Event) (ref [abi.RefSize]byte) {
	le := binary.LittleEndian
	le.PutUint64(ref[:], e.ID.Seq)
	le.PutUint16(ref[8:], e.ID.Shard)
	le.PutUint16(ref[10:], e.ID.Segment)
	le.PutUint32(ref[12:], e.ID.Record)
	le.PutUint16(ref[16:], e.ID.Ordinal)
	le.PutUint64(ref[24:], uint64(e.Time))
	return ref
}

// evidenceOf reads references. What is none, or is of an event after a position, is left out.
func evidenceOf(refs []byte, seq uint64) (list []storage.Evidence) {
	le := binary.LittleEndian
	for ; len(refs) >= abi.RefSize; refs = refs[abi.RefSize:] {
		id := storage.EventID{
			Seq: le.Uint64(refs), Shard: le.Uint16(refs[8:]), Segment: le.Uint16(refs[10:]), Record: le.Uint32(refs[12:]), Ordinal: le.Uint16(refs[16:]),
		}
		if id.Seq > 0 && id.Seq <= seq && le.Uint32(refs[18:])|uint32(le.Uint16(refs[22:])) == 0 {
			list = append(list, storage.Evidence{ID: id, Time: int64(le.Uint64(refs[24:]))})
		}
	}
	return list
}
