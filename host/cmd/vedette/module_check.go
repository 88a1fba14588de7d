package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func newModuleTest() *cobra.Command {
	var toolchain, settings, output string
	var update bool
	var poll polled
	c := &cobra.Command{
		Use:   "test [FOLDER|FILE.tar]",
		Short: "Build a module and run its own cases in the sandbox",
		Long: `Build a module and run its own cases in the sandbox, as a host does before it installs one.

What does not hold is told with file and line of the case and all fields that differ; a module that falls, with file and
line of its source. With --update what the module makes of the records now becomes what is wanted.

A monitor is polled once with --record, which writes down what it asked the targets of --target, what they answered and
what it found. --replay, and every testdata/*.poll.yaml, plays that again: the same answers, and the same must be found.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			if poll.record != "" {
				return poll.recordTo(cmd, args, toolchain, settings)
			}
			s, dir, err := openSandbox(cmd, args, toolchain, settings)
			if err != nil {
				return err
			}
			defer s.Close() //nolint:errcheck // frees memory
			if update {
				return updateCases(cmd, s, dir)
			}
			t, err := s.Test(cmd.Context())
			if err != nil {
				return err
			}
			if err := poll.play(cmd, s, dir, settings, &t); err != nil {
				return err
			}
			return printTested(cmd, s.Module.Manifest.Reference(), &t, output)
		},
	}
	addToolchainFlag(c, &toolchain)
	addFormFlag(c, &output)
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().BoolVar(&update, "update", false, "rewrite what the cases want by what the module does now")
	poll.flags(c)
	return c
}

// polled is what the flags about a monitor's polls say.
type polled struct {
	record, name, cursor string
	replay               []string
	targets              map[string]string
}

func (f *polled) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.record, "record", "", "poll once and write the recording to this file")
	c.Flags().StringArrayVar(&f.replay, "replay", nil, "recording to play again; may be given several times")
	c.Flags().StringToStringVar(&f.targets, "target", nil, "where a target of the manifest is: NAME=http://localhost:8080")
	c.Flags().StringVar(&f.name, "device", "", "name of what is polled, for --record")
	c.Flags().StringVar(&f.cursor, "cursor", "", "what the poll before returned, for --record")
	c.MarkFlagsMutuallyExclusive("record", "replay")
}

// sandboxConfig is how a module is run here.
func sandboxConfig(settings string) (cfg author.Config, err error) {
	cfg.CacheDir = compiled()
	if settings != "" {
		if cfg.Settings, err = os.ReadFile(settings); err != nil {
			return cfg, fmt.Errorf("read the settings: %w", err)
		}
	}
	return cfg, nil
}

// recordTo polls the network once.
func (f *polled) recordTo(cmd *cobra.Command, args []string, toolchain, settings string) error {
	cfg, err := sandboxConfig(settings)
	if err != nil {
		return err
	}
	p, dir, err := built(cmd.Context(), absolute(folderArg(args)), toolchain)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(f.targets)) {
		// What an author names may be on the author's own machine.
		cfg.Targets = append(cfg.Targets, runtime.Target{Name: name, URL: f.targets[name], Private: true})
	}
	calls := &author.Recorder{Next: (&runtime.HTTP{}).Fetch}
	cfg.Fetch = calls.Fetch
	s, err := author.Open(cmd.Context(), p, dir, cfg)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // frees memory
	r, err := s.Poll(cmd.Context(), time.Now(), f.name, f.cursor, calls)
	if err != nil {
		return err
	}
	if err := r.Write(f.record); err != nil {
		return err
	}
	for _, x := range r.Records {
		fmt.Fprintln(cmd.OutOrStdout(), printable(x))
	}
	if r.Failed != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "the poll failed: %s\n", r.Failed)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s has %d calls and %d records, fuel %d\n", f.record, len(r.Calls), len(r.Records), r.Fuel)
	return nil
}

// play runs the recordings that were named, or those of the folder, as cases.
func (f *polled) play(cmd *cobra.Command, s *author.Sandbox, dir, settings string, t *author.Tested) error {
	files := f.replay
	if len(files) == 0 && dir != "" && s.Module.Manifest.Kind == manifest.Monitor {
		found, err := filepath.Glob(filepath.Join(dir, "testdata", "*.poll.yaml"))
		if err != nil {
			return fmt.Errorf("find recordings: %w", err)
		}
		files = found
	}
	cfg, err := sandboxConfig(settings)
	if err != nil {
		return err
	}
	for _, file := range files {
		r, err := author.ReadRecording(file)
		if err != nil {
			return err
		}
		played, err := author.Play(cmd.Context(), s.Package(), dir, cfg, r)
		if err != nil {
			return err
		}
		t.Cases += played.Cases
		t.Failures = append(t.Failures, played.Failures...)
	}
	return nil
}

// openSandbox builds a module and makes it ready to run here.
func openSandbox(cmd *cobra.Command, args []string, toolchain, settings string) (s *author.Sandbox, dir string, err error) {
	cfg, err := sandboxConfig(settings)
	if err != nil {
		return nil, "", err
	}
	p, dir, err := built(cmd.Context(), absolute(folderArg(args)), toolchain)
	if err != nil {
		return nil, "", err
	}
	s, err = author.Open(cmd.Context(), p, dir, cfg)
	return s, dir, err
}

func updateCases(cmd *cobra.Command, s *author.Sandbox, dir string) error {
	if dir == "" {
		return errors.New("--update rewrites files of a module's folder: name the folder")
	}
	files, err := s.Update(cmd.Context())
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(path)), files[path], 0o644); err != nil {
			return fmt.Errorf("rewrite the cases: %w", err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "rewrote  %s\n", path)
	}
	if len(files) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "every case wants what the module does")
	}
	return nil
}

func printTested(cmd *cobra.Command, name string, t *author.Tested, output string) error {
	out := cmd.OutOrStdout()
	if output == "json" {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		if err := e.Encode(map[string]any{"module": name, "cases": t.Cases, "failures": t.Failures}); err != nil {
			return err
		}
	} else {
		for _, f := range t.Failures {
			fmt.Fprintln(out, "FAIL", f)
		}
	}
	if len(t.Failures) > 0 {
		return fmt.Errorf("%s: %d of its cases do not hold", name, len(t.Failures))
	}
	if output == "text" {
		fmt.Fprintf(out, "ok  %s  %d cases\n", name, t.Cases)
	}
	return nil
}
