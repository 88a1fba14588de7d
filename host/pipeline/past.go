package pipeline

import (
	"encoding/json"
	"fmt"

	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// past is what is noted of control records for the next commit, so that it is known what ran, and what was in lists, after
// the log was cut.
type past struct {
	controls []meta.Control
	listed   []meta.Listed
	begins   bool // nothing was noted before this start
}

// note notes a control record that had an effect. before is what ran until then.
func (s *sequencer) note(before *module.Running, it *item) {
	c := it.control
	switch {
	case s.seq <= s.p.applied || c == nil || it.applied != nil:
	case c.Kind == module.SetEntries || c.Kind == module.RemoveList:
		s.noteList(c.Tenant, c.Name, before.Layer(c.Tenant).Lists[c.Name].Values, it.gen.Running.Layer(c.Tenant).Lists[c.Name].Values)
	case c.Kind == module.Relearn, it.changed && lasts(c.Kind):
		s.past.controls = append(s.past.controls, meta.Control{
			Tenant: c.Tenant, Seq: s.seq, At: s.at, Kind: string(c.Kind), Name: c.Name, Record: string(it.msg.Data),
		})
	}
}

// noteList notes what came into a list and what went.
func (s *sequencer) noteList(t storage.Tenant, name string, was, now *list.List) {
	change := meta.Listed{Tenant: t, List: name, Seq: s.seq, At: s.at}
	if now == nil {
		change.Gone = true
		s.past.listed = append(s.past.listed, change)
		return
	}
	gone, came := list.Diff(was, now)
	for _, e := range gone {
		x := change
		x.Value, x.Gone = e.Value, true
		s.past.listed = append(s.past.listed, x)
	}
	for _, e := range came {
		x := change
		x.Compared, x.Value, x.Expires = string(now.Kind()), e.Value, e.Expires
		s.past.listed = append(s.past.listed, x)
	}
}

// noteAll notes all that runs before the first message of which something may be noted, if nothing was until now.
func (s *sequencer) noteAll(r *module.Running) error {
	if !s.past.begins || s.seq <= s.p.applied {
		return nil
	}
	s.past.begins = false
	for _, t := range r.Tenants() {
		l := r.Layer(t)
		for name, x := range l.Lists {
			s.noteList(t, name, nil, x.Values)
		}
		l.Lists, l.Watches, l.Rests, l.Quota = nil, nil, nil, module.Quota{}
		text, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("note what runs for organization %s: %w", t, err)
		}
		s.past.controls = append(s.past.controls, meta.Control{Tenant: t, Seq: s.seq, At: s.at, Kind: meta.KindLayer, Record: string(text)})
	}
	return nil
}

// lasts reports whether a kind of control record says something about what runs for good, by which the past can be told.
// What is in lists is told by their values.
func lasts(k module.ControlKind) bool {
	switch k {
	case module.Throttle, module.SetQuota, module.SetWatch, module.RemoveWatch, module.SetList, module.RemoveList, module.SetEntries, module.Forget:
		return false
	}
	return true
}
