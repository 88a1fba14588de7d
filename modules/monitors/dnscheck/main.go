// Command dnscheck is a monitor that asks a name server and looks at what it answers.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
