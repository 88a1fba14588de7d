package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/attack"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// Kinds of completion.
const (
	completesKey       = "key"
	completesField     = "field"
	completesModifier  = "modifier"
	completesValue     = "value"
	completesList      = "list"
	completesRule      = "rule"
	completesTechnique = "technique"
)

// schemaNode is as much of a JSON Schema as completion needs.
type schemaNode struct {
	Ref         string                `json:"$ref"`
	Description string                `json:"description"`
	Const       string                `json:"const"`
	Enum        []any                 `json:"enum"`
	Properties  map[string]schemaNode `json:"properties"`
	Items       *schemaNode           `json:"items"`
	Additional  json.RawMessage       `json:"additionalProperties"`
	Defs        map[string]schemaNode `json:"$defs"`
}

// patternSchema is the schema of pattern documents, read.
var patternSchema = sync.OnceValue(func() *schemaNode {
	var s schemaNode
	if err := json.Unmarshal(rule.Schema, &s); err != nil {
		panic("host/rule's schema: " + err.Error()) // a test reads it
	}
	return &s
})

// at returns the schema of what stands at a path of keys; nil when it does not say.
func (s *schemaNode) at(path []string) *schemaNode {
	now := s
	for _, key := range path {
		if now = now.resolve(s); now == nil {
			return nil
		}
		if now.Items != nil && len(now.Properties) == 0 {
			if now = now.Items.resolve(s); now == nil {
				return nil
			}
		}
		if next, ok := now.Properties[key]; ok {
			now = &next
			continue
		}
		var more schemaNode
		if json.Unmarshal(now.Additional, &more) != nil { // "false", or nothing
			return nil
		}
		now = &more
	}
	if now = now.resolve(s); now != nil && now.Items != nil && len(now.Properties) == 0 {
		return now.Items.resolve(s)
	}
	return now
}

// resolve follows a reference within the document.
func (s *schemaNode) resolve(root *schemaNode) *schemaNode {
	for s != nil && s.Ref != "" {
		now := root
		for part := range strings.SplitSeq(strings.TrimPrefix(s.Ref, "#/"), "/") {
			var next schemaNode
			var ok bool
			switch part {
			case "$defs", "properties":
				continue
			default:
				if next, ok = now.Defs[part]; !ok {
					next, ok = now.Properties[part]
				}
			}
			if !ok {
				return nil
			}
			now = &next
		}
		s = now
	}
	return s
}

// place is where in a document a completion is asked for.
type place struct {
	path       []string // keys above it
	key        string   // of its line, when the place is behind the colon
	word       string   // what stands there up to the place
	start, end int
}

// placeAt finds out where an offset of a document is by its indentation: a document that is being written need not parse.
func placeAt(text string, offset int) place {
	head := text[:offset]
	line := head[strings.LastIndexByte(head, '\n')+1:]
	p := place{end: offset}
	body := strings.TrimLeft(line, " ")
	depth := len(line) - len(body)
	for strings.HasPrefix(body, "- ") { // an element of a list is deeper than the list's key
		rest := strings.TrimLeft(body[1:], " ")
		depth += len(body) - len(rest)
		body = rest
	}
	p.word = body
	if key, value, ok := strings.Cut(body, ":"); ok && (value == "" || value[0] == ' ') {
		p.key = strings.TrimSpace(key)
		p.word = strings.TrimLeft(value, " ")
		if at := strings.LastIndexAny(p.word, "[,{"); at >= 0 && !strings.ContainsAny(p.word, `"'`) {
			p.word = strings.TrimLeft(p.word[at+1:], " ")
		}
		p.word = strings.TrimLeft(p.word, `"'`)
	}
	p.start = offset - len(p.word)
	rows := strings.Split(head, "\n")
	for i := len(rows) - 2; i >= 0 && depth > 0; i-- {
		row := strings.TrimLeft(rows[i], " ")
		in := len(rows[i]) - len(row)
		for strings.HasPrefix(row, "- ") {
			rest := strings.TrimLeft(row[1:], " ")
			in += len(row) - len(rest)
			row = rest
		}
		if key, rest, ok := strings.Cut(row, ":"); ok && in < depth && row != "" && row[0] != '#' && strings.TrimSpace(rest) == "" {
			p.path = append(p.path, strings.TrimSpace(key))
			depth = in
		}
	}
	slices.Reverse(p.path)
	return p
}

