package module

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// The control records about single rules. Their Name is the rule's id.
const (
	EnableRule      ControlKind = "rule_on"
	DisableRule     ControlKind = "rule_off" // the rule's package goes on
	ExceptRule      ControlKind = "except"   // events of an organization take no part in a rule
	RemoveException ControlKind = "unexcept"
)

// RuleOff says who switched a rule off.
type RuleOff struct {
	Seq    uint64 `json:"seq"` // of the control record
	At     int64  `json:"at"`  // its log time, ns
	Who    string `json:"who"`
	Reason string `json:"reason,omitempty"`
}

// RuleException is an exception of one organization from a rule, whoever's that is. It belongs to the organization, not to
// the rule's package, and so outlives its versions.
type RuleException struct {
	Reason string `json:"reason"`
	Where  string `json:"where"`           // a selection of the pattern language, YAML
	Until  int64  `json:"until,omitempty"` // log time, ns, at which the host takes it away; 0: nobody does by itself

	Seq uint64 `json:"seq,omitempty"` // of the control record that made it: names it
	At  int64  `json:"at,omitempty"`  // its log time, ns
	Who string `json:"who,omitempty"`
}

// Limits of what is said about single rules.
const (
	MaxRulesOff             = 10_000 // of one layer
	MaxExceptionsPerTenant  = 2_000
	MaxExceptionsPerRule    = 100
	MaxExceptionReasonBytes = 1 << 10
	MaxExceptionBytes       = 16 << 10 // of its selection
)

// ruling applies a control record about a single rule. That the rule is there is not asked: a rule may be decided about
// before it comes back.
func (r Running) ruling(seq uint64, at int64, c Control) (Running, error) {
	if c.Name == "" {
		return r, fmt.Errorf("%s: no rule is named: %w", c.Kind, storage.ErrInvalid)
	}
	layer := r.Layer(c.Tenant).clone()
	switch c.Kind {
	case EnableRule, DisableRule:
		layer.RulesOff = maps.Clone(layer.RulesOff)
		if c.Kind == EnableRule {
			delete(layer.RulesOff, c.Name)
			break
		}
		if layer.RulesOff == nil {
			layer.RulesOff = map[string]RuleOff{}
		}
		layer.RulesOff[c.Name] = RuleOff{Seq: seq, At: at, Who: c.Who, Reason: c.Reason}
		if len(layer.RulesOff) > MaxRulesOff {
			return r, fmt.Errorf("%s %s: %d rules are off already, no more are allowed: %w", c.Kind, c.Name, MaxRulesOff, storage.ErrExhausted)
		}
	default:
		if err := layer.except(seq, at, c); err != nil {
			return r, fmt.Errorf("%s %s: %w", c.Kind, c.Name, err)
		}
	}
	return r.with(seq, c.Tenant, layer), nil
}

// except makes or removes an exception.
func (l *Layer) except(seq uint64, at int64, c Control) error {
	l.Exceptions = maps.Clone(l.Exceptions)
	list := l.Exceptions[c.Name]
	if c.Kind == RemoveException {
		i := slices.IndexFunc(list, func(x RuleException) bool { return x.Seq == c.To })
		if i < 0 {
			return fmt.Errorf("there is no exception %d: %w", c.To, storage.ErrNotFound)
		}
		if list = slices.Delete(slices.Clone(list), i, i+1); len(list) > 0 {
			l.Exceptions[c.Name] = list
		} else {
			delete(l.Exceptions, c.Name)
		}
		return nil
	}
	if c.Tenant == storage.NoTenant {
		return fmt.Errorf("exceptions are an organization's, and none is named: %w", storage.ErrInvalid)
	}
	if err := c.Exception.Check(); err != nil {
		return err
	}
	total := 0
	for _, x := range l.Exceptions {
		total += len(x)
	}
	if len(list) >= MaxExceptionsPerRule || total >= MaxExceptionsPerTenant {
		return fmt.Errorf("%d of a rule and %d of an organization are allowed: %w", MaxExceptionsPerRule, MaxExceptionsPerTenant, storage.ErrExhausted)
	}
	x := *c.Exception
	x.Seq, x.At, x.Who = seq, at, c.Who
	if l.Exceptions == nil {
		l.Exceptions = map[string][]RuleException{}
	}
	l.Exceptions[c.Name] = append(slices.Clone(list), x)
	return nil
}

// Check says what is wrong with an exception. The error wraps storage.ErrInvalid or ErrExhausted.
func (x *RuleException) Check() error {
	if x == nil || strings.TrimSpace(x.Reason) == "" {
		return fmt.Errorf("an exception needs a reason: %w", storage.ErrInvalid)
	}
	if len(x.Reason) > MaxExceptionReasonBytes || len(x.Where) > MaxExceptionBytes {
		return fmt.Errorf("%d bytes of reason and %d of selection, at most %d and %d are allowed: %w",
			len(x.Reason), len(x.Where), MaxExceptionReasonBytes, MaxExceptionBytes, storage.ErrExhausted)
	}
	_, err := x.selection()
	return err
}

