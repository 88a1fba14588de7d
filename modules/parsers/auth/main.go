// Command auth is the parser of Unix authentication logs: sshd, sudo, su, login, cron, account tools and everything PAM.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
