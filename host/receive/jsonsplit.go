package receive

import (
	"errors"
	"fmt"
)

// errTooMany ends a split that finds more records than a request may have.
var errTooMany = errors.New("too many records")

// splitLines cuts a body into lines, without their terminators and without empty ones.
func splitLines(recs []Record, body []byte, most int) ([]Record, error) {
	for len(body) > 0 {
		line := body
		if i := terminator(body); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		if line = trimEnd(line); len(line) == 0 {
			continue
		}
		if len(recs) == most {
			return nil, errTooMany
		}
		recs = append(recs, Record{Bytes: line})
	}
	return recs, nil
}

// splitJSON cuts a body into its objects: one object, several one after the other, or arrays of objects, each as the
// bytes that were received. Brackets and strings are followed, no more: whether an object is well-formed inside is for
// a parser to say. The error says at which byte the body cannot be understood.
func splitJSON(recs []Record, body []byte, most int) ([]Record, error) {
	inArray, separated := false, true
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '{' && separated:
			n := objectEnd(body[i:])
			if n < 0 {
				return nil, fmt.Errorf("object %d, which begins at byte %d, does not end", len(recs)+1, i)
			}
			if len(recs) == most {
				return nil, errTooMany
			}
			recs = append(recs, Record{Bytes: body[i : i+n : i+n]})
			i += n
			separated = !inArray
		case c == '[' && !inArray:
			inArray, separated = true, true
			i++
		case c == ']' && inArray && (!separated || lastSolid(body[:i]) == '['):
			inArray, separated = false, true
			i++
		case c == ',' && inArray && !separated:
			separated = true
			i++
		default:
			return nil, fmt.Errorf("byte %d is %q, where a JSON object, or an array of objects, was expected", i, c)
		}
	}
	if inArray {
		return nil, errors.New("the array does not end")
	}
	return recs, nil
}

// lastSolid returns the last byte that is no white space.
func lastSolid(b []byte) byte {
	for i := len(b) - 1; i >= 0; i-- {
		if c := b[i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// objectEnd returns the length of the object at the beginning of b, -1 when it does not end there.
func objectEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

// looksLikeObject is a cheap test of a line of JSON lines.
func looksLikeObject(line []byte) bool {
	first := byte(0)
	for _, c := range line {
		if c != ' ' && c != '\t' {
			first = c
			break
		}
	}
	return first == '{' && lastSolid(line) == '}'
}
