// Command module is refsnmp as a module.
package main

import (
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refsnmp"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterMonitor(refsnmp.Monitor) }

func main() {}
