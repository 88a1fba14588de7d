package module

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// ControlKind says what a control record changes.
type ControlKind string

// The control records. They are the only source of change: what runs at a position is what the control records before
// it say.
const (
	Activate    ControlKind = "activate"     // a module version starts to run
	ActivateSet ControlKind = "activate_set" // several module versions start to run, all of them or none
	Rollback    ControlKind = "rollback"     // the version before runs again, or an earlier one
	Enable      ControlKind = "enable"
	Disable     ControlKind = "disable"
	Suspend     ControlKind = "suspend"  // as Disable, by the host, because the module keeps failing
	Incident    ControlKind = "incident" // a person acts on an incident
	Relearn     ControlKind = "relearn"  // a rule, whose id Name is, forgets what it has learnt of the key with the values Key, or of all
	Forget      ControlKind = "forget"   // an organization ends, with all that is kept of it but the log store's rows
)

// Control is one control record.
type Control struct {
	Kind   ControlKind    `json:"kind"`
	Tenant storage.Tenant `json:"tenant"` // NoTenant is the layer that all organizations share
	Who    string         `json:"who"`    // user name, or "vedette"

	Name     string       `json:"name,omitempty"`     // "publisher/name"
	Digest   string       `json:"digest,omitempty"`   // what to activate; of another kind: changes nothing unless this version runs
	Settings string       `json:"settings,omitempty"` // JSON
	Grants   []string     `json:"grants,omitempty"`   // capability numbers
	Reason   string       `json:"reason,omitempty"`   // of what the host decides, and of DisableRule
	Set      []Activation `json:"set,omitempty"`      // of ActivateSet
	To       uint64       `json:"to,omitempty"`       // of a rollback: the install that runs again, by its Seq; 0: the one before; of RemoveException: which

	Watch *Watch `json:"watch,omitempty"` // of SetWatch; Name is its ID, as of RemoveWatch
	Table *Table `json:"table,omitempty"` // of SetTable; Name is its name, as of RemoveTable
	Quota *Quota `json:"quota,omitempty"` // of SetQuota

	List       *ListHead   `json:"list,omitempty"`       // of SetList; Name is its name, as of RemoveList
	Entries    *Entries    `json:"entries,omitempty"`    // of SetEntries; Name is the list's
	Indicators *Indicators `json:"indicators,omitempty"` // of SetIndicators; Name is the set's, as of RemoveIndicators

	Exception *RuleException `json:"exception,omitempty"` // of ExceptRule

	Key []string `json:"key,omitempty"` // of Relearn

	IncidentID string `json:"incident,omitempty"`
	Action     string `json:"action,omitempty"`
	Argument   string `json:"argument,omitempty"`
}

// Activation is one module version of an ActivateSet.
type Activation struct {
	Name     string   `json:"name"`
	Digest   string   `json:"digest"`
	Settings string   `json:"settings,omitempty"`
	Grants   []string `json:"grants,omitempty"`
}

// Each returns the records that an ActivateSet stands for, one for each module; any other record stands for itself.
func (c *Control) Each() []Control {
	if c.Kind != ActivateSet {
		return []Control{*c}
	}
	all := make([]Control, len(c.Set))
	for i, a := range c.Set {
		all[i] = Control{Kind: Activate, Tenant: c.Tenant, Who: c.Who, Name: a.Name, Digest: a.Digest, Settings: a.Settings, Grants: a.Grants}
	}
	return all
}

// Encode returns the record's bytes. The error wraps storage.ErrExhausted when it is over MaxControlBytes.
func (c Control) Encode() ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode control record: %w", err)
	}
	if len(b) > MaxControlBytes {
		return nil, fmt.Errorf("control record %s has %d bytes, at most %d are allowed: %w", c.Kind, len(b), MaxControlBytes, storage.ErrExhausted)
	}
	return b, nil
}

// DecodeControl reads a record's bytes. The error wraps storage.ErrInvalid.
func DecodeControl(b []byte) (Control, error) {
	var c Control
	if len(b) > MaxControlBytes {
		return c, fmt.Errorf("control record has %d bytes, at most %d are allowed: %w", len(b), MaxControlBytes, storage.ErrInvalid)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // a record of a newer host must not be half understood
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("decode control record: %w: %w", err, storage.ErrInvalid)
	}
	switch c.Kind {
	case Activate, ActivateSet, Rollback, Enable, Disable, Suspend, Incident, Relearn, Forget, SetWatch, RemoveWatch, SetTable, RemoveTable, Throttle, SetQuota,
		SetList, RemoveList, SetEntries, SetIndicators, RemoveIndicators,
		EnableRule, DisableRule, ExceptRule, RemoveException:
		return c, nil
	}
	return c, fmt.Errorf("decode control record: unknown kind %q: %w", c.Kind, storage.ErrInvalid)
}
