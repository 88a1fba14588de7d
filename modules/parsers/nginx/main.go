// Command nginx is the parser of nginx' access and error logs, and of other web servers' logs in the combined format.
package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterParser(sdk.Parser{Parse: Parse}) }

func main() {}
