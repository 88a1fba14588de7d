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
	c.AddCommand(newModuleNew(), newModuleSuggest(), newModuleDev(), newModuleBuild(), newModuleTest(), newModuleConform(), newModuleInspect(), newModuleBench(), newModuleFuzz(), newModulePublish(), newModuleKey(), newModuleSign(), newModuleVerify(), newModuleExport(), newModuleImport(), newModuleYank(), newModuleRevoke(),
		newModuleBacktest(), newModuleInstall(), newModuleSettings(), newModuleStatus(), newModuleList(), newModuleVersions(), newModuleRollback(), newModuleLogs(), newModuleQuarantine(), newModuleEnable(), newModuleDisable(),
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
			case lang == "spec":
				err = fmt.Errorf("--lang spec with --kind %s: only parsers are written without code: want --lang go, rust or c", kind)
			default:
				err = author.NewIn(args[0], manifest.Kind(kind), lang)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is a new %s. Next:\n  vedette module dev %s    build, test and run it after each edit\n", args[0], kind, args[0])
			return nil
		},
	}
	c.Flags().StringVar(&kind, "kind", "parser", "parser, monitor or rule")
	c.Flags().StringVar(&lang, "lang", "go", "go, rust or c; or spec for a parser without code: templates with typed holes")
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"parser", "monitor", "rule"}, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	_ = c.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(append(author.Languages, "spec"), cobra.ShellCompDirectiveNoFileComp))      // fails for a flag that is not there
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
	var toolchain, output string
	c := &cobra.Command{
		Use:   "build [FOLDER]",
		Short: "Compile a module to build/NAME.wasm with its manifest inside",
		Args:  cobra.MaximumNArgs(1), ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			p, err := author.Build(cmd.Context(), absolute(folderArg(args)), author.Toolchain(toolchain))
			if err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"module": p.Manifest.Reference(), "code_bytes": len(p.Wasm), "code_digest": manifest.Sum(p.Wasm)})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %d bytes of code\n", p.Manifest.Reference(), len(p.Wasm))
			return nil
		},
	}
	addToolchainFlag(c, &toolchain)
	addFormFlag(c, &output)
	return c
}

// absolute makes "." a folder with a name.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}
