package incident

import (
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Forget drops everything of a tenant, what Take has not returned yet included: nothing of it is written any more.
func (f *Fold) Forget(seq uint64, t storage.Tenant) {
	if seq < f.seq {
		return
	}
	f.seq = seq
	delete(f.tenants, t)
	gone := map[string]bool{} // whatever has history since the last Take is dirty
	f.dirty = slices.DeleteFunc(f.dirty, func(e *episode) bool {
		if e.in.Tenant == t {
			gone[e.in.ID] = true
		}
		return e.in.Tenant == t
	})
	b := &f.batch
	b.History = slices.DeleteFunc(b.History, func(h storage.HistoryEntry) bool { return gone[h.Incident] })
	b.Patches = slices.DeleteFunc(b.Patches, func(p Patch) bool { return p.Tenant == t })
	b.Notices = slices.DeleteFunc(b.Notices, func(n Notice) bool { return n.Tenant == t })
	b.Forgotten = slices.DeleteFunc(b.Forgotten, func(in storage.Incident) bool { return in.Tenant == t })
}
