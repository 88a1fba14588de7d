package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Publishers as they are shown of what nobody has signed.
const (
	PublisherShipped  = "vedette (shipped)"
	PublisherUnsigned = "unsigned, local"
)

// trusted describes how far a version is trusted.
func (s moduleService) trusted(ctx context.Context, t storage.Tenant, digest string) (publisher string, trust *v1.Trust) {
	v, err := s.cfg.Modules.Trust(ctx, t, digest)
	if err != nil {
		return PublisherUnsigned, nil // its package is no longer here
	}
	publisher, trust = PublisherUnsigned, trustOf(&v)
	switch {
	case s.cfg.Modules.Shipped(digest):
		publisher = PublisherShipped
	case len(v.Signers) > 0:
		publisher = "signed by " + strings.Join(v.Signers, ", ")
	}
	return publisher, trust
}

func trustOf(v *policy.Verdict) *v1.Trust {
	out := &v1.Trust{Level: string(v.Level), Scope: v.Scope, Signers: v.Signers, Allowed: v.Allow}
	for _, r := range v.Reasons {
		out.Reasons = append(out.Reasons, &v1.TrustReason{Code: string(r.Code), Text: r.Text})
	}
	for _, r := range v.Warnings {
		out.Warnings = append(out.Warnings, &v1.TrustReason{Code: string(r.Code), Text: r.Text})
	}
	return out
}

type moduleService struct {
	*API
	vedettev1connect.UnimplementedModuleServiceHandler
}

func (s moduleService) ListModules(ctx context.Context, req *connect.Request[v1.ListModulesRequest]) (*connect.Response[v1.ListModulesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	gen := s.cfg.Pipeline.Generation()
	out := &v1.ListModulesResponse{}
	for _, t := range append([]storage.Tenant{storage.NoTenant}, p.Tenants...) {
		layer := gen.Running.Layer(t)
		for _, name := range slices.Sorted(maps.Keys(layer.Slots)) {
			out.Modules = append(out.Modules, s.module(ctx, gen, t, layer.Slots[name], p))
		}
		for _, name := range slices.Sorted(maps.Keys(layer.Off)) {
			if m := s.switchedOff(ctx, gen, t, name, p); m != nil {
				out.Modules = append(out.Modules, m)
			}
		}
	}
	return connect.NewResponse(out), nil
}

// switchedOff describes a shared module as an organization that has switched it off sees it; nil when the shared module
// is gone.
func (s moduleService) switchedOff(ctx context.Context, gen *module.Generation, t storage.Tenant, name string, p storage.Principal) *v1.Module {
	slot, ok := gen.Running.Layer(storage.NoTenant).Slots[name]
	if !ok {
		return nil
	}
	m := s.module(ctx, gen, storage.NoTenant, slot, p)
	m.Tenant, m.Enabled, m.Use = uint32(t), false, nil
	return m
}

// module describes what stands in a slot.
func (s moduleService) module(ctx context.Context, gen *module.Generation, t storage.Tenant, slot module.Slot, p storage.Principal) *v1.Module {
	in := slot.Current
	out := &v1.Module{
		Name: in.Name, Digest: in.Digest, Tenant: uint32(t), Enabled: !slot.Off, Generation: in.Seq, ActivatedAt: moment(in.At),
	}
	out.Publisher, out.Trust = s.trusted(ctx, t, in.Digest)
	out.Conformance, _ = s.conformance(ctx, t, registry.Digest(in.Digest)) // without it the module is shown all the same
	if m := loaded(gen, t, in.Name); m != nil {
		describe(out, &m.Manifest)
		if m.Code != nil {
			out.Imports, out.Instances = m.Code.Imports(), uint32(m.Code.Instances())
		}
	} else if pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(in.Digest)); err == nil {
		describe(out, &pkg.Manifest)
	}
	out.Resting = s.resting(gen, t, in.Name, p)
	if mayLookInto(p, t) {
		u := s.cfg.Pipeline.Use.OfInstall(t, in)
		out.Use = &v1.ModuleUse{Calls: u.Calls, Records: u.Records, Events: u.Events, Fuel: uint64(u.Fuel), Errors: u.Errors, LastError: u.LastError, Undone: slot.Reason}
		if slot.Off {
			out.Use.Suspended = slot.Why
		}
	}
	return out
}

