package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

// judged is a rule of an export: that of the incident, or one whose firings another one looks at.
type judged struct {
	install    module.Install
	manifest   manifest.Manifest
	exceptions []module.RuleException
	rule       *rule.Rule
	key        []storage.Field // of all its events that count, in the names of its first sub-pattern; nil: of any
	text       string          // a query for at least those; "" when it selects none
	recalls    bool            // its code remembers: all that it selects counts, from its beginning on
	learns     bool            // all of the key counts, from its beginning on
	begins     Begin
	began      int64  // log time of begins.Seq, ns
	carried    bool   // it went on with what a version had learnt that was another rule, or is not known
	first      uint64 // position of the first event that counts; 0: none
}

// span returns how far back of a firing of it the events reach that lead to it.
func (j *judged) span() int64 {
	span, _ := correlate.Horizon(j.rule)
	return span
}

// judge loads a rule as it ran.
func (x *export) judge(ctx context.Context, install module.Install, id string) (*judged, error) {
	j := &judged{install: install, begins: Begin{Seq: install.Seq}, began: install.At}
	pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(install.Digest))
	if err != nil {
		return nil, err
	}
	j.manifest = pkg.Manifest
	if j.rule, err = ruleOf(&pkg, id); err != nil {
		return nil, err
	}
	if j.rule == nil {
		return nil, fmt.Errorf("package %s has no rule %s: %w", install.Name, id, ErrCannot)
	}
	if j.recalls = pkg.Manifest.Remembers(); j.recalls {
		if err := x.fresh(ctx, &install, &pkg.Manifest); err != nil {
			return nil, err
		}
	}
	for i := range j.rule.Subs {
		j.learns = j.learns || j.rule.Subs[i].FirstSeen != nil || j.rule.Subs[i].Baseline != nil
	}
	if !j.recalls {
		if err := x.beginning(ctx, j); err != nil {
			return nil, err
		}
	}
	j.exceptions = x.exceptionsOf(id)
	j.rule, err = module.WithExceptions(j.rule, j.exceptions)
	return j, err
}

// ruleOf reads a rule of a package; nil when the package has none of that id.
func ruleOf(pkg *registry.Artifact, id string) (*rule.Rule, error) {
	rules, err := module.RulesOf(pkg) // all of them: one may be an inner one of another
	if at := slices.IndexFunc(rules, func(r *rule.Rule) bool { return r.ID == id }); err == nil && at >= 0 {
		return rules[at], nil
	}
	return nil, err
}

// exceptionsOf returns those of the organization from a rule, as they were in force when the incident changed last.
func (x *export) exceptionsOf(id string) (out []module.RuleException) {
	all := x.Generation.Running.Layer(x.in.Tenant).Exceptions[id]
	if len(x.past.states) > 0 {
		all = x.past.at(x.in.Applied).Layer(x.in.Tenant).Exceptions[id]
	}
	for _, e := range all {
		if e.Seq <= x.in.Applied {
			e.Who = ""
			out = append(out, e)
		}
	}
	return out
}

// steady refuses a rule from which an exception was made or taken back while it was counting: it would have counted for
// some of its events only.
func (x *export) steady(j *judged) error {
	if j.first == 0 {
		return nil
	}
	changed := slices.ContainsFunc(j.exceptions, func(e module.RuleException) bool { return e.Seq > j.first })
	for i := range x.past.controls {
		c := &x.past.controls[i]
		made := c.Kind == string(module.ExceptRule) || c.Kind == string(module.RemoveException)
		changed = changed || made && c.Tenant == x.in.Tenant && c.Name == j.rule.ID && c.Seq > j.first
	}
	if changed {
		return fmt.Errorf("an exception from rule %s was made or taken back while it was counting: %w", j.rule.ID, ErrCannot)
	}
	return nil
}

// runs returns the package of a rule that ran; the zero Install when it did not.
func (x *export) runs(r *module.Running, name, id string) module.Install {
	own, shared := r.Layer(x.in.Tenant), r.Layer(storage.NoTenant)
	slot, owned := own.Slots[name]
	if !owned {
		slot = shared.Slots[name]
	}
	_, off := own.RulesOff[id]
	if _, forAll := shared.RulesOff[id]; off || forAll && !owned || slot.Off || own.Off[name] && !owned {
		return module.Install{}
	}
	return slot.Current
}

