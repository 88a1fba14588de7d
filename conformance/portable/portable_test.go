// Package portable_test compares rules that were compiled to Wasm with the matcher that runs them natively.
package portable_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/rule/portable"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

const root = "../.."

// documents reads the rules below a folder, those left out that cannot be compiled because they have code.
func documents(t testing.TB, dir fs.FS, o rule.Options) []*rule.Rule {
	t.Helper()
	f, err := rule.ReadFolder(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(f.Rules, func(r *rule.Rule) bool {
		_, err := portable.Program([]*rule.Rule{r})
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
func load(t testing.TB, rules []*rule.Rule) *runtime.Module {
	t.Helper()
	p, err := portable.Build(rules, portable.About{Name: "compiled"})
	if err != nil {
		t.Fatal(err)
	}
	host, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(t.Context()) })
	m, err := host.Load(t.Context(), runtime.ModuleSpec{
		Digest: manifest.Sum(p.Wasm), Wasm: p.Wasm, Kind: manifest.Rule, WASIStub: p.Manifest.WASI == manifest.WASIStub, Limits: p.Manifest.Limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const batch = 256

// compare matches events natively, with the interpreter natively, and with the module in the sandbox, and requires the same
// of all. It returns how many matches there were, and how long each took.
func compare(t *testing.T, rules []*rule.Rule, events []storage.Event) (matches int, took [3]time.Duration) {
	t.Helper()
	set, err := detect.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	code, err := portable.Program(rules)
	if err != nil {
		t.Fatal(err)
	}
	program, err := interp.Read(code)
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, rules)
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
			for _, h := range set.Match(&part[i], &sc) {
				want[i] = append(want[i], keyOf(h))
			}
			matches += len(want[i])
		}
		took[0] += time.Since(at)
		in := encode(&rows, part)
		at = time.Now()
		for i := range part {
			said[i] = said[i][:0]
			for _, n := range program.Match(cell(&part[i])) {
				said[i] = append(said[i], string(program.Rules[n].Key))
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
			t.Fatalf("%s says %q, want %q, of %+v", who, got[i], want[i], events[i].Fields)
		}
	}
}

// values gathers, from what rules test, fields with values that pass or nearly do.
func values(p rule.Pred, out map[string][]string) {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			values(q, out)
		}
	case rule.AnyOf:
		for _, q := range p {
			values(q, out)
		}
	case rule.Not:
		values(p.Of, out)
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
		if p.Op == rule.OpExists {
			out[p.Field] = append(out[p.Field], "something")
		}
	}
}

// made makes events of the values that rules look for.
func made(r *rand.Rand, rules []*rule.Rule, n int) []storage.Event {
	by := make([]map[string][]string, len(rules))
	for i, x := range rules {
		by[i] = map[string][]string{}
		for s := range x.Subs {
			values(x.Subs[s].Match.Where, by[i])
		}
	}
	events := make([]storage.Event, n)
	for i := range events {
		e := &events[i]
		for range 1 + r.IntN(3) { // values of a few rules together
			of := by[r.IntN(len(by))]
			for field, list := range of {
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
	rules := documents(t, os.DirFS(root+"/modules/rules"), rule.Options{})
	own := documents(t, os.DirFS("testdata"), rule.Options{})
	if len(rules) < 20 || len(own) < 8 {
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
	events = append(events, made(rand.New(rand.NewPCG(1, 2)), rules, 4000)...)
	matches, _ := compare(t, rules, events)
	if matches < 2000 {
		t.Errorf("%d matches of %d events are too few to be a test", matches, len(events))
	}
	t.Logf("%d rules, %d events, %d matches", len(rules), len(events), matches)
}
