// Package reference reads host/rule/LANGUAGE.md literally: it computes what a rule means from the sets of occurrences that
// the text speaks of, slowly, and shares nothing with what runs.
//
// A Rule knows all events at once, in their order, and no watermark: how the fast engine comes to the same answer from events
// that arrive one by one, out of order, is what the comparison is about. A World has several rules, which look at each other
// and at lists, and says what is told at each message of a log; a Bounded rule forgets keys.
package reference

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Rule is a pattern document as it is written.
type Rule struct {
	ID, Name   string
	severity   int
	lateness   int64
	incident   []string // fields of the incident's key; nil: those of the rule's
	title      string
	exceptions []any
	writes     []write
	quiet      int64 // 0: it ends by its clear pattern only
	clear      *Rule
	waits      bool // even if it is eager, as the rule whose incidents it clears

	subs   []*sub
	root   node
	keys   [][]string // by sub: the fields that make the key of the rule
	rest   [][]string // by sub: what else it is grouped by
	joins  []comparison
	latest bool
}

// sub is a sub-pattern.
type sub struct {
	name     string
	rule     string // whose firings it selects; "": the events of the log
	where    any
	by       []string
	nullKey  bool
	having   []condition
	windows  string
	window   int64
	gap      int64
	first    []string
	within   int64
	learn    int64
	slots    string
	least    int
	peers    string
	baseline bool
}

type comparison struct {
	a, b           int
	aField, bField string
	op             string
}

// write is what a firing writes to a list.
type write struct {
	list, value string
	ttl         int64
}

// document has the keys that say what fires; the others are for people.
type document struct {
	ID       string        `yaml:"id"`
	Name     string        `yaml:"name"`
	Severity string        `yaml:"severity"`
	Window   string        `yaml:"window"`
	Lateness string        `yaml:"lateness"`
	Subs     yaml.MapSlice `yaml:"subs"`
	Expr     string        `yaml:"expr"`
	Rearm    string        `yaml:"rearm"`
	Join     []string      `yaml:"join"`
	Incident struct {
		Key   []string `yaml:"key"`
		Title string   `yaml:"title"`
	} `yaml:"incident"`
	Clear      yaml.MapSlice `yaml:"clear"`
	Exceptions []struct {
		Where any `yaml:"where"`
	} `yaml:"exceptions"`
	Watchlist []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
		TTL   string `yaml:"ttl"`
	} `yaml:"watchlist"`
}

