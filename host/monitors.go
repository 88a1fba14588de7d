package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// vaultFile is the key of the credentials, in the data directory.
const vaultFile = "credentials.key"

// noTargets is what modules may reach wherever they run: what a monitor may reach comes with each poll.
func noTargets(storage.Tenant, string) []runtime.Target { return nil }

func (h *Host) openMonitors(context.Context) (err error) {
	if h.vault, err = probe.OpenVault(filepath.Join(h.cfg.DataDir, vaultFile), rand.Reader); err != nil {
		return err
	}
	h.monitor = monitor.New(monitor.Config{
		Generations: h.pipeline, Library: h.library, Sink: h.queue, Store: h.db, Vault: h.vault, Jitter: mrand.Float64,
		Tenants: h.watched, Fixed: h.fixedWatches, Device: h.device,
		Report: func(text string, args ...any) { h.log.Warn(text, args...) }, Used: h.pipeline.Polled,
	})
	return nil
}

// watched lists the organizations that monitors may run for.
func (h *Host) watched() []storage.Tenant {
	running := h.pipeline.Generation().Running
	list := slices.AppendSeq(running.Tenants(), maps.Values(h.tenants))
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(t storage.Tenant) bool { return t == storage.NoTenant || running.Gone[t] })
}

// fixedWatches are the watches that the configuration file asks for: one for each module that it names a target for.
func (h *Host) fixedWatches(t storage.Tenant) []module.Watch {
	var list []module.Watch
	for i := range h.cfg.Monitors {
		m := &h.cfg.Monitors[i]
		if h.tenants[m.Organization] != t {
			continue
		}
		id := "vedette.yaml/" + m.Module
		at := slices.IndexFunc(list, func(w module.Watch) bool { return w.ID == id })
		if at < 0 {
			at = len(list)
			list = append(list, module.Watch{ID: id, Module: m.Module})
		}
		list[at].Targets = append(list[at].Targets, module.WatchTarget{Name: m.Name, Device: m.device()})
	}
	return list
}

// device is the name of the device behind a target of the configuration file.
func (m *MonitorTarget) device() string { return m.Module + "/" + m.Name }

// device returns a device of an organization: of the configuration file, else of the inventory.
func (h *Host) device(ctx context.Context, t storage.Tenant, name string) (meta.Device, error) {
	for i := range h.cfg.Monitors {
		if m := &h.cfg.Monitors[i]; h.tenants[m.Organization] == t && m.device() == name {
			return meta.Device{Tenant: t, Name: name, Private: m.AllowPrivate, HTTP: &meta.DeviceHTTP{URL: m.URL}}, nil
		}
	}
	return h.db.GetDevice(ctx, t, name)
}

// apiMonitors shows the monitors to the API.
type apiMonitors struct{ *Host }

// Seal checks and seals a credential.
func (a apiMonitors) Seal(t storage.Tenant, name string, c probe.Credential) ([]byte, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return a.vault.Seal(t, name, c)
}

// Status returns where a watch stands.
func (a apiMonitors) Status(t storage.Tenant, id string) monitor.Status {
	return a.monitor.Status(t, id)
}

// Fixed returns the watches of the configuration file.
func (a apiMonitors) Fixed(t storage.Tenant) []module.Watch { return a.fixedWatches(t) }

