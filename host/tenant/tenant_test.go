package tenant

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// TestAuthorizeTable spells the policy a second time, as letters a person can read: A admin, N analyst, R read-only.
func TestAuthorizeTable(t *testing.T) {
	want := map[Action]string{
		ReadEvents: "ANR", ReadIncidents: "ANR", WorkIncidents: "AN", ReadModules: "ANR", ManageModules: "AN", Grant: "A", ReadQuarantine: "AN",
		ManageTokens: "A", ManageWebhooks: "A", ReadUsers: "AN", ReadHealth: "ANR", ManageTenants: "A", ManageUsers: "A", ManageGlobal: "A",
		ReadSources: "ANR", RunDemo: "AN", ManageDemo: "A", ReadMonitors: "ANR", ManageMonitors: "AN", ManageDevices: "A",
		ReadUsage: "ANR",
	}
	if len(want) != len(rights) {
		t.Fatalf("%d actions here, %d in the policy", len(want), len(rights))
	}
	principals := map[byte]storage.Principal{
		'A': {User: "root", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2}},
		'N': {User: "ann", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{1}},
		'R': {User: "rob", Role: storage.RoleReadOnly, Tenants: []storage.Tenant{1}},
	}
	for action, letters := range want {
		own, wrong := storage.Tenant(1), storage.NoTenant
		if rights[action].host {
			own, wrong = wrong, own
		}
		for letter, p := range principals {
			allowed := regexp.MustCompile(string(letter)).MatchString(letters)
			if err := Authorize(p, action, own); (err == nil) != allowed || !allowed && !errors.Is(err, storage.ErrForbidden) {
				t.Errorf("%s by %s: %v; want allowed %v", action, p.Role, err, allowed)
			}
			for _, elsewhere := range []storage.Tenant{wrong, 3} {
				if err := Authorize(p, action, elsewhere); !errors.Is(err, storage.ErrForbidden) {
					t.Errorf("%s by %s on tenant %d: %v; want forbidden", action, p.Role, elsewhere, err)
				}
			}
			if p.Role != storage.RoleAdmin {
				if err := Authorize(p, action, 2); !errors.Is(err, storage.ErrForbidden) {
					t.Errorf("%s by %s of tenant 1 on tenant 2: %v", action, p.Role, err)
				}
			}
		}
		if err := Authorize(storage.Principal{}, action, own); !errors.Is(err, storage.ErrUnauthorized) {
			t.Errorf("%s by nobody: %v", action, err)
		}
	}
	if err := Authorize(principals['A'], "invent", 1); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("unknown action: %v", err)
	}
}

// fake answers from a map and counts questions.
type fake struct {
	mu    sync.Mutex
	good  map[string]storage.Tenant
	err   error
	asked atomic.Int64
}

func (f *fake) ResolveIngestToken(_ context.Context, token string) (storage.Tenant, error) {
	f.asked.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	if t, ok := f.good[token]; ok {
		return t, nil
	}
	return 0, storage.ErrUnauthorized
}

func (f *fake) revoke(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.good, token)
}

func TestTokensAreRememberedForASecond(t *testing.T) {
	ctx, now := context.Background(), time.Unix(1000, 0)
	from := &fake{good: map[string]storage.Tenant{"a": 7}}
	c := NewTokens(from, func() time.Time { return now })
	check := func(token string, want storage.Tenant, asked int64) {
		t.Helper()
		got, err := c.Resolve(ctx, token)
		if got != want || (err == nil) != (want != 0) || err != nil && !errors.Is(err, storage.ErrUnauthorized) {
			t.Errorf("%s: %d, %v; want %d", token, got, err, want)
		}
		if n := from.asked.Load(); n != asked {
			t.Errorf("asked %d times; want %d", n, asked)
		}
	}
	check("a", 7, 1)
	check("a", 7, 1)
	check("b", 0, 2)
	check("b", 0, 2)
	from.revoke("a")
	now = now.Add(TokenFreshness - 1)
	check("a", 7, 2)
	now = now.Add(1)
	check("a", 0, 3)
	from.good["b"] = 8
	check("b", 8, 4)
	check("", 0, 4)
	check(fmt.Sprintf("%0*d", MaxTokenBytes+1, 0), 0, 4)
}

func TestTokensDoNotRememberTrouble(t *testing.T) {
	from := &fake{good: map[string]storage.Tenant{"a": 7}, err: storage.ErrUnavailable}
	c := NewTokens(from, func() time.Time { return time.Unix(1000, 0) })
	if _, err := c.Resolve(context.Background(), "a"); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("error %v; want unavailable", err)
	}
	from.err = nil
	if got, err := c.Resolve(context.Background(), "a"); got != 7 || err != nil {
		t.Errorf("%d, %v after the trouble", got, err)
	}
}

