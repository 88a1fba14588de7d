package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/attack"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// What is true of a technique, the best first.
const (
	stateCovered = "covered" // a rule is on, its tests pass, and what it needs came within a day
	stateSilent  = "silent"  // on and tested, but nothing came
	stateFailing = "failing" // on, but its tests fail, this version of the host has not run them yet, or there are none
	stateOff     = "off"
	stateNone    = "none"
)

var stateOrder = []string{stateCovered, stateSilent, stateFailing, stateOff, stateNone}

// stateColors are those of the Navigator's layer.
var stateColors = map[string]string{stateCovered: "#2f9e44", stateSilent: "#f08c00", stateFailing: "#e03131", stateOff: "#868e96"}

func (s ruleService) GetCoverage(ctx context.Context, req *connect.Request[v1.GetCoverageRequest]) (*connect.Response[v1.GetCoverageResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	list, err := s.installed(ctx, a)
	if err != nil {
		return nil, err
	}
	f, err := s.figures(ctx, a)
	if err != nil {
		return nil, err
	}
	c := coverage{by: map[string][]int{}}
	for i := range list {
		for _, id := range list[i].rule.Techniques {
			c.by[id] = append(c.by[id], i)
		}
		c.states = append(c.states, s.stateOf(a, &list[i], f))
		c.ids = append(c.ids, list[i].rule.ID)
	}
	out := c.matrix()
	if req.Msg.Navigator {
		out.Navigator, err = navigator(out)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

// stateOf says what a rule makes of its techniques.
func (s ruleService) stateOf(a asked, x *installed, f figures) string {
	failure, known := s.proofs.of(x.mod, x.rule)
	switch {
	case x.off != "":
		return stateOff
	case len(x.rule.Tests) == 0 || failure != "" || !known:
		return stateFailing
	case f.arrived == nil || len(f.arrived.missing(a.gen.View(a.tenant).Matcher, x.rule)) > 0:
		return stateSilent
	}
	return stateCovered
}

// coverage is which rules name a technique, and what is true of each.
type coverage struct {
	by     map[string][]int // numbers of rules, by technique
	ids    []string
	states []string
}

// matrix returns all tactics with their techniques.
func (c *coverage) matrix() *v1.GetCoverageResponse {
	out := &v1.GetCoverageResponse{Version: attack.Version}
	named, covered := map[string]bool{}, map[string]bool{}
	for _, t := range attack.Tactics() {
		column := &v1.Tactic{Id: t.ID, Name: t.Name}
		for _, x := range t.Techniques {
			cell := c.cell(x)
			column.Techniques = append(column.Techniques, cell)
			for _, one := range append([]*v1.TechniqueCoverage{cell}, cell.Subs...) {
				if named[one.Id] = len(one.Rules) > 0; one.State == stateCovered {
					covered[one.Id] = true
				}
			}
		}
		out.Tactics = append(out.Tactics, column)
	}
	maps.DeleteFunc(named, func(_ string, is bool) bool { return !is })
	out.Named, out.Covered = uint32(len(named)), uint32(len(covered))
	return out
}

// cell is a technique with its sub-techniques. It has what the best of its rules, or of theirs, has.
func (c *coverage) cell(t *attack.Technique) *v1.TechniqueCoverage {
	out := &v1.TechniqueCoverage{Id: t.ID, Name: t.Name, State: stateNone}
	for _, i := range c.by[t.ID] {
		out.Rules = append(out.Rules, c.ids[i])
		out.State = better(out.State, c.states[i])
	}
	for _, sub := range t.Subs {
		below := c.cell(sub)
		out.Subs = append(out.Subs, below)
		out.Rules = append(out.Rules, below.Rules...)
		out.State = better(out.State, below.State)
	}
	slices.Sort(out.Rules)
	out.Rules = slices.Compact(out.Rules)
	return out
}

func better(a, b string) string {
	if slices.Index(stateOrder, b) < slices.Index(stateOrder, a) {
		return b
	}
	return a
}

// navigator writes a layer of the ATT&CK Navigator, format 4.5.
func navigator(c *v1.GetCoverageResponse) (string, error) {
	type cell struct {
		ID      string `json:"techniqueID"`
		Tactic  string `json:"tactic"`
		Score   int    `json:"score"`
		Color   string `json:"color"`
		Comment string `json:"comment"`
		Enabled bool   `json:"enabled"`
		Subs    bool   `json:"showSubtechniques"`
	}
	type item struct {
		Label string `json:"label"`
		Color string `json:"color"`
	}
	layer := struct {
		Name        string            `json:"name"`
		Versions    map[string]string `json:"versions"`
		Domain      string            `json:"domain"`
		Description string            `json:"description"`
		Techniques  []cell            `json:"techniques"`
		Legend      []item            `json:"legendItems"`
	}{
		Name: "Vedette coverage", Domain: "enterprise-attack", Versions: map[string]string{"attack": c.Version, "navigator": "5.1.0", "layer": "4.5"},
		Description: "covered: a rule is on, its tests pass, and its data arrived within 24 hours",
	}
	for _, state := range stateOrder[:len(stateOrder)-1] {
		layer.Legend = append(layer.Legend, item{state, stateColors[state]})
	}
	for _, tactic := range c.Tactics {
		short := strings.ReplaceAll(strings.ToLower(tactic.Name), " ", "-")
		for _, t := range tactic.Techniques {
			for _, x := range append([]*v1.TechniqueCoverage{t}, t.Subs...) {
				if x.State == stateNone {
					continue
				}
				score := 100 - 25*slices.Index(stateOrder, x.State)
				layer.Techniques = append(layer.Techniques, cell{
					ID: x.Id, Tactic: short, Score: score, Color: stateColors[x.State], Comment: x.State + ": " + strings.Join(x.Rules, ", "), Enabled: true, Subs: len(x.Subs) > 0,
				})
			}
		}
	}
	b, err := json.MarshalIndent(layer, "", "  ")
	if err != nil {
		return "", fmt.Errorf("coverage as a layer: %w", err)
	}
	return string(b), nil
}

// subjectsOf returns under which names gaps of a rule are noted.
func subjectsOf(x *installed) []string {
	return []string{"rule " + x.rule.ID, "module " + x.mod.Name()}
}

func (s ruleService) GetRuleLedger(ctx context.Context, req *connect.Request[v1.GetRuleLedgerRequest]) (*connect.Response[v1.GetRuleLedgerResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	at := s.cfg.Pipeline.Positions().LogTime
	from := moment(at - int64(ruleHoursSpan))
	if req.Msg.From != nil {
		from = req.Msg.From
	}
	var subjects []string
	if req.Msg.Rule != "" {
		x, err := s.find(ctx, a, req.Msg.Rule)
		if err != nil {
			return nil, err
		}
		subjects = subjectsOf(x)
	}
	gaps, err := s.cfg.DB.Gaps(ctx, a.on(), from.AsTime(), subjects)
	if err != nil {
		return nil, err
	}
	out := &v1.GetRuleLedgerResponse{From: from, To: moment(at), EvaluatedTo: moment(at)}
	for _, g := range gaps {
		x := &v1.RuleGap{Kind: g.Kind, From: moment(g.Since), Text: g.Detail, MadeUp: g.Kind == "down"}
		if id, ok := strings.CutPrefix(g.Subject, "rule "); ok {
			x.Rule = id
		} else if name, ok := strings.CutPrefix(g.Subject, "module "); ok {
			x.Package = name
		}
		if g.Until != 0 {
			x.To = moment(g.Until)
		}
		out.Gaps = append(out.Gaps, x)
	}
	return connect.NewResponse(out), nil
}
