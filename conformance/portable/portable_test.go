// Package portable_test compares rules that were compiled to Wasm with the matcher that runs them natively.
package portable_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/rule/portable"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

const root = "../.."

// listsOf reads the lists of a folder, each a file NAME.KIND with one value a line.
func listsOf(t testing.TB, dir string) portable.Lists {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	lists := portable.Lists{}
	for _, f := range files {
		text, err := os.ReadFile(dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		name, kind, _ := strings.Cut(f.Name(), ".")
		lists[name] = portable.List{Kind: index.Kind(kind), Values: strings.Fields(string(text))}
	}
	return lists
}

// native returns a function that finds the lists as a host has them.
func native(t testing.TB, lists portable.Lists) func(string) detect.List {
	t.Helper()
	all := map[string]detect.List{}
	for name, l := range lists {
		empty, err := list.New(l.Kind)
		if err != nil {
			t.Fatal(err)
		}
		var entries []list.Entry
		for _, v := range l.Values {
			entries = append(entries, list.Entry{Value: v})
		}
		if all[name], _, err = empty.With(nil, entries, 0); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) detect.List { return all[name] }
}

// documents reads the rules below a folder, those left out that cannot be compiled because they have code, or ask other lists.
func documents(t testing.TB, dir fs.FS, lists portable.Lists, o rule.Options) []*rule.Rule {
	t.Helper()
	f, err := rule.ReadFolder(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(f.Rules, func(r *rule.Rule) bool {
		_, err := portable.Program([]*rule.Rule{r}, lists)
		return err != nil
	})
}

// keyOf is what a compiled sub-pattern calls itself.
func keyOf(h detect.Hit) string {
	if len(h.Rule.Subs) > 1 {
		return h.Rule.ID + "/" + h.Rule.Subs[h.Sub].Name
	}
	return h.Rule.ID
}

// encode writes events as rows of one column, as a host does.
func encode(rows *abi.RowsEncoder, events []storage.Event) []byte {
	rows.Begin(len(events), 1, 1, 1)
	for i := range events {
		rows.Event(events[i].Time)
		rows.Cell(0, string(cell(&events[i])))
	}
	return rows.Bytes()
}

func cell(e *storage.Event) (b []byte) {
	for _, f := range e.Fields {
		b = abi.AppendField(b, f.Name, f.Value)
	}
	if e.Stream != "" {
		b = abi.AppendField(b, storage.FieldDataset, e.Stream)
	}
	if e.Raw != "" {
		b = abi.AppendField(b, rule.FieldOriginal, e.Raw)
	}
	return b
}

// load makes a module of rules ready in the sandbox.
func load(t testing.TB, rules []*rule.Rule, lists portable.Lists) *runtime.Module {
	t.Helper()
	p, err := portable.Build(rules, lists, portable.About{Name: "compiled"})
	if err != nil {
		t.Fatal(err)
	}
	host, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(t.Context()) })
	at := time.Now()
	m, err := host.Load(t.Context(), runtime.ModuleSpec{
		Digest: manifest.Sum(p.Wasm), Wasm: p.Wasm, Kind: manifest.Rule, WASIStub: p.Manifest.WASI == manifest.WASIStub, Limits: p.Manifest.Limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rules are a module of %d KiB, ready after %v", len(rules), len(p.Wasm)>>10, time.Since(at).Round(time.Millisecond))
	return m
}

const batch = 256

// compare matches events natively, with the interpreter natively, and with the module in the sandbox, and requires the same
// of all. It returns how many matches there were, and how long each took.
func compare(t *testing.T, rules []*rule.Rule, lists portable.Lists, events []storage.Event) (matches int, took [3]time.Duration) {
	t.Helper()
	set, err := detect.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	view, err := detect.NewView(set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	view = view.WithLists(native(t, lists))
	code, err := portable.Program(rules, lists)
	if err != nil {
		t.Fatal(err)
	}
	program, err := interp.Read(code)
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, rules, lists)
	var sc detect.Scratch
	var rows abi.RowsEncoder
	var found runtime.Findings
	want, said := make([][]string, batch), make([][]string, batch)
	for len(events) > 0 {
		part := events[:min(batch, len(events))]
		events = events[len(part):]
		at := time.Now()
		for i := range part {
			want[i] = want[i][:0]
			for _, h := range view.Match(&part[i], &sc) {
				want[i] = append(want[i], keyOf(h))
			}
			matches += len(want[i])
		}
		took[0] += time.Since(at)
		in := encode(&rows, part)
		at = time.Now()
		for i := range part {
			said[i] = said[i][:0]
			for _, n := range program.Match(cell(&part[i]), part[i].Time) {
				said[i] = append(said[i], string(program.Rule(n).Key))
			}
		}
		took[1] += time.Since(at)
		differ(t, "the interpreter", part, want, said)
		at = time.Now()
		if err := m.EvalIn(t.Context(), runtime.Env{}, in, &found); err != nil || len(found.Poison) > 0 {
			t.Fatal(err, found.Poison)
		}
		took[2] += time.Since(at)
		for i := range said {
			said[i] = said[i][:0]
		}
		for _, f := range found.List {
			said[f.Event] = append(said[f.Event], string(f.Key))
		}
		differ(t, "the module", part, want, said)
	}
	return matches, took
}

func differ(t *testing.T, who string, events []storage.Event, want, got [][]string) {
	t.Helper()
	for i := range events {
		if !slices.Equal(want[i], got[i]) {
			t.Fatalf("%s says %q, want %q, of %+v", who, got[i], want[i], events[i])
		}
	}
}

// values gathers, from what rules test, fields with values that pass or nearly do.
func values(p rule.Pred, lists portable.Lists, out map[string][]string) {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			values(q, lists, out)
		}
	case rule.AnyOf:
		for _, q := range p {
			values(q, lists, out)
		}
	case rule.Not:
		values(p.Of, lists, out)
	case *rule.Test:
		for _, pattern := range p.Patterns {
			var b strings.Builder
			for _, tok := range pattern {
				b.WriteString(tok.Text)
				if tok.Wild != 0 {
					b.WriteByte('x')
				}
			}
			out[p.Field] = append(out[p.Field], b.String(), strings.Trim(b.String(), "x"))
		}
		for _, n := range p.Nets {
			out[p.Field] = append(out[p.Field], n.Addr().String(), n.Addr().Next().String())
		}
		for _, n := range p.Number {
			out[p.Field] = append(out[p.Field], fmt.Sprint(n), fmt.Sprint(n+1))
		}
		for _, re := range p.Regexps {
			out[p.Field] = append(out[p.Field], strings.NewReplacer(`\`, "", "^", "", "$", "", "(", "", ")", "").Replace(re.String()))
		}
		for _, name := range p.Lists {
			for _, v := range lists[name].Values {
				v, _, _ = strings.Cut(v, "/")
				out[p.Field] = append(out[p.Field], v, "below."+v, "x"+v, v+".")
			}
		}
		if p.Op == rule.OpExists {
			out[p.Field] = append(out[p.Field], "something")
		}
	}
}

// made makes events of the values that rules look for.
func made(r *rand.Rand, rules []*rule.Rule, lists portable.Lists, n int) []storage.Event {
	by := make([]map[string][]string, len(rules))
	for i, x := range rules {
		by[i] = map[string][]string{}
		for s := range x.Subs {
			values(x.Subs[s].Match.Where, lists, by[i])
		}
	}
	events := make([]storage.Event, n)
	for i := range events {
		e := &events[i]
		e.Time = int64(r.IntN(200)) * int64(time.Hour)
		for range 1 + r.IntN(3) { // values of a few rules together
			of := by[r.IntN(len(by))]
			for _, field := range slices.Sorted(maps.Keys(of)) {
				list := of[field]
				text := list[r.IntN(len(list))]
				switch r.IntN(8) {
				case 0:
					text = strings.ToUpper(text)
				case 1:
					text = fmt.Sprintf(`["ä","%s"]`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text))
				case 2:
					text += "É"
				case 3:
					continue
				}
				switch field {
				case "", rule.FieldOriginal:
					e.Raw = text
				case storage.FieldDataset:
					e.Stream = text
				default:
					if !slices.ContainsFunc(e.Fields, func(f storage.Field) bool { return f.Name == field }) {
						e.Fields = append(e.Fields, storage.Field{Name: field, Value: text})
					}
				}
			}
		}
	}
	return events
}

// The rules that ship, and rules of every kind of test, match the same events natively and compiled.
func TestSameMatches(t *testing.T) {
	lists := listsOf(t, "testdata/lists")
	rules := documents(t, os.DirFS(root+"/modules/rules"), nil, rule.Options{})
	own := documents(t, os.DirFS("testdata"), lists, rule.Options{})
	if len(rules) < 20 || len(own) < 9 {
		t.Fatalf("%d and %d rules", len(rules), len(own))
	}
	rules = append(rules, own...)
	var events []storage.Event
	for _, r := range rules {
		for i := range r.Tests {
			for _, c := range r.Tests[i].Events {
				e := storage.Event{}
				for _, f := range c.Fields {
					if f.Name == storage.FieldDataset {
						e.Stream = f.Value
					} else {
						e.Fields = append(e.Fields, f)
					}
				}
				events = append(events, e)
			}
		}
	}
	events = append(events, made(rand.New(rand.NewPCG(1, 2)), rules, lists, 4000)...)
	matches, _ := compare(t, rules, lists, events)
	if matches < 2000 {
		t.Errorf("%d matches of %d events are too few to be a test", matches, len(events))
	}
	t.Logf("%d rules, %d events, %d matches", len(rules), len(events), matches)
}

// The cases of the matcher, each rule over the events of all: lists, escapes, networks, parts of times, what is anywhere.
func TestSameMatchesOfCases(t *testing.T) {
	for file, shipped := range map[string]func() (*rule.Mapping, error){"native": rule.Native, "ecs": rule.ECS} {
		m, err := shipped()
		if err != nil {
			t.Fatal(err)
		}
		ar, err := txtar.ParseFile(root + "/host/detect/testdata/sigma/" + file + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		var rules []*rule.Rule
		var events []storage.Event
		for _, f := range ar.Files {
			if strings.HasSuffix(f.Name, ".jsonl") {
				events = append(events, eventsOf(t, f.Data)...)
				continue
			}
			all, err := rule.ParseSigma(f.Name, f.Data, rule.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := all[0].Lower(m)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		matches, _ := compare(t, rules, nil, events)
		if matches < len(rules) {
			t.Errorf("%s: %d matches of %d rules are too few to be a test", file, matches, len(rules))
		}
	}
}

// eventsOf reads a word and an event a line, an hour apart.
func eventsOf(t testing.TB, lines []byte) (events []storage.Event) {
	t.Helper()
	for line := range strings.Lines(string(lines)) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		e := storage.Event{Time: int64(len(events)) * int64(time.Hour), Stream: "cases"}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			value := fmt.Sprint(fields[name])
			if list, is := fields[name].([]any); is {
				b, err := json.Marshal(list)
				if err != nil {
					t.Fatal(err)
				}
				value = string(b)
			}
			e.Fields = append(e.Fields, storage.Field{Name: name, Value: value})
		}
		events = append(events, e)
	}
	return events
}
