package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func newMonitorConfigs() *cobra.Command {
	req, output, one := &v1.ListConfigsRequest{}, "", uint32(0)
	c := &cobra.Command{
		Use:   "configs",
		Short: "List the versions of configurations that were pulled",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Tenants = tenantsOf(one)
			resp, err := monitors.ListConfigs(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"organization", "device", "name", "at", "added", "removed", "bytes", "blessed", "digest"})
			if err != nil {
				return err
			}
			for _, v := range resp.Msg.Versions {
				err := p.print(map[string]any{
					"organization": v.Tenant, "device": v.Device, "name": v.Name, "at": clock(v.At), "added": v.Added, "removed": v.Removed,
					"bytes": v.Bytes, "blessed": v.Blessed, "digest": v.Digest,
				})
				if err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().Uint32Var(&one, "organization", 0, "number of the organization (default: all that you see)")
	c.Flags().StringVar(&req.Device, "device", "", "only those of this device")
	c.Flags().StringVar(&req.Name, "name", "", "only this text: running, startup, packages, …")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "the most versions to list (default 100)")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newMonitorShow() *cobra.Command {
	req := &v1.GetConfigRequest{}
	c := &cobra.Command{
		Use:   "show DEVICE NAME",
		Short: "Print a configuration that was pulled",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			resp, err := monitors.GetConfig(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			return writeText(cmd.OutOrStdout(), resp.Msg.Text)
		},
	}
	c.Flags().StringVar(&req.Digest, "version", "", "digest of a version, or blessed (default: the newest)")
	return addOwnerFlag(c, &req.Tenant)
}

func newMonitorDiff() *cobra.Command {
	req := &v1.DiffConfigRequest{}
	c := &cobra.Command{
		Use:   "diff DEVICE NAME",
		Short: "Compare two versions of a configuration, or it with another one of the device",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			resp, err := monitors.DiffConfig(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			m := resp.Msg
			old := args[1]
			if req.FromName != "" {
				old = req.FromName
			}
			fmt.Fprintf(cmd.OutOrStdout(), "--- %s\t%s\n+++ %s\t%s\n", old, m.From, args[1], m.To)
			if err := writeText(cmd.OutOrStdout(), m.Diff); err != nil {
				return err
			}
			if m.Cut {
				fmt.Fprintln(cmd.ErrOrStderr(), "the difference is longer and was cut")
			}
			return nil
		},
	}
	c.Flags().StringVar(&req.From, "from", "", "digest of the older version, or blessed (default: the version before)")
	c.Flags().StringVar(&req.To, "to", "", "digest of the newer version (default: the newest)")
	c.Flags().StringVar(&req.FromName, "against", "", "another configuration of the device, such as startup")
	return addOwnerFlag(c, &req.Tenant)
}

// writeText writes lines that a device has written: what would steer a terminal is spelled out.
func writeText(w io.Writer, text []byte) error {
	for line := range strings.Lines(string(text)) {
		body, end := strings.CutSuffix(line, "\n")
		body = strings.ReplaceAll(body, "\t", "        ")
		if end {
			body = printable(body) + "\n"
		} else {
			body = printable(body)
		}
		if _, err := io.WriteString(w, body); err != nil {
			return err
		}
	}
	return nil
}

func newMonitorBless() *cobra.Command {
	req, file, none := &v1.BlessConfigRequest{}, "", false
	c := &cobra.Command{
		Use:   "bless DEVICE NAME",
		Short: "Say which configuration is the right one: a version, or a file",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			if file != "" {
				if req.Text, err = os.ReadFile(file); err != nil {
					return fmt.Errorf("read the configuration: %w", err)
				}
			}
			if (req.Digest != "") == (len(req.Text) > 0) != none {
				return errors.New("want one of --version, --file and --none")
			}
			_, err = monitors.BlessConfig(cmd.Context(), connect.NewRequest(req))
			return err
		},
	}
	c.Flags().StringVar(&req.Digest, "version", "", "digest of a version that was pulled")
	c.Flags().StringVar(&file, "file", "", "file with the right configuration")
	c.Flags().BoolVar(&none, "none", false, "none is right any more")
	c.Flags().StringVar(&req.Reason, "reason", "", "why, for those who read the changes")
	return addOwnerFlag(c, &req.Tenant)
}
