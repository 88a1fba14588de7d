package meta

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/vedette-siem/vedette/storage"
)

var ctx = context.Background()

// world is a database with two tenants and a clock that the test moves.
type world struct {
	*testing.T
	*DB
	clock atomic.Int64 // ns
	a, b  storage.Tenant
	seq   uint64
}

// migrated is an empty database of today's schema.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "vedette-meta-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	db, err := Open(ctx, Config{Path: filepath.Join(dir, "meta.db")})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "meta.db"))
})

func newWorld(t *testing.T) *world {
	w := &world{T: t}
	w.clock.Store(int64(1_700_000_000 * time.Second))
	path := filepath.Join(t.TempDir(), "meta.db")
	w.must(os.WriteFile(path, must(migrated())(t), 0o600))
	var err error
	w.DB, err = Open(ctx, Config{Path: path, Now: func() time.Time { return time.Unix(0, w.clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.must(w.Close()) })
	w.a, w.b = must(w.CreateTenant(ctx, "a", "A"))(t), must(w.CreateTenant(ctx, "b", "B"))(t)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// must returns the value of a call that may not fail.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) want(err, kind error) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Fatalf("error %v; want %v", err, kind)
	}
}

func of(t storage.Tenant) storage.Principal {
	return storage.Principal{User: "user of " + t.String(), Role: storage.RoleAnalyst, Tenants: []storage.Tenant{t}}
}

var root = storage.Principal{User: "root", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2}}

// incident returns one as it is at position seq.
func incident(t storage.Tenant, id string, seq uint64) storage.Incident {
	return storage.Incident{
		ID: id, Tenant: t, Rule: "r", RuleName: "Brute force", RuleVersion: "1.0.0", Key: []storage.Field{{Name: "user.name", Value: "Bob <b@x>"}},
		Title: "Many failures", Severity: storage.High, State: storage.Open, Count: seq, FirstSeen: 5, LastSeen: int64(seq), OpenedAt: 100, UpdatedAt: int64(seq),
		Techniques: []string{"T1110"}, Evidence: []storage.Evidence{{Sub: "fail", ID: storage.EventID{Seq: seq, Shard: 1, Segment: 2, Record: 3, Ordinal: 4}, Time: 9}},
		Conditions: []storage.Condition{{Sub: "fail", Expr: "count() >= 10", Actual: "14", Threshold: "10"}}, Applied: seq,
		Entities:   []storage.Entity{{Kind: storage.UserEntity, Value: "Bob <b@x>", Field: "user.name"}, {Kind: storage.HostEntity, Value: "db1", Field: "host.name"}},
		RuleDigest: "sha256:1",
	}
}

func opened(id string, seq uint64) storage.HistoryEntry {
	return storage.HistoryEntry{Incident: id, Seq: seq, At: int64(seq), Who: "vedette", What: "opened", Detail: "high"}
}

// apply writes a batch at the next position.
func (w *world) apply(b Batch) uint64 {
	w.Helper()
	w.seq++
	w.must(w.Apply(ctx, w.seq, b))
	return w.seq
}

// put writes an incident with its opening at the next position.
func (w *world) put(t storage.Tenant, id string) {
	w.Helper()
	w.apply(Batch{Incidents: []storage.Incident{incident(t, id, w.seq+1)}, History: []storage.HistoryEntry{opened(id, w.seq+1)}})
}

func TestOpenKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space?and#hash%20.db")
	for i := range 2 {
		db := must(Open(ctx, Config{Path: path}))(t)
		if i == 0 {
			must(db.CreateTenant(ctx, "a", "A"))(t)
		} else if n, err := db.TenantBySlug(ctx, "a"); n != 1 || err != nil {
			t.Errorf("tenant %d, %v after reopening", n, err)
		}
		var mode, sync string
		if err := db.write.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
			t.Errorf("journal mode %q, %v", mode, err)
		}
		if err := db.write.QueryRow(`PRAGMA synchronous`).Scan(&sync); err != nil || sync != "2" {
			t.Errorf("synchronous %q, %v; want 2, FULL", sync, err)
		}
		if _, err := db.read.Exec(`DELETE FROM tenants`); err == nil {
			t.Error("a reader can write")
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if st, err := os.Stat(path + suffix); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v; want 0600", suffix, st.Mode(), err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(ctx, Config{}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no path: %v", err)
	}
	if _, err := Open(ctx, Config{Path: filepath.Join(t.TempDir(), "missing", "x.db")}); err == nil {
		t.Error("opened in a folder that does not exist")
	}
}

