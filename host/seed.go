package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/host/module"
	sandbox "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// readShipped reads what ships with the binary, which takes as long as opening what is kept and is done beside it.
func (h *Host) readShipped() error {
	list, err := modules.Builtin()
	if err != nil {
		return err
	}
	h.ships = make([]layout.Package, len(list))
	for i, p := range list {
		h.ships[i] = layout.Bare(p)
	}
	return nil
}

// seed installs what ships with the binary: what is new, and new versions of what nobody has changed. Mostly that is
// nothing, or all of it as one change; where that is refused, each module is installed by itself, so that one that cannot
// run keeps no other from it.
func (h *Host) seed(ctx context.Context) error {
	ships := h.ships
	h.ships = nil // they hold all shipped code once more
	if err := h.pipeline.Wait(ctx, h.queue.Last()); err != nil {
		return nil // ended before the log was read: Run says why
	}
	running := h.pipeline.Generation().Running.Layer(storage.NoTenant)
	var news []Candidate
	for _, p := range ships {
		about := &p.Artifact.Manifest
		slot, there := running.Slots[about.Publisher+"/"+about.Name]
		if !there || !settled(slot, string(p.Digest)) {
			news = append(news, Candidate{Package: p, Who: byVedette, Shipped: true, Grants: about.Asks()})
		}
	}
	for set := range slices.Chunk(news, module.MaxModulesPerSet) {
		err := h.installSet(ctx, set)
		if err != nil && ctx.Err() == nil {
			err = h.installEach(ctx, set)
		}
		if ctx.Err() != nil {
			return nil // it was told to end; the next start installs the rest
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled says that a shipped version must not be installed: it runs or ran before, it was rolled back, or somebody has
// decided about its module.
func settled(slot module.Slot, digest string) bool {
	known := func(i module.Install) bool { return i.Digest == digest }
	decided := slot.Current.Who != byVedette || slot.Off && slot.Why == ""
	return decided || known(slot.Current) || slices.ContainsFunc(slot.Previous, known) || slot.Undone == digest
}

// installSet installs shipped modules, which all organizations share, as one change: all of them run afterwards, or none
// that did not before. Each step is taken for all of them before the next: packages are stored, modules loaded and tested
// over all processors, and one control record makes them run. The steps are those of Install.
func (h *Host) installSet(ctx context.Context, set []Candidate) error {
	h.collecting.RLock()
	defer h.collecting.RUnlock()
	packages := make([]registry.Artifact, len(set))
	for i := range set {
		packages[i] = set[i].Package.Artifact
	}
	digests, err := h.packages.PushAll(ctx, packages)
	if err != nil {
		return err
	}
	c := module.Control{Kind: module.ActivateSet, Who: byVedette, Set: make([]module.Activation, len(set))}
	order := make([]int, len(set))
	for i := range set {
		about := &set[i].Package.Artifact.Manifest
		settings, err := about.CheckSettings([]byte(set[i].Settings))
		if err != nil {
			return refused(set[i], "the settings", err)
		}
		c.Set[i] = module.Activation{Name: about.Publisher + "/" + about.Name, Digest: string(digests[i]), Settings: string(settings)}
		c.Set[i].Grants, _ = h.grants(&set[i], c.Set[i].Name)
		order[i] = i
	}
	// Who has the largest code to compile at the end has the other processors wait.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(packages[b].Wasm), len(packages[a].Wasm)) })
	releases := make([]func(), len(set))
	defer func() {
		for _, release := range releases {
			if release != nil {
				release()
			}
		}
	}()
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range order {
		g.Go(func() (err error) {
			releases[i], err = h.tryShipped(each, set[i], c.Set[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return h.Control(ctx, c)
}

// tryShipped loads a shipped module, tests it, and keeps it in memory until it is released.
func (h *Host) tryShipped(ctx context.Context, c Candidate, a module.Activation) (release func(), err error) {
	in := module.Install{Name: a.Name, Digest: a.Digest, Settings: a.Settings, Grants: a.Grants}
	if release, err = h.library.Hold(ctx, c.Tenant, in); err != nil {
		return nil, refused(c, "the static checks", err)
	}
	m, err := h.library.Load(ctx, c.Tenant, in)
	if err == nil {
		_, err = h.passes(ctx, c, m)
	}
	if err == nil {
		h.tested.Store(a.Digest, true)
	}
	return release, err
}

// installEach installs shipped modules one after another, and says which are refused.
func (h *Host) installEach(ctx context.Context, list []Candidate) error {
	for _, c := range list {
		ref := registry.RefOf(&c.Package.Artifact.Manifest)
		if d, err := h.packages.Resolve(ctx, ref); err == nil && d != c.Package.Digest {
			h.log.Warn("a shipped module differs from the one of the same version that is here; the latter goes on", "module", ref)
			continue
		}
		_, err := h.Install(ctx, c)
		var trap *sandbox.Trap
		switch {
		case err == nil:
		case errors.As(err, &trap) || errors.Is(err, storage.ErrInvalid) || errors.Is(err, storage.ErrConflict):
			h.log.Error("a shipped module was refused", "module", ref, "error", err)
		default:
			return fmt.Errorf("install what ships: %w", err)
		}
	}
	return nil
}
