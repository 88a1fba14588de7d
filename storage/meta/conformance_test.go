package meta

import (
	"errors"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func TestConformance(t *testing.T) {
	db := newWorld(t).DB
	if _, err := db.Conformance(t.Context(), "sha256:1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("before anything was checked: %v", err)
	}
	for _, want := range []ConformanceReport{{"sha256:1", "vedette 1", 5, `{"level":3}`}, {"sha256:1", "vedette 2", 6, `{"level":4}`}} {
		if err := db.PutConformance(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Conformance(t.Context(), "sha256:1"); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	long := ConformanceReport{Digest: "sha256:1", Report: strings.Repeat("x", MaxConformanceBytes+1)}
	if err := db.PutConformance(t.Context(), long); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one byte over: %v", err)
	}
}
