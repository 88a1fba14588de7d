package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newMonitor() *cobra.Command {
	c := &cobra.Command{
		Use:   "monitor",
		Short: "What monitors poll: devices, credentials, schedules, and the configurations that they pulled",
	}
	c.AddCommand(newMonitorList(), newMonitorWatch(), newMonitorUnwatch(), newMonitorTry(),
		newMonitorDevices(), newMonitorDevice(), newMonitorCredentials(), newMonitorCredential(), newMonitorHostKey(),
		newMonitorConfigs(), newMonitorShow(), newMonitorDiff(), newMonitorBless())
	return c
}

func askMonitors(cmd *cobra.Command) (vedettev1connect.MonitorServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewMonitorServiceClient), nil
}

// addOwnerFlag adds --organization, which devices and what polls them have.
func addOwnerFlag(c *cobra.Command, to *uint32) *cobra.Command {
	c.Flags().Uint32Var(to, "organization", 0, "number of the organization")
	_ = c.MarkFlagRequired("organization") // the flag is there
	return addServerFlag(c)
}

// tenantsOf narrows a list; none for 0.
func tenantsOf(one uint32) []uint32 {
	if one == 0 {
		return nil
	}
	return []uint32{one}
}

func newMonitorList() *cobra.Command {
	req, output, one := &v1.ListWatchesRequest{}, "", uint32(0)
	c := &cobra.Command{
		Use:   "list",
		Short: "List what monitors poll, and where they stand",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Tenants = tenantsOf(one)
			resp, err := monitors.ListWatches(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"organization", "id", "module", "device", "interval", "state", "last", "polls", "failures", "error"})
			if err != nil {
				return err
			}
			for _, e := range resp.Msg.Watches {
				if err := p.print(watchRecord(e)); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().StringVar(&req.Module, "module", "", "only those of this monitor, publisher/name")
	c.Flags().StringVar(&req.Device, "device", "", "only those of this device")
	c.Flags().Uint32Var(&one, "organization", 0, "number of the organization (default: all that you see)")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

// watchRecord is a watch as columns.
func watchRecord(e *v1.WatchEntry) map[string]any {
	w, st := e.Watch, e.State
	state := "ok"
	switch {
	case w.Off:
		state = "off"
	case !st.Runs:
		state = "no module"
	case st.Polls == 0:
		state = "waiting"
	case st.Streak > 0:
		state = "failing"
	}
	var devices []string
	for _, t := range w.Targets {
		devices = append(devices, t.Device)
	}
	r := map[string]any{
		"organization": w.Tenant, "id": w.Id, "module": w.Module, "device": strings.Join(devices, ","), "state": state,
		"interval": (time.Duration(st.IntervalMs) * time.Millisecond).String(), "polls": st.Polls, "failures": st.Failures,
		"streak": st.Streak, "error": st.Error, "fixed": w.Fixed, "settings": w.Settings, "last": "",
	}
	if st.Last != nil {
		r["last"] = clock(st.Last)
	}
	return r
}

// watchFlags are the parts of a watch that flags say.
type watchFlags struct {
	watch                     v1.Watch
	device, settings          string
	interval, jitter, timeout time.Duration
	untried                   bool
	ports                     []uint
	commands                  map[string]string
}

func (f *watchFlags) add(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&f.watch.Module, "module", "", "the monitor, publisher/name")
	c.Flags().StringVar(&f.device, "device", "", "what it polls; it may do there what its manifest asks for")
	c.Flags().UintSliceVar(&f.ports, "port", nil, "port that may be connected to, in the place of those that the module asks for")
	c.Flags().StringToStringVar(&f.commands, "command", nil, "ID='COMMAND' that may be run, in the place of those that the module asks for")
	c.Flags().DurationVar(&f.interval, "interval", 0, "from one poll to the next (default: what the module says)")
	c.Flags().DurationVar(&f.jitter, "jitter", 0, "each poll is delayed by up to this much (default: what the module says)")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "of one poll (default: what the module says)")
	c.Flags().StringVar(&f.settings, "settings", "", "JSON file with settings for this watch")
	return addOwnerFlag(c, &f.watch.Tenant)
}

// fill completes the watch with what cannot be set by a flag directly.
func (f *watchFlags) fill() error {
	f.watch.IntervalMs, f.watch.JitterMs, f.watch.TimeoutMs = uint64(f.interval.Milliseconds()), uint64(f.jitter.Milliseconds()), uint64(f.timeout.Milliseconds())
	if f.settings == "" {
		return nil
	}
	b, err := os.ReadFile(f.settings)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	f.watch.Settings = string(b)
	return nil
}

