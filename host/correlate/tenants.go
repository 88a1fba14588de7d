package correlate

import "github.com/vedette-siem/vedette/storage"

// Tenants returns the tenants that have state, in ascending order.
func (s *State) Tenants() []storage.Tenant {
	ids := make([]storage.Tenant, len(s.order))
	for i, t := range s.order {
		ids[i] = t.id
	}
	return ids
}
