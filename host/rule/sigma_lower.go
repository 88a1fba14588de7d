package rule

import (
	"math/bits"
	"slices"
)

// sigmaTree makes the patterns of a correlation.
//
// A rule that it names is one sub-pattern for each way in which its events carry the group fields. A correlation that it
// names becomes a part of its expression where that says the same: one that counts, grouped at least by the fields of
// this one, and any other that is grouped by just them. Otherwise it lives on the firings of that correlation.
type sigmaTree struct {
	set  *sigmaSet
	top  *correlation // that the rule is made of
	rule *Rule
}

// correlate makes a rule of a correlation; what is wrong with it is in its document's err.
func (set *sigmaSet) correlate(e *sigmaEntry) *Rule {
	c := e.correlation
	t := &sigmaTree{set: set, top: c, rule: c.lowered()}
	if !c.level {
		t.rule.Severity = 0
	}
	node := t.node(e)
	for i, of := range e.of {
		if of.correlation != nil && of.correlation.doc.err != nil {
			c.doc.fail(c.rules[i].node, "", "%s: rules: %q has a fault of its own", c.doc.title(), of.head().Title)
		}
	}
	if c.doc.err != nil {
		return nil
	}
	t.describe(e, !c.level)
	if first := t.rule.Subs[0].Match; first.Key == nil {
		t.rule.Root = &Emit{Of: node, Incident: &Incident{Key: first.By}}
	} else {
		inc := &Incident{}
		for _, i := range first.Key {
			inc.Key = append(inc.Key, first.By[i])
		}
		t.rule.Root = &Emit{Of: node, Incident: inc}
	}
	t.rule.Root.Incident.Title = Title{{Text: c.Title}}
	return t.rule
}

// describe takes over what the rules below say that the correlation does not.
func (t *sigmaTree) describe(e *sigmaEntry, severity bool) {
	r := t.rule
	r.Interpreted = r.Interpreted || e.correlation.kind == "value_percentile"
	for _, of := range e.of {
		if severity && (of.rule != nil || of.head().level) {
			r.Severity = max(r.Severity, of.head().Severity)
		}
		if of.rule == nil {
			t.describe(of, severity)
		} else if text := of.rule.Source.String(); !contains(r.DataSources, text) {
			r.DataSources = append(r.DataSources, text)
		}
	}
}

// node is what a correlation says of the events of one key.
func (t *sigmaTree) node(e *sigmaEntry) Node {
	switch c := e.correlation; {
	case c.counted():
		return t.aggregate(e)
	case c.logic != nil:
		return t.logic(e)
	default:
		return t.combinations(e)
	}
}

// aggregate is a number of the events of all rules together.
func (t *sigmaTree) aggregate(e *sigmaEntry) Node {
	c := e.correlation
	var all []stream
	for i := range e.of {
		all = append(all, t.streams(e, i, append(slices.Clone(c.groupBy), c.fields...))...)
	}
	all = merged(all)
	if c.doc.err != nil || t.top.doc.err != nil {
		return nil
	}
	by := len(c.groupBy)
	a := &Aggregate{Window: c.timespan, Windows: Sliding}
	for i, s := range all {
		m := t.add(s, by)
		if i == 0 {
			a.Of = m
			continue
		}
		a.Also = append(a.Also, m)
		for k, name := range s.fields[by:] {
			if first := all[0].fields[by+k]; first != name {
				if m.Alias == nil {
					m.Alias = map[string]string{}
				}
				m.Alias[first] = name
			}
		}
	}
	if t.top.doc.err != nil {
		return nil
	}
	for _, b := range c.bounds {
		a.All = append(a.All, Condition{Func: countedTypes[c.kind], Fields: all[0].fields[by:], Rank: c.rank, Op: b.op, Threshold: b.value})
	}
	for i := range a.All {
		f := a.All[i].Func
		if n := a.All[i].Least(); a.Eager() && (f == Count || f == Distinct) && (n < 1 || n > MaxExactThreshold) {
			c.doc.fail(c.at["condition"].val, "", "condition: want a number that is met by 1 to %d", MaxExactThreshold)
		}
	}
	t.rule.Subs[a.Of.Sub].Aggregate = a
	return a
}

