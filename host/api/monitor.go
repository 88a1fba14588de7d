package api

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

// Monitors says what monitors do, and lets them try. It may be called by many goroutines at once.
type Monitors interface {
	// Seal checks a credential and makes it unreadable to all but the host.
	Seal(t storage.Tenant, name string, c probe.Credential) ([]byte, error)
	// Complete checks a watch, and fills in what it leaves out. When it names no targets, each that its module asks for
	// is the device of all, and may do there what all says or, where that says nothing, what the module asks for.
	Complete(ctx context.Context, t storage.Tenant, w module.Watch, all module.WatchTarget) (module.Watch, *module.Loaded, error)
	// Try polls once and keeps nothing of it.
	Try(ctx context.Context, t storage.Tenant, m *module.Loaded, w module.Watch) (monitor.Tried, error)
	Status(t storage.Tenant, id string) monitor.Status
	// Fixed returns the watches of the configuration file.
	Fixed(t storage.Tenant) []module.Watch
}

// Limits of the monitors' calls.
const (
	MaxMonitorRequestBytes = 2 << 20 // a text to be declared right is the longest
	MaxTrialRecords        = 100     // shown of a trial
	MaxTrialRecordBytes    = 64 << 10
	maxWatchIDBytes        = 128
)

type monitorService struct {
	*API
	vedettev1connect.UnimplementedMonitorServiceHandler
}

