package rule

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// selection reads a where: a mapping of tests that must all hold, or a list of such mappings of which one must.
func (r *reader) selection(n ast.Node, what string, depth int) Pred {
	if depth > MaxNestingDepth {
		r.fail(n, "", "%s: nested deeper than %d", what, MaxNestingDepth)
		return nil
	}
	if _, ok := n.(*ast.SequenceNode); ok {
		var any AnyOf
		for _, v := range r.list(n, what) {
			any = append(any, r.selection(v, what, depth+1))
		}
		if len(any) == 0 {
			r.fail(n, "", "%s: empty list", what)
		}
		return any
	}
	var all AllOf
	for _, e := range r.mapping(n, what, nil) {
		switch e.key {
		case "any":
			if _, ok := e.val.(*ast.SequenceNode); !ok {
				r.fail(e.val, "", "any: want a list of selections")
			}
			all = append(all, r.selection(e.val, "any", depth+1))
		case "all":
			for _, v := range r.list(e.val, "all") {
				all = append(all, r.selection(v, "all", depth+1))
			}
		case "not":
			all = append(all, Not{r.selection(e.val, "not", depth+1)})
		default:
			all = append(all, r.field(e))
		}
		if r.err != nil {
			return nil
		}
	}
	if len(all) == 0 {
		r.fail(n, "name at least one field", "%s: empty selection", what)
	}
	return all
}

// field reads "name|modifier…: value or list"; the name * is any field of the event and the record as received.
func (r *reader) field(e entry) Pred {
	name, modifiers, _ := strings.Cut(e.key, "|")
	if name == AnyField {
		return r.item(e, "", modifiers)
	}
	if !validField(name) {
		r.fail(e.node, "an ECS name such as source.ip", "field name %q", name)
		return nil
	}
	return r.item(e, name, modifiers)
}

// AnyField stands for a field's name where any field may be meant.
const AnyField = "*"

// validField accepts dotted names as the store holds them.
func validField(s string) bool {
	if s == "" || len(s) > storage.MaxFieldNameBytes {
		return false
	}
	for _, c := range s {
		switch {
		case c == '.', c == '_', c == '-', c == '@', c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return true
}
