package api

import (
	"context"
	"fmt"
	"slices"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

func (s monitorService) ListDevices(ctx context.Context, req *connect.Request[v1.ListDevicesRequest]) (*connect.Response[v1.ListDevicesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadMonitors, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.ListDevices(ctx, p, req.Msg.After, int(req.Msg.Limit))
	if err != nil {
		return nil, err
	}
	out := &v1.ListDevicesResponse{}
	for i := range list {
		out.Devices = append(out.Devices, deviceOf(&list[i]))
	}
	return connect.NewResponse(out), nil
}

func (s monitorService) PutDevice(ctx context.Context, req *connect.Request[v1.PutDeviceRequest]) (*connect.Response[v1.PutDeviceResponse], error) {
	if req.Msg.Device == nil {
		return nil, fmt.Errorf("put device: there is none: %w", storage.ErrInvalid)
	}
	p, err := s.one(ctx, req.Header(), tenant.ManageDevices, req.Msg.Device.Tenant)
	if err != nil {
		return nil, err
	}
	d, err := readDevice(req.Msg.Device)
	if err != nil {
		return nil, err
	}
	out, err := s.putDevice(ctx, storage.Tenant(req.Msg.Device.Tenant), p.User, d)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.PutDeviceResponse{Device: out}), nil
}

func (s monitorService) putDevice(ctx context.Context, t storage.Tenant, who string, d meta.Device) (*v1.Device, error) {
	if err := monitor.CheckDevice(&d); err != nil {
		return nil, err
	}
	if err := s.cfg.DB.PutDevice(ctx, t, who, d); err != nil {
		return nil, err
	}
	d, err := s.cfg.DB.GetDevice(ctx, t, d.Name)
	if err != nil {
		return nil, err
	}
	return deviceOf(&d), nil
}

func (s monitorService) RemoveDevice(ctx context.Context, req *connect.Request[v1.RemoveDeviceRequest]) (*connect.Response[v1.RemoveDeviceResponse], error) {
	p, err := s.one(ctx, req.Header(), tenant.ManageDevices, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	for _, w := range s.cfg.Pipeline.Generation().Running.Layer(t).Watches {
		if slices.ContainsFunc(w.Targets, func(x module.WatchTarget) bool { return x.Device == req.Msg.Name }) {
			return nil, fmt.Errorf("remove device %s: the watch %s polls it: %w", req.Msg.Name, w.ID, storage.ErrConflict)
		}
	}
	if err := s.cfg.DB.RemoveDevice(ctx, t, p.User, req.Msg.Name); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveDeviceResponse{}), nil
}

func (s monitorService) ApproveHostKey(ctx context.Context, req *connect.Request[v1.ApproveHostKeyRequest]) (*connect.Response[v1.ApproveHostKeyResponse], error) {
	p, err := s.one(ctx, req.Header(), tenant.ManageDevices, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	d, err := s.cfg.DB.GetDevice(ctx, t, req.Msg.Device)
	if err != nil {
		return nil, err
	}
	if d.SSH == nil {
		return nil, fmt.Errorf("approve a host key of %s: it is not asked over SSH: %w", d.Name, storage.ErrInvalid)
	}
	if req.Msg.Replace || req.Msg.Key == "" {
		d.SSH.HostKeys = nil
	}
	if req.Msg.Key != "" {
		key, _, err := probe.ParseHostKey(req.Msg.Key)
		if err != nil {
			return nil, fmt.Errorf("approve a host key of %s: %w: %w", d.Name, err, storage.ErrInvalid)
		}
		if !slices.Contains(d.SSH.HostKeys, key) {
			d.SSH.HostKeys = append(d.SSH.HostKeys, key)
		}
	}
	out, err := s.putDevice(ctx, t, p.User, d)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.ApproveHostKeyResponse{Device: out}), nil
}

func (s monitorService) ListCredentials(ctx context.Context, req *connect.Request[v1.ListCredentialsRequest]) (*connect.Response[v1.ListCredentialsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ManageDevices, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.ListCredentials(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.ListCredentialsResponse{}
	for _, c := range list {
		out.Credentials = append(out.Credentials, &v1.Credential{
			Tenant: uint32(c.Tenant), Name: c.Name, Kind: c.Kind, Login: c.Login, Devices: uint32(c.Devices), UpdatedAt: moment(c.Updated), UpdatedBy: c.Who,
		})
	}
	return connect.NewResponse(out), nil
}

func (s monitorService) PutCredential(ctx context.Context, req *connect.Request[v1.PutCredentialRequest]) (*connect.Response[v1.PutCredentialResponse], error) {
	m := req.Msg
	p, err := s.one(ctx, req.Header(), tenant.ManageDevices, m.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(m.Tenant)
	box, err := s.cfg.Monitors.Seal(t, m.Name, probe.Credential{
		Kind: m.Kind, Login: m.Login, Secret: runtime.Secret(m.Secret), Privacy: runtime.Secret(m.Privacy), Hash: m.Hash, Cipher: m.Cipher,
	})
	if err != nil {
		return nil, err
	}
	if err := s.cfg.DB.PutCredential(ctx, t, p.User, meta.Credential{Name: m.Name, Kind: m.Kind, Login: m.Login}, box); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.PutCredentialResponse{}), nil
}

func (s monitorService) RemoveCredential(ctx context.Context, req *connect.Request[v1.RemoveCredentialRequest]) (*connect.Response[v1.RemoveCredentialResponse], error) {
	p, err := s.one(ctx, req.Header(), tenant.ManageDevices, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.DB.RemoveCredential(ctx, storage.Tenant(req.Msg.Tenant), p.User, req.Msg.Name); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveCredentialResponse{}), nil
}

func (s monitorService) ListDeviceChanges(ctx context.Context, req *connect.Request[v1.ListDeviceChangesRequest]) (*connect.Response[v1.ListDeviceChangesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ManageMonitors, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.DeviceChanges(ctx, p, int(req.Msg.Limit))
	if err != nil {
		return nil, err
	}
	out := &v1.ListDeviceChangesResponse{}
	for _, c := range list {
		out.Changes = append(out.Changes, &v1.DeviceChange{Tenant: uint32(c.Tenant), At: moment(c.At), Who: c.Who, What: c.What})
	}
	return connect.NewResponse(out), nil
}

func readDevice(d *v1.Device) (meta.Device, error) {
	out := meta.Device{Name: d.Name, Address: d.Address, Private: d.Private}
	if d.Http != nil {
		out.HTTP = &meta.DeviceHTTP{URL: d.Http.Url, Credential: d.Http.Credential, CA: d.Http.Ca}
	}
	if d.Snmp != nil {
		port, err := portOf(d.Snmp.Port)
		if err != nil {
			return out, err
		}
		out.SNMP = &meta.DeviceSNMP{Port: port, Credential: d.Snmp.Credential}
	}
	if d.Ssh != nil {
		port, err := portOf(d.Ssh.Port)
		if err != nil {
			return out, err
		}
		out.SSH = &meta.DeviceSSH{Port: port, Credential: d.Ssh.Credential, HostKeys: slices.Clone(d.Ssh.HostKeys)}
	}
	return out, nil
}

func portOf(n uint32) (uint16, error) {
	if n > 65535 {
		return 0, fmt.Errorf("port %d: want 0 to 65535: %w", n, storage.ErrInvalid)
	}
	return uint16(n), nil
}

func deviceOf(d *meta.Device) *v1.Device {
	out := &v1.Device{Tenant: uint32(d.Tenant), Name: d.Name, Address: d.Address, Private: d.Private, UpdatedAt: moment(d.Updated), UpdatedBy: d.Who}
	if d.HTTP != nil {
		out.Http = &v1.DeviceHttp{Url: d.HTTP.URL, Credential: d.HTTP.Credential, Ca: d.HTTP.CA}
	}
	if d.SNMP != nil {
		out.Snmp = &v1.DeviceSnmp{Port: uint32(d.SNMP.Port), Credential: d.SNMP.Credential}
	}
	if d.SSH != nil {
		out.Ssh = &v1.DeviceSsh{Port: uint32(d.SSH.Port), Credential: d.SSH.Credential, HostKeys: d.SSH.HostKeys}
		for _, key := range d.SSH.HostKeys {
			out.Ssh.Fingerprints = append(out.Ssh.Fingerprints, probe.Fingerprint(key))
		}
	}
	return out
}

func readTarget(x *v1.WatchTarget) (module.WatchTarget, error) {
	out := module.WatchTarget{Name: x.Name, Device: x.Device, OIDs: x.Oids}
	for _, p := range x.Ports {
		port, err := portOf(p)
		if err != nil {
			return out, err
		}
		out.Ports = append(out.Ports, port)
	}
	for _, c := range x.Commands {
		cmd := manifest.Command{ID: c.Id, Run: c.Run}
		for _, a := range c.Args {
			cmd.Args = append(cmd.Args, manifest.Argument{Name: a.Name, Pattern: a.Pattern})
		}
		out.Commands = append(out.Commands, cmd)
	}
	return out, nil
}

func commandOf(c manifest.Command) *v1.Command {
	out := &v1.Command{Id: c.ID, Run: c.Run}
	for _, a := range c.Args {
		out.Args = append(out.Args, &v1.Argument{Name: a.Name, Pattern: a.Pattern})
	}
	return out
}

func watchOf(t storage.Tenant, w *module.Watch) *v1.Watch {
	out := &v1.Watch{
		Tenant: uint32(t), Id: w.ID, Module: w.Module, Settings: w.Settings, Off: w.Off, SetBy: w.Who,
		IntervalMs: uint64(w.Interval.Milliseconds()), JitterMs: uint64(w.Jitter.Milliseconds()), TimeoutMs: uint64(w.Timeout.Milliseconds()),
	}
	if w.At != 0 {
		out.SetAt = moment(w.At)
	}
	for _, x := range w.Targets {
		target := &v1.WatchTarget{Name: x.Name, Device: x.Device, Oids: x.OIDs}
		for _, p := range x.Ports {
			target.Ports = append(target.Ports, uint32(p))
		}
		for _, c := range x.Commands {
			target.Commands = append(target.Commands, commandOf(c))
		}
		out.Targets = append(out.Targets, target)
	}
	return out
}
