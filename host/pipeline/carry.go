package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/state"
	sdkstate "github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Carried says what became of what one rule knew when another version of its module took over, in all organizations that
// the change concerns together.
type Carried struct {
	Rule          string         // id of a declarative rule, or name of a module whose code remembers
	How           manifest.Carry // of code; "" of a declarative rule
	From, To      uint32         // of code: state versions
	Organizations int
	Kept, Dropped int           // keys
	Restarted     []string      // sub-patterns of a declarative rule that begin anew, by name
	Missing       time.Duration // of state that was brought back: how long nothing was added to it
	Failed        string        // why code could not migrate its state; it begins with nothing and is rolled back
}

// String says it for people.
func (c Carried) String() string {
	keys := func(n int) string {
		if n == 1 {
			return "1 key"
		}
		return fmt.Sprintf("%d keys", n)
	}
	switch {
	case c.Failed != "":
		return fmt.Sprintf("%s: %s kept as state %d could not be migrated and are set aside, and the version is rolled back: %s", c.Rule, keys(c.Dropped), c.From, c.Failed)
	case c.How == manifest.Shared:
		return fmt.Sprintf("%s: %s shared with the version before", c.Rule, keys(c.Kept))
	case c.How == manifest.Migrated:
		return fmt.Sprintf("%s: %s migrated from state %d to %d; what was there is set aside while the version is on probation", c.Rule, keys(c.Kept), c.From, c.To)
	case c.How == manifest.Rebuilt:
		return fmt.Sprintf("%s: rebuilt from stored events when an organization's next event comes; %s of state %d are set aside while the version is on probation", c.Rule, keys(c.Dropped), c.From)
	case c.How == state.Returned:
		return fmt.Sprintf("%s: %s of state %d are back, without what came in the last %s", c.Rule, keys(c.Kept), c.To, c.Missing.Round(time.Second))
	case c.How == manifest.Dropped:
		return fmt.Sprintf("%s: what it remembered is dropped: %s of state %d, and it keeps state %d; they are set aside while the version is on probation", c.Rule, keys(c.Dropped), c.From, c.To)
	case len(c.Restarted) > 0 && c.Kept > 0:
		return fmt.Sprintf("rule %s: %s kept, %s dropped; %s begins anew", c.Rule, keys(c.Kept), keys(c.Dropped), strings.Join(c.Restarted, ", "))
	case c.Dropped > 0:
		return fmt.Sprintf("rule %s: %s kept, %s dropped", c.Rule, keys(c.Kept), keys(c.Dropped))
	}
	return fmt.Sprintf("rule %s: %s kept", c.Rule, keys(c.Kept))
}

// carry tells what is kept which rules run from here on, and what their modules keep it as. An error is the machine's.
func (s *sequencer) carry(ctx context.Context, it *item) error {
	gen, c := it.gen, it.control
	parts := c.Each()
	for i := range parts {
		s.p.drift.settle(gen.Running, &parts[i], gen.View(c.Tenant).Module(parts[i].Name), s.at)
	}
	var sum carriedSum
	var broken error
	each := func(t storage.Tenant) {
		view := gen.View(t)
		for _, x := range s.p.state.SetRules(t, func(id string) *rule.Rule { return view.Rules.Rule(id) }) {
			sum.declared(&x)
		}
		settled := s.p.kept.Settle(t, s.p.cfg.Probation.Length, func(name string) (state.Next, bool) { return s.next(ctx, it, t, name) })
		for i := range settled {
			sum.coded(&settled[i], s.at)
			if err := settled[i].Err; err != nil && !verdict(err) && !errors.Is(err, sdkstate.ErrRoom) {
				broken = fmt.Errorf("control record %d: migrate the state of %s: %w", s.seq, settled[i].Module, err)
			} else if err != nil {
				s.amend(takeOut(gen.Running, view.Module(settled[i].Module), "its state could not be migrated: "+err.Error()))
			}
		}
		for _, part := range parts {
			if part.Kind != module.Activate && part.Kind != module.Rollback {
				continue
			}
			if n := s.p.kept.Keys(t, part.Name); n > 0 && !slices.ContainsFunc(settled, func(x state.Carried) bool { return x.Module == part.Name }) {
				sum.coded(&state.Carried{Module: part.Name, How: manifest.Shared, After: n}, s.at)
			}
		}
	}
	if c.Tenant != storage.NoTenant {
		each(c.Tenant)
	} else {
		for _, t := range mergeTenants(s.p.state.Tenants(), s.p.kept.Tenants()) {
			each(t)
		}
	}
	if s.seq >= s.p.liveFrom && len(sum.list) > 0 {
		s.carried[s.seq] = sum.list
	}
	return broken
}

