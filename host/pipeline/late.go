package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// What comes late goes into the ledger in spells, of log time: the first one early, so that it is seen, then fewer.
const (
	lateLook  = int64(time.Second)      // between two looks at whether spells are over
	lateFirst = int64(time.Minute)      // of the first spell
	lateSpell = int64(10 * time.Minute) // of those that follow without a pause
	latePause = int64(2 * time.Minute)  // without late events: the spell is over

	maxLateSources = 64 // of a spell that are counted one by one
	namedSources   = 3
)

// spell is a stretch of log time in which events of an organization came too late for rules: those that count, or wait
// for something, had decided about the time of these events.
type spell struct {
	since, last int64 // log time, ns
	least, most int64 // that an event was behind the log, ns
	events      uint64
	sources     map[string]uint64 // events by sender
	others      uint64            // events of further senders
	follows     bool              // another one without a pause
}

// noteLate gathers which events of a frame come after the watermark of rules that wait as long as rules do by default.
// It has to see them before the rules do.
func (s *sequencer) noteLate(events []storage.Event) {
	of, mark := storage.NoTenant, int64(math.MinInt64)
	for i := range events {
		e := &events[i]
		if e.Tenant != of {
			of, mark = e.Tenant, s.p.state.Watermark(e.Tenant, rule.DefaultLateness)
		}
		if e.Time >= mark {
			continue
		}
		if s.late == nil {
			s.late = map[storage.Tenant]*spell{}
		}
		x := s.late[of]
		if x == nil {
			x = &spell{}
			s.late[of] = x
		}
		x.add(s.at, e)
	}
}

func (x *spell) add(at int64, e *storage.Event) {
	behind := at - e.Time
	if x.events == 0 {
		x.since, x.least, x.sources = at, behind, map[string]uint64{}
	}
	x.last, x.least, x.most = at, min(x.least, behind), max(x.most, behind)
	x.events++
	source := e.Get(storage.FieldSource)
	if _, known := x.sources[source]; !known && len(x.sources) >= maxLateSources {
		x.others++
		return
	}
	x.sources[strings.Clone(source)]++
}

// endLate notes the spells that are over, or long enough. What a restart cuts short is not noted.
func (s *sequencer) endLate() {
	if len(s.late) == 0 || s.at-s.lateLooked < lateLook {
		return
	}
	s.lateLooked = s.at
	for _, t := range slices.Sorted(maps.Keys(s.late)) {
		x := s.late[t]
		paused, length := s.at-x.last >= latePause, lateFirst
		if x.follows {
			length = lateSpell
		}
		if x.events > 0 && (paused || s.at-x.since >= length) {
			s.gaps = append(s.gaps, meta.Gap{Tenant: t, Kind: GapLate, Since: x.since, Until: max(x.last, x.since+1), Detail: x.says(), Seq: s.seq})
			*x = spell{last: x.last, follows: true}
		}
		if paused {
			delete(s.late, t)
		}
	}
}

// says describes a spell for people.
func (x *spell) says() string {
	behind := rule.FormatDuration(time.Duration(x.most).Round(time.Second))
	if least := rule.FormatDuration(time.Duration(x.least).Round(time.Second)); least != behind {
		behind = least + " to " + behind
	}
	events := "1 event"
	if x.events > 1 {
		events = fmt.Sprintf("%d events", x.events)
	}
	return fmt.Sprintf("%s came %s late%s: too late for rules that count or wait, which had decided; rules of single events saw them", events, behind, x.from())
}

// from names the senders, who sent most first.
func (x *spell) from() string {
	by := slices.SortedFunc(maps.Keys(x.sources), func(a, b string) int {
		return cmp.Or(cmp.Compare(x.sources[b], x.sources[a]), cmp.Compare(a, b))
	})
	by = slices.DeleteFunc(by, func(name string) bool { return name == "" })
	if len(by) == 0 {
		return ""
	}
	named := by[:min(len(by), namedSources)]
	text := ", from " + strings.Join(named, ", ")
	switch rest := len(by) - len(named); {
	case x.others > 0:
		text += " and many others"
	case rest == 1:
		text += " and another sender"
	case rest > 1:
		text += fmt.Sprintf(" and %d other senders", rest)
	}
	return text
}
