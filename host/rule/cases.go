package rule

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// cases reads the inline tests.
func (d *document) cases() {
	e, ok := d.at["tests"]
	if !ok {
		return
	}
	list := d.list(e.val, "tests")
	if len(list) > MaxTestsPerRule {
		d.fail(e.val, "", "tests: %d, the limit is %d", len(list), MaxTestsPerRule)
	}
	for i, n := range list {
		if d.err != nil {
			return
		}
		d.rule.Tests = append(d.rule.Tests, d.oneCase(i, n))
	}
}

func (d *document) oneCase(i int, n ast.Node) Case {
	c := Case{Name: fmt.Sprintf("test %d", i+1), Count: -1, Line: n.GetToken().Position.Line}
	expected := false
	for _, k := range d.mapping(n, "test", testKeys) {
		switch k.key {
		case "name":
			c.Name = d.text(k.val, "name")
		case "until":
			c.Until = d.duration(k.val, "until", MaxTestSpan)
		case "lists":
			for _, l := range d.mapping(k.val, "lists", nil) {
				if !listForm.MatchString(l.key) {
					d.fail(l.node, "", "lists: name of a list %q", l.key)
				}
				c.Lists = append(c.Lists, CaseList{Name: l.key, Values: d.texts(l.val, l.key)})
			}
		case "events":
			for _, v := range d.list(k.val, "events") {
				d.caseEvents(&c, v)
			}
		case "expect":
			expected = true
			for _, x := range d.mapping(k.val, "expect", expectKeys) {
				switch x.key {
				case "incidents":
					c.Incidents = d.number(x.val, "incidents")
				case "count":
					c.Count = d.number(x.val, "count")
				case "title":
					c.Title = d.text(x.val, "title")
				}
			}
		}
	}
	if !expected {
		d.fail(n, "expect: {incidents: 1}", "%s: no expect", c.Name)
	}
	return c
}

// caseEvents reads one entry: an event, or with repeat and every a row of equal ones.
func (d *document) caseEvents(c *Case, n ast.Node) {
	ev, times, every := CaseEvent{At: -1}, 1, time.Duration(0)
	for _, k := range d.mapping(n, "event", eventKeys) {
		switch k.key {
		case "at":
			ev.At = d.duration(k.val, "at", MaxTestSpan)
		case "fields":
			for _, f := range d.mapping(k.val, "fields", nil) {
				ev.Fields = append(ev.Fields, storage.Field{Name: f.key, Value: d.text(f.val, f.key)})
			}
		case "repeat":
			times = d.number(k.val, "repeat")
		case "every":
			every = d.duration(k.val, "every", MaxTestSpan)
		}
	}
	switch {
	case d.err != nil:
		return
	case ev.At < 0 || len(ev.Fields) == 0:
		d.fail(n, `{at: "+0s", fields: {…}}`, "event: at and fields are needed")
	case times > 1 && every == 0:
		d.fail(n, `every: 1s`, "event: repeat without every")
	case len(c.Events)+times > MaxEventsPerTest:
		d.fail(n, "", "test of more than %d events", MaxEventsPerTest)
		return
	}
	for i := range times {
		c.Events = append(c.Events, CaseEvent{At: ev.At + time.Duration(i)*every, Fields: ev.Fields})
	}
}

func (r *reader) number(n ast.Node, what string) int {
	v, err := strconv.Atoi(r.text(n, what))
	if err != nil || v < 0 || v > 1e6 {
		r.fail(n, "", "%s: want a number from 0 to 1000000", what)
		return 0
	}
	return v
}
