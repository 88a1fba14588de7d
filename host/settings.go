package host

import (
	"context"
	"fmt"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
)

// SetSettings has the version of a module that runs for an organization, or with NoTenant for all, go on with other
// settings, JSON, from one record to the next. It is an installation of the same package: the settings are checked against
// its schema and by its code, its tests are run with them, and one can go back to the version with those before. An
// organization that runs the shared version gets it as its own. Errors are Install's, and storage.ErrConflict for a module
// that is switched off.
func (h *Host) SetSettings(ctx context.Context, t storage.Tenant, name, settings, who string) (Installed, error) {
	running := h.pipeline.Generation().Running
	slot, own := running.Layer(t).Slots[name]
	if !own {
		slot = running.Layer(storage.NoTenant).Slots[name]
	}
	in := slot.Current
	pkg, err := h.packages.In(registry.Namespace(t)).Package(ctx, registry.Digest(in.Digest))
	switch {
	case in.Digest == "":
		err = fmt.Errorf("no such module runs: %w", storage.ErrNotFound)
	case slot.Off || running.Layer(t).Off[name]:
		err = fmt.Errorf("it is switched off, and would be switched on: %w", storage.ErrConflict)
	}
	if err != nil {
		return Installed{}, blamed(fmt.Errorf("settings of %s: %w", name, err))
	}
	return h.Install(ctx, Candidate{
		Tenant: t, Package: pkg, Settings: settings, Grants: in.Grants, Who: who, Approver: true, Shipped: h.shipped()[registry.Digest(in.Digest)],
	})
}
