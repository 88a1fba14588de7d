package pipeline

import (
	"cmp"
	"context"
	"slices"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// write is what rules write to one list at one message.
type write struct {
	tenant storage.Tenant
	list   string
	put    []module.PutEntry
}

// listed notes what a firing writes to lists. Of a value that is written twice at one message what lasts longer stays.
func (s *sequencer) listed(f *correlate.Firing) {
	for _, w := range f.Writes {
		at := slices.IndexFunc(s.writes, func(x write) bool { return x.tenant == f.Tenant && x.list == w.List })
		if at < 0 {
			at = len(s.writes)
			s.writes = append(s.writes, write{tenant: f.Tenant, list: w.List})
		}
		put := module.PutEntry{Value: w.Value, TTL: w.TTL, Origin: "rule:" + f.Rule}
		x := &s.writes[at]
		twice := slices.IndexFunc(x.put, func(p module.PutEntry) bool { return p.Value == put.Value })
		switch {
		case w.Value == "":
		case twice < 0:
			x.put = append(x.put, put)
		case x.put[twice].TTL != 0 && (put.TTL == 0 || put.TTL > x.put[twice].TTL):
			x.put[twice] = put
		}
	}
}

// write makes control records of what was noted: rules see it from their place in the log on. They say which message they
// follow from, so each is written once, whatever is killed.
func (s *sequencer) write() {
	if len(s.writes) == 0 {
		return
	}
	slices.SortStableFunc(s.writes, func(a, b write) int { return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.list, b.list)) })
	part := 0
	for _, w := range s.writes {
		for len(w.put) > 0 {
			n, size := 0, 0
			for n < len(w.put) && size < maxWriteBytes {
				size += 64 + 6*(len(w.put[n].Value)+len(w.put[n].Origin)) // JSON writes a byte as six at most
				n++
			}
			s.amend(module.Control{
				Kind: module.SetEntries, Tenant: w.tenant, Name: w.list, Who: incident.ByVedette,
				Entries: &module.Entries{Put: w.put[:n:n], From: module.Place{Seq: s.seq, Part: part}},
			})
			w.put = w.put[n:]
			part++
		}
	}
	clear(s.writes)
	s.writes = s.writes[:0]
}

// written is called when a control record about a list took effect, with what ran before.
func (s *sequencer) written(before *module.Running, it *item) {
	c := it.control
	was, now := before.Layer(c.Tenant).Lists[c.Name], it.gen.Running.Layer(c.Tenant).Lists[c.Name]
	if n := now.Evicted - was.Evicted; now.Evicted > was.Evicted && s.seq >= s.p.liveFrom {
		s.p.cfg.Report(Warn, "a list is full: its oldest values gave way", "organization", c.Tenant, "list", c.Name, "values", n)
	}
}

// dropWrites gives up the newest control records when so many wait that the log takes none any more.
func (s *sequencer) dropWrites() {
	if over := len(s.amends) - maxAmends; over > 0 {
		s.amends = s.amends[:maxAmends]
		s.p.cfg.Report(Warn, "what rules wrote to lists is lost: the log takes no control records", "records", over)
	}
}

// publish writes one control record.
func (s *sequencer) publish(ctx context.Context, c *module.Control) error {
	b, err := c.Encode()
	if err == nil {
		_, err = s.p.cfg.Queue.PublishControl(ctx, b)
	}
	return err
}

// answers says that a control record in the log is the one that was to be written, or makes it needless.
func answers(c, due *module.Control) bool {
	if c.Tenant != due.Tenant || c.Name != due.Name {
		return false
	}
	if c.Entries != nil || due.Entries != nil {
		return c.Entries != nil && due.Entries != nil && c.Entries.From == due.Entries.From
	}
	return true
}

// Limits of what rules write to lists.
const (
	maxWriteBytes = 40 << 10 // of one control record
	maxAmends     = 1024     // control records that wait to be written
)
