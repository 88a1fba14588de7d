package meta

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

func init() {
	put := func(w *world) error {
		return w.PutFeed(ctx, Feed{Tenant: w.a, Name: "of a", Kind: "file", URL: "https://a.example/"})
	}
	maps.Copy(crossings, map[string]crossing{
		"Feeds": func(w *world, t storage.Tenant) (bool, error) {
			if err := put(w); err != nil {
				return false, err
			}
			list, err := w.Feeds(ctx, t)
			return has(list, func(f Feed) bool { return f.Tenant == w.a }), err
		},
		"RemoveFeed": func(w *world, t storage.Tenant) (bool, error) {
			if err := put(w); err != nil {
				return false, err
			}
			return gone(w.RemoveFeed(ctx, t, "of a"))
		},
	})
}

// feedDB is a database whose clock goes on a millisecond whenever it is looked at.
func feedDB(t *testing.T) *DB {
	t.Helper()
	at := time.Now().Add(-time.Minute)
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "vedette.db"), Now: func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestFeeds(t *testing.T) {
	db := feedDB(t)
	one, err := db.CreateTenant(t.Context(), "one", "One")
	if err != nil {
		t.Fatal(err)
	}
	f := Feed{Tenant: one, Name: "c2", Kind: "taxii", URL: "https://taxii.example/root/", Collection: "x", Every: time.Hour, Who: "ann", Secret: []byte("sealed")}
	shared := Feed{Name: "c2", Kind: "file", URL: "https://list.example/", Every: time.Hour}
	for _, x := range []Feed{f, shared} {
		if err := db.PutFeed(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	get := func(of storage.Tenant) Feed {
		t.Helper()
		list, err := db.Feeds(t.Context(), of)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		return list[0]
	}
	got := get(one)
	f.Due = got.Due
	if d := cmp.Diff(f, got); d != "" {
		t.Error(d)
	}
	due, err := db.DueFeeds(t.Context(), time.Now(), 10)
	if err != nil || len(due) != 2 {
		t.Fatalf("%v %v", due, err)
	}
	state := FeedState{Since: "later", Asked: 5, Due: time.Now().Add(time.Hour).UnixNano(), Error: strings.Repeat("x", 2*MaxFeedErrorBytes), Came: 3, Withdrawn: 2, Problems: 1}
	if err := db.SetFeedState(t.Context(), got, state); err != nil {
		t.Fatal(err)
	}
	state.Error = state.Error[:MaxFeedErrorBytes]
	if d := cmp.Diff(state, get(one).FeedState); d != "" {
		t.Error(d)
	}
	if due, err := db.DueFeeds(t.Context(), time.Now(), 10); err != nil || len(due) != 1 || due[0].Tenant != storage.NoTenant || due[0].Secret != nil {
		t.Errorf("%v %v", due, err)
	}
	stale := get(one)
	f.Secret, f.Every = nil, time.Minute // a change keeps the secret and where it stands
	if err := db.PutFeed(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if got := get(one); string(got.Secret) != "sealed" || got.Since != "later" || got.Every != time.Minute {
		t.Errorf("%+v", got)
	}
	if err := db.SetFeedState(t.Context(), stale, FeedState{Since: "stale"}); err != nil || get(one).Since != "later" {
		t.Errorf("what was asked before the change is noted: %v", err)
	}
	f.URL, f.Secret, f.Disabled = "https://other.example/", []byte{}, true
	if err := db.PutFeed(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if got := get(one); got.Secret != nil || got.Since != "" {
		t.Errorf("%+v", got)
	}
	if due, err := db.DueFeeds(t.Context(), time.Now(), 10); err != nil || len(due) != 1 {
		t.Errorf("one that is switched off is due: %v %v", due, err)
	}
	if err := db.RemoveFeed(t.Context(), one, "c2"); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveFeed(t.Context(), one, "c2"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("%v", err)
	}
	get(storage.NoTenant)
}

func TestFeedLimits(t *testing.T) {
	db := feedDB(t)
	if err := db.PutFeed(t.Context(), Feed{Name: ""}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
	if err := db.PutFeed(t.Context(), Feed{Name: "x", URL: strings.Repeat("x", MaxFeedBytes)}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a long one: %v", err)
	}
	for n := range MaxFeedsPerTenant {
		if err := db.PutFeed(t.Context(), Feed{Name: fmt.Sprint("f", n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.PutFeed(t.Context(), Feed{Name: "more"}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one more: %v", err)
	}
}