// leaf is the occurrences of the rule number i of a correlation.
func (t *sigmaTree) leaf(e *sigmaEntry, i int) Node {
	if t.top.doc.err != nil {
		return &Match{}
	}
	if of := e.of[i]; of.correlation != nil {
		if key, ok := e.within(i); ok {
			return t.inlined(of, key)
		}
	}
	var any []Node
	for _, s := range t.streams(e, i, e.correlation.groupBy) {
		any = append(any, t.add(s, len(s.fields)))
	}
	if len(any) == 1 {
		return any[0]
	}
	return &Or{Of: any}
}

// within says which of the group fields of the correlation number i are those of e, when its expression may stand in e's.
func (e *sigmaEntry) within(i int) (key []int, ok bool) {
	inner := e.of[i].correlation
	for _, field := range e.correlation.groupBy {
		name, _ := e.names(i, field)
		at := slices.Index(inner.groupBy, name)
		if at < 0 {
			return nil, false
		}
		key = append(key, at)
	}
	return key, inner.counted() || len(key) == len(inner.groupBy)
}

// names is what the rule number i calls a field of the correlation; said is false when that follows from no alias.
func (e *sigmaEntry) names(i int, field string) (name string, said bool) {
	for text, to := range e.correlation.aliases[field] {
		if e.of[i].head().is(text) {
			return to.text, true
		}
	}
	return field, false
}

// inlined is the expression of another correlation, of whose group fields those of key are the key here.
func (t *sigmaTree) inlined(of *sigmaEntry, key []int) Node {
	from := len(t.rule.Subs)
	n := t.node(of)
	for i := from; i < len(t.rule.Subs); i++ {
		m := t.rule.Subs[i].Match
		was := m.Key
		m.Key = nil
		for _, k := range key {
			if was != nil {
				k = was[k]
			}
			m.Key = append(m.Key, k)
		}
		if len(m.Key) == len(m.By) && slices.IsSorted(m.Key) { // all of them, in their order
			m.Key = nil
		} else if m.Key == nil {
			m.Key = []int{}
		}
	}
	return n
}

// combinations is the correlation of rules of which as many must match as the bounds admit: all of them, unless they say
// otherwise. Of fewer, the others must not match within the timespan of it, unless more would do too.
func (t *sigmaTree) combinations(e *sigmaEntry) Node {
	c := e.correlation
	leaves := make([]Node, len(e.of))
	for i := range e.of {
		leaves[i] = t.leaf(e, i)
	}
	n := len(leaves)
	admitted := make([]bool, n+1)
	least, open := 0, false // the smallest number; whether all above it are admitted too
	for k := n; k > 0; k-- {
		admitted[k] = !slices.ContainsFunc(c.bounds, func(b bound) bool { return !b.holds(float64(k)) })
		if admitted[k] {
			open, least = k == n || open && least == k+1, k
		}
	}
	if least == 0 {
		c.doc.fail(c.at["condition"].val, "", "condition: no number of %d rules does", n)
	}
	if c.doc.err != nil || t.top.doc.err != nil {
		return nil
	}
	if least == n {
		return c.together(leaves, nil)
	}
	if n > maxChoice {
		c.doc.fail(c.at["condition"].val, "", "condition: some of %d rules, the limit is %d", n, maxChoice)
		return nil
	}
	var any []Node
	for set := uint(1); set < 1<<n; set++ {
		k := bits.OnesCount(set)
		if open && k != least || !admitted[k] {
			continue
		}
		var in, others []Node
		for i, leaf := range leaves {
			if set>>i&1 == 1 {
				in = append(in, leaf)
			} else {
				others = append(others, leaf)
			}
		}
		if open {
			others = nil
		}
		if any = append(any, c.together(in, others)); len(any) > maxCombinations {
			c.doc.fail(c.at["condition"].val, "", "condition: some of %d rules make more than %d combinations", n, maxCombinations)
			return nil
		}
	}
	return either(any)
}

