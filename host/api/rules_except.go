package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

func exceptionOf(id string, x *module.RuleException) *v1.RuleException {
	out := &v1.RuleException{Id: x.Seq, Rule: id, Reason: x.Reason, Where: x.Where, Who: x.Who, At: moment(x.At)}
	if x.Until != 0 {
		out.Until = moment(x.Until)
	}
	return out
}

func (s ruleService) AddException(ctx context.Context, req *connect.Request[v1.AddExceptionRequest]) (*connect.Response[v1.AddExceptionResponse], error) {
	m := req.Msg
	a, err := s.changer(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, a, m.Rule); err != nil {
		return nil, err
	}
	x := module.RuleException{Reason: strings.TrimSpace(m.Reason), Where: m.Where}
	if m.Until != nil {
		if x.Until = m.Until.AsTime().UnixNano(); x.Until <= s.cfg.Pipeline.Positions().LogTime {
			return nil, fmt.Errorf("except from rule %s: its end is past: %w", m.Rule, storage.ErrInvalid)
		}
	}
	if err := x.Check(); err != nil { // the log would say so too, and would hold it
		return nil, fmt.Errorf("except from rule %s: %w", m.Rule, err)
	}
	before := a.gen.Running.Layer(a.tenant).Exceptions[m.Rule]
	if err := s.cfg.Control.Control(ctx, module.Control{Kind: module.ExceptRule, Tenant: a.tenant, Who: a.User, Name: m.Rule, Exception: &x}); err != nil {
		return nil, err
	}
	out := &v1.AddExceptionResponse{}
	for _, now := range s.cfg.Pipeline.Generation().Running.Layer(a.tenant).Exceptions[m.Rule] {
		known := slices.ContainsFunc(before, func(b module.RuleException) bool { return b.Seq == now.Seq })
		if !known && now.Where == x.Where && now.Who == a.User {
			out.Exception = exceptionOf(m.Rule, &now)
		}
	}
	return connect.NewResponse(out), nil
}

func (s ruleService) RemoveException(ctx context.Context, req *connect.Request[v1.RemoveExceptionRequest]) (*connect.Response[v1.RemoveExceptionResponse], error) {
	a, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{Kind: module.RemoveException, Tenant: a.tenant, Who: a.User, Name: req.Msg.Rule, To: req.Msg.Id})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveExceptionResponse{}), nil
}

func (s ruleService) ProposeException(ctx context.Context, req *connect.Request[v1.ProposeExceptionRequest]) (*connect.Response[v1.ProposeExceptionResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadIncidents, nil)
	if err != nil {
		return nil, err
	}
	in, err := s.cfg.DB.GetIncident(ctx, p, req.Msg.Incident)
	if err != nil {
		return nil, err
	}
	out := &v1.ProposeExceptionResponse{Rule: in.Rule, Tenant: uint32(in.Tenant)}
	have := map[string]bool{}
	add := func(field, value string, chosen bool) {
		if value != "" && !have[field] && len(out.Lines) < MaxExceptionLines {
			have[field] = true
			out.Lines = append(out.Lines, &v1.ExceptionLine{Field: field, Value: value, Chosen: chosen})
		}
	}
	for _, k := range in.Key {
		add(k.Name, k.Value, true)
	}
	common, err := s.common(ctx, p, &in)
	if err != nil {
		return nil, err
	}
	for _, f := range common {
		add(f.Name, f.Value, len(in.Key) == 0 && storage.KindOf(f.Name) != "")
	}
	if out.Where, err = selectionText(out.Lines); err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

// common returns the fields that all events of an incident's evidence have with one value, those that name somebody or
// something first.
func (s ruleService) common(ctx context.Context, p storage.Principal, in *storage.Incident) ([]storage.Field, error) {
	rows, err := incidentService{API: s.API}.evidence(ctx, p, in)
	if err != nil {
		return nil, err
	}
	values, n := map[string]string{}, 0
	for _, row := range rows {
		e, err := row.Event()
		if err != nil {
			return nil, err
		}
		fields := append(e.Fields, storage.Field{Name: storage.FieldDataset, Value: e.Stream})
		if n++; n == 1 {
			for _, f := range fields {
				values[f.Name] = f.Value
			}
			continue
		}
		for name, value := range values {
			if !slices.Contains(fields, storage.Field{Name: name, Value: value}) {
				delete(values, name)
			}
		}
	}
	var out []storage.Field
	for name, value := range values {
		if !strings.HasPrefix(name, "vedette.") && !strings.HasPrefix(value, "[") && len(value) <= storage.MaxEntityBytes {
			out = append(out, storage.Field{Name: name, Value: value})
		}
	}
	slices.SortFunc(out, func(a, b storage.Field) int {
		if x, y := storage.KindOf(a.Name) != "", storage.KindOf(b.Name) != ""; x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// selectionText is the selection of the chosen lines, as a pattern document has it: JSON is YAML. Wildcards in a value
// stand for themselves.
func selectionText(lines []*v1.ExceptionLine) (string, error) {
	var b strings.Builder
	for _, l := range lines {
		if !l.Chosen {
			continue
		}
		value, err := json.Marshal(literal.Replace(l.Value))
		if err != nil {
			return "", fmt.Errorf("value of %s: %w", l.Field, err)
		}
		fmt.Fprintf(&b, "%s: %s\n", l.Field, value)
	}
	return b.String(), nil
}

// literal writes a value so that a pattern means just that.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)
