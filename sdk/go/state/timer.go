package state

// SetTimer sets the timer of a key to a log time in ns, in the place of the one that it has, and returns 0 or Limit. It is
// due at the earliest when log time has moved on.
func (s *Space) SetTimer(key []byte, at int64) int32 {
	if !s.call() || !goodKey(key) || at > s.now+int64(MaxTTL) {
		return int32(Limit)
	}
	at = max(at, s.now+1)
	e := s.find(kindTimer, key)
	if e == nil {
		if s.create(kindTimer, key, 0, at) == nil {
			return int32(Limit)
		}
		return 0
	}
	s.save(e)
	s.expire(e, at)
	return 0
}

// CancelTimer removes the timer of a key and returns 1, 0 when there was none, or Limit.
func (s *Space) CancelTimer(key []byte) int32 {
	if !s.call() || !goodKey(key) {
		return int32(Limit)
	}
	e := s.find(kindTimer, key)
	if e == nil {
		return 0
	}
	s.remove(e)
	return 1
}

// Alarm returns the log time, in ns, at which the first timer is due; false when there is none.
func (s *Space) Alarm() (at int64, ok bool) {
	if e := s.timers.soonest(); e != nil {
		return e.expires, true
	}
	return 0, false
}

// TakeDue lets log time, in ns, pass, removes at most so many timers that are due, and calls f with each, in the order of
// their times and of their keys. There must be no open session.
func (s *Space) TakeDue(now int64, most int, f func(at int64, key string)) {
	s.Sweep(now)
	for range most {
		e := s.timers.soonest()
		if e == nil || e.expires > s.now {
			return
		}
		s.detach(e)
		f(e.expires, e.key)
	}
}
