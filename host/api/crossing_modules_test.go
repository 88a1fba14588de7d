package api_test

import (
	"context"
	"maps"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func init() { maps.Copy(crossings, moduleCrossings) }

// moduleCrossings are those of what tries parsers.
var moduleCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.ModuleService.PreviewModule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.PreviewModule(ctx, req(&v1.PreviewModuleRequest{Tenant: w.alpha, From: "unparsed"}))
		return err == nil && len(r.Msg.Results) > 0 && strings.Contains(string(r.Msg.Results[0].Raw), "crossing"), err
	}},
	"vedette.v1.ModuleService.ListModuleVersions": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.ListModuleVersions(ctx, req(&v1.ListModuleVersionsRequest{Name: "crossing/trap", Tenant: w.alpha}))
		return err == nil && len(r.Msg.Versions) == 1 && r.Msg.Versions[0].Running && r.Msg.Versions[0].ActivatedBy != "", err
	}},
	"vedette.v1.ModuleService.GetModuleSettings": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.GetModuleSettings(ctx, req(&v1.GetModuleSettingsRequest{Name: "crossing/trap", Tenant: w.alpha}))
		return err == nil && r.Msg.Settings == "{}" && r.Msg.Version != "", err
	}},
	"vedette.v1.ModuleService.SetModuleSettings": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.SetModuleSettings(ctx, req(&v1.SetModuleSettingsRequest{Name: "crossing/errors", Tenant: w.alpha, Settings: "{}"}))
		return err == nil && r.Msg.Module.Name == "crossing/errors", err
	}},
	"vedette.v1.ModuleService.ModuleHistory": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.ModuleHistory(ctx, req(&v1.ModuleHistoryRequest{Name: "crossing/trap", Tenant: w.alpha}))
		return err == nil && len(r.Msg.Minutes) > 0 && r.Msg.Minutes[0].Fuel > 0, err
	}},
	"vedette.v1.ModuleService.ListUnparsed": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.modules.ListUnparsed(ctx, req(&v1.ListUnparsedRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Shapes, (*v1.Shape).GetTenant), err
	}},
	"vedette.v1.ModuleService.SuggestSpec": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.SuggestSpec(ctx, req(&v1.SuggestSpecRequest{Samples: [][]byte{[]byte("door 7 opened by ada")}}))
		return err == nil && r.Msg.Spec != "" && u.name != w.ben.name, err // it knows nothing of any organization
	}},
	"vedette.v1.ModuleService.InstallSpec": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.modules.InstallSpec(ctx, req(&v1.InstallSpecRequest{Tenant: w.alpha, Name: "doors", Spec: doorSpec, Samples: [][]byte{[]byte("door 7 opened by ada")}}))
		return err == nil && r.Msg.Module.Name == "local/doors" && r.Msg.Cases == 1, err
	}},
	"vedette.v1.DemoService.LoadHostile": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.demo.LoadHostile(ctx, req(&v1.LoadHostileRequest{Tenant: w.alpha, Name: "endless-loop"}))
		if connect.CodeOf(err) == connect.CodeFailedPrecondition { // an admin is told that there is no demo here
			return true, nil
		}
		return false, err
	}},
}

const doorSpec = "framing: none\nprefix: crossing\nset: {event.dataset: crossing.door}\ntemplates:\n  - \"door {crossing.door:int} opened by {user.name:word}\"\n"
