package overview

import (
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// Source is what became of the records of one sender since the start.
type Source struct {
	Processed uint64          // records
	Unparsed  uint64          // that no parser has read
	Parser    string          // "publisher/name" of who read the newest record; "" when nobody did
	Newest    storage.EventID // of that record
	Host      string          // host.name, else host.hostname or observer.name, that its newest read record named; "" for none
}

type sourceKey struct {
	tenant storage.Tenant
	from   string // "listener peer"
}

type source struct {
	key  sourceKey
	last int64 // ns
	Source
	host []byte // its Host, in memory that is used again: behind a relay it changes with every record
}

// sources are the senders, bounded: those of UDP can be invented.
type sources struct {
	by  map[sourceKey]*source
	per map[storage.Tenant]int

	evicted uint64
}

func newSources() sources {
	return sources{by: map[sourceKey]*source{}, per: map[storage.Tenant]int{}}
}

const evictionSample = 8 // sources looked at for the longest silent one

// of returns the counters of a sender.
func (s *sources) of(t storage.Tenant, from string, now int64) *source {
	if x := s.by[sourceKey{t, from}]; x != nil {
		return x
	}
	switch {
	case s.per[t] >= MaxSourcesPerTenant:
		s.evict(t)
	case len(s.by) >= MaxSources:
		s.evict(storage.NoTenant)
	}
	x := &source{key: sourceKey{t, strings.Clone(from)}, last: now}
	s.by[x.key] = x
	s.per[t]++
	return x
}

// evict forgets the longest silent of a few, of one organization or of any; a map's order is random enough to draw them.
func (s *sources) evict(t storage.Tenant) {
	var oldest *source
	n := 0
	for k, x := range s.by {
		if t != storage.NoTenant && k.tenant != t {
			continue
		}
		if oldest == nil || x.last < oldest.last {
			oldest = x
		}
		if n++; n == evictionSample {
			break
		}
	}
	if oldest != nil {
		s.drop(oldest.key)
		s.evicted++
	}
}

func (s *sources) drop(k sourceKey) {
	delete(s.by, k)
	if s.per[k.tenant]--; s.per[k.tenant] == 0 {
		delete(s.per, k.tenant)
	}
}

func (s *sources) forget(t storage.Tenant) {
	for k := range s.by {
		if k.tenant == t {
			s.drop(k)
		}
	}
}

// saw counts a record by its first event. Texts are copied when they change, since those of the event hold a whole frame.
func (x *source) saw(e *storage.Event, now int64, parser, host string, unread bool) {
	x.last, x.Newest = now, e.ID
	x.Processed++
	if unread {
		x.Unparsed++
		parser = ""
	}
	if host = host[:min(len(host), MaxValueBytes)]; host != "" {
		x.host = append(x.host[:0], host...)
	}
	if x.Parser != parser {
		x.Parser = strings.Clone(parser)
	}
}

// Sources returns what became of the records of an organization, by "listener peer"; nil when it has none.
func (o *Overview) Sources(t storage.Tenant) map[string]Source {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.sources.per[t]
	if n == 0 {
		return nil // who sees many organizations asks for all of them
	}
	out := make(map[string]Source, n)
	for k, x := range o.sources.by {
		if k.tenant == t {
			s := x.Source
			s.Host = string(x.host)
			out[k.from] = s
		}
	}
	return out
}
