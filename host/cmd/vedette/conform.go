package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	conform "github.com/vedette-siem/vedette/conformance/abi"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/conformance/abi/reference"
	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func newConform() *cobra.Command {
	c := &cobra.Command{
		Use:   "conform",
		Short: "Hold a host to the module ABI (vedette module conform holds a module to it)",
	}
	c.AddCommand(newConformHost())
	return c
}

// conformFlags are what both directions print and require.
type conformFlags struct {
	output string
	all    bool
	level  int
}

func (f *conformFlags) add(c *cobra.Command, level int) {
	c.Flags().StringVarP(&f.output, "output", "o", "text", "text, json or junit")
	c.Flags().BoolVar(&f.all, "all", false, "show what holds too")
	c.Flags().IntVar(&f.level, "level", level, "level below which the command fails, 0 to 5")
}

// print writes a report and fails when its level is too low.
func (f *conformFlags) print(w io.Writer, rep *conform.Report) error {
	var err error
	switch f.output {
	case "text":
		err = rep.Text(w, f.all)
	case "json":
		err = rep.JSON(w)
	case "junit":
		err = rep.JUnit(w)
	default:
		return fmt.Errorf("output %q: want text, json or junit", f.output)
	}
	switch {
	case err != nil:
		return err
	case rep.Partial && rep.Failed > 0:
		return fmt.Errorf("%d of %d requirements do not hold", rep.Failed, len(rep.Results))
	case !rep.Partial && rep.Level < f.level:
		return fmt.Errorf("%s %s: level %s, want L%d", rep.Subject.Name, rep.Subject.Version, rep.LevelName(), f.level)
	}
	return nil
}

func newModuleConform() *cobra.Command {
	var f conformFlags
	var settings string
	var s shelf
	c := &cobra.Command{
		Use:   "conform [FOLDER|FILE.tar|PUBLISHER/NAME[:VERSION]]",
		Short: "Try a module with batches that are meant to break it, and print its conformance level",
		Long: `Try a module on this host with batches that are meant to break it, and print its conformance level.

The module is a folder, a file with an OCI image layout, or the name of one that ships with vedette or that stands in
the layout of --registry. Levels: L0 static admission, L1 the ABI, L2 capabilities, L3 isolation and limits, L4 life
cycle, L5 determinism. What each requires is in conformance/abi/cases/module.yaml.

With --key the report is signed and attached to the version of a registry (PUBLISHER/NAME:VERSION) that it is about, where a
host's trust policy may ask for it; --to copies it to another registry as well. A host finds out by itself about what it
runs, whatever reports say.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d registry.Digest
			p, err := findPackage(cmd.Context(), folderArg(args), s.dir)
			if s.key != "" { // a version that stands in a registry is what a report is signed about
				if d, err = s.find(cmd.Context(), folderArg(args)); err == nil {
					p, err = s.Pull(cmd.Context(), d)
				}
			}
			if err != nil {
				return err
			}
			var with []byte
			if settings != "" {
				if with, err = os.ReadFile(settings); err != nil {
					return fmt.Errorf("read the settings: %w", err)
				}
			}
			rep, err := conformance(cmd.Context(), p, with, compiled())
			if err != nil {
				return err
			}
			if s.key != "" {
				if err := s.attest(cmd.Context(), registry.RefOf(&p.Manifest), d, rep); err != nil {
					return err
				}
			}
			return f.print(cmd.OutOrStdout(), rep)
		},
	}
	f.add(c, 3)
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().StringVar(&s.dir, "registry", "", "folder of an OCI image layout that has the named module")
	s.keyFlag(c)
	s.toFlag(c)
	return c
}

// attest signs a report and attaches it to the version that it is about.
func (s *shelf) attest(ctx context.Context, ref registry.Ref, d registry.Digest, rep *conform.Report) error {
	key, err := s.signer()
	if err != nil {
		return err
	}
	statement, err := attested(rep, time.Now()).Statement(ref, d)
	if err == nil {
		err = s.state(ctx, d, layout.TypeConformance, statement, key)
	}
	if err != nil {
		return fmt.Errorf("attach the report to %s: %w", ref, err)
	}
	if err = s.copyOut(ctx, d); errors.Is(err, registry.ErrUnsupported) {
		return nil // the report is there, and the index says nothing about it
	}
	return err
}

// findPackage returns a module by its place or by its name.
func findPackage(ctx context.Context, arg, from string) (manifest.Package, error) {
	if info, err := os.Stat(arg); err == nil && from == "" {
		if info.IsDir() {
			return author.Folder(absolute(arg))
		}
		file, err := os.Open(arg)
		if err != nil {
			return manifest.Package{}, fmt.Errorf("read the module: %w", err)
		}
		defer file.Close()
		return layout.Import(file)
	}
	if from != "" {
		ref, err := registry.ParseRef(arg)
		if err != nil {
			return manifest.Package{}, err
		}
		if _, err := os.Stat(from); err != nil {
			return manifest.Package{}, fmt.Errorf("open the layout: %w", err)
		}
		l, err := layout.Open(from)
		if err != nil {
			return manifest.Package{}, err
		}
		p, _, err := l.PullRef(ctx, ref)
		return p, err
	}
	shipped, err := modules.Builtin()
	if err != nil {
		return manifest.Package{}, err
	}
	for _, p := range shipped {
		if m := &p.Manifest; m.Reference() == arg || m.Publisher+"/"+m.Name == arg {
			return p, nil
		}
	}
	return manifest.Package{}, fmt.Errorf("%s is no folder, no file, and no module that ships: name it PUBLISHER/NAME, or give --registry", arg)
}

// compiled is where compiled code is kept between runs.
func compiled() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "vedette")
}

// referenceHost is this binary's own runtime.
func referenceHost(ctx context.Context) (protocol.Host, error) {
	return reference.New(ctx, reference.Config{Version: host.Version, CacheDir: compiled()})
}

func newConformHost() *cobra.Command {
	var f conformFlags
	var command, url, only string
	c := &cobra.Command{
		Use:   "host",
		Short: "Hand the reference guests, most of them hostile, to a host and print its conformance level",
		Long: `Hand the reference guests, most of them hostile, to a host and print its conformance level.

The host is a program that speaks the protocol of conformance/abi/PROTOCOL.md on its standard streams (--exec), or one
that listens for it (--url tcp://127.0.0.1:9000 or unix:///run/host.sock). Without either it is vedette itself, in a
process of its own. The suite starts the program again when it does not answer, so it may be made to end.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := starter(command, url, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			cfg := conform.HostConfig{Start: start}
			if only != "" {
				if cfg.Only, err = regexp.Compile(only); err != nil {
					return fmt.Errorf("--only: %w", err)
				}
			}
			rep, err := conform.Hosts(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), rep)
		},
	}
	f.add(c, conform.MaxLevel)
	c.Flags().StringVar(&command, "exec", "", "program with its arguments, divided by spaces")
	c.Flags().StringVar(&url, "url", "", "where the host listens")
	c.Flags().StringVar(&only, "only", "", "regular expression of the requirements to try, such as '^host-3' (then there is no level)")
	c.MarkFlagsMutuallyExclusive("exec", "url")
	return c
}

