// Command module is refhttp as a module.
package main

import (
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refhttp"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterMonitor(refhttp.Monitor) }

func main() {}
