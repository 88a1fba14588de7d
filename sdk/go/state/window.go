package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
)

var le = binary.LittleEndian

func goodSpan(ns int64) bool { return ns > 0 && ns <= int64(MaxTTL) }

// named returns the key at hand with spans that distinguish it. It is valid until the next call.
func (s *Space) named(key []byte, spans ...int64) []byte {
	s.name = append(s.name[:0], key...)
	for _, n := range spans {
		s.name = le.AppendUint64(s.name, uint64(n))
	}
	return s.name
}

// A count is the number of its newest bucket and the sums of the newest buckets, each in its place in the ring.
const countHeader = 8

// Count adds delta, at least 0, to a key's count and returns what was added within the window until now, or Limit. The
// window is made of whole buckets of log time, at most MaxBuckets, the current one being the last. The same key with
// another window or bucket is another count.
func (s *Space) Count(key []byte, window, bucket, delta int64) int64 {
	if !s.call() || !goodKey(key) || !goodSpan(window) || bucket <= 0 || bucket > window || delta < 0 {
		return int64(Limit)
	}
	n := (window-1)/bucket + 1
	if n > MaxBuckets {
		return int64(Limit)
	}
	newest := floorDiv(s.now, bucket)
	name := s.named(key, window, bucket)
	e := s.find(kindCount, name)
	switch {
	case e == nil && delta == 0:
		return 0
	case e == nil:
		if e = s.create(kindCount, name, countHeader+8*int(n), (newest+n)*bucket); e == nil {
			return int64(Limit)
		}
		le.PutUint64(e.value, uint64(newest))
	case delta > 0:
		s.save(e)
		ring := e.value[countHeader:]
		for b := max(int64(le.Uint64(e.value))+1, newest-n+1); b <= newest; b++ {
			le.PutUint64(ring[8*mod(b, n):], 0)
		}
		le.PutUint64(e.value, uint64(newest))
		s.expire(e, (newest+n)*bucket)
	}
	ring := e.value[countHeader:]
	if delta > 0 {
		at := ring[8*mod(newest, n):]
		le.PutUint64(at, uint64(sumUp(int64(le.Uint64(at)), delta)))
	}
	sum := int64(0)
	for b, last := newest-n+1, int64(le.Uint64(e.value)); b <= last; b++ {
		sum = sumUp(sum, int64(le.Uint64(ring[8*mod(b, n):])))
	}
	return sum
}

