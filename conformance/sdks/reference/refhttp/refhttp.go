// Package refhttp is the reference monitor of the Go SDK: it asks a granted target for one path, hands over a record and
// counts its polls in the cursor. The same monitor in Rust and C gives the same bytes.
package refhttp

import (
	"errors"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
)

// Monitor is the module.
var Monitor = sdk.Monitor{Init: initialize, Poll: poll}

// target is the name under which the manifest asks for the service; only the grant knows its address.
const target = "target"

// path comes from the settings. The host restores what Init left before every poll.
var path = "/"

func initialize(settings []byte) error {
	path = "/"
	if len(settings) == 0 {
		return nil
	}
	var f jsontok.Flat
	for f.Reset(settings); f.Next(); {
		if string(f.Name) == "path" {
			path = string(jsontok.Unescape(nil, f.Value))
		}
	}
	if path == "" || path[0] != '/' {
		return errors.New(`path: want it to begin with "/"`)
	}
	return f.Err()
}

func poll(p *sdk.Poll) (cursor []byte, err error) {
	n := uint64(0)
	if len(p.Cursor) > 0 {
		if n, err = strconv.ParseUint(string(p.Cursor), 10, 32); err != nil {
			return nil, errors.New("the cursor is no number")
		}
	}
	n++
	b := append([]byte(nil), `{"event.dataset":"ref.http","ref.at":`...)
	b = strconv.AppendInt(b, p.At, 10)
	b = append(b, `,"ref.poll":`...)
	b = strconv.AppendUint(b, n, 10)
	b = append(b, `,"url.path":"`...)
	b = escape(b, path)
	if r, err := sdk.HTTPGet(target, path); err != nil {
		b = append(b, `","event.outcome":"failure","error.message":"`...)
		b = escape(b, err.Error())
		b = append(b, `"}`...)
	} else {
		b = append(b, `","event.outcome":"success","http.response.status_code":`...)
		b = strconv.AppendInt(b, int64(r.Status), 10)
		b = append(b, `,"http.response.body.bytes":`...)
		b = strconv.AppendInt(b, int64(len(r.Body)), 10)
		b = append(b, `,"event.duration":`...)
		b = strconv.AppendInt(b, r.ElapsedNs, 10)
		b = append(b, '}')
	}
	p.Record(b)
	return strconv.AppendUint(nil, n, 10), nil
}

// escape appends the inside of a JSON string.
func escape(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
