package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/registry/server"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// What is collected, and when.
const (
	collectEvery   = 24 * time.Hour
	collectFirst   = time.Hour // after the start
	collectTimeout = 15 * time.Minute
	keptVersions   = 5 // of each module in each namespace, the newest: they may have been pushed to be installed later
)

// ociServer says what is served below /v2/.
func (h *Host) ociServer() server.Config {
	return server.Config{
		Layout: h.packages.Layout, Dir: filepath.Join(h.cfg.DataDir, "uploads"), Now: time.Now, Random: rand.Reader,
		AdmitIndex: h.trust.Accept,
		Admit: func(_ context.Context, _ registry.Namespace, a *registry.Artifact) error {
			if a.Manifest.Publisher == byVedette {
				return fmt.Errorf("the publisher %q is kept for what ships with the host: %w", byVedette, registry.ErrDenied)
			}
			return nil
		},
		Stored: func(n registry.Namespace, a layout.Added) {
			if a.Subject != "" {
				h.trust.Attached(storage.Tenant(n))
			}
		},
	}
}

// fetch returns the package that a reference names, for an organization: from this host's registry, or else from the
// remote one, which has to be trusted before anything of it is stored.
func (h *Host) fetch(ctx context.Context, t storage.Tenant, reference string) (layout.Package, error) {
	own := h.packages.In(registry.Namespace(t))
	if d, err := registry.ParseDigest(reference); err == nil {
		return own.Package(ctx, d)
	}
	ref, err := registry.ParseRef(reference)
	var d registry.Digest
	if err != nil {
		name, want, cut := strings.Cut(reference, ":")
		known := h.trust.Known()
		if !cut || known == nil || known.Index() == nil {
			return layout.Package{}, err
		}
		if ref, d, err = known.Index().Resolve(name, want); err != nil {
			return layout.Package{}, err
		}
	}
	here, err := own.Resolve(ctx, ref)
	switch {
	case err == nil && d != "" && here != d:
		return layout.Package{}, fmt.Errorf("the signed index says that %s is %s, and here it is %s: %w", ref, d.Short(), here.Short(), registry.ErrConflict)
	case err == nil:
		return own.Package(ctx, here)
	case !errors.Is(err, registry.ErrNotFound) || h.remote == nil:
		return layout.Package{}, err
	}
	from := h.remote.Reference(ref)
	from.Digest = d
	got, err := h.remote.Pull(ctx, from, own, remote.Admit(h.trust.Admit(t)))
	if err != nil {
		return layout.Package{}, err
	}
	return own.Package(ctx, got.Digest)
}

// apiRegistry shows the host's registry to the API.
type apiRegistry struct{ *Host }

func (r apiRegistry) Layout() *layout.Layout { return r.packages.Layout }

func (r apiRegistry) Index() *index.Trust { return r.trust.Known() }

func (r apiRegistry) Policy() string {
	text, err := readLimited(r.cfg.Modules.TrustPolicy, policy.MaxSourceBytes)
	if err != nil {
		return "" // it was there at the start, and may be written anew just now
	}
	return string(text)
}

func (r apiRegistry) Policies(ctx context.Context, t storage.Tenant) ([]*policy.Policy, error) {
	return r.trust.Policies(ctx, t)
}

func (r apiRegistry) Source() api.RegistrySource {
	s := api.RegistrySource{Remote: r.cfg.Modules.Registry.URL, RefuseUnsigned: r.cfg.Modules.RefuseUnsigned}
	var err error
	if s.Looked, err = r.trust.Looked(); err != nil {
		s.Problem = err.Error()
	}
	return s
}

func (r apiRegistry) Would(ctx context.Context, t storage.Tenant, p *policy.Policy) ([]api.Judged, error) {
	list, err := r.trust.Would(ctx, t, p, r.pipeline.Generation().Running)
	out := make([]api.Judged, 0, len(list))
	for _, j := range list {
		out = append(out, api.Judged(j))
	}
	return out, err
}

func (r apiRegistry) Stored(ctx context.Context, t storage.Tenant, d registry.Digest) (policy.Verdict, []string, error) {
	return r.trust.Stored(ctx, t, d)
}

