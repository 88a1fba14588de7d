package policy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func sample(t testing.TB) (*Policy, []byte) {
	t.Helper()
	src, err := os.ReadFile("testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("policy.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	return p, src
}

// decision is one case of testdata/decisions.yaml.
type decisionCase struct {
	Name         string
	Ref          string
	Namespace    registry.Namespace
	Kind         manifest.Kind
	Capabilities []string
	Releases     []struct {
		By                              []string
		Ref, Digest, Manifest, Audience string
		Signed                          time.Time
	}
	SBOMs    []Vouched `yaml:"sboms"`
	Builds   []Built
	Reports  []Report
	Checked  *attest.Conformance
	Standing struct {
		Listed, Deprecated, Yanked, Revoked bool
	}
	IndexExpires time.Time `yaml:"index_expires"`
	Running      bool
	Want         struct {
		Allow, Stop                bool
		Scope                      string
		Signers, Reasons, Warnings []string
	}
}

func digestOf(digit, without string) registry.Digest {
	if digit == "" {
		digit = without
	}
	return registry.Digest("sha256:" + strings.Repeat(digit, 64))
}

func parts(s string) registry.Ref {
	module, version, _ := strings.Cut(s, ":")
	publisher, name, _ := strings.Cut(module, "/")
	return registry.Ref{Publisher: publisher, Name: name, Version: version}
}

func (c decisionCase) facts() Facts {
	f := Facts{
		Ref: parts(c.Ref), Digest: digestOf("", "1"), Manifest: digestOf("", "2"), Namespace: c.Namespace, Kind: c.Kind,
		Capabilities: c.Capabilities, SBOMs: c.SBOMs, Builds: c.Builds, Reports: c.Reports, Checked: c.Checked, IndexExpires: c.IndexExpires, Running: c.Running,
		Standing: registry.Standing{Listed: c.Standing.Listed, Deprecated: c.Standing.Deprecated, Yanked: c.Standing.Yanked, Revoked: c.Standing.Revoked},
	}
	if f.Kind == "" {
		f.Kind = manifest.Parser
	}
	for _, r := range c.Releases {
		ref := f.Ref
		if r.Ref != "" {
			ref = parts(r.Ref)
		}
		if r.Signed.IsZero() {
			r.Signed = now.AddDate(0, -1, 0)
		}
		f.Releases = append(f.Releases, Release{sign.Release{
			Publisher: ref.Publisher, Name: ref.Name, Version: ref.Version, Digest: digestOf(r.Digest, "1"), Manifest: digestOf(r.Manifest, "2"),
			Audience: r.Audience, Signed: r.Signed,
		}, r.By})
	}
	return f
}

func TestDecide(t *testing.T) {
	p, _ := sample(t)
	src, err := os.ReadFile("testdata/decisions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []decisionCase
	if err := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict()).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	seen := map[Code]bool{}
	for _, c := range cases {
		v := Decide(p, c.facts(), now)
		got := c
		got.Want.Allow, got.Want.Stop, got.Want.Scope, got.Want.Signers = v.Allow, v.Stop, v.Scope, v.Signers
		got.Want.Reasons, got.Want.Warnings = codes(v.Reasons), codes(v.Warnings)
		if diff := cmp.Diff(c.Want, got.Want, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
		if err := v.Err(); (err == nil) != v.Allow || err != nil && !errors.Is(err, registry.ErrUntrusted) {
			t.Errorf("%s: error %v", c.Name, err)
		}
		for _, r := range append(v.Reasons, v.Warnings...) {
			seen[r.Code] = true
			if len(r.Text) < 10 || strings.Contains(r.Text, "%!") {
				t.Errorf("%s: %s says %q", c.Name, r.Code, r.Text)
			}
		}
	}
	if len(seen) != 21 {
		t.Errorf("the cases show %d reasons of 21: %v", len(seen), seen)
	}
}

func codes(reasons []Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, string(r.Code))
	}
	return out
}