// sumUp adds numbers that are not negative and stops at the highest.
func sumUp(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func mod(a, n int64) int64 { return (a%n + n) % n }

// Seen reports whether a key was not seen during the ttl before now, 1 or 0, and notes that it was seen now. Limit
// otherwise.
func (s *Space) Seen(key []byte, ttl int64) int32 {
	if !s.call() || !goodKey(key) || !goodSpan(ttl) {
		return int32(Limit)
	}
	if e := s.find(kindSeen, key); e != nil {
		s.save(e)
		s.expire(e, s.now+ttl)
		return 0
	}
	if s.create(kindSeen, key, 0, s.now+ttl) == nil {
		return int32(Limit)
	}
	return 1
}

// Step moves a key of a sequence to a state and returns the state in which it stood, 0 for none. It moves, for ttl from
// now, if it stood in the state before or in this one; else nothing changes. State 0 ends the sequence. Limit otherwise.
func (s *Space) Step(key []byte, to uint32, ttl int64) int32 {
	if !s.call() || !goodKey(key) || to > MaxStep || to != 0 && !goodSpan(ttl) {
		return int32(Limit)
	}
	e := s.find(kindStep, key)
	if e == nil {
		if to == 1 {
			if e = s.create(kindStep, key, 4, s.now+ttl); e == nil {
				return int32(Limit)
			}
			le.PutUint32(e.value, to)
		}
		return 0
	}
	was := le.Uint32(e.value)
	switch to {
	case 0:
		s.remove(e)
	case was, was + 1:
		s.save(e)
		le.PutUint32(e.value, to)
		s.expire(e, s.now+ttl)
	}
	return int32(was)
}

// A set of values is a sample of them: those whose hash, a number that is as good as random, begins with at least level
// zero bits. At level 0 it is all of them. What was seen when is known of each value in the sample, so values leave it
// as exactly as they entered it, and the number in it times 2^level estimates the number of all.
//
// The sample is thinned when it grows beyond MaxExact. When it has become small, accept is one below level: more values
// enter, and after a whole window the sample is one of that level.
//
//	0  u8 level · u8 accept · 6 bytes zero · i64 log time at which accept went below level
//	16 sorted by hash, for each value: u64 hash · i64 log time when it was last seen
const (
	sampleHeader = 16
	sampleValue  = 16
)

// Distinct notes that value was seen under a key and returns how many different values were within the window until now:
// exactly up to MaxExact, beyond that an estimate with a standard error of 3 to 7 %. Limit otherwise. The same key with
// another window is another set.
func (s *Space) Distinct(key, value []byte, window int64) int64 {
	if !s.call() || !goodKey(key) || len(value) > MaxValueBytes || !goodSpan(window) {
		return int64(Limit)
	}
	sum := sha256.Sum256(value)
	name := s.named(key, window)
	e := s.find(kindDistinct, name)
	if e == nil {
		if e = s.create(kindDistinct, name, sampleHeader, s.now+window); e == nil {
			return int64(Limit)
		}
	} else {
		s.save(e)
		s.expire(e, s.now+window)
	}
	if !s.sample(e, le.Uint64(sum[:]), window) {
		return int64(Limit)
	}
	level := e.value[0]
	return int64(below(e.value[sampleHeader:], level)) << level
}

// sample brings a sample up to now and puts a hash into it; false when there is no room.
func (s *Space) sample(e *entry, hash uint64, window int64) bool {
	if e.value[1] < e.value[0] && s.now-int64(le.Uint64(e.value[8:])) >= window {
		e.value[0] = e.value[1]
	}
	s.resize(e, sampleHeader+prune(e.value[sampleHeader:], s.now-window))
	if bits.LeadingZeros64(hash) >= int(e.value[1]) {
		at, there := search(e.value[sampleHeader:], hash)
		at = sampleHeader + at*sampleValue
		if !there {
			n := len(e.value)
			if !s.fit(e, n+sampleValue) {
				return false
			}
			copy(e.value[at+sampleValue:], e.value[at:n])
			le.PutUint64(e.value[at:], hash)
		}
		le.PutUint64(e.value[at+8:], uint64(s.now))
	}
	for len(e.value) > sampleHeader+MaxExact*sampleValue {
		e.value[1]++
		s.resize(e, sampleHeader+below(e.value[sampleHeader:], e.value[1])*sampleValue)
	}
	e.value[0] = max(e.value[0], e.value[1])
	if e.value[0] > 0 && e.value[0] == e.value[1] && len(e.value) < sampleHeader+MaxExact/4*sampleValue {
		e.value[1]--
		le.PutUint64(e.value[8:], uint64(s.now))
	}
	return true
}

// prune takes out values that were last seen at or before a log time and returns the bytes that are left.
func prune(list []byte, before int64) int {
	n := 0
	for at := 0; at < len(list); at += sampleValue {
		if int64(le.Uint64(list[at+8:])) > before {
			if n < at {
				copy(list[n:n+sampleValue], list[at:])
			}
			n += sampleValue
		}
	}
	return n
}

// below returns how many hashes begin with at least level zero bits.
func below(list []byte, level uint8) int {
	if level == 0 {
		return len(list) / sampleValue
	}
	n, _ := search(list, 1<<(64-level))
	return n
}

// search returns where a hash is or would be, as an index.
func search(list []byte, hash uint64) (at int, there bool) {
	lo, hi := 0, len(list)/sampleValue
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if le.Uint64(list[mid*sampleValue:]) < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(list)/sampleValue && le.Uint64(list[lo*sampleValue:]) == hash
}

// ranked is an entry with what it is ordered by: the kind and the bytes of the key behind what all keys have in common.
type ranked struct {
	rank uint64
	*entry
}

// sorted returns the entries in the order of a snapshot: by kind and key. The rank decides nearly every comparison without
// a look at an entry, which is seldom in the processor's cache.
func (s *Space) sorted() []ranked {
	all := make([]ranked, 0, s.Len())
	for _, q := range [...]queue{s.values, s.others, s.timers} {
		for _, e := range q {
			all = append(all, ranked{entry: e})
		}
	}
	same := ""
	for i := range all {
		if key := all[i].key; i == 0 {
			same = key
		} else if len(key) < len(same) || key[:len(same)] != same {
			same = common(same, key)
		}
	}
	for i := range all {
		var next [8]byte
		next[0] = byte(all[i].kind)
		copy(next[1:], all[i].key[len(same):])
		all[i].rank = binary.BigEndian.Uint64(next[:])
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		return strings.Compare(a.key, b.key)
	})
	return all
}

// common returns what two texts begin with.
func common(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
