// Command ruleguest is a rule that finds rows whose first column is "root" and gives up on "boom".
package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

func init() {
	sdk.RegisterRule(sdk.Rule{Eval: func(r *sdk.Row, f *sdk.Findings) {
		switch string(r.Get(0)) {
		case "root":
			f.Add(abi.SeverityHigh, []byte("root seen"), nil, r.Get(1))
		case "boom":
			panic("boom")
		}
	}})
}

func main() {}