// Whatever the facts, there is an answer, the same each time, and nothing but a level sets a reason aside.
func TestDecideIsTotal(t *testing.T) {
	p, _ := sample(t)
	names := []string{"vedette-1", "acme-1", "acme-2", "lab", "own", "nobody"}
	rapid.Check(t, func(r *rapid.T) {
		c := decisionCase{
			Ref:       rapid.SampledFrom([]string{"vedette/x:1.0.0", "acme/mon-x:1.0.0", "acme/x:1.0.0", "t-7/x:1.0.0", "trial/x:1.0.0", "local/x:1.0.0", "other/x:1.0.0"}).Draw(r, "ref"),
			Namespace: registry.Namespace(rapid.SampledFrom([]int{0, 7, 8}).Draw(r, "namespace")), Running: rapid.Bool().Draw(r, "running"),
			Capabilities: rapid.SliceOf(rapid.StringMatching("[a-z*]{0,3}")).Draw(r, "capabilities"),
		}
		c.Standing.Listed, c.Standing.Yanked = rapid.Bool().Draw(r, "listed"), rapid.Bool().Draw(r, "yanked")
		c.Standing.Revoked = rapid.Bool().Draw(r, "revoked")
		if rapid.Bool().Draw(r, "index") {
			c.IndexExpires = now.Add(time.Duration(rapid.IntRange(-10, 10).Draw(r, "days")) * 24 * time.Hour)
		}
		f := c.facts()
		for range rapid.IntRange(0, 3).Draw(r, "releases") {
			f.Releases = append(f.Releases, Release{sign.Release{
				Publisher: f.Ref.Publisher, Name: f.Ref.Name, Version: f.Ref.Version, Digest: f.Digest, Manifest: f.Manifest,
				Audience: rapid.SampledFrom([]string{"", p.Audience, "x"}).Draw(r, "audience"),
				Signed:   now.Add(time.Duration(rapid.IntRange(-800, 1).Draw(r, "age")) * 24 * time.Hour),
			}, rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(r, "by")})
		}
		v := Decide(p, f, now)
		if diff := cmp.Diff(v, Decide(p, f, now)); diff != "" {
			r.Fatalf("not the same twice:\n%s", diff)
		}
		switch {
		case v.Allow && f.Standing.Revoked:
			r.Fatal("revoked, and allowed")
		case v.Allow && f.Ref.Publisher == "t-7" && f.Namespace != 7:
			r.Fatal("another organization's, and allowed")
		case v.Allow && v.Level != Audit && len(v.Reasons) > 0, !v.Allow && len(v.Reasons) == 0:
			r.Fatalf("allowed %v with %v", v.Allow, v.Reasons)
		case v.Stop != (f.Running && !v.Allow):
			r.Fatal("stop")
		}
		more := f // one more valid signature never takes away what was allowed
		more.Releases = append(more.Releases[:len(more.Releases):len(more.Releases)], Release{sign.Release{
			Publisher: f.Ref.Publisher, Name: f.Ref.Name, Version: f.Ref.Version, Digest: f.Digest, Manifest: f.Manifest, Audience: p.Audience, Signed: now,
		}, []string{"acme-1"}})
		if v.Allow && !Decide(p, more, now).Allow {
			r.Fatal("a signature more, and refused")
		}
	})
}

func TestLocalOnly(t *testing.T) {
	p := LocalOnly()
	if v := Decide(p, decisionCase{Ref: "any/x:1.0.0", Capabilities: []string{"vedette_http_v1"}}.facts(), now); !v.Allow || len(v.Warnings) != 1 {
		t.Errorf("%+v", v)
	}
}

func TestAll(t *testing.T) {
	p, _ := sample(t)
	f := decisionCase{Ref: "acme/x:1.0.0"}.facts()
	lax, strict := Decide(LocalOnly(), f, now), Decide(p, f, now)
	if v := All(lax); !v.Allow {
		t.Errorf("one: %+v", v)
	}
	for _, v := range []Verdict{All(lax, strict), All(strict, lax)} {
		if v.Allow || v.Scope != "partner" || len(v.Reasons) != len(strict.Reasons) || len(v.Warnings) != len(lax.Warnings)+len(strict.Warnings) {
			t.Errorf("both: %+v", v)
		}
	}
}

// Every problem names its line.
func TestParseSaysWhere(t *testing.T) {
	_, src := sample(t)
	for name, c := range map[string]struct{ old, new, want string }{
		"version":           {"version: 1", "version: 2", "policy.yaml:2:"},
		"unknown member":    {"audience:", "audiense:", "unknown field"},
		"unknown key":       {"allOf: [vedette-1]", "allOf: [vedette-2]", "is not among the keys"},
		"key twice":         {"anyOf: [acme-1, acme-2, lab], minimum", "anyOf: [acme-1, acme-1, lab], minimum", "twice"},
		"minimum":           {"minimum: 2", "minimum: 4", "4 of 3 keys"},
		"level":             {"level: audit", "level: lax", `"lax": want strict, audit or unsigned-allowed`},
		"moot level":        {"level: audit", "level: unsigned-allowed", "asks for no signature"},
		"glob":              {`["vedette/*"]`, `["vedette"]`, "want a glob"},
		"bad glob":          {`["vedette/*"]`, `["vedette/["]`, "want a glob"},
		"kind":              {"kinds: [monitor]", "kinds: [robot]", "want parser, monitor or rule"},
		"index":             {"index: required", "index: maybe", "want optional or required"},
		"duration":          {"max_age: 365d", "max_age: soon", "want a duration"},
		"long duration":     {"max_age: 365d", "max_age: 3651d", "at most 3650 days"},
		"negative":          {"index_grace: 3d", "index_grace: -3d", "want a duration"},
		"conformance level": {"level: 3", "level: 6", "want 0 to 5"},
		"prefix":            {"prefix: acme,", "prefix: Acme,", "publisher's name"},
		"prefix twice":      {"prefix: acme,", "prefix: vedette,", "once"},
		"no keys":           {"prefix: t-7, keys: [own]", "prefix: t-7, keys: []", "nobody could sign"},
		"threshold":         {"threshold: 1", "threshold: 3", "3 of 2 keys"},
		"no PEM":            {"-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA KEY-----", "PEM"},
		"no name":           {"name: shipped", `name: ""`, "want a name"},
		"anchor":            {"audience: soc", "audience: &x soc", "not allowed"},
		"builder":           {`["https://ci.example.com/acme"]`, `[""]`, "builder's URI"},
	} {
		text := strings.Replace(string(src), c.old, c.new, 1)
		if text == string(src) {
			t.Fatalf("%s changes nothing", name)
		}
		line := strings.Count(strings.SplitAfter(text, c.new)[0], "\n") + 1
		_, err := Parse("policy.yaml", []byte(text))
		if !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
			continue
		}
		var ps Problems
		if !errors.As(err, &ps) || ps[0].Line < line-2 || ps[0].Line > line+1 {
			t.Errorf("%s: %v, the change is in line %d", name, err, line)
		}
	}
	twice := strings.Replace(string(src), "keys:\n", "keys:\n  again: |\n"+strings.SplitAfter(strings.Split(string(src), "vedette-1: |\n")[1], "END PUBLIC KEY-----\n")[0], 1)
	if _, err := Parse("p", []byte(twice)); err == nil || !strings.Contains(err.Error(), "is the same key as") {
		t.Errorf("one key under two names: %v", err)
	}
}

