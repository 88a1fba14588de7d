package layout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Blob returns the bytes that d describes, checked against its size and digest and at most limit. A blob of an
// organization's namespace is looked for there alone.
func (l *Layout) Blob(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.readBlob(d, limit)
}

// Fetch returns a Fetch of what the namespace sees: an organization's own blobs, and the shared ones.
func (l *Layout) Fetch() Fetch {
	return func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		if _, err := l.BlobSize(registry.Digest(d.Digest)); err != nil && l.shared != nil {
			return l.shared.Blob(ctx, d, limit)
		}
		return l.Blob(ctx, d, limit)
	}
}

func (l *Layout) readBlob(d ocispec.Descriptor, limit int64) ([]byte, error) {
	name, err := registry.ParseDigest(string(d.Digest))
	if err != nil {
		return nil, err
	}
	if d.Size < 0 || d.Size > limit {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", name.Short(), d.Size, limit, registry.ErrInvalid)
	}
	data, err := readFile(filepath.Join(l.blobs(), d.Digest.Encoded()), d.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s is missing: %w", name.Short(), registry.ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", name.Short(), err)
	}
	if err := Verify(d, data); err != nil {
		return nil, fmt.Errorf("blob %s: %w", name.Short(), err)
	}
	return data, nil
}

// Verify checks bytes against what describes them. The error wraps registry.ErrCorrupt.
func Verify(d ocispec.Descriptor, data []byte) error {
	if int64(len(data)) != d.Size {
		return fmt.Errorf("it does not have %d bytes: %w", d.Size, registry.ErrCorrupt)
	}
	if got := digest.FromBytes(data); got != d.Digest {
		return fmt.Errorf("it holds %s: %w", registry.Digest(got).Short(), registry.ErrCorrupt)
	}
	return nil
}

// BlobSize returns how many bytes the blob with this digest has, or registry.ErrNotFound.
func (l *Layout) BlobSize(d registry.Digest) (int64, error) {
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return 0, err
	}
	info, err := os.Stat(filepath.Join(l.blobs(), digest.Digest(d).Encoded()))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("blob %s: %w", d.Short(), registry.ErrNotFound)
	}
	if err != nil {
		return 0, fmt.Errorf("blob %s: %w", d.Short(), err)
	}
	return info.Size(), nil
}

// writeBlob stores b unless the same bytes are there already. What is there under the name but differs is replaced:
// the name says what the content has to be. That the name lasts the caller sees to (syncDir).
func (l *Layout) writeBlob(b blob) error {
	if _, err := l.readBlob(b.desc, b.desc.Size); err == nil {
		return nil
	}
	if err := replaceFile(l.blobs(), b.desc.Digest.Encoded(), b.data); err != nil {
		return fmt.Errorf("blob %s: %w", registry.Digest(b.desc.Digest).Short(), err)
	}
	return nil
}

func (l *Layout) blobs() string {
	return filepath.Join(l.dir, ocispec.ImageBlobsDir, digest.SHA256.String())
}

func emptyIndex() ocispec.Index {
	return ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{},
	}
}

