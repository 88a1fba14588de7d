package api

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type tenantService struct{ *API }

func (s tenantService) ListTenants(ctx context.Context, req *connect.Request[v1.ListTenantsRequest]) (*connect.Response[v1.ListTenantsResponse], error) {
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.ListTenants(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.ListTenantsResponse{}
	for _, o := range list {
		out.Tenants = append(out.Tenants, &v1.Tenant{Id: uint32(o.Tenant), Slug: o.Slug, Name: o.Name})
	}
	return connect.NewResponse(out), nil
}

func (s tenantService) CreateTenant(ctx context.Context, req *connect.Request[v1.CreateTenantRequest]) (*connect.Response[v1.CreateTenantResponse], error) {
	if _, err := s.host(ctx, req.Header(), tenant.ManageTenants); err != nil {
		return nil, err
	}
	t, err := s.cfg.DB.CreateTenant(ctx, req.Msg.Slug, req.Msg.Name)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.CreateTenantResponse{Tenant: &v1.Tenant{Id: uint32(t), Slug: req.Msg.Slug, Name: req.Msg.Name}}), nil
}

func (s tenantService) ListUsers(ctx context.Context, req *connect.Request[v1.ListUsersRequest]) (*connect.Response[v1.ListUsersResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadUsers, nil)
	if err != nil {
		return nil, err
	}
	users, err := s.cfg.DB.ListUsers(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.ListUsersResponse{}
	for _, u := range users {
		out.Users = append(out.Users, accountOf(u))
	}
	return connect.NewResponse(out), nil
}

func (s tenantService) CreateUser(ctx context.Context, req *connect.Request[v1.CreateUserRequest]) (*connect.Response[v1.CreateUserResponse], error) {
	if _, err := s.host(ctx, req.Header(), tenant.ManageUsers); err != nil {
		return nil, err
	}
	u := meta.User{Name: req.Msg.Name, Role: storage.Role(req.Msg.Role), Tenant: storage.Tenant(req.Msg.Tenant)}
	if err := s.cfg.DB.CreateUser(ctx, u, req.Msg.Password); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.CreateUserResponse{User: accountOf(u)}), nil
}

func (s tenantService) CreateIngestToken(ctx context.Context, req *connect.Request[v1.CreateIngestTokenRequest]) (*connect.Response[v1.CreateIngestTokenResponse], error) {
	if _, err := s.one(ctx, req.Header(), tenant.ManageTokens, req.Msg.Tenant); err != nil {
		return nil, err
	}
	token, err := s.cfg.DB.CreateIngestToken(ctx, storage.Tenant(req.Msg.Tenant), req.Msg.Name)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.CreateIngestTokenResponse{Token: token}), nil
}

func (s tenantService) ListIngestTokens(ctx context.Context, req *connect.Request[v1.ListIngestTokensRequest]) (*connect.Response[v1.ListIngestTokensResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ManageTokens, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	tokens, err := s.cfg.DB.ListIngestTokens(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.ListIngestTokensResponse{}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, &v1.IngestToken{Tenant: uint32(t.Tenant), Name: t.Name, Created: moment(t.Created), Revoked: moment(t.Revoked)})
	}
	return connect.NewResponse(out), nil
}

func (s tenantService) RevokeIngestToken(ctx context.Context, req *connect.Request[v1.RevokeIngestTokenRequest]) (*connect.Response[v1.RevokeIngestTokenResponse], error) {
	if _, err := s.one(ctx, req.Header(), tenant.ManageTokens, req.Msg.Tenant); err != nil {
		return nil, err
	}
	if err := s.cfg.DB.RevokeIngestToken(ctx, storage.Tenant(req.Msg.Tenant), req.Msg.Name); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RevokeIngestTokenResponse{}), nil
}

// defaultWebhook is the name of a webhook that was given none.
const defaultWebhook = "default"

func (s tenantService) SetWebhook(ctx context.Context, req *connect.Request[v1.SetWebhookRequest]) (*connect.Response[v1.SetWebhookResponse], error) {
	if _, err := s.one(ctx, req.Header(), tenant.ManageWebhooks, req.Msg.Tenant); err != nil {
		return nil, err
	}
	t, name := storage.Tenant(req.Msg.Tenant), req.Msg.Name
	if name == "" {
		name = defaultWebhook
	}
	var err error
	if req.Msg.Url == "" {
		if err = s.cfg.DB.RemoveWebhook(ctx, t, name); errors.Is(err, storage.ErrNotFound) {
			err = nil // it ends what may have ended already
		}
	} else {
		err = s.cfg.DB.PutWebhook(ctx, t, meta.Webhook{Name: name, URL: req.Msg.Url, Secret: req.Msg.Secret, Enabled: true})
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetWebhookResponse{}), nil
}

func (s tenantService) ListWebhooks(ctx context.Context, req *connect.Request[v1.ListWebhooksRequest]) (*connect.Response[v1.ListWebhooksResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ManageWebhooks, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	hooks, err := s.cfg.DB.ListWebhooks(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &v1.ListWebhooksResponse{}
	for _, w := range hooks {
		out.Webhooks = append(out.Webhooks, &v1.Webhook{Tenant: uint32(w.Tenant), Name: w.Name, Url: w.URL, Enabled: w.Enabled})
	}
	return connect.NewResponse(out), nil
}

func accountOf(u meta.User) *v1.User {
	out := &v1.User{Name: u.Name, Role: string(u.Role), Disabled: u.Disabled}
	if u.Tenant != storage.NoTenant {
		out.Tenants = []uint32{uint32(u.Tenant)}
	}
	return out
}
