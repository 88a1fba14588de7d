package meta

import (
	"bytes"
	"crypto/rand"
	"errors"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func init() { maps.Copy(crossings, tableCrossings) }

// tableCrossings are those of the contents of tables.
var tableCrossings = map[string]crossing{
	"PutTableContent": func(w *world, t storage.Tenant) (bool, error) {
		if err := w.PutTableContent(ctx, t, "sha256:x", []byte("content"), time.Unix(7, 0)); err != nil {
			return false, err
		}
		_, err := w.TableContent(ctx, w.a, "sha256:x")
		return changed(err)
	},
	"TableContent": func(w *world, t storage.Tenant) (bool, error) {
		w.must(w.PutTableContent(ctx, w.a, "sha256:x", []byte("content"), time.Unix(7, 0)))
		_, err := w.TableContent(ctx, t, "sha256:x")
		return changed(err)
	},
}

func TestTableContents(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "vedette.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	put := func(of storage.Tenant, digest string, content []byte) error {
		return db.PutTableContent(t.Context(), of, digest, content, now)
	}
	for _, of := range []storage.Tenant{0, 1} {
		if err := errors.Join(put(of, "sha256:a", []byte("content")), put(of, "sha256:a", []byte("content")), put(of, "sha256:b", nil)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := db.TableContent(t.Context(), 1, "sha256:a"); err != nil || string(got) != "content" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := db.TableContent(t.Context(), 2, "sha256:a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another organization's: %v", err)
	}
	most := make([]byte, MaxTableContentBytes)
	if _, err := rand.Read(most); err != nil {
		t.Fatal(err)
	}
	if err := put(3, "sha256:most", most); err != nil {
		t.Errorf("the largest: %v", err)
	}
	if got, err := db.TableContent(t.Context(), 3, "sha256:most"); err != nil || !bytes.Equal(got, most) {
		t.Errorf("the largest comes back as %d bytes, %v", len(got), err)
	}
	if err := put(3, "sha256:more", append(most, 0)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one byte more: %v", err)
	}
	if n, err := db.PruneTableContents(t.Context(), now.Add(KeepTableContents), nil); n != 0 || err != nil {
		t.Errorf("pruned too early: %d %v", n, err)
	}
	now = now.Add(KeepTableContents + 1)
	if err := put(0, "sha256:b", nil); err != nil { // again, before its control record
		t.Fatal(err)
	}
	if n, err := db.PruneTableContents(t.Context(), now, map[string]bool{"sha256:a": true}); n != 2 || err != nil {
		t.Errorf("pruned %d %v", n, err)
	}
	if _, err := db.TableContent(t.Context(), 0, "sha256:b"); err != nil {
		t.Errorf("what was put a moment ago: %v", err)
	}
}
