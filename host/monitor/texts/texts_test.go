package texts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/storage"
)

// none is a store without texts.
type none struct{}

func (none) Latest(context.Context, string, string) ([]byte, string, error) {
	return nil, "", storage.ErrNotFound
}

func (none) Blessed(context.Context, string, string) ([]byte, string, error) {
	return nil, "", storage.ErrNotFound
}

// A text that is refused is not brought: neither its name nor what it was to be compared with may be wrong.
func TestRefusedTextsAreNotKept(t *testing.T) {
	p := New(none{})
	compare := p.Compare("fw1")
	for _, c := range [][2]string{{"", ""}, {"@a", ""}, {"a b", ""}, {"a", "newest"}, {"a", "a"}} {
		if _, err := compare(t.Context(), c[0], c[1], []byte("x")); !errors.Is(err, runtime.ErrDenied) {
			t.Errorf("%q with %q: %v", c[0], c[1], err)
		}
	}
	if _, err := compare(t.Context(), "a", "", make([]byte, config.MaxTextBytes+1)); !errors.Is(err, runtime.ErrDenied) {
		t.Errorf("a text that is too long: %v", err)
	}
	if list := p.Versions(); len(list) != 0 {
		t.Errorf("brought %d texts", len(list))
	}
	for n := range MaxTexts + 1 {
		_, err := compare(t.Context(), fmt.Sprint("text-", n), "", []byte("x\n"))
		if (n < MaxTexts) != (err == nil) {
			t.Errorf("text %d: %v", n+1, err)
		}
	}
}

// Whoever waits for a trial reads while the module compares.
func TestReadWhileComparing(t *testing.T) {
	p := New(none{})
	compare := p.Compare("fw1")
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range 2000 {
			if _, err := compare(t.Context(), fmt.Sprint("text-", n%MaxTexts), "@text-1", fmt.Appendf(nil, "%d\n", n)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if len(p.Versions()) > MaxTexts {
					t.Error("too many texts")
				}
			}
		})
	}
	wg.Wait()
}
