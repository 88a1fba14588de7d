package meta

import (
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

// TestRemoval: nothing of a removed organization is left in any table, whichever tables there are, and the other's
// stays.
func TestRemoval(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	session := must(w.CreateSession(ctx, storage.Principal{User: "ann"}))(t)
	for range 2 { // a replay changes nothing
		w.must(w.Apply(ctx, w.seq+1, Batch{Removals: []Removal{{Tenant: w.a, At: 9}}}))
	}
	if _, err := w.PrincipalOf(ctx, session); err == nil {
		t.Error("a session of the removed organization goes on")
	}
	if _, err := w.ResolveIngestToken(ctx, "vdi_x"); err == nil {
		t.Error("a token resolves")
	}
	for table, rows := range dump(t, w.DB) {
		for _, row := range rows {
			if strings.Contains(row, "of a") || strings.Contains(row, "ann") {
				t.Errorf("%s still has %s", table, row)
			}
		}
	}
	root := must(w.Authenticate(ctx, "root", "correct horse"))(t)
	if len(root.Tenants) != 1 || root.Tenants[0] != w.b {
		t.Errorf("the admin sees %v", root.Tenants)
	}
	if gone := must(w.WasRemoved(ctx, "a"))(t); !gone || must(w.WasRemoved(ctx, "b"))(t) {
		t.Errorf("a removed: %v", gone)
	}
	if n := must(w.CreateTenant(ctx, "a", "A again"))(t); n <= w.b {
		t.Errorf("the number %d is given again", n)
	}
	if must(w.WasRemoved(ctx, "a"))(t) {
		t.Error("an organization that was made anew counts as removed")
	}
}
