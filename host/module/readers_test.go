package module

import (
	"fmt"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// A table is read by the shared modules that the tenant runs, and by the tenant's own.
func TestReaders(t *testing.T) {
	reads := func(name string, tables ...string) *Loaded {
		l := &Loaded{Install: Install{Name: name}}
		for i, id := range []string{table.ImportSet, table.ImportLookup} {
			for _, x := range tables[min(i, len(tables)):] {
				l.Manifest.Capabilities = append(l.Manifest.Capabilities, manifest.Capability{ID: id, Targets: []manifest.Target{{Name: x}}})
			}
		}
		return l
	}
	v := &View{
		shared: &layer{modules: []*Loaded{reads("s/a", "hosts", "users"), reads("s/b", "hosts"), reads("s/c", "hosts")}},
		own:    &layer{modules: []*Loaded{reads("o/d", "users"), reads("o/e")}},
		skip:   map[string]bool{"s/b": true},
	}
	if got := fmt.Sprint(v.Readers(false), v.Readers(true)); got != "map[hosts:[s/a s/c] users:[s/a]] map[users:[o/d]]" {
		t.Error(got)
	}
	v.own = nil
	if got := v.Readers(true); len(got) != 0 {
		t.Error(got)
	}
}
