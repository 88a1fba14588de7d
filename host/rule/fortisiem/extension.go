package fortisiem

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// namespace is that of the one element that Export adds to a Rule. It holds what the elements of the product have no place
// for or would say otherwise, in parts: members of the form as JSON. Each part knows what the elements said that speak of
// its member when it was written; where they have been edited since, they count and the part does not.
const namespace = "urn:vedette-siem:fortisiem-rule:1"

const (
	extensionElement = "Extension"
	partElement      = "Part"
)

// part is a member of a form that the elements do not say; no value: the form has none.
type part struct {
	of    string // "version", or of a sub-pattern "subs.fail.where"; "subs" are the names of sub-patterns in their order
	value json.RawMessage
}

// membersOf takes a form apart.
func membersOf(f *rule.Form) (map[string]json.RawMessage, error) {
	all, err := fields(f)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for i := range f.Subs {
		name := f.Subs[i].Name
		of, err := fields(&f.Subs[i])
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		for key, value := range of {
			if key != "name" {
				all["subs."+name+"."+key] = value
			}
		}
	}
	all["subs"], err = encoded(names)
	return all, err
}

func fields(v any) (out map[string]json.RawMessage, err error) {
	b, err := encoded(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// encoded is JSON that XML can carry: of what JSON leaves as it is, XML has no U+FFFE and U+FFFF.
func encoded(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`).Replace(strings.TrimSpace(b.String()))), err
}

// formOf puts members together.
func formOf(all map[string]json.RawMessage) (f rule.Form, err error) {
	var names []string
	if err := json.Unmarshal(all["subs"], &names); err != nil {
		return f, fmt.Errorf("subs: %w", err)
	}
	subs := map[string]map[string]json.RawMessage{}
	top := map[string]json.RawMessage{}
	for key, value := range all {
		if name, member, ok := strings.Cut(strings.TrimPrefix(key, "subs."), "."); ok && strings.HasPrefix(key, "subs.") {
			if subs[name] == nil {
				subs[name] = map[string]json.RawMessage{}
			}
			subs[name][member] = value
		} else if key != "subs" {
			top[key] = value
		}
	}
	if err := decoded(top, &f); err != nil {
		return f, err
	}
	for _, name := range names {
		s := rule.FormSub{}
		if err := decoded(subs[name], &s); err != nil {
			return f, fmt.Errorf("sub %s: %w", name, err)
		}
		s.Name = name
		f.Subs = append(f.Subs, s)
	}
	return f, nil
}

func decoded(members map[string]json.RawMessage, into any) error {
	b, err := json.Marshal(members)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// with returns members with those of parts in their place.
func with(all map[string]json.RawMessage, parts []part) map[string]json.RawMessage {
	all = maps.Clone(all)
	for _, p := range parts {
		if delete(all, p.of); p.value != nil {
			all[p.of] = p.value
		}
	}
	return all
}

// ruleOf is the rule that members come to.
func ruleOf(all map[string]json.RawMessage) (doc []byte, r *rule.Rule, err error) {
	f, err := formOf(all)
	if err == nil {
		doc, err = f.Document()
	}
	if err == nil {
		r, err = rule.Parse("document", doc)
	}
	return doc, r, err
}

// missing returns the fewest parts with which the members that were read of e come to the rule of those that were meant.
func (r *reading) missing(e *element, read, meant map[string]json.RawMessage) (parts []part, err error) {
	if _, _, err := ruleOf(meant); err != nil {
		return nil, err
	}
	keys := maps.Clone(read)
	maps.Copy(keys, meant)
	var apart []part // of which no element speaks: they are not needed to find out about the others
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case bytes.Equal(read[key], meant[key]):
		case !strings.HasPrefix(key, "subs.") && r.said(e, key, true) == "":
			apart = append(apart, part{key, meant[key]})
			meant = with(meant, []part{{key, read[key]}})
		case meant[key] == nil: // these are tried first: what is too much need not be taken back when it says the same
			parts = slices.Insert(parts, 0, part{of: key})
		default:
			parts = append(parts, part{key, meant[key]})
		}
	}
	_, want, err := ruleOf(meant)
	if err != nil {
		return nil, err
	}
	enough := func(parts []part) bool {
		_, got, err := ruleOf(with(read, parts))
		return err == nil && rule.Equal(got, want)
	}
	if enough(nil) {
		return apart, nil
	}
	for i := 0; i < len(parts); {
		if fewer := slices.Delete(slices.Clone(parts), i, i+1); enough(fewer) {
			parts = fewer
		} else {
			i++
		}
	}
	return append(apart, parts...), nil
}

// extension adds that of a rule whose other elements are e. It stands there without parts too when reading e has something to
// say that is not so for who knows the rule.
func (w *writer) extension(r *reading, e *element, parts []part) {
	if len(parts) == 0 && len(r.in.Problems) == r.general {
		return
	}
	w.begin("vedette:"+extensionElement, "xmlns:vedette", namespace, "over", digest(r.own(e)))
	for _, p := range parts {
		attrs := []string{"of", p.of}
		if said := r.said(e, p.of, folded(parts)); said != "" {
			attrs = append(attrs, "over", digest(said))
		}
		w.cdata("vedette:"+partElement, string(p.value), attrs...)
	}
	w.end("vedette:" + extensionElement)
}

// folded reports whether exceptions are among the parts: the elements have them in what each sub-pattern selects.
func folded(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.of == "exceptions" })
}

// extend returns the members of what was read with the parts of the extension, if there is one. An element that was edited
// counts more than a part.
func (r *reading) extend(e *element) (map[string]json.RawMessage, error) {
	all, err := membersOf(&r.form)
	x := e.extension()
	if err != nil {
		return nil, err
	}
	if x == nil {
		for i := range r.form.Subs {
			if s := &r.form.Subs[i]; s.Where == nil && s.Rule == "" {
				return nil, fmt.Errorf("SubPattern %s: SingleEvtConstr selects every event", s.Name)
			}
		}
		return all, nil
	}
	var parts, written []part
	for _, p := range x.of {
		if p.space != namespace || p.name != partElement {
			return nil, fmt.Errorf("line %d: element %s in the extension", p.line, p.name)
		}
		read := part{of: p.attr("of")}
		if text := strings.TrimSpace(p.text); text != "" {
			if !json.Valid([]byte(text)) {
				return nil, fmt.Errorf("line %d: %s: no JSON", p.line, read.of)
			}
			read.value = json.RawMessage(text)
		}
		written = append(written, read)
	}
	for i, p := range written {
		said, over := r.said(e, p.of, folded(written)), x.of[i].attr("over")
		if said == "" && over == "" || said != "" && digest(said) == over {
			parts = append(parts, p)
			continue
		}
		r.changes("%s: the XML was edited since it was exported, and counts; the extension said %.200s", p.of, p.value)
	}
	if len(parts) == len(written) && x.attr("over") == digest(r.own(e)) { // the rule is the one that was exported
		r.in.Problems = r.in.Problems[:r.general]
	}
	return with(all, parts), nil
}

// extension returns the extension of a rule, nil when it has none.
func (e *element) extension() *element {
	for _, c := range e.of {
		if c.space == namespace && c.name == extensionElement {
			return c
		}
	}
	return nil
}

// said returns what the elements say of a member: the texts that are read into it. None speaks of many a member.
func (r *reading) said(e *element, of string, folded bool) string {
	def, pattern := e.child("IncidentDef"), e.child("PatternClause")
	if rest, ok := strings.CutPrefix(of, "subs."); ok {
		name, member, _ := strings.Cut(rest, ".")
		if member == "where" && folded {
			return r.said(e, "exceptions", folded)
		}
		return r.saidOfSub(r.elements[name], member, pattern)
	}
	switch of {
	case "id":
		return def.attr("eventType")
	case "severity", "suppress":
		return def.attr(map[string]string{"severity": "severity", "suppress": "fireFreq"}[of])
	case "key", "key_empty":
		return flat(def.child("ArgList"))
	case "name", "description":
		return flat(e.child(map[string]string{"name": "Name", "description": "Description"}[of]))
	case "title", "next_steps":
		return flat(e.child(map[string]string{"title": "IncidentTitle", "next_steps": "Remediation"}[of]))
	case "techniques":
		return e.attr("technique")
	case "clear":
		return flat(e.child("ClearCondition"))
	case "watchlist":
		return flat(e, "DynWatchListDef")
	case "join":
		return flat(pattern, "GlobalConstr")
	case "exceptions":
		var all strings.Builder
		for _, s := range pattern.find("SubPattern") {
			all.WriteString(flat(s.child("SingleEvtConstr")))
		}
		return all.String()
	case "subs", "expr", "rearm", "window":
		return r.order(pattern)
	}
	return ""
}

// saidOfSub is said for a member of a sub-pattern.
func (r *reading) saidOfSub(s *element, member string, pattern *element) string {
	if s == nil {
		return "it is not there"
	}
	switch member {
	case "title":
		return s.attr("displayName")
	case "where", "rule", "code":
		return flat(s.child("SingleEvtConstr"))
	case "by", "null_key":
		return flat(s.child("GroupByAttr"))
	}
	return pattern.attr("window") + flat(s.child("GroupEvtConstr"))
}

// order is how sub-patterns are joined.
func (r *reading) order(pattern *element) string {
	var b strings.Builder
	b.WriteString(pattern.attr("window"))
	for _, c := range pattern.of {
		switch c.name {
		case "SubPattern":
			b.WriteString(" " + c.attr("name"))
		case "Operator":
			b.WriteString(flat(c))
		}
	}
	return b.String()
}

// own is all that the elements of the product say.
func (r *reading) own(e *element) string {
	var b strings.Builder
	b.WriteString(e.attr("id") + e.attr("technique"))
	for _, c := range e.of {
		if c.space != namespace {
			b.WriteString(flat(c))
		}
	}
	return b.String()
}

// flat is an element, or its children of a name, as a text that is the same however it is indented.
func flat(e *element, children ...string) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	if len(children) == 0 {
		b.WriteString("<" + e.name)
		for _, a := range slices.SortedFunc(slices.Values(e.attrs), byName) {
			fmt.Fprintf(&b, " %s=%q", a.Name.Local, a.Value)
		}
		b.WriteString(">" + strings.Join(strings.Fields(e.text), " "))
	}
	for _, c := range e.of {
		if len(children) == 0 || slices.Contains(children, c.name) {
			b.WriteString(flat(c))
		}
	}
	return b.String()
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
