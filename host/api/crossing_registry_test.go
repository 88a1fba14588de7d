package api_test

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func init() { maps.Copy(crossings, registryCrossings) }

// registryCrossings are those of the host's registry and of whom it trusts.
var registryCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.RegistryService.ListPackages": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.registry.ListPackages(ctx, req(&v1.ListPackagesRequest{Tenant: w.alpha}))
		return err == nil && slices.ContainsFunc(r.Msg.Packages, func(p *v1.RegistryPackage) bool { return p.Tenant == w.alpha && p.Reference == "crossing/errors:1.0.0" }), err
	}},
	"vedette.v1.RegistryService.GetPackage": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.registry.GetPackage(ctx, req(&v1.GetPackageRequest{Tenant: w.alpha, Reference: "crossing/errors:1.0.0"}))
		return err == nil && r.Msg.Package.Reference == "crossing/errors:1.0.0" && len(r.Msg.Documents) > 0 && r.Msg.Bytes > 0, err
	}},
	"vedette.v1.RegistryService.FetchPackage": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.registry.FetchPackage(ctx, req(&v1.FetchPackageRequest{Tenant: w.alpha, Reference: "crossing/errors:1.0.0"}))
		if err != nil {
			return false, err
		}
		p, err := layout.ImportPackage(bytes.NewReader(r.Msg.Package))
		return err == nil && p.Artifact.Manifest.Reference() == "crossing/errors:1.0.0", err
	}},
	"vedette.v1.RegistryService.GetTrustPolicy": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if _, err := u.registry.SetTrustPolicy(ctx, req(&v1.SetTrustPolicyRequest{Tenant: w.alpha})); err != nil {
			return false, err
		}
		r, err := u.registry.GetTrustPolicy(ctx, req(&v1.GetTrustPolicyRequest{Tenant: w.alpha}))
		return err == nil && r.Msg.Policy.Version > 0 && r.Msg.Policy.Who == u.name, err
	}},
	"vedette.v1.RegistryService.SetTrustPolicy": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		strict := "version: 1\nscopes:\n  - {name: nobody, modules: [\"elsewhere/*\"], level: unsigned-allowed}\n"
		r, err := u.registry.SetTrustPolicy(ctx, req(&v1.SetTrustPolicyRequest{Tenant: w.alpha, Document: strict, DryRun: true}))
		if err != nil {
			return false, err
		}
		wrong, err := u.registry.SetTrustPolicy(ctx, req(&v1.SetTrustPolicyRequest{Tenant: w.alpha, Document: "version: 1\nscopse: []\n"}))
		return err == nil && len(r.Msg.Stops) > 0 && len(r.Msg.Verdicts) > 0 && !r.Msg.Verdicts[0].Trust.Allowed && r.Msg.Version == 0 && len(wrong.Msg.Problems) > 0 && wrong.Msg.Problems[0].Line == 2 && wrong.Msg.Version == 0, err
	}},
	"vedette.v1.RegistryService.CollectPackages": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.registry.CollectPackages(ctx, req(&v1.CollectPackagesRequest{DryRun: true}))
		if connect.CodeOf(err) == connect.CodeUnavailable { // who may is told that there was no checkpoint yet
			return true, nil
		}
		return err == nil, err
	}},
	"vedette.v1.RegistryService.ExportPackages": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		tar, err := w.exportPackages(ctx, u)
		return len(tar) > 0, err
	}},
	"vedette.v1.RegistryService.ImportPackages": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		tar, err := w.exportPackages(ctx, w.admin)
		if err != nil {
			return false, err
		}
		stream := u.registry.ImportPackages(ctx)
		for at := 0; at < len(tar); at += 100 << 10 {
			if stream.Send(&v1.ImportPackagesRequest{Tenant: w.alpha, Data: tar[at:min(at+(100<<10), len(tar))]}) != nil {
				break // the answer says why
			}
		}
		r, err := stream.CloseAndReceive()
		return err == nil && len(r.Msg.Packages) > 0 && r.Msg.Packages[0].Trust.Allowed, err
	}},
}

func (w *world) exportPackages(ctx context.Context, u *who) (tar []byte, err error) {
	stream, err := u.registry.ExportPackages(ctx, req(&v1.ExportPackagesRequest{Tenant: w.alpha}))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for stream.Receive() {
		tar = append(tar, stream.Msg().Data...)
	}
	return tar, stream.Err()
}
