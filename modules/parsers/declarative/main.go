// Command declarative is the one parser behind all specs: what it reads and emits is a program in its settings.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse, Init: Init}) }

func main() {}
