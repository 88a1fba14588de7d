package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func newRuleNew() *cobra.Command {
	var language, out string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the skeleton of a rule, with comments and tests",
		Example: `  vedette rule new ssh-guessing
  vedette rule new rundll32-dump --language sigma -o rundll32.yml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := rule.Draft(rule.Language(language), args[0])
			if err != nil {
				return err
			}
			if out == "-" {
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			if out == "" {
				out = args[0] + ".yaml"
			}
			if err := writeNew(out, text); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "written to %s\ntry it with: vedette rule test %s\n", out, out)
			return nil
		},
	}
	c.Flags().StringVar(&language, "language", "pattern", "pattern or sigma")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write, which must not exist, or - (default NAME.yaml)")
	return c
}

// ruleFiles are documents that were read together, as those of a package are.
type ruleFiles struct {
	rule.Folder
	text map[string]string // by file
}

// readRuleFiles reads files, and all .yaml and .yml files below folders. Names stay as they were given.
func readRuleFiles(args []string) (ruleFiles, error) {
	f := ruleFiles{text: map[string]string{}}
	var docs []rule.Document
	read := func(name string) error {
		b, err := os.ReadFile(absolute(name))
		if err != nil {
			return fmt.Errorf("read a rule: %w", err)
		}
		if f.text[name] == "" {
			docs = append(docs, rule.Document{File: name, Data: b})
		}
		f.text[name] = string(b)
		return nil
	}
	for _, arg := range args {
		info, err := os.Stat(absolute(arg))
		if err != nil {
			return f, fmt.Errorf("read a rule: %w", err)
		}
		if !info.IsDir() {
			if err := read(arg); err != nil {
				return f, err
			}
			continue
		}
		err = fs.WalkDir(os.DirFS(absolute(arg)), ".", func(path string, d fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || d.IsDir() || ext != ".yaml" && ext != ".yml" || d.Name() == "module.yaml" {
				return err
			}
			return read(filepath.Join(arg, path))
		})
		if err != nil {
			return f, err
		}
	}
	var err error
	f.Folder, err = rule.ParseTogether(docs, rule.Options{})
	return f, err
}

// errRefused ends a check that found faults, which are told already.
var errRefused = errors.New("some documents are not sound")

func newRuleCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE|FOLDER…",
		Short: "Say what is wrong with rule documents, and where",
		Long: `Say what is wrong with rule documents, and where. Files that are named together may refer to each other, as those of a
package do. Fields of Sigma rules that no mapping knows are told; they are no faults.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := readRuleFiles(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, err := range f.Refused {
				showFault(out, err, f.text)
			}
			for _, r := range f.Rules {
				if len(r.Unmapped) > 0 {
					fmt.Fprintf(out, "%s: rule %s: no field here is known as %s\n", r.File, r.ID, strings.Join(r.Unmapped, ", "))
				}
			}
			fmt.Fprintf(out, "%d rules of %d files, %d faults\n", len(f.Rules), f.Files, len(f.Refused))
			if len(f.Refused) > 0 {
				return errRefused
			}
			return nil
		},
	}
}

// showFault prints a fault with its line, a mark below the place, and what to write instead.
func showFault(w io.Writer, err error, text map[string]string) {
	var at *rule.Error
	if !errors.As(err, &at) {
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintf(w, "%s:%d:%d: %s\n", at.File, at.Line, at.Col, printable(at.Msg))
	lines := strings.Split(text[at.File], "\n")
	if at.Line < 1 || at.Line > len(lines) {
		if at.Hint != "" {
			fmt.Fprintf(w, "  hint: %s\n", at.Hint)
		}
		return
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[at.Line-1], "\r"), "\t", " ")
	fmt.Fprintf(w, "  %s\n  %s^", printable(line), strings.Repeat(" ", max(0, at.Col-1)))
	if at.Hint != "" {
		fmt.Fprintf(w, " %s", at.Hint)
	}
	fmt.Fprintln(w)
}

// errTestFailed ends a run of tests of which some failed.
var errTestFailed = errors.New("some tests failed")

