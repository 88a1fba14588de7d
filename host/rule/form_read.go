package rule

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// FormOf reads a document into a form. What is wrong with the document is the error of Parse.
func FormOf(file string, src []byte) (Form, error) {
	r, err := Parse(file, src)
	if err != nil {
		return Form{}, err
	}
	root, err := parseYAML(file, src)
	if err != nil {
		return Form{}, err
	}
	f := formReader{reader: reader{file: file}, rule: r}
	for _, e := range f.mapping(root, "rule", ruleKeys) {
		f.key(e)
	}
	if f.err != nil {
		return Form{}, f.err
	}
	return f.form, nil
}

// formReader reads a document that Parse has admitted.
type formReader struct {
	reader
	rule *Rule
	form Form
}

func (f *formReader) key(e entry) {
	o := &f.form
	if to, ok := map[string]*string{
		"id": &o.ID, "name": &o.Name, "version": &o.Version, "severity": &o.Severity, "description": &o.Description,
		"window": &o.Window, "lateness": &o.Lateness, "rearm": &o.Rearm, "suppress": &o.Suppress,
	}[e.key]; ok {
		*to = f.text(e.val, e.key)
		return
	}
	if to, ok := map[string]*[]string{
		"techniques": &o.Techniques, "data_sources": &o.DataSources, "join": &o.Join, "false_positives": &o.FalsePositives,
		"next_steps": &o.NextSteps, "containment": &o.Containment, "eradication": &o.Eradication, "references": &o.References,
	}[e.key]; ok {
		*to = f.texts(e.val, e.key)
		return
	}
	switch e.key {
	case "subs":
		for _, s := range f.mapping(e.val, "subs", nil) {
			sub := f.sub(s.val, subKeys)
			sub.Name = s.key
			o.Subs = append(o.Subs, sub)
		}
	case "expr":
		f.expr(e.val)
	case "incident":
		for _, k := range f.mapping(e.val, "incident", incidentKeys) {
			if k.key == "title" {
				o.Title = f.text(k.val, "title")
			} else if o.Key = f.texts(k.val, "key"); len(o.Key) == 0 {
				o.KeyEmpty = true
			}
		}
	case "clear":
		f.clear(e.val)
	case "watchlist":
		for _, n := range f.list(e.val, "watchlist") {
			o.WatchList = append(o.WatchList, f.watchList(n))
		}
	case "exceptions":
		for _, n := range f.list(e.val, "exceptions") {
			o.Exceptions = append(o.Exceptions, f.exception(n))
		}
	case "limits":
		for _, k := range f.mapping(e.val, "limits", limitKeys) {
			o.MaxKeys = f.text(k.val, "max_keys")
		}
	case "tests":
		tests := spread(f.yamlOf(e.val))
		o.Tests = tests.String()
	}
}

func (f *formReader) sub(n ast.Node, known []string) (s FormSub) {
	for _, k := range f.mapping(n, "sub", known) {
		if to, ok := map[string]*string{
			"title": &s.Title, "rule": &s.Rule, "null_key": &s.NullKey, "window": &s.Window, "windows": &s.Windows, "gap": &s.Gap, "code": &s.Code,
		}[k.key]; ok {
			*to = f.text(k.val, k.key)
			continue
		}
		switch k.key {
		case "where":
			g := f.group(k.val)
			s.Where = &g
		case "by":
			s.By = f.texts(k.val, "by")
		case "having":
			h := having{r: &f.reader, at: k.val, text: f.text(k.val, "having")}
			for _, c := range h.parse() {
				s.Having = append(s.Having, formHaving(&c))
			}
		case "baseline":
			s.Baseline = &FormBaseline{}
			for _, b := range f.mapping(k.val, "baseline", baselineKeys) {
				*map[string]*string{"slots": &s.Baseline.Slots, "least": &s.Baseline.Least, "peers": &s.Baseline.Peers}[b.key] = f.text(b.val, b.key)
			}
		case "first_seen":
			s.FirstSeen = &FormFirstSeen{}
			for _, b := range f.mapping(k.val, "first_seen", firstSeenKeys) {
				switch b.key {
				case "fields":
					s.FirstSeen.Fields = f.texts(b.val, "fields")
				case "within":
					s.FirstSeen.Within = f.text(b.val, "within")
				default:
					s.FirstSeen.Learn = f.text(b.val, "learn")
				}
			}
		}
	}
	return s
}

// group reads a selection.
func (f *formReader) group(n ast.Node) (g FormGroup) {
	if _, ok := n.(*ast.SequenceNode); ok {
		g.Any = true
		for _, v := range f.list(n, "where") {
			of := f.group(v)
			if !of.Any && len(of.Rows) == 1 && of.Rows[0].Group == nil {
				g.Rows = append(g.Rows, of.Rows[0])
			} else {
				g.Rows = append(g.Rows, FormRow{Group: &of})
			}
		}
		return g
	}
	for _, e := range f.mapping(n, "where", nil) {
		switch e.key {
		case "any", "not":
			of := f.group(e.val)
			g.Rows = append(g.Rows, FormRow{Group: &of, Not: e.key == "not"})
		case "all":
			for _, v := range f.list(e.val, "all") {
				of := f.group(v)
				g.Rows = append(g.Rows, FormRow{Group: &of})
			}
		default:
			g.Rows = append(g.Rows, f.row(e))
		}
	}
	return g
}

func (f *formReader) row(e entry) FormRow {
	words := strings.Split(e.key, "|")
	row := FormRow{Field: words[0], Modifiers: words[1:]}
	values := []ast.Node{e.val}
	if _, ok := e.val.(*ast.SequenceNode); ok {
		values = f.list(e.val, e.key)
	}
	for _, v := range values {
		if text, null := f.scalar(v, e.key); null {
			row.Values = append(row.Values, nil)
		} else {
			row.Values = append(row.Values, &text)
		}
	}
	return row
}

// expr reads the expression again, with a window that no document can have in place of those that are not written.
func (f *formReader) expr(n ast.Node) {
	x := &expression{r: &f.reader, at: n, toks: tokenize(f.text(n, "expr")), subs: f.rule.Subs, window: notWritten, latest: false}
	if root := x.parse(); f.err == nil {
		of := formExpr(root, f.rule.Subs)
		f.form.Expr = &of
	}
}

func (f *formReader) clear(n ast.Node) {
	f.form.Clear = &FormClear{}
	sub := f.sub(n, clearKeys)
	patterned := false
	for _, k := range f.mapping(n, "clear", clearKeys) {
		if k.key == "after" {
			f.form.Clear.After = f.text(k.val, "after")
		} else {
			patterned = true
		}
	}
	if patterned {
		f.form.Clear.Sub = &sub
	}
}

func (f *formReader) watchList(n ast.Node) (w FormWatchList) {
	for _, k := range f.mapping(n, "watchlist", watchKeys) {
		*map[string]*string{"name": &w.Name, "value": &w.Value, "ttl": &w.TTL}[k.key] = f.text(k.val, k.key)
	}
	return w
}

func (f *formReader) exception(n ast.Node) (x FormException) {
	for _, k := range f.mapping(n, "exception", exceptionKeys) {
		if k.key == "reason" {
			x.Reason = f.text(k.val, "reason")
		} else {
			x.Where = f.group(k.val)
		}
	}
	return x
}
