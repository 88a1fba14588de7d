package detect

// Rank has whoever matches with the set by a View from now on look at its rules by tests that are rare in events such as
// those that were seen. Nothing that matches becomes another: a guard only decides what is looked at. It compiles the set
// again and may be called by any goroutine.
func (s *Set) Rank(seen Shares) error {
	better, err := CompileFor(s.rules, seen)
	if err != nil {
		return err
	}
	s.ranked.Store(better)
	return nil
}

func (s *Set) best() *Set {
	if r := s.ranked.Load(); r != nil {
		return r
	}
	return s
}

// Shared returns the set of the rules that all tenants share; nil when there is none.
func (v *View) Shared() *Set { return v.global }

// Seen returns how many events were counted since the last call of Shares.
func (sc *Scratch) Seen() int { return int(sc.global.events) }

// Events returns how many events were counted.
func (s Shares) Events() int { return int(s.events) }

// Add returns the shares of the events of both.
func (s Shares) Add(of Shares) Shares {
	out := Shares{events: s.events + of.events, marked: make(map[uint64]float64, len(s.marked))}
	for _, list := range []map[uint64]float64{s.marked, of.marked} {
		for hash, n := range list {
			out.marked[hash] += n
		}
	}
	return out
}
