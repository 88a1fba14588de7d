package correlate

import (
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Watermark returns the event time, ns, up to which the rules of an organization that wait so long for what is late have
// decided. What has an earlier time comes too late for them.
func (s *State) Watermark(id storage.Tenant, lateness time.Duration) int64 {
	c := clock{frontier: never}
	if t := s.tenants[id]; t != nil {
		c = t.clock
	}
	return c.watermark(int64(lateness), s.logTime)
}
