package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
)

func TestMatch(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yml": "title: a\nid: a\nlogsource: {product: linux}\ndetection: {s: {user.name: root, tags|all: [x, y]}, condition: s}\n",
		"b.yml": "title: b\nid: b\nlogsource: {product: linux}\ndetection: {s: {steps.verb: delete}, condition: s}\n",
		"c.yml": "title: c\nid: c\nlogsource: {product: linux}\ndetection: {s: {n|gte: 2.5}, condition: s}\n",
		"d.yml": "title: d\nid: d\nlogsource: {product: linux}\ndetection: {s: {user.name|expand: '%admins%'}, condition: s}\n",
		"f.yml": "title: f\nid: f\nlogsource: {product: linux}\ndetection: {s: {text|contains: '[\"'}, condition: s}\n",
		"e.yml": "title: e\nid: e\nlogsource: {product: linux}\ndetection: {s: {x|wrong: 1}, condition: s}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := `{"id":"1","event":{"user":{"name":"Root"},"tags":["Y","x"],"empty":null}}
{"id":2,"event":{"steps":[{"verb":"list"},{"verb":"delete"}],"n":2.5e0}}
{"id":"3","event":{}}
{"id":"4","event":{"text":"[\"x\",\"y\"]"}}
`
	native, err := rule.Native()
	if err != nil {
		t.Fatal(err)
	}
	var out, said strings.Builder
	if err := match(dir, rule.Options{Names: native, Placeholders: map[string][]string{"admins": {"adm*", "root"}}}, strings.NewReader(in), &out, &said); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","rules":["a","d"]}` + "\n" + `{"id":2,"rules":["b","c"]}` + "\n" + `{"id":"3","rules":[]}` + "\n" + `{"id":"4","rules":["f"]}` + "\n"
	if out.String() != want {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
	if !strings.Contains(said.String(), `e.yml:4:17: field x: unknown modifier "wrong"`) || !strings.Contains(said.String(), "5 rules of 6 files; 1 refused") {
		t.Errorf("it says %s", said.String())
	}
	if err := match(dir, rule.Options{Names: native}, strings.NewReader("{"), &out, &said); err == nil || !strings.HasPrefix(err.Error(), "line 1: no JSON") {
		t.Errorf("no JSON: %v", err)
	}
}
