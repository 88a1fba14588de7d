package queue

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// The wire form of a message, little-endian. Every message opens with the header:
//
//	0   4  magic "VDQ1"; the digit is the version
//	4   1  kind (Kind)
//	5   1  zero
//	6   2  shard; zero unless the kind is KindFrame
//	8   8  log time, ns since the Unix epoch
//
// A control record's payload follows. A tick has none. An anchor has 8 bytes: the log time that would have been in
// force without it. A frame goes on with its tables:
//
//	16  4  number of sources
//	20  4  number of segments
//	24  .. sources:  1 byte length and bytes of the listener, 1 byte length and bytes of the peer
//	    .. segments: 4 tenant, 4 number of records, then the records:
//	                 4 length, 2 source, 1 flags, 1 zero, 8 receive time (ns since the Unix epoch), bytes
//
// Counts and lengths are checked against what is left before anything is allocated, and a frame must be used up
// exactly.
const (
	magic           = "VDQ1"
	headerBytes     = 16
	frameHeadBytes  = headerBytes + 8
	segmentHead     = 8
	recordHead      = 16
	minSourceBytes  = 2
	maxFrameSources = 1 << 16
)

// Kind says what a message of the log is.
type Kind uint8

// The kinds of messages.
const (
	KindFrame   Kind = iota + 1 // records
	KindControl                 // a change of what runs; the payload belongs to the caller of PublishControl
	KindTick                    // nothing but time
	KindAnchor                  // log time leapt: Message.Data holds what it would have been, see AnchorFrom
)

func (k Kind) String() string {
	if k < KindFrame || k > KindAnchor {
		return "unknown"
	}
	return [...]string{"", "frame", "control", "tick", "anchor"}[k]
}

// Flags of a record.
const (
	FlagTruncated  = 1 << iota // longer than the limit: only its beginning is here
	FlagBadFraming             // the sender's framing was broken here: it may be a part of a message, or more than one
)

// ErrFrame is wrapped by the error of every message that is not well formed.
var ErrFrame = errors.New("malformed queue message")

// Source is where a record came from: the listener ("syslog-udp:5514", "http", "monitor:NAME") and the peer's address
// without a port, or "". It is an alias of an unnamed struct, as is Raw, so that host/receive, which may not import
// this room, declares the identical type and Queue is its sink with no adapter in between.
type Source = struct{ Listener, Peer string }

// Raw is one record as it is handed to the queue. Bytes is copied before Put or Offer returns.
type Raw = struct {
	Bytes    []byte
	Received int64 // ns since the Unix epoch
	Flags    uint8 // FlagTruncated, FlagBadFraming
}

// Record is one record as it was received.
type Record struct {
	Raw      []byte // range of the message that it was decoded from
	Received int64  // ns since the Unix epoch
	Source   Source
	Flags    uint8
}

// Segment is what a frame holds of one tenant. The position of a record is (frame sequence, segment index, record index).
type Segment struct {
	Tenant  storage.Tenant
	Records []Record
}

// Frame is the records that were published together. A Frame that is decoded into again reuses its memory, so a
// reader that keeps one allocates nothing per record.
type Frame struct {
	Shard    uint16
	Seq      uint64 // stream sequence, filled by Message.Frame
	LogTime  int64  // ns since the Unix epoch
	Segments []Segment

	sources []Source
	names   map[string]string // strings of earlier source tables, so that a known source costs no allocation
}

const maxFrameNames = 4096 // names remembered by one Frame before it forgets them all

func appendHeader(b []byte, k Kind, shard uint16, logTime int64) []byte {
	b = append(b, magic...)
	b = append(b, byte(k), 0)
	b = binary.LittleEndian.AppendUint16(b, shard)
	return binary.LittleEndian.AppendUint64(b, uint64(logTime))
}

// stamp writes the log time into an encoded message.
func stamp(msg []byte, logTime int64) { binary.LittleEndian.PutUint64(msg[8:], uint64(logTime)) }

func readHeader(b []byte) (k Kind, shard uint16, logTime int64, err error) {
	if len(b) < headerBytes || len(b) > MaxMessageBytes || string(b[:4]) != magic || b[5] != 0 {
		return 0, 0, 0, fmt.Errorf("header of %d bytes: %w", len(b), ErrFrame)
	}
	k, shard = Kind(b[4]), binary.LittleEndian.Uint16(b[6:])
	if k < KindFrame || k > KindAnchor || (k != KindFrame && shard != 0) {
		return 0, 0, 0, fmt.Errorf("kind %d of shard %d: %w", k, shard, ErrFrame)
	}
	return k, shard, int64(binary.LittleEndian.Uint64(b[8:])), nil
}

