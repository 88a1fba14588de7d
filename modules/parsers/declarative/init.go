package main

import (
	"errors"

	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

var errNoProgram = errors.New("settings hold no program: pack a spec with this module")

// Init takes the compiled spec, {"program": "base64"}.
func Init(settings []byte) error {
	s := jsontok.New(settings)
	if !s.Next() || s.Kind != jsontok.Object {
		return errNoProgram
	}
	for s.Next() {
		if s.Kind != jsontok.String || str(s.Key) != "program" {
			continue
		}
		b, ok := unbase64(s.Value)
		if !ok {
			return errNoProgram
		}
		p, err := template.Decode(b)
		if err != nil {
			return err
		}
		reader.p = p
		reader.match.Reset(p)
		return nil
	}
	return errNoProgram
}

// unbase64 decodes standard base64 without padding. The standard library's would be a tenth of the module.
func unbase64(text []byte) ([]byte, bool) {
	out := make([]byte, 0, len(text)*3/4)
	acc, n := uint32(0), 0
	for _, c := range text {
		var v byte
		switch {
		case c >= 'A' && c <= 'Z':
			v = c - 'A'
		case c >= 'a' && c <= 'z':
			v = c - 'a' + 26
		case c >= '0' && c <= '9':
			v = c - '0' + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		default:
			return nil, false
		}
		acc = acc<<6 | uint32(v)
		if n += 6; n >= 8 {
			n -= 8
			out = append(out, byte(acc>>n))
		}
	}
	return out, true
}
