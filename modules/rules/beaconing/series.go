package main

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// series is what is remembered of the calls of one host to one destination.
//
//	0  i64 time of the first call · i64 time of the newest
//	16 u32 number of calls · u8 number of intervals · u8 number of references · 2 bytes zero
//	24 u32 intervals in milliseconds, the oldest first
//	   references of the newest calls, the oldest first
type series struct {
	first, last int64 // ns
	calls       uint32
	intervals   []uint32
	refs        []byte
	room        [MaxIntervals + 1]uint32
	refRoom     [(MaxEvidence + 1) * abi.RefSize]byte
}

const (
	seriesHead  = 24
	seriesBytes = seriesHead + 4*MaxIntervals + MaxEvidence*abi.RefSize
)

// read makes s the series that was kept as b; false when b is none.
func (s *series) read(b []byte) bool {
	if len(b) < seriesHead {
		return false
	}
	n, refs := int(b[20]), int(b[21])
	if n > MaxIntervals || refs > MaxEvidence || len(b) != seriesHead+4*n+refs*abi.RefSize {
		return false
	}
	le := binary.LittleEndian
	s.first, s.last, s.calls = int64(le.Uint64(b)), int64(le.Uint64(b[8:])), le.Uint32(b[16:])
	s.intervals = s.room[:0]
	for i := range n {
		s.intervals = append(s.intervals, le.Uint32(b[seriesHead+4*i:]))
	}
	s.refs = append(s.refRoom[:0], b[seriesHead+4*n:]...)
	return true
}

func (s *series) append(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(le.AppendUint64(b, uint64(s.first)), uint64(s.last))
	b = append(le.AppendUint32(b, s.calls), byte(len(s.intervals)), byte(len(s.refs)/abi.RefSize), 0, 0)
	for _, v := range s.intervals {
		b = le.AppendUint32(b, v)
	}
	return append(b, s.refs...)
}

// begin makes s a series of one call.
func (s *series) begin(at int64, ref []byte) {
	s.first, s.last, s.calls, s.intervals = at, at, 1, s.room[:0]
	s.refs = append(s.refRoom[:0], ref...)
}

// call adds a call. One that comes late, or right after the one before, is none of its own.
func (s *series) call(at int64, ref []byte) {
	after := at - s.last
	if after < int64(SameCall) {
		return
	}
	s.last = at
	s.calls++
	s.intervals = append(s.intervals, uint32(min(after/int64(time.Millisecond), 1<<32-1)))
	if len(s.intervals) > MaxIntervals {
		s.intervals = s.intervals[:copy(s.intervals, s.intervals[1:])]
	}
	s.refs = append(s.refs, ref...)
	if len(s.refs) > MaxEvidence*abi.RefSize {
		s.refs = s.refs[:copy(s.refs, s.refs[abi.RefSize:])]
	}
}

// regular returns the middle one of the intervals, and by how much half of them differ from it at most.
func (s *series) regular() (middle, deviation time.Duration) {
	if len(s.intervals) == 0 {
		return 0, 0
	}
	slices.Sort(s.intervals)
	m := s.intervals[len(s.intervals)/2]
	for i, v := range s.intervals {
		s.intervals[i] = max(v, m) - min(v, m)
	}
	slices.Sort(s.intervals)
	return time.Duration(m) * time.Millisecond, time.Duration(s.intervals[len(s.intervals)/2]) * time.Millisecond
}
