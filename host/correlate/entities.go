package correlate

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// noted is what an event of a key said of an entity. Events are gone when the pattern is complete, so this much of them
// is kept: of each field and value the newest time, at most storage.MaxEntities for a key, the newest last.
type noted struct {
	field, value string
	time         int64 // event time
}

// behind is the events behind an event that is none of the log, such as the firing of another rule, or behind one that a
// module judged by others.
type behind struct {
	time   int64
	id     storage.EventID
	events []storage.Evidence
}

// trace keeps the newest of the events behind a hit, for the newest hits.
func (mc *machine) trace(h *Hit) {
	if len(h.Evidence) == 0 {
		return
	}
	if len(mc.traces) == maxTraces {
		copy(mc.traces, mc.traces[1:])
		mc.traces = mc.traces[:maxTraces-1]
	}
	events := slices.Clone(h.Evidence[max(0, len(h.Evidence)-maxTraced):])
	for i := range events {
		events[i].Sub = "" // named when it is told
	}
	mc.traces = append(mc.traces, behind{h.Event.Time, h.Event.ID, events})
}

// traced puts the events behind others in front of them, and in place of those that are among them.
func (mc *machine) traced(list []storage.Evidence) []storage.Evidence {
	if len(mc.traces) == 0 {
		return list
	}
	out := make([]storage.Evidence, 0, len(list)+maxTraced)
	for _, e := range list {
		own := true
		for i := range mc.traces {
			if mc.traces[i].id != e.ID || mc.traces[i].time != e.Time {
				continue
			}
			for _, x := range mc.traces[i].events {
				own = own && x.ID != e.ID
				if x.Sub = e.Sub; !slices.Contains(out, x) {
					out = append(out, x)
				}
			}
		}
		if own {
			out = append(out, e)
		}
	}
	return out
}

// note keeps the entities of an event. What the group key says already is not kept, and nothing is for a heartbeat: it
// is about its key alone, and every event is one of its hits.
func (mc *machine) note(p *program, ev *storage.Event) {
	if p.heartbeat {
		return
	}
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if storage.KindOf(f.Name) == "" || p.keyIndex(f.Name) >= 0 {
			continue
		}
		if !strings.HasPrefix(f.Value, "[") {
			mc.noteValue(p, f.Name, f.Value, ev.Time)
			continue
		}
		var list []string
		if json.Unmarshal([]byte(f.Value), &list) != nil {
			list = []string{f.Value}
		}
		for _, v := range list {
			mc.noteValue(p, f.Name, v, ev.Time)
		}
	}
}

func (mc *machine) noteValue(p *program, field, value string, at int64) {
	value = cut(value, storage.MaxEntityBytes)
	for i := range mc.about {
		n := mc.about[i]
		if n.value != value || n.field != field {
			continue
		}
		n.time = max(n.time, at)
		copy(mc.about[i:], mc.about[i+1:])
		mc.about[len(mc.about)-1] = n
		return
	}
	if len(mc.about) == storage.MaxEntities {
		copy(mc.about, mc.about[1:])
		mc.about = mc.about[:storage.MaxEntities-1]
	}
	name, ok := p.names[field]
	if !ok {
		name = strings.Clone(field)
		p.names[name] = name
	}
	mc.about = append(mc.about, noted{name, strings.Clone(value), at})
}

// entities returns who a firing is about and forgets it: the next firing is about the events after this one.
func (mc *machine) entities(p *program, group []string, f *Firing) []storage.Entity {
	out := entitiesOf(f.Key, nil)
	for i, name := range p.key { // of which the incident's key may be a part
		out = storage.AppendEntities(out, name, group[i])
	}
	for i := len(mc.about) - 1; i >= 0 && len(out) < storage.MaxEntities; i-- {
		if n := &mc.about[i]; f.Time-n.time <= p.span {
			out = storage.AppendEntities(out, n.field, n.value)
		}
	}
	mc.about = nil
	return out
}

// entitiesOf returns the entities of a key and, if there is one, of an event.
func entitiesOf(key []storage.Field, ev *storage.Event) []storage.Entity {
	var out []storage.Entity
	for _, k := range key {
		out = storage.AppendEntities(out, k.Name, k.Value)
	}
	if ev != nil {
		for _, f := range ev.Fields {
			if storage.KindOf(f.Name) != "" {
				out = storage.AppendEntities(out, strings.Clone(f.Name), strings.Clone(f.Value))
			}
		}
	}
	return out[:min(len(out), storage.MaxEntities)]
}

func (mc *machine) aboutSize() int {
	n := 40 * len(mc.about) // not its capacity, which a restore would change
	for i := range mc.about {
		n += len(mc.about[i].value)
	}
	for i := range mc.traces {
		n += 48 + 56*len(mc.traces[i].events)
	}
	return n
}

// Horizon returns how far back of a firing, in event time, the events reach that lead to it, and whether the firing is
// decided by time that passes rather than by an event.
func Horizon(r *rule.Rule) (span int64, absence bool) {
	p := compile(r)
	return p.span, !p.eager
}
