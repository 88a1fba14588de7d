package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// explain says why an incident was raised. What is no longer kept, the rule's package or the events, is left out: an
// incident has to open whatever else is gone.
func (s incidentService) explain(ctx context.Context, p storage.Principal, in *storage.Incident) (*v1.Explanation, error) {
	out := &v1.Explanation{Headline: headline(in)}
	doc, text := s.ruleOf(ctx, in)
	parts := partsOf(in, doc)
	if doc != nil {
		out.Description, out.NextSteps, out.FalsePositives = doc.Description, doc.NextSteps, doc.FalsePositives
		out.References, out.RuleText = doc.References, text
	}
	events, err := s.evidence(ctx, p, in)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		s.cfg.Report(fmt.Errorf("events of incident %s: %w", in.ID, err))
	}
	show(parts, in.Evidence, events)
	out.Parts = parts
	return out, nil
}

// show adds to each part the events that satisfied it, in their order, as long as there is room for them.
func show(parts []*v1.Part, evidence []storage.Evidence, events map[storage.EventID]*logs.Row) {
	bytes := 0
	for _, part := range parts {
		for _, e := range evidence {
			if e.Sub != part.Sub {
				continue
			}
			part.Total++
			if row := events[e.ID]; row != nil && bytes+len(row.Raw) <= MaxExplainBytes {
				bytes += len(row.Raw)
				part.Events = append(part.Events, eventOfRow(row))
			}
		}
	}
}

// ruleOf returns the rule that raised an incident, as it ran, with its text; nil when its package is no longer here.
func (s incidentService) ruleOf(ctx context.Context, in *storage.Incident) (*rule.Rule, string) {
	if in.RuleDigest == "" {
		return nil, ""
	}
	pkg, err := s.cfg.Packages.Pull(ctx, in.Tenant, registry.Digest(in.RuleDigest))
	if err != nil {
		return nil, ""
	}
	r, text, err := module.RuleOf(&pkg, in.Rule)
	if err != nil {
		return nil, ""
	}
	return r, text
}

// partsOf returns the rule's sub-patterns in its order, without a rule those that the incident names.
func partsOf(in *storage.Incident, doc *rule.Rule) []*v1.Part {
	var out []*v1.Part
	at := map[string]*v1.Part{}
	add := func(sub, title string) {
		if at[sub] == nil {
			at[sub] = &v1.Part{Sub: sub, Title: title}
			out = append(out, at[sub])
		}
	}
	if doc != nil {
		for i := range doc.Subs {
			add(doc.Subs[i].Name, doc.Subs[i].Title)
		}
	}
	for _, c := range in.Conditions {
		add(c.Sub, "")
		at[c.Sub].Conditions = append(at[c.Sub].Conditions, conditionOf(c))
	}
	for _, e := range in.Evidence {
		add(e.Sub, "")
	}
	return out
}

// evidence reads the events of an incident's evidence that the store still has.
func (s incidentService) evidence(ctx context.Context, p storage.Principal, in *storage.Incident) (map[storage.EventID]*logs.Row, error) {
	if readable := tenant.Authorize(p, tenant.ReadEvents, in.Tenant) == nil; !readable || len(in.Evidence) == 0 {
		return map[storage.EventID]*logs.Row{}, nil
	}
	p.Tenants = []storage.Tenant{in.Tenant}
	from, to := in.Evidence[0].Time, in.Evidence[0].Time
	ids := make([]string, 0, len(in.Evidence))
	for _, e := range in.Evidence {
		from, to = min(from, e.Time), max(to, e.Time)
		ids = append(ids, strconv.Quote(e.ID.String()))
	}
	events := make(map[storage.EventID]*logs.Row, len(ids))
	_, err := s.cfg.Store.Search(ctx, p, logs.Query{
		Text: strconv.Quote(storage.FieldID) + ":in(" + strings.Join(ids, ",") + ")",
		From: time.Unix(0, from), To: time.Unix(0, to+1), Limit: len(ids),
	}, func(rows []logs.Row) error {
		for i := range rows {
			events[rows[i].ID] = &rows[i]
		}
		return nil
	})
	return events, err
}

// headline says in one sentence what happened, where and to whom as far as the title does not, and when.
func headline(in *storage.Incident) string {
	var b strings.Builder
	b.WriteString(in.Title)
	named := func(kind storage.EntityKind, one, many string) {
		var values []string
		for _, e := range in.Entities {
			if e.Kind != kind {
				continue
			}
			if strings.Contains(in.Title, e.Value) {
				return
			}
			values = append(values, e.Value)
		}
		switch len(values) {
		case 0:
		case 1:
			fmt.Fprintf(&b, one, values[0])
		default:
			fmt.Fprintf(&b, many, len(values))
		}
	}
	named(storage.HostEntity, " on %s", " on %d hosts")
	named(storage.UserEntity, " (user %s)", " (%d users)")
	b.WriteString(", at " + clockText(in.LastSeen))
	if in.Count > 1 {
		fmt.Fprintf(&b, ", %d times since %s", in.Count, clockText(in.FirstSeen))
	}
	return b.String()
}

func clockText(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05 UTC") }
