package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/storage"
)

// CookieName is the cookie that carries a browser's session.
const CookieName = "vedette_session"

// Principal returns who a request with these headers comes from: "Authorization: Bearer SESSION", or else the session
// cookie. Role and organizations are those of this moment. The error wraps storage.ErrUnauthorized.
func (a *API) Principal(ctx context.Context, h http.Header) (storage.Principal, error) {
	token := sessionToken(h)
	if token == "" || len(token) > tenant.MaxTokenBytes {
		return storage.Principal{}, fmt.Errorf("no session: %w", storage.ErrUnauthorized)
	}
	return a.cfg.DB.PrincipalOf(ctx, token)
}

func sessionToken(h http.Header) string {
	if auth := h.Get("Authorization"); auth != "" {
		scheme, token, _ := strings.Cut(auth, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token)
		}
		return ""
	}
	c, err := (&http.Request{Header: h}).Cookie(CookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// host returns who asks to do an action on the host as a whole, if they may.
func (a *API) host(ctx context.Context, h http.Header, action tenant.Action) (storage.Principal, error) {
	return a.one(ctx, h, action, uint32(storage.NoTenant))
}

// one returns who asks to do an action on one organization, narrowed to it, if they may. Organization 0 is the host.
func (a *API) one(ctx context.Context, h http.Header, action tenant.Action, on uint32) (storage.Principal, error) {
	p, err := a.Principal(ctx, h)
	if err != nil {
		return p, err
	}
	if err := tenant.Authorize(p, action, storage.Tenant(on)); err != nil {
		return storage.Principal{}, err
	}
	if on != 0 {
		p.Tenants = []storage.Tenant{storage.Tenant(on)}
	}
	return p, nil
}

// some returns who asks to do an action on several organizations, narrowed to them; on none named, to all that the
// caller has. One that the caller may not act on refuses the whole request.
func (a *API) some(ctx context.Context, h http.Header, action tenant.Action, on []uint32) (storage.Principal, error) {
	p, err := a.Principal(ctx, h)
	if err != nil {
		return p, err
	}
	return Narrow(p, action, on)
}

// Narrow limits a principal to the organizations named, or to all that it has when none is. The error wraps
// storage.ErrForbidden when one of them is not its own or the action is not allowed there.
func Narrow(p storage.Principal, action tenant.Action, on []uint32) (storage.Principal, error) {
	if len(on) > MaxRequestedTenants {
		return storage.Principal{}, fmt.Errorf("%d organizations named, the limit is %d: %w", len(on), MaxRequestedTenants, storage.ErrExhausted)
	}
	wanted := p.Tenants
	if len(on) > 0 {
		wanted = make([]storage.Tenant, len(on))
		for i, t := range on {
			wanted[i] = storage.Tenant(t)
		}
		slices.Sort(wanted)
		wanted = slices.Compact(wanted)
	}
	for _, t := range wanted {
		if err := tenant.Authorize(p, action, t); err != nil {
			return storage.Principal{}, err
		}
	}
	p.Tenants = wanted
	return p, nil
}