// Complete checks a watch against the module that runs and the devices that there are, and fills in what was left out:
// targets, when a device is named, and the canonical form of the settings. Errors wrap storage.ErrInvalid or ErrNotFound.
func (a apiMonitors) Complete(ctx context.Context, t storage.Tenant, w module.Watch, all module.WatchTarget) (module.Watch, *module.Loaded, error) {
	m, err := a.running(t, w.Module)
	if err != nil {
		return w, nil, err
	}
	bad := func(format string, args ...any) (module.Watch, *module.Loaded, error) {
		return w, nil, fmt.Errorf("watch with %s: %s: %w", w.Module, fmt.Sprintf(format, args...), storage.ErrInvalid)
	}
	if all.Device != "" && len(w.Targets) == 0 {
		w.Targets = asked(&m.Manifest, all)
	}
	if w.Settings != "" {
		settings, err := m.Manifest.CheckSettings([]byte(w.Settings))
		if err != nil {
			return bad("%v", err)
		}
		w.Settings = string(settings)
	}
	if w.Interval != 0 && (w.Interval < manifest.MinScheduleInterval || w.Interval > manifest.MaxScheduleInterval) ||
		w.Jitter < 0 || w.Jitter > manifest.MaxScheduleInterval || w.Timeout < 0 || w.Timeout > manifest.MaxScheduleTimeout {
		return bad("want an interval from %v to %v and a timeout of at most %v", manifest.MinScheduleInterval, manifest.MaxScheduleInterval, manifest.MaxScheduleTimeout)
	}
	for i := range w.Targets {
		x := &w.Targets[i]
		if problems := manifest.CheckReach(x.OIDs, x.Commands, x.Ports); len(problems) > 0 {
			return bad("target %s: %v", x.Name, problems)
		}
		d, err := a.device(ctx, t, x.Device)
		if err != nil {
			return w, nil, err
		}
		if err := serves(&m.Manifest, x.Name, &d); err != nil {
			return bad("%v", err)
		}
	}
	if _, err := json.Marshal(w); err != nil {
		return bad("%v", err)
	}
	return w, m, nil
}

// running returns a monitor that runs for an organization.
func (a apiMonitors) running(t storage.Tenant, name string) (*module.Loaded, error) {
	for _, m := range a.pipeline.Generation().View(t).Monitors() {
		if m.Name() == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no monitor %s runs for the organization: %w", name, storage.ErrNotFound)
}

// asked returns a target for each name that a manifest asks for, all of them one device. Commands and ports of all take
// the place of those that the manifest asks for.
func asked(m *manifest.Manifest, all module.WatchTarget) []module.WatchTarget {
	var list []module.WatchTarget
	for _, c := range m.Capabilities {
		for _, t := range c.Targets {
			at := slices.IndexFunc(list, func(w module.WatchTarget) bool { return w.Name == t.Name })
			if at < 0 {
				at = len(list)
				list = append(list, module.WatchTarget{Name: t.Name, Device: all.Device})
			}
			x := &list[at]
			x.OIDs, x.Commands, x.Ports = append(x.OIDs, t.OIDs...), append(x.Commands, t.Commands...), append(x.Ports, t.Ports...)
		}
	}
	for i := range list {
		if x := &list[i]; len(all.Commands) > 0 && len(x.Commands) > 0 {
			x.Commands = all.Commands
		}
		if x := &list[i]; len(all.Ports) > 0 && len(x.Ports) > 0 {
			x.Ports = all.Ports
		}
	}
	return list
}

// serves says what a device lacks for what a manifest asks of a target.
func serves(m *manifest.Manifest, target string, d *meta.Device) error {
	known := false
	for _, c := range m.Capabilities {
		if !slices.ContainsFunc(c.Targets, func(t manifest.Target) bool { return t.Name == target }) {
			continue
		}
		known = true
		missing := map[string]bool{"vedette_http_v1": d.HTTP == nil, "vedette_snmp_v1": d.SNMP == nil, "vedette_ssh_v1": d.SSH == nil}[c.ID]
		if missing {
			return fmt.Errorf("the module asks for %s, which nothing is said about for the device %s", c.ID, d.Name)
		}
	}
	if !known {
		return fmt.Errorf("the module has no target %q", target)
	}
	return nil
}

// Try polls once and keeps nothing of it.
func (a apiMonitors) Try(ctx context.Context, t storage.Tenant, m *module.Loaded, w module.Watch) (monitor.Tried, error) {
	return a.monitor.Try(ctx, t, m, w)
}
