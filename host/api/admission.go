package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type admissionService struct {
	*API
	vedettev1connect.UnimplementedAdmissionServiceHandler
}

// mayGrant reports whether a principal may give a module of t a capability.
func mayGrant(p storage.Principal, t storage.Tenant) bool {
	if t == storage.NoTenant {
		return tenant.Authorize(p, tenant.ManageGlobal, t) == nil
	}
	return tenant.Authorize(p, tenant.Grant, t) == nil
}

func (s admissionService) ListInstallRequests(ctx context.Context, req *connect.Request[v1.ListInstallRequestsRequest]) (*connect.Response[v1.ListInstallRequestsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.ListInstallRequests(ctx, p, req.Msg.All, int(req.Msg.Limit))
	if err != nil {
		return nil, err
	}
	out, manifests := &v1.ListInstallRequestsResponse{}, s.manifests(ctx)
	for i := range list {
		out.Requests = append(out.Requests, s.request(&list[i], manifests))
	}
	return connect.NewResponse(out), nil
}

// manifests returns what reads manifests for one answer, each package once and at most MaxDescribedPackages: reading one
// verifies all its bytes. It returns nil for a package that is not here any more, or beyond the limit.
func (s admissionService) manifests(ctx context.Context) func(storage.Tenant, string) *manifest.Manifest {
	type key struct {
		tenant storage.Tenant
		digest string
	}
	known := map[key]*manifest.Manifest{}
	return func(t storage.Tenant, digest string) *manifest.Manifest {
		k := key{t, digest}
		if m, ok := known[k]; ok || len(known) >= MaxDescribedPackages {
			return m
		}
		known[k] = nil
		if pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(digest)); err == nil {
			known[k] = &pkg.Manifest
		}
		return known[k]
	}
}

// request describes a request; reasons come from the package, when it is still here.
func (s admissionService) request(r *meta.InstallRequest, manifests func(storage.Tenant, string) *manifest.Manifest) *v1.InstallRequest {
	out := &v1.InstallRequest{
		Id: r.ID, Tenant: uint32(r.Tenant), Module: r.Module, Version: r.Version, Digest: r.Digest, Missing: r.Missing, Who: r.Who,
		At: timestamppb.New(time.Unix(0, r.At)), State: string(r.State), Decider: r.Decider, Note: r.Note,
	}
	if r.Decided != 0 {
		out.Decided = timestamppb.New(time.Unix(0, r.Decided))
	}
	reasons := map[string]string{}
	if m := manifests(r.Tenant, r.Digest); m != nil {
		out.Kind = string(m.Kind)
		for _, c := range m.Capabilities {
			reasons[c.ID] = c.Reason
		}
	}
	for _, id := range r.Asks {
		capability, _, _ := strings.Cut(id, ":") // the rest names a table
		out.Asks = append(out.Asks, &v1.CapabilityRequest{Id: id, Reason: reasons[capability]})
	}
	if slot, ok := s.cfg.Pipeline.Generation().Running.Layer(r.Tenant).Slots[r.Module]; ok {
		if m := manifests(r.Tenant, slot.Current.Digest); m != nil {
			out.Running = m.Version
		}
	}
	return out
}

func (s admissionService) DecideInstallRequest(ctx context.Context, req *connect.Request[v1.DecideInstallRequestRequest]) (*connect.Response[v1.DecideInstallRequestResponse], error) {
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	r, err := s.cfg.DB.InstallRequest(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	if !mayGrant(p, r.Tenant) {
		return nil, fmt.Errorf("%s: %s as %s: %w", tenant.Grant, p.User, p.Role, storage.ErrForbidden)
	}
	if req.Msg.Approve {
		err = s.cfg.Modules.Approve(ctx, p, r.ID, req.Msg.Note)
	} else {
		err = s.cfg.Modules.Reject(ctx, p, r.ID, req.Msg.Note)
	}
	if err != nil {
		return nil, err
	}
	if r, err = s.cfg.DB.InstallRequest(ctx, p, r.ID); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.DecideInstallRequestResponse{Request: s.request(&r, s.manifests(ctx))}), nil
}

func (s admissionService) SaveCase(ctx context.Context, req *connect.Request[v1.SaveCaseRequest]) (*connect.Response[v1.SaveCaseResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Incident)
	if err != nil {
		return nil, err
	}
	for _, needed := range []tenant.Action{tenant.ReadEvents, tenant.ManageModules} {
		if err := tenant.Authorize(p, needed, in.Tenant); err != nil {
			return nil, err
		}
	}
	if req.Msg.Shared {
		if err := tenant.Authorize(p, tenant.ManageGlobal, storage.NoTenant); err != nil {
			return nil, err
		}
	}
	p.Tenants = []storage.Tenant{in.Tenant}
	c, err := s.cfg.Modules.SaveCase(ctx, p, in.ID, req.Msg.Shared)
	if errors.Is(err, replay.ErrCannot) {
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SaveCaseResponse{Case: caseOf(&c)}), nil
}

func (s admissionService) ListCases(ctx context.Context, req *connect.Request[v1.ListCasesRequest]) (*connect.Response[v1.ListCasesResponse], error) {
	if _, err := (moduleService{API: s.API}).changer(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.ModuleCases(ctx, storage.Tenant(req.Msg.Tenant), req.Msg.Module)
	if err != nil {
		return nil, err
	}
	out := &v1.ListCasesResponse{}
	for i := range list {
		out.Cases = append(out.Cases, caseOf(&list[i]))
	}
	return connect.NewResponse(out), nil
}

func (s admissionService) DeleteCase(ctx context.Context, req *connect.Request[v1.DeleteCaseRequest]) (*connect.Response[v1.DeleteCaseResponse], error) {
	if _, err := (moduleService{API: s.API}).changer(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	if err := s.cfg.DB.DeleteModuleCase(ctx, storage.Tenant(req.Msg.Tenant), req.Msg.Id); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.DeleteCaseResponse{}), nil
}

func caseOf(c *meta.ModuleCase) *v1.Case {
	return &v1.Case{
		Id: c.ID, Tenant: uint32(c.Tenant), Module: c.Module, Rule: c.Rule, Incident: c.Incident, Title: c.Title, Who: c.Who,
		At: timestamppb.New(time.Unix(0, c.At)),
	}
}