func TestTokensAreBounded(t *testing.T) {
	from := &fake{good: map[string]storage.Tenant{}}
	c := NewTokens(from, func() time.Time { return time.Unix(1000, 0) })
	for i := range MaxCachedTokens + 1 {
		from.good[fmt.Sprint("good", i)] = 1
		for _, kind := range []string{"good", "bad"} {
			if _, err := c.Resolve(context.Background(), fmt.Sprint(kind, i)); (err == nil) != (kind == "good") {
				t.Fatal(err)
			}
		}
	}
	if len(c.good) != MaxCachedTokens || len(c.refused) > MaxCachedRefused {
		t.Errorf("%d good, %d refused remembered", len(c.good), len(c.refused))
	}
}

func TestTokensOfARemovedTenant(t *testing.T) {
	from := &fake{good: map[string]storage.Tenant{"a": 7, "b": 8}}
	c := NewTokens(from, func() time.Time { return time.Unix(1000, 0) })
	for token := range from.good {
		if _, err := c.Resolve(context.Background(), token); err != nil {
			t.Fatal(err)
		}
	}
	from.revoke("a")
	c.Drop(7)
	if _, err := c.Resolve(context.Background(), "a"); !errors.Is(err, storage.ErrUnauthorized) {
		t.Errorf("the token of a removed tenant: %v", err)
	}
	if got, _ := c.Resolve(context.Background(), "b"); got != 8 || from.asked.Load() != 3 {
		t.Errorf("another tenant's token: %d, asked %d times", got, from.asked.Load())
	}
}

func TestTokensHammer(t *testing.T) {
	from := &fake{good: map[string]storage.Tenant{}}
	for i := range 64 {
		from.good[fmt.Sprint(i)] = storage.Tenant(i + 1)
	}
	var clock atomic.Int64
	c := NewTokens(from, func() time.Time { return time.Unix(0, clock.Add(int64(time.Millisecond))) })
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				n := (i*7 + g) % 128
				got, err := c.Resolve(context.Background(), fmt.Sprint(n))
				if n >= 64 && err == nil || n < 32 && got != storage.Tenant(n+1) || got != 0 && got != storage.Tenant(n+1) {
					t.Errorf("token %d: %d, %v", n, got, err)
				}
				if g == 0 && i%50 == 0 && i < 1600 {
					from.revoke(fmt.Sprint(32 + i/50))
				}
			}
		})
	}
	wg.Wait()
}

func TestStartOnlyOnce(t *testing.T) {
	ctx := context.Background()
	db, err := meta.Open(ctx, meta.Config{Path: filepath.Join(t.TempDir(), "meta.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	random := &counting{}
	demo := []Organization{{Slug: "harbour", Name: "Harbour", Demo: true}, {Slug: "meadow", Name: "Meadow", Demo: true}}
	first, err := Start(ctx, db, random, demo)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^([a-z2-7]{5}-){3}[a-z2-7]{5}$`).MatchString(first.Password) || len(first.Tenants) != 2 {
		t.Fatalf("started %+v", first)
	}
	p, err := db.Authenticate(ctx, AdminName, first.Password)
	if err != nil || p.Role != storage.RoleAdmin || len(p.Tenants) != 2 {
		t.Fatalf("principal %+v, %v", p, err)
	}
	second, err := Start(ctx, db, random, append(demo, Organization{Slug: "main", Name: "Main"}))
	if err != nil {
		t.Fatal(err)
	}
	if second.Password != "" || len(second.Tenants) != 3 || second.Tenants["harbour"] != first.Tenants["harbour"] {
		t.Errorf("second start %+v", second)
	}
	if got, err := db.DemoTenants(ctx); err != nil || len(got) != 2 {
		t.Errorf("demo organizations %v, %v", got, err)
	}
	if err := db.Apply(ctx, 1, meta.Batch{Removals: []meta.Removal{{Tenant: first.Tenants["harbour"], At: 1}}}); err != nil {
		t.Fatal(err)
	}
	third, err := Start(ctx, db, random, demo)
	if err != nil || len(third.Tenants) != 1 || !slices.Equal(third.Removed, []string{"harbour"}) {
		t.Errorf("start after a removal: %+v, %v", third, err)
	}
}

type counting struct{ n byte }

func (c *counting) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

func BenchmarkResolve(b *testing.B) {
	c := NewTokens(&fake{good: map[string]storage.Tenant{"vdi_0123456789012345678901234567890123456789012": 1}}, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Resolve(context.Background(), "vdi_0123456789012345678901234567890123456789012"); err != nil {
			b.Fatal(err)
		}
	}
}
