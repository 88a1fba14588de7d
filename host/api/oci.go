package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/server"
	"github.com/vedette-siem/vedette/storage"
)

// OCI serves the OCI registry of the host below /v2/ as cfg says, to whoever signs in with a user's name and password, or
// with the token of a session in the password's place. A browser's cookie opens nothing here.
func (a *API) OCI(cfg server.Config) (http.Handler, error) {
	cfg.Authorize = a.registryAccess
	cfg.Failed = func(r *http.Request, err error) { a.cfg.Report(fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)) }
	s, err := server.New(cfg)
	if err != nil {
		return nil, err
	}
	return timeBody(s, RegistryBodyTimeout), nil
}

// registryAccess says what a request may do: what its user may in the console.
func (a *API) registryAccess(r *http.Request) (server.Access, error) {
	p, err := a.client(r)
	if errors.Is(err, storage.ErrUnauthorized) {
		return server.Access{}, server.ErrUnauthenticated
	}
	if err != nil {
		return server.Access{}, err
	}
	may := func(action tenant.Action, n registry.Namespace) bool {
		return tenant.Authorize(p, action, storage.Tenant(n)) == nil
	}
	global := may(tenant.ManageGlobal, registry.Shared)
	reads := global
	for _, t := range p.Tenants {
		reads = reads || may(tenant.ReadModules, registry.Namespace(t))
	}
	return server.Access{
		Reads: func(n registry.Namespace) bool {
			return n == registry.Shared && reads || n != registry.Shared && may(tenant.ReadModules, n)
		},
		Writes: func(n registry.Namespace) bool {
			return n == registry.Shared && global || n != registry.Shared && may(tenant.ManageModules, n)
		},
		Index: global,
	}, nil
}

// client returns who a client of the registry is.
func (a *API) client(r *http.Request) (storage.Principal, error) {
	name, password, basic := r.BasicAuth()
	switch {
	case !basic && r.Header.Get("Authorization") == "":
		return storage.Principal{}, fmt.Errorf("sign in: %w", storage.ErrUnauthorized)
	case !basic:
		return a.Principal(r.Context(), r.Header)
	case len(password) <= tenant.MaxTokenBytes && strings.HasPrefix(password, sessionPrefix):
		return a.cfg.DB.PrincipalOf(r.Context(), password)
	}
	return a.clients.principal(r.Context(), a, name, password)
}

// sessionPrefix begins the tokens of sessions.
const sessionPrefix = "vds_"

// clients remembers the sessions of those that send a password with every request, since checking one takes 20 MiB and a
// tenth of a second. A session ends by itself, and when its user is disabled or has another password.
type clients struct {
	turn chan struct{} // of who checks a password: requests of one client come several at a time
	salt [32]byte      // keeps what is remembered useless elsewhere

	mu sync.Mutex
	by map[[sha256.Size]byte]string // tokens
}

func newClients() *clients {
	c := &clients{turn: make(chan struct{}, 1), by: map[[sha256.Size]byte]string{}}
	_, _ = rand.Read(c.salt[:]) // never fails
	return c
}

func (c *clients) key(name, password string) (k [sha256.Size]byte) {
	h := hmac.New(sha256.New, c.salt[:])
	fmt.Fprintf(h, "%d:%s%s", len(name), name, password)
	h.Sum(k[:0])
	return k
}

func (c *clients) principal(ctx context.Context, a *API, name, password string) (storage.Principal, error) {
	k := c.key(name, password)
	if p, err := c.known(ctx, a, k); !errors.Is(err, storage.ErrUnauthorized) {
		return p, err
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return storage.Principal{}, ctx.Err()
	}
	if p, err := c.known(ctx, a, k); !errors.Is(err, storage.ErrUnauthorized) {
		return p, err // somebody else has signed in meanwhile
	}
	p, err := a.cfg.DB.Authenticate(ctx, name, password)
	if err != nil {
		return p, err
	}
	token, err := a.cfg.DB.CreateSession(ctx, p)
	if err != nil {
		return storage.Principal{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.by) >= MaxRegistryClients {
		clear(c.by) // they sign in again
	}
	c.by[k] = token
	return p, nil
}

// known returns who has signed in before. The error wraps storage.ErrUnauthorized when nobody has, or the session ended.
func (c *clients) known(ctx context.Context, a *API, k [sha256.Size]byte) (storage.Principal, error) {
	c.mu.Lock()
	token, ok := c.by[k]
	c.mu.Unlock()
	if !ok {
		return storage.Principal{}, storage.ErrUnauthorized
	}
	return a.cfg.DB.PrincipalOf(ctx, token)
}

// RegistryBodyTimeout is how long the body of a request to the registry may take: a blob is up to 16 MiB.
const RegistryBodyTimeout = 5 * time.Minute

// MaxRegistryClients is how many pairs of name and password are remembered.
const MaxRegistryClients = 1_000
