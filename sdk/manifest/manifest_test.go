package manifest

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted results in testdata")

func cases(t testing.TB, name string) (*txtar.Archive, map[string]string) {
	t.Helper()
	a, err := txtar.ParseFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	return a, files
}

func TestCanonical(t *testing.T) {
	a, files := cases(t, "valid.txtar")
	for i, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok {
			continue
		}
		m, err := Parse(f.Name, f.Data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := m.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			a.Files[i+1].Data = append(got, '\n')
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(files[name+".json"]), string(got)); diff != "" {
			t.Errorf("%s: canonical form (-want +got):\n%s", name, diff)
		}
		again, err := Decode(got)
		if err != nil {
			t.Errorf("%s: decoding the canonical form: %v", name, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("%s: canonical form does not say the same (-yaml +json):\n%s", name, diff)
		}
	}
	if *update {
		write(t, "testdata/valid.txtar", a)
	}
}

func TestProblemsNamePositions(t *testing.T) {
	a, files := cases(t, "invalid.txtar")
	sound := "publisher: vedette\nname: p\nversion: 1.0.0\nkind: parser\ntitle: T\nabi: \"1.0\"\nentry: {wasm: true}\n"
	for i, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok {
			continue
		}
		_, err := Parse("m.yaml", []byte(strings.Replace(string(f.Data), "...\n", sound, 1)))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v does not wrap ErrInvalid", name, err)
		}
		if *update {
			a.Files[i+1].Data = []byte(err.Error() + "\n")
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(files[name+".want"]), err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if *update {
		write(t, "testdata/invalid.txtar", a)
	}
}

