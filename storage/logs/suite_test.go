package logs_test

import (
	"context"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

// open opens a store in a fresh or given directory and closes it when the test ends.
func open(t testing.TB, cfg logs.Config) *logs.Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := logs.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSuite(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Store { return open(t, logs.Config{}) })
}
