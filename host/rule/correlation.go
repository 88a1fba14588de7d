package rule

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// correlation is a correlation document of the Sigma specification 2.1.0, with the names of its author.
type correlation struct {
	SigmaHead
	doc      *sigmaDocument
	kind     string      // its type
	rules    []reference // in the order of the document
	groupBy  []string
	timespan time.Duration
	aliases  map[string]map[string]reference // alias -> rule as it names it -> the field there
	fields   []string                        // whose values are counted, or the number of which is looked at
	rank     float64                         // of a percentile
	bounds   []bound
	logic    ast.Node // an extended condition; nil: bounds
	generate bool
	at       map[string]entry // of the section correlation
}

// bound compares a number with one of the document.
type bound struct {
	op    string
	value float64
}

func (b bound) holds(n float64) bool {
	switch b.op {
	case ">=":
		return n >= b.value
	case ">":
		return n > b.value
	case "<=":
		return n <= b.value
	case "<":
		return n < b.value
	case "==":
		return n == b.value
	}
	return n != b.value
}

var (
	correlationKeys = []string{"type", "rules", "aliases", "group-by", "timespan", "condition", "generate"}
	boundNames      = []string{"gt", "gte", "lt", "lte", "eq", "neq"}
	boundOps        = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "neq": "!="}
	countedTypes    = map[string]Func{
		"event_count": Count, "value_count": Distinct, "value_sum": Sum, "value_avg": Avg, "value_percentile": Percentile, "value_median": Percentile,
	}
	correlationTypes = []string{
		"event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median", "temporal", "temporal_ordered",
	}
)

// counted reports whether the correlation compares a number, and not which rules match.
func (c *correlation) counted() bool { return countedTypes[c.kind] != "" }

// correlation reads a correlation document.
func (d *sigmaDocument) correlation() *correlation {
	d.what = "Sigma correlation"
	c := &correlation{SigmaHead: d.head("correlation"), doc: d, at: map[string]entry{}}
	if d.err != nil {
		return nil
	}
	for _, e := range d.mapping(d.at["correlation"].val, "correlation", correlationKeys) {
		c.at[e.key] = e
	}
	for _, key := range [...]string{"type", "timespan"} {
		if _, ok := c.at[key]; !ok {
			d.fail(d.at["correlation"].node, "", "%s %q: %s is missing", d.what, c.Title, key)
		}
	}
	if d.err != nil {
		return nil
	}
	if c.kind = d.text(c.at["type"].val, "type"); !contains(correlationTypes, c.kind) {
		d.fail(c.at["type"].val, suggest(c.kind, correlationTypes), "%s %q: unknown type %q", d.what, c.Title, c.kind)
	}
	c.timespan = d.timespan(c.at["timespan"].val)
	if e, ok := c.at["rules"]; ok {
		c.rules = d.references(e.val)
	}
	if e, ok := c.at["group-by"]; ok && !isNull(e.val) {
		if c.groupBy = d.texts(e.val, "group-by"); len(c.groupBy) > MaxKeyFields {
			d.fail(e.val, "", "group-by: %d fields, the limit is %d", len(c.groupBy), MaxKeyFields)
		}
	}
	e, ok := c.at["generate"]
	if top, there := d.at["generate"]; there { // the specification has it there, converters in the section
		e, ok = top, true
	}
	if ok {
		text, ok := d.text(e.val, "generate"), false
		if c.generate, ok = boolean(text); !ok {
			d.fail(e.val, "true or false", "generate: %q", text)
		}
	}
	c.readAliases()
	c.readCondition()
	return c
}

// timespan reads how far apart events may be: a duration, or a number of months or years as converters of Sigma take them.
func (d *sigmaDocument) timespan(n ast.Node) (span time.Duration) {
	text := d.text(n, "timespan")
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(text, "M"):
		unit = 2629746 * time.Second
	case strings.HasSuffix(text, "y"):
		unit = 31556952 * time.Second
	default:
		span = d.duration(n, "timespan", MaxDuration)
		if d.err == nil && span <= 0 {
			d.fail(n, "such as 5m", "timespan: it is 0")
		}
		return span
	}
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 8)
	if span = time.Duration(count) * unit; err != nil || count == 0 {
		d.fail(n, "such as 5m", "timespan: duration %q", text)
	} else if span > MaxDuration {
		d.fail(n, "", "timespan: %s is over the limit of %s", text, FormatDuration(MaxDuration))
	}
	return span
}