// selects reports whether the place is in a selection.
func (p *place) selects() bool {
	return slices.ContainsFunc(p.path, func(k string) bool { return k == "where" || k == "selection" || k == "detection" || k == "fields" })
}

func (s ruleService) CompleteRule(ctx context.Context, req *connect.Request[v1.CompleteRuleRequest]) (*connect.Response[v1.CompleteRuleResponse], error) {
	a, err := s.ask(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	text, offset := req.Msg.Text, int(req.Msg.Offset)
	if len(text) > MaxRuleBytes || offset > len(text) {
		return nil, fmt.Errorf("complete: %d bytes, place %d, at most %d are allowed: %w", len(text), offset, MaxRuleBytes, storage.ErrInvalid)
	}
	var came *arrived
	if a.tenant != storage.NoTenant && tenant.Authorize(a.Principal, tenant.ReadEvents, a.tenant) == nil {
		came = s.arrivals.of(ctx, s.API, a.on())
	}
	p := placeAt(text, offset)
	list := s.completions(a, &p, came)
	return connect.NewResponse(&v1.CompleteRuleResponse{Completions: best(list, p.word), Start: uint32(p.start), End: uint32(p.end)}), nil
}

// best leaves what fits the word that stands there, what begins with it first.
func best(list []*v1.Completion, word string) []*v1.Completion {
	word = strings.ToLower(word)
	list = slices.DeleteFunc(list, func(c *v1.Completion) bool { return !strings.Contains(strings.ToLower(c.Text), word) })
	slices.SortStableFunc(list, func(x, y *v1.Completion) int {
		a, b := strings.HasPrefix(strings.ToLower(x.Text), word), strings.HasPrefix(strings.ToLower(y.Text), word)
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	})
	return list[:min(len(list), MaxCompletions)]
}

// completions returns all that may stand at a place, the best first.
func (s ruleService) completions(a asked, p *place, came *arrived) []*v1.Completion {
	field, modifiers, modified := strings.Cut(p.word, "|")
	switch {
	case p.key == "" && p.selects() && modified:
		p.start += len(field) + 1
		if at := strings.LastIndexByte(modifiers, '|'); at >= 0 {
			p.start += at + 1
			modifiers = modifiers[at+1:]
		}
		p.word = modifiers
		return named(rule.Modifiers(), completesModifier)
	case p.key == "" && p.selects():
		return append(named([]string{"any", "all", "not"}, completesKey), fieldsOf(came)...)
	case p.key == "":
		return schemaKeys(p.path)
	case p.selects():
		return s.valuesOf(a, p.key, came)
	}
	switch p.key {
	case "techniques":
		return techniques()
	case "rule":
		return rulesOf(a)
	case "by", "key", "fields", "peers", "value":
		return fieldsOf(came)
	}
	if node := patternSchema().at(append(slices.Clone(p.path), p.key)); node != nil {
		var out []string
		if node.Const != "" {
			out = append(out, node.Const)
		}
		for _, v := range node.Enum {
			out = append(out, fmt.Sprint(v))
		}
		return named(out, completesValue)
	}
	return nil
}

func named(list []string, kind string) []*v1.Completion {
	out := make([]*v1.Completion, len(list))
	for i, text := range list {
		out[i] = &v1.Completion{Text: text, Kind: kind}
	}
	return out
}

// schemaKeys returns the keys that may stand below others, as the schema of pattern documents has them.
func schemaKeys(path []string) []*v1.Completion {
	node := patternSchema().at(path)
	if node == nil {
		return nil
	}
	var out []*v1.Completion
	for name, about := range node.Properties {
		detail := about.Description
		if r := about.resolve(patternSchema()); detail == "" && r != nil {
			detail = r.Description
		}
		out = append(out, &v1.Completion{Text: name, Kind: completesKey, Detail: detail})
	}
	slices.SortFunc(out, func(x, y *v1.Completion) int { return strings.Compare(x.Text, y.Text) })
	return out
}

// fieldsOf returns the fields that events of the last day have, the most frequent first.
func fieldsOf(came *arrived) []*v1.Completion {
	if came == nil {
		return nil
	}
	var out []*v1.Completion
	for name, n := range came.Fields {
		if !strings.HasPrefix(name, "vedette.") && !strings.HasPrefix(name, "_") {
			out = append(out, &v1.Completion{Text: name, Kind: completesField, Detail: fmt.Sprintf("%d events of the last day", n)})
		}
	}
	slices.SortFunc(out, func(x, y *v1.Completion) int {
		if n, m := came.Fields[x.Text], came.Fields[y.Text]; n != m {
			if n > m {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Text, y.Text)
	})
	return out
}

// valuesOf returns what a field is compared with: names of lists, or values that events of the last day have.
func (s ruleService) valuesOf(a asked, key string, came *arrived) []*v1.Completion {
	field, modifiers, _ := strings.Cut(key, "|")
	if slices.Contains(strings.Split(modifiers, "|"), "in") {
		return listsOf(a)
	}
	if modifiers == "exists" {
		return named([]string{"true", "false"}, completesValue)
	}
	if came == nil {
		return nil
	}
	values := slices.Clone(came.Values[field])
	slices.Sort(values)
	return named(values, completesValue)
}

// listsOf returns the names of the lists that an organization has.
func listsOf(a asked) []*v1.Completion {
	kinds := map[string]string{}
	for _, t := range []storage.Tenant{storage.NoTenant, a.tenant} {
		l := a.gen.Running.Layer(t)
		for name := range l.Tables {
			kinds[name] = "table"
		}
		for name := range l.Lists {
			kinds[name] = "list"
		}
		for name := range l.Indicators {
			kinds[name] = "indicator set"
		}
	}
	var out []*v1.Completion
	for name, kind := range kinds {
		out = append(out, &v1.Completion{Text: name, Kind: completesList, Detail: kind})
	}
	slices.SortFunc(out, func(x, y *v1.Completion) int { return strings.Compare(x.Text, y.Text) })
	return out
}

func rulesOf(a asked) []*v1.Completion {
	var out []*v1.Completion
	for _, t := range slices.Compact([]storage.Tenant{a.tenant, storage.NoTenant}) {
		for _, m := range a.gen.Modules(t) {
			for _, r := range m.Rules {
				out = append(out, &v1.Completion{Text: r.ID, Kind: completesRule, Detail: r.Name})
			}
		}
	}
	return out
}

func techniques() []*v1.Completion {
	var out []*v1.Completion
	known := map[string]bool{}
	add := func(t *attack.Technique, tactic string) {
		if !known[t.ID] {
			known[t.ID] = true
			out = append(out, &v1.Completion{Text: t.ID, Kind: completesTechnique, Detail: t.Name + " (" + tactic + ")"})
		}
	}
	for _, tactic := range attack.Tactics() {
		for _, t := range tactic.Techniques {
			add(t, tactic.Name)
			for _, sub := range t.Subs {
				add(sub, tactic.Name)
			}
		}
	}
	return out
}

func (s ruleService) FormRule(ctx context.Context, req *connect.Request[v1.FormRuleRequest]) (*connect.Response[v1.FormRuleResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ReadModules, nil); err != nil {
		return nil, err
	}
	out := &v1.FormRuleResponse{}
	switch x := req.Msg.From.(type) {
	case *v1.FormRuleRequest_Text:
		f, err := rule.FormOf("rule.yaml", []byte(x.Text))
		if err != nil {
			out.Problems = problemsOf(err)
			break
		}
		b, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("form of a rule: %w", err)
		}
		out.Text, out.Form = x.Text, string(b)
	case *v1.FormRuleRequest_Form:
		var f rule.Form
		if len(x.Form) > MaxRuleBytes {
			return nil, fmt.Errorf("a form of %d bytes, at most %d are allowed: %w", len(x.Form), MaxRuleBytes, storage.ErrExhausted)
		}
		d := json.NewDecoder(strings.NewReader(x.Form))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			return nil, fmt.Errorf("form of a rule: %w: %w", err, storage.ErrInvalid)
		}
		b, err := f.Document()
		if err != nil {
			out.Problems = problemsOf(err)
			break
		}
		out.Text, out.Form = string(b), x.Form
	default:
		return nil, fmt.Errorf("neither a text nor a form is given: %w", storage.ErrInvalid)
	}
	return connect.NewResponse(out), nil
}

func (s ruleService) DraftRule(ctx context.Context, req *connect.Request[v1.DraftRuleRequest]) (*connect.Response[v1.DraftRuleResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ReadModules, nil); err != nil {
		return nil, err
	}
	text, err := rule.Draft(rule.Language(req.Msg.Language), req.Msg.Name)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.DraftRuleResponse{Text: string(text)}), nil
}