func (s monitorService) ListWatches(ctx context.Context, req *connect.Request[v1.ListWatchesRequest]) (*connect.Response[v1.ListWatchesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadMonitors, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	running := s.cfg.Pipeline.Generation().Running
	out := &v1.ListWatchesResponse{}
	for _, t := range p.Tenants {
		add := func(w module.Watch, fixed bool) {
			if req.Msg.Module != "" && w.Module != req.Msg.Module || req.Msg.Device != "" &&
				!slices.ContainsFunc(w.Targets, func(x module.WatchTarget) bool { return x.Device == req.Msg.Device }) {
				return
			}
			wire := watchOf(t, &w)
			wire.Fixed = fixed
			out.Watches = append(out.Watches, &v1.WatchEntry{Watch: wire, State: stateOf(s.cfg.Monitors.Status(t, w.ID))})
		}
		for _, w := range s.cfg.Monitors.Fixed(t) {
			add(w, true)
		}
		watches := running.Layer(t).Watches
		for _, id := range slices.Sorted(maps.Keys(watches)) {
			add(watches[id], false)
		}
	}
	return connect.NewResponse(out), nil
}

func (s monitorService) PutWatch(ctx context.Context, req *connect.Request[v1.PutWatchRequest]) (*connect.Response[v1.PutWatchResponse], error) {
	w, t, err := readWatch(req.Msg.Watch)
	if err != nil {
		return nil, err
	}
	p, err := s.one(ctx, req.Header(), tenant.ManageMonitors, uint32(t))
	if err != nil {
		return nil, err
	}
	if w.ID == "" || len(w.ID) > maxWatchIDBytes || strings.ContainsFunc(w.ID, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.HasPrefix(w.ID, "vedette.yaml/") {
		return nil, fmt.Errorf("watch: want an id of 1 to %d printable characters without blanks, not one of the configuration file: %w", maxWatchIDBytes, storage.ErrInvalid)
	}
	all, err := readTarget(&v1.WatchTarget{Device: req.Msg.Device, Ports: req.Msg.Ports, Commands: req.Msg.Commands})
	if err != nil {
		return nil, err
	}
	w, m, err := s.cfg.Monitors.Complete(ctx, t, w, all)
	if err != nil {
		return nil, err
	}
	before, there := s.cfg.Pipeline.Generation().Running.Layer(t).Watches[w.ID]
	if !there || before.Module != w.Module || !reflect.DeepEqual(before.Targets, w.Targets) {
		if err := tenant.Authorize(p, tenant.ManageDevices, t); err != nil {
			return nil, fmt.Errorf("the watch says anew what %s may reach: %w", w.Module, err)
		}
	}
	w.Seq = before.Seq // what it was judged by must still hold when it is taken
	out := &v1.PutWatchResponse{}
	if !req.Msg.Untried && !w.Off {
		tried, err := s.cfg.Monitors.Try(ctx, t, m, w)
		if err != nil {
			return nil, err
		}
		if out.Trial = trialOf(t, &tried); tried.Err != nil {
			return nil, refusedTrial(w.ID, out.Trial, tried.Err)
		}
	}
	if err := s.cfg.Control.Control(ctx, module.Control{Kind: module.SetWatch, Tenant: t, Who: p.User, Name: w.ID, Watch: &w}); err != nil {
		return nil, err
	}
	now := s.cfg.Pipeline.Generation().Running.Layer(t).Watches[w.ID]
	out.Watch = watchOf(t, &now)
	if there {
		s.noteWatch(ctx, p, t, watchChange(&before, &w))
	} else {
		s.noteWatch(ctx, p, t, "watch "+w.ID+" was added: "+w.Module)
	}
	return connect.NewResponse(out), nil
}

// refusedTrial says why a watch was not taken. The trial stands beside the text, for programs.
func refusedTrial(id string, trial *v1.Trial, why error) error {
	err := connect.NewError(connect.CodeFailedPrecondition, fmt.Errorf("watch %s is not taken: its trial failed: %w", id, why))
	if d, e := connect.NewErrorDetail(trial); e == nil {
		err.AddDetail(d)
	}
	return err
}

func (s monitorService) RemoveWatch(ctx context.Context, req *connect.Request[v1.RemoveWatchRequest]) (*connect.Response[v1.RemoveWatchResponse], error) {
	p, err := s.one(ctx, req.Header(), tenant.ManageMonitors, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	if err := s.cfg.Control.Control(ctx, module.Control{Kind: module.RemoveWatch, Tenant: t, Who: p.User, Name: req.Msg.Id}); err != nil {
		return nil, err
	}
	s.noteWatch(ctx, p, t, "watch "+req.Msg.Id+" was removed")
	return connect.NewResponse(&v1.RemoveWatchResponse{}), nil
}

func (s monitorService) TryWatch(ctx context.Context, req *connect.Request[v1.TryWatchRequest]) (*connect.Response[v1.TryWatchResponse], error) {
	w, t, err := readWatch(req.Msg.Watch)
	if err != nil {
		return nil, err
	}
	p, err := s.one(ctx, req.Header(), tenant.ManageMonitors, uint32(t))
	if err != nil {
		return nil, err
	}
	before, there := s.cfg.Pipeline.Generation().Running.Layer(t).Watches[w.ID]
	all, err := readTarget(&v1.WatchTarget{Device: req.Msg.Device, Ports: req.Msg.Ports, Commands: req.Msg.Commands})
	if err != nil {
		return nil, err
	}
	w, m, err := s.cfg.Monitors.Complete(ctx, t, w, all)
	if err != nil {
		return nil, err
	}
	if !there || before.Module != w.Module || !reflect.DeepEqual(before.Targets, w.Targets) {
		if err := tenant.Authorize(p, tenant.ManageDevices, t); err != nil {
			return nil, fmt.Errorf("the trial reaches what no watch was granted: %w", err)
		}
	}
	tried, err := s.cfg.Monitors.Try(ctx, t, m, w)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.TryWatchResponse{Trial: trialOf(t, &tried)}), nil
}

func trialOf(t storage.Tenant, tried *monitor.Tried) *v1.Trial {
	out := &v1.Trial{Ok: tried.Err == nil, TotalRecords: uint32(len(tried.Records)), TookMs: uint64(tried.Took.Milliseconds())}
	if tried.Err != nil {
		out.Code, out.Error = monitor.CodeOf(tried.Err), tried.Err.Error()
	}
	for _, r := range tried.Records[:min(len(tried.Records), MaxTrialRecords)] {
		out.Records = append(out.Records, r[:min(len(r), MaxTrialRecordBytes)])
	}
	for _, k := range tried.HostKeys {
		out.HostKeys = append(out.HostKeys, &v1.HostKey{Key: k.Key, Fingerprint: k.Fingerprint, Changed: k.Known})
	}
	for i := range tried.Texts {
		v := tried.Texts[i]
		v.Tenant = t
		out.Configs = append(out.Configs, configOf(&v))
	}
	return out
}

// readWatch reads a watch from the wire.
func readWatch(w *v1.Watch) (module.Watch, storage.Tenant, error) {
	if w == nil || w.Tenant == 0 || w.Module == "" {
		return module.Watch{}, 0, fmt.Errorf("watch: want organization and module: %w", storage.ErrInvalid)
	}
	if len(w.Targets) > module.MaxWatchTargets || len(w.Settings) > module.MaxSettingsBytes {
		return module.Watch{}, 0, fmt.Errorf("watch: at most %d targets and %d bytes of settings: %w", module.MaxWatchTargets, module.MaxSettingsBytes, storage.ErrExhausted)
	}
	out := module.Watch{ID: w.Id, Module: w.Module, Settings: w.Settings, Off: w.Off}
	for _, d := range []struct {
		to *time.Duration
		ms uint64
	}{{&out.Interval, w.IntervalMs}, {&out.Jitter, w.JitterMs}, {&out.Timeout, w.TimeoutMs}} {
		if d.ms > uint64(30*24*time.Hour/time.Millisecond) {
			return out, 0, fmt.Errorf("watch: %d ms are more than any interval: %w", d.ms, storage.ErrInvalid)
		}
		*d.to = time.Duration(d.ms) * time.Millisecond
	}
	for _, x := range w.Targets {
		target, err := readTarget(x)
		if err == nil && x.Device == "" {
			err = errNoTarget
		}
		if err != nil {
			return out, 0, err
		}
		out.Targets = append(out.Targets, target)
	}
	return out, storage.Tenant(w.Tenant), nil
}

var errNoTarget = fmt.Errorf("watch: a target names no device: %w", storage.ErrInvalid)

func stateOf(st monitor.Status) *v1.WatchState {
	out := &v1.WatchState{
		Runs: st.Runs, Polls: st.Polls, Failures: st.Failures, Streak: st.Streak, Error: st.Error,
		TookMs: uint64(st.Took / int64(time.Millisecond)), IntervalMs: uint64(st.Interval.Milliseconds()),
	}
	if st.Last != 0 {
		out.Last = moment(st.Last)
	}
	if st.Good != 0 {
		out.LastGood = moment(st.Good)
	}
	if st.Runs {
		out.Next = moment(st.Next.UnixNano())
	}
	return out
}
