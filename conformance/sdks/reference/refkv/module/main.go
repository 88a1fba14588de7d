// Command module is refkv as a module.
package main

import (
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refkv"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterParser(refkv.Parser) }

func main() {}