func write(t *testing.T, name string, a *txtar.Archive) {
	t.Helper()
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDecodeRefusesOtherForms(t *testing.T) {
	_, files := cases(t, "valid.txtar")
	sound := strings.TrimSpace(files["declarative.json"])
	for name, text := range map[string]string{
		"white space":     sound + "\n",
		"other order":     strings.Replace(sound, `{"abi":"1.0",`, `{`, 1)[:len(sound)-13-1] + `,"abi":"1.0"}`,
		"empty optional":  strings.Replace(sound, `{"abi"`, `{"description":"","abi"`, 1),
		"unknown key":     strings.Replace(sound, `"kind"`, `"kinds":1,"kind"`, 1),
		"duplicate key":   strings.Replace(sound, `"kind":"rule"`, `"kind":"rule","kind":"rule"`, 1),
		"other key case":  strings.Replace(sound, `"kind"`, `"Kind"`, 1),
		"escape":          strings.Replace(sound, `vedette`, `vedett\u0065`, 1),
		"second value":    sound + sound,
		"deep":            `{"settings":` + strings.Repeat("[", 100_000),
		"not an object":   `[]`,
		"empty":           ``,
		"invalid content": strings.Replace(sound, `"rule"`, `"rules"`, 1),
	} {
		if _, err := Decode([]byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := Decode([]byte(sound)); err != nil {
		t.Errorf("the sound one: %v", err)
	}
}

func TestCheckSettings(t *testing.T) {
	_, files := cases(t, "valid.txtar")
	m, err := Parse("parser.yaml", []byte(files["parser.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want, err string }{
		{in: ``, want: `{}`},
		{in: ` { "timezone" : "Europe/Berlin" , "ratio": 1.50 } `, want: `{"ratio":1.5,"timezone":"Europe/Berlin"}`},
		{in: `{"timezone": 3}`, err: "at '/timezone': got number, want string"},
		{in: `{"zone": "x"}`, err: "additional properties 'zone' not allowed"},
		{in: `{`, err: "unexpected end"},
		{in: `[]`, err: "want object"},
		{in: strings.Repeat("[", MaxDepth+1), err: "deeper"},
		{in: `"` + strings.Repeat("x", MaxSettingsBytes) + `"`, err: "the limit is 32768"},
	} {
		got, err := m.CheckSettings([]byte(c.in))
		switch {
		case c.err == "" && (err != nil || string(got) != c.want):
			t.Errorf("%.40s: got %s, %v; want %s", c.in, got, err, c.want)
		case c.err != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%.40s: got error %v, want one with %q", c.in, err, c.err)
		}
	}
	m.Settings = nil
	if _, err := m.CheckSettings([]byte(`{"a":1}`)); !errors.Is(err, ErrInvalid) {
		t.Errorf("settings without a schema: got %v, want ErrInvalid", err)
	}
}

// Every limit of a manifest, one over; each case is accepted with one less.
func TestLimitsOneOver(t *testing.T) {
	list := func(n, bytes int) []string {
		l := make([]string, n)
		for i := range l {
			l[i] = strings.Repeat("x", bytes-4) + string([]byte{'a' + byte(i/17576%26), 'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
		}
		return l
	}
	for name, set := range map[string]func(m *Manifest, over int){
		"publisher":   func(m *Manifest, over int) { m.Publisher = strings.Repeat("p", MaxNameBytes+over) },
		"title":       func(m *Manifest, over int) { m.Title = strings.Repeat("p", MaxTitleBytes+over) },
		"version":     func(m *Manifest, over int) { m.Version = "1.0.0-" + strings.Repeat("a", MaxVersionBytes-6+over) },
		"description": func(m *Manifest, over int) { m.Description = strings.Repeat("p", MaxTextBytes+over) },
		"source":      func(m *Manifest, over int) { m.Source = "https://a/" + strings.Repeat("p", MaxURLBytes-10+over) },
		"signatures":  func(m *Manifest, over int) { m.Match.Signatures = make([]Signature, MaxSignatures+over); fill(m) },
		"literals":    func(m *Manifest, over int) { m.Match.Signatures[0].All = list(MaxLiterals+over, 4) },
		"literal":     func(m *Manifest, over int) { m.Match.Signatures[0].Any = list(1, MaxLiteralBytes+over) },
		"prefix":      func(m *Manifest, over int) { m.Match.Signatures[0].Prefix = strings.Repeat("p", MaxLiteralBytes+over) },
		"priority":    func(m *Manifest, over int) { m.Match.Signatures[0].Priority = MaxPriority + over },
		"names":       func(m *Manifest, over int) { m.Names = list(MaxLocalNames+over, 4) },
		"name":        func(m *Manifest, over int) { m.Names = list(1, MaxFieldNameBytes+over) },
		"paths":       func(m *Manifest, over int) { m.Vectors = list(MaxPaths+over, 4) },
		"path":        func(m *Manifest, over int) { m.Vectors = list(1, MaxPathBytes+over) },
		"memory":      func(m *Manifest, over int) { m.Limits.MemoryPages = uint32(MaxMemoryPages + over) },
		"fuel":        func(m *Manifest, over int) { m.Limits.FuelPerRecord = uint64(MaxFuel + over) },
		"targets":     func(m *Manifest, over int) { m.Capabilities = lookups(list(MaxTargets+over, 4)) },
		"settings":    func(m *Manifest, over int) { m.Settings = sized(MaxSettingsBytes + over) },
		"target":      func(m *Manifest, over int) { m.Capabilities = lookups(list(1, MaxNameBytes+over)) },
	} {
		for over := range 2 {
			_, files := cases(t, "valid.txtar")
			m, err := Parse("parser.yaml", []byte(files["parser.yaml"]))
			if err != nil {
				t.Fatal(err)
			}
			set(&m, over)
			if err := m.Validate(); (err != nil) != (over == 1) {
				t.Errorf("%s, %d over the limit: got %v", name, over, err)
			}
		}
	}
	if _, err := Parse("m.yaml", bytes.Repeat([]byte("#"), MaxSourceBytes+1)); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("a file one over MaxSourceBytes: got %v", err)
	}
}

func fill(m *Manifest) {
	for i := range m.Match.Signatures {
		m.Match.Signatures[i].Prefix = "p"
	}
}

func lookups(names []string) []Capability {
	c := Capability{ID: "vedette_lookup_v1", Reason: "r"}
	for _, n := range names {
		c.Targets = append(c.Targets, Target{Name: n})
	}
	return []Capability{c}
}

func sized(n int) Schema {
	const head, tail = `{"description":"`, `","type":"object"}`
	return Schema(head + strings.Repeat("x", n-len(head)-len(tail)) + tail)
}

func TestSpecificity(t *testing.T) {
	s := Signature{Prefix: "<", All: []string{"ab", "cde"}, Any: []string{"longer", "min"}}
	if got := s.Specificity(); got != 1+2+3+3 {
		t.Errorf("got %d, want 9", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"valid.txtar", "invalid.txtar"} {
		a, _ := cases(f, name)
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := Parse("m.yaml", src)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v does not wrap ErrInvalid", err)
			}
			return
		}
		b, err := m.Canonical()
		if err != nil {
			t.Fatalf("accepted, but has no canonical form: %v", err)
		}
		again, err := Decode(b)
		if err != nil {
			t.Fatalf("canonical form is refused: %v\n%s", err, b)
		}
		b2, err := again.Canonical()
		if err != nil || !bytes.Equal(b, b2) {
			t.Fatalf("canonical form changes: %v\n%s\n%s", err, b, b2)
		}
	})
}
