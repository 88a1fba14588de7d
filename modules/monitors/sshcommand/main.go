// Command sshcommand is a monitor that runs a command on a device and looks at what it prints.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
