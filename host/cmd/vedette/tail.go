package main

import (
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newTail() *cobra.Command {
	var output string
	var fields []string
	c := &cobra.Command{
		Use:   "tail [FILTER]",
		Short: "Follow events as they come in, until Ctrl-C",
		Long: `Follow events as they come in, until Ctrl-C. The filter is that of search, without pipes; without one everything
is shown.

  vedette tail 'event.outcome:failure' --fields @timestamp,user.name,source.ip`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := &v1.TailRequest{}
			if len(args) > 0 {
				req.Filter = args[0]
			}
			return tail(cmd, req, output, fields)
		},
	}
	c.Flags().StringSliceVar(&fields, "fields", eventColumns, "columns to print")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func tail(cmd *cobra.Command, req *v1.TailRequest, output string, fields []string) error {
	s, err := open(cmd)
	if err != nil {
		return err
	}
	stream, err := ask(s, vedettev1connect.NewEventServiceClient).Tail(cmd.Context(), connect.NewRequest(req))
	if err != nil {
		return (&bearer{s}).explain(err)
	}
	defer stream.Close() //nolint:errcheck // its end was read, or it is given up
	out := &eventPrinter{w: cmd.OutOrStdout(), form: output, columns: fields}
	for stream.Receive() {
		if err := out.print(stream.Msg().Events); err != nil {
			return err
		}
		if n := stream.Msg().Dropped; n > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d events were left out: they came faster than they could be shown\n", n)
		}
	}
	if cmd.Context().Err() != nil {
		return nil // Ctrl-C is how a tail ends
	}
	return (&bearer{s}).explain(stream.Err())
}
