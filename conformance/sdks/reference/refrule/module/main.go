// Command module is refrule as a module.
package main

import (
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refrule"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterRule(refrule.Rule) }

func main() {}
