package receive

import "bytes"

// splitter cuts a stream of syslog messages into records by RFC 6587, whose two ways a sender may choose between. Each
// message is looked at: digits and a space open an octet-counted one, anything else ends at a line feed or NUL. On a
// connection that has sent a line, a line may begin with a number too, so there the space must be followed by "<".
//
// It holds no more than max+1 bytes of a message. It is used by one goroutine.
type splitter struct {
	max        int // bytes of a record
	buf        []byte
	start, end int // what is held: buf[start:end]
	scanned    int // held bytes that are known to have no terminator
	skip       int // octets of a cut message still to be passed over
	skipLine   bool
	mode       framing
	cut        bool // the stream ended by an error: what is left is no whole line
	count      *counters
}

type framing uint8

const (
	unknownFraming framing = iota
	octetFraming
	lineFraming
)

func newSplitter(most int, count *counters) *splitter {
	return &splitter{max: most, buf: make([]byte, min(startBufferBytes, most+maxHeadBytes)), count: count}
}

// maxHeadBytes is what may stand before an octet-counted message, with one byte of the message.
const maxHeadBytes = MaxCountDigits + 2

// room returns where the next bytes of the stream go, never empty; n of them are then reported to filled. Records of
// earlier splits point into the same memory and are gone after it.
func (s *splitter) room() []byte {
	if s.start == s.end {
		s.start, s.end, s.scanned = 0, 0, 0
		if len(s.buf) > startBufferBytes && s.skip == 0 && !s.skipLine {
			s.buf = make([]byte, startBufferBytes)
		}
	}
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.end, s.start = s.end-s.start, 0
	}
	if s.end == len(s.buf) {
		bigger := make([]byte, min(2*len(s.buf), s.max+maxHeadBytes))
		copy(bigger, s.buf[:s.end])
		s.buf = bigger
	}
	return s.buf[s.end:]
}

func (s *splitter) filled(n int) { s.end += n }

// split appends the records that are whole now, at most limit of them, and reports whether there may be more. At the
// end of the stream (eof) what is left is a record too: a line without its terminator, or, flagged, the beginning of
// an octet-counted message.
func (s *splitter) split(recs []Record, now int64, limit int, eof bool) (_ []Record, more bool) {
	for n := 0; n < limit; n++ {
		r, ok := s.next(eof)
		if !ok {
			return recs, false
		}
		r.Received = now
		recs = append(recs, r)
	}
	return recs, true
}

// next returns the next record that is not empty.
func (s *splitter) next(eof bool) (Record, bool) {
	for {
		s.passOver()
		held := s.buf[s.start:s.end]
		if len(held) == 0 {
			return Record{}, false
		}
		count, head, verdict := octetCount(held, eof)
		if verdict == needMore {
			return Record{}, false
		}
		if verdict == isCount && s.mode == lineFraming {
			if head == len(held) && !eof {
				return Record{}, false // the byte after the space decides
			}
			if head == len(held) || held[head] != '<' {
				verdict = noCount
			}
		}
		var r Record
		var ok bool
		if verdict == isCount {
			r, ok = s.octets(held, count, head, eof)
		} else {
			r, ok = s.line(held, eof)
		}
		if !ok {
			return Record{}, false
		}
		r.Bytes = trimEnd(r.Bytes)
		if len(r.Bytes) > 0 {
			return r, true
		}
		s.count.add(Empty, 1)
	}
}

// passOver drops what follows a cut message and the terminators between messages.
func (s *splitter) passOver() {
	if s.skip > 0 {
		n := min(s.skip, s.end-s.start)
		s.skip -= n
		s.start += n
	}
	if s.skipLine {
		if i := terminator(s.buf[s.start:s.end]); i >= 0 {
			s.start += i + 1
			s.skipLine = false
		} else {
			s.start = s.end
		}
	}
	if s.skip > 0 || s.skipLine {
		return
	}
	for s.start < s.end && isTerminator(s.buf[s.start]) {
		s.start++
	}
}

// octets takes a message of count bytes behind a head of head bytes.
func (s *splitter) octets(held []byte, count, head int, eof bool) (Record, bool) {
	keep := min(count, s.max)
	body := held[head:]
	if len(body) < keep && !eof {
		return Record{}, false
	}
	s.mode = octetFraming
	r := Record{Bytes: body[:min(keep, len(body))]}
	switch {
	case len(body) < keep:
		r.Flags = FlagBadFraming
		s.count.add(BadFraming, 1)
	case keep < count:
		r.Flags = FlagTruncated
		s.count.add(Oversized, 1)
		s.skip = count - keep
	}
	s.start += head + len(r.Bytes)
	return r, true
}

// line takes what ends at a terminator.
func (s *splitter) line(held []byte, eof bool) (Record, bool) {
	i := terminator(held[s.scanned:])
	if i >= 0 {
		i += s.scanned
	}
	var r Record
	broken := s.mode == octetFraming // a count was wrong, or is missing: the next one may be found after this line
	switch {
	case i >= 0 && i <= s.max:
		r.Bytes = held[:i]
		s.start += i + 1
	case len(held) > s.max || i > s.max:
		r = Record{Bytes: held[:s.max], Flags: FlagTruncated}
		s.count.add(Oversized, 1)
		s.start += s.max
		s.skipLine = true
	case eof:
		r.Bytes = held
		s.start = s.end
		broken = s.cut
	default:
		s.scanned = len(held)
		return Record{}, false
	}
	s.scanned = 0
	if broken {
		r.Flags |= FlagBadFraming
		s.count.add(BadFraming, 1)
	}
	if s.mode == unknownFraming {
		s.mode = lineFraming
	}
	return r, true
}

type countVerdict uint8

const (
	noCount countVerdict = iota
	isCount
	needMore
)

// octetCount reads MSG-LEN SP of RFC 6587: a number without leading zeros, here of at most MaxCountDigits digits.
func octetCount(b []byte, eof bool) (count, head int, v countVerdict) {
	if b[0] < '1' || b[0] > '9' {
		return 0, 0, noCount
	}
	for i := 0; i <= MaxCountDigits; i++ {
		switch {
		case i == len(b) && eof:
			return 0, 0, noCount
		case i == len(b):
			return 0, 0, needMore
		case b[i] == ' ':
			return count, i + 1, isCount
		case b[i] < '0' || b[i] > '9' || i == MaxCountDigits:
			return 0, 0, noCount
		}
		count = 10*count + int(b[i]-'0')
	}
	return 0, 0, noCount
}

func isTerminator(c byte) bool { return c == '\n' || c == 0 || c == '\r' }

// terminator returns where a line ends: at a line feed or a NUL.
func terminator(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if nul := bytes.IndexByte(b, 0); nul >= 0 {
		return nul
	}
	return lf
}

// trimEnd drops the terminators that many senders add to a datagram or count in: the same message is then the same
// record by whatever way it came.
func trimEnd(b []byte) []byte {
	for len(b) > 0 && isTerminator(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
