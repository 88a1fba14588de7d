package module

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Install is one module version that runs or has run.
type Install struct {
	Name     string   `json:"name"` // "publisher/name"
	Digest   string   `json:"digest"`
	Settings string   `json:"settings,omitempty"`
	Grants   []string `json:"grants,omitempty"`
	Seq      uint64   `json:"seq"` // of the control record that activated it
	At       int64    `json:"at"`  // log time of that record, ns
	Who      string   `json:"who"`
}

// Slot is a module's place in a layer: the version that runs and those before it, newest first.
type Slot struct {
	Current  Install   `json:"current"`
	Previous []Install `json:"previous,omitempty"`
	Undone   string    `json:"undone,omitempty"` // digest that the last rollback took out, until another version is activated
	Reason   string    `json:"reason,omitempty"` // why the host took it out; "" when a person did
	Off      bool      `json:"off,omitempty"`
	Why      string    `json:"why,omitempty"` // of a suspension; "" when a person switched it off
}

// Layer is what one organization runs, or, for NoTenant, what all of them share. An organization's slot hides the
// shared slot of the same name, for that organization only.
type Layer struct {
	Slots map[string]Slot `json:"slots"`         // by name
	Off   map[string]bool `json:"off,omitempty"` // shared modules that this organization has switched off

	Watches map[string]Watch `json:"watches,omitempty"` // what monitors do for it, by ID; replaced, never changed
	Tables  map[string]Table `json:"tables,omitempty"`  // by name; replaced, never changed

	Lists      map[string]List       `json:"lists,omitempty"`      // by name; replaced, never changed
	Indicators map[string]Indicators `json:"indicators,omitempty"` // by name; replaced, never changed

	RulesOff   map[string]RuleOff         `json:"rules_off,omitempty"`  // by id; replaced, never changed
	Exceptions map[string][]RuleException `json:"exceptions,omitempty"` // from rules, by id, the oldest first; replaced, never changed

	Quota Quota           `json:"quota,omitzero"`
	Rests map[string]Rest `json:"rests,omitempty"` // of modules that have used up their quota, by name; replaced, never changed
}

// Running is what runs at one position of the log. Apply returns a new value and never changes an old one, so a value
// may be read by any goroutine for ever.
type Running struct {
	Seq    uint64                  `json:"seq"`            // of the last control record that changed it
	Layers Tree[*Layer]            `json:"layers"`         // replaced, never changed
	Gone   map[storage.Tenant]bool `json:"gone,omitempty"` // organizations that were removed: what still comes for one is dropped
}

// LayersOf returns layers as Running has them.
func LayersOf(m map[storage.Tenant]Layer) (t Tree[*Layer]) {
	for of, l := range m {
		t = t.With(of, &l)
	}
	return t
}

// Layer returns a tenant's layer; the zero Layer when it has none.
func (r Running) Layer(t storage.Tenant) Layer {
	if l, ok := r.Layers.Get(t); ok {
		return *l
	}
	return Layer{}
}

// Tenants returns the tenants that have a layer, in ascending order, NoTenant first.
func (r Running) Tenants() []storage.Tenant {
	all := make([]storage.Tenant, 0, r.Layers.Len())
	for t := range r.Layers.All() {
		all = append(all, t)
	}
	slices.Sort(all)
	return all
}