func TestMigrationsGoDownAndUp(t *testing.T) {
	w := newWorld(t)
	p, err := goose.NewProvider(goose.DialectSQLite3, w.write, os.DirFS("migrations/sqlite"))
	w.must(err)
	_, err = p.DownTo(ctx, 0)
	w.must(err)
	var left int
	w.must(w.write.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`).Scan(&left))
	if left != 0 {
		t.Errorf("%d tables and indexes left after going down", left)
	}
	w.must(migrate(ctx, w.write))
	must(w.CreateTenant(ctx, "again", "Again"))(t)
	_, err = w.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	w.must(err)
	w.want(migrate(ctx, w.write), storage.ErrUnavailable)
}

func TestTenantNumbersAreNeverUsedAgain(t *testing.T) {
	w := newWorld(t)
	_, err := w.write.Exec(`DELETE FROM tenants WHERE number = ?`, w.b)
	w.must(err)
	if n := must(w.CreateTenant(ctx, "c", "C"))(t); n != w.b+1 {
		t.Errorf("number %d after %d was removed", n, w.b)
	}
	_, err = w.CreateTenant(ctx, "a", "another")
	w.want(err, storage.ErrConflict)
	for _, slug := range []string{"", "-a", "a-", "A", "a b", "ä", strings.Repeat("a", MaxSlugBytes+1)} {
		_, err = w.CreateTenant(ctx, slug, "x")
		w.want(err, storage.ErrInvalid)
	}
	for _, name := range []string{"", "a\nb", strings.Repeat("a", MaxNameBytes+1)} {
		_, err = w.CreateTenant(ctx, "d", name)
		w.want(err, storage.ErrInvalid)
	}
	must(w.CreateTenant(ctx, strings.Repeat("a", MaxSlugBytes), strings.Repeat("a", MaxNameBytes)))(t)
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}, "correct horse"))
	w.must(w.CreateUser(ctx, User{Name: "root", Role: storage.RoleAdmin}, "battery staple"))
	p := must(w.Authenticate(ctx, "ann", "correct horse"))(t)
	if p.User != "ann" || p.Role != storage.RoleAnalyst || len(p.Tenants) != 1 || p.Tenants[0] != w.a {
		t.Errorf("principal %+v", p)
	}
	if p := must(w.Authenticate(ctx, "root", "battery staple"))(t); len(p.Tenants) != 2 {
		t.Errorf("admin sees %v", p.Tenants)
	}
	_, wrong := w.Authenticate(ctx, "ann", "correct horsf")
	_, unknown := w.Authenticate(ctx, "nobody", "correct horse")
	_, decoy := w.Authenticate(ctx, "nobody", "no user has this password")
	w.must(w.SetDisabled(ctx, "ann", true))
	_, disabled := w.Authenticate(ctx, "ann", "correct horse")
	for _, err := range []error{wrong, unknown, decoy, disabled} {
		w.want(err, storage.ErrUnauthorized)
		if err.Error() != wrong.Error() {
			t.Errorf("%q tells more than %q", err, wrong)
		}
	}
	w.must(w.SetDisabled(ctx, "ann", false))
	w.must(w.SetPassword(ctx, "ann", "a new password"))
	_, err := w.Authenticate(ctx, "ann", "correct horse")
	w.want(err, storage.ErrUnauthorized)
	must(w.Authenticate(ctx, "ann", "a new password"))(t)
	w.want(w.SetPassword(ctx, "nobody", "a new password"), storage.ErrNotFound)
	w.want(w.SetDisabled(ctx, "nobody", true), storage.ErrNotFound)
	var hash string
	w.must(w.read.QueryRow(`SELECT hash FROM users WHERE name = 'ann'`).Scan(&hash))
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s", hash)
	}
}

func TestUsersThatCannotBe(t *testing.T) {
	w := newWorld(t)
	ok := User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}
	for what, c := range map[string]struct {
		user     User
		password string
		kind     error
	}{
		"admin of a tenant":      {User{Name: "x", Role: storage.RoleAdmin, Tenant: w.a}, "long enough", storage.ErrInvalid},
		"analyst without tenant": {User{Name: "x", Role: storage.RoleAnalyst}, "long enough", storage.ErrInvalid},
		"unknown role":           {User{Name: "x", Role: "god", Tenant: w.a}, "long enough", storage.ErrInvalid},
		"unknown tenant":         {User{Name: "x", Role: storage.RoleAnalyst, Tenant: 99}, "long enough", storage.ErrNotFound},
		"no name":                {User{Role: storage.RoleAnalyst, Tenant: w.a}, "long enough", storage.ErrInvalid},
		"short password":         {ok, strings.Repeat("x", MinPasswordBytes-1), storage.ErrInvalid},
		"long password":          {ok, strings.Repeat("x", MaxPasswordBytes+1), storage.ErrInvalid},
	} {
		if err := w.CreateUser(ctx, c.user, c.password); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v; want %v", what, err, c.kind)
		}
	}
	w.must(w.CreateUser(ctx, ok, strings.Repeat("x", MaxPasswordBytes)))
	w.want(w.CreateUser(ctx, ok, "long enough"), storage.ErrConflict)
	for range MaxUsersPerTenant - 1 { // hashing a thousand passwords would take long
		w.seq++
		_, err := w.write.Exec(`INSERT INTO users (name, hash, role, tenant, created) VALUES (?, '', 'read-only', ?, 0)`, fmt.Sprint("u", w.seq), w.a)
		w.must(err)
	}
	w.want(w.CreateUser(ctx, User{Name: "one over", Role: storage.RoleAnalyst, Tenant: w.a}, "long enough"), storage.ErrExhausted)
	w.must(w.CreateUser(ctx, User{Name: "of b", Role: storage.RoleAnalyst, Tenant: w.b}, "long enough"))
}

func TestDamagedHashesMatchNothing(t *testing.T) {
	for _, hash := range []string{
		"", "$", "plain", "$argon2id$v=19$m=8,t=1,p=1$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5", "$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$", "$argon2id$v=19$m=8,t=1,p=1$!$a2V5a2V5a2V5a2V5a2V5a2V5",
	} {
		if verifyPassword(hash, "") || verifyPassword(hash, "x") {
			t.Errorf("%q matches", hash)
		}
	}
}

func TestLoginsAreThrottledPerNameAndMinute(t *testing.T) {
	w := newWorld(t)
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}, "correct horse"))
	for range MaxLoginsPerMinute + 2 { // signing in well is not counted
		must(w.Authenticate(ctx, "ann", "correct horse"))(t)
	}
	for range MaxLoginsPerMinute {
		_, err := w.Authenticate(ctx, "ann", "wrong horse")
		w.want(err, storage.ErrUnauthorized)
	}
	_, err := w.Authenticate(ctx, "ann", "correct horse")
	w.want(err, storage.ErrExhausted)
	_, err = w.Authenticate(ctx, "someone else", "wrong horse")
	w.want(err, storage.ErrUnauthorized)
	w.clock.Add(int64(time.Minute))
	must(w.Authenticate(ctx, "ann", "correct horse"))(t)
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleReadOnly, Tenant: w.b}, "correct horse"))
	ann := storage.Principal{User: "ann"}
	first := must(w.CreateSession(ctx, ann))(t)
	// What counts is the account, not what the caller thought that it may see.
	if p := must(w.PrincipalOf(ctx, first))(t); p.Role != storage.RoleReadOnly || len(p.Tenants) != 1 || p.Tenants[0] != w.b {
		t.Errorf("principal %+v", p)
	}
	_, err := w.CreateSession(ctx, storage.Principal{User: "nobody"})
	w.want(err, storage.ErrNotFound)
	_, err = w.PrincipalOf(ctx, first+"x")
	w.want(err, storage.ErrUnauthorized)

	w.must(w.EndSession(ctx, first))
	w.must(w.EndSession(ctx, first))
	_, err = w.PrincipalOf(ctx, first)
	w.want(err, storage.ErrUnauthorized)

	var tokens []string
	for range MaxSessionsPerUser + 1 {
		w.clock.Add(1)
		tokens = append(tokens, must(w.CreateSession(ctx, ann))(t))
	}
	_, err = w.PrincipalOf(ctx, tokens[0])
	w.want(err, storage.ErrUnauthorized)
	must(w.PrincipalOf(ctx, tokens[1]))(t)

	w.must(w.SetDisabled(ctx, "ann", true))
	_, err = w.PrincipalOf(ctx, tokens[5])
	w.want(err, storage.ErrUnauthorized)
	w.must(w.SetDisabled(ctx, "ann", false))
	_, err = w.PrincipalOf(ctx, tokens[5])
	w.want(err, storage.ErrUnauthorized)

	last := must(w.CreateSession(ctx, ann))(t)
	w.clock.Add(int64(DefaultSessionLife) - 1)
	must(w.PrincipalOf(ctx, last))(t)
	w.clock.Add(1)
	_, err = w.PrincipalOf(ctx, last)
	w.want(err, storage.ErrUnauthorized)
	if p := must(w.Prune(ctx, w.cfg.Now()))(t); p.Sessions != 1 {
		t.Errorf("pruned %+v", p)
	}
}

func TestIngestTokens(t *testing.T) {
	w := newWorld(t)
	token := must(w.CreateIngestToken(ctx, w.a, "firewall"))(t)
	other := must(w.CreateIngestToken(ctx, w.b, "firewall"))(t)
	for tok, want := range map[string]storage.Tenant{token: w.a, other: w.b} {
		if got := must(w.ResolveIngestToken(ctx, tok))(t); got != want {
			t.Errorf("tenant %d; want %d", got, want)
		}
	}
	_, err := w.CreateIngestToken(ctx, w.a, "firewall")
	w.want(err, storage.ErrConflict)
	w.must(w.RevokeIngestToken(ctx, w.a, "firewall"))
	_, err = w.ResolveIngestToken(ctx, token)
	w.want(err, storage.ErrUnauthorized)
	must(w.ResolveIngestToken(ctx, other))(t)
	w.want(w.RevokeIngestToken(ctx, w.a, "firewall"), storage.ErrNotFound)
	must(w.CreateIngestToken(ctx, w.a, "firewall"))(t) // the name is free again
	for i := range MaxTokensPerTenant - 1 {
		must(w.CreateIngestToken(ctx, w.a, fmt.Sprint("t", i)))(t)
	}
	_, err = w.CreateIngestToken(ctx, w.a, "one over")
	w.want(err, storage.ErrExhausted)
	_, err = w.CreateIngestToken(ctx, storage.NoTenant, "x")
	w.want(err, storage.ErrInvalid)
	if list := must(w.ListIngestTokens(ctx, of(w.a)))(t); len(list) != MaxTokensPerTenant+1 {
		t.Errorf("%d tokens listed", len(list))
	}
	w.clock.Add(int64(KeepRevoked) + 1)
	if p := must(w.Prune(ctx, w.cfg.Now()))(t); p.Tokens != 1 {
		t.Errorf("pruned %+v", p)
	}
}

func TestScopeRefusesWhatIsNoPrincipal(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	for what, c := range map[string]struct {
		p    storage.Principal
		kind error
	}{
		"nobody":        {storage.Principal{Tenants: []storage.Tenant{1}}, storage.ErrUnauthorized},
		"with a filter": {storage.Principal{User: "u", Tenants: []storage.Tenant{1}, Filter: "x"}, storage.ErrForbidden},
		"of tenant 0":   {storage.Principal{User: "u", Tenants: []storage.Tenant{0}}, storage.ErrInvalid},
	} {
		if _, err := w.ListIncidents(ctx, c.p, IncidentQuery{}); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v; want %v", what, err, c.kind)
		}
	}
	if page := must(w.ListIncidents(ctx, storage.Principal{User: "u", Role: storage.RoleAdmin}, IncidentQuery{}))(t); len(page.Incidents) != 0 {
		t.Error("a principal without tenants sees incidents, whatever its role")
	}
}
