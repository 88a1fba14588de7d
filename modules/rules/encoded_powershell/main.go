// Command encoded_powershell is a rule that decodes what PowerShell was told in Base64 and looks at what it does.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterRule(sdk.Rule{Eval: Eval}) }

func main() {}
