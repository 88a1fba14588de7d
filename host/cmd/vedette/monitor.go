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

func newMonitorDevices() *cobra.Command {
	req, output, one := &v1.ListDevicesRequest{Limit: 1000}, "", uint32(0)
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the devices that monitors may poll",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Tenants = tenantsOf(one)
			resp, err := monitors.ListDevices(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"organization", "name", "address", "http", "snmp", "ssh", "host_keys", "updated", "by"})
			if err != nil {
				return err
			}
			for _, d := range resp.Msg.Devices {
				err := p.print(map[string]any{
					"organization": d.Tenant, "name": d.Name, "address": d.Address, "private": d.Private, "http": d.GetHttp().GetUrl(),
					"snmp": d.GetSnmp().GetCredential(), "ssh": d.GetSsh().GetCredential(), "host_keys": len(d.GetSsh().GetHostKeys()),
					"updated": clock(d.UpdatedAt), "by": d.UpdatedBy,
				})
				if err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().Uint32Var(&one, "organization", 0, "number of the organization (default: all that you see)")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newMonitorDevice() *cobra.Command {
	d := &v1.Device{Http: &v1.DeviceHttp{}, Snmp: &v1.DeviceSnmp{}, Ssh: &v1.DeviceSsh{}}
	var ca string
	var remove bool
	c := &cobra.Command{
		Use:   "device NAME",
		Short: "Add, replace or remove a device",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			d.Name = args[0]
			if remove {
				_, err := monitors.RemoveDevice(cmd.Context(), connect.NewRequest(&v1.RemoveDeviceRequest{Tenant: d.Tenant, Name: d.Name}))
				return err
			}
			if ca != "" {
				b, err := os.ReadFile(ca)
				if err != nil {
					return fmt.Errorf("read the authority: %w", err)
				}
				d.Http.Ca = string(b)
			}
			if d.Http.Url == "" {
				d.Http = nil
			}
			if d.Snmp.Credential == "" {
				d.Snmp = nil
			}
			if d.Ssh.Credential == "" {
				d.Ssh = nil
			}
			_, err = monitors.PutDevice(cmd.Context(), connect.NewRequest(&v1.PutDeviceRequest{Device: d}))
			return err
		},
	}
	c.Flags().StringVar(&d.Address, "address", "", "host name or IP address")
	c.Flags().BoolVar(&d.Private, "private", false, "it may be a loopback, private or shared address")
	c.Flags().StringVar(&d.Http.Url, "url", "", "base URL for HTTP")
	c.Flags().StringVar(&d.Http.Credential, "http", "", "credential for HTTP")
	c.Flags().StringVar(&ca, "ca", "", "PEM file of who may vouch for its certificate (default: whom the host's system trusts)")
	c.Flags().StringVar(&d.Snmp.Credential, "snmp", "", "credential for SNMP")
	c.Flags().Uint32Var(&d.Snmp.Port, "snmp-port", 0, "default 161")
	c.Flags().StringVar(&d.Ssh.Credential, "ssh", "", "credential for SSH")
	c.Flags().Uint32Var(&d.Ssh.Port, "ssh-port", 0, "default 22")
	c.Flags().StringSliceVar(&d.Ssh.HostKeys, "host-key", nil, "approved host key, as in known_hosts without the host")
	c.Flags().BoolVar(&remove, "remove", false, "remove it")
	return addOwnerFlag(c, &d.Tenant)
}

