// Package syslog reads the header of a syslog message in place: every part is a slice of the record, so its source
// span is exact, and nothing is allocated.
//
// Three readers share one Header. ParseRFC5424 and ParseRFC3164 accept what the RFCs allow and nothing else; Parse is
// what parsers of products use: it takes what senders really write and gives up only when there is no header at all.
package syslog

import (
	"bytes"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/sdk/go/clock"
)

// Header is a message's header. The slices are parts of the input; a part that is absent, or "-" in RFC 5424, is nil.
type Header struct {
	HasPRI             bool
	PRI                uint8  // Facility*8 + Severity, 0..191
	Facility, Severity uint8  // 0..23, 0..7
	PRIText            []byte // the digits between the angle brackets
	Version            int    // 1..999; 0 for RFC 3164

	HasTime  bool
	Time     int64       // ns since the Unix epoch, 0 when it is outside what an int64 holds
	Civil    clock.Civil // the time as written; Year is 0 when the sender named none
	TimeText []byte

	Hostname []byte
	AppName  []byte // the tag in RFC 3164
	ProcID   []byte // what stands in brackets behind the tag in RFC 3164
	MsgID    []byte
	SD       []byte // structured data with its brackets; see Params
	Message  []byte // what follows the header
}

// reader walks over the input.
type reader struct {
	b   []byte
	pos int
}

func (r *reader) left() []byte { return r.b[r.pos:] }

func (r *reader) take(c byte) bool {
	if r.pos < len(r.b) && r.b[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *reader) blanks() (n int) {
	for r.take(' ') {
		n++
	}
	return n
}

// pri reads "<0>" to "<191>", without leading zeros.
func (r *reader) pri(h *Header) bool {
	b := r.left()
	if len(b) < 3 || b[0] != '<' {
		return false
	}
	v, n := 0, 1
	for n < len(b) && n < 4 && b[n]-'0' <= 9 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	if n == 1 || v > 191 || b[1] == '0' && n > 2 || n == len(b) || b[n] != '>' {
		return false
	}
	h.HasPRI, h.PRI, h.Facility, h.Severity, h.PRIText = true, uint8(v), uint8(v>>3), uint8(v&7), b[1:n]
	r.pos += n + 1
	return true
}

// version reads 1..999 and the blank behind it.
func (r *reader) version(h *Header) bool {
	b := r.left()
	v, n := 0, 0
	for n < len(b) && n < 3 && b[n]-'0' <= 9 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	if n == 0 || b[0] == '0' || n == len(b) || b[n] != ' ' {
		return false
	}
	h.Version = v
	r.pos += n + 1
	return true
}

// word reads printable ASCII up to a blank, which it consumes. "-" is nil.
func (r *reader) word(limit int) ([]byte, bool) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] < 0x7f {
		n++
	}
	if n == 0 || n > limit || n == len(b) || b[n] != ' ' {
		return nil, false
	}
	r.pos += n + 1
	if n == 1 && b[0] == '-' {
		return nil, true
	}
	return b[:n], true
}

// setTime notes a time as written, and the point in time that it is, in ns since the Unix epoch.
func (h *Header) setTime(c *clock.Civil, text []byte, ns int64) {
	h.HasTime, h.Civil, h.TimeText, h.Time = true, *c, text, ns
}

// ParseRFC5424 reads b as RFC 5424 has it. It is false when b breaks a rule: printable ASCII and the length limits of
// each field, a timestamp of at most six digits of fraction in upper case, element ids that do not repeat, parameter
// values in UTF-8 with ", \ and ] escaped and nothing else. Message holds MSG as it is, with a byte order mark.
func ParseRFC5424(b []byte, h *Header) bool {
	*h = Header{}
	r := reader{b: b}
	if !r.pri(h) || !r.version(h) || !r.time5424(h) {
		return false
	}
	var ok1, ok2, ok3, ok4 bool
	if h.Hostname, ok1 = r.word(MaxHostnameBytes); !ok1 {
		return false
	}
	if h.AppName, ok2 = r.word(MaxAppNameBytes); !ok2 {
		return false
	}
	if h.ProcID, ok3 = r.word(MaxProcIDBytes); !ok3 {
		return false
	}
	if h.MsgID, ok4 = r.word(MaxMsgIDBytes); !ok4 {
		return false
	}
	if !r.structured(h) {
		return false
	}
	if r.pos == len(b) {
		return true
	}
	if !r.take(' ') {
		return false
	}
	h.Message = r.left()
	return true
}

