package module

import (
	"fmt"
	"maps"
	"time"

	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The control records of what monitors do.
const (
	SetWatch    ControlKind = "watch"   // a monitor polls a device, or does so in another way
	RemoveWatch ControlKind = "unwatch" // it does no more
)

// Watch is one monitor's work for one organization: what it polls, how often, and what it may do there. It is a grant:
// the monitor reaches what stands here and nothing else.
type Watch struct {
	ID       string        `json:"id"`                 // unique within the organization
	Module   string        `json:"module"`             // "publisher/name"
	Interval time.Duration `json:"interval,omitempty"` // 0: the manifest's
	Jitter   time.Duration `json:"jitter,omitempty"`   // 0: the manifest's, at most a tenth of an interval that stands here
	Timeout  time.Duration `json:"timeout,omitempty"`  // of one poll; 0: the manifest's
	Settings string        `json:"settings,omitempty"` // JSON; "": those of the install
	Targets  []WatchTarget `json:"targets"`
	Off      bool          `json:"off,omitempty"`

	Seq uint64 `json:"seq,omitempty"` // of the control record that set it; in a record: of the watch that it replaces, 0 for any
	At  int64  `json:"at,omitempty"`  // its log time, ns
	Who string `json:"who,omitempty"`
}

// WatchTarget is a name that the module's code uses, and the device that is behind it for this watch.
type WatchTarget struct {
	Name     string             `json:"name"`
	Device   string             `json:"device"`             // of the organization's inventory
	OIDs     []string           `json:"oids,omitempty"`     // vedette_snmp_v1: what may be read is below one of these
	Commands []manifest.Command `json:"commands,omitempty"` // vedette_ssh_v1: what may be run
	Ports    []uint16           `json:"ports,omitempty"`    // vedette_probe_v1: what may be connected to
}

// Limits of watches.
const (
	MaxWatchesPerTenant = 10_000
	MaxWatches          = 50_000 // of all organizations
	MaxWatchTargets     = manifest.MaxTargets
)

// watch sets or removes a watch. What it names need not be there: a module comes and goes, and the watch waits for it.
func (r Running) watch(seq uint64, at int64, c Control) (Running, error) {
	if c.Tenant == storage.NoTenant {
		return r, fmt.Errorf("%s: no organization is named: %w", c.Kind, storage.ErrInvalid)
	}
	layer := r.Layer(c.Tenant).clone()
	layer.Watches = maps.Clone(layer.Watches)
	if c.Kind == RemoveWatch {
		if _, there := layer.Watches[c.Name]; !there {
			return r, fmt.Errorf("unwatch %s: there is no such watch: %w", c.Name, storage.ErrNotFound)
		}
		delete(layer.Watches, c.Name)
		return r.with(seq, c.Tenant, layer), nil
	}
	if c.Watch == nil || c.Watch.ID == "" || c.Watch.ID != c.Name || c.Watch.Module == "" || len(c.Watch.Targets) > MaxWatchTargets {
		return r, fmt.Errorf("watch %s: it says neither what nor how: %w", c.Name, storage.ErrInvalid)
	}
	old, there := layer.Watches[c.Name]
	if c.Watch.Seq != 0 && old.Seq != c.Watch.Seq {
		return r, fmt.Errorf("watch %s: it was changed or removed meanwhile: %w", c.Name, storage.ErrConflict)
	}
	total := 0
	for _, l := range r.Layers.All() {
		total += len(l.Watches)
	}
	if !there && (len(layer.Watches) >= MaxWatchesPerTenant || total >= MaxWatches) {
		return r, fmt.Errorf("watch %s: %d of an organization and %d in all are allowed: %w", c.Name, MaxWatchesPerTenant, MaxWatches, storage.ErrExhausted)
	}
	w := *c.Watch
	w.Seq, w.At, w.Who = seq, at, c.Who
	if layer.Watches == nil {
		layer.Watches = map[string]Watch{}
	}
	layer.Watches[w.ID] = w
	return r.with(seq, c.Tenant, layer), nil
}
