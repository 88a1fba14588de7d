package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
)

func newModule() *cobra.Command {
	c := &cobra.Command{
		Use:   "module",
		Short: "Write, test, install and roll back modules",
	}
	c.AddCommand(newModuleNew(), newModuleSuggest(), newModuleBuild(), newModuleTest(), newModuleInspect(),
		newModuleBacktest(), newModuleInstall(), newModuleList(), newModuleVersions(), newModuleRollback(), newModuleLogs(), newModuleEnable(), newModuleDisable(),
		newModuleApprovals(), newModuleApprove(), newModuleReject())
	return c
}

// folderArg is the module's folder, the current one by default.
func folderArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

func newModuleNew() *cobra.Command {
	var kind, lang string
	c := &cobra.Command{
		Use:   "new FOLDER",
		Short: "Write a new module that builds and passes its test",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			switch {
			case lang == "spec" && kind == string(manifest.Parser):
				err = author.NewSpec(args[0])
			case lang == "go":
				err = author.New(args[0], manifest.Kind(kind))
			default:
				err = fmt.Errorf("--lang %q with --kind %s: want go, or spec for a parser", lang, kind)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is a new %s. Next:\n  vedette module build %s\n  vedette module test %s\n", args[0], kind, args[0], args[0])
			return nil
		},
	}
	c.Flags().StringVar(&kind, "kind", "parser", "parser, monitor or rule")
	c.Flags().StringVar(&lang, "lang", "go", "go, or spec for a parser without code: templates with typed holes")
	return c
}

func newModuleSuggest() *cobra.Command {
	var prefix string
	c := &cobra.Command{
		Use:   "suggest [FILE]",
		Short: "Propose a spec for the lines of a file, or of the standard input, that nobody reads",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if len(args) == 1 {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("read the lines: %w", err)
				}
				defer f.Close()
				in = f
			}
			text, err := io.ReadAll(io.LimitReader(in, spec.MaxSamples*spec.MaxSampleBytes))
			if err != nil {
				return fmt.Errorf("read the lines: %w", err)
			}
			if len(bytes.TrimSpace(text)) == 0 {
				return errors.New("there are no lines to propose a spec for")
			}
			fmt.Fprint(cmd.OutOrStdout(), spec.Suggest(strings.Split(string(text), "\n"), prefix))
			return nil
		},
	}
	c.Flags().StringVar(&prefix, "prefix", "", "of fields that ECS does not have (default: the program's name)")
	return c
}

func newModuleBuild() *cobra.Command {
	var toolchain string
	c := &cobra.Command{
		Use:   "build [FOLDER]",
		Short: "Compile a module to build/NAME.wasm with its manifest inside",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := author.Build(cmd.Context(), absolute(folderArg(args)), author.Toolchain(toolchain))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %d bytes of code\n", p.Manifest.Reference(), len(p.Wasm))
			return nil
		},
	}
	c.Flags().StringVar(&toolchain, "toolchain", string(author.StandardGo), "go, or tinygo for a smaller and faster module")
	return c
}

// absolute makes "." a folder with a name.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

func newModuleTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test [FOLDER]",
		Short: "Run a module's own cases in the sandbox",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := author.Folder(absolute(folderArg(args)))
			if err != nil {
				return err
			}
			cache, err := os.UserCacheDir()
			if err != nil {
				cache = os.TempDir()
			}
			o, err := author.Test(cmd.Context(), p, filepath.Join(cache, "vedette"))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, f := range o.Failures {
				fmt.Fprintln(out, "FAIL", f)
			}
			if len(o.Failures) > 0 {
				return fmt.Errorf("%s: %d of its cases do not hold", p.Manifest.Reference(), len(o.Failures))
			}
			fmt.Fprintf(out, "ok  %s  %d cases\n", p.Manifest.Reference(), o.Cases)
			return nil
		},
	}
}

func newModuleInspect() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "inspect [FOLDER]",
		Short: "Show what a module imports and asks for, without running it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := author.Folder(absolute(folderArg(args)))
			if err != nil {
				return err
			}
			r, err := author.Inspect(p)
			if err != nil {
				return err
			}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(r)
			}
			return printReport(cmd.OutOrStdout(), r)
		},
	}
	c.Flags().StringVar(&output, "output", "table", "table or json")
	return c
}

func printReport(out io.Writer, r author.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	m := r.Manifest
	fmt.Fprintf(w, "module\t%s\nkind\t%s\ntitle\t%s\nabi\t%s\n", m.Reference(), m.Kind, m.Title, m.ABI)
	if r.Digest != "" {
		fmt.Fprintf(w, "code\t%s\nfunctions\t%d\nmemory\t%d KiB at start\nmetered\t%d bytes\n", r.Digest, r.Functions, r.MemoryPages*64, r.MeteredBytes)
		fmt.Fprintf(w, "imports\t%s\nexports\t%s\n", strings.Join(r.Imports, "\n\t"), strings.Join(r.Exports, "\n\t"))
	}
	for _, c := range m.Capabilities {
		fmt.Fprintf(w, "asks for\t%s: %s\n", c.ID, c.Reason)
	}
	if m.Entry.Spec != "" {
		fmt.Fprintf(w, "spec\t%s\n", m.Entry.Spec)
	}
	if len(m.Entry.Documents) > 0 {
		fmt.Fprintf(w, "documents\t%s\n", strings.Join(m.Entry.Documents, "\n\t"))
	}
	return w.Flush()
}