func newRuleTest() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "test FILE|FOLDER…",
		Short: "Run the tests that stand in rule documents",
		Long: `Run the tests that stand in rule documents, without a host. Of a test that fails it is told what each of its events is
taken for, and which test of the rule failed first. Rules that code decides are tested with their package: vedette module test.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := readRuleFiles(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, err := range f.Refused {
				showFault(out, err, f.text)
			}
			passed, failed, untested := 0, 0, 0
			for _, r := range f.Rules {
				if codeDecides(r) || len(r.Tests) == 0 {
					untested++
					continue
				}
				bad, err := testRule(out, r, verbose)
				if err != nil {
					return err
				}
				failed += bad
				passed += len(r.Tests) - bad
			}
			fmt.Fprintf(out, "%d tests passed, %d failed; %d rules without tests of their own\n", passed, failed, untested)
			switch {
			case len(f.Refused) > 0:
				return errRefused
			case failed > 0:
				return errTestFailed
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "name the tests that pass too")
	return c
}

func codeDecides(r *rule.Rule) bool {
	return slices.ContainsFunc(r.Subs, func(s rule.Sub) bool { return s.Match.Code })
}

// testRule runs a rule's tests one by one and returns how many failed.
func testRule(w io.Writer, r *rule.Rule, verbose bool) (failed int, err error) {
	match, err := detect.CaseMatcher(r)
	if err != nil {
		return 0, err
	}
	for i := range r.Tests {
		one := *r
		one.Tests = r.Tests[i : i+1]
		err := correlate.RunTests(&one, match)
		switch {
		case err != nil:
			failed++
			fmt.Fprintf(w, "FAIL  %s\n", spelled(err.Error()))
			if err := whyCase(w, r, &r.Tests[i]); err != nil {
				return failed, err
			}
		case verbose:
			fmt.Fprintf(w, "ok    %s:%d: rule %s: %s\n", r.File, r.Tests[i].Line, r.ID, printable(r.Tests[i].Name))
		}
	}
	return failed, nil
}

// maxCaseEvents is of how many events of a failed test it is told what they are taken for.
const maxCaseEvents = 20

// whyCase says what the events of a test are taken for. Equal ones in a row are told once.
func whyCase(w io.Writer, r *rule.Rule, c *rule.Case) error {
	of, err := explain.New(r, func(asked *rule.Rule) (func(*storage.Event) []int, error) {
		match, err := detect.CaseMatcher(asked)
		return func(ev *storage.Event) []int { return match(c, ev) }, err
	})
	if err != nil {
		return err
	}
	told := 0
	for i := 0; i < len(c.Events); {
		n := i + 1
		for n < len(c.Events) && slices.Equal(c.Events[n].Fields, c.Events[i].Fields) {
			n++
		}
		if told++; told > maxCaseEvents {
			fmt.Fprintf(w, "      and %d more events\n", len(c.Events)-i)
			break
		}
		times := ""
		if n-i > 1 {
			times = fmt.Sprintf(" to %s (%d times)", c.Events[n-1].At, n-i)
		}
		fmt.Fprintf(w, "      at %s%s\n", c.Events[i].At, times)
		v := of.Why(explain.EventOf(c.Events[i].Fields))
		showVerdict(w, "        ", &v)
		i = n
	}
	return nil
}

// showVerdict prints what a rule makes of an event.
func showVerdict(w io.Writer, indent string, v *explain.Verdict) {
	for _, reason := range v.Excepted {
		fmt.Fprintf(w, "%san exception selects it: %s\n", indent, printable(reason))
	}
	for _, s := range v.Subs {
		if s.Matches {
			fmt.Fprintf(w, "%s%s: yes\n", indent, s.Name)
			continue
		}
		fmt.Fprintf(w, "%s%s: no\n", indent, s.Name)
		for _, t := range s.Tests {
			fmt.Fprintf(w, "%s  %s\n", indent, spelled(t.String()))
		}
	}
}

func newRuleExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain FILE|FOLDER…",
		Short: "Say in words what rules look for",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := readRuleFiles(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, err := range f.Refused {
				showFault(out, err, f.text)
			}
			for _, r := range f.Rules {
				fmt.Fprintf(out, "%s %s  %s  %s\n", printable(r.ID), r.Version, r.Severity, printable(r.Name))
				for _, line := range explain.Meaning(r) {
					fmt.Fprintf(out, "  %s\n", spelled(line))
				}
				fmt.Fprintf(out, "  looks at %s\n", strings.Join(explain.Fields(r), ", "))
			}
			if len(f.Refused) > 0 {
				return errRefused
			}
			return nil
		},
	}
}
