package overview

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Window is what was counted over the last minutes, of some organizations together.
type Window struct {
	From, To   int64 // ns; whole buckets, and a whole number of minutes apart
	Since      int64 // when counting began, ns; 0 before the first event
	Events     []uint64
	Unparsed   []uint64 // both per 10 seconds
	BySeverity [storage.Critical + 1][]uint64
	ByRule     map[string][]uint64 // both per minute
	Tops       [len(Fields)][]TenantValue
	Countries  []Value
}

// TenantValue is a value of one organization.
type TenantValue struct {
	Value
	Tenant storage.Tenant
}

// Window returns the last minutes up to now (ns), 1 to MaxMinutes of them. Most frequent values are of whole slots of
// five minutes: at least the minutes that were asked for.
func (o *Overview) Window(now int64, minutes int, tenants []storage.Tenant) Window {
	minutes = min(max(minutes, 1), MaxMinutes)
	end := now / bucket // the bucket that is being filled is the last
	n := minutes * int(perMinute)
	w := Window{
		From: (end - int64(n) + 1) * bucket, To: (end + 1) * bucket, Since: o.begun(),
		Events: make([]uint64, n), Unparsed: make([]uint64, n), ByRule: map[string][]uint64{},
	}
	for s := range w.BySeverity {
		w.BySeverity[s] = make([]uint64, minutes)
	}
	countries := map[string]uint64{}
	for _, t := range tenants {
		o.add(&w, t, end, minutes, countries)
	}
	for f := range w.Tops {
		slices.SortStableFunc(w.Tops[f], func(a, b TenantValue) int { return cmp.Compare(b.Count, a.Count) })
		w.Tops[f] = w.Tops[f][:min(len(w.Tops[f]), TopValues)]
	}
	for _, name := range slices.Sorted(maps.Keys(countries)) {
		w.Countries = append(w.Countries, Value{name, countries[name]})
	}
	slices.SortStableFunc(w.Countries, func(a, b Value) int { return cmp.Compare(b.Count, a.Count) })
	return w
}

// add adds an organization to a window. The pipeline waits no longer than for one of them.
func (o *Overview) add(w *Window, t storage.Tenant, end int64, minutes int, countries map[string]uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.tenants[t]
	if x == nil {
		return
	}
	x.advance(end)
	x.series(w, end, minutes)
	last := (minutes*slots + MaxMinutes - 1) / MaxMinutes
	for f := range x.tops {
		for _, v := range x.tops[f].newest(x.slot(), last, TopValues) {
			w.Tops[f] = append(w.Tops[f], TenantValue{v, t})
		}
	}
	for _, v := range x.countries.newest(x.slot(), last, MaxCountries) {
		countries[v.Text] += v.Count
	}
}

func (o *Overview) begun() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since
}

// series adds an organization's rings to a window whose last bucket is end.
func (x *tenant) series(w *Window, end int64, minutes int) {
	x.events.addTo(w.Events, end)
	x.unparsed.addTo(w.Unparsed, end)
	last := end / perMinute
	for s := range w.BySeverity {
		x.severity[s].addTo(w.BySeverity[s], last)
	}
	for id, r := range x.rules {
		if newest := r.cells[len(r.cells)-1]; int64(newest.at) <= last-int64(minutes) {
			continue
		}
		if w.ByRule[id] == nil {
			w.ByRule[id] = make([]uint64, minutes)
		}
		r.addTo(w.ByRule[id], last)
	}
}
