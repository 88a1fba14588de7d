package api

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
)

type authService struct {
	*API
	vedettev1connect.UnimplementedAuthServiceHandler
}

func (s authService) SignIn(ctx context.Context, req *connect.Request[v1.SignInRequest]) (*connect.Response[v1.SignInResponse], error) {
	if len(req.Msg.Name) > MaxUserNameBytes {
		return nil, fmt.Errorf("sign in: %w", storage.ErrUnauthorized)
	}
	p, err := s.cfg.DB.Authenticate(ctx, req.Msg.Name, req.Msg.Password)
	if err != nil {
		return nil, err
	}
	token, err := s.cfg.DB.CreateSession(ctx, p)
	if err != nil {
		return nil, err
	}
	resp := connect.NewResponse(&v1.SignInResponse{Token: token, User: userOf(p)})
	resp.Header().Add("Set-Cookie", s.cookie(token, 0).String())
	return resp, nil
}

func (s authService) SignOut(ctx context.Context, req *connect.Request[v1.SignOutRequest]) (*connect.Response[v1.SignOutResponse], error) {
	if _, err := s.Principal(ctx, req.Header()); err != nil {
		return nil, err
	}
	if err := s.cfg.DB.EndSession(ctx, sessionToken(req.Header())); err != nil {
		return nil, err
	}
	resp := connect.NewResponse(&v1.SignOutResponse{})
	resp.Header().Add("Set-Cookie", s.cookie("", -1).String())
	return resp, nil
}

func (s authService) WhoAmI(ctx context.Context, req *connect.Request[v1.WhoAmIRequest]) (*connect.Response[v1.WhoAmIResponse], error) {
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.WhoAmIResponse{User: userOf(p), Permissions: tenant.Permissions(p.Role)}), nil
}

func (s authService) ChangePassword(ctx context.Context, req *connect.Request[v1.ChangePasswordRequest]) (*connect.Response[v1.ChangePasswordResponse], error) {
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	err = s.cfg.DB.ChangePassword(ctx, p.User, req.Msg.OldPassword, req.Msg.NewPassword, sessionToken(req.Header()))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.ChangePasswordResponse{}), nil
}

// cookie ends with the browser's session; the host's own session ends earlier or later on its own.
func (s authService) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: CookieName, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.cfg.Secure, SameSite: http.SameSiteStrictMode,
	}
}

func userOf(p storage.Principal) *v1.User {
	return &v1.User{Name: p.User, Role: string(p.Role), Tenants: numbers(p.Tenants)}
}

func numbers(ts []storage.Tenant) []uint32 {
	out := make([]uint32, len(ts))
	for i, t := range ts {
		out[i] = uint32(t)
	}
	return out
}