func (r apiRegistry) Conformance(ctx context.Context, t storage.Tenant, d registry.Digest) (api.Conformance, error) {
	c, err := r.trust.Conformance(ctx, t, d)
	return api.Conformance(c), err
}

func (r apiRegistry) Fetch(ctx context.Context, t storage.Tenant, reference string) (layout.Package, error) {
	r.collecting.RLock() // nothing refers to it yet
	defer r.collecting.RUnlock()
	return r.fetch(ctx, t, reference)
}

func (r apiRegistry) Import(ctx context.Context, t storage.Tenant, from io.Reader) ([]bundle.Module, error) {
	dir := filepath.Join(r.cfg.DataDir, "imports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	b, err := bundle.Open(ctx, from, dir)
	if err != nil {
		return nil, err
	}
	defer b.Close() //nolint:errcheck // what is left is removed with the next one
	site := bundle.Site{Into: r.packages.In(registry.Namespace(t)), Policy: r.trust.Policy(), Trust: r.trust.Known(), Now: time.Now()}
	snapshot, listed := b.Snapshot()
	if site.Trust == nil && listed && len(snapshot.Roots) > 0 {
		if site.Trust, err = index.Begin(snapshot.Roots[0]); err != nil {
			return nil, err
		}
	}
	r.collecting.RLock()
	defer r.collecting.RUnlock()
	done, err := b.Import(ctx, site)
	if err != nil {
		return nil, err
	}
	r.trust.Attached(t)
	if listed {
		err = r.trust.Accept(ctx, snapshot)
	}
	return done.Modules, err
}

// Collect removes from the registry every version that nothing refers to any more: not what runs, what ran since a start
// would read the log, what can be rolled back to, what waits for approval, what stored events and incidents name, and not
// the newest versions of a module. Where it cannot know what is needed it removes nothing.
func (r apiRegistry) Collect(ctx context.Context, dryRun bool) (api.Collected, error) {
	var out api.Collected
	ctx, cancel := context.WithTimeout(ctx, collectTimeout)
	defer cancel()
	needed := &references{digests: map[registry.Digest]bool{}, short: map[string]bool{}}
	if err := r.named(ctx, needed); err != nil {
		return out, fmt.Errorf("collect packages: %w", err)
	}
	r.collecting.Lock()
	defer r.collecting.Unlock()
	if err := r.running(ctx, needed); err != nil {
		return out, fmt.Errorf("collect packages: %w", err)
	}
	namespaces, err := r.packages.Namespaces()
	if err != nil {
		return out, fmt.Errorf("collect packages: %w", err)
	}
	slices.Reverse(namespaces) // the shared one last: the others may be all that needs something of it
	for _, n := range namespaces {
		gone, err := r.unneeded(ctx, n, namespaces, needed)
		if err != nil {
			return out, fmt.Errorf("collect packages: %w", err)
		}
		out.Packages = append(out.Packages, gone...)
		if dryRun {
			continue
		}
		var digests []registry.Digest
		for _, e := range gone {
			digests = append(digests, e.Digest)
		}
		done, err := r.packages.In(n).Drop(ctx, digests)
		out.Blobs, out.Bytes = out.Blobs+done.Blobs, out.Bytes+done.Bytes
		if err != nil {
			return out, fmt.Errorf("collect packages: %w", err)
		}
	}
	return out, nil
}

// references is what is needed, whoever's it is.
type references struct {
	digests map[registry.Digest]bool
	short   map[string]bool // as events name them
}

func (r *references) has(d registry.Digest) bool { return r.digests[d] || r.short[d.Short()] }

// named adds what stored events name. It may take long; what begins to run meanwhile is among what runs afterwards.
func (h *Host) named(ctx context.Context, to *references) error {
	tenants, err := h.db.AllTenants(ctx)
	if err == nil {
		err = h.store.Flush(ctx) // what was stored a moment ago cannot be found yet
	}
	if err != nil || len(tenants) == 0 {
		return err
	}
	now := time.Now()
	query := logs.Query{Text: "*", From: now.AddDate(0, 0, -h.cfg.Retention.Days-1), To: now.Add(24 * time.Hour)}
	reader := storage.Principal{User: byVedette, Role: storage.RoleReadOnly, Tenants: tenants}
	values, err := h.store.FieldValues(ctx, reader, query, storage.FieldDigest, logs.MaxValues)
	if err == nil && len(values) >= logs.MaxValues {
		err = fmt.Errorf("stored events name more than %d versions: %w", logs.MaxValues, storage.ErrExhausted)
	}
	for _, v := range values {
		to.short[v.Value] = true
	}
	return err
}

// running adds what runs, what a start would run, what can be rolled back to, what waits and what incidents name.
func (h *Host) running(ctx context.Context, to *references) error {
	if h.cfg.Queue.KeepAll {
		return fmt.Errorf("queue.keep_all keeps the log whole, and any version in it may be run again: %w", storage.ErrConflict)
	}
	past, known := h.pipeline.Past()
	if !known {
		return fmt.Errorf("what a start would need is known from the first checkpoint on: %w", storage.ErrUnavailable)
	}
	var before module.Running
	for _, running := range append(slices.Clone(past), h.pipeline.Generation().Running) {
		for _, layer := range running.Layers.Since(before.Layers) {
			for _, slot := range layer.Slots {
				for _, in := range append([]module.Install{slot.Current}, slot.Previous...) {
					to.digests[registry.Digest(in.Digest)] = true
				}
				to.digests[registry.Digest(slot.Undone)] = true
			}
		}
		before = running
	}
	named, err := h.db.PackageDigests(ctx)
	for _, d := range named {
		to.digests[registry.Digest(d)] = true
	}
	return err
}

// unneeded lists the versions of a namespace that nothing refers to; all are the namespaces that there are.
func (h *Host) unneeded(ctx context.Context, n registry.Namespace, all []registry.Namespace, needed *references) (gone []registry.Entry, err error) {
	list, err := h.packages.In(n).List(ctx)
	if err != nil {
		return nil, err
	}
	referred := map[registry.Digest]bool{}
	if n == registry.Shared {
		for _, other := range all {
			if other == registry.Shared {
				continue
			}
			digests, err := h.packages.In(other).Live()
			if err != nil {
				return nil, err
			}
			for _, d := range digests {
				referred[d] = true
			}
		}
	}
	newest := map[string]int{}
	for _, e := range list { // newest first
		if e.Namespace != n {
			continue
		}
		if newest[e.Ref.Module()]++; newest[e.Ref.Module()] > keptVersions && !needed.has(e.Digest) && !referred[e.Digest] {
			gone = append(gone, e)
		}
	}
	return gone, nil
}

// tidyRegistry is called each minute: it lets go of the namespaces of organizations that were removed, and once a day of
// what nothing refers to. next is when it does so again.
func (h *Host) tidyRegistry(ctx context.Context, now time.Time, next *time.Time) {
	warn := func(err error) {
		if err != nil && ctx.Err() == nil {
			h.log.Warn("tidy the registry", "error", err)
		}
	}
	warn(h.forgetNamespaces())
	if now.Before(*next) || h.cfg.Queue.KeepAll {
		return
	}
	*next = now.Add(collectEvery)
	done, err := apiRegistry{h}.Collect(ctx, false)
	warn(err)
	if len(done.Packages) > 0 {
		h.log.Info("removed module versions that nothing refers to", "versions", len(done.Packages), "bytes", done.Bytes)
	}
}

// forgetNamespaces removes what organizations had that are gone, once no start would read the log from when they were there.
func (h *Host) forgetNamespaces() error {
	past, known := h.pipeline.Past()
	if !known || h.cfg.Queue.KeepAll {
		return nil
	}
	gone := h.pipeline.Generation().Running.Gone
	namespaces, err := h.packages.Namespaces()
	if err != nil {
		return err
	}
	for _, n := range namespaces {
		t := storage.Tenant(n)
		if !gone[t] || slices.ContainsFunc(past, func(r module.Running) bool { return !r.Gone[t] }) {
			continue
		}
		if err := h.packages.Forget(n); err != nil {
			return err
		}
	}
	return nil
}
