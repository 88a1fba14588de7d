package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// DefaultQuota is what a module may use for one organization unless somebody says otherwise. Fuel is about what keeps one
// core busy.
var DefaultQuota = module.Quota{
	Fuel: 240_000_000_000, OutputBytes: 8 << 30, LogLines: 100_000, StateBytes: 1 << 30, Requests: 6_000, RequestBytes: 1 << 30, MemoryBytes: 2 << 30,
}

const frameFuelSpent = "the organization's fuel for one frame was spent"

// Quota returns what the modules of an organization may use.
func (p *Pipeline) Quota(t storage.Tenant) module.Quota {
	return p.current.Load().Running.Layer(t).Quota.Or(p.cfg.Quota)
}

// limit has a module rest that has used up its quota of this minute. That is decided from what is counted in log order,
// and takes effect by a control record: what is in the log before it is not held back. It rests for the minute in which
// that record stands.
func (s *sequencer) limit(who storage.Consumer, used *storage.Used) {
	running := &s.p.current.Load().Running
	if running.Resting(who.Tenant, who.Module, s.at) != "" {
		return
	}
	quota := running.Layer(who.Tenant).Quota.Or(s.p.cfg.Quota)
	if over := quota.Over(used); over != "" {
		s.rest(who.Tenant, who.Module, over)
	}
}

func (s *sequencer) rest(t storage.Tenant, name, over string) {
	s.amend(module.Control{Kind: module.Throttle, Tenant: t, Name: name, Who: incident.ByVedette, Reason: fmt.Sprintf("it used %s; it rests until the next one begins", over)})
}

// weigh has the largest module of an organization rest and give back its memory when those of its own have more together
// than they may. It is asked once a minute.
func (s *sequencer) weigh() {
	gen := s.p.current.Load()
	for _, t := range gen.Running.Tenants() {
		if t == storage.NoTenant {
			continue
		}
		sum, largest := int64(0), (*module.Loaded)(nil)
		for _, m := range gen.Modules(t) {
			if m.Code == nil {
				continue
			}
			sum += m.Code.Memory()
			if largest == nil || m.Code.Memory() > largest.Code.Memory() {
				largest = m
			}
		}
		if most := s.p.Quota(t).MemoryBytes; most >= 0 && sum > most {
			s.rest(t, largest.Name(), fmt.Sprintf("%d of %d bytes of memory, %d are allowed", largest.Code.Memory(), sum, most))
		}
	}
}

// rested is called when a module begins to rest. The organization is told by an event of its own.
func (s *sequencer) rested(ctx context.Context, gen *module.Generation, c *module.Control) {
	for _, m := range gen.Modules(c.Tenant) { // a shared one's copies work for others
		if m.Name() == c.Name && m.Code != nil {
			m.Code.Trim()
		}
	}
	if s.seq < s.p.liveFrom {
		return
	}
	s.p.cfg.Report(Warn, "a module has used up its quota", "module", c.Name, "organization", c.Tenant, "reason", c.Reason)
	doc, err := json.Marshal(map[string]string{
		"@timestamp": time.Unix(0, s.at).UTC().Format(time.RFC3339Nano), "event.kind": "event", "event.dataset": "vedette.module", "event.action": "throttled",
		"event.outcome": "failure", "event.provider": c.Name, "event.reason": c.Reason, "message": c.Name + " rests: " + c.Reason,
	})
	if err == nil {
		_, err = s.p.cfg.Queue.Offer(ctx, c.Tenant, queue.Source{Listener: "vedette"}, []queue.Raw{{Bytes: doc, Received: s.at}})
	}
	if err != nil && ctx.Err() == nil {
		s.p.cfg.Report(Warn, "an organization could not be told that a module of it rests", "module", c.Name, "organization", c.Tenant, "error", err)
	}
}
