package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/rule/fortisiem"
)

// errOtherwise ends an import or export of which something came out otherwise than it was.
var errOtherwise = errors.New("some rules came out otherwise, or not at all")

func newRuleImportFortiSIEM() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "fortisiem FILE.xml",
		Short: "Write pattern documents of FortiSIEM rules",
		Long: `Write a pattern document of each rule in an XML file that FortiSIEM exported. What has no counterpart is named with its
place; where a rule would select, count or join otherwise, that is said. Look at those before you install them.`,
		Example: `  vedette rule import fortisiem rules.xml --out rules
  vedette rule test rules`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(absolute(args[0]))
			if err != nil {
				return fmt.Errorf("read the XML: %w", err)
			}
			list, err := fortisiem.Import(args[0], b)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(absolute(out), 0o755); err != nil { //nolint:gosec // a folder of sources
				return fmt.Errorf("write the rules: %w", err)
			}
			w, written, otherwise := cmd.OutOrStdout(), 0, false
			for _, in := range list {
				for _, p := range in.Problems {
					otherwise = otherwise || p.Changes
					fmt.Fprintln(w, spelled(p.String()))
				}
				if in.Rule == nil {
					otherwise = true
					continue
				}
				name := filepath.Join(out, in.Rule.ID+".yaml")
				if err := writeNew(name, in.Document); err != nil {
					return err
				}
				written++
				fmt.Fprintf(w, "%s: %s\n", name, printable(in.Name))
			}
			fmt.Fprintf(w, "%d of %d rules written to %s\n", written, len(list), out)
			if otherwise {
				return errOtherwise
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", ".", "folder to write into; no file in it is replaced")
	return c
}

// writeNew writes a source file that must not be there.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(absolute(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a source file
	if err != nil {
		return fmt.Errorf("write the rule: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the rule: %w", err)
	}
	return nil
}

func newRuleExport() *cobra.Command {
	var form, id string
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write a rule in another form: FortiSIEM XML, or a canonical pattern document",
		Long: `Write a rule in another form on stdout: FortiSIEM XML, or a canonical pattern document, into which Sigma rules are turned
too. What FortiSIEM will make otherwise of the rule is named on stderr; vedette rule import fortisiem reads an equal rule, since
what the XML of the product does not say is in an element of its own, which FortiSIEM does not read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := readRuleFiles(args)
			if err != nil {
				return err
			}
			if err := errors.Join(f.Refused...); err != nil {
				return err
			}
			var r *rule.Rule
			for _, x := range f.Rules {
				if r == nil && (id == "" || x.ID == id) {
					r = x
				}
			}
			if r == nil || id == "" && len(f.Rules) > 1 {
				return fmt.Errorf("%s holds %d rules: say which with --rule ID", args[0], len(f.Rules))
			}
			text, otherwise, err := exportRule(cmd, r, form)
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return err
			}
			if otherwise {
				return errOtherwise
			}
			return nil
		},
	}
	c.Flags().StringVar(&form, "as", "fortisiem", "fortisiem or pattern")
	c.Flags().StringVar(&id, "rule", "", "id of the rule, in a file with several")
	return c
}

func exportRule(cmd *cobra.Command, r *rule.Rule, form string) (text []byte, otherwise bool, err error) {
	switch form {
	case "pattern":
		text, err = rule.Format(r)
		return text, false, err
	case "fortisiem":
		text, problems, err := fortisiem.Export(r)
		for _, p := range problems {
			otherwise = otherwise || p.Changes
			fmt.Fprintln(cmd.ErrOrStderr(), spelled(p.String()))
		}
		return text, otherwise, err
	}
	return nil, false, fmt.Errorf("form %q, want fortisiem or pattern", form)
}