// beginning finds from where on the rule ran as it does, through versions of its package in which it is the same and keeps
// what it knows.
func (x *export) beginning(ctx context.Context, j *judged) error {
	var now module.Install
	var at Begin
	var began int64
	carried := false
	j.carried = true // until it is known how it came to run
	for i := range x.past.states {
		s := &x.past.states[i]
		was := now
		if now = x.runs(&s.what, j.install.Name, j.rule.ID); now.Digest == was.Digest || now.Digest == "" {
			continue
		}
		same := false
		if was.Digest != "" {
			var err error
			if same, err = x.sameRule(ctx, was.Digest, now.Digest, j.rule.ID); err != nil {
				return err
			}
		}
		switch {
		case same:
		case s.after != s.what.Seq: // it ran before control records were kept
			carried, at.Seq, began = true, now.Seq, now.At
		default:
			carried, at.Seq, began = was.Digest != "", s.what.Seq, x.timeOf(s.what.Seq)
		}
		if now.Digest == j.install.Digest {
			j.begins, j.began, j.carried = at, began, carried
		}
	}
	if j.learns {
		return x.forgets(j)
	}
	return nil
}

func (x *export) timeOf(seq uint64) int64 {
	at := slices.IndexFunc(x.past.controls, func(c meta.Control) bool { return c.Seq == seq })
	return x.past.controls[at].At
}

// sameRule reports whether a rule is the same in two versions of a package but for what is said about it.
func (x *export) sameRule(ctx context.Context, a, b, id string) (bool, error) {
	if a == b {
		return true, nil
	}
	var texts [2][]byte
	for i, digest := range []string{a, b} {
		pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(digest))
		if errors.Is(err, registry.ErrNotFound) { // it was collected since
			return false, nil
		} else if err != nil {
			return false, err
		}
		r, err := ruleOf(&pkg, id)
		if err != nil || r == nil {
			return false, err
		}
		bare := rule.Rule{
			ID: r.ID, Name: r.Name, Version: "1.0.0", Severity: r.Severity, Techniques: r.Techniques, Inner: r.Inner, MaxKeys: r.MaxKeys, Lateness: r.Lateness,
			Subs: r.Subs, Root: r.Root, Interpreted: r.Interpreted,
		}
		texts[i], _ = rule.Format(&bare) // nothing, of one that cannot be written
	}
	return len(texts[0]) > 0 && bytes.Equal(texts[0], texts[1]), nil
}

// forgets notes where a rule forgot what it had learnt.
func (x *export) forgets(j *judged) error {
	for i := range x.past.controls {
		c := &x.past.controls[i]
		if c.Kind != string(module.Relearn) || c.Tenant != x.in.Tenant || c.Name != j.rule.ID || c.Seq < j.begins.Seq {
			continue
		}
		var record module.Control
		if err := json.Unmarshal([]byte(c.Record), &record); err != nil {
			return fmt.Errorf("control record %d: %w", c.Seq, err)
		}
		if len(record.Key) == 0 {
			j.began = max(j.began, c.At-j.span()) // what else it knows may be older
		}
		x.out.Forgets = append(x.out.Forgets, Forget{Seq: c.Seq, At: c.At, Rule: j.rule.ID, Key: record.Key})
	}
	if len(x.out.Forgets) > MaxForgets {
		return fmt.Errorf("rule %s was told to forget more than %d times: %w", j.rule.ID, MaxForgets, ErrCannot)
	}
	return nil
}

// inner adds the rules whose firings a rule looks at.
func (x *export) inner(ctx context.Context, of *judged) error {
	for i := range of.rule.Subs {
		m := of.rule.Subs[i].Match
		if m.Rule == "" {
			continue
		}
		if m.Rule == correlate.EvictedRule {
			return fmt.Errorf("its rule looks at which rules had to forget keys, and that follows from the keys of all: %w", ErrCannot)
		}
		at := slices.IndexFunc(x.rules, func(j *judged) bool { return j.rule.ID == m.Rule })
		if at >= 0 {
			x.rules[at].key = nil // of two that look at it each may mean another key
			continue
		}
		if len(x.rules) > MaxInner {
			return fmt.Errorf("its rule looks at more than %d rules: %w", MaxInner, ErrCannot)
		}
		install, ok := x.packageOf(of, m.Rule)
		if !ok {
			continue // it did not run, so it did not fire
		}
		j, err := x.judge(ctx, install, m.Rule)
		if err != nil {
			return err
		}
		j.key = narrowed(of, m, j.rule)
		x.rules = append(x.rules, j)
	}
	return nil
}

