// Package trust decides whether a module may run: under the host's policy, the organization's own, and what the signed
// index says at this moment.
//
// It is asked when something is to be installed and each minute about what runs, and never while the log is replayed:
// what it decides becomes a control record, so every replay comes to the same, whatever is trusted by then.
package trust

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Policies keeps the policies of organizations: storage/meta. It may be called by many goroutines at once.
type Policies interface {
	TrustPolicy(ctx context.Context, t storage.Tenant) (meta.TrustPolicy, error)
}

// Source is where the signed index comes from: registry/remote.
type Source interface {
	Index(ctx context.Context) (layout.Snapshot, error)
}

// Config says what a Trust decides by.
type Config struct {
	Packages *layout.Layout
	Policies Policies
	Policy   *policy.Policy // the host's, for everything; default policy.LocalOnly()
	Exempt   []string       // publishers whose modules come with the host and need no signature; they can be revoked
	File     string         // keeps the last signed index and its root
	Root     []byte         // the index's first root; default: that of the first index that Accept is given
	Remote   Source         // default: the index that stands in Packages
	Now      func() time.Time
}

// Trust may be used by many goroutines at once.
type Trust struct {
	cfg Config

	mu       sync.Mutex
	known    *index.Trust                 // nil: no index is believed
	policies map[storage.Tenant]parsed    // as they were read last
	facts    map[subject]policy.Facts     // what was verified of what runs
	attached map[registry.Namespace]int64 // how often something was attached there: facts of before may lack it
}

type parsed struct {
	version uint64
	policy  *policy.Policy
}

// subject is an artifact as one policy sees it in one namespace.
type subject struct {
	ns       registry.Namespace
	digest   registry.Digest
	policy   *policy.Policy
	attached [2]int64 // of the namespace and of the shared one
}

