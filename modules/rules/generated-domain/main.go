// Command generated-domain is a rule that reports hosts which ask for names that a program has made up.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterRule(sdk.Rule{Init: Init, Eval: Eval}) }

func main() {}
