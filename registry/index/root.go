package index

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/sign"
)

// TypeRoot is the payload type of a signed root.
const TypeRoot = "application/vnd.vedette.root.v1+json"

// Root says which keys speak for a registry. A client is given its first root by a way that it trusts; each later one is
// signed by the keys of the root before it and by its own.
type Root struct {
	Registry string                        `json:"registry"` // what the registry calls itself
	Version  uint64                        `json:"version"`  // 1, 2, 3, …
	Expires  time.Time                     `json:"expires"`
	Keys     map[sign.KeyID]sign.PublicKey `json:"keys"`
	Roots    Role                          `json:"roots"`   // who signs roots
	Indexes  Role                          `json:"indexes"` // who signs the index
}

// Role is a set of keys and how many of them have to sign.
type Role struct {
	Keys      []sign.KeyID `json:"keys"` // sorted
	Threshold int          `json:"threshold"`
}

// NewRole returns the role of keys.
func NewRole(threshold int, keys ...sign.PublicKey) Role {
	r := Role{Keys: slices.Sorted(maps.Keys(sign.KeysOf(keys...))), Threshold: threshold}
	return r
}

// NewRoot returns the first root of a registry: keys are those of both roles.
func NewRoot(name string, expires time.Time, roots, indexes Role, keys ...sign.PublicKey) *Root {
	return &Root{Registry: name, Version: 1, Expires: second(expires), Keys: sign.KeysOf(keys...), Roots: roots, Indexes: indexes}
}

// Next returns the root after this one with other roles and keys. The holders of both have to sign it.
func (r *Root) Next(expires time.Time, roots, indexes Role, keys ...sign.PublicKey) *Root {
	next := NewRoot(r.Registry, expires, roots, indexes, keys...)
	next.Version = r.Version + 1
	return next
}

// Seal signs the root and returns the envelope's bytes. The error wraps registry.ErrInvalid.
func (r *Root) Seal(keys ...sign.PrivateKey) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("signing the root: %w", err)
	}
	return seal(TypeRoot, r, keys)
}

// keys returns the keys of a role.
func (r *Root) keys(role Role) sign.Keys {
	set := make(sign.Keys, len(role.Keys))
	for _, id := range role.Keys {
		if k, ok := r.Keys[id]; ok {
			set[id] = k
		}
	}
	return set
}

func checkHead(name string, version uint64, expires time.Time) error {
	if name == "" || len(name) > MaxNameBytes || version == 0 || version > 1<<53 || expires.IsZero() {
		return fmt.Errorf("registry %.80q, version %d, expires %s: %w", name, version, expires, registry.ErrInvalid)
	}
	return nil
}

func (r *Root) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("root %d: %s: %w", r.Version, fmt.Sprintf(format, args...), registry.ErrInvalid)
	}
	if err := checkHead(r.Registry, r.Version, r.Expires); err != nil {
		return wrong("%v", err)
	}
	if len(r.Keys) == 0 || len(r.Keys) > sign.MaxKeys {
		return wrong("%d keys, want 1 to %d", len(r.Keys), sign.MaxKeys)
	}
	for id, k := range r.Keys {
		if k.ID() != id { // a second name would let one key count twice
			return wrong("key %.20s calls itself %.20s", id, k.ID())
		}
	}
	for name, role := range map[string]Role{"roots": r.Roots, "indexes": r.Indexes} {
		if role.Threshold < 1 || role.Threshold > len(role.Keys) || !slices.IsSorted(role.Keys) || len(slices.Compact(slices.Clone(role.Keys))) != len(role.Keys) {
			return wrong("%s: a threshold of %d among %d keys, want each once and sorted", name, role.Threshold, len(role.Keys))
		}
		if len(r.keys(role)) != len(role.Keys) {
			return wrong("%s: a key is not there", name)
		}
	}
	return nil
}

// decodeRoot reads a root without verifying it.
func decodeRoot(envelope []byte) (sign.Envelope, *Root, error) {
	e, err := sign.Decode(envelope)
	if err != nil {
		return e, nil, err
	}
	if e.PayloadType != TypeRoot {
		return e, nil, fmt.Errorf("envelope holds %.80q, want %q: %w", e.PayloadType, TypeRoot, registry.ErrInvalid)
	}
	r := &Root{}
	if err := sign.Exact(e.Payload, r); err != nil {
		return e, nil, fmt.Errorf("root: %w", err)
	}
	return e, r, r.check()
}

// signedBy verifies that the holders of a root's keys have signed an envelope.
func (r *Root) signedBy(e *sign.Envelope) error {
	_, _, err := e.Verify(TypeRoot, r.keys(r.Roots), r.Roots.Threshold)
	return err
}

// Trust is what a client knows about a registry: the root in force and the last index. It is immutable; an update makes
// another one.
type Trust struct {
	root   *Root
	index  *Index   // nil before the first
	chain  [][]byte // envelopes of the first root to the one in force
	signed []byte   // envelope of index
}

// Begin trusts a root that came by a way which its caller trusts. The error wraps registry.ErrInvalid or ErrUntrusted.
func Begin(root []byte) (*Trust, error) {
	e, r, err := decodeRoot(root)
	if err != nil {
		return nil, fmt.Errorf("trusting a registry: %w", err)
	}
	if err := r.signedBy(&e); err != nil {
		return nil, fmt.Errorf("trusting %s: root %d: %w", r.Registry, r.Version, err)
	}
	return &Trust{root: r, chain: [][]byte{root}}, nil
}

