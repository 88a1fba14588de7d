// Command wasiguest is a parser that uses what standard Go offers: the clock, randomness, files, sleep, output.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

func init() {
	sdk.RegisterParser(sdk.Parser{Parse: func(r *sdk.Record, e *sdk.Event) abi.Outcome {
		switch string(r.Raw) {
		case "clock":
			before := time.Now()
			time.Sleep(time.Hour)
			return e.Fail(fmt.Sprint(before.UnixNano(), " ", time.Since(before) >= time.Hour))
		case "random":
			var b [16]byte
			if _, err := rand.Read(b[:]); err != nil {
				return e.Fail(err.Error())
			}
			return e.Fail(fmt.Sprintf("%x", b))
		case "outside":
			_, err := os.ReadFile("/etc/passwd")
			return e.Fail(fmt.Sprint(len(os.Args), len(os.Environ()), " ", err))
		case "print":
			fmt.Println("to standard output")
			fmt.Fprintln(os.Stderr, "to standard error")
		case "exit":
			os.Exit(3)
		case "panic":
			panic("on purpose")
		}
		return sdk.NotMine
	}})
}

func main() {}