// starter returns what makes a host for the suite.
func starter(command, url string, errs io.Writer) (conform.Start, error) {
	if url != "" {
		network, address, ok := strings.Cut(url, "://")
		if !ok || network != "tcp" && network != "unix" {
			return nil, fmt.Errorf("--url %q: want tcp://HOST:PORT or unix://PATH", url)
		}
		return func(ctx context.Context) (protocol.Host, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return protocol.NewClient(conn, conn, func() error { return nil }), nil
		}, nil
	}
	words := strings.Fields(command)
	if len(words) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
		words = []string{self, "conform-host"}
	}
	return func(ctx context.Context) (protocol.Host, error) {
		return protocol.Start(ctx, errs, words[0], words[1:]...)
	}, nil
}

// newConformServe is the other end: vedette as a host that is tried.
func newConformServe() *cobra.Command {
	return &cobra.Command{
		Use:    "conform-host",
		Short:  "Answer the conformance protocol on the standard streams",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := referenceHost(cmd.Context())
			if err != nil {
				return err
			}
			return errors.Join(protocol.Serve(cmd.Context(), h, cmd.InOrStdin(), cmd.OutOrStdout()), h.Shutdown())
		},
	}
}

// conformanceOf says how what a host runs keeps to the ABI, in a word, and who says so.
func conformanceOf(c *v1.Conformance) string {
	level := func(r *v1.ConformanceReport) string { return (&attest.Conformance{Level: int(r.Level)}).Name() }
	switch {
	case c.GetChecked() != nil:
		return level(c.Checked) + " checked on this host"
	case c.GetAttested() != nil:
		return level(c.Attested) + " attested by " + strings.Join(c.Attested.By, ", ")
	case c.GetTrouble() != "":
		return "not checked: " + c.Trouble
	}
	return "not checked yet"
}