// packageOf finds the package of a rule that another one looks at: that one's own, or the one that has it now.
func (x *export) packageOf(of *judged, id string) (module.Install, bool) {
	name := of.install.Name
	if m, _ := x.Generation.View(x.in.Tenant).ModuleOf(id); m != nil {
		name = m.Name()
	}
	then := x.past.at(x.in.Applied)
	digest := x.runs(&then, name, id).Digest
	if len(x.past.states) > 0 && digest == "" {
		return module.Install{}, false
	}
	return x.install(name, func(i module.Install) bool { return digest == "" || i.Digest == digest }, x.in.Applied)
}

// narrowed returns what of the key of a rule is in the key of one whose firings it looks at: only those of that key count.
func narrowed(of *judged, m *rule.Match, inner *rule.Rule) (key []storage.Field) {
	first := of.rule.Subs[0].Match.By
	for _, k := range of.key {
		at := slices.Index(first, k.Name)
		if at < 0 || at >= len(m.By) {
			continue
		}
		name := m.By[at]
		if slices.Contains(inner.Root.Incident.Key, name) && slices.Contains(inner.Subs[0].Match.By, name) {
			key = append(key, storage.Field{Name: name, Value: k.Value})
		}
	}
	return key
}

// query says which events of the store may count for the rule.
func (j *judged) query() string {
	first := j.rule.Subs[0].Match.By
	var any []string
	for i := range j.rule.Subs {
		m := j.rule.Subs[i].Match
		if m.Rule != "" {
			continue
		}
		if j.rule.Subs[i].Baseline != nil && j.rule.Subs[i].Baseline.Peers != "" {
			return "*"
		}
		var all []string
		for _, k := range j.key {
			name := k.Name
			if at := slices.Index(first, k.Name); at >= 0 {
				name = m.By[at]
			} else if !slices.Contains(j.rule.Root.Incident.Key, k.Name) {
				continue // of a code rule: no field of the event
			}
			if name == storage.FieldDataset || name == rule.FieldOriginal || len(k.Value) >= incident.MaxKeyValueBytes-4 {
				continue // the rule's own filter decides
			}
			all = append(all, strconv.Quote(name)+":="+strconv.Quote(k.Value))
		}
		if len(all) == 0 {
			return "*"
		}
		any = append(any, "("+strings.Join(all, " ")+")")
	}
	slices.Sort(any)
	return strings.Join(slices.Compact(any), " or ")
}

// since sets from which event time on events count for each rule. Those of the incident's own begin where nothing of its
// key was left over; those that are looked at, where nothing was left over of what they select.
func (x *export) since(ctx context.Context) error {
	for _, j := range x.rules {
		if j.text = j.query(); j.recalls {
			j.text = "*"
		}
	}
	for left := slices.Clone(x.rules); len(left) > 0; {
		// One that nobody looks at any more of those that are left: there is one, since circles do not run.
		at := slices.IndexFunc(left, func(j *judged) bool {
			return !slices.ContainsFunc(left, func(o *judged) bool { return o.looksAt(j) })
		})
		if at < 0 {
			return fmt.Errorf("the rules look at each other: %w", ErrCannot)
		}
		if err := x.sinceOf(ctx, left[at]); err != nil {
			return err
		}
		left = slices.Delete(left, at, at+1)
	}
	return nil
}

// looksAt reports whether a rule looks at the firings of another one.
func (j *judged) looksAt(o *judged) bool {
	return slices.ContainsFunc(j.rule.Subs, func(s rule.Sub) bool { return s.Match.Rule == o.rule.ID })
}

