// Command tableguest is a rule that looks up what a row says: an operation, a table and keys, apart by commas. Its answer
// is the reason of a finding.
package main

import (
	"bytes"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/table"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval}) }

func main() {}

var (
	buf, text [4096]byte
	bits      [128]byte
	keys      [2000][]byte
)

func eval(r *sdk.Row, f *sdk.Findings) {
	name := string(r.Get(1))
	out := text[:0]
	var err error
	switch string(r.Get(0)) {
	case "match":
		n := 0
		for rest := r.Get(2); n < len(keys); n++ {
			key, more, ok := bytes.Cut(rest, []byte(","))
			keys[n] = key
			if rest = more; !ok {
				n++
				break
			}
		}
		var found int
		found, err = table.Match(name, keys[:n], bits[:])
		out = strconv.AppendInt(out, int64(found), 10)
		for i := range min((n+7)/8, len(bits)) {
			out = strconv.AppendInt(append(out, ' '), int64(bits[i]), 2)
		}
	case "has":
		var ok bool
		ok, err = table.Has(name, r.Get(2))
		out = strconv.AppendBool(out, ok)
	case "get":
		var row table.Row
		if row, err = table.Get(name, r.Get(2), buf[:]); err == nil {
			for i := range row.Len() {
				name, value := row.Cell(i)
				out = append(append(append(append(out, name...), '='), value...), ' ')
			}
		}
	}
	if err != nil {
		out = append(text[:0], err.Error()...)
	}
	f.Add(0, nil, out, nil)
}
