package layout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
)

// collectedFile maps the versions that Collect has removed to their digests: a version never names anything else, even
// after its content is gone.
const collectedFile = "collected.json"

// Collected says what Collect has done.
type Collected struct {
	Versions int   // module versions removed
	Blobs    int   // files removed
	Bytes    int64 // of them
}

// Collect removes from this namespace every module version that is not among live, what refers to it, and every blob
// that nothing else needs. The caller hands in whatever may be asked for again: what runs, what can be rolled back to,
// what stored events name, and, for the shared namespace, what any organization's namespace refers to.
//
// A crash at any point leaves at most blobs that nothing names, which the next Collect removes. A version that was
// removed can be pushed again with the same content and with no other.
func (l *Layout) Collect(ctx context.Context, live []registry.Digest) (Collected, error) {
	alive := map[string]bool{}
	for _, d := range live {
		alive[string(d)] = true
	}
	return l.collect(ctx, func(digest string) bool { return alive[digest] })
}

// Drop is Collect the other way round: it removes these versions and nothing that somebody has pushed since the caller
// looked.
func (l *Layout) Drop(ctx context.Context, gone []registry.Digest) (Collected, error) {
	dead := map[string]bool{}
	for _, d := range gone {
		dead[string(d)] = true
	}
	return l.collect(ctx, func(digest string) bool { return !dead[digest] })
}

func (l *Layout) collect(ctx context.Context, alive func(digest string) bool) (Collected, error) {
	var done Collected
	if l.shared != nil {
		if _, err := os.Stat(l.dir); errors.Is(err, fs.ErrNotExist) {
			return done, nil
		}
	}
	err := l.locked(func() error {
		index, err := l.readIndex()
		if err != nil {
			return err
		}
		kept, gone := split(index, alive)
		if done.Versions, err = l.remember(gone); err != nil {
			return err
		}
		if len(gone) > 0 {
			index.Manifests = kept
			if err := l.writeIndex(index); err != nil {
				return err
			}
		}
		return l.sweep(ctx, kept, &done)
	})
	if err != nil {
		return done, fmt.Errorf("collecting %s: %w", l.ns, err)
	}
	return done, nil
}

// split divides the entries of an index into those that stay and those that go. What refers to a module that is not in
// this index, such as an organization's countersignature of a shared one, stays as long as that is live.
func split(index ocispec.Index, alive func(digest string) bool) (kept, gone []ocispec.Descriptor) {
	for _, m := range index.Manifests {
		subject := m.Annotations[annotSubject]
		switch {
		case isModule(m) && !alive(string(m.Digest)), IsReferrerType(m.ArtifactType) && subject != "" && !alive(subject):
			gone = append(gone, m)
		default:
			kept = append(kept, m)
		}
	}
	return slices.Clip(kept), gone
}

func (l *Layout) collected() (map[string]registry.Digest, error) {
	names := map[string]registry.Digest{}
	data, err := readFile(filepath.Join(l.dir, collectedFile), MaxCollectedBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return names, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", collectedFile, err)
	}
	if len(data) > MaxCollectedBytes {
		return nil, fmt.Errorf("%s has more than %d bytes: %w", collectedFile, MaxCollectedBytes, registry.ErrExhausted)
	}
	if err := json.Unmarshal(data, &names); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", collectedFile, err, registry.ErrCorrupt)
	}
	return names, nil
}

// remember notes which content the versions that go have named, before they go.
func (l *Layout) remember(gone []ocispec.Descriptor) (versions int, err error) {
	names, err := l.collected()
	if err != nil {
		return 0, err
	}
	for _, m := range gone {
		if ref := m.Annotations[ocispec.AnnotationRefName]; isModule(m) && ref != "" {
			names[ref] = registry.Digest(m.Digest)
			versions++
		}
	}
	if versions == 0 {
		return 0, nil
	}
	data, err := json.Marshal(names)
	if err != nil {
		return 0, err
	}
	if len(data) > MaxCollectedBytes {
		return 0, fmt.Errorf("%s: %d bytes, the limit is %d: %w", collectedFile, len(data), MaxCollectedBytes, registry.ErrExhausted)
	}
	return versions, writeFile(l.dir, collectedFile, data)
}

// checkCollected refuses other content under a version that was removed.
func (l *Layout) checkCollected(ref registry.Ref, d registry.Digest) error {
	names, err := l.collected()
	if err != nil {
		return err
	}
	if was, ok := names[ref.String()]; ok && was != d {
		return conflict(was, d)
	}
	return nil
}

// sweep removes every blob that the entries do not need, and what a crash has left.
func (l *Layout) sweep(ctx context.Context, entries []ocispec.Descriptor, done *Collected) error {
	needed := map[string]bool{}
	for _, m := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		image, err := l.readBlob(m, MaxImageManifestBytes)
		if err == nil && m.MediaType != ocispec.MediaTypeImageManifest {
			err = fmt.Errorf("%s is a %.100q: %w", registry.Digest(m.Digest).Short(), m.MediaType, registry.ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("OCI manifest: %w", err) // what it needs is not known, so nothing is removed
		}
		needed[m.Digest.Encoded()] = true
		var parts ocispec.Manifest
		if err := json.Unmarshal(image, &parts); err != nil {
			return fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrCorrupt)
		}
		for _, d := range append(parts.Layers, parts.Config) {
			if err := d.Digest.Validate(); err == nil {
				needed[d.Digest.Encoded()] = true
			}
		}
	}
	files, err := os.ReadDir(l.blobs())
	if err != nil {
		return err
	}
	for _, f := range files {
		if needed[f.Name()] {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(l.blobs(), f.Name())); err != nil {
			return err
		}
		done.Blobs, done.Bytes = done.Blobs+1, done.Bytes+info.Size()
	}
	return errors.Join(sweepNew(l.dir), sweepGone(filepath.Join(l.In(registry.Shared).dir, namespacesDir)))
}

func sweepNew(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		if strings.HasPrefix(f.Name(), newPrefix) {
			errs = append(errs, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return errors.Join(errs...)
}

// Live lists the modules that this namespace's documents refer to, and those that stand in it: what the shared namespace
// has to keep for an organization's sake are the ones of these that are shared.
func (l *Layout) Live() ([]registry.Digest, error) {
	index, err := l.index()
	if err != nil {
		return nil, fmt.Errorf("listing what is referred to: %w", err)
	}
	var list []registry.Digest
	for _, m := range index.Manifests {
		d := digest.Digest(m.Annotations[annotSubject])
		if isModule(m) {
			d = m.Digest
		}
		if d != "" {
			list = append(list, registry.Digest(d))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
