package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// addTenantFlag adds --organization, whose module it is.
func addTenantFlag(c *cobra.Command, to *uint32) *cobra.Command {
	c.Flags().Uint32Var(to, "organization", 0, "number of the organization (default: shared by all, admin only)")
	return addServerFlag(c)
}

func askModules(cmd *cobra.Command) (vedettev1connect.ModuleServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewModuleServiceClient), nil
}

func newModuleInstall() *cobra.Command {
	req := &v1.InstallModuleRequest{}
	var settings, output string
	var from shelf
	fromHost := false
	c := &cobra.Command{
		Use:   "install [FOLDER|FILE.tar|PUBLISHER/NAME:VERSION]",
		Short: "Install a built module on a live host",
		Long: `Install a built module on a live host: the folder of a module, one file with an OCI image layout, or a version that
was published; with a registry in front (registry.example.org/team/acme/doors:1.0.0) it is pulled from there first.

The host verifies the package, checks and meters its code, compiles it and runs the package's own cases. Only when all
of that has passed does it run, from one record to the next; what is refused changes nothing.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := checkForm(output); err != nil {
				return err
			}
			if fromHost {
				req.Reference = folderArg(args)
			} else if req.Package, err = readModule(cmd.Context(), &from, folderArg(args)); err != nil {
				return err
			}
			if settings != "" {
				b, err := os.ReadFile(settings)
				if err != nil {
					return fmt.Errorf("read the settings: %w", err)
				}
				req.Settings = string(b)
			}
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			resp, err := modules.InstallModule(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			if output == "json" {
				return printMessage(cmd.OutOrStdout(), resp.Msg)
			}
			if resp.Msg.Waiting != 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "waiting       request %d: it asks for %s, which nobody has granted\nnext          an admin runs: vedette module approve %d\n",
					resp.Msg.Waiting, orNone(resp.Msg.Missing), resp.Msg.Waiting)
				return nil
			}
			showModule(cmd.OutOrStdout(), resp.Msg.Module)
			fmt.Fprintf(cmd.OutOrStdout(), "cases         %d passed\n", resp.Msg.Cases)
			if resp.Msg.ReplacedDigest != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "replaced      %s\n", resp.Msg.ReplacedDigest)
			}
			showState(cmd.OutOrStdout(), resp.Msg.State)
			for _, w := range resp.Msg.Warnings {
				fmt.Fprintf(cmd.OutOrStdout(), "warning       %s\n", printable(w))
			}
			return nil
		},
	}
	from.flags(c)
	addFormFlag(c, &output)
	c.Flags().BoolVar(&fromHost, "from-host", false, "the version stands in the host's registry, or in the remote one that the host is configured with")
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().StringSliceVar(&req.Grants, "grant", nil, "capability that the module may use, such as vedette_http_v1")
	return addTenantFlag(c, &req.Tenant)
}

// readModule returns a module as one file: what is there, or a version of a registry.
func readModule(ctx context.Context, from *shelf, name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil && strings.Contains(name, ":"):
		return readRef(ctx, from, name)
	case err == nil && info.IsDir():
		p, err := author.Fresh(ctx, absolute(name))
		if err != nil {
			return nil, err
		}
		return packed(p)
	}
	return readPackage(absolute(name))
}

// readPackage returns a module as one file.
func readPackage(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, noModule(path, err)
	}
	if info.IsDir() {
		p, err := author.Folder(path)
		if err != nil {
			return nil, err
		}
		return packed(p)
	}
	if info.Size() > layout.MaxArchiveBytes {
		return nil, fmt.Errorf("read the module: %s has %d bytes, the limit is %d", path, info.Size(), layout.MaxArchiveBytes)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	return b, nil
}

// showModule prints what a person should know of a module that was just activated.
func showModule(w io.Writer, m *v1.Module) {
	fmt.Fprintf(w, "module        %s %s (%s)\n", m.GetName(), m.GetVersion(), m.GetKind())
	fmt.Fprintf(w, "digest        %s\n", m.GetDigest())
	fmt.Fprintf(w, "publisher     %s\n", m.GetPublisher())
	fmt.Fprintf(w, "imports       %s\n", orNone(m.GetImports()))
	fmt.Fprintf(w, "capabilities  %s\n", orNone(m.GetCapabilities()))
	fmt.Fprintf(w, "in force at   %d\n", m.GetGeneration())
}

// showState prints what became of what a module's rules knew.
func showState(w io.Writer, state []string) {
	for _, line := range state {
		fmt.Fprintf(w, "state         %s\n", printable(line))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func newModuleList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the modules that run",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			resp, err := modules.ListModules(cmd.Context(), connect.NewRequest(&v1.ListModulesRequest{}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"name", "version", "kind", "organization", "state", "publisher", "records", "errors", "digest"})
			if err != nil {
				return err
			}
			for _, m := range resp.Msg.Modules {
				if err := p.print(moduleRecord(m, output == "table")); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

// moduleRecord is a module as columns; short cuts the digest for people.
func moduleRecord(m *v1.Module, short bool) map[string]any {
	state := "on"
	if !m.Enabled {
		state = "off"
	}
	if m.GetUse().GetSuspended() != "" {
		state = "suspended"
	}
	r := map[string]any{
		"name": m.Name, "version": m.Version, "kind": m.Kind, "state": state, "publisher": m.Publisher, "digest": m.Digest,
		"title": m.Title, "imports": m.Imports, "capabilities": m.Capabilities, "generation": m.Generation, "organization": "all", "conformance": conformanceOf(m.Conformance),
	}
	if m.Tenant != 0 {
		r["organization"] = m.Tenant
	}
	if m.Use != nil {
		r["records"], r["errors"], r["events"], r["fuel"], r["calls"] = m.Use.Records, m.Use.Errors, m.Use.Events, m.Use.Fuel, m.Use.Calls
		r["last_error"], r["suspended"] = m.Use.LastError, m.Use.Suspended
	}
	if short {
		hex := strings.TrimPrefix(m.Digest, "sha256:")
		r["digest"] = hex[:min(12, len(hex))]
	}
	return r
}

func newModuleVersions() *cobra.Command {
	req, output := &v1.ListModuleVersionsRequest{}, ""
	c := &cobra.Command{
		Use:               "versions PUBLISHER/NAME",
		Short:             "List the versions that can run in place of the one that does",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			req.Name = args[0]
			resp, err := modules.ListModuleVersions(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"version", "state", "generation", "since", "by", "digest"})
			if err != nil {
				return err
			}
			for _, v := range resp.Msg.Versions {
				if err := p.print(versionRecord(v)); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &output)
	return addTenantFlag(c, &req.Tenant)
}

// versionRecord is a version as columns.
func versionRecord(v *v1.ModuleVersion) map[string]any {
	state := "earlier"
	if v.Running {
		state = "running"
	} else if v.Shared {
		state = "shared"
	}
	return map[string]any{
		"version": v.Version, "state": state, "generation": v.Generation, "since": clock(v.ActivatedAt), "by": v.ActivatedBy, "digest": v.Digest,
	}
}

func newModuleRollback() *cobra.Command {
	req, output := &v1.RollbackModuleRequest{}, ""
	c := &cobra.Command{
		Use:               "rollback PUBLISHER/NAME",
		Short:             "Make the version before run again, or an earlier one",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			req.Name = args[0]
			resp, err := modules.RollbackModule(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			if output == "json" {
				return printMessage(cmd.OutOrStdout(), resp.Msg)
			}
			showModule(cmd.OutOrStdout(), resp.Msg.Module)
			showState(cmd.OutOrStdout(), resp.Msg.State)
			return nil
		},
	}
	addFormFlag(c, &output)
	c.Flags().Uint64Var(&req.Generation, "to", 0, "generation of the version that is to run, as `vedette module versions` lists it (default: the version before)")
	return addTenantFlag(c, &req.Tenant)
}

func newModuleEnable() *cobra.Command {
	return newModuleSwitch("enable", "Switch a module on", true)
}

func newModuleDisable() *cobra.Command {
	return newModuleSwitch("disable", "Switch a module off, for all or for one organization", false)
}

func newModuleSwitch(verb, short string, on bool) *cobra.Command {
	var tenant uint32
	return addTenantFlag(&cobra.Command{
		Use:               verb + " PUBLISHER/NAME",
		Short:             short,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			_, err = modules.SetModuleEnabled(cmd.Context(), connect.NewRequest(&v1.SetModuleEnabledRequest{Name: args[0], Tenant: tenant, Enabled: on}))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is %sd\n", args[0], verb)
			return nil
		},
	}, &tenant)
}
