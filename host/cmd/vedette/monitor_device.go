package main

import (
	"fmt"
	"io"
	"os"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

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
