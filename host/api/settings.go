package api

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

func (s moduleService) GetModuleSettings(ctx context.Context, req *connect.Request[v1.GetModuleSettingsRequest]) (*connect.Response[v1.GetModuleSettingsResponse], error) {
	t, running := storage.Tenant(req.Msg.Tenant), s.cfg.Pipeline.Generation().Running
	if t == storage.NoTenant {
		if _, err := s.some(ctx, req.Header(), tenant.ReadModules, nil); err != nil {
			return nil, err
		}
	} else if _, err := s.one(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant); err != nil {
		return nil, err
	}
	slot, ok := running.Layer(t).Slots[req.Msg.Name]
	if !ok {
		slot.Current, ok = running.Shared(t, req.Msg.Name)
	}
	if !ok {
		return nil, fmt.Errorf("settings of %s: no such module runs: %w", req.Msg.Name, storage.ErrNotFound)
	}
	pkg, err := s.cfg.Packages.Pull(ctx, t, registry.Digest(slot.Current.Digest))
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", req.Msg.Name, err)
	}
	out := &v1.GetModuleSettingsResponse{Settings: settingsOf(&slot.Current), Schema: string(pkg.Manifest.Settings), Version: pkg.Manifest.Version}
	return connect.NewResponse(out), nil
}

func settingsOf(in *module.Install) string {
	if in.Settings == "" {
		return "{}"
	}
	return in.Settings
}

func (s moduleService) SetModuleSettings(ctx context.Context, req *connect.Request[v1.SetModuleSettingsRequest]) (*connect.Response[v1.SetModuleSettingsResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(req.Msg.Tenant)
	done, err := s.cfg.Modules.SetSettings(ctx, t, req.Msg.Name, req.Msg.Settings, p.User)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetModuleSettingsResponse{Module: s.current(ctx, t, req.Msg.Name, p), State: done.State}), nil
}
