package template

// find returns the first or the last place of stop in b, the end when there is no stop, and -1 when stop is not there.
// It is linear whatever the two hold (Knuth, Morris and Pratt), since records and specs come from strangers.
func find(b []byte, stop string, last bool) int {
	if stop == "" {
		return len(b)
	}
	var back [MaxStopBytes]uint8 // back[j]: where to go on in stop when byte j does not fit
	border := uint8(0)           // how much of the end of stop is its beginning too
	for i := 1; i < len(stop); i++ {
		back[i] = border
		if stop[i] == stop[border] {
			back[i] = back[border]
		}
		for border > 0 && stop[i] != stop[border] {
			border = back[border]
		}
		if stop[i] == stop[border] {
			border++
		}
	}
	found, head := -1, stop[0]
	for i, j := 0, 0; i < len(b); i++ {
		c := b[i]
		if j == 0 {
			if c != head {
				continue
			}
		} else {
			for j > 0 && c != stop[j] {
				j = int(back[j])
			}
			if c != stop[j] {
				continue
			}
		}
		if j++; j < len(stop) {
			continue
		}
		found = i + 1 - len(stop)
		if !last {
			return found
		}
		j = int(border) // places may overlap
	}
	return found
}

// same compares without a copy, under TinyGo too.
func same(a, b []byte) bool { return str(a) == str(b) }
