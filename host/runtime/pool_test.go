package runtime

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// TestCopies: a module has as many copies as run at once, however often it is called, and never more than it may.
func TestCopies(t *testing.T) {
	const most = 3
	wasm, err := os.ReadFile(filepath.Join(hostileDir, "poison_trap.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, newHost(t, Config{Instances: most}), ModuleSpec{Digest: "copies", Wasm: wasm, Kind: manifest.Parser})
	var e abi.RecordsEncoder
	e.Begin(1, 1, 1)
	e.Add([]byte("a record"), "test", 1, 0)
	batch := e.Bytes()
	call := func() {
		var out Result
		if err := m.Parse(t.Context(), batch, &out); err != nil {
			t.Error(err)
		}
	}
	for range 5 * most {
		call()
	}
	if n := m.Instances(); n != 1 {
		t.Errorf("%d copies after calls one after the other, want 1", n)
	}
	// Copies in use are not there for others: who comes next gets one of its own, until there are as many as may be.
	var busy []*instance
	for range most {
		i, err := m.narrow.take(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, i)
	}
	if n := m.Instances(); n != most {
		t.Errorf("%d copies in use at once, want %d", n, most)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.narrow.take(ended, m); err == nil {
		t.Error("there is one copy more than there may be")
	}
	for _, i := range busy {
		m.narrow.put(i)
	}
	if i := m.narrow.warm(); i != busy[most-1] {
		t.Error("the copy that was used last is not the next one")
	} else {
		m.narrow.idle = append(m.narrow.idle, i)
	}
	var all sync.WaitGroup
	for range 4 * most {
		all.Go(func() {
			for range 20 {
				call()
			}
		})
	}
	all.Wait()
	if n := m.Instances(); n != most {
		t.Errorf("%d copies in the end, want %d", n, most)
	}
}
