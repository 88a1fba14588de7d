package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// localPublisher is that of what people write in the console.
const localPublisher = "local"

// InstallSpec makes a package of a declarative parser, with what it makes of the samples as its own tests, and installs
// it. Errors are those of Install.
func (m apiModules) InstallSpec(ctx context.Context, c api.Spec) (api.Installed, error) {
	about := spec.About{Publisher: localPublisher, Name: c.Name, Version: c.Version}
	var err error
	if about.Version == "" {
		if about.Version, err = m.nextVersion(ctx, c.Tenant, c.Name); err != nil {
			return api.Installed{}, fmt.Errorf("install %s/%s: %w", localPublisher, c.Name, err)
		}
	}
	pkg, err := m.packSpec(ctx, about, c)
	if err != nil {
		return api.Installed{}, blamed(fmt.Errorf("install %s/%s: %w", localPublisher, c.Name, err))
	}
	return m.Install(ctx, api.Candidate{Tenant: c.Tenant, Package: layout.Bare(pkg), Who: c.Who})
}

// packSpec runs the samples, which is a preview like any other.
func (m apiModules) packSpec(ctx context.Context, about spec.About, c api.Spec) (registry.Artifact, error) {
	leave, err := m.previews.enter(ctx, c.Tenant)
	if err != nil {
		return registry.Artifact{}, err
	}
	defer leave()
	return author.PackSpec(ctx, m.runtime, about, c.Text, c.Samples, time.Now())
}

// nextVersion returns the version after the one that a layer runs. Numbers that somebody has used are left out: a
// version never changes, and organizations may choose the same name.
func (m apiModules) nextVersion(ctx context.Context, t storage.Tenant, name string) (string, error) {
	module := localPublisher + "/" + name
	used, err := m.packages.In(registry.Namespace(t)).Tags(ctx, module)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return "", err
	}
	next := *semver.New(1, 0, 0, "", "")
	if slot, there := m.pipeline.Generation().Running.Layer(t).Slots[module]; there {
		running, err := m.packages.Pull(ctx, t, registry.Digest(slot.Current.Digest))
		if err != nil {
			return "", err
		}
		now, err := semver.StrictNewVersion(running.Manifest.Version)
		if err != nil {
			return "", fmt.Errorf("version %q: %w: %w", running.Manifest.Version, err, storage.ErrInvalid)
		}
		next = now.IncMinor()
	}
	for slices.Contains(used, next.String()) {
		next = next.IncMinor()
	}
	return next.String(), nil
}
