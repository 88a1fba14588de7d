package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func newRuleImport() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Make packages of rules that were written elsewhere"}
	c.AddCommand(newRuleImportSigma(), newRuleImportFortiSIEM())
	return c
}

func newRuleImportSigma() *cobra.Command {
	var x sigmaImport
	var placeholders map[string]string
	c := &cobra.Command{
		Use:   "sigma FOLDER",
		Short: "Make a package of a folder of Sigma rules",
		Long: `Make a package of a folder of Sigma rules, correlations and filters.

Their text is kept as it is, with author and licence. Files of which a document cannot be used stay out, each with its reason;
what was read is listed in the package's README. The package is installed like any other, with vedette module install.`,
		Example: `  vedette rule import sigma sigma/rules/windows --name sigma-windows --license DRL-1.1
  vedette module install sigma-windows`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := optionsOf("ecs", placeholders)
			if err != nil {
				return fmt.Errorf("rule import sigma: %w", err)
			}
			if x.folder = args[0]; x.name == "" {
				x.name = "sigma-" + strings.ToLower(strings.ReplaceAll(filepath.Base(filepath.Clean(x.folder)), "_", "-"))
			}
			if x.out == "" {
				x.out = x.name
			}
			if err := x.run(o, cmd.OutOrStdout()); err != nil {
				return fmt.Errorf("rule import sigma: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&x.name, "name", "", "name of the package (default sigma- and the folder's)")
	c.Flags().StringVar(&x.publisher, "publisher", "local", "publisher of the package")
	c.Flags().StringVar(&x.version, "version", "1.0.0", "version of the package")
	c.Flags().StringVar(&x.license, "license", "", "licence of the rules that name none: an SPDX id")
	c.Flags().StringVar(&x.out, "out", "", "folder to write, which must not exist (default the package's name)")
	c.Flags().StringToStringVar(&placeholders, "placeholder", nil, "values of a placeholder, which the package keeps: name=value|value")
	return c
}

// sigmaImport makes a package of a folder of Sigma documents.
type sigmaImport struct {
	folder, name, publisher, version, license, out string

	docs   map[string][]byte // by path below folder: those that are taken
	read   rule.Folder       // what they come to
	left   []error           // why others are not
	number int               // of files that were found
}

const (
	importedBelow = "sigma" // the folder of the package with the documents
	placeholders  = "placeholders.yaml"
)

func (x *sigmaImport) run(o rule.Options, out io.Writer) error {
	if err := x.take(o); err != nil {
		return err
	}
	for _, err := range x.left {
		fmt.Fprintln(out, err)
	}
	fmt.Fprintf(out, "%d rules of %d files; %d files stay out\n", len(x.read.Rules), len(x.docs), x.number-len(x.docs))
	if len(x.docs) == 0 {
		return errors.New("there is nothing to import")
	}
	files, err := x.files(o)
	if err != nil {
		return err
	}
	if err := os.Mkdir(x.out, 0o755); err != nil { //nolint:gosec // a folder of sources
		return err
	}
	for name, data := range files {
		at := filepath.Join(x.out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // as above
			return err
		}
		if err := os.WriteFile(at, data, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	if _, err := manifest.ReadFolder(x.name, os.DirFS(x.out), nil); err != nil {
		return fmt.Errorf("the package is not sound, import parts of the folder one by one: %w", err)
	}
	fmt.Fprintf(out, "written to %s\n", x.out)
	return nil
}

// take reads the folder. Files with a document that cannot be used are left out, then those that needed them, until all
// that remain are right together.
func (x *sigmaImport) take(o rule.Options) error {
	all, err := rule.ReadDocuments(os.DirFS(x.folder))
	if err != nil {
		return err
	}
	x.number, x.docs = len(all), map[string][]byte{}
	for {
		f, err := rule.ParseTogether(all, o)
		if err != nil {
			return err
		}
		bad := map[string]bool{}
		for _, err := range f.Refused {
			var at *rule.Error
			if !errors.As(err, &at) {
				return err
			}
			bad[at.File] = true
			x.left = append(x.left, err)
		}
		if len(bad) == 0 {
			x.read = f
			break
		}
		all = slices.DeleteFunc(all, func(d rule.Document) bool { return bad[d.File] })
	}
	for _, d := range all {
		x.docs[d.File] = d.Data
	}
	return nil
}

// files are those of the package, by path.
func (x *sigmaImport) files(o rule.Options) (map[string][]byte, error) {
	files := map[string][]byte{manifest.DocsName: x.readme()}
	patterns := map[string]bool{}
	for name, data := range x.docs {
		files[path.Join(importedBelow, name)] = data
		patterns[path.Join(importedBelow, strings.Repeat("*/", strings.Count(name, "/")), "*"+path.Ext(name))] = true
	}
	if len(o.Placeholders) > 0 {
		data, err := yaml.Marshal(map[string]any{"kind": "placeholders", "values": o.Placeholders})
		if err != nil {
			return nil, fmt.Errorf("placeholders: %w", err)
		}
		files[placeholders] = data
		patterns[placeholders] = true
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "publisher: %s\nname: %s\nversion: %s\nkind: rule\n", x.publisher, x.name, x.version)
	fmt.Fprintf(&b, "title: %d Sigma rules\ndescription: Sigma rules by their authors, in their words.\n", len(x.read.Rules))
	if x.license != "" {
		fmt.Fprintf(&b, "license: %s\n", x.license)
	}
	b.WriteString("abi: \"1.0\"\nentry:\n  documents:\n")
	for _, p := range slices.Sorted(maps.Keys(patterns)) {
		fmt.Fprintf(&b, "    - %q\n", p)
	}
	files[manifest.FileName] = b.Bytes()
	return files, nil
}

// readme lists the rules with author and licence.
func (x *sigmaImport) readme() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%d Sigma rules, unchanged, by their authors.\n", x.name, len(x.read.Rules))
	if x.license != "" {
		fmt.Fprintf(&b, "Licence where a rule names none: %s.\n", x.license)
	}
	b.WriteString("\n| rule | author | licence |\n|---|---|---|\n")
	cell := func(s string) string { return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`) }
	for _, r := range x.read.Rules {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(r.Name), cell(r.Author), cell(cmp.Or(r.License, x.license)))
	}
	return b.Bytes()
}
