// Package bundle carries modules to where no network leads: one tar with the modules, what vouches for them, and the
// signed index, which is verified as a whole before anything of it is stored.
//
// The tar is an OCI image layout, so other tools read it too.
package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
)

// Export writes modules of a layout's namespace with everything that refers to them, and the signed index with its roots
// if trust is given and has one. The same content gives the same bytes.
func Export(ctx context.Context, w io.Writer, from *layout.Layout, modules []registry.Digest, trust *index.Trust) error {
	if len(modules) > MaxModules {
		return fmt.Errorf("exporting %d modules, the limit is %d: %w", len(modules), MaxModules, registry.ErrInvalid)
	}
	var snapshot *layout.Snapshot
	if trust != nil {
		if s, ok := trust.Snapshot(); ok {
			snapshot = &s
		}
	}
	return from.Archive(ctx, w, modules, snapshot)
}

// Bundle is a bundle that was unpacked and whose bytes are what their digests say. Nothing of it is trusted yet.
type Bundle struct {
	dir      string
	layout   *layout.Layout
	snapshot *layout.Snapshot
}

// Open unpacks a bundle into a folder of its own below dir. What is no plain image layout, or larger than the limits, is
// registry.ErrInvalid; blobs that are not what their names say are registry.ErrCorrupt. The caller closes it.
func Open(ctx context.Context, r io.Reader, dir string) (b *Bundle, err error) {
	folder, err := os.MkdirTemp(dir, ".bundle-*")
	if err != nil {
		return nil, fmt.Errorf("opening a bundle: %w", err)
	}
	b = &Bundle{dir: folder}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("opening a bundle: %w", err), b.Close())
			b = nil
		}
	}()
	if err := unpack(ctx, r, folder); err != nil {
		return b, err
	}
	if b.layout, err = layout.Open(folder); err != nil {
		return b, err
	}
	s, _, err := b.layout.Snapshot(ctx)
	if err == nil {
		b.snapshot = &s
	} else if !errors.Is(err, registry.ErrNotFound) {
		return b, err
	}
	return b, nil
}

// Close removes what was unpacked.
func (b *Bundle) Close() error { return os.RemoveAll(b.dir) }

// List returns what the bundle says it holds.
func (b *Bundle) List(ctx context.Context) ([]registry.Entry, error) { return b.layout.List(ctx) }

// Snapshot returns the signed index that the bundle holds; ok is false when there is none.
func (b *Bundle) Snapshot() (s layout.Snapshot, ok bool) {
	if b.snapshot == nil {
		return s, false
	}
	return *b.snapshot, true
}

// Site is where a bundle is imported.
type Site struct {
	Into   *layout.Layout // the namespace that it goes to
	Policy *policy.Policy
	Trust  *index.Trust // what is known of the registry that the bundle is from; nil: its index is not looked at
	Now    time.Time
}

// Imported is what an import has stored.
type Imported struct {
	Modules []Module
	Trust   *index.Trust // for its owner to write; the same as before when the bundle has no newer index
}

// Module is one module of an import.
type Module struct {
	Ref     registry.Ref
	Digest  registry.Digest
	Verdict policy.Verdict
}

// judged is a module that may be stored.
type judged struct {
	Module
	images []registry.Digest // its OCI manifest, and those of what refers to it
}

// Import verifies everything that a bundle holds, without a network, and stores it if the policy allows all of it. If
// anything is refused, nothing is stored; the error names what and why and wraps registry.ErrUntrusted, ErrConflict,
// ErrInvalid or ErrCorrupt. Importing again changes nothing.
func (b *Bundle) Import(ctx context.Context, site Site) (Imported, error) {
	done := Imported{Trust: site.Trust}
	if site.Trust != nil && b.snapshot != nil {
		next, err := site.Trust.Update(*b.snapshot, site.Now)
		if err != nil {
			return Imported{}, fmt.Errorf("importing a bundle: %w", err)
		}
		done.Trust = next
	}
	list, err := b.judge(ctx, site, done.Trust)
	if err != nil {
		return Imported{}, fmt.Errorf("importing a bundle: %w", err)
	}
	for _, m := range list {
		for _, d := range m.images {
			image, err := b.layout.Image(ctx, d)
			if err == nil {
				_, err = site.Into.Add(ctx, image, b.layout.Fetch())
			}
			if err != nil {
				return Imported{}, fmt.Errorf("importing %s: %w", m.Ref, err)
			}
		}
		done.Modules = append(done.Modules, m.Module)
	}
	if b.snapshot != nil && done.Trust != site.Trust && site.Into.Namespace() == registry.Shared {
		if err := site.Into.PutSnapshot(ctx, *b.snapshot); err != nil {
			return Imported{}, fmt.Errorf("importing a bundle: %w", err)
		}
	}
	return done, nil
}

