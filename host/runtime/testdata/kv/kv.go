// Package kv is a small parser of key=value records: the reference guest of the runtime's tests and benchmarks.
package kv

import (
	"bytes"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// Parser reads records such as `src=10.0.0.1 user="a b" port=22`.
var Parser = sdk.Parser{Parse: parse}

func parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	b := r.Raw
	if bytes.IndexByte(b, '=') < 0 {
		return sdk.NotMine
	}
	for len(b) > 0 {
		eq := bytes.IndexByte(b, '=')
		if eq <= 0 {
			return e.Fail("a key without a value")
		}
		key, value := b[:eq], []byte(nil)
		b = b[eq+1:]
		if len(b) > 0 && b[0] == '"' {
			end := bytes.IndexByte(b[1:], '"')
			if end < 0 {
				return e.Fail("a quote is not closed")
			}
			value, b = b[1:1+end], b[min(len(b), end+3):]
		} else if sp := bytes.IndexByte(b, ' '); sp >= 0 {
			value, b = b[:sp], b[sp+1:]
		} else {
			value, b = b, nil
		}
		emit(e, key, value)
	}
	e.Time(r.Received)
	return sdk.OK
}

func emit(e *sdk.Event, key, value []byte) {
	switch string(key) {
	case "src":
		e.Bytes(ecs.SourceIP, value, nil)
	case "dst":
		e.Bytes(ecs.DestinationIP, value, nil)
	case "user":
		e.Bytes(ecs.UserName, value, nil)
	case "action":
		e.Bytes(ecs.EventAction, value, nil)
	case "port":
		var n uint64
		for _, c := range value {
			n = 10*n + uint64(c-'0')
		}
		e.Uint(ecs.SourcePort, n, value)
	default:
		e.Key("kv.", key, value, nil)
	}
}
