// Command broken is the reference host with nothing around it, small enough to be built again for every mutant.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/conformance/abi/reference"
)

func main() {
	ctx := context.Background()
	h, err := reference.New(ctx, reference.Config{Version: "broken"})
	if err == nil {
		err = errors.Join(protocol.Serve(ctx, h, os.Stdin, os.Stdout), h.Shutdown())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
