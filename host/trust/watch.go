package trust

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/storage"
)

// Every is how often what runs is judged again.
const Every = time.Minute

// Limits of a round.
const (
	followTimeout  = 40 * time.Second // for the signed index to come from a remote registry
	maxReasonBytes = 2048             // of a suspension
)

// Stopped begins the reason of every suspension for want of trust; what it stands before goes on when trust is back.
const Stopped = "not trusted: "

// Watch judges what runs at once and then every minute until ctx ends. act puts a control record into the log. failed is
// told what could not be done; what is trusted stays as it is then, and its age alone may end it.
func (t *Trust) Watch(ctx context.Context, running func() module.Running, act func(context.Context, module.Control) error, failed func(error)) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		err := t.Follow(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		t.note(err)
		changes, err := t.Review(ctx, running())
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		for _, c := range changes {
			if err := act(ctx, c); err != nil && ctx.Err() == nil && !errors.Is(err, storage.ErrConflict) {
				failed(fmt.Errorf("%s %s: %w", c.Kind, c.Name, err)) // a conflict: another version runs by now
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Follow looks for a newer signed index. That there is none is no error.
func (t *Trust) Follow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	if t.cfg.Remote == nil {
		s, _, err := t.cfg.Packages.Snapshot(ctx)
		if errors.Is(err, registry.ErrNotFound) || err == nil && t.Known() == nil {
			return nil // who may say whose the first index is has not done so: see Accept
		}
		if err != nil {
			return fmt.Errorf("read the signed index: %w", err)
		}
		return t.Accept(ctx, s)
	}
	s, err := t.cfg.Remote.Index(ctx)
	if err != nil {
		return fmt.Errorf("fetch the signed index: %w", err)
	}
	before := t.index()
	if err := t.Accept(ctx, s); err != nil {
		return err
	}
	if t.index() == before {
		return nil
	}
	return t.cfg.Packages.PutSnapshot(ctx, s) // for those who mirror this host
}

// Review returns the control records that bring what runs in line with what is trusted: a suspension of what has to stop,
// and the end of a suspension whose reason is gone. What cannot be judged is told in the error and goes on.
func (t *Trust) Review(ctx context.Context, r module.Running) ([]module.Control, error) {
	var out []module.Control
	var errs []error
	digests := map[registry.Digest]bool{}
	for _, tenant := range r.Tenants() {
		for name, slot := range r.Layer(tenant).Slots {
			d := registry.Digest(slot.Current.Digest)
			digests[d] = true
			if slot.Off && !strings.HasPrefix(slot.Why, Stopped) {
				continue // somebody has switched it off, or it failed
			}
			v, err := t.Running(ctx, tenant, d)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				continue
			}
			c := module.Control{Tenant: tenant, Name: name, Digest: slot.Current.Digest, Who: incident.ByVedette}
			switch {
			case v.Stop && !slot.Off:
				c.Kind, c.Reason = module.Suspend, Stopped+Reasons(v.Reasons)
				if len(c.Reason) > maxReasonBytes {
					c.Reason = strings.ToValidUTF8(c.Reason[:maxReasonBytes], "")
				}
			case !v.Stop && slot.Off:
				c.Kind = module.Enable
			default:
				continue
			}
			out = append(out, c)
		}
	}
	t.forget(digests)
	return out, errors.Join(errs...)
}

// Reasons returns what speaks against a module in one line.
func Reasons(list []policy.Reason) string {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = r.Text
	}
	return strings.Join(texts, "; ")
}

func (t *Trust) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looked, t.missed = t.cfg.Now(), err
}

// Looked returns when it was last looked for a newer signed index, and what kept that from being found.
func (t *Trust) Looked() (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.looked, t.missed
}

// Judged is what would be said about a module that runs.
type Judged struct {
	Name, Version string
	Digest        registry.Digest
	Verdict       policy.Verdict
}

// Would says what the host's policy and another one of an organization's own would say together about each of the modules
// that the organization runs itself.
func (t *Trust) Would(ctx context.Context, tenant storage.Tenant, own *policy.Policy, r module.Running) ([]Judged, error) {
	var out []Judged
	layer := r.Layer(tenant)
	for _, name := range slices.Sorted(maps.Keys(layer.Slots)) {
		slot := layer.Slots[name]
		if slot.Off {
			continue
		}
		p, err := t.cfg.Packages.In(registry.Namespace(tenant)).Package(ctx, registry.Digest(slot.Current.Digest))
		if err != nil {
			return nil, fmt.Errorf("judge %s: %w", name, err)
		}
		if slices.Contains(t.cfg.Exempt, p.Artifact.Manifest.Publisher) {
			continue
		}
		v, err := t.under(ctx, []*policy.Policy{own, t.cfg.Policy}, true, func(by *policy.Policy) (policy.Facts, error) {
			f, _ := policy.Examine(by, &p.Artifact, p.Digest, registry.Namespace(tenant), p.Envelopes())
			return f, nil
		})
		if err != nil {
			return nil, fmt.Errorf("judge %s: %w", name, err)
		}
		out = append(out, Judged{name, p.Artifact.Manifest.Version, p.Digest, v})
	}
	return out, nil
}
