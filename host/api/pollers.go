package api

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// MaxListedMonitors bounds the answer of ListMonitors: each organization has those that all share.
const MaxListedMonitors = 10_000

func (s monitorService) ListMonitors(ctx context.Context, req *connect.Request[v1.ListMonitorsRequest]) (*connect.Response[v1.ListMonitorsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadMonitors, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	out, generation := &v1.ListMonitorsResponse{}, s.cfg.Pipeline.Generation()
	for _, t := range p.Tenants {
		list := generation.View(t).Monitors()
		slices.SortFunc(list, func(a, b *module.Loaded) int { return cmp.Compare(a.Name(), b.Name()) })
		if len(out.Monitors)+len(list) > MaxListedMonitors {
			return nil, fmt.Errorf("more than %d monitors: name the organizations: %w", MaxListedMonitors, storage.ErrExhausted)
		}
		for _, m := range list {
			out.Monitors = append(out.Monitors, pollerOf(t, m))
		}
	}
	return connect.NewResponse(out), nil
}

func pollerOf(t storage.Tenant, m *module.Loaded) *v1.Monitor {
	interval, jitter, timeout := monitor.Schedule(&m.Manifest)
	out := &v1.Monitor{
		Tenant: uint32(t), Module: m.Name(), Title: m.Manifest.Title, Description: m.Manifest.Description, Version: m.Manifest.Version,
		Schema: string(m.Manifest.Settings), Settings: m.Install.Settings,
		IntervalMs: uint64(interval.Milliseconds()), JitterMs: uint64(jitter.Milliseconds()), TimeoutMs: uint64(timeout.Milliseconds()),
	}
	for _, c := range m.Manifest.Capabilities {
		for i := range c.Targets {
			addTarget(out, c.ID, &c.Targets[i])
		}
	}
	return out
}

// addTarget adds what one capability asks for under a name to what others ask for under it.
func addTarget(m *v1.Monitor, capability string, t *manifest.Target) {
	at := slices.IndexFunc(m.Targets, func(x *v1.MonitorTarget) bool { return x.Name == t.Name })
	if at < 0 {
		at = len(m.Targets)
		m.Targets = append(m.Targets, &v1.MonitorTarget{Name: t.Name})
	}
	x := m.Targets[at]
	x.Capabilities, x.Oids = append(x.Capabilities, capability), append(x.Oids, t.OIDs...)
	x.Description = cmp.Or(x.Description, t.Description)
	for _, c := range t.Commands {
		x.Commands = append(x.Commands, commandOf(c))
	}
	for _, p := range t.Ports {
		x.Ports = append(x.Ports, uint32(p))
	}
}

// noteWatch remembers who changed a watch. The change itself is in the log already, so that a note which cannot be kept
// is no reason to refuse it.
func (s monitorService) noteWatch(ctx context.Context, p storage.Principal, t storage.Tenant, what string) {
	if err := s.cfg.DB.NoteDevice(context.WithoutCancel(ctx), t, p.User, what); err != nil {
		s.cfg.Report(fmt.Errorf("%s: who did it is not noted: %w", what, err))
	}
}

// watchChange says in words what became different.
func watchChange(before, now *module.Watch) string {
	var parts []string
	note := func(name string, a, b time.Duration) {
		if a != b {
			parts = append(parts, fmt.Sprintf("%s %s → %s", name, span(a), span(b)))
		}
	}
	if before.Module != now.Module {
		parts = append(parts, before.Module+" → "+now.Module)
	}
	note("interval", before.Interval, now.Interval)
	note("jitter", before.Jitter, now.Jitter)
	note("timeout", before.Timeout, now.Timeout)
	if before.Settings != now.Settings {
		parts = append(parts, "settings "+cmp.Or(now.Settings, "of the module"))
	}
	if !reflect.DeepEqual(before.Targets, now.Targets) {
		parts = append(parts, "what it may reach")
	}
	if before.Off != now.Off {
		parts = append(parts, map[bool]string{true: "switched off", false: "switched on"}[now.Off])
	}
	if len(parts) == 0 {
		parts = []string{"nothing is different"}
	}
	return "watch " + now.ID + " was changed: " + strings.Join(parts, ", ")
}

// span is a duration of a watch in words.
func span(d time.Duration) string {
	if d == 0 {
		return "of the module"
	}
	return d.String()
}