func isNull(n ast.Node) bool { _, null := n.(*ast.NullNode); return null }

func (c *correlation) readAliases() {
	e, ok := c.at["aliases"]
	if !ok {
		return
	}
	c.aliases = map[string]map[string]reference{}
	for _, alias := range c.doc.mapping(e.val, "aliases", nil) {
		to := map[string]reference{}
		for _, x := range c.doc.mapping(alias.val, "alias "+alias.key, nil) {
			to[x.key] = reference{c.doc.text(x.val, x.key), x.node}
		}
		c.aliases[alias.key] = to
	}
}

// checkAliases refuses aliases of rules that the correlation does not name.
func (e *sigmaEntry) checkAliases() {
	c := e.correlation
	for alias, to := range c.aliases {
		for text, field := range to {
			if !slices.ContainsFunc(e.of, func(of *sigmaEntry) bool { return of.head().is(text) }) {
				c.doc.fail(field.node, "", "%s: aliases: %s names %q, which is none of its rules", c.doc.title(), alias, text)
			}
		}
	}
}

// readCondition reads bounds, or takes note of an extended condition, whose rules are those that it names when there is no list.
func (c *correlation) readCondition() {
	d := c.doc
	e, there := c.at["condition"]
	switch e.val.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		c.readBounds(e)
	case nil:
		if c.counted() {
			d.fail(d.at["correlation"].node, "condition: {gte: 10}", "%s %q: condition is missing", d.what, c.Title)
		}
		if there || d.err != nil {
			return
		}
		c.bounds = []bound{{">=", float64(len(c.rules))}}
	default:
		if c.counted() {
			d.fail(e.val, "condition: {gte: 10}", "condition: an expression of rules belongs to temporal and temporal_ordered")
			return
		}
		c.logic = e.val
		if len(c.rules) == 0 {
			c.rules = rulesOf(d.text(e.val, "condition"), e.val)
		}
	}
	if d.err == nil && len(c.rules) == 0 {
		d.fail(d.at["correlation"].node, "ids or names of rules", "%s %q: rules is missing", d.what, c.Title)
	}
}

// rulesOf lists the words of an extended condition that are no operators.
func rulesOf(text string, at ast.Node) (out []reference) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '(' || r == ')' }) {
		if contains([]string{"and", "or", "not"}, strings.ToLower(w)) || slices.ContainsFunc(out, func(r reference) bool { return r.text == w }) {
			continue
		}
		out = append(out, reference{w, at})
	}
	return out
}

func (c *correlation) readBounds(at entry) {
	d := c.doc
	ranked := false
	for _, e := range d.mapping(at.val, "condition", append([]string{"field", "percentile"}, boundNames...)) {
		switch e.key {
		case "field":
			c.fields = d.texts(e.val, "field")
		case "percentile":
			c.rank, ranked = c.number(e), true
			if c.rank < 0 || c.rank > 100 {
				d.fail(e.val, "0 to 100", "condition: percentile %v", c.rank)
			}
		default:
			c.bounds = append(c.bounds, bound{boundOps[e.key], c.number(e)})
		}
	}
	if c.kind == "value_median" {
		c.rank = 50
	}
	switch fn := countedTypes[c.kind]; {
	case d.err != nil:
	case len(c.bounds) == 0:
		d.fail(at.val, "one of gt, gte, lt, lte, eq, neq", "condition: it compares nothing")
	case (fn == "" || fn == Count) && len(c.fields) > 0:
		d.fail(at.val, "value_count counts values", "condition: field has no meaning in %s", c.kind)
	case fn != "" && fn != Count && len(c.fields) == 0:
		d.fail(at.val, "field: the name of a field", "condition: field is missing")
	case fn != Distinct && len(c.fields) > 1:
		d.fail(at.val, "", "condition: %d fields, %s looks at one", len(c.fields), c.kind)
	case len(c.fields) > MaxKeyFields:
		d.fail(at.val, "", "condition: %d fields, the limit is %d", len(c.fields), MaxKeyFields)
	case ranked != (c.kind == "value_percentile"):
		d.fail(at.val, "percentile: 95 beside field of a value_percentile", "condition: which percentile is missing, or the type has none")
	}
}

func (c *correlation) number(e entry) float64 {
	v, err := strconv.ParseFloat(c.doc.text(e.val, e.key), 64)
	if err != nil {
		c.doc.fail(e.val, "a number", "condition: %s: not a number", e.key)
	}
	return v
}
