// Package kv splits key=value text into pairs in one pass, in place: keys and values are slices of the record.
package kv

import "github.com/vedette-siem/vedette/sdk/go/scan"

// Scanner walks over pairs such as
//
//	date=2024-03-01 msg="say \"hi\"" user=
//
// Pairs are parted by blanks, tabs, line ends and Sep. A value in double quotes may hold them, and quotes and
// backslashes behind a backslash; Value then keeps the backslashes and Escaped is set (see Unescape). The quote that
// ends a value is followed by a separator or the end, so a stray quote in the middle does no harm; one that never ends
// goes to the end of the text. A pair that is quoted as a whole, "key=value" with inner quotes doubled as in CSV, is
// read as well. Words that are no pair are gone over.
type Scanner struct {
	Key, Value []byte
	Quoted     bool // Value stood in quotes
	Escaped    bool // Value holds backslashes that hide the character after them

	// Sep is one more separator, ',' for example; 0 for none.
	Sep byte
	// Words makes a value without quotes go on over the words behind it that are no pair: a=b c d=e is a="b c", d="e".
	Words bool

	b   []byte
	pos int
}

// New returns a scanner over b; set its options before the first Next.
func New(b []byte) Scanner { return Scanner{b: b} }

// Rest is what has not been read yet.
func (s *Scanner) Rest() []byte { return s.b[s.pos:] }

const (
	isKey   = 1 // may stand in a key
	isBlank = 2
)

// class tells what a byte is. Keys hold letters, digits, and . _ - / @ # $ % + *, and bytes beyond ASCII.
var class = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
			t[c] = isKey
		case c == ' ', c == '\t', c == '\n', c == '\r':
			t[c] = isBlank
		}
	}
	for _, c := range "._-/@#$%+*" {
		t[c] = isKey
	}
	return t
}()

func (s *Scanner) separates(c byte) bool { return class[c] == isBlank || c == s.Sep && c != 0 }

// plain returns where a value without quotes that begins at i ends.
func (s *Scanner) plain(i int) int {
	b, sep := s.b, int(s.Sep)
	if sep == 0 {
		sep = -1
	}
	for i < len(b) && class[b[i]] != isBlank && int(b[i]) != sep {
		i++
	}
	return i
}

// key returns where the key at i ends, when "=" stands behind it.
func (s *Scanner) key(i int) (end int, ok bool) {
	b := s.b
	end = i
	for end < len(b) && class[b[end]] == isKey {
		end++
	}
	return end, end > i && end < len(b) && b[end] == '='
}

// Next goes to the next pair; it is false at the end.
func (s *Scanner) Next() bool {
	b, i := s.b, s.pos
	for {
		for i < len(b) && s.separates(b[i]) {
			i++
		}
		if i == len(b) {
			s.pos = i
			return false
		}
		if end, ok := s.key(i); ok {
			s.Key = b[i:end]
			s.value(end + 1)
			return true
		}
		if b[i] == '"' {
			if end, ok := s.key(i + 1); ok {
				s.Key = b[i+1 : end]
				s.wrapped(end + 1)
				return true
			}
		}
		i = s.word(i)
	}
}

// word returns the end of a word that is no pair. Another key may begin inside it ("[a=b": at a), so it stops at the
// first byte that a key cannot hold.
func (s *Scanner) word(i int) int {
	for i < len(s.b) && class[s.b[i]] == isKey {
		i++
	}
	if i < len(s.b) {
		i++
	}
	return i
}

func (s *Scanner) value(i int) {
	b := s.b
	s.Quoted, s.Escaped = false, false
	if i < len(b) && b[i] == '"' {
		s.quoted(i + 1)
		return
	}
	start := i
	i = s.plain(i)
	if s.Words {
		i = s.words(i)
	}
	s.Value, s.pos = b[start:i], i
}

// words returns the end of a value that ends at i or goes on over the words behind it.
func (s *Scanner) words(i int) int {
	b := s.b
	for {
		next := i
		for next < len(b) && s.separates(b[next]) {
			if class[b[next]] != isBlank {
				return i
			}
			next++
		}
		if next == len(b) || b[next] == '"' {
			return i
		}
		if _, pair := s.key(next); pair {
			return i
		}
		for next < len(b) && !s.separates(b[next]) {
			if b[next] < ' ' || b[next] == 0x7f { // no word, but bytes that a broken sender left behind
				return i
			}
			next++
		}
		i = next
	}
}

// quoted reads a value whose opening quote stands before start.
func (s *Scanner) quoted(start int) {
	b := s.b
	s.Quoted = true
	for i := start; i < len(b); i++ {
		n := scan.Either(b[i:], '"', '\\')
		if n < 0 {
			break
		}
		if i += n; b[i] == '\\' {
			s.Escaped = true
			i++
			continue
		}
		if i+1 == len(b) || s.separates(b[i+1]) || b[i+1] == '"' && (i+2 == len(b) || s.separates(b[i+2])) && i > start {
			s.Value, s.pos = b[start:i], i+1
			return
		}
		if i == start { // an empty value with something glued to it
			s.Value, s.pos = b[i:i], i+1
			return
		}
	}
	s.Value, s.pos = b[start:], len(b)
}

// wrapped reads the value of a pair that is quoted as a whole.
func (s *Scanner) wrapped(start int) {
	b := s.b
	s.Quoted, s.Escaped = false, false
	i := start
	for i < len(b) && (b[i] != '"' || i+1 < len(b) && !s.separates(b[i+1])) {
		if b[i] == '"' {
			i++ // the second of a doubled quote is never the end
		}
		i++
	}
	i = min(i, len(b))
	s.Value, s.pos = b[start:i], min(i+1, len(b))
	if v := s.Value; len(v) >= 4 && v[0] == '"' && v[1] == '"' && v[len(v)-1] == '"' && v[len(v)-2] == '"' {
		s.Value, s.Quoted = v[2:len(v)-2], true
	}
}

// Unescape appends v to dst without the backslashes before quotes and backslashes; others stay, for they are part of a
// path more often than an escape.
func Unescape(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\') {
			i++
		}
		dst = append(dst, v[i])
	}
	return dst
}