func newMonitorCredentials() *cobra.Command {
	output, one := "", uint32(0)
	c := &cobra.Command{
		Use:   "credentials",
		Short: "List the credentials of devices, without what is secret",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			resp, err := monitors.ListCredentials(cmd.Context(), connect.NewRequest(&v1.ListCredentialsRequest{Tenants: tenantsOf(one)}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"organization", "name", "kind", "login", "devices", "updated", "by"})
			if err != nil {
				return err
			}
			for _, x := range resp.Msg.Credentials {
				err := p.print(map[string]any{
					"organization": x.Tenant, "name": x.Name, "kind": x.Kind, "login": x.Login, "devices": x.Devices, "updated": clock(x.UpdatedAt), "by": x.UpdatedBy,
				})
				if err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().Uint32Var(&one, "organization", 0, "number of the organization (default: all that you see)")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newMonitorCredential() *cobra.Command {
	req := &v1.PutCredentialRequest{}
	var remove bool
	c := &cobra.Command{
		Use:   "credential NAME",
		Short: "Add, replace or remove a credential; what is secret is read from standard input",
		Long: `Add, replace or remove a credential. What is secret is read from standard input, so that no list of processes and no
history of commands shows it: of snmp-v3 two lines, the authentication and the privacy passphrase; of ssh-key the
private key; of the other kinds one line.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Name = args[0]
			if remove {
				_, err := monitors.RemoveCredential(cmd.Context(), connect.NewRequest(&v1.RemoveCredentialRequest{Tenant: req.Tenant, Name: req.Name}))
				return err
			}
			if err := readSecret(cmd, req); err != nil {
				return err
			}
			_, err = monitors.PutCredential(cmd.Context(), connect.NewRequest(req))
			return err
		},
	}
	c.Flags().StringVar(&req.Kind, "kind", "", "http-basic, http-bearer, http-header, snmp-v2c, snmp-v3, ssh-password or ssh-key")
	c.Flags().StringVar(&req.Login, "login", "", "user name; of http-header the header's name")
	c.Flags().StringVar(&req.Hash, "hash", "", "snmp-v3: md5, sha, sha224, sha256 (default), sha384 or sha512")
	c.Flags().StringVar(&req.Cipher, "cipher", "", "snmp-v3: des, aes (default), aes192 or aes256")
	c.Flags().BoolVar(&remove, "remove", false, "remove it")
	return addOwnerFlag(c, &req.Tenant)
}

// maxSecretBytes bounds what is read of a private key.
const maxSecretBytes = 32 << 10

// readSecret reads what is secret of a credential. A person who types it does not see it.
func readSecret(cmd *cobra.Command, req *v1.PutCredentialRequest) error {
	in, prompt := cmd.InOrStdin(), cmd.ErrOrStderr()
	if req.Kind == "ssh-key" {
		b, err := io.ReadAll(io.LimitReader(in, maxSecretBytes))
		if err != nil {
			return fmt.Errorf("read the private key: %w", err)
		}
		req.Secret = string(b)
		return nil
	}
	if f, ok := in.(*os.File); !ok || !isTerminal(f) {
		in = byByte{in} // of two lines the first must leave the second
	}
	var err error
	if req.Secret, err = readPassword(cmd.Context(), in, prompt, "secret: "); err == nil && req.Kind == "snmp-v3" {
		req.Privacy, err = readPassword(cmd.Context(), in, prompt, "privacy passphrase: ")
	}
	return err
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// byByte reads no more than it is asked for.
type byByte struct{ io.Reader }

func (r byByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }

func newMonitorHostKey() *cobra.Command {
	req := &v1.ApproveHostKeyRequest{}
	c := &cobra.Command{
		Use:   "host-key DEVICE KEY",
		Short: "Approve the host key of a device, as a trial has shown it",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Key = args[0], args[1]
			_, err = monitors.ApproveHostKey(cmd.Context(), connect.NewRequest(req))
			return err
		},
	}
	c.Flags().BoolVar(&req.Replace, "replace", false, "keys that were approved before are so no more")
	return addOwnerFlag(c, &req.Tenant)
}

func newMonitorConfigs() *cobra.Command {
	req, output, one := &v1.ListConfigsRequest{}, "", uint32(0)
	c := &cobra.Command{
		Use:   "configs",
		Short: "List the versions of configurations that were pulled",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Tenants = tenantsOf(one)
			resp, err := monitors.ListConfigs(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"organization", "device", "name", "at", "added", "removed", "bytes", "blessed", "digest"})
			if err != nil {
				return err
			}
			for _, v := range resp.Msg.Versions {
				err := p.print(map[string]any{
					"organization": v.Tenant, "device": v.Device, "name": v.Name, "at": clock(v.At), "added": v.Added, "removed": v.Removed,
					"bytes": v.Bytes, "blessed": v.Blessed, "digest": v.Digest,
				})
				if err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().Uint32Var(&one, "organization", 0, "number of the organization (default: all that you see)")
	c.Flags().StringVar(&req.Device, "device", "", "only those of this device")
	c.Flags().StringVar(&req.Name, "name", "", "only this text: running, startup, packages, …")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "the most versions to list (default 100)")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newMonitorShow() *cobra.Command {
	req := &v1.GetConfigRequest{}
	c := &cobra.Command{
		Use:   "show DEVICE NAME",
		Short: "Print a configuration that was pulled",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			resp, err := monitors.GetConfig(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			return writeText(cmd.OutOrStdout(), resp.Msg.Text)
		},
	}
	c.Flags().StringVar(&req.Digest, "version", "", "digest of a version, or blessed (default: the newest)")
	return addOwnerFlag(c, &req.Tenant)
}

func newMonitorDiff() *cobra.Command {
	req := &v1.DiffConfigRequest{}
	c := &cobra.Command{
		Use:   "diff DEVICE NAME",
		Short: "Compare two versions of a configuration, or it with another one of the device",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			resp, err := monitors.DiffConfig(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			m := resp.Msg
			old := args[1]
			if req.FromName != "" {
				old = req.FromName
			}
			fmt.Fprintf(cmd.OutOrStdout(), "--- %s\t%s\n+++ %s\t%s\n", old, m.From, args[1], m.To)
			if err := writeText(cmd.OutOrStdout(), m.Diff); err != nil {
				return err
			}
			if m.Cut {
				fmt.Fprintln(cmd.ErrOrStderr(), "the difference is longer and was cut")
			}
			return nil
		},
	}
	c.Flags().StringVar(&req.From, "from", "", "digest of the older version, or blessed (default: the version before)")
	c.Flags().StringVar(&req.To, "to", "", "digest of the newer version (default: the newest)")
	c.Flags().StringVar(&req.FromName, "against", "", "another configuration of the device, such as startup")
	return addOwnerFlag(c, &req.Tenant)
}

// writeText writes lines that a device has written: what would steer a terminal is spelled out.
func writeText(w io.Writer, text []byte) error {
	for line := range strings.Lines(string(text)) {
		body, end := strings.CutSuffix(line, "\n")
		body = strings.ReplaceAll(body, "\t", "        ")
		if end {
			body = printable(body) + "\n"
		} else {
			body = printable(body)
		}
		if _, err := io.WriteString(w, body); err != nil {
			return err
		}
	}
	return nil
}

func newMonitorBless() *cobra.Command {
	req, file, none := &v1.BlessConfigRequest{}, "", false
	c := &cobra.Command{
		Use:   "bless DEVICE NAME",
		Short: "Say which configuration is the right one: a version, or a file",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			monitors, err := askMonitors(cmd)
			if err != nil {
				return err
			}
			req.Device, req.Name = args[0], args[1]
			if file != "" {
				if req.Text, err = os.ReadFile(file); err != nil {
					return fmt.Errorf("read the configuration: %w", err)
				}
			}
			if (req.Digest != "") == (len(req.Text) > 0) != none {
				return errors.New("want one of --version, --file and --none")
			}
			_, err = monitors.BlessConfig(cmd.Context(), connect.NewRequest(req))
			return err
		},
	}
	c.Flags().StringVar(&req.Digest, "version", "", "digest of a version that was pulled")
	c.Flags().StringVar(&file, "file", "", "file with the right configuration")
	c.Flags().BoolVar(&none, "none", false, "none is right any more")
	return addOwnerFlag(c, &req.Tenant)
}