// next says how a module that runs for a tenant keeps its state.
func (s *sequencer) next(ctx context.Context, it *item, t storage.Tenant, name string) (state.Next, bool) {
	m := it.gen.View(t).Module(name)
	if m == nil {
		return state.Next{}, false
	}
	return state.Next{
		Version: m.Manifest.StateVersion(), Carry: m.Manifest.Carry,
		Migrate: func(from uint32, old, into *sdkstate.Space) error {
			if m.Code == nil {
				return fmt.Errorf("%s has no code: %w", name, storage.ErrInvalid)
			}
			fuel, work, err := m.Code.Migrate(context.WithoutCancel(ctx), it.msg.Seq, s.at, from, old, into)
			used := usedBy(old.Len(), fuel, 0, &work)
			s.count(storage.Consumer{Tenant: t, Module: name, Shared: m.Tenant == storage.NoTenant}, &used)
			return err
		},
	}, true
}

// mergeTenants returns the tenants of two ascending lists, ascending.
func mergeTenants(a, b []storage.Tenant) []storage.Tenant {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// carriedSum adds up what became of the state of rules, over organizations.
type carriedSum struct{ list []Carried }

func (c *carriedSum) of(rule string, how manifest.Carry, from uint32, failed bool) *Carried {
	for i := range c.list {
		if x := &c.list[i]; x.Rule == rule && x.How == how && x.From == from && (x.Failed != "") == failed {
			return x
		}
	}
	c.list = append(c.list, Carried{Rule: rule, How: how, From: from})
	return &c.list[len(c.list)-1]
}

func (c *carriedSum) declared(x *correlate.Carried) {
	if x.Kept+x.Dropped == 0 {
		return
	}
	sum := c.of(x.Rule, "", 0, false)
	sum.Organizations++
	sum.Kept += x.Kept
	sum.Dropped += x.Dropped
	sum.Restarted = x.Restarted
}

func (c *carriedSum) coded(x *state.Carried, now int64) {
	sum := c.of(x.Module, x.How, x.From, x.Err != nil)
	sum.To = x.To
	sum.Organizations++
	sum.Kept += x.After
	switch {
	case x.Err != nil:
		sum.Failed = x.Err.Error()
		sum.Dropped += x.Before
	case x.How == manifest.Dropped || x.How == manifest.Rebuilt:
		sum.Dropped += x.Before
	case x.How == state.Returned:
		sum.Missing = max(sum.Missing, time.Duration(now-x.At))
	}
}

// amend has a control record written that follows from what was processed. What is read again at a start decides alike:
// by then the record may be in the log already, so it is written when the log has been read to its end, unless it has
// nothing to change any more. Until then it is part of the checkpoint.
func (s *sequencer) amend(c module.Control) {
	same := func(o module.Control) bool { return answers(&c, &o) && o.Digest == c.Digest }
	if !slices.ContainsFunc(s.amends, same) {
		s.amends = append(s.amends, c)
	}
}

// takeOut is the control record that has a version give way to the one before, or stops it when there is none.
func takeOut(r module.Running, m *module.Loaded, reason string) module.Control {
	c := module.Control{Kind: module.Suspend, Tenant: m.Tenant, Name: m.Name(), Who: incident.ByVedette, Digest: m.Install.Digest, Reason: clipReason(reason)}
	if r.CanRollback(c.Tenant, c.Name) {
		c.Kind = module.Rollback
	}
	return c
}

// publishAmends writes the control records that are due.
func (s *sequencer) publishAmends(ctx context.Context) {
	if len(s.amends) == 0 || s.seq+1 < s.p.liveFrom {
		return
	}
	running := s.p.current.Load().Running
	for i := range s.amends {
		c := &s.amends[i]
		if _, err := running.Apply(s.seq+1, s.at, *c); err != nil { // it was written before, or somebody else has changed what runs
			if c.Entries != nil {
				s.p.cfg.Report(Warn, "what a rule wrote to a list is refused", "list", c.Name, "organization", c.Tenant, "error", err)
			}
			continue
		}
		err := s.publish(ctx, c)
		switch {
		case err != nil && (ctx.Err() != nil || c.Entries != nil): // with the next message, or by the next start
			s.amends = slices.Delete(s.amends, 0, i)
			s.dropWrites()
			return
		case err != nil:
			s.p.cfg.Report(Warn, "a module could not be taken out", "module", c.Name, "organization", c.Tenant, "error", err)
		case c.Entries == nil:
			s.p.cfg.Report(Warn, "a module is taken out", "module", c.Name, "organization", c.Tenant, "by", c.Kind, "reason", c.Reason)
		}
	}
	s.amends = nil
}

// clipReason cuts a reason to what a control record takes.
func clipReason(text string) string {
	if len(text) > maxReasonBytes {
		text = strings.ToValidUTF8(text[:maxReasonBytes], "")
	}
	return text
}
