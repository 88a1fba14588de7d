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
	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Unsigned is the publisher that is shown for a module without a signature.
const Unsigned = "unsigned, local"

// byVedette installs what ships with the binary.
const byVedette = "vedette"

// candidateDigest stands for the digest of what is not installed yet: its log lines are nobody's to read.
const candidateDigest = "candidate"

// Candidate is a package that somebody wants to run.
type Candidate struct {
	Tenant   storage.Tenant // NoTenant for all
	Package  layout.Package // with what vouches for it; layout.Bare makes one of what was made here
	Settings string
	Grants   []string
	Who      string
	Approver bool // who asks may grant capabilities
	Shipped  bool // part of this binary, and trusted like it
}

// Installed says what an installation did.
type Installed struct {
	Install  module.Install
	Replaced string   // digest of the version that ran before
	Imports  []string // import modules of its code
	Cases    int      // of its own tests and of those that people have saved, all passed
	Waiting  uint64   // number of the request that waits for approval; nothing was installed then. 0: it runs
	Missing  []string // capabilities that it waits for
	Warnings []string // what it took away, and what speaks against trusting it
	State    []string // what became of what its rules knew
	Trust    policy.Verdict
}

// Install checks a candidate, step by step, and makes it run: package and signature, settings, static checks, metering
// and compiling, conflicts with what runs, its own test cases, and then a control record. What is refused changes
// nothing: the version that runs goes on. Errors wrap storage.ErrInvalid, ErrForbidden, ErrConflict, ErrExhausted or
// ErrUnavailable and say which step refused it and why.
func (h *Host) Install(ctx context.Context, c Candidate) (Installed, error) {
	var done Installed
	about := &c.Package.Artifact.Manifest
	if err := c.Package.Artifact.Check(); err != nil {
		return done, refused(c, "the package", err)
	}
	if about.Publisher == byVedette && !c.Shipped {
		// A version never changes: whoever took the number of a coming shipped version would keep it from everybody.
		return done, refused(c, "the publisher", fmt.Errorf("%q is kept for what ships with the host: publish under a name of your own, and disable the shipped module where yours takes its place: %w", byVedette, storage.ErrForbidden))
	}
	if err := h.judge(ctx, &c, &done); err != nil {
		return done, refused(c, "the signature", err)
	}
	settings, err := about.CheckSettings([]byte(c.Settings))
	if err != nil {
		return done, refused(c, "the settings", err)
	}
	name := about.Publisher + "/" + about.Name
	in := module.Install{Name: name, Settings: string(settings), Digest: candidateDigest}
	if in.Grants, done.Missing = h.grants(&c, name); len(done.Missing) > 0 {
		// Nothing of it runs, not even its tests, before somebody has agreed.
		if done.Waiting, err = h.request(ctx, &c, in, done.Missing); err != nil {
			return done, refused(c, "the request for approval", err)
		}
		return done, nil
	}
	m, err := h.library.Prepare(ctx, c.Tenant, in, c.Package.Artifact)
	if trap := (*runtime.Trap)(nil); errors.As(err, &trap) && trap.Code == runtime.CodeSettings {
		return done, refused(c, "the settings", err)
	} else if err != nil {
		return done, refused(c, "the static checks", err)
	}
	if m.Code != nil {
		done.Imports = m.Code.Imports()
		defer func() { _ = m.Code.Close(context.WithoutCancel(ctx)) }() // frees memory; there is nothing to do about an error
	}
	if done.Cases, err = h.passes(ctx, c, m); err != nil {
		return done, err
	}
	h.collecting.RLock() // from here on until it runs nothing but this says that it is needed
	defer h.collecting.RUnlock()
	digest, err := h.push(ctx, &c)
	if err != nil {
		return done, refused(c, "the registry", err)
	}
	h.tested.Store(string(digest), true)
	done.Replaced = h.pipeline.Generation().Running.Layer(c.Tenant).Slots[name].Current.Digest
	var carried []pipeline.Carried
	done.Install, carried, err = h.activate(ctx, module.Control{
		Kind: module.Activate, Tenant: c.Tenant, Who: c.Who, Name: name, Digest: string(digest), Settings: in.Settings, Grants: in.Grants,
	})
	if err != nil {
		return done, refused(c, "the activation", err)
	}
	if err := h.carried(ctx, carried, &done); err != nil {
		return done, refused(c, "what it remembers", err)
	}
	return done, nil
}

