package detect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestSigma runs testdata/sigma: each rule over its events, under the mapping of the file's name.
func TestSigma(t *testing.T) {
	for file, shipped := range map[string]func() (*rule.Mapping, error){"native": rule.Native, "ecs": rule.ECS} {
		m, err := shipped()
		if err != nil {
			t.Fatal(err)
		}
		ar, err := txtar.ParseFile("testdata/sigma/" + file + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(ar.Files); i += 2 {
			t.Run(file+"/"+ar.Files[i].Name, func(t *testing.T) { runSigma(t, m, ar.Files[i], ar.Files[i+1]) })
		}
	}
}

func runSigma(t *testing.T, m *rule.Mapping, doc, events txtar.File) {
	all, err := rule.ParseSigma(doc.Name, doc.Data, rule.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := all[0].Lower(m)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Compile([]*rule.Rule{r})
	if err != nil {
		t.Fatal(err)
	}
	var sc Scratch
	for _, line := range strings.Split(strings.TrimSpace(string(events.Data)), "\n") {
		word, text, _ := strings.Cut(line, " ")
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		ev := &storage.Event{}
		for name, v := range fields {
			value := fmt.Sprint(v)
			if _, list := v.([]any); list {
				b, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				value = string(b)
			}
			if name == storage.FieldDataset {
				ev.Stream = value
				continue
			}
			ev.Fields = append(ev.Fields, storage.Field{Name: name, Value: value})
		}
		if got := len(set.Match(ev, &sc)) == 1; got != (word == "yes") {
			t.Errorf("%s: matches: %v", line, got)
		}
	}
}