// time5424 reads TIMESTAMP and the blank behind it.
func (r *reader) time5424(h *Header) bool {
	b := r.left()
	if len(b) >= 2 && b[0] == '-' && b[1] == ' ' {
		r.pos += 2
		return true
	}
	c, n, ok := clock.ReadISO(b)
	if !ok || n == len(b) || b[n] != ' ' || !strictISO(b[:n]) {
		return false
	}
	ns, _ := c.Unix()
	h.setTime(&c, b[:n], ns)
	r.pos += n + 1
	return true
}

// strictISO says whether a time that was read is spelt as RFC 5424 §6.2.3 wants it.
func strictISO(b []byte) bool {
	if b[4] != '-' || b[10] != 'T' {
		return false
	}
	n := 19
	if b = b[n:]; len(b) > 0 && b[0] == '.' {
		for n = 1; n < len(b) && b[n]-'0' <= 9; n++ {
		}
		if n > 7 {
			return false
		}
		b = b[n:]
	}
	return len(b) == 1 && b[0] == 'Z' || len(b) == 6 && b[3] == ':'
}

// structured reads STRUCTURED-DATA.
func (r *reader) structured(h *Header) bool {
	if r.take('-') {
		return true
	}
	start, elements := r.pos, 0
	for r.pos < len(r.b) && r.b[r.pos] == '[' {
		at := r.pos
		id, ok := r.element()
		if elements++; !ok || elements > MaxElements || repeated(r.b[start:at], id) {
			return false
		}
	}
	h.SD = r.b[start:r.pos]
	return elements > 0
}

// element reads one SD-ELEMENT and returns its id.
func (r *reader) element() (id []byte, ok bool) {
	r.pos++
	if id, ok = r.sdName(); !ok {
		return nil, false
	}
	for r.take(' ') {
		if _, ok := r.sdName(); !ok || !r.take('=') || !r.take('"') || !r.value() {
			return nil, false
		}
	}
	return id, r.take(']')
}

func (r *reader) sdName() ([]byte, bool) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] < 0x7f && b[n] != '=' && b[n] != ']' && b[n] != '"' {
		n++
	}
	r.pos += n
	return b[:n], n > 0 && n <= MaxSDNameBytes
}

// value reads PARAM-VALUE and the quote behind it.
func (r *reader) value() bool {
	b := r.left()
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			r.pos += i + 1
			return utf8.Valid(b[:i])
		case ']':
			return false
		case '\\':
			if i++; i == len(b) || b[i] != '"' && b[i] != '\\' && b[i] != ']' {
				return false
			}
		}
	}
	return false
}

func repeated(sd, id []byte) bool {
	for p := (Params{rest: sd}); p.Next(); {
		if p.First && bytes.Equal(p.ID, id) {
			return true
		}
	}
	return false
}

// Params walks over structured data:
//
//	for p := syslog.ParamsOf(h.SD); p.Next(); {
//		p.ID, p.Name, p.Value // parts of the record
//	}
//
// An element without parameters appears once, with Name nil.
type Params struct {
	ID      []byte // SD-ID of the element
	Name    []byte // of the parameter
	Value   []byte // as written
	Escaped bool   // Value holds backslashes; Unescape takes them off
	First   bool   // the first (or only) step of its element
	rest    []byte
	inside  bool
}

// ParamsOf starts a walk over Header.SD.
func ParamsOf(sd []byte) Params { return Params{rest: sd} }

// Next goes to the next parameter; it is false at the end and where the data stops being well-formed.
func (p *Params) Next() bool {
	r := reader{b: p.rest}
	p.Name, p.Value, p.Escaped, p.First = nil, nil, false, false
	if !p.inside {
		if !r.take('[') {
			return false
		}
		var ok bool
		if p.ID, ok = r.sdName(); !ok {
			return false
		}
		p.First = true
	}
	if r.blanks() > 0 {
		name, ok := r.sdName()
		if !ok || !r.take('=') || !r.take('"') {
			return false
		}
		at := r.pos
		if !r.looseValue(p) {
			return false
		}
		p.Name, p.Value = name, r.b[at:r.pos-1]
	}
	p.inside = !r.take(']')
	p.rest = r.left()
	if p.inside && (len(p.rest) == 0 || p.rest[0] != ' ') { // an element that does not end
		p.rest = nil
		return false
	}
	return true
}

// looseValue goes behind the quote that ends a value; a backslash hides any byte after it.
func (r *reader) looseValue(p *Params) bool {
	for ; r.pos < len(r.b); r.pos++ {
		switch r.b[r.pos] {
		case '"':
			r.pos++
			return true
		case '\\':
			p.Escaped = true
			r.pos++
		}
	}
	return false
}

// Unescape appends v to dst without the backslashes before ", \ and ]; other backslashes stay (RFC 5424 §6.3.3).
func Unescape(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\' || v[i+1] == ']') {
			i++
		}
		dst = append(dst, v[i])
	}
	return dst
}
