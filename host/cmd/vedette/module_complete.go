package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// errVersionExists is in what a host says about a version that it has with other content.
var errVersionExists = registry.ErrConflict.Error()

// completionTime is how long a shell waits for names.
const completionTime = 2 * time.Second

// installed completes the names of modules that run.
func installed(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	modules, err := askModules(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // not signed in: a shell has no place for an error
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	resp, err := modules.ListModules(ctx, connect.NewRequest(&v1.ListModulesRequest{}))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, m := range resp.Msg.Modules {
		line := fmt.Sprintf("%s\t%s %s", m.Name, m.Kind, m.Version)
		if strings.HasPrefix(m.Name, typed) && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// folders completes a module's folder.
func folders(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// addToolchainFlag adds --toolchain.
func addToolchainFlag(c *cobra.Command, to *string) {
	var names []string
	for _, t := range author.Toolchains {
		names = append(names, string(t))
	}
	c.Flags().StringVar(to, "toolchain", "", "go, tinygo (smaller and faster modules), cargo or clang (default: that of the module's language, go for Go)")
	_ = c.RegisterFlagCompletionFunc("toolchain", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
}

// addFormFlag adds --output to a command that prints one thing.
func addFormFlag(c *cobra.Command, to *string) {
	c.Flags().StringVarP(to, "output", "o", "text", "text or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
}

func checkForm(output string) error {
	if output != "text" && output != "json" {
		return fmt.Errorf("output %q: want text or json", output)
	}
	return nil
}

// printMessage prints what a host answered, in one line.
func printMessage(w io.Writer, m proto.Message) error {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// packed returns a package as one file.
func packed(p manifest.Package) ([]byte, error) {
	var b bytes.Buffer
	if err := layout.Pack(p, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// noModule says that there is nothing where a module was expected, and what could be.
func noModule(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no module %s: name its folder (vedette module new makes one), a file, or where that is taken a published PUBLISHER/NAME:VERSION", path)
	}
	return fmt.Errorf("read the module: %w", err)
}

// built returns the module in a folder, built anew, and the folder; or the one in a file, for which there is no folder.
func built(ctx context.Context, path, toolchain string) (p manifest.Package, dir string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return p, "", noModule(path, err)
	}
	if info.IsDir() {
		p, err = author.Build(ctx, path, author.Toolchain(toolchain))
		return p, path, err
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return p, "", fmt.Errorf("read the module: %w", err)
	}
	defer f.Close()
	p, err = layout.Import(f)
	return p, "", err
}