// passes asks whether a candidate can run beside what runs, and runs its own tests and those that people have saved. It
// returns how many tests there were.
func (h *Host) passes(ctx context.Context, c Candidate, m *module.Loaded) (cases int, err error) {
	if err := h.pipeline.Generation().Conflict(c.Tenant, m); err != nil {
		return 0, refused(c, "what runs already", err)
	}
	outcome, err := pipeline.Test(ctx, m, c.Package.Artifact.Vectors)
	if err != nil {
		return 0, refused(c, "its own tests", err)
	}
	if len(outcome.Failures) > 0 {
		return 0, refused(c, "its own tests", errors.New(strings.Join(outcome.Failures, "; ")))
	}
	saved, err := h.checkCases(ctx, c.Tenant, m)
	if err != nil {
		return 0, refused(c, "its saved cases", err)
	}
	return outcome.Cases + saved, nil
}

// carried notes what became of what rules knew. When it could not be migrated, the log says already that the version
// before goes on, and this waits until it does.
func (h *Host) carried(ctx context.Context, list []pipeline.Carried, done *Installed) error {
	for _, c := range list {
		if c.Failed != "" {
			if err := h.pipeline.Wait(ctx, h.queue.Last()); err != nil {
				return err
			}
			return fmt.Errorf("%s: %w", c, storage.ErrInvalid)
		}
		if c.How == manifest.Dropped && c.Dropped > 0 {
			done.Warnings = append(done.Warnings, c.String())
		} else {
			done.State = append(done.State, c.String())
		}
	}
	return nil
}

// grants returns which of the capabilities that a candidate asks for it has, and which it has not: it keeps those of the
// version that runs, and gets what somebody grants who may.
func (h *Host) grants(c *Candidate, name string) (has, missing []string) {
	running := h.pipeline.Generation().Running.Layer(c.Tenant).Slots[name].Current.Grants
	for _, id := range c.Package.Artifact.Manifest.Asks() { // what it does not ask for it does not get
		if slices.Contains(running, id) || (c.Approver || c.Shipped) && slices.Contains(c.Grants, id) {
			has = append(has, id)
		} else {
			missing = append(missing, id)
		}
	}
	return has, missing
}

// judge asks whether the candidate is trusted. What comes with the host needs no signature.
func (h *Host) judge(ctx context.Context, c *Candidate, done *Installed) (err error) {
	if c.Shipped {
		return nil
	}
	if done.Trust, err = h.trust.Judge(ctx, c.Tenant, &c.Package, c.Settings); err != nil {
		return err
	}
	if err := done.Trust.Err(); err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrForbidden)
	}
	for _, r := range slices.Concat(done.Trust.Reasons, done.Trust.Warnings) {
		if r.Code != policy.CodeUnsigned { // its publisher is shown as unsigned anyway
			done.Warnings = append(done.Warnings, r.Text)
		}
	}
	return nil
}

// push puts a candidate's package, and what vouches for it, into the namespace that it is installed for.
func (h *Host) push(ctx context.Context, c *Candidate) (registry.Digest, error) {
	digest, err := h.packages.In(registry.Namespace(c.Tenant)).AddPackage(ctx, c.Package)
	if len(c.Package.Referrers) > 0 {
		h.trust.Attached(c.Tenant)
	}
	if errors.Is(err, registry.ErrConflict) {
		err = fmt.Errorf("%w (a version never changes: give the new one another number): %w", err, storage.ErrConflict)
	}
	return digest, err
}

// refused says at which step an installation ended.
func refused(c Candidate, step string, err error) error {
	return blamed(fmt.Errorf("install %s: refused at %s: %w", c.Package.Artifact.Manifest.Reference(), step, err))
}

