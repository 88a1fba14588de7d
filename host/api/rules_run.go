package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// testText runs the inline tests of a rule without code.
func testText(r *rule.Rule) error {
	match, err := detect.CaseMatcher(r)
	if err != nil {
		return err
	}
	return correlate.RunTests(r, match)
}

// reader returns who asks to run rules on an organization's events, if they may: running costs time, so it takes the right
// to install.
func (s ruleService) reader(ctx context.Context, h map[string][]string, on uint32) (asked, error) {
	a, err := s.ask(ctx, h, tenant.ReadModules, on)
	if err != nil {
		return a, err
	}
	if a.tenant == storage.NoTenant {
		return a, fmt.Errorf("run a rule: say for which organization: %w", storage.ErrInvalid)
	}
	for _, action := range []tenant.Action{tenant.ManageModules, tenant.ReadEvents} {
		if err := tenant.Authorize(a.Principal, action, a.tenant); err != nil {
			return a, err
		}
	}
	a.Tenants = []storage.Tenant{a.tenant}
	return a, nil
}

func (s ruleService) RunRule(ctx context.Context, req *connect.Request[v1.RunRuleRequest]) (*connect.Response[v1.RunRuleResponse], error) {
	m := req.Msg
	a, err := s.reader(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	c := RuleTrial{Tenant: a.tenant, Rule: m.Rule, Reader: a.Principal, Told: MaxVerdicts}
	if m.Text != "" {
		c.Text = []byte(m.Text)
		if _, problems := readRules(c.Text); len(problems) > 0 {
			return connect.NewResponse(&v1.RunRuleResponse{Problems: problems}), nil
		}
	} else if m.Rule == "" {
		return nil, fmt.Errorf("run a rule: neither a document nor an id is given: %w", storage.ErrInvalid)
	}
	switch x := m.Events.(type) {
	case *v1.RunRuleRequest_Jsonl:
		if c.Given, err = givenEvents(a.tenant, x.Jsonl); err != nil {
			return nil, fmt.Errorf("run a rule: %w", err)
		}
	case *v1.RunRuleRequest_Query:
		if c.Query, err = runQuery(x.Query); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("run a rule: no events are given: %w", storage.ErrInvalid)
	}
	done, err := s.cfg.Rules.TryRule(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	out := &v1.RunRuleResponse{Events: uint32(done.Events), Matched: uint32(done.Matched), Truncated: done.Truncated}
	for i := range done.Verdicts {
		v := &done.Verdicts[i]
		shown := &v1.RunVerdict{Verdict: verdictOf(v.Rule, &v.Verdict), Event: eventOf(&v.Event)}
		if c.Given != nil {
			shown.Line, shown.Event.Id = v.Event.ID.Record, ""
		}
		out.Verdicts = append(out.Verdicts, shown)
	}
	for i := range done.Incidents[:min(len(done.Incidents), MaxRunIncidents)] {
		out.Incidents = append(out.Incidents, runIncident(&done.Incidents[i], c.Given != nil))
	}
	return connect.NewResponse(out), nil
}

func runQuery(q *v1.Query) (logs.Query, error) {
	out := logs.Query{Text: q.GetText(), Limit: int(min(q.GetLimit(), 1<<30))}
	if out.Limit == 0 {
		out.Limit = logs.DefaultSearchRows
	}
	if out.Limit > MaxRunEvents {
		return out, fmt.Errorf("run a rule over %d events, at most %d are allowed: %w", out.Limit, MaxRunEvents, storage.ErrExhausted)
	}
	if q.GetFrom() != nil {
		out.From = q.From.AsTime()
	}
	if q.GetTo() != nil {
		out.To = q.To.AsTime()
	}
	return out, nil
}

// givenEvents reads events that somebody has pasted, a JSON object a line. One without a time is a second after the one
// before; the line stands in its ID.
func givenEvents(t storage.Tenant, text string) ([]storage.Event, error) {
	if len(text) > MaxGivenBytes {
		return nil, fmt.Errorf("events of %d bytes, at most %d are allowed: %w", len(text), MaxGivenBytes, storage.ErrExhausted)
	}
	events := []storage.Event{}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, MaxGivenBytes+1)
	now := time.Now().Truncate(time.Second).UnixNano()
	for line := uint32(1); lines.Scan(); line++ {
		raw := bytes.TrimSpace(lines.Bytes())
		if len(raw) == 0 {
			continue
		}
		if len(events) == MaxGivenEvents {
			return nil, fmt.Errorf("more than %d events: %w", MaxGivenEvents, storage.ErrExhausted)
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil || d.More() {
			return nil, fmt.Errorf("line %d: want a JSON object: %w", line, storage.ErrInvalid)
		}
		now += int64(time.Second)
		e, err := givenEvent(object, now)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		now = max(now, e.Received)
		e.ID, e.Tenant = storage.EventID{Seq: uint64(line), Record: line}, t
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("no events are given: %w", storage.ErrInvalid)
	}
	return events, nil
}

// givenEvent makes an event of its fields, nested or flat; now is its time when it names none.
func givenEvent(object map[string]any, now int64) (storage.Event, error) {
	e := storage.Event{Time: now, Received: now}
	if text, ok := object["@timestamp"].(string); ok {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Year() < 1970 || at.Year() > 2200 {
			return e, fmt.Errorf("@timestamp %.80q: want a time such as 2026-01-31T12:00:00Z: %w", text, storage.ErrInvalid)
		}
		e.Time = at.UnixNano()
		e.Received = e.Time
		delete(object, "@timestamp")
	}
	flat := map[string]string{}
	if err := flatten(flat, "", object, 0); err != nil {
		return e, err
	}
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		switch value := flat[name]; {
		case value == "":
		case name == storage.FieldDataset:
			e.Stream = value
		case name == rule.FieldOriginal || name == "raw":
			e.Raw = value
		default:
			e.Fields = append(e.Fields, storage.Field{Name: name, Value: value})
		}
	}
	return e, nil
}

// flatten writes the fields of an object by their dotted names. Lists are JSON arrays of texts, as events have them.
func flatten(into map[string]string, at string, v any, depth int) error {
	switch v := v.(type) {
	case map[string]any:
		if depth > rule.MaxNestingDepth {
			return fmt.Errorf("%.80q is nested deeper than %d: %w", at, rule.MaxNestingDepth, storage.ErrInvalid)
		}
		for name, x := range v {
			if at != "" {
				name = at + "." + name
			}
			if err := flatten(into, name, x, depth+1); err != nil {
				return err
			}
		}
		return nil
	case []any:
		var list []string
		for _, x := range v {
			list = append(list, scalarText(x))
		}
		b, err := json.Marshal(list)
		if err != nil {
			return fmt.Errorf("%.80q: %w: %w", at, err, storage.ErrInvalid)
		}
		if len(list) == 1 {
			into[at] = list[0]
		} else if len(list) > 1 {
			into[at] = string(b)
		}
		return nil
	}
	if at != "" {
		into[at] = scalarText(v)
	}
	return nil
}

func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func runIncident(in *storage.Incident, given bool) *v1.RunIncident {
	out := &v1.RunIncident{
		Rule: in.Rule, Severity: in.Severity.String(), Title: in.Title, Key: map[string]string{}, Count: in.Count,
		First: moment(in.FirstSeen), Last: moment(in.LastSeen),
	}
	for _, f := range in.Key {
		out.Key[f.Name] = f.Value
	}
	for _, c := range in.Conditions {
		out.Conditions = append(out.Conditions, &v1.RuleCondition{Sub: c.Sub, Expr: c.Expr, Actual: c.Actual, Threshold: c.Threshold})
	}
	for _, e := range in.Evidence {
		if given {
			out.Evidence = append(out.Evidence, strconv.FormatUint(uint64(e.ID.Record), 10))
		} else {
			out.Evidence = append(out.Evidence, e.ID.String())
		}
	}
	return out
}

// verdictOf is what a rule makes of an event, on the wire.
func verdictOf(r *rule.Rule, v *explain.Verdict) *v1.EventVerdict {
	out := &v1.EventVerdict{Rule: r.ID, RuleName: r.Name, Matches: v.Matches}
	for _, reason := range v.Excepted {
		out.Notes = append(out.Notes, "an exception selects it: "+reason)
	}
	for i := range v.Subs {
		sub := &v.Subs[i]
		shown := &v1.SubVerdict{Sub: sub.Name, Title: sub.Title, Matches: sub.Matches}
		for _, t := range sub.Tests {
			shown.Tests = append(shown.Tests, &v1.TestVerdict{
				Holds: t.Holds, Field: t.Field, Test: t.Says, Wanted: t.Wanted, Value: t.Value, Lacks: t.Lacks, Text: t.String(),
			})
		}
		if sub.Code && sub.Matches {
			out.Notes = append(out.Notes, "it passes the filter of "+sub.Name+"; the package's code decides")
		}
		out.Subs = append(out.Subs, shown)
	}
	return out
}

func (s ruleService) BacktestRule(ctx context.Context, req *connect.Request[v1.BacktestRuleRequest], stream *connect.ServerStream[v1.BacktestRuleResponse]) error {
	c, err := s.ruleBacktest(ctx, req)
	if err != nil {
		return err
	}
	var sent error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done, err := s.cfg.Rules.TryRule(ctx, c, func(p RuleProgress) {
		m := &v1.BacktestRuleResponse{Phase: p.Phase, Events: uint32(p.Events), Incidents: uint32(p.Incidents)}
		for i := range p.News {
			m.News = append(m.News, runIncident(&p.News[i], false))
		}
		if sent = stream.Send(m); sent != nil {
			cancel() // who asked is gone
		}
	})
	if sent != nil {
		return sent
	}
	if err != nil {
		return err
	}
	return stream.Send(&v1.BacktestRuleResponse{Events: uint32(done.Events), Incidents: uint32(len(done.Incidents)), Report: ruleBacktestOf(&done)})
}

// ruleBacktest checks a request.
func (s ruleService) ruleBacktest(ctx context.Context, req *connect.Request[v1.BacktestRuleRequest]) (RuleTrial, error) {
	m := req.Msg
	a, err := s.reader(ctx, req.Header(), m.Tenant)
	if err != nil {
		return RuleTrial{}, err
	}
	c := RuleTrial{Tenant: a.tenant, Rule: m.Rule, Reader: a.Principal, Shadow: m.Shadow.AsDuration()}
	if m.Text != "" {
		c.Text = []byte(m.Text)
		if _, problems := readRules(c.Text); len(problems) > 0 {
			return c, fmt.Errorf("line %d: %s: %w", problems[0].Line, problems[0].Text, storage.ErrInvalid)
		}
	}
	last, limit := m.Last.AsDuration(), int(m.Limit)
	if last == 0 && c.Shadow == 0 {
		last = DefaultRuleSpan
	}
	if limit == 0 {
		limit = DefaultRuleEvents
	}
	switch {
	case last < 0 || last > MaxRuleTestSpan:
		return c, fmt.Errorf("backtest over %v, at most %v are allowed: %w", last, MaxRuleTestSpan, storage.ErrExhausted)
	case limit > logs.MaxSearchRows:
		return c, fmt.Errorf("backtest over %d events, at most %d are allowed: %w", limit, logs.MaxSearchRows, storage.ErrExhausted)
	case c.Shadow < 0 || c.Shadow > MaxBacktestShadow:
		return c, fmt.Errorf("backtest beside the stream for %v, at most %v are allowed: %w", c.Shadow, MaxBacktestShadow, storage.ErrExhausted)
	}
	if last > 0 {
		now := time.Now()
		c.Query = logs.Query{From: now.Add(-last), To: now.Add(time.Hour), Limit: limit}
	}
	return c, nil
}

func ruleBacktestOf(done *RuleTried) *v1.RuleBacktest {
	out := &v1.RuleBacktest{
		Events: uint32(done.Events), Matched: uint32(done.Matched), Truncated: done.Truncated, LiveEvents: uint32(done.Live), LiveDropped: done.Dropped,
		Total: uint32(len(done.Incidents)), Ended: done.Ended,
	}
	if done.Events > 0 {
		out.From, out.To = timestamppb.New(time.Unix(0, done.From)), timestamppb.New(time.Unix(0, done.To))
	}
	for i := range done.Incidents[max(0, len(done.Incidents)-MaxRunIncidents):] {
		out.Incidents = append(out.Incidents, runIncident(&done.Incidents[max(0, len(done.Incidents)-MaxRunIncidents)+i], false))
	}
	for _, at := range slices.Sorted(maps.Keys(done.Hours)) {
		out.Hours = append(out.Hours, &v1.RuleHour{At: moment(at), Fires: done.Hours[at]})
	}
	return out
}

func (s ruleService) ExplainEvent(ctx context.Context, req *connect.Request[v1.ExplainEventRequest]) (*connect.Response[v1.ExplainEventResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadEvents, nil)
	if err != nil {
		return nil, err
	}
	row, ev, err := eventService{API: s.API}.lookUp(ctx, p, req.Msg.Event)
	if err != nil {
		return nil, err
	}
	if err := tenant.Authorize(p, tenant.ReadModules, ev.Tenant); err != nil {
		return nil, err
	}
	p.Tenants = []storage.Tenant{ev.Tenant}
	a := asked{Principal: p, tenant: ev.Tenant, gen: s.cfg.Pipeline.Generation()}
	x, err := s.find(ctx, a, req.Msg.Rule)
	if err != nil {
		return nil, err
	}
	r := x.rule
	if runs := a.gen.View(a.tenant).Rules.Rule(r.ID); runs != nil {
		r = runs // with the organization's exceptions
	}
	of, err := s.cfg.Rules.WhyRule(a.tenant, r)
	if err != nil {
		return nil, err
	}
	v := of.Why(ev)
	out := &v1.ExplainEventResponse{Verdict: verdictOf(r, &v), Event: eventOfRow(row)}
	if x.off != "" {
		out.Verdict.Notes = append(out.Verdict.Notes, "the rule does not run: "+x.off)
	}
	if known, ok, err := s.cfg.Pipeline.Known(ctx, r.ID, ev); err != nil {
		return nil, err
	} else if ok && a.Filter == "" { // what it knows is drawn from all events
		out.State = &v1.RuleKeyState{Key: map[string]string{}, Steps: known.Steps, Watermark: moment(known.Watermark)}
		for _, f := range known.Key {
			out.State.Key[f.Name] = f.Value
		}
	}
	if seq := a.gen.Running.Layer(x.layer).Slots[x.mod.Name()].Current.Seq; ev.ID.Seq < seq {
		out.Verdict.Notes = append(out.Verdict.Notes, fmt.Sprintf("the event came before this version of the rule (version %s runs from position %d on)", r.Version, seq))
	}
	return connect.NewResponse(out), nil
}