// resting says why a module rests: of a shared one, for the first of the principal's organizations for which it does.
func (s moduleService) resting(gen *module.Generation, t storage.Tenant, name string, p storage.Principal) string {
	tenants, now := p.Tenants, s.cfg.Pipeline.Positions().LogTime
	if t != storage.NoTenant {
		tenants = []storage.Tenant{t}
	}
	for _, x := range tenants {
		if why := gen.Running.Resting(x, name, now); why != "" {
			return why
		}
	}
	return ""
}

// loaded returns a layer's module that runs, nil when it does not.
func loaded(gen *module.Generation, t storage.Tenant, name string) *module.Loaded {
	modules := gen.Modules(t)
	at, ok := slices.BinarySearchFunc(modules, name, func(m *module.Loaded, name string) int { return cmp.Compare(m.Name(), name) })
	if !ok {
		return nil
	}
	return modules[at]
}

func describe(out *v1.Module, m *manifest.Manifest) {
	out.Kind, out.Version, out.Title = string(m.Kind), m.Version, m.Title
	out.Capabilities = nil
	for _, c := range m.Capabilities {
		out.Capabilities = append(out.Capabilities, c.ID)
	}
}

// mayLookInto reports whether a principal may see what a module of a layer did: errors and log lines of a shared one
// come from the records of all organizations.
func mayLookInto(p storage.Principal, t storage.Tenant) bool {
	return t != storage.NoTenant || tenant.Authorize(p, tenant.ManageGlobal, storage.NoTenant) == nil
}

func (s moduleService) InstallModule(ctx context.Context, req *connect.Request[v1.InstallModuleRequest]) (*connect.Response[v1.InstallModuleResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	var pkg layout.Package
	if req.Msg.Reference == "" || len(req.Msg.Package) > 0 {
		if pkg, err = readPackage(req.Msg.Package); err != nil {
			return nil, fmt.Errorf("install: %w", err)
		}
	}
	t := storage.Tenant(req.Msg.Tenant)
	done, err := s.cfg.Modules.Install(ctx, Candidate{Tenant: t, Package: pkg, Reference: req.Msg.Reference, Settings: req.Msg.Settings, Grants: req.Msg.Grants, Who: p.User, Approver: mayGrant(p, t)})
	if err != nil {
		return nil, err
	}
	out := &v1.InstallModuleResponse{ReplacedDigest: done.Replaced, Cases: uint32(done.Cases), Waiting: done.Waiting, Missing: done.Missing, Warnings: done.Warnings, State: done.State}
	if done.Waiting == 0 {
		out.Module, out.Trust = s.current(ctx, t, done.Name, p), trustOf(&done.Trust)
	}
	return connect.NewResponse(out), nil
}

func (s moduleService) InstallSpec(ctx context.Context, req *connect.Request[v1.InstallSpecRequest]) (*connect.Response[v1.InstallSpecResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	if err := checkSamples(req.Msg.Samples); err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	t := storage.Tenant(req.Msg.Tenant)
	done, err := s.cfg.Modules.InstallSpec(ctx, Spec{
		Tenant: t, Name: req.Msg.Name, Version: req.Msg.Version, Text: []byte(req.Msg.Spec), Samples: req.Msg.Samples, Who: p.User,
	})
	if err != nil {
		return nil, err
	}
	out := &v1.InstallSpecResponse{ReplacedDigest: done.Replaced, Cases: uint32(done.Cases)}
	out.Module = s.current(ctx, t, done.Name, p)
	return connect.NewResponse(out), nil
}

func (s moduleService) ListModuleVersions(ctx context.Context, req *connect.Request[v1.ListModuleVersionsRequest]) (*connect.Response[v1.ListModuleVersionsResponse], error) {
	var own []uint32 // none: whoever reads modules reads the shared ones
	if req.Msg.Tenant != 0 {
		own = []uint32{req.Msg.Tenant}
	}
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, own)
	if err != nil {
		return nil, err
	}
	t, running := storage.Tenant(req.Msg.Tenant), s.cfg.Pipeline.Generation().Running
	slot, ok := running.Layer(t).Slots[req.Msg.Name]
	if !ok {
		return nil, fmt.Errorf("versions of %s: the organization has no such module of its own: %w", req.Msg.Name, storage.ErrNotFound)
	}
	out := &v1.ListModuleVersionsResponse{Versions: []*v1.ModuleVersion{s.version(ctx, t, slot.Current, p)}}
	out.Versions[0].Running = true
	for _, in := range slot.Previous {
		out.Versions = append(out.Versions, s.version(ctx, t, in, p))
	}
	if shared, ok := running.Shared(t, req.Msg.Name); ok {
		v := s.version(ctx, storage.NoTenant, shared, p)
		v.Shared = true
		out.Versions = append(out.Versions, v)
	}
	return connect.NewResponse(out), nil
}

// version describes an install of a layer.
func (s moduleService) version(ctx context.Context, t storage.Tenant, in module.Install, p storage.Principal) *v1.ModuleVersion {
	out := &v1.ModuleVersion{Digest: in.Digest, Generation: in.Seq, ActivatedAt: moment(in.At)}
	if pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(in.Digest)); err == nil {
		out.Version = pkg.Manifest.Version
	}
	if mayLookInto(p, t) {
		out.ActivatedBy = in.Who
	}
	return out
}

