// Command syslog is the parser of what Unix hosts log: a time, a host, a program and its message.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