// Apply returns what runs after a control record at position seq and log time at. A record that asks for what cannot
// be (a rollback without an earlier version) is an error wrapping storage.ErrInvalid, ErrNotFound, ErrConflict or
// ErrExhausted and changes nothing: it depends on the log alone, so every replay decides alike.
func (r Running) Apply(seq uint64, at int64, c Control) (Running, error) {
	if c.Kind == Forget {
		return r.forget(seq, c.Tenant)
	}
	if r.Gone[c.Tenant] {
		return r, fmt.Errorf("%s %s: the organization was removed: %w", c.Kind, c.Name, storage.ErrNotFound)
	}
	if c.Kind == ActivateSet {
		return r.activateSet(seq, at, c)
	}
	if c.Kind == SetWatch || c.Kind == RemoveWatch {
		return r.watch(seq, at, c)
	}
	if c.Kind == SetTable || c.Kind == RemoveTable {
		return r.table(seq, at, c)
	}
	switch c.Kind {
	case SetList, RemoveList, SetEntries:
		return r.list(seq, at, c)
	case SetIndicators, RemoveIndicators:
		return r.indicators(seq, at, c)
	}
	if c.Kind == Throttle {
		return r.throttle(seq, at, c)
	}
	if c.Kind == SetQuota {
		return r.quota(seq, c)
	}
	if c.Kind == EnableRule || c.Kind == DisableRule || c.Kind == ExceptRule || c.Kind == RemoveException {
		return r.ruling(seq, at, c)
	}
	layer := r.Layer(c.Tenant).clone()
	slot, ok := layer.Slots[c.Name]
	if c.Kind != Activate && c.Digest != "" {
		if r.version(c.Tenant, c.Name).Digest != c.Digest {
			return r, fmt.Errorf("%s %s: it is meant for another version than the one that runs: %w", c.Kind, c.Name, storage.ErrConflict)
		}
	}
	switch c.Kind {
	case Activate:
		if !ok && len(layer.Slots) >= limitOf(c.Tenant) {
			return r, fmt.Errorf("activate %s: %d modules run already, no more are allowed: %w", c.Name, len(layer.Slots), storage.ErrExhausted)
		}
		if ok {
			slot.Previous = slices.Insert(slices.Clone(slot.Previous), 0, slot.Current)
			slot.Previous = slot.Previous[:min(len(slot.Previous), MaxVersionsKept)]
		}
		slot.Current = Install{Name: c.Name, Digest: c.Digest, Settings: c.Settings, Grants: c.Grants, Seq: seq, At: at, Who: c.Who}
		slot.Off, slot.Why, slot.Undone, slot.Reason = false, "", "", ""
	case Rollback:
		if c.To != 0 {
			return r.rollbackTo(seq, at, c, layer)
		}
		if !r.CanRollback(c.Tenant, c.Name) {
			return r, fmt.Errorf("roll back %s: there is no earlier version: %w", c.Name, storage.ErrNotFound)
		}
		if len(slot.Previous) == 0 { // the version before was the shared one
			delete(layer.Slots, c.Name)
			return r.with(seq, c.Tenant, layer), nil
		}
		slot.Undone, slot.Reason = slot.Current.Digest, c.Reason
		slot.Current = slot.Previous[0]
		slot.Current.Seq, slot.Current.At, slot.Current.Who = seq, at, c.Who
		slot.Previous = slices.Clone(slot.Previous[1:])
		slot.Off, slot.Why = false, ""
	case Enable, Disable, Suspend:
		off := c.Kind != Enable
		if !ok {
			return r.switchShared(seq, c, layer, off)
		}
		slot.Off, slot.Why = off, ""
		if c.Kind == Suspend {
			slot.Why = c.Reason
		}
	default:
		return r, fmt.Errorf("control record %q changes no module: %w", c.Kind, storage.ErrInvalid)
	}
	layer.Slots[c.Name] = slot
	return r.with(seq, c.Tenant, layer), nil
}

// activateSet makes several versions run at one position.
func (r Running) activateSet(seq uint64, at int64, c Control) (Running, error) {
	if len(c.Set) == 0 || len(c.Set) > MaxModulesPerSet {
		return r, fmt.Errorf("%s: %d modules, want 1 to %d: %w", c.Kind, len(c.Set), MaxModulesPerSet, storage.ErrInvalid)
	}
	names, next := map[string]bool{}, r
	for _, one := range c.Each() {
		if names[one.Name] {
			return r, fmt.Errorf("%s: %s stands there twice: %w", c.Kind, one.Name, storage.ErrInvalid)
		}
		names[one.Name] = true
		var err error
		if next, err = next.Apply(seq, at, one); err != nil {
			return r, err
		}
	}
	return next, nil
}

// rollbackTo makes a named version run again. Unlike the step back it undoes nothing: the version that runs stays in the
// list, so that one may return to it.
func (r Running) rollbackTo(seq uint64, at int64, c Control, layer Layer) (Running, error) {
	slot, own := layer.Slots[c.Name]
	if i := slices.IndexFunc(slot.Previous, func(in Install) bool { return in.Seq == c.To }); i >= 0 {
		again := slot.Previous[i]
		slot.Previous = slices.Insert(slices.Delete(slices.Clone(slot.Previous), i, i+1), 0, slot.Current)
		again.Seq, again.At, again.Who = seq, at, c.Who
		slot.Current, slot.Off, slot.Why = again, false, ""
		layer.Slots[c.Name] = slot
		return r.with(seq, c.Tenant, layer), nil
	}
	if shared, ok := r.Shared(c.Tenant, c.Name); own && ok && shared.Seq == c.To {
		delete(layer.Slots, c.Name)
		return r.with(seq, c.Tenant, layer), nil
	}
	return r, fmt.Errorf("roll back %s: none of its versions was activated at %d: %w", c.Name, c.To, storage.ErrNotFound)
}

