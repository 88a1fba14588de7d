package module

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The control records of indicator sets.
const (
	SetIndicators    ControlKind = "indicators" // a set is there, or has another version
	RemoveIndicators ControlKind = "unindicate" // it is there no more
)

// Indicators is the version of an indicator set that is in force: of one organization, or, in the layer that all share,
// for all that have none of their own by that name.
type Indicators struct {
	Name   string                 `json:"name"`
	Digest string                 `json:"digest"` // of its text (host/indicator)
	Counts map[indicator.Type]int `json:"counts"`
	Bytes  int                    `json:"bytes"`
	Origin string                 `json:"origin,omitempty"` // where it comes from, in words

	Seq uint64 `json:"seq,omitempty"` // of the control record that set it
	At  int64  `json:"at,omitempty"`  // its log time, ns
	Who string `json:"who,omitempty"`
}

// Limits of indicator sets.
const (
	MaxIndicatorSets  = 32        // of one layer
	MaxIndicatorBytes = 256 << 20 // of one layer
	MaxOriginBytes    = 512
)

// IndicatorContents gives a set by the digest of its text, verified on every call (host/indicator). It may be called by
// many goroutines at once.
type IndicatorContents interface {
	Indicators(ctx context.Context, t storage.Tenant, digest string) (*indicator.Set, error)
}

// indicators sets or removes a set.
func (r Running) indicators(seq uint64, at int64, c Control) (Running, error) {
	layer := r.Layer(c.Tenant).clone()
	layer.Indicators = maps.Clone(layer.Indicators)
	if c.Kind == RemoveIndicators {
		if !has(layer.Indicators, c.Name) {
			return r, fmt.Errorf("remove indicators %.80q: there is no such set: %w", c.Name, storage.ErrNotFound)
		}
		delete(layer.Indicators, c.Name)
		return r.with(seq, c.Tenant, layer), nil
	}
	if c.Indicators == nil || c.Indicators.Name != c.Name || !manifest.ValidName(c.Name) || c.Indicators.Digest == "" || len(c.Indicators.Origin) > MaxOriginBytes {
		return r, fmt.Errorf("indicators %.80q: it says neither which nor what: %w", c.Name, storage.ErrInvalid)
	}
	if err := layer.free(c.Name, "indicator set"); err != nil {
		return r, err
	}
	v := *c.Indicators
	v.Seq, v.At, v.Who = seq, at, c.Who
	if layer.Indicators == nil {
		layer.Indicators = map[string]Indicators{}
	}
	layer.Indicators[c.Name] = v
	bytes := 0
	for _, x := range layer.Indicators {
		bytes += x.Bytes
	}
	if len(layer.Indicators) > MaxIndicatorSets || bytes > MaxIndicatorBytes {
		return r, fmt.Errorf("indicators %s: at most %d sets of %d bytes together are allowed: %w", c.Name, MaxIndicatorSets, MaxIndicatorBytes, storage.ErrExhausted)
	}
	return r.with(seq, c.Tenant, layer), nil
}

// sameIndicators says that two layers have the same indicators.
func (l Layer) sameIndicators(o Layer) bool {
	return maps.EqualFunc(l.Indicators, o.Indicators, func(a, b Indicators) bool { return a.Digest == b.Digest })
}

// WithIndicators makes the library read indicator sets from c. It is called before anything is loaded.
func (l *Library) WithIndicators(c IndicatorContents) *Library {
	l.indicators = c
	return l
}

// Indicators returns the set of a version, from memory when it is there: versions with the same content share it.
func (l *Library) Indicators(ctx context.Context, t storage.Tenant, v Indicators) (*indicator.Set, error) {
	l.mu.Lock()
	x, ok := l.sets[v.Digest]
	l.mu.Unlock()
	if ok {
		return x, nil
	}
	if l.indicators == nil {
		return nil, fmt.Errorf("load indicators %s: they are not kept here: %w", v.Name, storage.ErrUnavailable)
	}
	x, err := l.indicators.Indicators(ctx, t, v.Digest)
	if err != nil {
		return nil, fmt.Errorf("load indicators %s: %w", v.Name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.sets[v.Digest]; ok { // somebody else loaded it meanwhile
		return first, nil
	}
	l.sets[v.Digest], l.fresh[v.Digest] = x, true
	return x, nil
}

// HoldIndicators keeps a set in memory until it is released, although no generation uses it yet: Build then finds it, while
// the log waits.
func (l *Library) HoldIndicators(digest string, x *indicator.Set) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.sets[digest]; !there {
		l.sets[digest], l.fresh[digest] = x, true
	}
	l.held[digest]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.held[digest]--; l.held[digest] == 0 {
			delete(l.held, digest)
		}
	}
}

// keptSet is an indicator set of a layer that is loaded.
type keptSet struct {
	*indicator.Set
	digest string
}

// loadIndicators loads the indicator sets of a layer.
func loadIndicators(ctx context.Context, lib Loader, t storage.Tenant, l Layer) (map[string]keptSet, error) {
	if len(l.Indicators) == 0 {
		return nil, nil
	}
	out := make(map[string]keptSet, len(l.Indicators))
	for name, v := range l.Indicators {
		x, err := lib.Indicators(ctx, t, v)
		if err != nil {
			return nil, err
		}
		out[name] = keptSet{x, v.Digest}
	}
	return out, nil
}

// Feeds returns the indicators that are looked for in the tenant's events, by name: its own sets, and the shared ones that
// none of its own hides. The slice must not be changed.
func (v *View) Feeds() []indicator.Feed { return v.feeds }

// feedsOf is Feeds of a view that is being made.
func (v *View) feedsOf() (out []indicator.Feed) {
	for _, l := range []*layer{v.own, v.shared} {
		if l == nil {
			continue
		}
		for name, x := range l.indicators {
			if l == v.own || v.own == nil || !has(v.own.indicators, name) {
				out = append(out, indicator.Feed{Name: name, Set: x.Set})
			}
		}
	}
	slices.SortFunc(out, func(a, b indicator.Feed) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// look makes the view find the lists that its rules name, and the indicators that its events are compared with.
func (v *View) look() {
	v.feeds = v.feedsOf()
	v.Rules = v.Rules.WithLists(v.list)
}

// bytesOf is the bytes of a text, which nobody may change.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// IndicatorSet returns a set that stands in a layer, of NoTenant of the shared one; nil when there is none.
func (g *Generation) IndicatorSet(t storage.Tenant, name string) *indicator.Set {
	if l := g.layer(t); l != nil {
		return l.indicators[name].Set
	}
	return nil
}
