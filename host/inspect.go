package host

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
)

// Reread implements api.Rereader. It takes its turn among the previews.
func (h *Host) Reread(ctx context.Context, s api.Stored) (api.Reread, error) {
	out := api.Reread{Parser: s.Parser, Digest: s.Digest}
	in, owner, note, err := h.installOf(ctx, s)
	if err != nil || in.Digest == "" {
		out.Note = note
		return out, err
	}
	leave, err := h.previews.enter(ctx, s.Tenant)
	if err != nil {
		return out, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, previewTime, fmt.Errorf("parse again: it takes longer than %v: %w", previewTime, storage.ErrExhausted))
	defer cancel()
	out.Digest, out.Note = in.Digest, note
	err = h.withParser(ctx, owner, in, func(m *module.Loaded) error {
		out.Parser = m.Name() + " " + m.Manifest.Version
		trial := pipeline.Trial{Tables: h.pipeline.Generation().View(s.Tenant)}
		ask := []*module.Loaded{m}
		tried, err := trial.Run(ctx, []queue.Record{s.Record}, func(*queue.Record) []*module.Loaded { return ask })
		if err == nil {
			out.Tried = tried[0]
		}
		return err
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return out, cause
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		out.Note = "that version of the parser is no longer here"
	case errors.Is(err, storage.ErrForbidden):
		out.Note = "that version of the parser no longer has the capabilities that it needs"
	case err != nil:
		return out, blamed(fmt.Errorf("parse again: %w", err))
	}
	return out, nil
}

// installOf returns how the parser of a record was installed, and for whom, when it read it. A version that was rolled
// over since is looked for among those to go back to, and then among all packages; in.Digest is "" when it is nowhere,
// and note says what is not certain.
func (h *Host) installOf(ctx context.Context, s api.Stored) (in module.Install, owner storage.Tenant, note string, err error) {
	running := h.pipeline.Generation().Running
	for _, t := range []storage.Tenant{storage.NoTenant, s.Tenant} {
		slot, ok := running.Layer(t).Slots[s.Parser]
		if !ok {
			continue
		}
		for _, x := range append([]module.Install{slot.Current}, slot.Previous...) {
			if registry.Digest(x.Digest).Short() != s.Digest {
				continue
			}
			// The same version may have been installed twice, with other settings: the later one that was in force then.
			if before := x.Seq <= s.Generation; in.Digest == "" || before && (in.Seq > s.Generation || x.Seq > in.Seq) {
				in, owner = x, t
			}
		}
	}
	if in.Digest != "" {
		return in, owner, "", nil
	}
	own := h.packages.In(registry.Namespace(s.Tenant))
	list, err := own.List(ctx)
	if err != nil {
		return in, 0, "", err
	}
	i := slices.IndexFunc(list, func(e registry.Entry) bool { return e.Ref.Module() == s.Parser && e.Digest.Short() == s.Digest })
	if i < 0 {
		return in, 0, "that version of the parser is no longer here", nil
	}
	pkg, err := own.Pull(ctx, list[i].Digest)
	if err != nil {
		return in, 0, "", err
	}
	settings, err := pkg.Manifest.CheckSettings(nil)
	if err != nil {
		return in, 0, "that version of the parser needs settings, and those of then are not kept", nil //nolint:nilerr // said in the note
	}
	in = module.Install{Name: s.Parser, Digest: string(list[i].Digest), Settings: string(settings)}
	return in, s.Tenant, "that version of the parser no longer runs: it is read with the settings that it has by itself", nil
}

// withParser calls f with a parser: the one that runs, when it is the same, else a copy that is closed afterwards.
func (h *Host) withParser(ctx context.Context, owner storage.Tenant, in module.Install, f func(*module.Loaded) error) error {
	for _, m := range h.pipeline.Generation().Modules(owner) {
		if m.Install.Seq != in.Seq || m.Install.Digest != in.Digest || m.Code == nil {
			continue
		}
		if err := take(ctx, h.previews.live); err != nil {
			return err
		}
		err := f(m)
		<-h.previews.live
		if !errors.Is(err, runtime.ErrClosed) {
			return err
		}
		break // another generation came into force meanwhile
	}
	m, err := h.library.Open(ctx, owner, in)
	if err != nil {
		return err
	}
	if m.Code == nil {
		return fmt.Errorf("%s has no code: %w", in.Name, registry.ErrNotFound)
	}
	defer func() { _ = m.Code.Close(context.WithoutCancel(ctx)) }() // frees memory; there is nothing to do about an error
	return f(m)
}
