// Package tenant decides who may do what, in one table, and whose the records are that a sender brings.
package tenant

import (
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Action is something that a principal asks to do. Its value is its name in messages and audit records.
type Action string

// The actions on one organization.
const (
	ReadEvents     Action = "read events"        // search, tail, histogram, facets, export
	ReadIncidents  Action = "read incidents"     // list, get, history, live changes
	WorkIncidents  Action = "work incidents"     // acknowledge, resolve, assign, comment
	ReadModules    Action = "read modules"       // list, inspect, logs
	ManageModules  Action = "manage modules"     // install, roll back, disable for the organization
	Grant          Action = "grant capabilities" // to a module of the organization
	ReadQuarantine Action = "read quarantine"    // the records that made modules fail
	ManageTokens   Action = "manage tokens"      // ingest tokens
	ManageWebhooks Action = "manage webhooks"    // and see what failed
	ReadUsers      Action = "read users"         // of the organization
	ReadSources    Action = "read sources"       // where records are taken, and who sends them
	RunDemo        Action = "run demo"           // start an attack in a demo organization
	ReadMonitors   Action = "read monitors"      // devices, what polls them, what was pulled but not the texts
	ManageMonitors Action = "manage monitors"    // intervals, settings, trials; see the texts that were pulled
	ManageDevices  Action = "manage devices"     // and credentials, and what monitors may do there
	ReadUsage      Action = "read usage"         // what its modules took, and its part of the host's time
)

// The actions on the host as a whole, which are asked for storage.NoTenant.
const (
	ReadHealth    Action = "read health"    // rates, queue, storage of the process
	ManageTenants Action = "manage tenants" // create organizations
	ManageUsers   Action = "manage users"   // of any organization
	ManageGlobal  Action = "manage global"  // modules and rules of every organization
	ManageDemo    Action = "manage demo"    // pause its feed, remove it
)

// right says who may do an action and where.
type right struct {
	host  bool // on the host as a whole, not on an organization
	roles []storage.Role
}

var (
	everyone = []storage.Role{storage.RoleAdmin, storage.RoleAnalyst, storage.RoleReadOnly}
	workers  = []storage.Role{storage.RoleAdmin, storage.RoleAnalyst}
	admins   = []storage.Role{storage.RoleAdmin}
)

// rights is the whole policy. What is not in it is forbidden.
var rights = map[Action]right{
	ReadEvents:     {false, everyone},
	ReadIncidents:  {false, everyone},
	WorkIncidents:  {false, workers},
	ReadModules:    {false, everyone},
	ManageModules:  {false, workers}, // within what the organization's trust policy allows
	Grant:          {false, admins},  // a capability reaches beyond the sandbox
	ReadQuarantine: {false, workers}, // raw bytes, and whatever a module said about them
	ManageTokens:   {false, admins},  // a token speaks for the organization
	ManageWebhooks: {false, admins},  // a webhook sends its incidents elsewhere
	ReadUsers:      {false, workers},
	ReadSources:    {false, everyone},
	RunDemo:        {false, workers},
	ReadMonitors:   {false, everyone},
	ManageMonitors: {false, workers}, // configurations hold hashes of passwords
	ManageDevices:  {false, admins},  // whoever names the address is given the credential
	ReadUsage:      {false, everyone},
	ReadHealth:     {true, everyone},
	ManageTenants:  {true, admins},
	ManageUsers:    {true, admins},
	ManageGlobal:   {true, admins},
	ManageDemo:     {true, admins},
}

// Authorize returns nil if the principal may do the action on tenant t, or on the host when t is storage.NoTenant.
// ErrUnauthorized without a principal; else ErrForbidden, in the same words whether or not t exists.
func Authorize(p storage.Principal, action Action, t storage.Tenant) error {
	if p.User == "" {
		return fmt.Errorf("%s: %w", action, storage.ErrUnauthorized)
	}
	r, known := rights[action]
	if known && r.host == (t == storage.NoTenant) && (r.host || p.Sees(t)) {
		for _, role := range r.roles {
			if p.Role == role {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: %s as %s: %w", action, p.User, p.Role, storage.ErrForbidden)
}