func (f *watchFlags) wirePorts() (list []uint32) {
	for _, p := range f.ports {
		list = append(list, uint32(min(p, 65536))) // what is too much stays so
	}
	return list
}

func (f *watchFlags) wireCommands() (list []*v1.Command) {
	for _, id := range slices.Sorted(maps.Keys(f.commands)) {
		list = append(list, &v1.Command{Id: id, Run: f.commands[id]})
	}
	return list
}

func newMonitorWatch() *cobra.Command {
	f := &watchFlags{}
	c := &cobra.Command{
		Use:   "watch ID",
		Short: "Have a monitor poll a device, or change how it does",
		Long: `Have a monitor poll a device, or change how it does: of a watch that is there, what no flag says stays as it is.

It is tried on the live device before it is taken. With --untried it is taken without.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			if err := f.fill(); err != nil {
				return err
			}
			f.watch.Id = args[0]
			if err := f.merge(cmd, monitors); err != nil {
				return err
			}
			resp, err := monitors.PutWatch(cmd.Context(), connect.NewRequest(&v1.PutWatchRequest{Watch: &f.watch, Device: f.device, Untried: f.untried, Ports: f.wirePorts(), Commands: f.wireCommands()}))
			if err != nil {
				return err
			}
			if resp.Msg.Trial != nil {
				showTrial(cmd.OutOrStdout(), resp.Msg.Trial)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is watched\n", args[0])
			return nil
		},
	}
	c.Flags().BoolVar(&f.untried, "untried", false, "take it without a trial")
	c.Flags().BoolVar(&f.watch.Off, "off", false, "keep it, but do not poll")
	return f.add(c)
}

// merge takes what no flag says from the watch that is there.
func (f *watchFlags) merge(cmd *cobra.Command, monitors vedettev1connect.MonitorServiceClient) error {
	resp, err := monitors.ListWatches(cmd.Context(), connect.NewRequest(&v1.ListWatchesRequest{Tenants: tenantsOf(f.watch.Tenant)}))
	if err != nil {
		return err
	}
	for _, e := range resp.Msg.Watches {
		old := e.Watch
		if old.Id != f.watch.Id {
			continue
		}
		keep := func(flag string, take func()) {
			if !cmd.Flags().Changed(flag) {
				take()
			}
		}
		keep("module", func() { f.watch.Module = old.Module })
		keep("interval", func() { f.watch.IntervalMs = old.IntervalMs })
		keep("jitter", func() { f.watch.JitterMs = old.JitterMs })
		keep("timeout", func() { f.watch.TimeoutMs = old.TimeoutMs })
		keep("settings", func() { f.watch.Settings = old.Settings })
		keep("off", func() { f.watch.Off = old.Off })
		keep("device", func() { f.watch.Targets = old.Targets })
		return nil
	}
	if f.watch.Module == "" || f.device == "" {
		return errors.New("a new watch needs --module and --device")
	}
	return nil
}

func newMonitorTry() *cobra.Command {
	f := &watchFlags{}
	c := &cobra.Command{
		Use:   "try",
		Short: "Poll a live device once and show what comes back; nothing of it is kept",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			if err := f.fill(); err != nil {
				return err
			}
			resp, err := monitors.TryWatch(cmd.Context(), connect.NewRequest(&v1.TryWatchRequest{Watch: &f.watch, Device: f.device, Ports: f.wirePorts(), Commands: f.wireCommands()}))
			if err != nil {
				return err
			}
			showTrial(cmd.OutOrStdout(), resp.Msg.Trial)
			if !resp.Msg.Trial.Ok {
				return fmt.Errorf("the trial failed: %s", printable(resp.Msg.Trial.Error))
			}
			return nil
		},
	}
	return f.add(c)
}

func showTrial(w io.Writer, t *v1.Trial) {
	for _, r := range t.Records {
		fmt.Fprintln(w, printable(string(r)))
	}
	for _, k := range t.HostKeys {
		if k.Changed {
			fmt.Fprintln(w, "THE HOST KEY HAS CHANGED: the device is new, or something stands in its place.")
		}
		fmt.Fprintf(w, "host key      %s\n", printable(k.Fingerprint))
		fmt.Fprintf(w, "approve with  vedette monitor host-key DEVICE '%s'\n", printable(k.Key))
	}
	fmt.Fprintf(w, "%d records in %d ms\n", t.TotalRecords, t.TookMs)
}

func newMonitorUnwatch() *cobra.Command {
	req := &v1.RemoveWatchRequest{}
	return addOwnerFlag(&cobra.Command{
		Use:   "unwatch ID",
		Short: "End a watch",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Id = args[0]
			_, err = monitors.RemoveWatch(cmd.Context(), connect.NewRequest(req))
			return err
		},
	}, &req.Tenant)
}
