// Package overview counts the stream as it passes, so that a dashboard asks memory and never the store.
//
// The pipeline's sequencer hands over each frame's events after detection, and each firing; readers take a snapshot.
// Nothing is kept over a restart: what is counted says since when. A known value costs no allocation.
package overview

import (
	"cmp"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

const (
	second = int64(time.Second)
	minute = int64(time.Minute)

	bucket  = 10 * second
	buckets = int(int64(MaxMinutes) * minute / bucket)

	perMinute = minute / bucket
)

// Fields are those whose most frequent values are counted.
var Fields = [...]string{"source.ip", "user.name", "host.name", storage.FieldDataset}

// What the host says of a record that no parser has read.
const unparsed = "unparsed"

// OtherRules gathers the firings of rules beyond MaxRules.
const OtherRules = "other"

// Overview is everything that is counted. Its methods may be called from any goroutine.
type Overview struct {
	seed maphash.Seed

	mu      sync.Mutex
	since   int64 // ns; of the first call
	room    int   // counters that may still be made
	tenants map[storage.Tenant]*tenant
	skipped uint64 // events of organizations beyond MaxTenants
	records uint64 // records of which all events were seen
	sources sources
}

// tenant is what is counted of one organization, over the last hour.
type tenant struct {
	now       int64                      // newest time seen, in buckets since the epoch
	events    ring                       // by bucket
	unparsed  ring                       // by bucket
	severity  [storage.Critical + 1]ring // by minute
	rules     map[string]*ring           // by minute
	tops      [len(Fields)]*top
	countries *top
}

// New returns an overview that has counted nothing.
func New() *Overview {
	return &Overview{seed: maphash.MakeSeed(), room: MaxCounters, tenants: map[storage.Tenant]*tenant{}, sources: newSources()}
}

// at returns the counters of an organization, moved on to a time in ns; nil when there are too many organizations.
func (o *Overview) at(t storage.Tenant, now int64) *tenant {
	if o.since == 0 {
		o.since = now
	}
	x := o.tenants[t]
	if x == nil {
		if len(o.tenants) >= MaxTenants {
			return nil
		}
		x = &tenant{now: now / bucket}
		for i := range x.tops {
			x.tops[i] = newTop(o.seed, MaxValues, &o.room)
		}
		x.countries = newTop(o.seed, MaxCountries, &o.room)
		o.tenants[t] = x
	}
	x.advance(now / bucket)
	return x
}

// advance clears what the time up to now has passed. Time does not run backwards.
func (x *tenant) advance(now int64) {
	if now <= x.now {
		return
	}
	x.events.forget(now - int64(buckets) + 1)
	x.unparsed.forget(now - int64(buckets) + 1)
	if oldest := now/perMinute - MaxMinutes + 1; oldest > x.now/perMinute-MaxMinutes+1 {
		for s := range x.severity {
			x.severity[s].forget(oldest)
		}
		for id, r := range x.rules {
			if r.forget(oldest); len(r.cells) == 0 {
				delete(x.rules, id)
			}
		}
	}
	const perSlot = slotTime / bucket
	for s := max(x.now/perSlot+1, now/perSlot-slots+1); s <= now/perSlot; s++ {
		for _, t := range x.tops {
			t.clear(int(s % slots))
		}
		x.countries.clear(int(s % slots))
	}
	x.now = now
}

func (x *tenant) slot() int { return int(x.now / (slotTime / bucket) % slots) }

// Events counts the events of one frame, which was processed at a log time in ns. It keeps nothing of them.
func (o *Overview) Events(now int64, events []storage.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var x *tenant
	var src *source
	for i := range events {
		e := &events[i]
		if i == 0 || e.Tenant != events[i-1].Tenant {
			x, src = o.at(e.Tenant, now), nil
		}
		if x == nil {
			o.skipped++
			continue
		}
		src = x.event(o, e, now, src)
	}
}

// event counts one event in one pass over its fields, and returns its source, which the next one is likely to share.
func (x *tenant) event(o *Overview, e *storage.Event, now int64, src *source) *source {
	var values [len(Fields)]string
	var code, country, vendor, from, parser, header, observer string
	for i := range e.Fields {
		f := &e.Fields[i]
		switch f.Name {
		case "source.ip":
			values[0] = f.Value
		case "user.name":
			values[1] = f.Value
		case "host.name":
			values[2] = f.Value
		case "host.hostname": // all that a syslog header tells
			header = f.Value
		case "observer.name":
			observer = f.Value
		case "source.geo.country_iso_code":
			code = f.Value
		case "source.geo.country_name":
			country = f.Value
		case "fortinet.firewall.srccountry":
			vendor = f.Value
		case storage.FieldSource:
			from = f.Value
		case storage.FieldParser:
			parser = f.Value
		}
	}
	values[2] = cmp.Or(values[2], header)
	values[3] = e.Stream
	x.events.add(x.now)
	unread := e.Stream == unparsed
	if unread {
		x.unparsed.add(x.now)
	}
	slot := x.slot()
	for i, v := range values {
		if v != "" {
			x.tops[i].add(slot, v)
		}
	}
	if country = cmp.Or(code, country, vendor); country != "" && country != "Reserved" { // FortiGate's word for private addresses
		x.countries.add(slot, country)
	}
	if e.ID.Ordinal != 0 { // a record counts once
		return src
	}
	o.records++
	if src == nil || src.key.from != from {
		src = o.sources.of(e.Tenant, from, now)
	}
	src.saw(e, now, parser, cmp.Or(values[2], observer), unread)
	return src
}

// Fired counts a firing of a rule.
func (o *Overview) Fired(now int64, t storage.Tenant, rule string, severity storage.Severity) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.at(t, now)
	if x == nil || severity > storage.Critical {
		return
	}
	m := x.now / perMinute
	x.severity[severity].add(m)
	if x.rules == nil {
		x.rules = map[string]*ring{}
	}
	r := x.rules[rule]
	if r == nil {
		if len(x.rules) >= MaxRules {
			rule = OtherRules
		}
		if r = x.rules[rule]; r == nil {
			r = &ring{}
			x.rules[strings.Clone(rule)] = r
		}
	}
	r.add(m)
}

// Forget drops what was counted of an organization.
func (o *Overview) Forget(t storage.Tenant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.tenants[t]; x != nil {
		for _, top := range append(x.tops[:], x.countries) {
			o.room += len(top.values)
		}
		delete(o.tenants, t)
	}
	o.sources.forget(t)
}

// Records returns how many records were processed.
func (o *Overview) Records() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.records
}

// Evicted returns how many sources were forgotten for new ones.
func (o *Overview) Evicted() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sources.evicted
}

// Skipped returns how many events were not counted, since there are too many organizations.
func (o *Overview) Skipped() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.skipped
}
