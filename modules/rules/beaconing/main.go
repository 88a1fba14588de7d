// Command beaconing is a rule that reports hosts which call a destination at regular intervals.
package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

func init() {
	sdk.RegisterRule(sdk.Rule{Init: Init, Eval: Eval})
	timer.Register(Due)
}

func main() {}