// judge decides about every module before any is stored.
func (b *Bundle) judge(ctx context.Context, site Site, trust *index.Trust) ([]judged, error) {
	entries, err := b.layout.List(ctx)
	if err != nil {
		return nil, err
	}
	if len(entries) > MaxModules {
		return nil, fmt.Errorf("%d modules, the limit is %d: %w", len(entries), MaxModules, registry.ErrInvalid)
	}
	var list []judged
	var refusals []error
	for _, e := range entries {
		m, err := b.judgeOne(ctx, site, trust, e)
		if err != nil {
			refusals = append(refusals, err)
		}
		list = append(list, m)
	}
	if n := len(refusals); n > MaxRefusalsTold {
		refusals = append(refusals[:MaxRefusalsTold], fmt.Errorf("and %d more: %w", n-MaxRefusalsTold, registry.ErrUntrusted))
	}
	return list, errors.Join(refusals...)
}

func (b *Bundle) judgeOne(ctx context.Context, site Site, trust *index.Trust, e registry.Entry) (judged, error) {
	var x *index.Index
	if trust != nil {
		x = trust.Index()
	}
	j, err := policy.Judge(ctx, b.layout, e.Digest, site.Into.Namespace(), site.Policy, x, site.Now)
	if err != nil {
		return judged{}, err
	}
	ref := j.Facts.Ref // what the module calls itself, whatever the bundle calls it
	m := judged{Module: Module{ref, e.Digest, j.Verdict}, images: []registry.Digest{e.Digest}}
	if err := j.Verdict.Err(); err != nil {
		return m, fmt.Errorf("%s: %w", ref, err)
	}
	if have, err := site.Into.Resolve(ctx, ref); err == nil && have != e.Digest {
		return m, fmt.Errorf("%s: %s is there already under this version, not %s: %w", ref, have.Short(), e.Digest.Short(), registry.ErrConflict)
	} else if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return m, err
	}
	referrers, err := b.layout.Referrers(ctx, e.Digest, "")
	for _, r := range referrers {
		m.images = append(m.images, r.Digest)
	}
	return m, err
}

// unpack writes an image layout to a folder: its two files and its blobs, plain, each once, in any order, with the
// folders that some tools write. Names are taken apart and never joined to a path as they are.
func unpack(ctx context.Context, r io.Reader, folder string) error {
	blobs := filepath.Join(folder, ocispec.ImageBlobsDir, "sha256")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: r, N: MaxBundleBytes + 1}
	seen, total := map[string]bool{}, int64(0)
	tr := tar.NewReader(limited)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) && limited.N > 0 {
			break
		}
		if err != nil || limited.N <= 0 {
			return fmt.Errorf("not a tar of at most %d bytes: %w: %w", int64(MaxBundleBytes), orEnd(err), registry.ErrInvalid)
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag == tar.TypeDir && slices.Contains([]string{"", ".", "blobs/", "blobs", "blobs/sha256", "blobs/sha256/"}, name) {
			continue
		}
		if seen[name] || len(seen) == MaxBundleFiles {
			return fmt.Errorf("%.100q is there twice, or more than %d files are: %w", name, MaxBundleFiles, registry.ErrInvalid)
		}
		seen[name] = true
		// A sparse file may claim more than the tar holds, so sizes are added up before anything is read.
		if total += h.Size; total > MaxBundleBytes {
			return fmt.Errorf("more than %d bytes of content: %w", int64(MaxBundleBytes), registry.ErrInvalid)
		}
		if err := place(tr, h, name, folder, blobs); err != nil {
			return err
		}
	}
	for _, name := range []string{ocispec.ImageLayoutFile, ocispec.ImageIndexFile} {
		if !seen[name] {
			return fmt.Errorf("there is no %s: %w", name, registry.ErrInvalid)
		}
	}
	return nil
}

func orEnd(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// place writes one file of a tar if it has a place in an image layout.
func place(r io.Reader, h *tar.Header, name, folder, blobs string) error {
	limit, dir, file, want := int64(MaxIndexBytes), folder, name, ""
	if hex, ok := strings.CutPrefix(name, "blobs/sha256/"); ok {
		if _, err := registry.ParseDigest("sha256:" + hex); err == nil {
			limit, dir, file, want = MaxBlobBytes, blobs, hex, hex
		}
	}
	if h.Typeflag != tar.TypeReg || want == "" && name != ocispec.ImageLayoutFile && name != ocispec.ImageIndexFile {
		return fmt.Errorf("%.100q has no place in an image layout: %w", h.Name, registry.ErrInvalid)
	}
	if h.Size > limit {
		return fmt.Errorf("%s has %d bytes, the limit is %d: %w", name, h.Size, limit, registry.ErrInvalid)
	}
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, h.Size))
	if closed := f.Close(); closed != nil {
		return closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", name, err, registry.ErrInvalid)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("%s: its bytes are not what its name says: %w", name, registry.ErrCorrupt)
	}
	return nil
}
