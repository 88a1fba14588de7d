package tenant

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// AdminName is the account that the first start creates.
const AdminName = "admin"

// Organization is one to exist from the start.
type Organization struct {
	Slug, Name string
	Demo       bool // made for the demo, and removed with it
}

// Accounts is where the first start creates what is missing: storage/meta. One goroutine uses it during start.
type Accounts interface {
	TenantBySlug(ctx context.Context, slug string) (storage.Tenant, error)
	CreateTenant(ctx context.Context, slug, name string) (storage.Tenant, error)
	CreateDemoTenant(ctx context.Context, slug, name string) (storage.Tenant, error)
	WasRemoved(ctx context.Context, slug string) (bool, error)
	HasUsers(ctx context.Context) (bool, error)
	CreateUser(ctx context.Context, u meta.User, password string) error
}

// Started is what there is after Start.
type Started struct {
	Tenants  map[string]storage.Tenant // by slug
	Removed  []string                  // slugs that were asked for and are not made again, since somebody removed them
	Password string                    // of AdminName, if this start created it; it cannot be read again
}

// Start creates the organizations that do not exist yet, but for those that somebody has removed, and, when there is no user at all, AdminName with a password
// drawn from random. It can be repeated after a crash.
func Start(ctx context.Context, db Accounts, random io.Reader, orgs []Organization) (Started, error) {
	s := Started{Tenants: map[string]storage.Tenant{}}
	for _, o := range orgs {
		t, err := db.TenantBySlug(ctx, o.Slug)
		if errors.Is(err, storage.ErrNotFound) {
			removed := false
			if removed, err = db.WasRemoved(ctx, o.Slug); removed {
				s.Removed = append(s.Removed, o.Slug)
				continue
			}
			create := db.CreateTenant
			if o.Demo {
				create = db.CreateDemoTenant
			}
			if err == nil {
				t, err = create(ctx, o.Slug, o.Name)
			}
		}
		if err != nil {
			return Started{}, fmt.Errorf("start: %w", err)
		}
		s.Tenants[o.Slug] = t
	}
	if has, err := db.HasUsers(ctx); err != nil || has {
		return s, err
	}
	password, err := newPassword(random)
	if err != nil {
		return Started{}, fmt.Errorf("start: %w", err)
	}
	if err := db.CreateUser(ctx, meta.User{Name: AdminName, Role: storage.RoleAdmin}, password); err != nil {
		return Started{}, fmt.Errorf("start: %w", err)
	}
	s.Password = password
	return s, nil
}

// newPassword returns 100 random bits as four groups of five letters and digits, to be typed from a screen.
func newPassword(random io.Reader) (string, error) {
	var b [13]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw password: %w", err)
	}
	s := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:20], nil
}
