package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	conform "github.com/vedette-siem/vedette/conformance/abi"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/conformance/abi/reference"
	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// checkCommand is what a host runs of its own binary to try what runs, in a process that the kernel may end.
const checkCommand = "check-module"

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:    checkCommand + " CACHE",
		Short:  "Try the module on standard input and write its conformance report",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := toBackground(); err != nil {
				return fmt.Errorf("set the limits of this process: %w", err)
			}
			o, err := trust.ReadOrder(cmd.InOrStdin())
			if err != nil {
				return err
			}
			rep, err := conformance(cmd.Context(), o.Package, o.Settings, args[0])
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(attested(rep, time.Now()))
		},
	}
}

// conformance holds a module to the ABI on this binary's own runtime, its own cases included.
func conformance(ctx context.Context, p manifest.Package, settings []byte, cacheDir string) (*conform.Report, error) {
	return conform.Modules(ctx, conform.ModuleConfig{
		Package: p, Settings: settings,
		Start: func(ctx context.Context) (protocol.Host, error) {
			return reference.New(ctx, reference.Config{Version: host.Version, CacheDir: cacheDir})
		},
		OwnCases: func(ctx context.Context) (int, []string, error) {
			o, err := author.Test(ctx, p, cacheDir)
			if errors.Is(err, runtime.ErrStalled) {
				err = fmt.Errorf("%w: %w", conform.ErrStalled, err)
			}
			return o.Cases, o.Failures, err
		},
	})
}

// attested is a report as it is signed, kept and shown: what is no more than advice is left out.
func attested(r *conform.Report, at time.Time) attest.Conformance {
	c := attest.Conformance{Level: r.Level, Suite: r.Suite, Host: host.Build(), Cases: r.Passed, Skipped: r.Skipped, At: at.UTC().Truncate(time.Second)}
	for _, x := range r.Results {
		if x.Status == conform.Fail && len(c.Failed) < attest.MaxFailures {
			c.Failed = append(c.Failed, attest.Failure{ID: x.ID, Text: shortened(x.Text), Detail: shortened(x.Detail)})
		}
	}
	return c
}

func shortened(s string) string {
	if len(s) <= attest.MaxTextBytes {
		return s
	}
	const more = "…"
	return strings.ToValidUTF8(s[:attest.MaxTextBytes-len(more)], "") + more
}