var severities = map[string]int{"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}

// Parse reads a rule that the language admits: it says little about one that it does not.
func Parse(src []byte) (*Rule, error) {
	var d document
	if err := yaml.UnmarshalWithOptions(src, &d, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read the rule: %w", err)
	}
	r := &Rule{ID: d.ID, Name: d.Name, severity: severities[d.Severity], incident: d.Incident.Key, title: d.Incident.Title, latest: d.Rearm == "latest"}
	window, err := span(d.Window)
	if err != nil {
		return nil, err
	}
	if r.lateness, err = span(d.Lateness); err != nil {
		return nil, err
	}
	for _, item := range d.Subs {
		s, err := readSub(item.Key.(string), item.Value, window)
		if err != nil {
			return nil, fmt.Errorf("sub %v: %w", item.Key, err)
		}
		r.subs = append(r.subs, s)
	}
	if d.Expr == "" {
		r.root = leaf(0)
	} else {
		x := expression{rule: r, toks: words.FindAllString(d.Expr, -1), window: window}
		if r.root, err = x.all(); err != nil {
			return nil, fmt.Errorf("expr %q: %w", d.Expr, err)
		}
	}
	if err := r.join(d.Join); err != nil {
		return nil, err
	}
	for _, x := range d.Exceptions {
		r.exceptions = append(r.exceptions, x.Where)
	}
	for _, x := range d.Watchlist {
		w := write{list: x.Name, value: x.Value}
		if w.ttl, err = span(x.TTL); err != nil {
			return nil, err
		}
		r.writes = append(r.writes, w)
	}
	return r, r.clearing(d.Clear, window)
}

// clearing reads `clear`: a quiet period, and a sub-pattern that is a rule of its own.
func (r *Rule) clearing(body yaml.MapSlice, window int64) (err error) {
	var rest yaml.MapSlice
	for _, item := range body {
		if item.Key != "after" {
			rest = append(rest, item)
		} else if r.quiet, err = span(item.Value.(string)); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	s, err := readSub("clear", rest, window)
	if err != nil {
		return fmt.Errorf("clear: %w", err)
	}
	if s.by == nil {
		s.by = r.incidentKey()
	}
	r.clear = &Rule{
		ID: r.ID + " clears", lateness: r.lateness, incident: r.incidentKey(), waits: !r.eager(),
		subs: []*sub{s}, root: leaf(0), keys: [][]string{s.by}, rest: [][]string{nil},
	}
	return nil
}

// incidentKey returns the fields of the incident's key, as the first sub names them.
func (r *Rule) incidentKey() []string {
	if r.incident != nil {
		return r.incident
	}
	return r.keys[0]
}

// span reads 90s, 10m, 7d; 0 for "".
func span(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.Atoi(n)
		return int64(days) * int64(24*time.Hour), err
	}
	d, err := time.ParseDuration(s)
	return int64(d), err
}

func readSub(name string, value any, window int64) (*sub, error) {
	s := &sub{name: name, window: window, windows: "sliding", slots: "none", least: 3}
	body, ok := value.(yaml.MapSlice)
	if !ok {
		return nil, fmt.Errorf("%T", value)
	}
	for _, item := range body {
		var err error
		switch key := item.Key.(string); key {
		case "where":
			s.where = item.Value
		case "rule":
			s.rule = item.Value.(string)
		case "by":
			s.by = texts(item.Value)
		case "null_key":
			s.nullKey = item.Value == "include"
		case "having":
			s.having, err = conditions(item.Value.(string))
		case "windows":
			s.windows = item.Value.(string)
		case "window":
			s.window, err = span(item.Value.(string))
		case "gap":
			s.gap, err = span(item.Value.(string))
		case "first_seen":
			err = s.firstSeen(item.Value.(yaml.MapSlice))
		case "baseline":
			err = s.learns(item.Value.(yaml.MapSlice))
		default:
			err = fmt.Errorf("key %s", key)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sub) firstSeen(m yaml.MapSlice) (err error) {
	for _, item := range m {
		switch item.Key.(string) {
		case "fields":
			s.first = texts(item.Value)
		case "within":
			s.within, err = span(item.Value.(string))
		case "learn":
			s.learn, err = span(item.Value.(string))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sub) learns(m yaml.MapSlice) error {
	s.baseline, s.windows = true, "tumbling"
	for _, item := range m {
		switch item.Key.(string) {
		case "slots":
			s.slots = item.Value.(string)
		case "least":
			s.least, _ = strconv.Atoi(fmt.Sprint(item.Value))
		case "peers":
			s.peers = item.Value.(string)
		default:
			return fmt.Errorf("baseline: %v", item.Key)
		}
	}
	return nil
}

func texts(v any) (out []string) {
	for _, x := range list(v) {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

var relation = regexp.MustCompile(`^\s*([a-z0-9_]+)\.(\S+)\s*(==|!=|<=|>=|<|>)\s*([a-z0-9_]+)\.(\S+)\s*$`)

// join decides what the key of the rule is, and what else must hold between subs.
func (r *Rule) join(lines []string) error {
	equal := map[int]string{} // by sub: the field that makes the key
	classes := 0
	groups := func(i int, field string) bool { // or may, since nothing is counted by it
		s := r.subs[i]
		return has(s.by, field) || s.having == nil && s.first == nil && !s.nullKey
	}
	for _, line := range lines {
		m := relation.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("join %q", line)
		}
		c := comparison{r.sub(m[1]), r.sub(m[4]), m[2], m[5], m[3]}
		if c.a < 0 || c.b < 0 {
			return fmt.Errorf("join %q: no such sub", line)
		}
		if c.op == "==" && len(r.subs) == 2 && groups(c.a, c.aField) && groups(c.b, c.bField) { // more subs than two: not drawn
			equal[c.a], equal[c.b] = c.aField, c.bField
			classes++
			continue
		}
		r.joins = append(r.joins, c)
	}
	same := true
	for _, s := range r.subs {
		same = same && len(s.by) == len(r.subs[0].by)
	}
	for i, s := range r.subs {
		switch {
		case classes > 0: // one class, which all subs have a part in
			f, ok := equal[i]
			if !ok {
				return fmt.Errorf("join: sub %s has no part in it", s.name)
			}
			if !has(s.by, f) {
				s.by = append(s.by, f)
			}
			r.keys = append(r.keys, []string{f})
		case same:
			r.keys = append(r.keys, s.by)
		default:
			r.keys = append(r.keys, r.common())
		}
		var rest []string
		for _, f := range s.by {
			if !has(r.keys[i], f) {
				rest = append(rest, f)
			}
		}
		r.rest = append(r.rest, rest)
	}
	return nil
}

// common returns the fields that all by lists have, in the order of the first.
func (r *Rule) common() (out []string) {
	for _, f := range r.subs[0].by {
		in := true
		for _, s := range r.subs {
			in = in && has(s.by, f)
		}
		if in {
			out = append(out, f)
		}
	}
	return out
}

func (r *Rule) sub(name string) int {
	for i, s := range r.subs {
		if s.name == name {
			return i
		}
	}
	return -1
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
