package correlate

import (
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Tenants returns the tenants that have state, in ascending order.
func (s *State) Tenants() []storage.Tenant {
	ids := make([]storage.Tenant, len(s.order))
	for i, t := range s.order {
		ids[i] = t.id
	}
	return ids
}

// Forget drops all state of a tenant, at a control record's place in the log.
func (s *State) Forget(id storage.Tenant) {
	t, ok := s.tenants[id]
	if !ok {
		return
	}
	s.bytes -= t.bytes
	for _, tb := range t.order {
		delete(s.programs, programOf{tb.prog.source, tb.prog.clears})
	}
	delete(s.tenants, id)
	s.order = slices.DeleteFunc(s.order, func(o *tenant) bool { return o == t })
}