func TestParseLimits(t *testing.T) {
	head := "version: 1\nscopes:\n"
	scope := "  - {name: x, modules: [\"a/b\"], level: strict}\n"
	var keys strings.Builder
	for i := range MaxKeys + 1 {
		k, err := sign.Generate(strings.NewReader(fmt.Sprintf("%032d", i)))
		if err != nil {
			t.Fatal(err)
		}
		pem, _ := k.Public().MarshalText()
		fmt.Fprintf(&keys, "  k%d: |\n    %s\n", i, strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", "\n    "))
	}
	for name, src := range map[string]string{
		"bytes":    strings.Repeat("#", MaxSourceBytes+1),
		"brackets": head + strings.Repeat("[", MaxBrackets+1),
		"depth":    head + strings.Repeat("- ", MaxDepth+1),
		"scopes":   head + strings.Repeat(scope, MaxScopes+1),
		"keys":     "version: 1\nkeys:\n" + keys.String() + "scopes:\n" + scope,
		"globs":    head + "  - {name: x, level: strict, modules: [" + strings.Repeat("a/b,", MaxGlobs+1) + "]}\n",
		"empty":    "", "text": "hello", "two": head + scope + "---\n" + head + scope, "no scope": "version: 1\nscopes: []\n", "not UTF-8": "\xff",
	} {
		if _, err := Parse("p", []byte(src)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse("p", []byte(head+scope)); err != nil {
		t.Error(err)
	}
}

// What editors are told agrees with what Parse says.
func TestEditorSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(EditorSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy")
	if err != nil {
		t.Fatal(err)
	}
	check := func(src []byte) error {
		data, err := yaml.YAMLToJSON(src)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(tree)
	}
	_, src := sample(t)
	if err := check(src); err != nil {
		t.Error(err)
	}
	for old, bad := range map[string]string{
		"version: 1": "version: 2", "audience:": "audiense:", "level: audit": "level: lax", "kinds: [monitor]": "kinds: [robot]",
		"max_age: 365d": "max_age: soon", "level: 3": "level: 6", "keys: [own]}": "keys: []}", "prefix: acme,": "prefix: Acme,",
	} {
		if check([]byte(strings.Replace(string(src), old, bad, 1))) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	_, src := sample(f)
	f.Add(src)
	f.Add([]byte("version: 1\nscopes:\n  - {name: x, modules: [\"*/*\"], level: strict}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := Parse("p", src)
		if err != nil {
			if !errors.Is(err, registry.ErrInvalid) {
				t.Fatalf("%v is of no known kind", err)
			}
			return
		}
		Decide(p, Facts{Ref: registry.Ref{Publisher: "acme", Name: "x", Version: "1.0.0"}}, now)
	})
}

// What is done for each running module each minute.
func BenchmarkDecide(b *testing.B) {
	p, _ := sample(b)
	c := decisionCase{Ref: "acme/x:1.0.0", Running: true}
	f := c.facts()
	f.Releases = []Release{{sign.Release{Publisher: "acme", Name: "x", Version: "1.0.0", Digest: f.Digest, Manifest: f.Manifest, Signed: now}, []string{"acme-1"}}}
	b.ReportAllocs()
	for b.Loop() {
		if v := Decide(p, f, now); !v.Allow {
			b.Fatal(v.Reasons)
		}
	}
}
