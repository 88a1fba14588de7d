// Command snmpsystem is a monitor that reads system, interfaces, processors and memory of a device over SNMP.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
