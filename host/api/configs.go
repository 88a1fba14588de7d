package api

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// blessed stands for the text that was declared right, in the place of a digest.
const blessed = "blessed"

// maxDiffBytes is the most of a difference that is shown.
const maxDiffBytes = 1 << 20

func (s monitorService) ListConfigs(ctx context.Context, req *connect.Request[v1.ListConfigsRequest]) (*connect.Response[v1.ListConfigsResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadMonitors, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	var list []meta.ConfigVersion
	if req.Msg.Newest {
		list, err = s.cfg.DB.ListNewestConfigs(ctx, p, int(req.Msg.Limit))
	} else {
		list, err = s.cfg.DB.ListConfigs(ctx, p, req.Msg.Device, req.Msg.Name, int(req.Msg.Limit))
	}
	if err != nil {
		return nil, err
	}
	out := &v1.ListConfigsResponse{}
	for i := range list {
		out.Versions = append(out.Versions, configOf(&list[i]))
	}
	blessed, err := s.cfg.DB.ListBlessed(ctx, p, req.Msg.Device, req.Msg.Name)
	if err != nil {
		return nil, err
	}
	for _, b := range blessed {
		out.Blessed = append(out.Blessed, &v1.BlessedConfig{Tenant: uint32(b.Tenant), Device: b.Device, Name: b.Name, Digest: b.Digest, At: moment(b.At), Who: b.Who})
	}
	return connect.NewResponse(out), nil
}

func configOf(v *meta.ConfigVersion) *v1.ConfigVersion {
	return &v1.ConfigVersion{
		Tenant: uint32(v.Tenant), Device: v.Device, Name: v.Name, Digest: v.Digest, At: moment(v.At),
		Added: uint32(v.Added), Removed: uint32(v.Removed), Bytes: uint32(v.Size), Blessed: v.Blessed,
	}
}

func (s monitorService) GetConfig(ctx context.Context, req *connect.Request[v1.GetConfigRequest]) (*connect.Response[v1.GetConfigResponse], error) {
	m := req.Msg
	if _, err := s.one(ctx, req.Header(), tenant.ManageMonitors, m.Tenant); err != nil {
		return nil, err
	}
	digest, text, err := s.configText(ctx, storage.Tenant(m.Tenant), m.Device, m.Name, m.Digest)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.GetConfigResponse{Digest: digest, Text: text}), nil
}

// configText returns a text by its digest, the newest for "", or the one that was declared right.
func (s monitorService) configText(ctx context.Context, t storage.Tenant, device, name, digest string) (string, []byte, error) {
	switch digest {
	case "":
		v, text, err := s.cfg.DB.LatestConfig(ctx, t, device, name)
		return v.Digest, text, err
	case blessed:
		return s.cfg.DB.BlessedConfig(ctx, t, device, name)
	}
	text, err := s.cfg.DB.ConfigText(ctx, t, device, name, digest)
	return digest, text, err
}

func (s monitorService) DiffConfig(ctx context.Context, req *connect.Request[v1.DiffConfigRequest]) (*connect.Response[v1.DiffConfigResponse], error) {
	m := req.Msg
	p, err := s.one(ctx, req.Header(), tenant.ManageMonitors, m.Tenant)
	if err != nil {
		return nil, err
	}
	t := storage.Tenant(m.Tenant)
	to, now, err := s.configText(ctx, t, m.Device, m.Name, m.To)
	if err != nil {
		return nil, err
	}
	from, old := m.From, []byte(nil)
	switch {
	case m.FromName != "":
		from, old, err = s.configText(ctx, t, m.Device, m.FromName, m.From)
	case from == "":
		if from, err = s.configBefore(ctx, p, m.Device, m.Name, to); err == nil {
			old, err = s.cfg.DB.ConfigText(ctx, t, m.Device, m.Name, from)
		}
	default:
		from, old, err = s.configText(ctx, t, m.Device, m.Name, from)
	}
	if err != nil {
		return nil, err
	}
	d := texts.Diff(old, now, maxDiffBytes)
	return connect.NewResponse(&v1.DiffConfigResponse{From: from, To: to, Added: uint32(d.Added), Removed: uint32(d.Removed), Diff: d.Text, Cut: d.Cut}), nil
}

// configBefore returns the version before one.
func (s monitorService) configBefore(ctx context.Context, p storage.Principal, device, name, digest string) (string, error) {
	list, err := s.cfg.DB.ListConfigs(ctx, p, device, name, meta.MaxConfigVersions)
	if err != nil {
		return "", err
	}
	for i := range list {
		if list[i].Digest == digest && i+1 < len(list) {
			return list[i+1].Digest, nil
		}
	}
	return "", fmt.Errorf("%s of %s: there is no version before it: %w", name, device, storage.ErrNotFound)
}

func (s monitorService) BlessConfig(ctx context.Context, req *connect.Request[v1.BlessConfigRequest]) (*connect.Response[v1.BlessConfigResponse], error) {
	m := req.Msg
	p, err := s.one(ctx, req.Header(), tenant.ManageMonitors, m.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.DB.BlessConfig(ctx, storage.Tenant(m.Tenant), p.User, meta.Blessing{Device: m.Device, Name: m.Name, Digest: m.Digest, Text: m.Text, Reason: m.Reason})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.BlessConfigResponse{}), nil
}