// sinceOf is since of one rule, after those that look at it.
func (x *export) sinceOf(ctx context.Context, j *judged) (err error) {
	from := int64(math.MaxInt64)
	if j == x.rules[0] {
		if from, err = x.episodes(ctx); err != nil {
			return err
		}
	}
	for _, o := range x.rules {
		if o.looksAt(j) {
			from = min(from, o.begins.Time)
		}
	}
	switch {
	case j.recalls:
		return x.all(j, j.began)
	case j.learns:
		return x.all(j, max(j.began, from-j.remembers()))
	case j == x.rules[0]:
		j.begins.Time = from
		return nil
	}
	return x.quiet(ctx, j, from)
}

// remembers returns how far back of a firing what a rule has learnt reaches in event time: without bound, or for a rule that
// does nothing but tell what is first seen, so far that its key was heard of long enough ago if it ever was.
func (j *judged) remembers() int64 {
	if f := j.rule.Subs[0].FirstSeen; f != nil && len(j.rule.Subs) == 1 {
		return int64(f.Within + f.Learn)
	}
	return math.MaxInt64 / 2
}

// all has all events from a log time on count for a rule. The error wraps ErrCannot when there were others before, or these
// are not kept any more.
func (x *export) all(j *judged, from int64) error {
	switch {
	case j.carried && from <= j.began:
		return fmt.Errorf("rule %s went on with what an earlier version of it had learnt, or began to learn before control records were kept: %w", j.rule.ID, ErrCannot)
	case x.KeptSince.After(time.Unix(0, from)):
		return fmt.Errorf("what rule %s knew then reaches back to %s, and events are kept since %s: %w", j.rule.ID,
			time.Unix(0, from).UTC().Format(time.RFC3339), x.KeptSince.UTC().Format(time.RFC3339), ErrCannot)
	}
	if j.begins.Time = from; from == j.began {
		j.begins.Time -= strayed // events that came then may say that they are older
	}
	return nil
}

// quiet sets the beginning of a rule that another one looks at: the newest time before its firings count at which neither it
// nor what it looks at had selected anything for as long as they remember.
func (x *export) quiet(ctx context.Context, j *judged, from int64) error {
	span, under := int64(0), []*judged{j}
	for n := 0; n < len(under); n++ {
		span += under[n].span()
		for _, o := range x.rules {
			if under[n].looksAt(o) && !slices.Contains(under, o) {
				under = append(under, o)
			}
		}
	}
	for range MaxQuiet {
		if j.begins.Time = from; span == 0 || from <= j.began-strayed {
			return nil
		}
		earliest := from
		err := x.search(ctx, anyOf(under), from-span, from, func(e *storage.Event) error {
			if e.ID.Seq <= x.in.Applied && slices.ContainsFunc(under, func(o *judged) bool { return e.ID.Seq >= o.begins.Seq && x.selects(o, e) }) {
				earliest = min(earliest, e.Time)
			}
			return nil
		})
		if err != nil || earliest == from {
			return err
		}
		from = earliest
	}
	return fmt.Errorf("rule %s, which its rule looks at, selected something all the time: %w", j.rule.ID, ErrCannot)
}

// anyOf returns a query for at least the events that may count for one of some rules.
func anyOf(rules []*judged) string {
	var texts []string
	for _, j := range rules {
		if j.text == "*" {
			return "*"
		}
		if j.text != "" {
			texts = append(texts, j.text)
		}
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), " or ")
}

// selects reports whether a rule selects an event.
func (x *export) selects(j *judged, e *storage.Event) bool {
	x.past.seq = e.ID.Seq
	return slices.ContainsFunc(x.match.Match(e, &x.scratch), func(h detect.Hit) bool { return h.Rule == j.rule })
}

// search calls f with the stored events of a time, the newest first. The error wraps ErrCannot when there are too many.
func (x *export) search(ctx context.Context, text string, from, to int64, f func(*storage.Event) error) error {
	done, err := x.Store.Search(ctx, x.who, logs.Query{Text: text, From: time.Unix(0, from), To: time.Unix(0, to), Limit: MaxEvents}, func(rows []logs.Row) error {
		for i := range rows {
			e, err := rows[i].Event()
			if err == nil {
				err = f(&e)
			}
			if err != nil {
				return err
			}
		}
		return x.past.err
	})
	if err == nil && done.Truncated {
		err = fmt.Errorf("more than %d events have a part in it, or have to be looked at: %w", MaxEvents, ErrCannot)
	}
	return err
}
