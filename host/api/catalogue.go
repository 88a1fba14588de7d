package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// reads returns who asks for what an organization, or with 0 everybody, finds in the registry, if they may.
func (s registryService) reads(ctx context.Context, h map[string][]string, on uint32) (storage.Principal, error) {
	if on == 0 {
		return s.host(ctx, h, tenant.ManageGlobal)
	}
	return s.one(ctx, h, tenant.ReadModules, on)
}

func (s registryService) ListPackages(ctx context.Context, req *connect.Request[v1.ListPackagesRequest]) (*connect.Response[v1.ListPackagesResponse], error) {
	p, err := s.reads(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	list, err := s.cfg.Registry.Layout().In(registry.Namespace(t)).List(ctx)
	if err != nil {
		return nil, err
	}
	remote := s.elsewhere(list)
	all := slices.Concat(list, remote)
	slices.SortStableFunc(all, registry.CompareEntries)
	runs := s.running(p)
	out := &v1.ListPackagesResponse{}
	described := map[string]bool{} // modules whose newest version is
	for i := range all {
		e := &all[i]
		name := e.Ref.Module()
		if req.Msg.Module != "" && name != req.Msg.Module {
			continue
		}
		x := s.entry(e)
		x.Running, x.Runs, x.Remote = s.runs(t, e), runs[e.Digest], e.Kind == ""
		if !x.Remote && (!described[name] || x.Running || x.Runs > 0) {
			described[name] = true
			if err := s.describe(ctx, t, e.Digest, x); err != nil {
				return nil, err
			}
		}
		out.Packages = append(out.Packages, x)
	}
	return connect.NewResponse(out), nil
}

// elsewhere lists what the signed index of the remote registry names and is not here. Nothing else is known of it.
func (s registryService) elsewhere(here []registry.Entry) (out []registry.Entry) {
	known := s.cfg.Registry.Index()
	if s.cfg.Registry.Source().Remote == "" || known == nil || known.Index() == nil {
		return nil
	}
	have := map[registry.Ref]bool{}
	for i := range here {
		have[here[i].Ref] = true
	}
	for name, m := range known.Index().Modules {
		for version, v := range m.Versions {
			if ref, err := registry.ParseRef(name + ":" + version); err == nil && !have[ref] {
				out = append(out, registry.Entry{Ref: ref, Digest: v.Digest})
			}
		}
	}
	return out
}

// running counts for how many of the caller's organizations each version runs.
func (s registryService) running(p storage.Principal) map[registry.Digest]uint32 {
	out := map[registry.Digest]uint32{}
	running := s.cfg.Pipeline.Generation().Running
	shared := running.Layer(storage.NoTenant).Slots
	for _, t := range p.Tenants {
		layer := running.Layer(t)
		for _, slot := range layer.Slots {
			if !slot.Off {
				out[registry.Digest(slot.Current.Digest)]++
			}
		}
		for name, slot := range shared {
			if _, own := layer.Slots[name]; !own && !slot.Off && !layer.Off[name] {
				out[registry.Digest(slot.Current.Digest)]++
			}
		}
	}
	return out
}

// runs says that a version runs for an organization: its own, or the shared one where it has none.
func (s registryService) runs(t storage.Tenant, e *registry.Entry) bool {
	running := s.cfg.Pipeline.Generation().Running
	layer, name := running.Layer(t), e.Ref.Module()
	slot, own := layer.Slots[name]
	if !own {
		slot = running.Layer(storage.NoTenant).Slots[name]
	}
	return slot.Current.Digest == string(e.Digest) && !slot.Off && !layer.Off[name]
}

// entry describes a version by what the listing and the signed index say.
func (s registryService) entry(e *registry.Entry) *v1.RegistryPackage {
	out := &v1.RegistryPackage{Reference: e.Ref.String(), Digest: string(e.Digest), Kind: string(e.Kind), Title: e.Title, Tenant: uint32(e.Namespace)}
	known := s.cfg.Registry.Index()
	if known == nil || known.Index() == nil {
		return out
	}
	standing := known.Index().Standing(e.Ref, e.Digest)
	out.Reason, out.Replacement = standing.Reason, standing.Replacement
	switch {
	case standing.Revoked:
		out.Standing = "revoked"
	case standing.Yanked:
		out.Standing = "yanked"
	case standing.Deprecated:
		out.Standing = "deprecated"
	case standing.Listed:
		out.Standing = "listed"
	}
	if standing.Listed {
		out.Channels = channels(known.Index(), e.Ref)
	}
	return out
}

func channels(x *index.Index, ref registry.Ref) (out []string) {
	m := x.Modules[ref.Module()]
	if m == nil {
		return nil
	}
	for _, c := range slices.Sorted(maps.Keys(m.Channels)) {
		if m.Channels[c] == ref.Version {
			out = append(out, string(c))
		}
	}
	return out
}

// describe adds what is known of a version that is here. One that was removed meanwhile stays as it is.
func (s registryService) describe(ctx context.Context, t storage.Tenant, d registry.Digest, x *v1.RegistryPackage) error {
	v, capabilities, err := s.cfg.Registry.Stored(ctx, t, d)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	x.Trust, x.Capabilities, x.Shipped = trustOf(&v), capabilities, s.cfg.Modules.Shipped(string(d))
	x.Conformance, err = s.conformance(ctx, t, d)
	return err
}

// conformance describes how a version keeps to the ABI; nil when its package is no longer here.
func (a *API) conformance(ctx context.Context, t storage.Tenant, d registry.Digest) (*v1.Conformance, error) {
	c, err := a.cfg.Registry.Conformance(ctx, t, d)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil //nolint:nilnil // that there is nothing to say is no error
	}
	if err != nil {
		return nil, err
	}
	out := &v1.Conformance{Trouble: c.Trouble}
	if c.Checked != nil {
		out.Checked = reportOf(c.Checked, nil)
	}
	if c.Attested != nil {
		out.Attested = reportOf(&c.Attested.Conformance, c.Attested.By)
	}
	return out, nil
}

