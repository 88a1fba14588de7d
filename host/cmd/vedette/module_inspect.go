package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/sign"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// inspection is what is known about a package, and how it differs from the one that runs.
type inspection struct {
	author.Report
	Artifact  registry.Digest   `json:"digest,omitempty"` // of a file or a version of a registry
	Signed    []signed          `json:"signed,omitempty"`
	Fuel      float64           `json:"fuel_per_record,omitempty"` // of its cases
	Installed *installedCompare `json:"installed,omitempty"`
}

// signed is a document about the artifact. That it names keys does not make its signatures good: vedette module verify
// says whether they are.
type signed struct {
	Type string   `json:"type"`
	Keys []string `json:"keys"`
}

type installedCompare struct {
	Version string   `json:"version"`
	Digest  string   `json:"digest"`
	Conform string   `json:"conformance,omitempty"` // as the host has found itself, or else as somebody attests
	More    []string `json:"asks_anew,omitempty"`   // capabilities that this one asks for and the one that runs does not
	Less    []string `json:"no_longer,omitempty"`   // and the other way round
}

func newModuleInspect() *cobra.Command {
	var output string
	var from shelf
	var live, fuel bool
	var organization uint32
	c := &cobra.Command{
		Use:   "inspect [FOLDER|FILE.tar|PUBLISHER/NAME:VERSION]",
		Short: "Show what a module imports and asks for, without running it",
		Long: `Show what a module is, imports and asks for, without running it, and who claims to have signed it. With --installed it
is compared with the version that a host runs; with --fuel its cases are run and their fuel is told.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "table" && output != "text" && output != "json" {
				return fmt.Errorf("output %q: want text or json", output)
			}
			p, x, err := inspect(cmd, &from, folderArg(args))
			if err != nil {
				return err
			}
			if fuel {
				s, err := author.Open(cmd.Context(), p, "", author.Config{CacheDir: compiled()})
				if err != nil {
					return err
				}
				defer s.Close() //nolint:errcheck // frees memory
				cost, err := s.Bench(cmd.Context(), nil, 0)
				if err != nil {
					return err
				}
				x.Fuel = cost.FuelPerRecord()
			}
			if live {
				if x.Installed, err = compareInstalled(cmd, &p.Manifest, organization); err != nil {
					return err
				}
			}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(x)
			}
			return x.print(cmd.OutOrStdout())
		},
	}
	from.flags(c)
	addFormFlag(c, &output)
	c.Flags().BoolVar(&live, "installed", false, "compare with the version that a host runs")
	c.Flags().BoolVar(&fuel, "fuel", false, "run its cases and tell the fuel of a record")
	c.Flags().Uint32Var(&organization, "organization", 0, "number of the organization whose installed version it is (default: the first that you see)")
	return addServerFlag(c)
}

// inspect reads a folder, a file, or a version of a registry.
func inspect(cmd *cobra.Command, from *shelf, name string) (manifest.Package, *inspection, error) {
	var full layout.Package
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		full.Artifact, err = author.Fresh(cmd.Context(), absolute(name))
	default:
		var tar []byte
		if tar, err = readModule(cmd.Context(), from, name); err == nil {
			full, err = layout.ImportPackage(strings.NewReader(string(tar)))
		}
	}
	if err != nil {
		return full.Artifact, nil, err
	}
	x := &inspection{Artifact: full.Digest}
	if x.Report, err = author.Inspect(full.Artifact); err != nil {
		return full.Artifact, nil, err
	}
	for _, r := range full.Referrers {
		s := signed{Type: r.Type}
		if e, err := sign.Decode(r.Envelope); err == nil {
			for _, by := range e.Signatures {
				s.Keys = append(s.Keys, string(by.KeyID))
			}
		}
		x.Signed = append(x.Signed, s)
	}
	return full.Artifact, x, nil
}

// compareInstalled asks a host what it runs under the same name.
func compareInstalled(cmd *cobra.Command, m *manifest.Manifest, organization uint32) (*installedCompare, error) {
	slot, err := newDevSlot(cmd, organization, nil)
	if err != nil {
		return nil, err
	}
	list, err := slot.modules.ListModules(cmd.Context(), connect.NewRequest(&v1.ListModulesRequest{Tenants: []uint32{slot.tenant}}))
	if err != nil {
		return nil, err
	}
	var is *v1.Module
	for _, x := range list.Msg.Modules {
		if x.Name == m.Publisher+"/"+m.Name && (x.Tenant == slot.tenant || is == nil) {
			is = x
		}
	}
	if is == nil {
		return &installedCompare{More: capabilities(m)}, nil
	}
	c := &installedCompare{Version: is.Version, Digest: is.Digest, Conform: conformanceOf(is.Conformance)}
	for _, id := range capabilities(m) {
		if !slices.Contains(is.Capabilities, id) {
			c.More = append(c.More, id)
		}
	}
	for _, id := range is.Capabilities {
		if !slices.Contains(capabilities(m), id) {
			c.Less = append(c.Less, id)
		}
	}
	return c, nil
}

func capabilities(m *manifest.Manifest) []string {
	var out []string
	for _, c := range m.Capabilities {
		out = append(out, c.ID)
	}
	return out
}

func (x *inspection) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	m := &x.Manifest
	fmt.Fprintf(w, "module\t%s\nkind\t%s\ntitle\t%s\nabi\t%s\n", m.Reference(), m.Kind, printable(m.Title), m.ABI)
	if x.Artifact != "" {
		fmt.Fprintf(w, "artifact\t%s\n", x.Artifact)
	}
	if x.Digest != "" {
		fmt.Fprintf(w, "code\t%s\nsize\t%d bytes, metered %d\nfunctions\t%d\nmemory\t%d KiB at start\n", x.Digest, x.CodeBytes, x.MeteredBytes, x.Functions, x.MemoryPages*64)
		fmt.Fprintf(w, "imports\t%s\nexports\t%s\n", strings.Join(x.Imports, "\n\t"), strings.Join(x.Exports, "\n\t"))
	}
	if x.Fuel > 0 {
		fmt.Fprintf(w, "fuel\t%.1f a record of its cases\n", x.Fuel)
	}
	for _, c := range m.Capabilities {
		fmt.Fprintf(w, "asks for\t%s: %s\n", c.ID, printable(c.Reason))
	}
	if m.Entry.Spec != "" {
		fmt.Fprintf(w, "spec\t%s\n", m.Entry.Spec)
	}
	if len(m.Entry.Documents) > 0 {
		fmt.Fprintf(w, "documents\t%s\n", strings.Join(m.Entry.Documents, "\n\t"))
	}
	for _, s := range x.Signed {
		fmt.Fprintf(w, "signed\t%s by %s (vedette module verify checks it)\n", s.Type, printable(orNone(s.Keys)))
	}
	if len(x.Signed) == 0 {
		fmt.Fprintf(w, "signed\tby nobody\n")
	}
	x.Installed.print(w)
	return w.Flush()
}

// print says what an update would ask for that the version that runs does not have.
func (c *installedCompare) print(w io.Writer) {
	switch {
	case c == nil:
		return
	case c.Version == "":
		fmt.Fprintf(w, "installed\tno version\n")
	default:
		fmt.Fprintf(w, "installed\t%s %s\nconforms\t%s\n", c.Version, registry.Digest(c.Digest).Short(), printable(c.Conform))
	}
	for _, id := range c.More {
		fmt.Fprintf(w, "asks anew\t+ %s\n", id)
	}
	for _, id := range c.Less {
		fmt.Fprintf(w, "no longer\t- %s\n", id)
	}
	if len(c.More)+len(c.Less) == 0 {
		fmt.Fprintf(w, "asks for\tthe same as the version that runs\n")
	}
}
