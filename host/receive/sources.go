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
	Tenant   storage.Tenant
	Source   Source
	Records  uint64
	LastSeen int64 // ns since the Unix epoch
}

// sourceTable remembers who sends, so that a person sees who has fallen silent. It is bounded: senders of UDP can
// invent addresses.
type sourceTable struct {
	max int

	mu      sync.Mutex
	entries map[sourceKey]*sourceEntry
}

type sourceKey struct {
	tenant   storage.Tenant
	listener string
	peer     netip.Addr
}

type sourceEntry struct {
	name    string // of the peer, made once
	records uint64
	last    int64
}

const evictionSample = 8 // entries looked at for the longest silent one

func newSourceTable(most int) *sourceTable {
	return &sourceTable{max: most, entries: make(map[sourceKey]*sourceEntry)}
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
	e.last = max(e.last, at)
}

func (t *sourceTable) entry(tenant storage.Tenant, listener string, peer netip.Addr) *sourceEntry {
	k := sourceKey{tenant, listener, peer}
	if e := t.entries[k]; e != nil {
		return e
	}
	if len(t.entries) >= t.max {
		t.evict()
	}
	e := &sourceEntry{name: peerName(peer)}
	t.entries[k] = e
	return e
}

// evict forgets the longest silent of a few entries; a map's order is random enough to draw them.
func (t *sourceTable) evict() {
	var oldest sourceKey
	var found *sourceEntry
	n := 0
	for k, e := range t.entries {
		if found == nil || e.last < found.last {
			oldest, found = k, e
		}
		if n++; n == evictionSample {
			break
		}
	}
	delete(t.entries, oldest)
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
	r.sources.mu.Lock()
	var out []SourceStats
	for k, e := range r.sources.entries {
		if k.tenant == t && e.records > 0 {
			out = append(out, SourceStats{
				Tenant: t, Source: Source{Listener: k.listener, Peer: e.name}, Records: e.records, LastSeen: e.last,
			})
		}
	}
	r.sources.mu.Unlock()
	slices.SortFunc(out, func(a, b SourceStats) int {
		return cmp.Or(cmp.Compare(a.LastSeen, b.LastSeen), cmp.Compare(a.Source.Listener, b.Source.Listener), cmp.Compare(a.Source.Peer, b.Source.Peer))
	})
	return out
}
