package reference

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// selects reports whether an event is what a `where` speaks of. It knows the selections that differ in shape; the
// modifiers of Sigma have oracles of their own (host/detect, and the public matrices).
func selects(where any, ev *Event) bool {
	switch w := where.(type) {
	case nil:
		return true
	case []any: // one of them
		for _, x := range w {
			if selects(x, ev) {
				return true
			}
		}
		return false
	case yaml.MapSlice: // all of them
		for _, item := range w {
			if !line(item.Key.(string), item.Value, ev) {
				return false
			}
		}
		return true
	}
	panic(fmt.Sprintf("reference: a selection of type %T", where))
}

func line(key string, value any, ev *Event) bool {
	switch key {
	case "any":
		return selects(value.([]any), ev)
	case "all":
		for _, x := range value.([]any) {
			if !selects(x, ev) {
				return false
			}
		}
		return true
	case "not":
		return !selects(value, ev)
	}
	parts := strings.Split(key, "|")
	have, ok := ev.Fields[parts[0]]
	if len(parts) > 1 && parts[1] == "exists" {
		return ok == (fmt.Sprint(value) == "true")
	}
	if !ok {
		return false
	}
	if len(parts) > 1 && parts[1] == "in" {
		for _, list := range texts(value) {
			if ev.lists[list+"|"+strings.ToLower(have)] {
				return true
			}
		}
		return false
	}
	for _, want := range texts(value) {
		if compares(parts[1:], have, want) {
			return true
		}
	}
	return false
}

func compares(modifiers []string, have, want string) bool {
	h, w := strings.ToLower(have), strings.ToLower(want)
	if len(modifiers) == 0 {
		return h == w
	}
	switch modifiers[0] {
	case "contains":
		return strings.Contains(h, w)
	case "startswith":
		return strings.HasPrefix(h, w)
	case "endswith":
		return strings.HasSuffix(h, w)
	case "neq":
		return h != w
	}
	a, err1 := strconv.ParseFloat(have, 64)
	b, err2 := strconv.ParseFloat(want, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	return holds(map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[modifiers[0]], a, b)
}

func holds(op string, a, b float64) bool {
	switch op {
	case ">=":
		return a >= b
	case ">":
		return a > b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case "==":
		return a == b
	case "!=":
		return a != b
	}
	panic("reference: operator " + op)
}
