// Command windows is the parser of Windows events as JSON or XML: Security, Sysmon, PowerShell, Defender, AppLocker and all others.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
