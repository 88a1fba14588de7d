package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/rule/portable"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

func newRuleBuild() *cobra.Command {
	var about portable.About
	var names, out string
	var wasm bool
	var placeholders, files map[string]string
	c := &cobra.Command{
		Use:   "build --wasm RULES… -o FILE",
		Short: "Compile rules to a Wasm module",
		Long: `Compile rules to a Wasm module that any host of the module ABI runs.

RULES are pattern documents, Sigma rules, and folders of them. The module decides about each event by itself and finds what the
rules find in single events, with their titles and severities; of rules that join several events it has the sub-patterns, under
RULE/SUB. What has code, or looks at the firings of rules, cannot be compiled and is named. Hosts that have rules of their own run
the documents faster: this is the form for those that have none.

A module asks no host for lists. Those that rules ask are put into it as they are, from files with one value a line: --list
NAME=FILE, or NAME:KIND=FILE for one whose values are not compared as text without regard to case (exact, cidr, domain). A rule
that asks another list is refused.

FILE is the Wasm module with its manifest inside or, unless it ends with .wasm, its package, for vedette module install.`,
		Example: `  vedette rule build --wasm sigma/rules/windows --names ecs --name sigma-windows -o sigma-windows.tar
  vedette rule build --wasm own/ --list vpn:cidr=vpn.txt -o own.wasm
  vedette module install sigma-windows.tar`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !wasm {
				return errors.New("rule build: say --wasm; rules are compiled to nothing else")
			}
			o, err := optionsOf(names, placeholders)
			if err != nil {
				return fmt.Errorf("rule build: %w", err)
			}
			if about.Name == "" {
				about.Name = strings.ToLower(strings.TrimSuffix(filepath.Base(out), filepath.Ext(out)))
			}
			lists, err := listsOf(files)
			if err != nil {
				return fmt.Errorf("rule build: %w", err)
			}
			if err := buildRules(args, o, lists, about, out, cmd.ErrOrStderr()); err != nil {
				return fmt.Errorf("rule build: %w", err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&wasm, "wasm", false, "make a Wasm module")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write")
	c.Flags().StringVar(&about.Name, "name", "", "name of the module (default that of the file)")
	c.Flags().StringVar(&about.Publisher, "publisher", "local", "publisher of the module")
	c.Flags().StringVar(&about.Version, "version", "1.0.0", "version of the module")
	c.Flags().StringVar(&about.Title, "title", "", "title of the module (default its name)")
	c.Flags().StringToStringVar(&files, "list", nil, "a list that rules ask, from a file with one value a line: name=file or name:kind=file")
	sigmaFlags(c, &names, "ecs", &placeholders)
	_ = c.MarkFlagRequired("output")
	return c
}

// listsOf reads lists from files by their names, which may end with a kind: "vpn:cidr".
func listsOf(files map[string]string) (portable.Lists, error) {
	lists := portable.Lists{}
	for name, file := range files {
		name, kind, _ := strings.Cut(name, ":")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		list := portable.List{Kind: cmp.Or(index.Kind(kind), index.NoCase)}
		for line := range strings.Lines(string(text)) {
			if value := strings.TrimSpace(line); value != "" && value[0] != '#' {
				list.Values = append(list.Values, value)
			}
		}
		lists[name] = list
	}
	return lists, nil
}

// buildRules compiles what can be compiled and names the rest.
func buildRules(paths []string, o rule.Options, lists portable.Lists, about portable.About, out string, diagnostics io.Writer) error {
	var docs []rule.Document
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if info.IsDir() {
			more, err := rule.ReadDocuments(os.DirFS(p))
			if err != nil {
				return err
			}
			docs = append(docs, more...)
			continue
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		docs = append(docs, rule.Document{File: p, Data: src})
	}
	f, err := rule.ParseTogether(docs, o)
	if err != nil {
		return err
	}
	f.Rules = slices.DeleteFunc(f.Rules, func(r *rule.Rule) bool {
		_, err := portable.Program([]*rule.Rule{r}, lists)
		if err != nil {
			f.Refused = append(f.Refused, fmt.Errorf("%s: %w", r.File, err))
		}
		return err != nil
	})
	for _, err := range f.Refused {
		fmt.Fprintln(diagnostics, err)
	}
	if len(f.Rules) == 0 {
		return errors.New("there is no rule that can be compiled")
	}
	p, err := portable.Build(f.Rules, lists, about)
	if err != nil {
		return err
	}
	data := p.Wasm
	if !strings.HasSuffix(out, ".wasm") {
		var b bytes.Buffer
		if err := layout.Pack(p, &b); err != nil {
			return err
		}
		data = b.Bytes()
	}
	if err := os.WriteFile(out, data, 0o644); err != nil { //nolint:gosec // a module is no secret
		return err
	}
	fmt.Fprintf(diagnostics, "%d rules of %d files; %d refused; %s has %d bytes\n", len(f.Rules), f.Files, len(f.Refused), out, len(data))
	return nil
}
