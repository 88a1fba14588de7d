package fortisiem

import (
	_ "embed"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/host/rule"
)

//go:embed attributes.csv
var attributesFile string

//go:embed eventtypes.csv
var eventTypesFile string

// fieldOf and attributeOf say what attributes and fields are called on the other side.
var fieldOf, attributeOf = func() (map[string]string, map[string]string) {
	there, back := map[string]string{}, map[string]string{}
	for _, l := range lines(attributesFile) {
		there[strings.ToLower(l[0])], back[l[1]] = l[1], l[0]
	}
	return there, back
}()

// eventType is a kind of event: its name, and the fields that an event of it has.
type eventType struct {
	before, after string // of the name, around what stands for *
	wild          bool
	fields        [][2]string
}

var eventTypes = func() (out []eventType) {
	for _, l := range lines(eventTypesFile) {
		t := eventType{}
		t.before, t.after, t.wild = strings.Cut(l[0], "*")
		for _, f := range l[1:] {
			name, value, _ := strings.Cut(f, "=")
			t.fields = append(t.fields, [2]string{name, value})
		}
		out = append(out, t)
	}
	return out
}()

func lines(file string) (out [][]string) {
	for _, l := range strings.Split(strings.TrimSpace(file), "\n") {
		if !strings.HasPrefix(l, "#") {
			out = append(out, strings.Split(l, ","))
		}
	}
	return out
}

// field returns what an attribute is called here, and whether that is known: the table has it, or the name is one that
// attribute made.
func field(attribute string) (string, bool) {
	if f, ok := fieldOf[strings.ToLower(attribute)]; ok {
		return f, true
	}
	if f := customField(attribute); f != "" {
		return f, true
	}
	return attribute, false
}

// attribute returns what a field is called there, and whether the product has such an attribute. Otherwise it is a custom
// one, which somebody must define: with the name of the field when that could be an attribute's, or one that tells the
// field.
func attribute(field string) (string, bool) {
	if a, ok := attributeOf[field]; ok {
		return a, true
	}
	_, taken := fieldOf[strings.ToLower(field)]
	if !taken && plainAttribute.MatchString(field) && !operatorWord.MatchString(field) && customField(field) == "" {
		return field, false
	}
	name := ecsPrefix + strings.NewReplacer("_", "__", ".", "_").Replace(field)
	if customField(name) != field || !plainAttribute.MatchString(name) {
		name = hexPrefix + hex.EncodeToString([]byte(field))
	}
	return name, false
}

// Names of custom attributes have letters, digits and underscores: of a field's name, a dot is one underscore and an
// underscore two. Where that is not enough they have the bytes of the name.
const (
	ecsPrefix = "ecs_"
	hexPrefix = "ecsx_"
)

var (
	plainAttribute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	operatorWord   = regexp.MustCompile(`^(?i:and|or|not)$`)
)

// customField returns the field of a custom attribute that attribute named, "" when it is another.
func customField(attribute string) string {
	if rest, ok := strings.CutPrefix(attribute, hexPrefix); ok {
		name, err := hex.DecodeString(rest)
		if err != nil || !utf8.Valid(name) {
			return ""
		}
		return string(name)
	}
	rest, _ := strings.CutPrefix(attribute, ecsPrefix)
	if rest == attribute {
		return ""
	}
	return strings.NewReplacer("__", "_", "_", ".").Replace(rest)
}

// rows returns the tests that select an event type, nil when the table does not have it.
func rows(name string) (out []rule.FormRow) {
	for _, t := range eventTypes {
		star := ""
		if t.wild {
			rest, ok := cutFold(name, t.before)
			if !ok || len(rest) < len(t.after)+1 || !strings.HasSuffix(rest, t.after) {
				continue
			}
			star = rest[:len(rest)-len(t.after)]
		} else if !strings.EqualFold(name, t.before) {
			continue
		}
		for _, f := range t.fields {
			out = append(out, row(f[0], literal(strings.ReplaceAll(f[1], "*", star))))
		}
		return out
	}
	return nil
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// named returns an event type that some of the rows select together, and which rows these are. Those of taken have no
// part in it.
func named(all []rule.FormRow, taken map[int]bool) (name string, used map[int]bool) {
	for _, t := range eventTypes {
		star, used := "", map[int]bool{}
		for _, f := range t.fields {
			for i := range all {
				value, ok := plain(&all[i])
				if !ok || all[i].Field != f[0] || used[i] || taken[i] || value == "" || f[1] != "*" && f[1] != value {
					continue
				}
				if used[i] = true; f[1] == "*" {
					star = value
				}
				break
			}
		}
		name := t.before + star + t.after
		if len(used) == len(t.fields) && sameRows(rows(name), all, used) {
			return name, used
		}
	}
	return "", nil
}

// sameRows reports whether a name is read back as the rows that it was made of: an earlier entry may have it too.
func sameRows(back, all []rule.FormRow, used map[int]bool) bool {
	if len(back) != len(used) {
		return false
	}
	for i := range all {
		if !used[i] {
			continue
		}
		found := false
		for j := range back {
			found = found || back[j].Field == all[i].Field && *back[j].Values[0] == *all[i].Values[0]
		}
		if !found {
			return false
		}
	}
	return true
}

// plain returns the only value of a row that tests for equality.
func plain(r *rule.FormRow) (string, bool) {
	if r.Group != nil || len(r.Modifiers) > 0 || len(r.Values) != 1 || r.Values[0] == nil {
		return "", false
	}
	return exact(*r.Values[0])
}

// exact returns the text that a value stands for, false when it has wildcards.
func exact(value string) (string, bool) { return rule.ParsePattern(value).Exact() }

// literal writes a text as a value without wildcards.
func literal(text string) string {
	if text == "" {
		return ""
	}
	return rule.Pattern{{Text: text}}.String()
}

func row(field, value string, modifiers ...string) rule.FormRow {
	return rule.FormRow{Field: field, Modifiers: modifiers, Values: []*string{&value}}
}

// expression writes a value with wildcards as a regular expression, anchored at its begin and end or not.
func expression(value string, begin, end bool) string {
	var b strings.Builder
	b.WriteString("(?is)")
	if begin {
		b.WriteByte('^')
	}
	for _, t := range rule.ParsePattern(value) {
		switch t.Wild {
		case rule.AnyRun:
			b.WriteString(".*")
		case rule.AnyOne:
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(t.Text))
		}
	}
	if end {
		b.WriteByte('$')
	}
	return b.String()
}
