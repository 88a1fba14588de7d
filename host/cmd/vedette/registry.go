package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newRegistry() *cobra.Command {
	c := &cobra.Command{
		Use:   "registry",
		Short: "The host's own registry of modules, and whom it trusts",
		Long: `The host's own registry of modules, and whom it trusts.

Any client of OCI registries reaches it below /v2/ with a user's name and password: what all organizations share as
publisher/name, organization 7's own as t-7/publisher/name. What is put there runs nowhere until it is installed:
vedette module install --from-host publisher/name:version.`,
	}
	c.AddCommand(newRegistryList(), newRegistryPolicy(), newRegistryCollect(), newRegistryExport(), newRegistryImport())
	return c
}

func askRegistry(cmd *cobra.Command) (vedettev1connect.RegistryServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewRegistryServiceClient), nil
}

// packageColumns are those of registry list and collect.
var packageColumns = []string{"reference", "kind", "organization", "digest", "standing", "running", "reason", "replacement"}

func printPackages(w io.Writer, form string, list []*v1.RegistryPackage) error {
	p, err := newPrinter(w, form, packageColumns)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := p.print(map[string]any{
			"reference": x.Reference, "kind": x.Kind, "organization": x.Tenant, "digest": x.Digest, "standing": x.Standing, "running": x.Running,
			"reason": x.Reason, "replacement": x.Replacement,
		}); err != nil {
			return err
		}
	}
	return p.flush()
}

func newRegistryList() *cobra.Command {
	req, form := &v1.ListPackagesRequest{}, ""
	c := &cobra.Command{
		Use: "list [PUBLISHER/NAME]", Short: "List the versions that an organization can install", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				req.Module = args[0]
			}
			r, err := askRegistry(cmd)
			if err != nil {
				return err
			}
			resp, err := r.ListPackages(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			return printPackages(cmd.OutOrStdout(), form, resp.Msg.Packages)
		},
	}
	addOutputFlag(c, &form)
	return addTenantFlag(c, &req.Tenant)
}

func newRegistryPolicy() *cobra.Command {
	req := &v1.SetTrustPolicyRequest{}
	none := false
	c := &cobra.Command{
		Use:   "policy [FILE]",
		Short: "Show which modules are trusted, or set it for an organization",
		Long: `Show which modules are trusted, or set it for an organization from a file. The host's own policy stands in the file
that modules.trust_policy names; an organization's narrows it for what the organization installs itself. Whatever runs
and is not trusted any more stops within a minute: --dry-run says what that would be.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := askRegistry(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 && !none {
				resp, err := r.GetTrustPolicy(cmd.Context(), connect.NewRequest(&v1.GetTrustPolicyRequest{Tenant: req.Tenant}))
				if err == nil {
					_, err = io.WriteString(cmd.OutOrStdout(), resp.Msg.Policy.Document)
				}
				return err
			}
			if !none {
				text, err := os.ReadFile(absolute(args[0]))
				if err != nil {
					return fmt.Errorf("read the policy: %w", err)
				}
				req.Document = string(text)
			}
			resp, err := r.SetTrustPolicy(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			for _, p := range resp.Msg.Problems {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d:%d: %s\n", args[0], p.Line, p.Column, printable(p.Text))
			}
			if len(resp.Msg.Problems) > 0 {
				return errors.New("nothing was changed")
			}
			for _, s := range resp.Msg.Stops {
				fmt.Fprintf(cmd.OutOrStdout(), "stops         %s: %s\n", s.Name, printable(s.Reason))
			}
			if resp.Msg.Version != 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "in force      version %d\n", resp.Msg.Version)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&req.DryRun, "dry-run", false, "only say what is wrong with it and what would stop")
	c.Flags().BoolVar(&none, "none", false, "take the organization's own policy away")
	c.MarkFlagsMutuallyExclusive("dry-run", "none")
	return addTenantFlag(c, &req.Tenant)
}

func newRegistryCollect() *cobra.Command {
	remove, form := false, ""
	c := &cobra.Command{
		Use:   "gc",
		Short: "Say which versions nothing refers to any more, and with --remove remove them",
		Long: `Say which versions nothing refers to any more, and with --remove remove them. What stays: what runs or can be rolled
back to, what waits for approval, what stored events and incidents name, and the newest versions of each module. The
host does so once a day by itself.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := askRegistry(cmd)
			if err != nil {
				return err
			}
			resp, err := r.CollectPackages(cmd.Context(), connect.NewRequest(&v1.CollectPackagesRequest{DryRun: !remove}))
			if err != nil {
				return err
			}
			if err := printPackages(cmd.OutOrStdout(), form, resp.Msg.Packages); err != nil {
				return err
			}
			if remove && form == "table" {
				fmt.Fprintf(cmd.OutOrStdout(), "removed %d versions, %d files of %d bytes\n", len(resp.Msg.Packages), resp.Msg.Blobs, resp.Msg.Bytes)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "remove them")
	addOutputFlag(c, &form)
	return addServerFlag(c)
}

func newRegistryExport() *cobra.Command {
	req := &v1.ExportPackagesRequest{}
	c := &cobra.Command{
		Use:   "export FILE.tar [PUBLISHER/NAME:VERSION|sha256:DIGEST]...",
		Short: "Write versions, what vouches for them and the signed index into one file, for a site without a network",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.References = args[1:]
			r, err := askRegistry(cmd)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(absolute(args[0]), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return fmt.Errorf("write the bundle: %w", err)
			}
			defer func() {
				if err = errors.Join(err, f.Close()); err != nil {
					_ = os.Remove(f.Name()) // half a bundle is none
				}
			}()
			stream, err := r.ExportPackages(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			defer stream.Close() //nolint:errcheck // its error is Err's
			for stream.Receive() {
				if _, err := f.Write(stream.Msg().Data); err != nil {
					return fmt.Errorf("write the bundle: %w", err)
				}
			}
			return stream.Err()
		},
	}
	return addTenantFlag(c, &req.Tenant)
}

// importChunk is how much of a bundle one message holds.
const importChunk = 256 << 10

func newRegistryImport() *cobra.Command {
	var to uint32
	c := &cobra.Command{
		Use:   "import FILE.tar",
		Short: "Put the versions of such a file into the host's registry, after verifying all of it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(absolute(args[0]))
			if err != nil {
				return fmt.Errorf("read the bundle: %w", err)
			}
			defer f.Close()
			r, err := askRegistry(cmd)
			if err != nil {
				return err
			}
			stream, part := r.ImportPackages(cmd.Context()), make([]byte, importChunk)
			for {
				n, err := io.ReadFull(f, part)
				if n == 0 {
					break
				}
				if stream.Send(&v1.ImportPackagesRequest{Tenant: to, Data: part[:n]}) != nil || err != nil {
					break // the answer says why the host has hung up; a file that ends early is no tar
				}
			}
			resp, err := stream.CloseAndReceive()
			if err != nil {
				return err
			}
			for _, p := range resp.Msg.Packages {
				fmt.Fprintf(cmd.OutOrStdout(), "imported      %s %s\n", p.Reference, p.Digest)
			}
			return nil
		},
	}
	return addTenantFlag(c, &to)
}
