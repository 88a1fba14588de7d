package main

import (
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/runtime"
)

// compileCommand is what a host runs of its own binary to compile foreign code, in a process that the kernel may end.
const compileCommand = "compile-module"

func newCompile() *cobra.Command {
	return &cobra.Command{
		Use:    compileCommand + " CACHE",
		Short:  "Compile the metered module on standard input into a host's cache",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runtime.CompileTo(cmd.Context(), args[0], cmd.InOrStdin())
		},
	}
}
