package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// maxTexts is how many texts one poll may bring.
const maxTexts = 16

// staged is a text that a poll has brought.
type staged struct {
	version meta.ConfigVersion
	text    []byte
}

// compare returns what a module compares texts of a device with: the version before, the blessed one, or the newest text
// of another name. A text of this poll counts as the newest of its name.
func (p *pull) compare(device string) runtime.Compare {
	return func(ctx context.Context, name, base string, text []byte) (config.Difference, error) {
		d := config.Difference{Version: meta.ConfigDigest(text)}
		if name == "" || len(name) > config.MaxNameBytes || strings.ContainsFunc(name, notName) || strings.HasPrefix(name, "@") {
			return d, fmt.Errorf("%.80q is no name of a text: %w", name, runtime.ErrDenied)
		}
		if len(text) > config.MaxTextBytes {
			return d, fmt.Errorf("E_LIMIT: a text of %d bytes, at most %d are kept: %w", len(text), config.MaxTextBytes, runtime.ErrDenied)
		}
		text = bytes.Clone(text)
		if err := p.stage(ctx, device, name, text); err != nil {
			return d, err
		}
		old, digest, err := p.base(ctx, device, name, base)
		if errors.Is(err, storage.ErrNotFound) {
			d.State = config.Missing
			return d, nil
		}
		if err != nil {
			return d, err
		}
		d.Base = digest
		if digest != d.Version {
			x := Diff(old, text, config.MaxDiffBytes)
			d.State, d.Added, d.Removed, d.Diff, d.Cut = config.Changed, x.Added, x.Removed, x.Text, x.Cut
		}
		return d, nil
	}
}

func notName(r rune) bool { return r <= ' ' || r >= 0x7f }

// stage notes a text; it is kept once the records of the poll are safe.
func (p *pull) stage(ctx context.Context, device, name string, text []byte) error {
	v := meta.ConfigVersion{Device: device, Name: name, At: p.at, Digest: meta.ConfigDigest(text), Size: len(text)}
	_, before, err := p.scheduler.cfg.Store.LatestConfig(ctx, p.tenant, device, name)
	if err == nil {
		x := Diff(before, text, 0)
		v.Added, v.Removed = x.Added, x.Removed
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	} else {
		v.Added = bytes.Count(text, []byte("\n"))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.texts {
		if p.texts[i].version.Device == device && p.texts[i].version.Name == name {
			p.texts[i] = staged{v, text}
			return nil
		}
	}
	if len(p.texts) == maxTexts {
		return fmt.Errorf("E_LIMIT: more than %d texts in one poll: %w", maxTexts, runtime.ErrDenied)
	}
	p.texts = append(p.texts, staged{v, text})
	return nil
}

// base finds the text that another is compared with.
func (p *pull) base(ctx context.Context, device, name, base string) (text []byte, digest string, err error) {
	store := p.scheduler.cfg.Store
	switch {
	case base == config.Previous:
		v, text, err := store.LatestConfig(ctx, p.tenant, device, name)
		return text, v.Digest, err
	case base == config.Blessed:
		digest, text, err = store.BlessedConfig(ctx, p.tenant, device, name)
		return text, digest, err
	case strings.HasPrefix(base, "@"):
		p.mu.Lock()
		for i := range p.texts {
			if v := &p.texts[i].version; v.Device == device && v.Name == base[1:] {
				text, digest = p.texts[i].text, v.Digest
			}
		}
		p.mu.Unlock()
		if digest != "" {
			return text, digest, nil
		}
		v, text, err := store.LatestConfig(ctx, p.tenant, device, base[1:])
		return text, v.Digest, err
	}
	return nil, "", fmt.Errorf("%.80q is nothing to compare with: %w", base, runtime.ErrDenied)
}

// versions lists what would be kept.
func (p *pull) versions() (list []meta.ConfigVersion) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.texts {
		list = append(list, p.texts[i].version)
	}
	return list
}

// commit keeps the texts. After a kill before it the next poll finds the same differences again.
func (p *pull) commit(ctx context.Context) error {
	for i := range p.texts {
		if err := p.scheduler.cfg.Store.AddConfig(ctx, p.tenant, p.texts[i].version, p.texts[i].text); err != nil {
			return err
		}
	}
	return nil
}
