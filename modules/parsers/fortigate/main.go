// Command fortigate is the parser of Fortinet FortiGate logs: traffic, UTM and event records as key=value text.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
