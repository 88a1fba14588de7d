package receive

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/vedette-siem/vedette/storage"
)

// SourceStats is what one peer has sent to one listener for one organization.
type SourceStats struct {
	Tenant    storage.Tenant
	Source    Source
	Records   uint64
	FirstSeen int64   // ns since the Unix epoch
	LastSeen  int64   // likewise
	PerSecond float64 // records over the last minute
}

// sourceTable remembers who sends, so that a person sees who has fallen silent. It is bounded: senders of UDP can
// invent addresses.
type sourceTable struct {
	max int // half of it may be one organization's: nobody pushes the others out

	mu      sync.Mutex
	entries map[sourceKey]*sourceEntry
	per     map[storage.Tenant]int
}

type sourceKey struct {
	tenant   storage.Tenant
	listener string
	peer     netip.Addr
}

type sourceEntry struct {
	name    string // of the peer, made once
	records uint64
	first   int64
	last    int64
	rate    rate
}

const evictionSample = 8 // entries looked at for the longest silent one

func newSourceTable(most int) *sourceTable {
	return &sourceTable{max: most, entries: map[sourceKey]*sourceEntry{}, per: map[storage.Tenant]int{}}
}

// name returns the peer's text form, without an allocation when the peer is known.
func (t *sourceTable) name(tenant storage.Tenant, listener string, peer netip.Addr) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entry(tenant, listener, peer).name
}

// saw counts n records of a peer.
func (t *sourceTable) saw(tenant storage.Tenant, listener string, peer netip.Addr, n int, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entry(tenant, listener, peer)
	e.records += uint64(n)
	if e.first == 0 {
		e.first = at
	}
	e.last = max(e.last, at)
	e.rate.add(at, n)
}

func (t *sourceTable) entry(tenant storage.Tenant, listener string, peer netip.Addr) *sourceEntry {
	k := sourceKey{tenant, listener, peer}
	if e := t.entries[k]; e != nil {
		return e
	}
	switch {
	case t.per[tenant] >= max(t.max/2, 1):
		t.evict(tenant)
	case len(t.entries) >= t.max:
		t.evict(storage.NoTenant)
	}
	e := &sourceEntry{name: peerName(peer)}
	t.entries[k] = e
	t.per[tenant]++
	return e
}

// evict forgets the longest silent of a few entries, of one organization or of any; a map's order is random enough to
// draw them.
func (t *sourceTable) evict(of storage.Tenant) {
	var oldest sourceKey
	var found *sourceEntry
	n := 0
	for k, e := range t.entries {
		if of != storage.NoTenant && k.tenant != of {
			continue
		}
		if found == nil || e.last < found.last {
			oldest, found = k, e
		}
		if n++; n == evictionSample {
			break
		}
	}
	delete(t.entries, oldest)
	if t.per[oldest.tenant]--; t.per[oldest.tenant] == 0 {
		delete(t.per, oldest.tenant)
	}
}

func peerName(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// Sources returns the peers that have sent for organization t, the longest silent first: the newest Config.MaxSources
// of all organizations are remembered, since the process started.
func (r *Receiver) Sources(t storage.Tenant) []SourceStats {
	now := r.cfg.Now().UnixNano()
	r.sources.mu.Lock()
	if r.sources.per[t] == 0 { // receiving waits while all senders are walked
		r.sources.mu.Unlock()
		return nil
	}
	var out []SourceStats
	for k, e := range r.sources.entries {
		if k.tenant == t && e.records > 0 {
			out = append(out, SourceStats{
				Tenant: t, Source: Source{Listener: k.listener, Peer: e.name}, Records: e.records,
				FirstSeen: e.first, LastSeen: e.last, PerSecond: e.rate.perSecond(now, e.first),
			})
		}
	}
	r.sources.mu.Unlock()
	slices.SortFunc(out, func(a, b SourceStats) int {
		return cmp.Or(cmp.Compare(a.LastSeen, b.LastSeen), cmp.Compare(a.Source.Listener, b.Source.Listener), cmp.Compare(a.Source.Peer, b.Source.Peer))
	})
	return out
}
