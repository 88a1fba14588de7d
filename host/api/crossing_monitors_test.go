package api_test

import (
	"context"
	"maps"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func init() { maps.Copy(crossings, monitorCrossings) }

// monitors is a client of the monitors' service for a user.
func (u *who) monitors(w *world) vedettev1connect.MonitorServiceClient {
	return vedettev1connect.NewMonitorServiceClient(&http.Client{Transport: bearer(u.token)}, w.url)
}

// stage gives alpha a device with a credential, a watch that is off, and a configuration that was declared right.
func (w *world) stage(ctx context.Context) error {
	m := w.admin.monitors(w)
	_, err := m.PutCredential(ctx, req(&v1.PutCredentialRequest{Tenant: w.alpha, Name: "crossing", Kind: "ssh-password", Login: "root", Secret: "crossing secret"}))
	if err == nil {
		_, err = m.PutDevice(ctx, req(&v1.PutDeviceRequest{Device: stagedDevice(w)}))
	}
	if err == nil {
		_, err = m.PutWatch(ctx, req(stagedWatch(w)))
	}
	if err == nil {
		_, err = m.BlessConfig(ctx, req(&v1.BlessConfigRequest{Tenant: w.alpha, Device: "crossing", Name: "running", Text: []byte("line of alpha\n")}))
	}
	return err
}

func stagedDevice(w *world) *v1.Device {
	return &v1.Device{
		Tenant: w.alpha, Name: "crossing", Address: "127.0.0.1", Private: true, Http: &v1.DeviceHttp{Url: w.url}, Ssh: &v1.DeviceSsh{Credential: "crossing"},
	}
}

func stagedWatch(w *world) *v1.PutWatchRequest {
	return &v1.PutWatchRequest{Watch: &v1.Watch{Tenant: w.alpha, Id: "crossing", Module: "vedette/httpcheck", Off: true}, Device: "crossing"}
}

// staged calls one method after alpha was given something to be found.
func staged(call func(ctx context.Context, w *world, u *who, on []uint32) (bool, error)) func(context.Context, *world, *who, []uint32) (bool, error) {
	return func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if err := w.stage(ctx); err != nil {
			return false, err
		}
		return call(ctx, w, u, on)
	}
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"

var monitorCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.MonitorService.ListDevices": {open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListDevices(ctx, req(&v1.ListDevicesRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Devices, (*v1.Device).GetTenant), err
	})},
	"vedette.v1.MonitorService.PutDevice": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if err := w.stage(ctx); err != nil {
			return false, err
		}
		r, err := u.monitors(w).PutDevice(ctx, req(&v1.PutDeviceRequest{Device: stagedDevice(w)}))
		return err == nil && r.Msg.Device.Tenant == w.alpha, err
	}},
	"vedette.v1.MonitorService.RemoveDevice": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		d := stagedDevice(w)
		d.Name, d.Ssh = "crossing-gone", nil
		if _, err := w.admin.monitors(w).PutDevice(ctx, req(&v1.PutDeviceRequest{Device: d})); err != nil {
			return false, err
		}
		_, err := u.monitors(w).RemoveDevice(ctx, req(&v1.RemoveDeviceRequest{Tenant: w.alpha, Name: "crossing-gone"}))
		return err == nil, err
	}},
	"vedette.v1.MonitorService.ApproveHostKey": {right: admin, call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.monitors(w).ApproveHostKey(ctx, req(&v1.ApproveHostKeyRequest{Tenant: w.alpha, Device: "crossing", Key: hostKey + " of a comment"}))
		return err == nil && len(r.Msg.Device.Ssh.HostKeys) == 1 && r.Msg.Device.Ssh.HostKeys[0] == hostKey, err
	})},
	"vedette.v1.MonitorService.ListCredentials": {right: admin, open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListCredentials(ctx, req(&v1.ListCredentialsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Credentials, (*v1.Credential).GetTenant), err
	})},
	"vedette.v1.MonitorService.PutCredential": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.monitors(w).PutCredential(ctx, req(&v1.PutCredentialRequest{Tenant: w.alpha, Name: "crossing-new", Kind: "snmp-v2c", Secret: "community"}))
		return err == nil, err
	}},
	"vedette.v1.MonitorService.RemoveCredential": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := w.admin.monitors(w).PutCredential(ctx, req(&v1.PutCredentialRequest{Tenant: w.alpha, Name: "crossing-gone", Kind: "snmp-v2c", Secret: "community"}))
		if err == nil {
			_, err = u.monitors(w).RemoveCredential(ctx, req(&v1.RemoveCredentialRequest{Tenant: w.alpha, Name: "crossing-gone"}))
		}
		return err == nil, err
	}},
	"vedette.v1.MonitorService.ListDeviceChanges": {open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListDeviceChanges(ctx, req(&v1.ListDeviceChangesRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Changes, (*v1.DeviceChange).GetTenant), err
	})},
	"vedette.v1.MonitorService.ListMonitors": {open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListMonitors(ctx, req(&v1.ListMonitorsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Monitors, (*v1.Monitor).GetTenant), err
	})},
	"vedette.v1.MonitorService.ListWatches": {open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListWatches(ctx, req(&v1.ListWatchesRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Watches, func(e *v1.WatchEntry) uint32 { return e.Watch.Tenant }), err
	})},
	// An analyst changes how often a device is polled; what may be reached there only an admin says.
	"vedette.v1.MonitorService.PutWatch": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.monitors(w).PutWatch(ctx, req(&v1.PutWatchRequest{Watch: &v1.Watch{Tenant: w.alpha, Id: "crossing-more", Module: "vedette/httpcheck", Off: true}, Device: "crossing"}))
		if code := connect.CodeOf(err); u.name == w.ann.name && code != connect.CodePermissionDenied {
			return false, connect.NewError(connect.CodeInternal, err)
		}
		m := stagedWatch(w)
		m.Watch.IntervalMs = 45_000
		r, err := u.monitors(w).PutWatch(ctx, req(m))
		return err == nil && r.Msg.Watch.Tenant == w.alpha && r.Msg.Watch.IntervalMs == 45_000, err
	})},
	"vedette.v1.MonitorService.TryWatch": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.monitors(w).TryWatch(ctx, req(&v1.TryWatchRequest{Watch: stagedWatch(w).Watch, Device: "crossing"}))
		return err == nil && r.Msg.Trial.Ok && len(r.Msg.Trial.Records) == 1, err
	})},
	"vedette.v1.MonitorService.RemoveWatch": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.monitors(w).RemoveWatch(ctx, req(&v1.RemoveWatchRequest{Tenant: w.alpha, Id: "crossing"}))
		return err == nil, err
	})},
	"vedette.v1.MonitorService.ListConfigs": {open: true, call: staged(func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.monitors(w).ListConfigs(ctx, req(&v1.ListConfigsRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Blessed, (*v1.BlessedConfig).GetTenant), err // nothing was pulled; storage/meta tests what is
	})},
	"vedette.v1.MonitorService.GetConfig": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.monitors(w).GetConfig(ctx, req(&v1.GetConfigRequest{Tenant: w.alpha, Device: "crossing", Name: "running", Digest: "blessed"}))
		return err == nil && string(r.Msg.Text) == "line of alpha\n", err
	})},
	"vedette.v1.MonitorService.DiffConfig": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.monitors(w).DiffConfig(ctx, req(&v1.DiffConfigRequest{Tenant: w.alpha, Device: "crossing", Name: "running", From: "blessed", To: "blessed"}))
		return err == nil && r.Msg.Added == 0, err
	})},
	"vedette.v1.MonitorService.BlessConfig": {call: staged(func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.monitors(w).BlessConfig(ctx, req(&v1.BlessConfigRequest{Tenant: w.alpha, Device: "crossing", Name: "running"}))
		return err == nil, err
	})},
}
