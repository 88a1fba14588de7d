package api

import (
	"errors"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func TestWatchesAreBounded(t *testing.T) {
	var w watches
	var leave []func()
	for i := range MaxWatches {
		l, err := w.enter(storage.Tenant(1 + i/MaxTenantWatches))
		if err != nil {
			t.Fatalf("watch %d: %v", i, err)
		}
		leave = append(leave, l)
	}
	if _, err := w.enter(1_000); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one more of all: %v", err)
	}
	leave[0]()
	if _, err := w.enter(2); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one more of an organization: %v", err)
	}
	if _, err := w.enter(1); err != nil {
		t.Errorf("where one has left: %v", err)
	}
}
