package pipeline

import (
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// fired counts a firing for the next commit, by rule and position: the database knows which of them it has counted.
func (s *sequencer) fired(f *correlate.Firing) {
	if f.Clears {
		return
	}
	for i := len(s.fires) - 1; i >= 0 && s.fires[i].Seq == s.seq; i-- {
		if x := &s.fires[i]; x.Tenant == f.Tenant && x.Rule == f.Rule {
			x.N++
			x.Newest = max(x.Newest, f.Time)
			return
		}
	}
	s.fires = append(s.fires, meta.RuleFires{Tenant: f.Tenant, Rule: f.Rule, Seq: s.seq, At: s.at, N: 1, Newest: f.Time})
}

// asked returns which versions of lists a firing's rule has asked.
func (s *sequencer) asked(f *correlate.Firing) (out []storage.ListAsked) {
	r := s.gen.View(f.Tenant).Rules.Rule(f.Rule)
	if r == nil {
		return nil
	}
	for _, l := range s.gen.ListsOf(f.Tenant, r) {
		out = append(out, storage.ListAsked{Name: l.Name, Seq: l.Seq})
	}
	return out
}

// The kinds of gaps: why rules were not, or not as they should be, evaluated.
const (
	GapOff       = "off"
	GapSuspended = "suspended"
	GapResting   = "resting"
	GapEvicted   = "evicted"
	GapLate      = "late"
	GapDown      = "down"
)

// gapDown is how long the log has to be silent for the host to have been down: it writes a tick every second.
const gapDown = int64(5 * time.Second)

// noteControl notes what a control record that is in force ends or begins for rules.
func (s *sequencer) noteControl(it *item) {
	c := it.control
	g := meta.Gap{Tenant: c.Tenant, Since: s.at, Seq: s.seq}
	end := func(subject string) {
		s.gaps = append(s.gaps, meta.Gap{Tenant: c.Tenant, Subject: subject, Until: s.at, Seq: s.seq, Ends: true})
	}
	begin := func(subject, kind, detail string) {
		end(subject) // of two switches the later one counts
		g.Subject, g.Kind, g.Detail = subject, kind, detail
		s.gaps = append(s.gaps, g)
	}
	why := func(what string) string {
		if c.Reason != "" {
			return what + ": " + c.Reason
		}
		return what
	}
	switch c.Kind {
	case module.DisableRule:
		begin("rule "+c.Name, GapOff, why("switched off by "+c.Who))
	case module.EnableRule:
		end("rule " + c.Name)
	case module.Disable:
		begin("module "+c.Name, GapOff, why("its package was switched off by "+c.Who))
	case module.Suspend:
		begin("module "+c.Name, GapSuspended, why("suspended"))
	case module.Enable, module.Activate, module.ActivateSet, module.Rollback:
		for _, part := range c.Each() {
			end("module " + part.Name)
		}
	case module.Throttle:
		r := it.gen.Running.Layer(c.Tenant).Rests[c.Name]
		s.gaps = append(s.gaps, meta.Gap{
			Tenant: c.Tenant, Subject: "module " + c.Name, Kind: GapResting, Since: r.From, Until: r.Until, Detail: r.Reason, Seq: s.seq,
		})
	}
}

// noteReports notes what rules had to forget.
func (s *sequencer) noteReports(list []correlate.Report) {
	for _, r := range list {
		if r.Kind != correlate.Evicted {
			continue
		}
		detail := fmt.Sprintf("%d keys were forgotten for room", r.Keys)
		if r.Undecided > 0 {
			detail += fmt.Sprintf(", of which %d waited for something that might not come", r.Undecided)
		}
		since := r.Oldest
		if since <= 0 || since > r.LogTime {
			since = r.LogTime
		}
		s.gaps = append(s.gaps, meta.Gap{Tenant: r.Tenant, Subject: "rule " + r.Rule, Kind: GapEvicted, Since: since, Until: r.LogTime, Detail: detail, Seq: s.seq})
	}
}

// noteSilence notes that the log was silent: the host was down. What senders kept for it came and was evaluated afterwards.
func (s *sequencer) noteSilence(before int64) {
	if before > 0 && s.at-before >= gapDown {
		s.gaps = append(s.gaps, meta.Gap{
			Kind: GapDown, Since: before, Until: s.at, Seq: s.seq,
			Detail: "the host was down or stood still; what was in its log, and what senders kept for it, was evaluated when it was back",
		})
	}
}
