package state

import (
	"bytes"
	"encoding/binary"
	"math"
)

// until returns when something that lives for ttl from now ends, and whether ttl is one; 0 is for ever.
func (s *Space) until(ttl int64) (int64, bool) {
	switch {
	case ttl == 0:
		return forever, true
	case ttl < 0 || ttl > int64(MaxTTL):
		return 0, false
	}
	return s.now + ttl, true
}

func goodKey(key []byte) bool { return len(key) > 0 && len(key) <= MaxKeyBytes }

// Get copies the value of a key to out and returns its length; Absent, Short or Limit otherwise.
func (s *Space) Get(key, out []byte) int32 {
	if !s.call() || !goodKey(key) {
		return int32(Limit)
	}
	e := s.find(kindValue, key)
	switch {
	case e == nil:
		return int32(Absent)
	case len(e.value) > len(out):
		return int32(Short)
	}
	return int32(copy(out, e.value))
}

// Put keeps a value under a key for ttl ns of log time from now, 0 for ever, in the place of what was there. It returns
// 0 or Limit.
func (s *Space) Put(key, value []byte, ttl int64) int32 {
	end, ok := s.until(ttl)
	if !s.call() || !ok || !goodKey(key) || len(value) > MaxValueBytes {
		return int32(Limit)
	}
	return s.put(key, value, end)
}

func (s *Space) put(key, value []byte, end int64) int32 {
	e := s.find(kindValue, key)
	if e == nil {
		if e = s.create(kindValue, key, len(value), end); e == nil {
			return int32(Limit)
		}
	} else {
		s.save(e)
		if !s.fit(e, len(value)) {
			return int32(Limit)
		}
		s.expire(e, end)
	}
	copy(e.value, value)
	return 0
}

// Del removes a key and returns 1, 0 when it was not there, or Limit.
func (s *Space) Del(key []byte) int32 {
	if !s.call() || !goodKey(key) {
		return int32(Limit)
	}
	e := s.find(kindValue, key)
	if e == nil {
		return 0
	}
	s.remove(e)
	return 1
}

// Incr adds delta to the number under a key, 8 bytes little-endian, and returns the sum. A key that is not there begins
// at 0 and lives for ttl; one that is there keeps its end. ok is false, and nothing changed, where a limit stands in the
// way, the value is no number, or the sum overflows.
func (s *Space) Incr(key []byte, delta, ttl int64) (sum int64, ok bool) {
	end, good := s.until(ttl)
	if !s.call() || !good || !goodKey(key) {
		return 0, false
	}
	e := s.find(kindValue, key)
	if e == nil {
		if e = s.create(kindValue, key, 8, end); e == nil {
			return 0, false
		}
	} else if len(e.value) != 8 {
		return 0, false
	}
	n := int64(binary.LittleEndian.Uint64(e.value))
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return 0, false
	}
	s.save(e)
	binary.LittleEndian.PutUint64(e.value, uint64(n+delta))
	return n + delta, true
}

// CAS replaces the value of a key if it is old, and returns 1, or 0 when it is another, or Limit. A nil old stands for a
// key that is not there, a nil value removes the key. It lives for ttl from now.
func (s *Space) CAS(key, old, value []byte, ttl int64) int32 {
	end, ok := s.until(ttl)
	if !s.call() || !ok || !goodKey(key) || len(value) > MaxValueBytes {
		return int32(Limit)
	}
	e := s.find(kindValue, key)
	if (e == nil) != (old == nil) || e != nil && !bytes.Equal(e.value, old) {
		return 0
	}
	switch {
	case value != nil:
		if code := s.put(key, value, end); code != 0 {
			return code
		}
	case e != nil:
		s.remove(e)
	}
	return 1
}
