package incident

import (
	"encoding/json"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// payload is the JSON of a notice, which a webhook receives as it is. Fields may be added, never changed. Times are
// RFC 3339 in UTC.
type payload struct {
	Kind     string          `json:"kind"` // "opened" or "severity"
	At       string          `json:"at"`   // log time of the notice
	Incident payloadIncident `json:"incident"`
}

type payloadIncident struct {
	ID          string              `json:"id"`
	Tenant      storage.Tenant      `json:"tenant"`
	Rule        string              `json:"rule"`
	RuleName    string              `json:"rule_name"`
	RuleVersion string              `json:"rule_version"`
	Title       string              `json:"title"`
	Severity    string              `json:"severity"`
	State       storage.State       `json:"state"`
	Count       uint64              `json:"count"`
	FirstSeen   string              `json:"first_seen"`
	LastSeen    string              `json:"last_seen"`
	Key         map[string]string   `json:"key"`
	Techniques  []string            `json:"techniques,omitempty"`
	Conditions  []storage.Condition `json:"conditions,omitempty"`
	Entities    []storage.Entity    `json:"entities,omitempty"`
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// encodePayload returns the JSON of a notice about the incident as it is now. Maps are encoded in the order of their
// keys, so the same incident gives the same bytes.
func encodePayload(kind string, at int64, in *storage.Incident) []byte {
	p := payload{Kind: kind, At: stamp(at), Incident: payloadIncident{
		ID: in.ID, Tenant: in.Tenant, Rule: in.Rule, RuleName: in.RuleName, RuleVersion: in.RuleVersion, Title: in.Title,
		Severity: in.Severity.String(), State: in.State, Count: in.Count, FirstSeen: stamp(in.FirstSeen), LastSeen: stamp(in.LastSeen),
		Key: make(map[string]string, len(in.Key)), Techniques: in.Techniques, Conditions: in.Conditions, Entities: in.Entities,
	}}
	for _, f := range in.Key {
		p.Incident.Key[f.Name] = f.Value
	}
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers cannot fail to encode
		panic("incident: encode notice: " + err.Error())
	}
	return b
}
