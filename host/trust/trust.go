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

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
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
	Checks   *Checks        // what this host finds out itself about conformance; nil: nothing
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
	looked   time.Time                    // for a newer index
	missed   error                        // why none was found then
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

// Policies returns the policies that all have to agree to what an organization installs, of NoTenant to what all share.
func (t *Trust) Policies(ctx context.Context, tenant storage.Tenant) ([]*policy.Policy, error) {
	return t.policiesOf(ctx, tenant, "")
}

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
// the artifact already counts too. Where a policy wants nothing more than conformance, and nobody whom it believes attests
// that, the module is tried now, with these settings.
func (t *Trust) Judge(ctx context.Context, tenant storage.Tenant, p *layout.Package, settings string) (policy.Verdict, error) {
	envelopes, ns := p.Envelopes(), registry.Namespace(tenant)
	here, err := t.cfg.Packages.In(ns).Referrers(ctx, p.Digest, "")
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return policy.Verdict{}, fmt.Errorf("judge %s: %w", p.Artifact.Manifest.Reference(), err)
	}
	for _, r := range here {
		envelopes = append(envelopes, r.Envelope)
	}
	facts := func(by *policy.Policy) (policy.Facts, error) {
		f, _ := policy.Examine(by, &p.Artifact, p.Digest, ns, envelopes)
		return f, nil
	}
	publisher := p.Artifact.Manifest.Publisher
	v, err := t.decide(ctx, tenant, publisher, false, facts)
	if err != nil || v.Allow {
		return v, err
	}
	if wait, err := t.untried(ctx, p.Digest, &v); err != nil || !wait {
		return v, err
	}
	if _, err := t.cfg.Checks.Check(ctx, p.Digest, &p.Artifact, settings); err != nil {
		return v, err
	}
	return t.decide(ctx, tenant, publisher, false, facts)
}

// untried reports whether all that speaks against a version is a conformance that this host can find out itself and has not.
func (t *Trust) untried(ctx context.Context, d registry.Digest, v *policy.Verdict) (bool, error) {
	if t.cfg.Checks == nil || slices.ContainsFunc(v.Reasons, func(r policy.Reason) bool { return r.Code != policy.CodeNoConformance }) {
		return false, nil
	}
	found, err := t.cfg.Checks.Report(ctx, d)
	return found == nil, err
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
	return t.stored(ctx, tenant, d, true)
}

// Stored says whether a version that stands in the registry could be installed for an organization, or for NoTenant for all,
// and what it asks for.
func (t *Trust) Stored(ctx context.Context, tenant storage.Tenant, d registry.Digest) (v policy.Verdict, capabilities []string, err error) {
	if v, err = t.stored(ctx, tenant, d, false); err != nil {
		return v, nil, err
	}
	if !v.Allow {
		wait, err := t.untried(ctx, d, &v)
		if err != nil {
			return v, nil, err
		}
		if wait {
			v.Allow, v.Reasons = true, nil
			v.Warnings = append(v.Warnings, policy.Reason{Code: policy.CodeNoConformance, Text: "its conformance is wanted and not known: it is tried on this host when it is installed"})
		}
	}
	f, err := t.factsOf(ctx, registry.Namespace(tenant), d, t.cfg.Policy)
	return v, f.Capabilities, err
}

func (t *Trust) stored(ctx context.Context, tenant storage.Tenant, d registry.Digest, running bool) (policy.Verdict, error) {
	facts := func(by *policy.Policy) (policy.Facts, error) {
		return t.factsOf(ctx, registry.Namespace(tenant), d, by)
	}
	host, err := facts(t.cfg.Policy)
	if err != nil {
		return policy.Verdict{}, fmt.Errorf("judge %s: %w", d.Short(), err)
	}
	v, err := t.decide(ctx, tenant, host.Ref.Publisher, running, facts)
	if err != nil || !v.Stop || t.cfg.Checks == nil || t.cfg.Checks.Trouble(d) != "" {
		return v, err
	}
	wait, err := t.untried(ctx, d, &v)
	v.Stop = !wait // what is about to be tried is not stopped for want of that
	return v, err
}

// factsOf returns what a policy can make out about a version of a namespace, from memory when it is there.
func (t *Trust) factsOf(ctx context.Context, ns registry.Namespace, d registry.Digest, by *policy.Policy) (policy.Facts, error) {
	t.mu.Lock()
	key := subject{ns, d, by, [2]int64{t.attached[ns], t.attached[registry.Shared]}}
	f, ok := t.facts[key]
	t.mu.Unlock()
	if ok {
		return f, nil
	}
	p, err := t.cfg.Packages.In(ns).Package(ctx, d)
	if err != nil {
		return f, err
	}
	f, _ = policy.Examine(by, &p.Artifact, d, ns, p.Envelopes())
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.facts) >= maxKnownFacts {
		clear(t.facts) // they are made out again
	}
	t.facts[key] = f
	return f, nil
}

// Conformance is what is known about how a version keeps to the ABI.
type Conformance struct {
	Checked  *attest.Conformance // what this host has found; nil: it has not tried it
	Trouble  string              // why it could not be tried
	Attested *policy.Report      // the best report that keys of the host's policy have signed; nil: there is none
}

// Conformance returns what is known about a version that an organization, or NoTenant, sees.
func (t *Trust) Conformance(ctx context.Context, tenant storage.Tenant, d registry.Digest) (Conformance, error) {
	var c Conformance
	f, err := t.factsOf(ctx, registry.Namespace(tenant), d, t.cfg.Policy)
	if err != nil {
		return c, fmt.Errorf("conformance of %s: %w", d.Short(), err)
	}
	for i, r := range f.Reports {
		if len(r.By) > 0 && (c.Attested == nil || r.Level > c.Attested.Level) {
			c.Attested = &f.Reports[i]
		}
	}
	if t.cfg.Checks != nil {
		c.Trouble = t.cfg.Checks.Trouble(d)
		c.Checked, err = t.cfg.Checks.Report(ctx, d)
	}
	return c, err
}

// Check tries what runs, until ctx ends; see Checks.Watch.
func (t *Trust) Check(ctx context.Context, running func() module.Running, failed func(error)) {
	if t.cfg.Checks != nil {
		t.cfg.Checks.Watch(ctx, running, failed)
	}
}

// decide asks the policies that an organization's module is under. facts are what one of them can make out.
func (t *Trust) decide(ctx context.Context, tenant storage.Tenant, publisher string, running bool, facts func(*policy.Policy) (policy.Facts, error)) (policy.Verdict, error) {
	policies, err := t.policiesOf(ctx, tenant, publisher)
	if err != nil {
		return policy.Verdict{}, err
	}
	return t.under(ctx, policies, running, facts)
}

// under asks policies of which all have to agree.
func (t *Trust) under(ctx context.Context, policies []*policy.Policy, running bool, facts func(*policy.Policy) (policy.Facts, error)) (policy.Verdict, error) {
	x, now := t.index(), t.cfg.Now()
	var all []policy.Verdict
	for _, p := range policies {
		f, err := facts(p)
		if err != nil {
			return policy.Verdict{}, fmt.Errorf("judge a module: %w", err)
		}
		f = f.Under(x)
		f.Running = running
		if t.cfg.Checks != nil {
			if f.Checked, err = t.cfg.Checks.Report(ctx, f.Digest); err != nil {
				return policy.Verdict{}, fmt.Errorf("judge a module: %w", err)
			}
		}
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
