// Package refkv is the reference parser of the Go SDK: lines such as
//
//	ref ts=1709294400250 user=ann port=22 tags=vpn,admin msg="say \"hi\""
//
// It shows typed fields, values that are unescaped, source spans, lists, several events of one record, and every outcome.
// The same parser in Rust and C gives the same bytes.
package refkv

import (
	"bytes"
	"math"
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/scan"
)

// Parser is the module.
var Parser = sdk.Parser{Parse: parse}

// level is the first of the manifest's own names.
const level = abi.FirstLocal

// maxEscapedBytes is the longest value that is freed of its backslashes; longer ones keep them.
const maxEscapedBytes = 4096

// scratch is one for all, because a module serves one call at a time and must not allocate.
var scratch [maxEscapedBytes]byte

func parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	b, ok := bytes.CutPrefix(r.Raw, []byte("ref "))
	if !ok {
		return sdk.NotMine
	}
	if len(b) > 0 && b[0] == '#' {
		return sdk.Drop // a comment
	}
	e.Text(ecs.EventDataset, "ref.kv", nil)
	for len(b) > 0 {
		switch b[0] {
		case ' ':
			b = b[1:]
			continue
		case ';': // another event
			e.Next()
			e.Text(ecs.EventDataset, "ref.kv", nil)
			b = b[1:]
			continue
		}
		key, value, escaped, rest, why := pair(b)
		if why == "" {
			why = emit(e, key, value, escaped)
		}
		if why != "" {
			return e.Fail(why)
		}
		b = rest
	}
	return sdk.OK
}

// pair cuts a pair off the beginning of b, or says what is wrong with it.
func pair(b []byte) (key, value []byte, escaped bool, rest []byte, why string) {
	n := scan.Either(b, '=', ' ')
	switch {
	case n < 0 || b[n] == ' ':
		return nil, nil, false, nil, "a word is no pair"
	case n == 0:
		return nil, nil, false, nil, "a pair has no key"
	}
	key, b = b[:n], b[n+1:]
	if len(b) == 0 || b[0] != '"' {
		if n = scan.Byte(b, ' '); n < 0 {
			n = len(b)
		}
		return key, b[:n], false, b[n:], ""
	}
	b = b[1:]
	for i := 0; i < len(b); i += 2 { // over a backslash and what it hides
		n := scan.Either(b[i:], '"', '\\')
		if n < 0 {
			break
		}
		if i += n; b[i] == '"' {
			return key, b[:i], escaped, b[i+1:], ""
		}
		escaped = true
	}
	return nil, nil, false, nil, "a quote is not closed"
}

// emit writes the field of one pair, or says what is wrong with its value.
func emit(e *sdk.Event, key, raw []byte, escaped bool) string {
	value := raw
	if escaped && len(raw) <= maxEscapedBytes {
		value = unescape(scratch[:0], raw)
	}
	switch unsafe.String(unsafe.SliceData(key), len(key)) {
	case "ts":
		ns, ok := milliseconds(value)
		if !ok {
			return "ts is no time"
		}
		e.Time(ns)
	case "start":
		ns, ok := milliseconds(value)
		if !ok {
			return "start is no time"
		}
		e.Timestamp(ecs.EventStart, ns, raw)
	case "user":
		e.Bytes(ecs.UserName, value, raw)
	case "src":
		e.Bytes(ecs.SourceIP, value, raw)
	case "port":
		n, ok := number(value)
		if !ok || n > 65535 {
			return "port is no port"
		}
		e.Uint(ecs.SourcePort, n, raw)
	case "exit":
		digits, minus := bytes.CutPrefix(value, []byte("-"))
		n, ok := number(digits)
		if !ok || n > 1<<31 {
			return "exit is no exit code"
		}
		code := int64(n)
		if minus {
			code = -code
		}
		e.Int(ecs.ProcessExitCode, code, raw)
	case "tty":
		yes := string(value) == "yes"
		if !yes && string(value) != "no" {
			return "tty is neither yes nor no"
		}
		e.Bool(ecs.ProcessInteractive, yes, raw)
	case "tags":
		for len(value) > 0 {
			tag, rest, _ := bytes.Cut(value, []byte(","))
			at := tag
			if escaped { // the tag stands in the scratch buffer
				at = raw
			}
			e.Element(ecs.Tags, tag, at)
			value = rest
		}
	case "level":
		e.Bytes(level, value, raw)
	default:
		e.Key("ref.", key, value, raw)
	}
	return ""
}

// unescape appends v to dst without the backslashes that hide a character.
func unescape(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		dst = append(dst, v[i])
	}
	return dst
}

// milliseconds reads a time since the Unix epoch and returns it in nanoseconds; it ends in the year 2248.
func milliseconds(v []byte) (ns int64, ok bool) {
	n, ok := number(v)
	return int64(n) * 1e6, ok && n < 1<<43
}

// number reads a whole number of nothing but digits.
func number(v []byte) (n uint64, ok bool) {
	for _, c := range v {
		digit := uint64(c - '0')
		if digit > 9 || n > math.MaxUint64/10 || 10*n > math.MaxUint64-digit {
			return 0, false
		}
		n = 10*n + digit
	}
	return n, len(v) > 0
}
