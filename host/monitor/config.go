package monitor

import (
	"context"

	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// kept is an organization's texts in the store.
type kept struct {
	store  Store
	tenant storage.Tenant
}

func (k kept) Latest(ctx context.Context, device, name string) ([]byte, string, error) {
	v, text, err := k.store.LatestConfig(ctx, k.tenant, device, name)
	return text, v.Digest, err
}

func (k kept) Blessed(ctx context.Context, device, name string) ([]byte, string, error) {
	digest, text, err := k.store.BlessedConfig(ctx, k.tenant, device, name)
	return text, digest, err
}

// version is a text of this poll as the store knows it.
func (p *pull) version(v *texts.Version) meta.ConfigVersion {
	return meta.ConfigVersion{
		Device: v.Device, Name: v.Name, At: p.at, Digest: v.Digest, Size: len(v.Text), Added: v.Added, Removed: v.Removed,
	}
}

// versions lists what would be kept.
func (p *pull) versions() (list []meta.ConfigVersion) {
	for _, v := range p.texts.Versions() {
		list = append(list, p.version(&v))
	}
	return list
}

// commit keeps the texts. After a kill before it the next poll finds the same differences again.
func (p *pull) commit(ctx context.Context) error {
	for _, v := range p.texts.Versions() {
		if err := p.scheduler.cfg.Store.AddConfig(ctx, p.tenant, p.version(&v), v.Text); err != nil {
			return err
		}
	}
	return nil
}
