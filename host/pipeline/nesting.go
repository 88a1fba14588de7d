package pipeline

import (
	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// nesting has the rules of a generation look at the firings of others. It belongs to one goroutine.
type nesting struct {
	gen     *module.Generation
	scratch detect.Scratch
}

// NestingOf returns what correlate.State.SetNesting takes, for a state of one generation's rules.
func NestingOf(gen *module.Generation) correlate.Nesting { return &nesting{gen: gen} }

func (n *nesting) Nests(t storage.Tenant) bool { return n.gen.View(t).Rules.Nests() }

// Firing returns hits. Rules with code do not look at firings: their modules read events of the log.
func (n *nesting) Firing(id string, ev *storage.Event) (hits []correlate.Hit) {
	view := n.gen.View(ev.Tenant)
	for _, h := range view.Rules.MatchFiring(id, ev, &n.scratch) {
		if view.Code(h.Rule) == nil {
			hits = append(hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
		}
	}
	return hits
}