func (s moduleService) RollbackModule(ctx context.Context, req *connect.Request[v1.RollbackModuleRequest]) (*connect.Response[v1.RollbackModuleResponse], error) {
	m, err := s.change(ctx, req.Header(), module.Control{Kind: module.Rollback, Name: req.Msg.Name, To: req.Msg.Generation}, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	out := &v1.RollbackModuleResponse{Module: m}
	if m != nil {
		for _, c := range s.cfg.Pipeline.Carried(m.Generation) {
			out.State = append(out.State, c.String())
		}
	}
	return connect.NewResponse(out), nil
}

func (s moduleService) SetModuleEnabled(ctx context.Context, req *connect.Request[v1.SetModuleEnabledRequest]) (*connect.Response[v1.SetModuleEnabledResponse], error) {
	kind := module.Disable
	if req.Msg.Enabled {
		kind = module.Enable
	}
	m, err := s.change(ctx, req.Header(), module.Control{Kind: kind, Name: req.Msg.Name}, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetModuleEnabledResponse{Module: m}), nil
}

// change publishes a control record of the caller's and returns the module as it is then.
func (s moduleService) change(ctx context.Context, h map[string][]string, c module.Control, on uint32) (*v1.Module, error) {
	p, err := s.changer(ctx, h, on)
	if err != nil {
		return nil, err
	}
	c.Tenant, c.Who = storage.Tenant(on), p.User
	if err := s.cfg.Control.Control(ctx, c); err != nil {
		return nil, err
	}
	return s.current(ctx, c.Tenant, c.Name, p), nil
}

// changer returns who asks to change what an organization, or with 0 all of them, runs, if they may.
func (s moduleService) changer(ctx context.Context, h map[string][]string, on uint32) (storage.Principal, error) {
	if on == 0 {
		return s.host(ctx, h, tenant.ManageGlobal)
	}
	return s.one(ctx, h, tenant.ManageModules, on)
}

// current describes a module as it is for an organization now, nil when another change removed it meanwhile.
func (s moduleService) current(ctx context.Context, t storage.Tenant, name string, p storage.Principal) *v1.Module {
	gen := s.cfg.Pipeline.Generation()
	if slot, ok := gen.Running.Layer(t).Slots[name]; ok {
		return s.module(ctx, gen, t, slot, p)
	}
	if gen.Running.Layer(t).Off[name] {
		return s.switchedOff(ctx, gen, t, name, p)
	}
	if slot, ok := gen.Running.Layer(storage.NoTenant).Slots[name]; ok {
		return s.module(ctx, gen, storage.NoTenant, slot, p)
	}
	return nil
}

// lookInto returns the install that stands in a layer, for who may see what it did.
func (s moduleService) lookInto(ctx context.Context, h map[string][]string, gen *module.Generation, name string, t storage.Tenant) (module.Install, error) {
	var err error
	if t == storage.NoTenant {
		_, err = s.host(ctx, h, tenant.ManageGlobal)
	} else {
		_, err = s.one(ctx, h, tenant.ReadModules, uint32(t))
	}
	if err != nil {
		return module.Install{}, err
	}
	slot, ok := gen.Running.Layer(t).Slots[name]
	if !ok {
		return module.Install{}, fmt.Errorf("the organization has no such module of its own: %w", storage.ErrNotFound)
	}
	return slot.Current, nil
}

func (s moduleService) ModuleHistory(ctx context.Context, req *connect.Request[v1.ModuleHistoryRequest]) (*connect.Response[v1.ModuleHistoryResponse], error) {
	t, gen := storage.Tenant(req.Msg.Tenant), s.cfg.Pipeline.Generation()
	in, err := s.lookInto(ctx, req.Header(), gen, req.Msg.Name, t)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", req.Msg.Name, err)
	}
	out := &v1.ModuleHistoryResponse{}
	if m := loaded(gen, t, in.Name); m != nil && m.Code != nil {
		out.MemoryBytes = uint64(m.Code.Memory())
	}
	for _, m := range s.cfg.Pipeline.Use.HistoryOf(t, in) {
		out.Minutes = append(out.Minutes, &v1.ModuleMinute{
			At: moment(m.At), Calls: m.Calls, Records: m.Records, Events: m.Events, Fuel: uint64(m.Fuel), Errors: m.Errors, MemoryBytes: uint64(m.Memory),
		})
	}
	return connect.NewResponse(out), nil
}

