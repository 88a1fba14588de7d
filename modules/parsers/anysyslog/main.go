// Command anysyslog is the last resort for syslog: it reads the header and keeps the message.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
