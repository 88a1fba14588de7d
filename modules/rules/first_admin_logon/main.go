// Command first_admin_logon is a rule that remembers which accounts use administrator rights on which hosts.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterRule(sdk.Rule{Eval: Eval}) }

func main() {}
