package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/spec"
)

func newModuleBacktest() *cobra.Command {
	req := &v1.BacktestModuleRequest{}
	var settings, output string
	var last, shadow time.Duration
	c := &cobra.Command{
		Use:   "backtest [FOLDER|FILE.tar|SPEC.yaml]",
		Short: "Say what a module would have changed, before it runs",
		Long: `Say what a module would have changed, before it runs: a live host lets what runs now, and what would run with the
candidate, read and judge the newest stored records and, with --shadow, those that come meanwhile. It tells which events
and incidents would differ. Nothing is stored, activated or notified.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("output %q, want text or json", output)
			}
			if err := readCandidate(req, absolute(folderArg(args))); err != nil {
				return err
			}
			if settings != "" {
				b, err := os.ReadFile(settings)
				if err != nil {
					return fmt.Errorf("read the settings: %w", err)
				}
				req.Settings = string(b)
			}
			req.Last, req.Shadow = durationpb.New(last), durationpb.New(shadow)
			report, err := backtestModule(cmd, req, output == "text")
			if err != nil {
				return err
			}
			if output == "json" {
				b, err := protojson.MarshalOptions{Multiline: true}.Marshal(report)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
				return err
			}
			showBacktest(cmd.OutOrStdout(), report)
			return nil
		},
	}
	c.Flags().DurationVar(&last, "last", time.Hour, "how far back, at most 168h")
	c.Flags().Uint32Var(&req.Limit, "limit", 20_000, "records that are looked at, the newest; at most 100000")
	c.Flags().DurationVar(&shadow, "shadow", 0, "how long it then runs beside the live stream, at most 10m")
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().StringSliceVar(&req.Grants, "grant", nil, "capability that the module may use")
	c.Flags().StringVar(&req.Name, "name", "", "name of the parser that a spec would be (default: the file's)")
	c.Flags().StringVar(&output, "output", "text", "text or json")
	return addTenantFlag(c, &req.Tenant)
}

// readCandidate takes a spec by its file's ending, and everything else as a package.
func readCandidate(req *v1.BacktestModuleRequest, path string) error {
	switch ext := filepath.Ext(path); ext {
	case ".yaml", ".yml":
		info, err := os.Stat(path)
		if err == nil && info.Size() > spec.MaxBytes {
			err = fmt.Errorf("%s has %d bytes, the limit is %d", path, info.Size(), spec.MaxBytes)
		}
		if err != nil {
			return fmt.Errorf("read the spec: %w", err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the spec: %w", err)
		}
		if req.Name == "" {
			req.Name = strings.TrimSuffix(filepath.Base(path), ext)
		}
		req.Candidate = &v1.BacktestModuleRequest_Spec{Spec: string(b)}
		return nil
	default:
		b, err := readPackage(path)
		req.Candidate = &v1.BacktestModuleRequest_Package{Package: b}
		return err
	}
}

// backtestModule asks the host, tells on stderr how far it is, and returns the report.
func backtestModule(cmd *cobra.Command, req *v1.BacktestModuleRequest, tell bool) (*v1.BacktestReport, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	stream, err := ask(s, vedettev1connect.NewBacktestServiceClient).BacktestModule(cmd.Context(), connect.NewRequest(req))
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // the report is here, or an error says why not
	for stream.Receive() {
		m := stream.Msg()
		if m.Report != nil {
			return m.Report, nil
		}
		if tell {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d records, %d changed\n", m.Phase, m.Records, m.Changed)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	return nil, errors.New("the host ended the test without a report")
}

// shownExamples and shownIncidents are how much of a report a person reads.
const (
	shownExamples  = 5
	shownIncidents = 20
)

func showBacktest(w io.Writer, r *v1.BacktestReport) {
	fmt.Fprintf(w, "records       %d", r.Records)
	if r.Records > 0 {
		fmt.Fprintf(w, ", received %s to %s", r.From.AsTime().Format(time.RFC3339), r.To.AsTime().Format(time.RFC3339))
	}
	if r.Truncated {
		fmt.Fprint(w, " (the newest: there are more)")
	}
	if r.LiveRecords > 0 || r.LiveDropped > 0 {
		fmt.Fprintf(w, "; %d of them live, %d events left out", r.LiveRecords, r.LiveDropped)
	}
	fmt.Fprintf(w, "\nevents        %d would differ: %d newly read, %d no longer read, %d would fail\n", r.Changed, r.NewlyRead, r.NoLongerRead, r.Failed)
	for _, f := range r.Fields {
		fmt.Fprintf(w, "  %-36s added %d, gone %d, rewritten %d\n", printable(f.Name), f.Added, f.Gone, f.Rewritten)
	}
	for _, x := range r.Examples[:min(len(r.Examples), shownExamples)] {
		fmt.Fprintf(w, "  %s %s\n", x.Id, printable(x.Raw))
		for _, d := range x.Fields {
			fmt.Fprintf(w, "    %s: %s → %s\n", printable(d.Name), valueOrNone(d.Is), valueOrNone(d.Would))
		}
	}
	fmt.Fprintf(w, "incidents     %d would appear, %d would not be there, %d would count otherwise\n", r.IncidentsAppear, r.IncidentsDisappear, r.IncidentsRecounted)
	for _, in := range r.Incidents[:min(len(r.Incidents), shownIncidents)] {
		fmt.Fprintf(w, "  %-8s %d → %d  %s\n", in.Severity, in.Is, in.Would, printable(in.Title))
	}
	if r.Ended != "" {
		fmt.Fprintf(w, "ended early   %s\n", r.Ended)
	}
}

func valueOrNone(v string) string {
	if v == "" {
		return "(none)"
	}
	return printable(v)
}
