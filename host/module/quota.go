package module

import (
	"fmt"
	"maps"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// The control records of quotas.
const (
	Throttle ControlKind = "throttle" // a module has used up its quota and rests for an organization
	SetQuota ControlKind = "quota"    // what the modules of an organization may use
)

// Quota bounds what each module may use for one organization in a minute of log time. Zero means the host's default,
// which the configuration sets; negative means no bound.
type Quota struct {
	Fuel         int64 `json:"fuel,omitempty"`          // units
	OutputBytes  int64 `json:"output_bytes,omitempty"`  // of its answers
	LogLines     int64 `json:"log_lines,omitempty"`     //
	StateBytes   int64 `json:"state_bytes,omitempty"`   // of keys and values that it hands over; what it may keep is bounded apart
	Requests     int64 `json:"requests,omitempty"`      // of a monitor
	RequestBytes int64 `json:"request_bytes,omitempty"` // of those and of their answers
	MemoryBytes  int64 `json:"memory_bytes,omitempty"`  // at a moment, all modules that are the organization's own together
}

// Or returns the quota with another one's figures in the place of those that are zero.
func (q Quota) Or(def Quota) Quota {
	for _, f := range []struct{ v, def *int64 }{
		{&q.Fuel, &def.Fuel},
		{&q.OutputBytes, &def.OutputBytes},
		{&q.LogLines, &def.LogLines},
		{&q.StateBytes, &def.StateBytes},
		{&q.Requests, &def.Requests},
		{&q.RequestBytes, &def.RequestBytes},
		{&q.MemoryBytes, &def.MemoryBytes},
	} {
		if *f.v == 0 {
			*f.v = *f.def
		}
	}
	return q
}

// Over says which figure is exceeded by what a module used in a minute; "" for none.
func (q *Quota) Over(u *storage.Used) string {
	for _, x := range [...]struct {
		n, most int64
		what    string
	}{
		{u[storage.Fuel], q.Fuel, "units of fuel"},
		{u[storage.BytesOut], q.OutputBytes, "bytes of output"},
		{u[storage.LogLines], q.LogLines, "log lines"},
		{u[storage.StateBytes], q.StateBytes, "bytes of state calls"},
		{u[storage.Requests], q.Requests, "requests"},
		{u[storage.RequestBytes], q.RequestBytes, "bytes of requests"},
	} {
		if x.most >= 0 && x.n > x.most {
			return fmt.Sprintf("%d %s in a minute, %d are allowed", x.n, x.what, x.most)
		}
	}
	return ""
}

// Rest is the time during which a module is handed nothing of an organization. It ends by log time: whoever reads the log
// again comes to the same, and no second record can be missing.
type Rest struct {
	From   int64  `json:"from"` // log time, ns
	Until  int64  `json:"until"`
	Reason string `json:"reason"`
}

// At reports whether it lasts at a log time.
func (r Rest) At(at int64) bool { return r.From <= at && at < r.Until }

// throttle has a module rest until the next minute of log time begins.
func (r Running) throttle(seq uint64, at int64, c Control) (Running, error) {
	layer := r.Layer(c.Tenant).clone()
	_, own := layer.Slots[c.Name]
	if _, shared := r.Layer(storage.NoTenant).Slots[c.Name]; !own && !shared || c.Tenant == storage.NoTenant {
		return r, fmt.Errorf("throttle %s: no such module: %w", c.Name, storage.ErrNotFound)
	}
	if layer.Rests[c.Name].At(at) {
		return r, fmt.Errorf("throttle %s: it rests already: %w", c.Name, storage.ErrConflict)
	}
	layer.Rests = maps.Clone(layer.Rests)
	maps.DeleteFunc(layer.Rests, func(_ string, x Rest) bool { return x.Until <= at })
	if layer.Rests == nil {
		layer.Rests = map[string]Rest{}
	}
	minute := int64(time.Minute)
	layer.Rests[c.Name] = Rest{From: at, Until: at - at%minute + minute, Reason: c.Reason}
	return r.with(seq, c.Tenant, layer), nil
}

// quota sets what the modules of an organization may use.
func (r Running) quota(seq uint64, c Control) (Running, error) {
	if c.Tenant == storage.NoTenant || c.Quota == nil {
		return r, fmt.Errorf("quota: it says neither whose nor how much: %w", storage.ErrInvalid)
	}
	layer := r.Layer(c.Tenant).clone()
	layer.Quota = *c.Quota
	return r.with(seq, c.Tenant, layer), nil
}

// Resting returns why a module of a name is handed nothing of an organization at a log time; "" when it is.
func (r Running) Resting(t storage.Tenant, name string, at int64) string {
	if x := r.Layer(t).Rests[name]; x.At(at) {
		return x.Reason
	}
	return ""
}
