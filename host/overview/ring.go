package overview

// ring counts by time over the last units of it. It holds a cell for each unit in which something was counted, so that
// an organization from which little comes costs little.
type ring struct{ cells []cell }

// cell is one unit of time, counted since the epoch.
type cell struct{ at, n uint32 }

// add counts one at a unit; time does not run backwards.
func (r *ring) add(at int64) {
	if last := len(r.cells) - 1; last >= 0 && r.cells[last].at == uint32(at) {
		r.cells[last].n++
		return
	}
	r.cells = append(r.cells, cell{uint32(at), 1})
}

// forget drops what was counted before a unit.
func (r *ring) forget(before int64) {
	n := 0
	for n < len(r.cells) && int64(r.cells[n].at) < before {
		n++
	}
	if n > 0 {
		r.cells = r.cells[:copy(r.cells, r.cells[n:])]
	}
}

// addTo adds to sums, the last of which is that of the unit end.
func (r *ring) addTo(sums []uint64, end int64) {
	first := end - int64(len(sums)) + 1
	for _, c := range r.cells {
		if k := int64(c.at) - first; k >= 0 && k < int64(len(sums)) {
			sums[k] += uint64(c.n)
		}
	}
}