func (x *RuleException) selection() (rule.Pred, error) {
	p, err := rule.ParseWhere("exception", []byte(x.Where))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return p, nil
}

// WithExceptions returns a rule with exceptions of an organization. The error wraps storage.ErrInvalid.
func WithExceptions(r *rule.Rule, list []RuleException) (*rule.Rule, error) {
	more := make([]rule.Exception, len(list))
	for i := range list {
		where, err := list[i].selection()
		if err != nil {
			return nil, fmt.Errorf("exception %d from rule %s: %w", list[i].Seq, r.ID, err)
		}
		more[i] = rule.Exception{Reason: list[i].Reason, Where: where}
	}
	return r.Except(more), nil
}

// sameRulings says that two layers say the same about single rules.
func (l Layer) sameRulings(o Layer) bool {
	return maps.EqualFunc(l.RulesOff, o.RulesOff, func(a, b RuleOff) bool { return a.Seq == b.Seq }) &&
		maps.EqualFunc(l.Exceptions, o.Exceptions, func(a, b []RuleException) bool {
			return slices.EqualFunc(a, b, func(x, y RuleException) bool { return x.Seq == y.Seq })
		})
}

// excepted is a rule as an organization with exceptions runs it.
type excepted struct {
	from *rule.Rule // as its package has it
	by   []uint64   // Seq of the exceptions
	rule *rule.Rule
}

// except gives the view the rules that it runs with the organization's exceptions in the place of those of packages. Those
// that had, the view before, has made are taken over, so that what the rules have seen is.
func (v *View) except(had *View, l Layer) error {
	for id, list := range l.Exceptions {
		from := v.own.rules.Rule(id)
		if from == nil {
			from = v.shared.rules.Rule(id)
		}
		if from == nil {
			continue // it is not installed
		}
		x := excepted{from: from}
		for i := range list {
			x.by = append(x.by, list[i].Seq)
		}
		if old, ok := had.exceptedRule(id); ok && old.from == from && slices.Equal(old.by, x.by) {
			x = old
		} else {
			var err error
			if x.rule, err = WithExceptions(from, list); err != nil {
				return err
			}
		}
		if v.excepted == nil {
			v.excepted = map[string]excepted{}
		}
		v.excepted[id] = x
	}
	return v.overlay(had)
}

func (v *View) exceptedRule(id string) (excepted, bool) {
	if v == nil {
		return excepted{}, false
	}
	x, ok := v.excepted[id]
	return x, ok
}

// overlay compiles the rules that the organization has in the place of shared ones or beside them.
func (v *View) overlay(had *View) error {
	if len(v.excepted) == 0 {
		v.beside = v.own.rules
		return nil
	}
	var list []*rule.Rule
	for _, r := range v.own.matched {
		if x, ok := v.excepted[r.ID]; ok {
			r = x.rule
		}
		list = append(list, r)
	}
	for _, r := range v.shared.matched {
		if x, ok := v.excepted[r.ID]; ok && x.from == r {
			list = append(list, x.rule)
		}
	}
	if had != nil && slices.Equal(had.beside.Rules(), list) {
		v.beside = had.beside
		return nil
	}
	var err error
	if v.beside, err = detect.Compile(list); err != nil {
		return fmt.Errorf("compile rules with exceptions: %w: %w", err, storage.ErrInvalid)
	}
	return nil
}

// off returns the ids of the rules that the view does not run.
func (v *View) off(shared, own Layer) []string {
	var off []string
	for id := range own.RulesOff {
		off = append(off, id)
	}
	for id := range shared.RulesOff {
		if v.own == nil || v.own.rules.Rule(id) == nil {
			off = append(off, id)
		}
	}
	for _, m := range v.shared.modules {
		if v.skip[m.Name()] {
			for _, r := range m.Rules {
				if v.own.rules.Rule(r.ID) == nil {
					off = append(off, r.ID)
				}
			}
		}
	}
	return off
}

// Matcher returns a function that names the sub-patterns of one rule that an event matches, by the lists of the
// organization; its slice is valid until the next call. The rule need not run.
func (v *View) Matcher(r *rule.Rule) (func(*storage.Event) []int, error) {
	set, err := detect.Compile([]*rule.Rule{r})
	if err != nil {
		return nil, err
	}
	view, err := detect.NewView(set, nil, nil)
	if err != nil {
		return nil, err
	}
	view = view.WithLists(v.list)
	var sc detect.Scratch
	var subs []int
	return func(ev *storage.Event) []int {
		subs = subs[:0]
		for _, h := range view.Match(ev, &sc) {
			subs = append(subs, h.Sub)
		}
		return subs
	}, nil
}

// ModuleOf returns the module that a rule which the view may run came in, with the rule as that has it; nil for
// another.
func (v *View) ModuleOf(id string) (*Loaded, *rule.Rule) {
	find := func(modules []*Loaded) (*Loaded, *rule.Rule) {
		for _, m := range modules {
			for _, r := range m.Rules {
				if r.ID == id {
					return m, r
				}
			}
		}
		return nil, nil
	}
	if v.own != nil {
		if m, r := find(v.own.modules); m != nil {
			return m, r
		}
	}
	return find(v.shared.modules)
}
