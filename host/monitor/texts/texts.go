// Package texts compares what a poll brings of devices, such as configurations, with what was kept of them, and gathers
// it to be kept in turn.
package texts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// MaxTexts is how many texts one poll may bring.
const MaxTexts = 16

// Store finds the texts that were kept of devices. Both return the text and its digest, and an error that wraps
// [storage.ErrNotFound] when there is none. It is called by the goroutine that polls; the caller owns the slices.
type Store interface {
	Latest(ctx context.Context, device, name string) (text []byte, digest string, err error)
	Blessed(ctx context.Context, device, name string) (text []byte, digest string, err error) // that a person has declared right
}

// Version is a text that a poll has brought.
type Version struct {
	Device, Name   string
	Digest         string // "sha256:…"
	Text           []byte
	Added, Removed int // lines, against the version before
}

// Pull is what one poll has brought. It may be read from another goroutine than the one that polls.
type Pull struct {
	store Store

	mu    sync.Mutex
	texts []Version
}

// New returns an empty Pull, which compares with what is in a store.
func New(s Store) *Pull { return &Pull{store: s} }

// Compare returns what a module compares texts of a device with (ABI 18): the version before, the blessed one, or the
// newest text of another name. A text of this poll counts as the newest of its name.
func (p *Pull) Compare(device string) runtime.Compare {
	return func(ctx context.Context, name, base string, text []byte) (config.Difference, error) {
		d := config.Difference{Version: manifest.Sum(text)}
		if name == "" || len(name) > config.MaxNameBytes || strings.ContainsFunc(name, notName) || strings.HasPrefix(name, "@") {
			return d, fmt.Errorf("%.80q is no name of a text: %w", name, runtime.ErrDenied)
		}
		if len(text) > config.MaxTextBytes {
			return d, fmt.Errorf("E_LIMIT: a text of %d bytes, at most %d are kept: %w", len(text), config.MaxTextBytes, runtime.ErrDenied)
		}
		if base != config.Previous && base != config.Blessed && !strings.HasPrefix(base, "@") {
			return d, fmt.Errorf("%.80q is nothing to compare with: %w", base, runtime.ErrDenied)
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
func (p *Pull) stage(ctx context.Context, device, name string, text []byte) error {
	v := Version{Device: device, Name: name, Digest: manifest.Sum(text), Text: text}
	before, _, err := p.store.Latest(ctx, device, name)
	switch {
	case err == nil:
		x := Diff(before, text, 0)
		v.Added, v.Removed = x.Added, x.Removed
	case errors.Is(err, storage.ErrNotFound):
		v.Added = bytes.Count(text, []byte("\n"))
	default:
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.find(device, name); k >= 0 {
		p.texts[k] = v
		return nil
	}
	if len(p.texts) == MaxTexts {
		return fmt.Errorf("E_LIMIT: more than %d texts in one poll: %w", MaxTexts, runtime.ErrDenied)
	}
	p.texts = append(p.texts, v)
	return nil
}

// find returns where a text of this poll stands, -1 when it is not there. The caller holds the lock.
func (p *Pull) find(device, name string) int {
	return slices.IndexFunc(p.texts, func(v Version) bool { return v.Device == device && v.Name == name })
}

// base finds the text that another is compared with.
func (p *Pull) base(ctx context.Context, device, name, base string) (text []byte, digest string, err error) {
	switch base {
	case config.Previous:
		return p.store.Latest(ctx, device, name)
	case config.Blessed:
		return p.store.Blessed(ctx, device, name)
	}
	other := strings.TrimPrefix(base, "@")
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.find(device, other); k >= 0 {
		return p.texts[k].Text, p.texts[k].Digest, nil
	}
	return p.store.Latest(ctx, device, other)
}

// Versions lists what the poll has brought, to be kept when it has succeeded.
func (p *Pull) Versions() []Version {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.texts)
}