func (s moduleService) ModuleLogs(ctx context.Context, req *connect.Request[v1.ModuleLogsRequest]) (*connect.Response[v1.ModuleLogsResponse], error) {
	t, gen := storage.Tenant(req.Msg.Tenant), s.cfg.Pipeline.Generation()
	in, err := s.lookInto(ctx, req.Header(), gen, req.Msg.Name, t)
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", req.Msg.Name, err)
	}
	if t != storage.NoTenant && sharedDigest(gen.Running, t, in.Digest) {
		// Lines are kept by digest: they may come from the records of the other one.
		if _, err := s.host(ctx, req.Header(), tenant.ManageGlobal); err != nil {
			return nil, fmt.Errorf("logs of %s: another organization runs the same version: %w", req.Msg.Name, err)
		}
	}
	out := &v1.ModuleLogsResponse{}
	for _, l := range s.cfg.Modules.Log(in.Digest, int(min(req.Msg.Limit, 1<<20))) {
		out.Lines = append(out.Lines, &v1.ModuleLogLine{At: moment(l.At.UnixNano()), Level: l.Level, Text: l.Text})
	}
	return connect.NewResponse(out), nil
}

// sharedDigest reports whether somebody beside t runs or could roll back to a digest.
func sharedDigest(r module.Running, t storage.Tenant, digest string) bool {
	same := func(i module.Install) bool { return i.Digest == digest }
	for _, other := range r.Tenants() {
		if other == t {
			continue
		}
		for _, slot := range r.Layer(other).Slots {
			if same(slot.Current) || slices.ContainsFunc(slot.Previous, same) {
				return true
			}
		}
	}
	return false
}

func (s moduleService) ListQuarantine(ctx context.Context, req *connect.Request[v1.ListQuarantineRequest]) (*connect.Response[v1.ListQuarantineResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadQuarantine, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	list, dropped, err := s.cfg.DB.ListQuarantine(ctx, p, req.Msg.Before, int(req.Msg.Limit))
	if err != nil {
		return nil, err
	}
	out := &v1.ListQuarantineResponse{Dropped: dropped}
	for _, q := range list {
		out.Records = append(out.Records, &v1.QuarantinedRecord{
			Number: q.ID, Tenant: uint32(q.Tenant), Position: q.Position.String(), Module: q.Module, Digest: q.Digest, Code: q.Code,
			Detail: q.Detail, Raw: q.Raw, At: moment(q.At),
		})
	}
	return connect.NewResponse(out), nil
}
