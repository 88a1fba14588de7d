package tenant

import (
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// permissions are the names of actions on the wire. They never change: consoles and scripts know them.
var permissions = map[Action]string{
	ReadEvents: "events.read", ReadIncidents: "incidents.read", WorkIncidents: "incidents.work", ReadModules: "modules.read",
	ManageModules: "modules.change", Grant: "capabilities.grant", ReadQuarantine: "quarantine.read", ManageTokens: "tokens.change",
	ManageWebhooks: "webhooks.change", ReadUsers: "users.read", ReadSources: "sources.read", RunDemo: "demo.run",
	ReadHealth: "health.read", ManageTenants: "tenants.change", ManageUsers: "users.change", ManageGlobal: "global.change",
	ManageDemo: "demo.change", ReadMonitors: "monitors.read", ManageMonitors: "monitors.change", ManageDevices: "devices.change",
	ReadUsage: "usage.read",
}

// Permissions returns the names of what a role may do, in the organizations of its principal or on the host, sorted.
func Permissions(role storage.Role) []string {
	var out []string
	for action, r := range rights {
		if slices.Contains(r.roles, role) {
			out = append(out, permissions[action])
		}
	}
	slices.Sort(out)
	return out
}