// Shared returns the shared install that an organization's own of the same name hides.
func (r Running) Shared(t storage.Tenant, name string) (Install, bool) {
	slot, ok := r.Layer(storage.NoTenant).Slots[name]
	return slot.Current, ok && t != storage.NoTenant
}

// CanRollback reports whether an earlier version of a layer's module can run again: one of its own or, for an
// organization, the shared one that its own has hidden.
func (r Running) CanRollback(t storage.Tenant, name string) bool {
	slot, ok := r.Layer(t).Slots[name]
	if !ok || len(slot.Previous) > 0 {
		return ok
	}
	_, shared := r.Shared(t, name)
	return shared
}

// version returns what a control record for a layer's module is about: the layer's own version, else the shared one.
func (r Running) version(t storage.Tenant, name string) Install {
	if slot, ok := r.Layer(t).Slots[name]; ok {
		return slot.Current
	}
	return r.Layer(storage.NoTenant).Slots[name].Current
}

// switchShared switches a shared module off or on for one organization.
func (r Running) switchShared(seq uint64, c Control, layer Layer, off bool) (Running, error) {
	if _, shared := r.Layer(storage.NoTenant).Slots[c.Name]; !shared || c.Tenant == storage.NoTenant {
		return r, fmt.Errorf("%s %s: no such module: %w", c.Kind, c.Name, storage.ErrNotFound)
	}
	if off {
		layer.Off[c.Name] = true
	} else {
		delete(layer.Off, c.Name)
	}
	return r.with(seq, c.Tenant, layer), nil
}

func (r Running) with(seq uint64, t storage.Tenant, l Layer) Running {
	next := Running{Seq: seq, Gone: r.Gone}
	if l.runs() || len(l.Watches) > 0 || len(l.Rests) > 0 || l.Quota != (Quota{}) {
		next.Layers = r.Layers.With(t, &l)
	} else {
		next.Layers = r.Layers.Without(t) // an organization that runs what all run costs nothing
	}
	return next
}

// forget ends an organization. Its number is never given again, so it is remembered for ever.
func (r Running) forget(seq uint64, t storage.Tenant) (Running, error) {
	if t == storage.NoTenant {
		return r, fmt.Errorf("forget: no organization is named: %w", storage.ErrInvalid)
	}
	next := Running{Seq: seq, Layers: r.Layers.Without(t), Gone: maps.Clone(r.Gone)}
	if next.Gone == nil {
		next.Gone = map[storage.Tenant]bool{}
	}
	next.Gone[t] = true
	return next, nil
}

// runs says that the organization runs something else than all do.
func (l Layer) runs() bool {
	return len(l.Slots) > 0 || len(l.Off) > 0 || len(l.Tables) > 0 || len(l.Lists) > 0 || len(l.Indicators) > 0 || len(l.RulesOff) > 0 || len(l.Exceptions) > 0
}

// same says that two layers run the same modules with the same tables and indicators, and the same rules of them.
func (l Layer) same(o Layer) bool {
	return l.sameModules(o) && l.sameRulings(o) && l.sameIndicators(o) && maps.EqualFunc(l.Tables, o.Tables, func(a, b Table) bool { return a.Digest == b.Digest })
}

// sameModules says that two layers run the same modules. Whatever changes one gives its slot another position or switches
// it.
func (l Layer) sameModules(o Layer) bool {
	return maps.Equal(l.Off, o.Off) && maps.EqualFunc(l.Slots, o.Slots, func(a, b Slot) bool { return a.Current.Seq == b.Current.Seq && a.Off == b.Off })
}

func (l Layer) clone() Layer {
	c := l
	c.Slots, c.Off = maps.Clone(l.Slots), maps.Clone(l.Off)
	if c.Slots == nil {
		c.Slots = map[string]Slot{}
	}
	if c.Off == nil {
		c.Off = map[string]bool{}
	}
	return c
}

func limitOf(t storage.Tenant) int {
	if t == storage.NoTenant {
		return MaxModulesGlobal
	}
	return MaxModulesPerTenant
}