// index returns index.json for reading. Its last form is kept: every change makes another file.
func (l *Layout) index() (ocispec.Index, error) {
	info, err := os.Stat(filepath.Join(l.dir, ocispec.ImageIndexFile))
	if errors.Is(err, fs.ErrNotExist) && l.shared != nil {
		return emptyIndex(), nil // nothing was pushed yet
	}
	if err != nil {
		return ocispec.Index{}, fmt.Errorf("reading index.json: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen != nil && os.SameFile(l.seen, info) && l.seen.ModTime().Equal(info.ModTime()) && l.seen.Size() == info.Size() {
		return l.cached, nil
	}
	index, err := l.readIndex()
	if err != nil {
		return ocispec.Index{}, err
	}
	l.seen, l.cached = info, index // a file that is newer than info is read again next time
	return index, nil
}

func (l *Layout) readIndex() (ocispec.Index, error) {
	data, err := readFile(filepath.Join(l.dir, ocispec.ImageIndexFile), MaxIndexBytes)
	if err != nil {
		return ocispec.Index{}, fmt.Errorf("reading index.json: %w", err)
	}
	return decodeIndex(data)
}

func decodeIndex(data []byte) (ocispec.Index, error) {
	var index ocispec.Index
	if len(data) > MaxIndexBytes {
		return index, fmt.Errorf("index.json has more than %d bytes: %w", MaxIndexBytes, registry.ErrInvalid)
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&index); err != nil {
		return index, fmt.Errorf("index.json: %w: %w", err, registry.ErrCorrupt)
	}
	if index.SchemaVersion != 2 || len(index.Manifests) > MaxArtifacts {
		return index, fmt.Errorf("index.json: schema version %d with %d entries, want version 2 with at most %d: %w", index.SchemaVersion, len(index.Manifests), MaxArtifacts, registry.ErrInvalid)
	}
	return index, nil
}

func (l *Layout) writeIndex(index ocispec.Index) error {
	if len(index.Manifests) > MaxArtifacts {
		return fmt.Errorf("index.json: more than %d entries: %w", MaxArtifacts, registry.ErrExhausted)
	}
	data, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	if len(data) > MaxIndexBytes {
		return fmt.Errorf("index.json: %d bytes, the limit is %d: %w", len(data), MaxIndexBytes, registry.ErrExhausted)
	}
	if err := writeFile(l.dir, ocispec.ImageIndexFile, data); err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	return nil
}

// change writes blobs and then the index, if edit has changed it, as the only writer of the namespace.
func (l *Layout) change(ctx context.Context, blobs []blob, edit func(*ocispec.Index) (changed bool, err error)) error {
	return l.locked(func() error {
		index, err := l.readIndex()
		if err != nil {
			return err
		}
		changed, err := edit(&index)
		if err != nil {
			return err
		}
		if err := l.room(blobs); err != nil {
			return err
		}
		if err := l.writeBlobs(ctx, blobs); err != nil || !changed {
			return err
		}
		return l.writeIndex(index)
	})
}

// writeBlobs writes blobs, several at once: what takes time is that each reaches the disk. Those of one content are written
// once.
func (l *Layout) writeBlobs(ctx context.Context, blobs []blob) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxWritesAtOnce)
	seen := map[digest.Digest]bool{}
	for _, b := range blobs {
		if seen[b.desc.Digest] {
			continue
		}
		seen[b.desc.Digest] = true
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return l.writeBlob(b)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return syncDir(l.blobs())
}

// room refuses blobs that an organization's namespace has no room for.
func (l *Layout) room(blobs []blob) error {
	if l.shared == nil {
		return nil
	}
	total := int64(0)
	for _, b := range blobs {
		total += b.desc.Size
	}
	files, err := os.ReadDir(l.blobs())
	if err != nil {
		return err
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			total += info.Size()
		}
	}
	if total > MaxTenantBytes {
		return fmt.Errorf("namespace %s: %d bytes with this, the limit is %d: %w", l.ns, total, int64(MaxTenantBytes), registry.ErrExhausted)
	}
	return nil
}

// locked runs change as the only writer of the namespace, which is made if there is none.
func (l *Layout) locked(change func() error) error {
	if l.shared != nil {
		if _, err := os.Stat(filepath.Join(l.dir, ocispec.ImageLayoutFile)); errors.Is(err, fs.ErrNotExist) {
			if err := l.open(); err != nil {
				return fmt.Errorf("namespace %s: %w", l.ns, err)
			}
		}
	}
	return l.exclusive(change)
}

// exclusive holds the folder's lock, which keeps out other processes and, since every holder opens the file anew, other
// goroutines too.
func (l *Layout) exclusive(change func() error) error {
	f, err := os.OpenFile(filepath.Join(l.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking the layout: %w", err)
	}
	defer f.Close() // lets go of the lock
	if err := flock(f); err != nil {
		return fmt.Errorf("locking the layout: %w", err)
	}
	return change()
}

func flock(f *os.File) error {
	for {
		// A blocking flock is interrupted by the signals that the runtime sends itself.
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// readFile reads at most limit+1 bytes, so that the caller can tell that there were more.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// writeFile replaces dir/name as a whole: after a crash it holds the old content or the new.
func writeFile(dir, name string, data []byte) error {
	if err := replaceFile(dir, name, data); err != nil {
		return err
	}
	return syncDir(dir)
}

// replaceFile is writeFile for a caller that syncs the folder after several.
func replaceFile(dir, name string, data []byte) (err error) {
	f, err := os.CreateTemp(dir, newPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// newPrefix begins the names of files that are being written.
const newPrefix = ".new-"

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
