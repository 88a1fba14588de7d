package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
)

// Unsigned is the publisher that is shown for a module without a signature.
const Unsigned = "unsigned, local"

// byVedette installs what ships with the binary.
const byVedette = "vedette"

// Candidate is a package that somebody wants to run.
type Candidate struct {
	Tenant   storage.Tenant // NoTenant for all
	Package  registry.Artifact
	Settings string
	Grants   []string
	Who      string
	Shipped  bool // part of this binary, and trusted like it
}

// Installed says what an installation did.
type Installed struct {
	Install  module.Install
	Replaced string   // digest of the version that ran before
	Imports  []string // import modules of its code
	Cases    int      // of its own tests, all passed
}

// Install checks a candidate, step by step, and makes it run: package and signature, static checks, metering and
// compiling, its own test cases, and then a control record. What is refused changes nothing: the version that runs goes
// on. Errors wrap storage.ErrInvalid, ErrForbidden or ErrConflict and say which step refused it and why.
func (h *Host) Install(ctx context.Context, c Candidate) (Installed, error) {
	var done Installed
	name := c.Package.Manifest.Publisher + "/" + c.Package.Manifest.Name
	refuse := func(step string, err error) (Installed, error) {
		kind := storage.ErrInvalid
		for _, k := range []error{storage.ErrForbidden, storage.ErrConflict, storage.ErrExhausted, storage.ErrUnavailable, context.Canceled, context.DeadlineExceeded} {
			if errors.Is(err, k) {
				kind = k
			}
		}
		return done, fmt.Errorf("install %s: refused at %s: %w: %w", c.Package.Manifest.Reference(), step, err, kind)
	}
	if err := c.Package.Check(); err != nil {
		return refuse("the package", err)
	}
	if h.cfg.Modules.RefuseUnsigned && !c.Shipped {
		return refuse("the signature", fmt.Errorf("it is not signed, and modules.refuse_unsigned is set: %w", storage.ErrForbidden))
	}
	settings, err := c.Package.Manifest.CheckSettings([]byte(c.Settings))
	if err != nil {
		return refuse("the settings", err)
	}
	c.Settings = string(settings)
	in := module.Install{Name: name, Settings: c.Settings, Grants: c.Grants, Digest: "candidate"}
	m, err := h.library.Prepare(ctx, c.Tenant, in, c.Package)
	if err != nil {
		return refuse("the static checks", err)
	}
	if m.Code != nil {
		done.Imports = m.Code.Imports()
		defer m.Code.Close(ctx)
	}
	outcome, err := pipeline.Test(ctx, m, c.Package.Vectors)
	if err != nil {
		return refuse("its own tests", err)
	}
	if len(outcome.Failures) > 0 {
		return refuse("its own tests", errors.New(strings.Join(outcome.Failures, "; ")))
	}
	digest, err := h.packages.Push(ctx, c.Package)
	if err != nil {
		if errors.Is(err, registry.ErrConflict) {
			err = fmt.Errorf("%w (a version never changes: give the new one another number): %w", err, storage.ErrConflict)
		}
		return refuse("the registry", err)
	}
	slot, ran := h.pipeline.Generation().Running.Layer(c.Tenant).Slots[name]
	if ran {
		done.Replaced = slot.Current.Digest
	}
	done.Cases = outcome.Cases
	done.Install, err = h.activate(ctx, module.Control{
		Kind: module.Activate, Tenant: c.Tenant, Who: c.Who, Name: name, Digest: string(digest), Settings: c.Settings, Grants: c.Grants,
	})
	return done, err
}

// activate publishes a control record, waits until it is in force, and returns what runs then.
func (h *Host) activate(ctx context.Context, c module.Control) (module.Install, error) {
	if err := h.Control(ctx, c); err != nil {
		return module.Install{}, err
	}
	return h.pipeline.Generation().Running.Layer(c.Tenant).Slots[c.Name].Current, nil
}

// Control puts a control record into the log and waits until what it changed is in force and stored.
func (h *Host) Control(ctx context.Context, c module.Control) error {
	b, err := c.Encode()
	if err != nil {
		return err
	}
	seq, err := h.queue.PublishControl(ctx, b)
	if err != nil {
		return err
	}
	return h.pipeline.Wait(ctx, seq)
}

// Rollback makes the version before run again.
func (h *Host) Rollback(ctx context.Context, t storage.Tenant, name, who string) (module.Install, error) {
	return h.activate(ctx, module.Control{Kind: module.Rollback, Tenant: t, Name: name, Who: who})
}

// seed installs what ships with the binary: what is new, and new versions of what nobody has changed. A version that
// somebody rolled back is left alone.
func (h *Host) seed(ctx context.Context) error {
	if err := h.pipeline.Wait(ctx, h.queue.Last()); err != nil {
		return nil // ended before the log was read
	}
	shipped, err := modules.Builtin()
	if err != nil {
		return err
	}
	running := h.pipeline.Generation().Running.Layer(storage.NoTenant)
	for _, p := range shipped {
		slot, there := running.Slots[p.Manifest.Publisher+"/"+p.Manifest.Name]
		digest, err := h.packages.Push(ctx, p)
		if errors.Is(err, registry.ErrConflict) {
			h.log.Warn("a shipped module differs from the one of the same version that is here; the latter goes on", "module", p.Manifest.Reference())
			continue
		} else if err != nil {
			return err
		}
		known := func(i module.Install) bool { return i.Digest == string(digest) }
		if there && (known(slot.Current) || slices.ContainsFunc(slot.Previous, known) || slot.Current.Who != byVedette) {
			continue
		}
		c := Candidate{Package: p, Who: byVedette, Shipped: true}
		for _, capability := range p.Manifest.Capabilities {
			c.Grants = append(c.Grants, capability.ID)
		}
		if _, err := h.Install(ctx, c); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var trap *runtime.Trap
			if errors.As(err, &trap) || errors.Is(err, storage.ErrInvalid) {
				h.log.Error("a shipped module was refused", "module", p.Manifest.Reference(), "error", err)
				continue
			}
			return err
		}
	}
	return nil
}