func either(of []Node) Node {
	if len(of) == 1 {
		return of[0]
	}
	return &Or{Of: of}
}

// together is all of some nodes within the timespan, in their order if the type says so, and none of others.
func (c *correlation) together(in, others []Node) Node {
	n := in[0]
	switch {
	case len(in) == 1:
	case c.kind == "temporal":
		n = &And{Of: in, Within: c.timespan}
	default:
		for _, next := range in[1:] {
			n = &FollowedBy{A: n, B: next, Within: c.timespan}
		}
		if len(in) > 2 || slices.ContainsFunc(in, lasting) { // otherwise the edge says it
			n = &Span{Of: n, Within: c.timespan}
		}
	}
	if len(others) > 0 {
		n = &AndNot{A: n, B: either(others), Within: c.timespan}
	}
	return n
}

// lasting reports whether an occurrence of a node may begin before it ends.
func lasting(n Node) bool {
	switch n := n.(type) {
	case *Match, *Aggregate:
		return false
	case *Or:
		return slices.ContainsFunc(n.Of, lasting)
	}
	return true
}

// logic is an extended condition: rules joined by and, or and not.
func (t *sigmaTree) logic(e *sigmaEntry) Node {
	c := e.correlation
	x := &extended{c: c, leaves: make([]Node, len(e.of))}
	names := make([]string, len(c.rules))
	searches := map[string]Pred{}
	for i, ref := range c.rules {
		x.leaves[i] = t.leaf(e, i)
		names[i], searches[ref.text] = ref.text, ruleLeaf(i)
	}
	if c.doc.err != nil || t.top.doc.err != nil {
		return nil
	}
	p, err := parseCondition(c.doc.text(c.logic, "condition"), names, searches)
	if err != nil {
		c.doc.fail(c.logic, "", "condition: %v", err)
		return nil
	}
	n := x.node(p)
	for i, ref := range c.rules {
		if !slices.Contains(x.must, i) && !slices.Contains(x.absent, i) {
			c.doc.fail(c.logic, "", "condition: it does not speak of the rule %q", ref.text)
		}
	}
	if c.kind == "temporal_ordered" && !slices.IsSorted(x.must) {
		c.doc.fail(c.logic, "write the condition in the order of rules", "condition: its order is not that of rules")
	}
	return n
}

// ruleLeaf is a rule in an extended condition, by its number.
type ruleLeaf int

func (ruleLeaf) isPred() {}

// extended makes nodes of an extended condition.
type extended struct {
	c      *correlation
	leaves []Node
	must   []int // rules in the order in which the condition names those that must occur
	absent []int // and those that must not
}

func (x *extended) node(p Pred) Node {
	switch p := p.(type) {
	case ruleLeaf:
		x.must = append(x.must, int(p))
		return x.leaves[p]
	case AnyOf:
		any := make([]Node, len(p))
		for i, q := range p {
			any[i] = x.node(q)
		}
		return either(any)
	case Not:
		if twice, ok := p.Of.(Not); ok {
			return x.node(twice.Of)
		}
	case AllOf:
		return x.all(p)
	}
	x.c.doc.fail(x.c.logic, "beside not, name with and what must occur", "condition: something must occur, and not only be absent")
	return nil
}

// all is a conjunction: what must occur within the timespan, and of the rest none.
func (x *extended) all(p AllOf) Node {
	var in, others []Node
	var absent []Pred
	var walk func(Pred)
	walk = func(p Pred) {
		switch p := p.(type) {
		case AllOf:
			for _, q := range p {
				walk(q)
			}
			return
		case Not:
			if twice, ok := p.Of.(Not); ok {
				walk(twice.Of)
				return
			}
			absent = append(absent, p.Of)
			return
		}
		in = append(in, x.node(p))
	}
	walk(p)
	if len(in) == 0 {
		return x.node(Not{})
	}
	must := len(x.must)
	for _, q := range absent {
		others = append(others, x.node(q))
	}
	x.absent = append(x.absent, x.must[must:]...) // their order means nothing
	x.must = x.must[:must]
	return x.c.together(in, others)
}
