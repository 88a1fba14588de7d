package host

import (
	"context"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// request keeps a candidate that asks for more than it may have, until somebody who may grant it decides.
func (h *Host) request(ctx context.Context, c *Candidate, in module.Install, missing []string) (uint64, error) {
	h.collecting.RLock()
	defer h.collecting.RUnlock()
	digest, err := h.push(ctx, c)
	if err != nil {
		return 0, err
	}
	r := meta.InstallRequest{
		Module: in.Name, Version: c.Package.Artifact.Manifest.Version, Digest: string(digest), Settings: in.Settings, Missing: missing, Who: c.Who, At: time.Now().UnixNano(),
		Asks: c.Package.Artifact.Manifest.Asks(),
	}
	return h.db.PutInstallRequest(ctx, c.Tenant, r)
}

// Approve installs what a request asks for, with all the capabilities that it asks for, in the name of whoever asked. All
// steps of an installation are taken now: what is refused by one leaves the request waiting. The error wraps
// storage.ErrNotFound, ErrConflict when somebody has decided already, or what Install's does.
func (h *Host) Approve(ctx context.Context, by storage.Principal, id uint64, note string) (Installed, error) {
	r, err := h.db.InstallRequest(ctx, by, id)
	if err != nil {
		return Installed{}, err
	}
	if r.State != meta.RequestWaiting {
		return Installed{}, fmt.Errorf("approve request %d: it is %s already: %w", id, r.State, storage.ErrConflict)
	}
	pkg, err := h.packages.In(registry.Namespace(r.Tenant)).Package(ctx, registry.Digest(r.Digest))
	if err != nil {
		return Installed{}, blamed(fmt.Errorf("approve request %d: %w", id, err))
	}
	done, err := h.Install(ctx, Candidate{
		Tenant: r.Tenant, Package: pkg, Settings: r.Settings, Grants: r.Asks, Who: r.Who, Approver: true,
	})
	if err != nil {
		return Installed{}, fmt.Errorf("approve request %d: %w", id, err)
	}
	return done, h.db.DecideInstallRequest(ctx, by, id, meta.RequestApproved, note)
}

// Reject ends a request. The error wraps storage.ErrNotFound, or ErrConflict when somebody has decided already.
func (h *Host) Reject(ctx context.Context, by storage.Principal, id uint64, note string) error {
	return h.db.DecideInstallRequest(ctx, by, id, meta.RequestRejected, note)
}