func reportOf(c *attest.Conformance, by []string) *v1.ConformanceReport {
	out := &v1.ConformanceReport{
		Level: int32(c.Level), Host: c.Host, Suite: c.Suite, At: moment(c.At.UnixNano()), Passed: uint32(c.Cases), Skipped: uint32(c.Skipped), By: by,
	}
	for _, f := range c.Failed {
		out.Failed = append(out.Failed, &v1.FailedRequirement{Id: f.ID, Text: f.Text, Detail: f.Detail})
	}
	return out
}

func (s registryService) GetPackage(ctx context.Context, req *connect.Request[v1.GetPackageRequest]) (*connect.Response[v1.GetPackageResponse], error) {
	p, err := s.reads(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	from := s.cfg.Registry.Layout().In(registry.Namespace(t))
	d, err := registry.ParseDigest(req.Msg.Reference)
	if err != nil {
		ref, bad := registry.ParseRef(req.Msg.Reference)
		if bad != nil {
			return nil, bad
		}
		if d, err = from.Resolve(ctx, ref); err != nil {
			return nil, err
		}
	}
	pkg, err := from.Package(ctx, d)
	if err != nil {
		return nil, err
	}
	list, err := from.List(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(e registry.Entry) bool { return e.Digest == d })
	if at < 0 {
		return nil, fmt.Errorf("package %s: %w", d.Short(), registry.ErrNotFound)
	}
	x := s.entry(&list[at])
	x.Running, x.Runs = s.runs(t, &list[at]), s.running(p)[d]
	if err := s.describe(ctx, t, d, x); err != nil {
		return nil, err
	}
	policies, err := s.cfg.Registry.Policies(ctx, t)
	if err != nil {
		return nil, err
	}
	out := contentOf(&pkg)
	out.Package, out.Statements = x, statementsOf(policy.Documents(policies, d, pkg.Referrers))
	return connect.NewResponse(out), nil
}

// contentOf describes what a package consists of.
func contentOf(pkg *layout.Package) *v1.GetPackageResponse {
	a := &pkg.Artifact
	out := &v1.GetPackageResponse{Manifest: string(a.ManifestBytes), Bytes: uint64(len(a.ManifestBytes) + len(a.Wasm))}
	for _, f := range slices.Concat(a.Documents, a.Vectors, a.Docs) {
		out.Bytes += uint64(len(f.Data))
	}
	for _, f := range a.Documents {
		out.Documents = append(out.Documents, f.Path)
	}
	for _, f := range a.Vectors {
		out.Vectors = append(out.Vectors, f.Path)
	}
	for _, f := range a.Docs {
		if f.Path == "README.md" {
			out.Readme = string(bytes.ToValidUTF8(f.Data[:min(len(f.Data), MaxReadmeBytes)], nil))
		}
	}
	for _, c := range a.Manifest.Capabilities {
		asked := &v1.AskedCapability{Id: c.ID, Reason: c.Reason}
		for _, t := range c.Targets {
			asked.Targets = append(asked.Targets, t.Name)
		}
		out.Asks = append(out.Asks, asked)
	}
	return out
}

// words of the types of documents.
var statementKinds = map[string]string{
	layout.TypeSignature: "signature", layout.TypeSBOM: "sbom", layout.TypeProvenance: "provenance", layout.TypeConformance: "conformance",
}

func statementsOf(list []policy.Document) (out []*v1.PackageStatement) {
	for i := range list {
		x := &list[i]
		s := &v1.PackageStatement{Digest: string(x.Digest), Kind: statementKinds[x.Type], Signers: x.Signers}
		for _, id := range x.Unknown {
			s.Unknown = append(s.Unknown, string(id))
		}
		if x.Problem != nil {
			s.Problem = x.Problem.Error()
		}
		switch {
		case x.Release != nil:
			s.Content = &v1.PackageStatement_Release{Release: &v1.ReleaseStatement{Signed: moment(x.Release.Signed.UnixNano()), Audience: x.Release.Audience}}
		case x.Bill != nil:
			s.Content = &v1.PackageStatement_Sbom{Sbom: billOf(x.Bill)}
		case x.Build != nil:
			s.Content = &v1.PackageStatement_Provenance{Provenance: buildOf(x.Build)}
		case x.Report != nil:
			s.Content = &v1.PackageStatement_Conformance{Conformance: reportOf(x.Report, x.Signers)}
		}
		out = append(out, s)
	}
	return out
}

func billOf(b *attest.Bill) *v1.SoftwareBill {
	out := &v1.SoftwareBill{Format: b.Format}
	for _, p := range b.Parts[:min(len(b.Parts), MaxStatementParts)] {
		out.Components = append(out.Components, &v1.SoftwareComponent{Kind: p.Kind, Name: p.Name, Version: p.Version, Purl: p.PURL})
	}
	return out
}

func buildOf(b *attest.Build) *v1.BuildStatement {
	out := &v1.BuildStatement{Builder: b.Builder, Source: b.Source, SourceDigest: b.SourceDigest}
	for _, tool := range slices.Sorted(maps.Keys(b.Toolchain)) {
		out.Toolchain = append(out.Toolchain, tool+" "+b.Toolchain[tool])
	}
	for _, m := range b.Materials[:min(len(b.Materials), MaxStatementParts)] {
		out.Materials = append(out.Materials, &v1.SoftwareMaterial{Uri: m.URI, Digest: m.Digest})
	}
	return out
}

func (s registryService) FetchPackage(ctx context.Context, req *connect.Request[v1.FetchPackageRequest]) (*connect.Response[v1.FetchPackageResponse], error) {
	if _, err := (moduleService{API: s.API}).changer(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	pkg, err := s.cfg.Registry.Fetch(ctx, t, req.Msg.Reference)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", req.Msg.Reference, err)
	}
	var file bytes.Buffer
	if err := s.cfg.Registry.Layout().In(registry.Namespace(t)).Archive(ctx, &file, []registry.Digest{pkg.Digest}, nil); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.FetchPackageResponse{Package: file.Bytes()}), nil
}
