// Command kv is the last resort for key=value text: logfmt and its relatives, bare or behind a syslog header.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