// Encode appends f's wire form to b. Seq is not part of it. The error wraps storage.ErrInvalid, with b unchanged.
func Encode(b []byte, f *Frame) ([]byte, error) {
	var fb frameBuilder
	for _, s := range f.Segments {
		for _, r := range s.Records {
			raw := [1]Raw{{Bytes: r.Raw, Received: r.Received, Flags: r.Flags}}
			if err := checkInput(s.Tenant, r.Source, raw[:]); err != nil {
				return b, err
			}
			if fb.add(s.Tenant, r.Source, raw[:], MaxFrameBytes) == 0 {
				return b, fmt.Errorf("frame longer than %d bytes: %w", MaxFrameBytes, storage.ErrInvalid)
			}
		}
	}
	return fb.appendTo(b, f.Shard, f.LogTime), nil
}

// Decode reads one frame. Records point into b, which must not change while they are in use. The error wraps ErrFrame,
// and f then holds nothing of use.
func Decode(b []byte, f *Frame) error {
	k, shard, logTime, err := readHeader(b)
	if err != nil {
		return err
	}
	if k != KindFrame || len(b) < frameHeadBytes || len(b) > MaxFrameBytes {
		return fmt.Errorf("%s of %d bytes where a frame was expected: %w", k, len(b), ErrFrame)
	}
	f.Shard, f.LogTime = shard, logTime
	sources, segments := binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])
	rest := b[frameHeadBytes:]
	if rest, err = f.decodeSources(rest, sources); err != nil {
		return err
	}
	if uint64(segments)*(segmentHead+recordHead) > uint64(len(rest)) || segments > 1<<16 {
		return fmt.Errorf("%d segments in %d bytes: %w", segments, len(rest), ErrFrame)
	}
	if int(segments) > cap(f.Segments) {
		old := f.Segments[:cap(f.Segments)]
		f.Segments = append(make([]Segment, 0, segments), old...)
	}
	f.Segments = f.Segments[:segments]
	for i := range f.Segments {
		if rest, err = f.decodeSegment(rest, &f.Segments[i]); err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
	}
	if len(rest) != 0 {
		return fmt.Errorf("%d bytes after the last segment: %w", len(rest), ErrFrame)
	}
	return nil
}

func (f *Frame) decodeSources(b []byte, n uint32) ([]byte, error) {
	if uint64(n)*minSourceBytes > uint64(len(b)) || n > maxFrameSources {
		return nil, fmt.Errorf("%d sources in %d bytes: %w", n, len(b), ErrFrame)
	}
	f.sources = f.sources[:0]
	for range n {
		listener, rest, ok := shortString(b)
		if !ok {
			return nil, fmt.Errorf("source %d: %w", len(f.sources), ErrFrame)
		}
		peer, rest, ok := shortString(rest)
		if !ok {
			return nil, fmt.Errorf("source %d: %w", len(f.sources), ErrFrame)
		}
		f.sources = append(f.sources, Source{Listener: f.name(listener), Peer: f.name(peer)})
		b = rest
	}
	return b, nil
}

func shortString(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

func (f *Frame) name(b []byte) string {
	if s, ok := f.names[string(b)]; ok {
		return s
	}
	if f.names == nil || len(f.names) >= maxFrameNames {
		f.names = make(map[string]string)
	}
	s := string(b)
	f.names[s] = s
	return s
}

func (f *Frame) decodeSegment(b []byte, s *Segment) ([]byte, error) {
	if len(b) < segmentHead {
		return nil, fmt.Errorf("ends in its head: %w", ErrFrame)
	}
	s.Tenant = storage.Tenant(binary.LittleEndian.Uint32(b))
	n := binary.LittleEndian.Uint32(b[4:])
	b = b[segmentHead:]
	if s.Tenant == storage.NoTenant || n == 0 || uint64(n)*recordHead > uint64(len(b)) {
		return nil, fmt.Errorf("tenant %d with %d records in %d bytes: %w", s.Tenant, n, len(b), ErrFrame)
	}
	if int(n) > cap(s.Records) {
		s.Records = make([]Record, n)
	}
	s.Records = s.Records[:n]
	for i := range s.Records {
		if len(b) < recordHead {
			return nil, fmt.Errorf("record %d ends in its head: %w", i, ErrFrame)
		}
		size, source := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:])
		body := b[recordHead:]
		if uint64(size) > uint64(len(body)) || int(source) >= len(f.sources) || b[7] != 0 {
			return nil, fmt.Errorf("record %d of %d bytes from source %d: %w", i, size, source, ErrFrame)
		}
		s.Records[i] = Record{
			Raw:      body[:size:size],
			Received: int64(binary.LittleEndian.Uint64(b[8:])),
			Source:   f.sources[source],
			Flags:    b[6],
		}
		b = body[size:]
	}
	return b, nil
}

// AnchorFrom returns the log time that would have been in force at an anchor, from its Message.Data.
func AnchorFrom(data []byte) (int64, error) {
	if len(data) != 8 {
		return 0, fmt.Errorf("anchor of %d bytes: %w", len(data), ErrFrame)
	}
	return int64(binary.LittleEndian.Uint64(data)), nil
}
