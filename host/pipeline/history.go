package pipeline

import (
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Minute is what a module version did in a minute of log time.
type Minute struct {
	At                             int64 // ns, its beginning
	Calls, Records, Events, Errors uint64
	Fuel                           int64
	Memory                         int64 // bytes, the most that its copies had together
}

// history is the last minutes, in order, in which a module version did something.
type history struct{ minutes []Minute }

// add counts what was done at a log time. What comes late counts for the minute before it that is there.
func (h *history) add(at int64, did Minute) {
	did.At = at - at%int64(time.Minute)
	n := len(h.minutes)
	if n == 0 || h.minutes[n-1].At < did.At {
		if n == HistoryMinutes {
			h.minutes = append(h.minutes[:0], h.minutes[1:]...)
		}
		h.minutes = append(h.minutes, did)
		return
	}
	i := n - 1
	for i > 0 && h.minutes[i].At > did.At {
		i--
	}
	m := &h.minutes[i]
	m.Calls += did.Calls
	m.Records += did.Records
	m.Events += did.Events
	m.Errors += did.Errors
	m.Fuel += did.Fuel
	m.Memory = max(m.Memory, did.Memory)
}

// historyOf returns the history of a module version, nil when too many others have one. Those that did nothing for
// HistoryMinutes make room. The caller holds mu.
func (u *Usage) historyOf(k usageKey, now int64) *history {
	if h, ok := u.histories[k]; ok {
		return h
	}
	if len(u.histories) >= MaxHistories {
		if now < u.swept+int64(time.Minute) {
			return nil
		}
		u.swept = now
		for k, h := range u.histories {
			if h.minutes[len(h.minutes)-1].At < now-HistoryMinutes*int64(time.Minute) {
				delete(u.histories, k)
			}
		}
		if len(u.histories) >= MaxHistories {
			return nil
		}
	}
	h := &history{}
	u.histories[k] = h
	return h
}

// HistoryOf returns the last minutes in which a version of a layer did something, in order.
func (u *Usage) HistoryOf(t storage.Tenant, in module.Install) []Minute {
	u.mu.Lock()
	defer u.mu.Unlock()
	if h, ok := u.histories[usageKey{t, in.Name, in.Digest}]; ok {
		return slices.Clone(h.minutes)
	}
	return nil
}
