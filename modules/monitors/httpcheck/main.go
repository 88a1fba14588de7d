// Command httpcheck is a monitor that asks a web service whether it is there, answers as it should, and how fast.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
