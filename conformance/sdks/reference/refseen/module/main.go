// Command module is refseen as a module.
package main

import (
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refseen"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterRule(refseen.Rule) }

func main() {}
