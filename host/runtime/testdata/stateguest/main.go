// Command stateguest is a rule that does with its state what a row says: an operation, a key, a value and a number. Its
// answer is the reason of a finding.
package main

import (
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval, Init: start}) }

func main() {}

// start asks for state where there is none, if its settings say so.
func start(settings []byte) error {
	if len(settings) > 0 {
		_, _ = keys.Get(settings, buf[:])
	}
	return nil
}

var buf, text [4096]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	op, key, value := string(r.Get(0)), r.Get(1), r.Get(2)
	n, _ := strconv.ParseInt(string(r.Get(3)), 10, 64)
	ttl := time.Duration(n)
	out := text[:0]
	var err error
	var sum int64
	var yes bool
	switch op {
	case "get":
		var v []byte
		v, err = keys.Get(key, buf[:])
		out = append(out, v...)
	case "put":
		err = keys.Put(key, value, ttl)
	case "del":
		yes, err = keys.Delete(key)
		out = strconv.AppendBool(out, yes)
	case "add":
		sum, err = keys.Add(key, n, time.Hour)
		out = strconv.AppendInt(out, sum, 10)
	case "swap":
		var old []byte
		if v, err := keys.Get(key, buf[:]); err == nil {
			old = v
		}
		yes, err = keys.Swap(key, old, value, ttl)
		out = strconv.AppendBool(out, yes)
	case "count":
		sum, err = window.Count(key, ttl, ttl/4, 1)
		out = strconv.AppendInt(out, sum, 10)
	case "distinct":
		sum, err = window.Distinct(key, value, ttl)
		out = strconv.AppendInt(out, sum, 10)
	case "first":
		yes, err = window.FirstSeen(key, ttl)
		out = strconv.AppendBool(out, yes)
	case "step":
		var was uint32
		was, err = window.Step(key, uint32(value[0]-'0'), ttl)
		out = strconv.AppendInt(out, int64(was), 10)
	case "boom":
		_ = keys.Put(key, value, ttl)
		panic("boom")
	case "spin":
		_ = keys.Put(key, value, ttl)
		for {
		}
	}
	if err != nil {
		out = append(text[:0], err.Error()...)
	}
	f.Add(0, nil, out, nil)
}