// Root returns the root in force. Nobody changes it.
func (t *Trust) Root() *Root { return t.root }

// Index returns the last index, or nil. Nobody changes it. It may have expired since: policy.Decide is given Expires.
func (t *Trust) Index() *Index { return t.index }

// Snapshot returns the last index with all roots since the first that was trusted, for a mirror or a bundle; ok is false
// before the first index.
func (t *Trust) Snapshot() (s layout.Snapshot, ok bool) {
	return layout.Snapshot{Index: t.signed, Roots: slices.Clone(t.chain)}, t.index != nil
}

// Update follows the registry to a newer index, by way of newer roots if there are some. It refuses, with an error that
// wraps registry.ErrUntrusted and says which it was, an index that is older than the last one (a rollback), that has
// expired (a freeze), that is another one of the same version or belongs to another root or registry (a mix), or that
// too few keys have signed. What was trusted before goes on.
func (t *Trust) Update(s layout.Snapshot, now time.Time) (*Trust, error) {
	next, err := t.follow(s.Roots)
	if err != nil {
		return nil, fmt.Errorf("index of %s: %w", t.root.Registry, err)
	}
	if now.After(next.root.Expires) {
		return nil, fmt.Errorf("index of %s: root %d has expired at %s: %w", t.root.Registry, next.root.Version, next.root.Expires.Format(time.RFC3339), registry.ErrUntrusted)
	}
	e, err := sign.Decode(s.Index)
	if err != nil {
		return nil, fmt.Errorf("index of %s: %w", t.root.Registry, err)
	}
	x, err := next.accept(&e)
	if err != nil {
		return nil, fmt.Errorf("index of %s: %w", t.root.Registry, err)
	}
	switch {
	case now.After(x.Expires):
		return nil, fmt.Errorf("index of %s: version %d has expired at %s, so a newer one is held back (freeze): %w", t.root.Registry, x.Version, x.Expires.Format(time.RFC3339), registry.ErrUntrusted)
	case x.Issued.After(now.Add(maxAhead)):
		return nil, fmt.Errorf("index of %s: version %d was issued at %s, which is to come: %w", t.root.Registry, x.Version, x.Issued.Format(time.RFC3339), registry.ErrUntrusted)
	case t.index != nil && x.Version < t.index.Version:
		return nil, fmt.Errorf("index of %s: version %d after version %d (rollback): %w", t.root.Registry, x.Version, t.index.Version, registry.ErrUntrusted)
	case t.index != nil && x.Version == t.index.Version && !t.samePayload(&e):
		return nil, fmt.Errorf("index of %s: two that are version %d (mix): %w", t.root.Registry, x.Version, registry.ErrUntrusted)
	}
	next.index, next.signed = x, s.Index
	return next, nil
}

func (t *Trust) samePayload(e *sign.Envelope) bool {
	old, err := sign.Decode(t.signed)
	return err == nil && string(old.Payload) == string(e.Payload)
}

// follow walks from the root in force to the newest one. One that has expired may be passed, as TUF has it.
func (t *Trust) follow(chain [][]byte) (*Trust, error) {
	next := *t
	next.chain = slices.Clone(t.chain)
	if len(chain) > layout.MaxRoots {
		return nil, fmt.Errorf("%d roots, the limit is %d: %w", len(chain), layout.MaxRoots, registry.ErrInvalid)
	}
	for _, envelope := range chain {
		e, r, err := decodeRoot(envelope)
		if err != nil {
			return nil, err
		}
		switch {
		case r.Registry != next.root.Registry:
			return nil, fmt.Errorf("a root of %.80q (mix): %w", r.Registry, registry.ErrUntrusted)
		case r.Version <= next.root.Version:
			continue // it was followed before
		case r.Version > next.root.Version+1:
			return nil, fmt.Errorf("root %d after root %d: one in between is missing (mix): %w", r.Version, next.root.Version, registry.ErrUntrusted)
		}
		for _, signer := range []*Root{next.root, r} {
			if err := signer.signedBy(&e); err != nil {
				return nil, fmt.Errorf("root %d by the keys of root %d: %w", r.Version, signer.Version, err)
			}
		}
		next.root, next.chain = r, append(next.chain, envelope)
	}
	if len(next.chain) > layout.MaxRoots {
		return nil, fmt.Errorf("%d roots since the first, the limit is %d: trust the newest one anew: %w", len(next.chain), layout.MaxRoots, registry.ErrExhausted)
	}
	return &next, nil
}

// accept verifies an index by the root in force, whenever it was made.
func (t *Trust) accept(e *sign.Envelope) (*Index, error) {
	payload, _, err := e.Verify(TypeIndex, t.root.keys(t.root.Indexes), t.root.Indexes.Threshold)
	if err != nil {
		return nil, err
	}
	x := &Index{}
	if err := sign.Exact(payload, x); err != nil {
		return nil, err
	}
	if err := x.check(); err != nil {
		return nil, err
	}
	if x.Registry != t.root.Registry || x.Root > t.root.Version {
		return nil, fmt.Errorf("version %d is of %.80q under root %d, and this is %q under root %d (mix): %w", x.Version, x.Registry, x.Root, t.root.Registry, t.root.Version, registry.ErrUntrusted)
	}
	return x, nil
}
