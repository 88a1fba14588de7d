// Command kvguest is package kv as a module.
package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"

	"github.com/vedette-siem/vedette/host/runtime/testdata/kv"
)

func init() { sdk.RegisterParser(kv.Parser) }

func main() {}
