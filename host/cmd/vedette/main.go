// Command vedette is the host and the tool of authors and operators in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	if err := root.ExecuteContext(ctx); err != nil {
		if errors.Is(err, context.Canceled) {
			return 130
		}
		fmt.Fprintln(errs, "vedette:", err)
		return 1
	}
	return 0
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "vedette",
		Short:         "A SIEM whose parsers, monitors and rules are sandboxed, hot-swappable modules",
		Version:       host.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newServe(), newParse(), newMatch(), newCorrelate(), newRule(), newModule(), newSearch(), newTail(),
		newLogin(), newLogout(), newIncidents(), newIncident(), newReplay(), newWhy(), newMonitor(), newTable(), newList(), newIndicators(), newUsage(), newRegistry(), newConform(), newConformServe(), newCompile(), newCheck())
	return root
}
