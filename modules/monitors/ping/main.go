// Command ping is a monitor that sends echo requests.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
