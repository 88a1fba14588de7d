package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func newModuleDev() *cobra.Command {
	var toolchain, samples string
	var grants []string
	var organization uint32
	var alone bool
	c := &cobra.Command{
		Use:   "dev [FOLDER]",
		Short: "Build, test and run a module on a live host after each edit, until Ctrl-C",
		Long: `Build, test and run a module on a live host after each edit, until Ctrl-C.

The folder is watched. After each change the module is built and its cases are run; when they hold, it is swapped into
the host as a development version (0.1.0-dev.1, 0.1.0-dev.2, …) of one organization, from one record to the next. Lines
that you paste here, and those of --samples, are shown with their fields, the bytes that each was read from, the fuel
that they took, and what the last edit changed. Ctrl-C gives the organization back what ran before.

Without a host, or with --alone, everything else is done.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := absolute(folderArg(args))
			if _, err := os.Stat(dir); err != nil {
				return noModule(folderArg(args), err)
			}
			d := &devLoop{out: cmd.OutOrStdout(), samples: &sampleSet{file: samples, wake: make(chan struct{}, 1)}}
			var slot *devSlot
			if !alone {
				var err error
				if slot, err = newDevSlot(cmd, organization, grants); err != nil {
					fmt.Fprintf(d.out, "no host: %v\n", err)
				}
			}
			if f, ok := cmd.InOrStdin().(*os.File); ok {
				go d.samples.read(f) // a read from a terminal cannot be ended; after Ctrl-C the process ends
			}
			loop := author.Dev{
				Dir: dir, Toolchain: author.Toolchain(toolchain), Sandbox: author.Config{CacheDir: compiled()},
				Samples: d.samples.list, Wake: d.samples.wake, Tell: d.tell,
			}
			if slot != nil {
				loop.Install = slot.swap
				fmt.Fprintf(d.out, "host     %s, for %s\n", slot.server, slot.organization)
			}
			fmt.Fprintf(d.out, "watching %s; paste lines to see how they are read; Ctrl-C ends\n", dir)
			err := loop.Run(cmd.Context())
			if slot != nil {
				err = errors.Join(err, slot.back(d.out))
			}
			return err
		},
	}
	addToolchainFlag(c, &toolchain)
	c.Flags().StringVar(&samples, "samples", "", "file with records to show, one on each line")
	c.Flags().StringSliceVar(&grants, "grant", nil, "capability that the module may use, such as vedette_http_v1")
	c.Flags().Uint32Var(&organization, "organization", 0, "number of the organization that runs it (default: the first that you see)")
	c.Flags().BoolVar(&alone, "alone", false, "do not look for a host")
	return addServerFlag(c)
}

// sampleSet is the records that are shown: those of a file, and those that were pasted.
type sampleSet struct {
	file   string
	wake   chan struct{}
	mu     sync.Mutex
	pasted [][]byte
}

// list returns at most as many records as can be shown: those pasted last, behind those of the file.
func (s *sampleSet) list() ([][]byte, error) {
	var out [][]byte
	if s.file != "" {
		text, err := os.ReadFile(s.file)
		if err != nil {
			return nil, fmt.Errorf("read the samples: %w", err)
		}
		for line := range bytes.Lines(text) {
			if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
				out = append(out, line)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	room := max(author.MaxTrialRecords-len(s.pasted), 0)
	return append(out[:min(len(out), room)], s.pasted...), nil
}

// read takes what is pasted until its end.
func (s *sampleSet) read(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, author.MaxTrialBytes)
	for lines.Scan() {
		line := bytes.Clone(lines.Bytes())
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s.mu.Lock()
		if s.pasted = append(s.pasted, line); len(s.pasted) > author.MaxTrialRecords {
			s.pasted = s.pasted[1:]
		}
		s.mu.Unlock()
		select {
		case s.wake <- struct{}{}:
		default: // it has not been taken: one is enough
		}
	}
}

// devLoop prints what the loop tells.
type devLoop struct {
	out     io.Writer
	samples *sampleSet
	shown   map[string]bool // records that have been shown in full
}

func (d *devLoop) tell(t author.Turn) {
	if t.Err != nil {
		fmt.Fprintf(d.out, "#%d  %s\n", t.Build, t.Err)
		return
	}
	if !t.Again {
		d.head(&t)
	}
	if d.shown == nil {
		d.shown = map[string]bool{}
	}
	for i := range t.Shown {
		if x := &t.Shown[i]; !d.shown[x.Record] {
			d.shown[x.Record] = true
			showRecord(d.out, x)
		}
	}
	for i := range t.Changes {
		showChange(d.out, &t.Changes[i])
	}
}

// head says what became of a build.
func (d *devLoop) head(t *author.Turn) {
	held := fmt.Sprintf("%d cases hold", t.Tested.Cases)
	if n := len(t.Tested.Failures); n > 0 {
		held = fmt.Sprintf("%d of %d cases do not hold", n, t.Tested.Cases)
	}
	fmt.Fprintf(d.out, "#%d  %s built in %.1f s, %s", t.Build, t.Package.Manifest.Reference(), t.Took.Seconds(), held)
	if t.Installed != "" {
		fmt.Fprintf(d.out, ", %s", t.Installed)
	}
	if n := len(t.Shown); t.Build > 1 && n > 0 {
		fmt.Fprintf(d.out, ", %d of %d samples changed", len(t.Changes), n)
	}
	fmt.Fprintln(d.out)
	for _, f := range t.Tested.Failures {
		fmt.Fprintln(d.out, indent(f.String()))
	}
	if t.Refused != nil {
		fmt.Fprintf(d.out, "    the host goes on with the version before: %v\n", t.Refused)
	}
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// showRecord prints a record and each field with its bytes: "source.ip  10.1.2.3  [17:25]".
func showRecord(w io.Writer, x *author.Shown) {
	fmt.Fprintf(w, "  %s\n", printable(x.Record))
	if x.Failed != "" || len(x.Events) == 0 {
		fmt.Fprintln(w, indent(x.Outcome()))
	}
	for i, e := range x.Events {
		if i > 0 {
			fmt.Fprintf(w, "    event %d\n", i+1)
		}
		name, value := 0, 0
		for _, f := range e {
			name, value = max(name, len(f.Name)), max(value, min(len([]rune(printable(f.Value))), 48))
		}
		for _, f := range e {
			line := fmt.Sprintf("    %-*s  %-*s", name, printable(f.Name), value, printable(f.Value))
			if f.End > 0 {
				line += fmt.Sprintf("  [%d:%d]", f.Start, f.End)
			}
			fmt.Fprintln(w, strings.TrimRight(line, " "))
		}
	}
	fmt.Fprintf(w, "    fuel %d\n", x.Fuel)
}

// showChange prints what an edit did to a record.
func showChange(w io.Writer, c *author.Change) {
	fmt.Fprintf(w, "  %s\n", printable(c.Record))
	if c.Is != "" {
		fmt.Fprintf(w, "    %s → %s\n", printable(c.Was), strings.ReplaceAll(c.Is, "\n", "\n    "))
	}
	width := 0
	for _, f := range c.Fields {
		width = max(width, len(f.Name))
	}
	for _, f := range c.Fields {
		if f.Want != "" {
			fmt.Fprintf(w, "    - %-*s  %s\n", width, printable(f.Name), printable(f.Want))
		}
		if f.Got != "" {
			fmt.Fprintf(w, "    + %-*s  %s\n", width, printable(f.Name), printable(f.Got))
		}
	}
	if c.Fuel != c.Before {
		fmt.Fprintf(w, "    fuel %d → %d (%+d)\n", c.Before, c.Fuel, c.Fuel-c.Before)
	}
}

// devSlot is a module's place on a host while it is being developed.
type devSlot struct {
	modules      vedettev1connect.ModuleServiceClient
	server       string
	organization string
	tenant       uint32
	grants       []string

	name     string     // of the module; "" until it was swapped in
	before   *v1.Module // what ran before, nil for nothing
	number   int        // of the last development version
	stacked  int        // development versions above it in the host's list
	swapped  bool
	settings string
}

// maxStacked is how many development versions may lie above the version that ran before: a host remembers five.
const maxStacked = 4

// endTime bounds what is done after Ctrl-C.
const endTime = 20 * time.Second

func newDevSlot(cmd *cobra.Command, tenant uint32, grants []string) (*devSlot, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	resp, err := ask(s, vedettev1connect.NewTenantServiceClient).ListTenants(cmd.Context(), connect.NewRequest(&v1.ListTenantsRequest{}))
	if err != nil {
		return nil, err
	}
	d := &devSlot{modules: ask(s, vedettev1connect.NewModuleServiceClient), server: s.server, grants: grants}
	for _, t := range resp.Msg.Tenants {
		if tenant == 0 || t.Id == tenant {
			d.tenant, d.organization = t.Id, fmt.Sprintf("%s (%d)", printable(t.Name), t.Id)
			return d, nil
		}
	}
	return nil, fmt.Errorf("you do not see the organization %d at %s: name another with --organization", tenant, s.server)
}

// remember notes what runs before the first swap, and which development versions the host has seen.
func (d *devSlot) remember(ctx context.Context, name, version string) error {
	list, err := d.modules.ListModules(ctx, connect.NewRequest(&v1.ListModulesRequest{Tenants: []uint32{d.tenant}}))
	if err != nil {
		return err
	}
	d.name = name
	for _, m := range list.Msg.Modules {
		if m.Name == name && (m.Tenant == d.tenant || m.Tenant == 0 && d.before == nil) {
			d.before = m
		}
	}
	if d.before == nil {
		return nil
	}
	versions, err := d.modules.ListModuleVersions(ctx, connect.NewRequest(&v1.ListModuleVersionsRequest{Name: name, Tenant: d.tenant}))
	if err != nil {
		return err
	}
	for _, v := range versions.Msg.Versions {
		var n int
		if _, err := fmt.Sscanf(strings.TrimPrefix(v.Version, version), "-dev.%d", &n); err == nil {
			d.number = max(d.number, n)
		}
	}
	return nil
}

// swap runs a build as the next development version.
func (d *devSlot) swap(ctx context.Context, p manifest.Package) (string, error) {
	name, version := p.Manifest.Publisher+"/"+p.Manifest.Name, p.Manifest.Version
	if d.name != "" && d.name != name {
		return "", fmt.Errorf("the module is called %s now: start vedette module dev anew", name)
	}
	if d.name == "" {
		if err := d.remember(ctx, name, version); err != nil {
			return "", err
		}
	}
	if err := d.makeRoom(ctx); err != nil {
		return "", err
	}
	const tries = 20
	for n, step := d.number+1, 1; ; n, step = n+step, step*2 {
		resp, err := d.install(ctx, p, fmt.Sprintf("%s-dev.%d", version, n))
		// Another session may have used the number: a version never changes.
		if err != nil && strings.Contains(err.Error(), errVersionExists) && step < 1<<tries {
			continue
		}
		if err != nil {
			return "", err
		}
		d.number = n
		if resp.Waiting != 0 {
			return fmt.Sprintf("waits for approval: an admin runs vedette module approve %d, or give --grant %s", resp.Waiting, strings.Join(resp.Missing, ",")), nil
		}
		d.swapped = true
		d.stacked++
		return "runs as " + resp.Module.GetVersion(), nil
	}
}

func (d *devSlot) install(ctx context.Context, p manifest.Package, version string) (*v1.InstallModuleResponse, error) {
	dev, err := author.Versioned(p, version)
	if err != nil {
		return nil, err
	}
	tar, err := packed(dev)
	if err != nil {
		return nil, err
	}
	resp, err := d.modules.InstallModule(ctx, connect.NewRequest(&v1.InstallModuleRequest{Package: tar, Tenant: d.tenant, Grants: d.grants, Settings: d.settings}))
	if err != nil {
		return nil, err
	}
	return resp.Msg, nil
}

// makeRoom keeps the version that ran before among those that the host remembers: it runs for a moment.
func (d *devSlot) makeRoom(ctx context.Context) error {
	if d.stacked < maxStacked || d.before == nil || d.before.Tenant != d.tenant {
		return nil
	}
	resp, err := d.modules.RollbackModule(ctx, connect.NewRequest(&v1.RollbackModuleRequest{Name: d.name, Tenant: d.tenant, Generation: d.before.Generation}))
	if err != nil {
		return err
	}
	d.before.Generation, d.stacked = resp.Msg.Module.GetGeneration(), 0
	return nil
}

// back gives the organization what ran before the first swap.
func (d *devSlot) back(out io.Writer) error {
	if !d.swapped {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime) // Ctrl-C has ended the command's own
	defer cancel()
	if d.before == nil {
		_, err := d.modules.SetModuleEnabled(ctx, connect.NewRequest(&v1.SetModuleEnabledRequest{Name: d.name, Tenant: d.tenant}))
		if err == nil {
			fmt.Fprintf(out, "%s was not there before: it is switched off\n", d.name)
		}
		return err
	}
	resp, err := d.modules.RollbackModule(ctx, connect.NewRequest(&v1.RollbackModuleRequest{Name: d.name, Tenant: d.tenant, Generation: d.before.Generation}))
	if err != nil {
		return fmt.Errorf("%s %s could not be given back: %w (vedette module versions %s --organization %d lists what can)", d.name, d.before.Version, err, d.name, d.tenant)
	}
	if !d.before.Enabled && d.before.Tenant == d.tenant {
		if _, err := d.modules.SetModuleEnabled(ctx, connect.NewRequest(&v1.SetModuleEnabledRequest{Name: d.name, Tenant: d.tenant})); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s %s is there again, switched off as before\n", d.name, resp.Msg.Module.GetVersion())
		return nil
	}
	fmt.Fprintf(out, "%s %s runs again\n", d.name, resp.Msg.Module.GetVersion())
	return nil
}
