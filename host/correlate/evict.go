package correlate

import (
	"fmt"
	"strconv"

	"github.com/vedette-siem/vedette/storage"
)

// losses are evictions that were not reported yet.
type losses struct {
	keys, undecided int
	oldest          int64
}

// most returns how many keys a rule may have.
func (s *State) most(tb *table) int {
	if n := tb.prog.rule.MaxKeys; n > 0 {
		return min(n, s.limits.MaxKeysPerRule)
	}
	return s.limits.MaxKeysPerRule
}

// share evicts keys of a group that has more than its share of a table that fills up.
func (s *State) share(tb *table, g *group) {
	most := s.most(tb)
	for 2*len(tb.machines) >= most && g.n > max(most/groupShare, 1) {
		s.evict(tb, g.levels.first())
	}
}

// bound evicts until the limits hold again: of the least advanced keys, the longest untouched first. Over a limit of
// bytes a sixteenth is freed at once, from the largest table concerned.
func (s *State) bound(tb *table) {
	l := &s.limits
	for most := s.most(tb); len(tb.machines) > most; {
		s.evict(tb, tb.levels.first())
	}
	if tb.bytes > l.MaxBytesPerRule {
		for tb.bytes > l.MaxBytesPerRule-l.MaxBytesPerRule/16 && len(tb.machines) > 0 {
			s.evict(tb, tb.levels.first())
		}
	}
	if t := tb.owner; t.bytes > l.MaxBytesPerTenant {
		for t.bytes > l.MaxBytesPerTenant-l.MaxBytesPerTenant/16 && t.bytes > 0 {
			s.evictFrom(t)
		}
	}
	if s.bytes > l.MaxBytes {
		for s.bytes > l.MaxBytes-l.MaxBytes/16 && s.bytes > 0 {
			big := s.order[0]
			for _, t := range s.order {
				if t.bytes > big.bytes {
					big = t
				}
			}
			s.evictFrom(big)
		}
	}
}

// evictFrom evicts a key of a tenant's largest table.
func (s *State) evictFrom(t *tenant) {
	big := t.order[0]
	for _, tb := range t.order {
		if tb.bytes > big.bytes {
			big = tb
		}
	}
	s.evict(big, big.levels.first())
}

func (s *State) evict(tb *table, mc *machine) {
	if tb.lost.keys == 0 || mc.first < tb.lost.oldest {
		tb.lost.oldest = mc.first
	}
	tb.lost.keys++
	if mc.settled.undecided(tb.prog) || !tb.prog.eager && len(mc.pending) > 0 {
		tb.lost.undecided++
	}
	s.stats.Evicted++
	s.forget(tb, mc)
	s.touch(tb.owner)
}

// flushEvictions reports evictions: the first at once, then what gathered in ReportEvery. Each report is an incident too.
func (s *State) flushEvictions(tb *table) {
	if tb.lost.keys == 0 || s.logTime-tb.reported < int64(ReportEvery) {
		return
	}
	s.put(s.evicted(tb), nil)
	s.reports = append(s.reports, Report{
		Tenant: tb.owner.id, Rule: tb.prog.source.ID, Kind: Evicted, Keys: tb.lost.keys,
		Undecided: tb.lost.undecided, Oldest: tb.lost.oldest, LogTime: s.logTime,
	})
	tb.lost, tb.reported = losses{}, s.logTime
}

// evicted says for people that a rule has forgotten keys.
func (s *State) evicted(tb *table) Firing {
	r := tb.prog.source
	text := fmt.Sprintf("%s: its memory is full, and what it knew of %d keys is forgotten", r.Name, tb.lost.keys)
	if n := tb.lost.undecided; n > 0 {
		text += fmt.Sprintf("; %d of them waited for something to stay away, and nobody will know whether it did", n)
	}
	return Firing{
		Tenant: tb.owner.id, Rule: EvictedRule, RuleName: "A rule's memory is full", Key: []storage.Field{{Name: "vedette.rule", Value: r.ID}},
		Title: text, Severity: storage.Medium, Trigger: storage.EventID{Seq: s.seq}, Time: s.logTime, QuietFor: evictedFor, Watermark: tb.watermark,
		Conditions: []storage.Condition{{
			Sub: r.ID, Expr: "keys that were forgotten", Actual: strconv.Itoa(tb.lost.keys), Threshold: strconv.Itoa(s.most(tb)),
		}},
	}
}
