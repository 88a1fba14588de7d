package server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
)

// uploads holds what clients have sent and no manifest has named yet: sessions, and blobs that are complete. Nothing of
// it outlives the server, and nobody outside a namespace sees it.
type uploads struct {
	dir    string
	now    func() time.Time
	random io.Reader

	mu       sync.Mutex
	sessions map[string]*session
	staged   map[stagedBlob]*stage
}

type stagedBlob struct {
	ns     registry.Namespace
	digest registry.Digest
}

// stage is a complete blob.
type stage struct {
	file string
	size int64
	at   time.Time
}

// session is an upload that goes on. Its mutex is held while bytes are written.
type session struct {
	id         string
	repository string
	ns         registry.Namespace

	mu   sync.Mutex
	file *os.File
	sum  hash.Hash
	size int64
	at   time.Time // guarded by uploads.mu
	gone bool
}

func openUploads(dir string, now func() time.Time, random io.Reader) (*uploads, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	for _, f := range old {
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil { // only files are ours; anything else stops the start
			return nil, fmt.Errorf("uploads: %w", err)
		}
	}
	return &uploads{dir: dir, now: now, random: random, sessions: map[string]*session{}, staged: map[stagedBlob]*stage{}}, nil
}

// begin opens a session.
func (u *uploads) begin(t target) (*session, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sweep()
	own := 0
	for _, s := range u.sessions {
		if s.ns == t.ns {
			own++
		}
	}
	if own >= MaxTenantUploads || len(u.sessions) >= MaxUploads {
		return nil, fail(429, codeTooMany, "%d uploads are open, the limit is %d", own, MaxTenantUploads)
	}
	name := make([]byte, 16)
	if _, err := io.ReadFull(u.random, name); err != nil {
		return nil, fmt.Errorf("naming an upload: %w", err)
	}
	s := &session{id: hex.EncodeToString(name), repository: t.repository, ns: t.ns, sum: sha256.New(), at: u.now()}
	var err error
	if s.file, err = os.OpenFile(filepath.Join(u.dir, s.id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("opening an upload: %w", err)
	}
	u.sessions[s.id] = s
	return s, nil
}

// find returns a repository's session, locked. The caller calls release.
func (u *uploads) find(t target, id string) (*session, error) {
	u.mu.Lock()
	s, ok := u.sessions[id]
	if ok {
		s.at = u.now()
	}
	u.mu.Unlock()
	if !ok || s.repository != t.repository {
		return nil, fail(404, codeUploadUnknown, "the upload is not known to the registry")
	}
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return nil, fail(404, codeUploadUnknown, "the upload is not known to the registry")
	}
	return s, nil
}

func (u *uploads) release(s *session) {
	s.mu.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	s.at = u.now()
}

// write appends to a session. What is over the limit ends it.
func (s *session) write(r io.Reader) error {
	n, err := io.Copy(io.MultiWriter(s.file, s.sum), io.LimitReader(r, MaxBlobBytes+1-s.size))
	s.size += n
	if err != nil {
		return fail(400, codeUploadInvalid, "reading the upload: %v", err)
	}
	if s.size > MaxBlobBytes {
		return fail(413, codeSizeInvalid, "the blob has more than %d bytes", int64(MaxBlobBytes))
	}
	return nil
}

// finish turns a session into a blob.
func (u *uploads) finish(s *session, want registry.Digest) error {
	got := registry.Digest("sha256:" + hex.EncodeToString(s.sum.Sum(nil)))
	if got != want {
		return fail(400, codeDigestInvalid, "the bytes have the digest %s, not %s", got, want)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	key := stagedBlob{s.ns, want}
	if u.staged[key] != nil {
		u.end(s)
		return nil
	}
	blobs, bytes := 1, s.size
	for k, b := range u.staged {
		if k.ns == s.ns {
			blobs, bytes = blobs+1, bytes+b.size
		}
	}
	if blobs > MaxStagedBlobs || bytes > MaxStagedBytes {
		return fail(429, codeTooMany, "%d blobs with %d bytes wait for their manifests, the limits are %d and %d", blobs, bytes, MaxStagedBlobs, int64(MaxStagedBytes))
	}
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("finishing an upload: %w", err)
	}
	delete(u.sessions, s.id)
	s.gone = true
	u.staged[key] = &stage{filepath.Join(u.dir, s.id), s.size, u.now()}
	return nil
}

// drop ends a session.
func (u *uploads) drop(s *session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.end(s)
}

// end removes a session whose mutex, and u.mu, are held.
func (u *uploads) end(s *session) {
	s.gone = true
	s.file.Close()
	os.Remove(filepath.Join(u.dir, s.id))
	delete(u.sessions, s.id)
}

// sweep removes what clients have left. u.mu is held.
func (u *uploads) sweep() {
	now := u.now()
	for _, s := range u.sessions {
		if now.Sub(s.at) > UploadLifetime && s.mu.TryLock() { // one that is being written to is not left
			u.end(s)
			s.mu.Unlock()
		}
	}
	for k, b := range u.staged {
		if now.Sub(b.at) > StagedBlobLifetime {
			os.Remove(b.file)
			delete(u.staged, k)
		}
	}
}

// read returns a blob that waits for its manifest, or registry.ErrNotFound.
func (u *uploads) read(n registry.Namespace, d registry.Digest, limit int64) ([]byte, error) {
	u.mu.Lock()
	b := u.staged[stagedBlob{n, d}]
	u.mu.Unlock()
	if b == nil {
		return nil, registry.ErrNotFound
	}
	if b.size > limit {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", d.Short(), b.size, limit, registry.ErrInvalid)
	}
	data, err := os.ReadFile(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.ErrNotFound // swept since
	}
	return data, err
}

// size returns the size of a blob that waits for its manifest.
func (u *uploads) size(n registry.Namespace, d registry.Digest) (int64, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if b := u.staged[stagedBlob{n, d}]; b != nil {
		return b.size, true
	}
	return 0, false
}

// forget removes the blobs of a manifest that was stored.
func (u *uploads) forget(n registry.Namespace, image []byte) {
	parts, err := layout.Blobs(image)
	if err != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, d := range parts {
		key := stagedBlob{n, registry.Digest(d.Digest)}
		if b := u.staged[key]; b != nil {
			os.Remove(b.file)
			delete(u.staged, key)
		}
	}
}

// contentRange reads "start-end" of the distribution specification, and "bytes start-end/total" of HTTP.
func contentRange(text string) (start, end int64, ok bool) {
	text = strings.TrimPrefix(text, "bytes ")
	text, _, _ = strings.Cut(text, "/")
	n, err := fmt.Sscanf(text, "%d-%d", &start, &end)
	return start, end, err == nil && n == 2 && start >= 0 && end >= start
}
