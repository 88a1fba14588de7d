// Command impossible-travel is a rule that reports logins of one account from places too far apart for the time between.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterRule(sdk.Rule{Init: Init, Eval: Eval}) }

func main() {}
