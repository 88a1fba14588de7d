// Command tcpcheck is a monitor that tries whether a TCP port takes connections.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
