package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/replay"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// errDiffers ends a replay that came out otherwise.
var errDiffers = errors.New("the incident does not come out as it is stored")

func newReplay() *cobra.Command {
	var id, output string
	c := &cobra.Command{
		Use:   "replay [FILE.tar]",
		Short: "Compute an incident again from its records and compare it, byte for byte",
		Long: `Compute an incident again from its records and compare it, byte for byte.

With --incident the host exports what the incident was made of: its records, the modules that read and judged them, and
the incident as it is stored. The check itself is made here, in the sandbox, without the host. --output keeps the
export; "vedette replay FILE.tar" checks it again on any machine.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && id == "" && output == "":
				return replayFile(cmd, args[0])
			case len(args) == 1 || id == "":
				return errors.New("name either a file or an incident with --incident")
			case output == "":
				dir, err := os.MkdirTemp("", "vedette-export-")
				if err != nil {
					return fmt.Errorf("keep the export: %w", err)
				}
				defer os.RemoveAll(dir)
				output = filepath.Join(dir, "incident.tar")
			}
			if err := fetchExport(cmd, id, output); err != nil {
				return err
			}
			return replayFile(cmd, output)
		},
	}
	c.Flags().StringVar(&id, "incident", "", "id of an incident of the host")
	c.Flags().StringVarP(&output, "output", "o", "", "file that keeps the export (default: none does)")
	return addServerFlag(c)
}

// fetchExport writes a host's export to a file, which is there only when it is whole.
func fetchExport(cmd *cobra.Command, id, output string) (err error) {
	s, err := open(cmd)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(output), ".export-*")
	if err != nil {
		return fmt.Errorf("keep the export: %w", err)
	}
	err = receiveExport(cmd.Context(), s, id, f)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), output)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func receiveExport(ctx context.Context, s session, id string, w io.Writer) error {
	b := &bearer{s}
	stream, err := ask(s, vedettev1connect.NewIncidentServiceClient).ExportIncident(ctx, connect.NewRequest(&v1.ExportIncidentRequest{Id: id}))
	if err != nil {
		return b.explain(err)
	}
	defer func() { _ = stream.Close() }() // what ended it is in stream.Err
	for stream.Receive() {
		if _, err := w.Write(stream.Msg().Data); err != nil {
			return fmt.Errorf("keep the export: %w", err)
		}
	}
	return b.explain(stream.Err())
}

func replayFile(cmd *cobra.Command, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	defer f.Close()
	bundle, err := replay.Read(f)
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	res, err := bundle.Run(cmd.Context(), filepath.Join(cache, "vedette"))
	if err != nil {
		return err
	}
	in, out := &bundle.Incident, cmd.OutOrStdout()
	fmt.Fprintf(out, "incident  %s  %s\nrule      %s %s, fired %d times\nrecords   %d parsed again, %d events compared\n",
		in.ID, printable(in.Title), printable(in.Rule), printable(in.RuleVersion), in.Count, res.Records-res.Unread, res.Events)
	if res.Unread > 0 {
		fmt.Fprintf(out, "          %d that no parser had read were taken as stored\n", res.Unread)
	}
	if res.Enriched > 0 {
		fmt.Fprintf(out, "          %d held indicators: what these added was taken as stored\n", res.Enriched)
	}
	if n, l, t := len(bundle.Inner), bundle.Listed, len(bundle.Tables); n+l+t > 0 {
		fmt.Fprintf(out, "with      %d rules that it looks at, %d values of lists, %d versions of tables\n", n, l, t)
	}
	if res.Difference != "" {
		fmt.Fprintf(out, "differs   %s\n", printable(res.Difference))
		return errDiffers
	}
	fmt.Fprintln(out, "equal")
	return nil
}
