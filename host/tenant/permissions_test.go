package tenant

import (
	"slices"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func TestPermissions(t *testing.T) {
	names := map[string]Action{}
	for action := range rights {
		name := permissions[action]
		if name == "" || names[name] != "" {
			t.Errorf("%s is called %q on the wire, as is %q", action, name, names[name])
		}
		names[name] = action
	}
	if len(permissions) != len(rights) {
		t.Errorf("%d names for %d actions", len(permissions), len(rights))
	}
	for role, want := range map[storage.Role]map[string]bool{
		storage.RoleAdmin:    {"incidents.read": true, "incidents.work": true, "tenants.change": true},
		storage.RoleAnalyst:  {"incidents.read": true, "incidents.work": true, "modules.change": true, "tenants.change": false},
		storage.RoleReadOnly: {"incidents.read": true, "events.read": true, "incidents.work": false, "modules.change": false},
		"nobody":             {"incidents.read": false},
	} {
		have := Permissions(role)
		if !slices.IsSorted(have) {
			t.Errorf("%s: %v", role, have)
		}
		for name, may := range want {
			if slices.Contains(have, name) != may {
				t.Errorf("%s: %s is %v, want %v", role, name, !may, may)
			}
		}
	}
}