// Open reads what was trusted last. The error wraps registry.ErrInvalid or ErrUntrusted.
func Open(cfg Config) (*Trust, error) {
	if cfg.Policy == nil {
		cfg.Policy = policy.LocalOnly()
	}
	t := &Trust{cfg: cfg, policies: map[storage.Tenant]parsed{}, facts: map[subject]policy.Facts{}, attached: map[registry.Namespace]int64{}}
	var err error
	if t.known, err = index.Read(cfg.File); errors.Is(err, fs.ErrNotExist) {
		t.known, err = nil, nil
		if cfg.Root != nil {
			t.known, err = index.Begin(cfg.Root)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("what is trusted: %w", err)
	}
	return t, nil
}

// Policy returns the host's own policy.
func (t *Trust) Policy() *policy.Policy { return t.cfg.Policy }

// Known returns the signed index that is believed and its root, or nil.
func (t *Trust) Known() *index.Trust {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

func (t *Trust) index() *index.Index {
	if k := t.Known(); k != nil {
		return k.Index()
	}
	return nil
}

// Judge says whether a package may be installed for an organization, of NoTenant for all. What the registry holds about
// the artifact already counts too.
func (t *Trust) Judge(ctx context.Context, tenant storage.Tenant, p *layout.Package) (policy.Verdict, error) {
	envelopes, ns := p.Envelopes(), registry.Namespace(tenant)
	here, err := t.cfg.Packages.In(ns).Referrers(ctx, p.Digest, "")
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return policy.Verdict{}, fmt.Errorf("judge %s: %w", p.Artifact.Manifest.Reference(), err)
	}
	for _, r := range here {
		envelopes = append(envelopes, r.Envelope)
	}
	return t.decide(ctx, tenant, p.Artifact.Manifest.Publisher, false, func(by *policy.Policy) (policy.Facts, error) {
		f, _ := policy.Examine(by, &p.Artifact, p.Digest, ns, envelopes)
		return f, nil
	})
}

// Admit is Judge in the form that registry/remote asks for.
func (t *Trust) Admit(tenant storage.Tenant) func(context.Context, *registry.Artifact, registry.Digest, [][]byte) error {
	return func(ctx context.Context, a *registry.Artifact, d registry.Digest, envelopes [][]byte) error {
		v, err := t.decide(ctx, tenant, a.Manifest.Publisher, false, func(by *policy.Policy) (policy.Facts, error) {
			f, _ := policy.Examine(by, a, d, registry.Namespace(tenant), envelopes)
			return f, nil
		})
		if err != nil {
			return err
		}
		return v.Err()
	}
}

// Running says whether a version that runs for an organization, or for NoTenant for all, may go on. What was verified of
// it is kept until something more is attached to it, so asking again costs no signature. The error wraps
// registry.ErrNotFound for a package that is no longer here.
func (t *Trust) Running(ctx context.Context, tenant storage.Tenant, d registry.Digest) (policy.Verdict, error) {
	var pkg *layout.Package
	ns := registry.Namespace(tenant)
	facts := func(by *policy.Policy) (policy.Facts, error) {
		t.mu.Lock()
		key := subject{ns, d, by, [2]int64{t.attached[ns], t.attached[registry.Shared]}}
		f, ok := t.facts[key]
		t.mu.Unlock()
		if ok {
			return f, nil
		}
		if pkg == nil {
			p, err := t.cfg.Packages.In(ns).Package(ctx, d)
			if err != nil {
				return f, err
			}
			pkg = &p
		}
		f, _ = policy.Examine(by, &pkg.Artifact, d, ns, pkg.Envelopes())
		t.mu.Lock()
		defer t.mu.Unlock()
		t.facts[key] = f
		return f, nil
	}
	host, err := facts(t.cfg.Policy)
	if err != nil {
		return policy.Verdict{}, fmt.Errorf("judge %s: %w", d.Short(), err)
	}
	return t.decide(ctx, tenant, host.Ref.Publisher, true, facts)
}

// decide asks the policies that an organization's module is under. facts are what one of them can make out.
func (t *Trust) decide(ctx context.Context, tenant storage.Tenant, publisher string, running bool, facts func(*policy.Policy) (policy.Facts, error)) (policy.Verdict, error) {
	policies, err := t.policiesOf(ctx, tenant, publisher)
	if err != nil {
		return policy.Verdict{}, err
	}
	x, now := t.index(), t.cfg.Now()
	var all []policy.Verdict
	for _, p := range policies {
		f, err := facts(p)
		if err != nil {
			return policy.Verdict{}, fmt.Errorf("judge a module: %w", err)
		}
		f = f.Under(x)
		f.Running = running
		all = append(all, policy.Decide(p, f, now))
	}
	return policy.All(all[0], all[1:]...), nil
}

// exempt is for what comes with the host.
var exempt = policy.LocalOnly()

// policiesOf returns the policies that all have to agree: an organization's own, which is about what it installs itself,
// and the host's.
func (t *Trust) policiesOf(ctx context.Context, tenant storage.Tenant, publisher string) ([]*policy.Policy, error) {
	if slices.Contains(t.cfg.Exempt, publisher) {
		return []*policy.Policy{exempt}, nil
	}
	if tenant == storage.NoTenant {
		return []*policy.Policy{t.cfg.Policy}, nil
	}
	stored, err := t.cfg.Policies.TrustPolicy(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if stored.Document == "" {
		return []*policy.Policy{t.cfg.Policy}, nil
	}
	t.mu.Lock()
	own, ok := t.policies[tenant]
	t.mu.Unlock()
	if !ok || own.version != stored.Version {
		p, err := policy.Parse("policy", []byte(stored.Document))
		if err != nil {
			return nil, fmt.Errorf("policy of organization %d: %w", tenant, err)
		}
		own = parsed{stored.Version, p}
		t.mu.Lock()
		t.policies[tenant] = own
		t.mu.Unlock()
	}
	return []*policy.Policy{own.policy, t.cfg.Policy}, nil
}

// Attached tells that something was attached to what stands in an organization's namespace, or for NoTenant in the shared
// one: it is verified anew.
func (t *Trust) Attached(tenant storage.Tenant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attached[registry.Namespace(tenant)]++
}

// forget drops what was verified of what is not among the digests that run.
func (t *Trust) forget(running map[registry.Digest]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in := map[*policy.Policy]bool{t.cfg.Policy: true, exempt: true}
	for _, p := range t.policies {
		in[p.policy] = true
	}
	maps.DeleteFunc(t.facts, func(s subject, _ policy.Facts) bool {
		return !running[s.digest] || !in[s.policy] || s.attached != [2]int64{t.attached[s.ns], t.attached[registry.Shared]}
	})
}

// Accept follows the registry to a newer signed index. The first one that is accepted says who speaks for the registry,
// unless the configuration did. It refuses, with an error that wraps registry.ErrUntrusted, what index.Trust does.
func (t *Trust) Accept(_ context.Context, s layout.Snapshot) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.known
	if known == nil {
		if len(s.Roots) == 0 {
			return fmt.Errorf("the signed index has no root: %w", registry.ErrInvalid)
		}
		var err error
		if known, err = index.Begin(s.Roots[0]); err != nil {
			return err
		}
	}
	next, err := known.Update(s, t.cfg.Now())
	if err != nil {
		return err
	}
	if t.known != nil && t.known.Index() != nil && next.Index().Version == t.known.Index().Version && next.Root().Version == t.known.Root().Version {
		return nil
	}
	if err := next.Write(t.cfg.File); err != nil {
		return fmt.Errorf("keep the signed index: %w", err)
	}
	t.known = next
	return nil
}
