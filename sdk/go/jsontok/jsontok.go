// Package jsontok walks over a JSON document in one pass and in place: keys and values are slices of the record.
package jsontok

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Why a walk ended before the end of the document.
var (
	ErrSyntax = errors.New("not JSON (RFC 8259)")
	ErrDepth  = errors.New("containers nest deeper than MaxDepth")
)

// Kind is what a token is.
type Kind uint8

// The kinds of tokens. End closes the innermost container.
const (
	Invalid Kind = iota
	End
	Null
	False
	True
	Number
	String
	Object
	Array
)

// Scanner goes from token to token, depth first:
//
//	s := jsontok.New(b)
//	for s.Next() {
//		s.Kind, s.Key, s.Value // parts of b
//	}
//	s.Err() // nil when b was one whole JSON value
//
// An Object or Array is followed by its members and an End, or gone over by Skip. The grammar is that of RFC 8259, all
// of it, except that texts are not checked to be UTF-8. It allocates nothing.
type Scanner struct {
	Kind       Kind
	Key        []byte // name of a member as written, without its quotes; nil elsewhere
	KeyEscaped bool   // Key holds escapes
	Value      []byte // a string without its quotes, or the text of a number or literal; after Skip all of a container
	Escaped    bool   // Value is a string that holds escapes
	Depth      int    // containers around this token

	b       []byte
	pos     int
	start   int    // of the token's value
	objects uint64 // bit n: the container at depth n+1 is an object
	depth   int    // containers that are open
	empty   bool   // nothing has been read of the innermost container
	begun   bool
	err     error
}

// New returns a scanner over b.
func New(b []byte) Scanner { return Scanner{b: b} }

// Err says why Next was false: nil at the end of a whole document.
func (s *Scanner) Err() error { return s.err }

// Offset is where the walk stands.
func (s *Scanner) Offset() int { return s.pos }

// Next goes to the next token; it is false at the end of the document and where it stops being JSON.
func (s *Scanner) Next() bool {
	s.Key, s.Value, s.KeyEscaped, s.Escaped = nil, nil, false, false
	if s.err != nil {
		return false
	}
	c, ok := s.peek()
	if s.depth == 0 {
		if s.begun {
			if ok {
				return s.fail(ErrSyntax)
			}
			s.Kind = Invalid
			return false
		}
		s.begun = true
		return ok && s.value(c) || s.fail(ErrSyntax)
	}
	inObject := s.objects>>(s.depth-1)&1 == 1
	if c == '}' && inObject || c == ']' && !inObject {
		s.pos++
		s.depth--
		s.Kind, s.Depth, s.empty = End, s.depth, false
		return true
	}
	if !s.empty {
		if c != ',' {
			return s.fail(ErrSyntax)
		}
		s.pos++
		c, _ = s.peek()
	}
	s.empty = false
	if inObject {
		if c, ok = s.member(c); !ok {
			return s.fail(ErrSyntax)
		}
	}
	return s.value(c) || s.fail(ErrSyntax)
}

// Skip goes over the container that Next has just entered; Value is then all of it. After anything else it does
// nothing. It is false when the container is not JSON.
func (s *Scanner) Skip() bool {
	if s.Kind != Object && s.Kind != Array {
		return s.err == nil
	}
	kind, key, escaped, start, depth := s.Kind, s.Key, s.KeyEscaped, s.start, s.Depth
	for s.depth > depth {
		if !s.Next() {
			return false
		}
	}
	s.Kind, s.Key, s.KeyEscaped, s.Value, s.Depth = kind, key, escaped, s.b[start:s.pos], depth
	return true
}

// Leave goes to the End of the container that is depth containers deep, from anywhere inside it.
func (s *Scanner) Leave(depth int) bool {
	for s.depth > depth {
		if !s.Next() {
			return false
		}
	}
	return true
}

func (s *Scanner) fail(err error) bool {
	if s.err == nil {
		s.err = err
	}
	s.Kind, s.Key, s.Value = Invalid, nil, nil
	return false
}

// peek goes over blanks; c is 0 at the end, which begins nothing.
func (s *Scanner) peek() (c byte, ok bool) {
	b, i := s.b, s.pos
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	s.pos = i
	if i == len(b) {
		return 0, false
	}
	return b[i], true
}

// member reads a name and its colon and returns what the value begins with.
func (s *Scanner) member(c byte) (byte, bool) {
	if c != '"' {
		return 0, false
	}
	var ok bool
	if s.Key, s.KeyEscaped, ok = s.text(); !ok {
		return 0, false
	}
	if c, _ = s.peek(); c != ':' {
		return 0, false
	}
	s.pos++
	return s.peek()
}

func (s *Scanner) value(c byte) (ok bool) {
	s.Depth, s.start = s.depth, s.pos
	switch c {
	case '"':
		s.Kind = String
		s.Value, s.Escaped, ok = s.text()
		return ok
	case '{':
		return s.open(Object)
	case '[':
		return s.open(Array)
	case 't':
		return s.literal(True, "true")
	case 'f':
		return s.literal(False, "false")
	case 'n':
		return s.literal(Null, "null")
	}
	return s.number()
}

func (s *Scanner) open(k Kind) bool {
	if s.depth == MaxDepth {
		return s.fail(ErrDepth)
	}
	s.Kind = k
	if k == Object {
		s.objects |= 1 << s.depth
	} else {
		s.objects &^= 1 << s.depth
	}
	s.pos++
	s.depth++
	s.empty = true
	return true
}

func (s *Scanner) literal(k Kind, word string) bool {
	if len(s.b)-s.pos < len(word) {
		return false
	}
	for i := range len(word) {
		if s.b[s.pos+i] != word[i] {
			return false
		}
	}
	s.Kind, s.Value = k, s.b[s.pos:s.pos+len(word)]
	s.pos += len(word)
	return true
}

func (s *Scanner) number() bool {
	i := s.pos
	if i < len(s.b) && s.b[i] == '-' {
		i++
	}
	n := s.digits(i)
	if n == i || s.b[i] == '0' && n > i+1 {
		return false
	}
	i = n
	if i < len(s.b) && s.b[i] == '.' {
		if n = s.digits(i + 1); n == i+1 {
			return false
		}
		i = n
	}
	if i < len(s.b) && s.b[i]|0x20 == 'e' {
		i++
		if i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		if n = s.digits(i); n == i {
			return false
		}
		i = n
	}
	s.Kind, s.Value = Number, s.b[s.pos:i]
	s.pos = i
	return true
}

// digits returns the end of the digits at i.
func (s *Scanner) digits(i int) int {
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		i++
	}
	return i
}

// text reads the string whose quote stands at pos.
func (s *Scanner) text() (v []byte, escaped, ok bool) {
	b, start := s.b, s.pos+1
	for i := start; ; {
		i = plain(b, i)
		switch {
		case i == len(b) || b[i] < ' ':
			return nil, false, false
		case b[i] == '"':
			s.pos = i + 1
			return b[start:i], escaped, true
		}
		n := escape(b[i:])
		if n == 0 {
			return nil, false, false
		}
		escaped = true
		i += n
	}
}

// plain returns the first index from i on that holds a quote, a backslash or a control character, or the length.
func plain(b []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^'"'*ones, w^'\\'*ones
		// Borrows make false marks only behind a true one, and the first is what counts.
		if m := ((w-' '*ones)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// escape returns the length of the escape that b begins with, 0 when it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b); ok {
			return 6
		}
	}
	return 0
}

// Valid says whether b is one JSON value that nests no deeper than MaxDepth.
func Valid(b []byte) bool {
	s := New(b)
	for s.Next() {
	}
	return s.err == nil
}
