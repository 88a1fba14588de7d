package main

import (
	"bytes"
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/kv"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// record is what Parse has found in the current record. It is one variable because a module serves one call at a time
// and must not allocate.
type record struct {
	v       [keys][]byte // values of the known keys; the last one counts
	header  syslog.Header
	e       *sdk.Event
	related [8][]byte // addresses already listed
	n       int
	hosts   [4][]byte
	hn      int
	scratch [128]byte
}

var rec record

// native is the prefix of FortiOS' own keys.
const native = "fortinet.firewall."

// Parse reads one FortiGate record: key=value text, bare or behind a syslog header of any kind, parted by blanks or
// commas. A record without the marks of FortiOS is another parser's.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	body := pairs(r, &rec.header)
	if len(body) == 0 {
		return sdk.NotMine
	}
	clear(rec.v[:])
	rec.e, rec.n, rec.hn = e, 0, 0
	s := kv.New(body)
	s.Sep, s.Words = separator(body), true
	first := none
	for s.Next() {
		k := lookup(unsafe.String(unsafe.SliceData(s.Key), len(s.Key)))
		if first == none {
			if first = k; first == none && !is(s.Key, "timestamp") && !is(s.Key, "logver") && !is(s.Key, "itime") && !is(s.Key, "slot") {
				return sdk.NotMine
			}
		}
		if absent(s.Value) {
			continue
		}
		if k == none {
			e.Key(native, s.Key, s.Value, nil)
			continue
		}
		rec.v[k] = s.Value
	}
	if !rec.mine(first) {
		return sdk.NotMine
	}
	rec.emit()
	return sdk.OK
}

// pairs returns the text from the first key on, with the header read into h; nil when the record cannot be FortiOS'.
func pairs(r *sdk.Record, h *syslog.Header) []byte {
	raw := r.Raw
	for len(raw) > 0 && raw[0] == ' ' {
		raw = raw[1:]
	}
	if len(raw) < 8 || raw[0] == '{' {
		return nil
	}
	*h = syslog.Header{}
	if lower(raw[0]) || raw[0] == '"' && lower(raw[1]) { // in CSV each pair may stand in quotes
		return raw
	}
	if syslog.Parse(raw, r.Received, h) {
		return h.Message
	}
	if i := bytes.Index(raw[:min(len(raw), maxPrefixBytes)], dateKey); i >= 0 { // a relay's own header
		return raw[i+1:]
	}
	return nil
}

// maxPrefixBytes is how far into a record without a syslog header its date may stand.
const maxPrefixBytes = 128

var dateKey = []byte(" date=")

func lower(c byte) bool { return c >= 'a' && c <= 'z' }

// separator is a comma when the first pair ends with one, as in "set format csv".
func separator(b []byte) byte {
	for _, c := range b {
		switch c {
		case ',':
			return ','
		case ' ':
			return 0
		}
	}
	return 0
}

func absent(v []byte) bool { return len(v) == 0 || is(v, "N/A") || is(v, "n/a") }

// mine tells FortiOS' records from other key=value text by the keys that all of them have.
func (p *record) mine(first key) bool {
	id := p.v[kDevID]
	if id == nil {
		id = p.v[kDeviceID]
	}
	if len(id) > 2 && id[0] == 'F' && (id[1] == 'E' || id[1] == 'V') {
		return false // FortiMail and FortiWeb, which have parsers of their own
	}
	switch {
	case p.v[kType] != nil && p.v[kSubtype] != nil:
		return p.v[kLogID] != nil || p.v[kLogID2] != nil || p.v[kEventTime] != nil
	case p.v[kType] != nil:
		return p.v[kLogID] != nil || id != nil && p.v[kLogID2] != nil
	}
	return first == kDate && (id != nil || p.v[kMsg] != nil) && p.v[kLogID2] == nil
}

// is compares without a copy, under TinyGo too.
func is(b []byte, s string) bool {
	return unsafe.String(unsafe.SliceData(b), len(b)) == s
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && is(b[:len(s)], s) }

// number reads a decimal number that fits in an int64.
func number(b []byte) (v int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, true
}
