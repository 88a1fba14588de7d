package queue

import (
	"encoding/binary"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// frameBuilder gathers records into a frame, one segment per tenant, in the order of their arrival. It is reused.
type frameBuilder struct {
	size     int // encoded bytes so far
	records  int
	sources  map[Source]uint16
	table    []byte // encoded sources
	index    map[storage.Tenant]int
	segments []segmentBuilder
}

type segmentBuilder struct {
	tenant  storage.Tenant
	records uint32
	size    int    // that the frame has grown by for it
	body    []byte // encoded records
}

// encodedBytes is the most that recs take in a frame, with their source and segment.
func encodedBytes(src Source, recs []Raw) int {
	n := sourceBytes(src) + segmentHead
	for i := range recs {
		n += recordHead + len(recs[i].Bytes)
	}
	return n
}

func sourceBytes(src Source) int { return minSourceBytes + len(src.Listener) + len(src.Peer) }

// add takes as many of recs as fit into a frame of so many bytes, and returns their number.
func (f *frameBuilder) add(t storage.Tenant, src Source, recs []Raw, most int) int {
	held := f.size
	if f.index == nil {
		f.index, f.sources = make(map[storage.Tenant]int), make(map[Source]uint16)
	}
	if f.size == 0 {
		f.size = frameHeadBytes
	}
	at, known := f.sources[src]
	seg, open := f.index[t]
	extra := 0
	if !known {
		extra += sourceBytes(src)
	}
	if !open {
		extra += segmentHead
	}
	if len(recs) == 0 || f.size+extra+recordHead+len(recs[0].Bytes) > most {
		f.size = held
		return 0
	}
	f.size += extra
	if !known {
		at = uint16(len(f.sources))
		f.sources[src] = at
		f.table = append(append(f.table, byte(len(src.Listener))), src.Listener...)
		f.table = append(append(f.table, byte(len(src.Peer))), src.Peer...)
	}
	if !open {
		seg = f.openSegment(t)
	}
	n := 0
	s := &f.segments[seg]
	for i := range recs {
		r := &recs[i]
		if f.size+recordHead+len(r.Bytes) > most {
			break
		}
		f.size += recordHead + len(r.Bytes)
		s.body = binary.LittleEndian.AppendUint32(s.body, uint32(len(r.Bytes)))
		s.body = binary.LittleEndian.AppendUint16(s.body, at)
		s.body = append(s.body, r.Flags, 0)
		s.body = binary.LittleEndian.AppendUint64(s.body, uint64(r.Received))
		s.body = append(s.body, r.Bytes...)
		n++
	}
	s.records += uint32(n)
	s.size += f.size - held
	f.records += n
	return n
}

// openSegment adds a segment, in the memory of an earlier frame's where there is one.
func (f *frameBuilder) openSegment(t storage.Tenant) int {
	seg := len(f.segments)
	f.index[t] = seg
	if seg < cap(f.segments) {
		f.segments = f.segments[:seg+1]
	} else {
		f.segments = append(f.segments, segmentBuilder{})
	}
	s := &f.segments[seg]
	s.tenant, s.records, s.size, s.body = t, 0, 0, s.body[:0]
	return seg
}

func (f *frameBuilder) appendTo(b []byte, shard uint16, logTime int64) []byte {
	b = appendHeader(b, KindFrame, shard, logTime)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.sources)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.segments)))
	b = append(b, f.table...)
	for i := range f.segments {
		s := &f.segments[i]
		b = binary.LittleEndian.AppendUint32(b, uint32(s.tenant))
		b = binary.LittleEndian.AppendUint32(b, s.records)
		b = append(b, s.body...)
	}
	return b
}

// reset empties the builder and keeps its memory, within bounds: with many tenants in turn the segments' memory would
// otherwise add up to many frames.
func (f *frameBuilder) reset() {
	kept := 0
	segments := f.segments[:cap(f.segments)]
	for i := range segments {
		if kept += cap(segments[i].body); kept > 2*MaxFrameBytes {
			segments[i].body = nil
		}
	}
	clear(f.sources)
	clear(f.index)
	f.size, f.records, f.table, f.segments = 0, 0, f.table[:0], f.segments[:0]
}

// checkInput refuses what no frame can hold.
func checkInput(t storage.Tenant, src Source, recs []Raw) error {
	if t == storage.NoTenant {
		return fmt.Errorf("records of no organization: %w", storage.ErrInvalid)
	}
	if len(src.Listener) > MaxSourceBytes || len(src.Peer) > MaxSourceBytes {
		return fmt.Errorf("source %.40q %.40q is longer than %d bytes: %w", src.Listener, src.Peer, MaxSourceBytes, storage.ErrInvalid)
	}
	for i := range recs {
		if len(recs[i].Bytes) > MaxRecordBytes {
			return fmt.Errorf("record %d of %d bytes, more than %d: %w", i, len(recs[i].Bytes), MaxRecordBytes, storage.ErrExhausted)
		}
	}
	return nil
}

// shardOf maps a tenant's source to one of n shards by FNV-1a, the same in every version: records of one source keep
// their order because they share a shard.
func shardOf(t storage.Tenant, src Source, n int) int {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range 4 {
		h = (h ^ uint64(byte(t>>(8*i)))) * prime
	}
	for i := range len(src.Listener) {
		h = (h ^ uint64(src.Listener[i])) * prime
	}
	h *= prime // a zero byte between the two
	for i := range len(src.Peer) {
		h = (h ^ uint64(src.Peer[i])) * prime
	}
	return int(h % uint64(n))
}
