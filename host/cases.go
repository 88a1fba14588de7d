package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// SaveCase keeps the events of an incident that was a false positive as a case of its rule's module: later versions that
// fire on them are not installed, for the incident's organization or, when shared is set, for all of them. The error wraps
// replay.ErrCannot when the events that determine the incident are not known any more, storage.ErrConflict when there is
// such a case.
func (h *Host) SaveCase(ctx context.Context, by storage.Principal, incident string, shared bool) (meta.ModuleCase, error) {
	var c meta.ModuleCase
	var tar boundedBuffer
	err := replay.Export(ctx, replay.Host{
		Incidents: h.db, Store: h.store, Packages: h.packages, Past: h.db, KeptSince: time.Now().Add(-h.db.KeepsEvents()), Generation: h.pipeline.Generation(),
	}, by, incident, &tar)
	if err != nil {
		return c, err
	}
	b, err := replay.Read(&tar.kept)
	if err != nil {
		return c, err
	}
	if !b.EventsAlone() {
		return c, fmt.Errorf("its rule looks at more than events: %w", replay.ErrCannot)
	}
	events, err := json.Marshal(b.List())
	if err != nil {
		return c, fmt.Errorf("save a case of incident %s: %w", incident, err)
	}
	c = meta.ModuleCase{
		Tenant: b.Incident.Tenant, Module: b.Rule.Name, Rule: b.Incident.Rule, Incident: b.Incident.ID, Title: b.Incident.Title,
		Events: events, Who: by.User, At: time.Now().UnixNano(),
	}
	if shared {
		c.Tenant = storage.NoTenant
	}
	c.ID, err = h.db.PutModuleCase(ctx, c.Tenant, c)
	return c, err
}

// boundedBuffer holds an export while a case is made of it: the events of a case are few, and its packages small.
type boundedBuffer struct{ kept bytes.Buffer }

// Write fails when the whole would be over maxCaseExportBytes; the error wraps storage.ErrExhausted.
func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxCaseExportBytes {
		return 0, fmt.Errorf("what determines the incident has more than %d bytes: %w", maxCaseExportBytes, storage.ErrExhausted)
	}
	return b.kept.Write(p)
}

// checkCases runs a candidate's rules on the events that people have saved as false positives, and returns how many cases
// there are. The error wraps storage.ErrInvalid and names the case on which a rule fires.
func (h *Host) checkCases(ctx context.Context, t storage.Tenant, m *module.Loaded) (int, error) {
	if m.Manifest.Kind != manifest.Rule {
		return 0, nil
	}
	cases, err := h.db.ModuleCases(ctx, t, m.Install.Name)
	if err != nil || len(cases) == 0 {
		return 0, err
	}
	alone := module.Running{Seq: 1, Layers: module.LayersOf(map[storage.Tenant]module.Layer{t: {Slots: map[string]module.Slot{m.Install.Name: {Current: m.Install}}}})}
	gen, err := module.Build(ctx, module.WithCandidate(h.library, m), nil, alone, t)
	if err != nil {
		return 0, err
	}
	for i := range cases {
		events, err := eventsOf(&cases[i])
		if err != nil {
			return 0, err
		}
		fires, err := backtest.Fires(ctx, gen, events, cases[i].Rule)
		if err != nil {
			return 0, err
		}
		if fires {
			return 0, fmt.Errorf("case %d, which %s saved of incident %s (%s): rule %s fires on it: %w",
				cases[i].ID, cases[i].Who, cases[i].Incident, cases[i].Title, cases[i].Rule, storage.ErrInvalid)
		}
	}
	return len(cases), nil
}

// anyTenant stands for an organization in a case that is everybody's.
const anyTenant storage.Tenant = 1

func eventsOf(c *meta.ModuleCase) ([]storage.Event, error) {
	var list []replay.Record
	if err := json.Unmarshal(c.Events, &list); err != nil {
		return nil, fmt.Errorf("case %d: %w", c.ID, errors.Join(err, storage.ErrInvalid))
	}
	t := c.Tenant
	if t == storage.NoTenant {
		t = anyTenant
	}
	events := make([]storage.Event, 0, len(list))
	for i := range list {
		e, err := list[i].Event(t)
		if err != nil {
			return nil, fmt.Errorf("case %d: %w", c.ID, err)
		}
		events = append(events, e)
	}
	return events, nil
}