// blamed gives an error about a module its kind. What is not known to be something else is the module's fault.
func blamed(err error) error {
	for _, known := range []error{
		storage.ErrInvalid, storage.ErrForbidden, storage.ErrNotFound, storage.ErrConflict, storage.ErrExhausted, storage.ErrUnavailable,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.Is(err, runtime.ErrStalled) || errors.Is(err, runtime.ErrClosed) {
		return fmt.Errorf("%w: %w", err, storage.ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
}

// activate publishes a control record, waits until it is in force, and returns what runs then, a layer's own version or,
// when an organization's own was rolled back, the shared one, and what became of what its rules knew.
func (h *Host) activate(ctx context.Context, c module.Control) (module.Install, []pipeline.Carried, error) {
	seq, err := h.control(ctx, c)
	if err != nil {
		return module.Install{}, nil, err
	}
	running, carried := h.pipeline.Generation().Running, h.pipeline.Carried(seq)
	if slot, own := running.Layer(c.Tenant).Slots[c.Name]; own {
		return slot.Current, carried, nil
	}
	return running.Layer(storage.NoTenant).Slots[c.Name].Current, carried, nil
}

// Control puts a control record into the log and waits until what it changed is in force and stored.
func (h *Host) Control(ctx context.Context, c module.Control) error {
	_, err := h.control(ctx, c)
	return err
}

// control is Control and returns the record's position.
func (h *Host) control(ctx context.Context, c module.Control) (uint64, error) {
	if err := h.mayGoOn(ctx, &c); err != nil {
		return 0, err
	}
	b, err := c.Encode()
	if err != nil {
		return 0, err
	}
	defer h.hold(ctx, c)()
	seq, err := h.queue.PublishControl(ctx, b)
	if err != nil {
		return 0, err
	}
	return seq, h.pipeline.Wait(ctx, seq)
}

// hold loads what a control record will make run, before the record is in the log, and keeps it until then: loading takes
// milliseconds, in which the log would stand still. What goes wrong here goes wrong again there, where it is decided.
func (h *Host) hold(ctx context.Context, c module.Control) (release func()) {
	none := func() {}
	if c.Kind != module.Activate && c.Kind != module.Rollback && c.Kind != module.Enable {
		return none
	}
	next, err := h.pipeline.Generation().Running.Apply(0, 0, c)
	if err != nil {
		return none
	}
	slot, own := next.Layer(c.Tenant).Slots[c.Name]
	if !own { // what all share is loaded
		return none
	}
	if release, err = h.library.Hold(ctx, c.Tenant, slot.Current); err != nil {
		return none
	}
	return release
}

// mayGoOn refuses to bring back a version that is not trusted any more. Where it is not sure, because something else
// changes meanwhile or the log decides, the next round of trust.Watch is.
func (h *Host) mayGoOn(ctx context.Context, c *module.Control) error {
	if c.Kind != module.Enable && c.Kind != module.Rollback {
		return nil
	}
	now := h.pipeline.Generation().Running
	next, err := now.Apply(now.Seq+1, 0, *c)
	if err != nil {
		return nil //nolint:nilerr // the log says so too
	}
	owner, slot := c.Tenant, next.Layer(c.Tenant).Slots[c.Name]
	if slot.Current.Digest == "" {
		owner, slot = storage.NoTenant, next.Layer(storage.NoTenant).Slots[c.Name]
	}
	v, err := h.trust.Running(ctx, owner, registry.Digest(slot.Current.Digest))
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err == nil && v.Stop {
		err = fmt.Errorf("%s: %w", trust.Reasons(v.Reasons), storage.ErrForbidden)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", c.Kind, c.Name, err)
	}
	return nil
}

// Rollback makes the version before run again: for an organization that may be the shared one.
func (h *Host) Rollback(ctx context.Context, t storage.Tenant, name, who string) (module.Install, error) {
	in, _, err := h.activate(ctx, module.Control{Kind: module.Rollback, Tenant: t, Name: name, Who: who})
	return in, err
}
