package layout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
)

func files(t testing.TB, l *Layout) int {
	t.Helper()
	list, err := os.ReadDir(l.blobs())
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestCollect(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	keep, drop := push(t, l, artifact(t, "1.0.0", "same")), push(t, l, artifact(t, "2.0.0", "same"))
	attach(t, l, keep, TypeSignature, "kept")
	attach(t, l, drop, TypeSignature, "dropped")
	if err := l.PutSnapshot(ctx, Snapshot{Index: []byte("old")}); err != nil {
		t.Fatal(err)
	}
	if err := l.PutSnapshot(ctx, Snapshot{Index: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(l.dir, ".new-1"), filepath.Join(l.blobs(), ".new-2")} { // a crash's
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	done, err := l.Collect(ctx, []registry.Digest{keep})
	if err != nil || done.Versions != 1 || done.Blobs == 0 || done.Bytes == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := l.Pull(ctx, keep); err != nil {
		t.Errorf("what is live: %v", err)
	}
	if got := texts(t, l, keep, ""); len(got) != 1 {
		t.Errorf("its signature: %q", got)
	}
	if s, _, err := l.Snapshot(ctx); err != nil || string(s.Index) != "new" {
		t.Errorf("the index: %q, %v", s, err)
	}
	if _, err := l.Pull(ctx, drop); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what is not: %v", err)
	}
	// 5 of the module, of the signature 3, of the index 2 more: both have the same empty config.
	if n := files(t, l); n != 5+3+2 {
		t.Errorf("%d blobs are left", n)
	}
	if done, err := l.Collect(ctx, []registry.Digest{keep}); err != nil || done != (Collected{}) {
		t.Errorf("again: %+v, %v", done, err)
	}
	if _, err := l.Push(ctx, artifact(t, "2.0.0", "other")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("other content under a version that is gone: %v", err)
	}
	if again := push(t, l, artifact(t, "2.0.0", "same")); again != drop {
		t.Errorf("the same content: %s", again)
	}
}

func TestCollectNamespace(t *testing.T) {
	ctx := context.Background()
	shared := open(t, t.TempDir())
	if done, err := shared.In(5).Collect(ctx, nil); err != nil || done != (Collected{}) {
		t.Errorf("an empty one: %+v, %v", done, err)
	}
	all := push(t, shared, of(t, "local", "all", "1.0.0", ""))
	own := push(t, shared.In(1), of(t, "local", "x", "1.0.0", ""))
	attach(t, shared.In(1), all, TypeSignature, "ours")
	live, err := shared.In(1).Live()
	if err != nil || len(live) != 2 {
		t.Fatalf("live %v, %v", live, err)
	}
	if _, err := shared.Collect(ctx, live); err != nil {
		t.Fatal(err)
	}
	if _, err := shared.In(1).Collect(ctx, []registry.Digest{all}); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, shared.In(1), all, ""); len(got) != 1 {
		t.Errorf("its signature of a shared one: %q", got)
	}
	if _, err := shared.In(1).Pull(ctx, own); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("its own: %v", err)
	}
	if _, err := shared.In(1).Pull(ctx, all); err != nil {
		t.Errorf("the shared one: %v", err)
	}
}

// Killed between any two steps, nothing that is live is lost and the next run finishes.
func TestCollectAfterACrash(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	keep, drop := push(t, l, artifact(t, "1.0.0", "a")), push(t, l, artifact(t, "2.0.0", "b"))
	index, err := l.readIndex()
	if err != nil {
		t.Fatal(err)
	}
	kept, gone := split(index, func(d string) bool { return d == string(keep) })
	before := files(t, l)
	if _, err := l.remember(gone); err != nil { // killed here: nothing is gone
		t.Fatal(err)
	}
	for _, d := range []registry.Digest{keep, drop} {
		if _, err := l.Pull(ctx, d); err != nil {
			t.Error(err)
		}
	}
	push(t, l, artifact(t, "2.0.0", "b"))
	index.Manifests = kept
	if err := l.writeIndex(index); err != nil { // killed here: blobs that nothing names
		t.Fatal(err)
	}
	if _, err := l.Pull(ctx, keep); err != nil || files(t, l) != before {
		t.Errorf("%v, %d blobs", err, files(t, l))
	}
	done, err := l.Collect(ctx, []registry.Digest{keep})
	if err != nil || done.Versions != 0 || done.Blobs == 0 {
		t.Errorf("finished: %+v, %v", done, err)
	}
	if _, err := l.Push(ctx, artifact(t, "2.0.0", "c")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("other content: %v", err)
	}
}

// What cannot be read says nothing about what it needs, so nothing is removed.
func TestCollectKeepsAllWhenInDoubt(t *testing.T) {
	ctx := context.Background()
	for name, spoil := range map[string]func(l *Layout, d registry.Digest, index *ocispec.Index){
		"a corrupt manifest": func(l *Layout, d registry.Digest, _ *ocispec.Index) {
			if err := os.WriteFile(filepath.Join(l.blobs(), digest.Digest(d).Encoded()), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a foreign kind": func(_ *Layout, _ registry.Digest, index *ocispec.Index) {
			index.Manifests = append(index.Manifests, index.Manifests[0])
			index.Manifests[1].MediaType = ocispec.MediaTypeImageIndex
			index.Manifests[1].ArtifactType = ""
		},
		"no digest": func(_ *Layout, _ registry.Digest, index *ocispec.Index) { index.Manifests[0].Digest = "x" },
	} {
		l := open(t, t.TempDir())
		d := push(t, l, artifact(t, "1.0.0", "a"))
		index, err := l.readIndex()
		if err != nil {
			t.Fatal(err)
		}
		spoil(l, d, &index)
		if err := l.writeIndex(index); err != nil {
			t.Fatal(err)
		}
		before := files(t, l)
		if _, err := l.Collect(ctx, []registry.Digest{d, "x"}); err == nil || files(t, l) != before {
			t.Errorf("%s: %v, %d blobs of %d", name, err, files(t, l), before)
		}
	}
}

func TestCollectedLimit(t *testing.T) {
	l := open(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(l.dir, collectedFile), []byte(strings.Repeat(" ", MaxCollectedBytes+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Push(context.Background(), artifact(t, "1.0.0", "")); !errors.Is(err, registry.ErrExhausted) {
		t.Errorf("one byte over: %v", err)
	}
}

// While others push, pull and attach, collecting loses nothing that is live, and what it takes is not found rather than
// broken.
func TestCollectHammer(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	keep := push(t, l, artifact(t, "1.0.0", "kept"))
	attach(t, l, keep, TypeSignature, "kept")
	brief := artifact(t, "2.0.0", "brief")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 8 {
				d, err := l.Push(ctx, brief)
				if err != nil {
					t.Errorf("push: %v", err)
				}
				if _, err := l.Pull(ctx, d); err != nil && !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("what may go: %v", err)
				}
				if _, err := l.Attach(ctx, d, TypeSignature, []byte("x")); err != nil && !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("attach: %v", err)
				}
				if _, err := l.Referrers(ctx, d, ""); err != nil {
					t.Errorf("its referrers: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 12 {
			if _, err := l.Collect(ctx, []registry.Digest{keep}); err != nil {
				t.Errorf("collect: %v", err)
			}
			if _, err := l.Pull(ctx, keep); err != nil {
				t.Errorf("what is live: %v", err)
			}
			if list, err := l.Referrers(ctx, keep, ""); err != nil || len(list) != 1 {
				t.Errorf("its signature: %v, %v", list, err)
			}
		}
	})
	wg.Wait()
}
