// Command tlscheck is a monitor that looks at the certificate of a service before it expires.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Init: Init, Poll: Poll}) }

func main() {}
