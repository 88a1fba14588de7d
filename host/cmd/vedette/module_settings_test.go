package main

import (
	"strings"
	"testing"
)

func TestChangedSettings(t *testing.T) {
	for _, c := range []struct{ name, before, set, unset, want string }{
		{"a number", `{"a":1}`, "b=2", "", `{"a":1,"b":2}`},
		{"a text that looks like nothing else", `{}`, "a=north door", "", `{"a":"north door"}`},
		{"a text that looks like a number", `{}`, `a="7"`, "", `{"a":"7"}`},
		{"a list", `{"a":[1]}`, `a=["x","y=z"]`, "", `{"a":["x","y=z"]}`},
		{"below another", `{"a":{"b":1}}`, "a.c.d=true", "a.b", `{"a":{"c":{"d":true}}}`},
		{"a large number", `{"a":18446744073709551615}`, "b=9007199254740993", "", `{"a":18446744073709551615,"b":9007199254740993}`},
		{"nothing to take away", `{}`, "", "a", `{}`},
		{"no path", `{}`, "=1", "", "want PATH=VALUE"},
		{"no value", `{}`, "a", "", "want PATH=VALUE"},
		{"below a value", `{"a":1}`, "a.b=2", "", "a holds no settings of its own"},
	} {
		var set, unset []string
		if c.set != "" {
			set = append(set, c.set)
		}
		if c.unset != "" {
			unset = append(unset, c.unset)
		}
		got, err := changed([]byte(c.before), set, unset)
		if err == nil && string(got) != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.want)
		}
	}
}
