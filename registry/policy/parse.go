package policy

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Problems is everything that is wrong with a policy, each with its place. It unwraps to registry.ErrInvalid.
type Problems []manifest.Problem

func (ps Problems) Error() string { return manifest.Problems(ps).Error() }

// Unwrap makes errors.Is(err, registry.ErrInvalid) true.
func (ps Problems) Unwrap() error { return registry.ErrInvalid }

// Parse reads a policy document. Unknown keys, anchors, aliases and tags are errors. The error is Problems, each with
// file, line and column; file is only used in it.
func Parse(file string, src []byte) (p *Policy, err error) {
	wrong := func(line int, format string, args ...any) error {
		return Problems{{File: file, Line: line, Text: fmt.Sprintf(format, args...)}}
	}
	switch {
	case len(src) > MaxSourceBytes:
		return nil, wrong(0, "%d bytes, the limit is %d", len(src), MaxSourceBytes)
	case !utf8.Valid(src):
		return nil, wrong(0, "not valid UTF-8")
	case bytes.Count(src, []byte("["))+bytes.Count(src, []byte("{")) > MaxBrackets:
		return nil, wrong(0, "more than %d opening brackets", MaxBrackets)
	}
	if line := tooDeep(src); line > 0 {
		return nil, wrong(line, "nested deeper than %d", MaxDepth)
	}
	// The YAML library is known to panic on some malformed documents; here that is one more way to be malformed.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, wrong(0, "not readable as YAML")
		}
	}()
	tree, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, Problems{yamlProblem(file, err)}
	}
	if problem := checkTree(tree); problem != nil {
		problem.File = file
		return nil, Problems{*problem}
	}
	p = &Policy{}
	if err := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict()).Decode(p); err != nil {
		return nil, Problems{yamlProblem(file, err)}
	}
	c := &check{policy: p}
	c.all()
	if len(c.problems) > 0 {
		for i := range c.problems {
			locate(file, tree, &c.problems[i])
		}
		return nil, c.problems
	}
	return p, nil
}

// tooDeep returns the line of block sequences that nest too deep within it, or of an indent that nothing needs.
func tooDeep(src []byte) int {
	line := 0
	for text := range bytes.Lines(src) {
		line++
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		if bytes.Count(text, []byte("- ")) > MaxDepth || bytes.Count(text, []byte("? ")) > MaxDepth || indent > 4*MaxDepth {
			return line
		}
	}
	return 0
}

func checkTree(tree *ast.File) *manifest.Problem {
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return &manifest.Problem{Line: 1, Text: "want exactly one YAML document"}
	}
	if _, ok := tree.Docs[0].Body.(ast.MapNode); !ok {
		return &manifest.Problem{Line: 1, Text: "want a mapping, such as version: 1"}
	}
	v := &treeCheck{}
	ast.Walk(v, tree.Docs[0].Body)
	return v.problem
}

type treeCheck struct {
	nodes   int
	problem *manifest.Problem
}

// Visit implements ast.Visitor.
func (v *treeCheck) Visit(n ast.Node) ast.Visitor {
	if v.problem != nil {
		return nil
	}
	v.nodes++
	text := ""
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		text = "anchors, aliases, merge keys and tags are not allowed"
	}
	if v.nodes > MaxNodes {
		text = fmt.Sprintf("more than %d keys and values", MaxNodes)
	}
	if text == "" {
		return v
	}
	v.problem = &manifest.Problem{Text: text}
	if t := n.GetToken(); t != nil && t.Position != nil {
		v.problem.Line, v.problem.Column = t.Position.Line, t.Position.Column
	}
	return nil
}

func yamlProblem(file string, err error) manifest.Problem {
	p := manifest.Problem{File: file, Text: err.Error()}
	var located yaml.Error
	if errors.As(err, &located) {
		p.Text = located.GetMessage()
		if t := located.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// locate fills in where a problem stands: at its own key, or at the nearest parent that the file has.
func locate(file string, tree *ast.File, p *manifest.Problem) {
	p.File = file
	for at := p.Path; at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		where, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		node, err := where.FilterFile(tree)
		if err != nil || node == nil {
			continue
		}
		if t := node.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
			return
		}
	}
	p.Line, p.Column = 1, 1
}

// check gathers what is wrong with a policy.
type check struct {
	policy   *Policy
	problems Problems
}

func (c *check) add(at, format string, args ...any) {
	c.problems = append(c.problems, manifest.Problem{Path: at, Text: fmt.Sprintf(format, args...)})
}

func (c *check) all() {
	p := c.policy
	if p.Version != 1 {
		c.add("version", "%d: this host reads version 1", p.Version)
	}
	if len(p.Audience) > sign.MaxAudienceBytes {
		c.add("audience", "%d bytes, the limit is %d", len(p.Audience), sign.MaxAudienceBytes)
	}
	c.most("keys", len(p.Keys), MaxKeys)
	c.most("publishers", len(p.Publishers), MaxPublishers)
	c.most("scopes", len(p.Scopes), MaxScopes)
	if len(c.problems) > 0 {
		return
	}
	c.keySet()
	prefixes := map[string]bool{}
	for i, o := range p.Publishers {
		at := fmt.Sprintf("publishers[%d]", i)
		if !manifest.ValidName(o.Prefix) || prefixes[o.Prefix] {
			c.add(at+".prefix", "%.80q: want a publisher's name, once", o.Prefix)
		}
		prefixes[o.Prefix] = true
		if len(o.Keys) == 0 {
			c.add(at, "want keys: nobody could sign for %s", o.Prefix)
		}
		c.keys(at+".keys", o.Keys)
		c.threshold(at+".threshold", o.Threshold, len(o.Keys))
	}
	if len(p.Scopes) == 0 {
		c.add("scopes", "want at least one: what fits no scope is refused")
	}
	for i := range p.Scopes {
		c.scope(fmt.Sprintf("scopes[%d]", i), &p.Scopes[i])
	}
}

func (c *check) most(at string, have, limit int) {
	if have > limit {
		c.add(at, "%d, the limit is %d", have, limit)
	}
}

func (c *check) keySet() {
	seen := map[sign.KeyID]string{}
	names := make([]string, 0, len(c.policy.Keys))
	for name := range c.policy.Keys {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		k := c.policy.Keys[name]
		switch other := seen[k.ID()]; {
		case !manifest.ValidName(name) || len(name) > MaxNameBytes:
			c.add("keys", "%.80q: want a name of a-z, 0-9 and -", name)
		case k.wrong != nil || k.ID() == "":
			c.add("keys."+name, "want an Ed25519 public key in PEM form: %v", k.wrong)
		case other != "": // it would count twice where two signatures are wanted
			c.add("keys."+name, "is the same key as %s", other)
		}
		seen[k.ID()] = name
	}
}

func (c *check) keys(at string, names []string) {
	c.most(at, len(names), MaxKeys)
	for i, name := range names {
		if _, ok := c.policy.Keys[name]; !ok {
			c.add(fmt.Sprintf("%s[%d]", at, i), "%.80q is not among the keys", name)
		}
		if slices.Index(names, name) != i {
			c.add(fmt.Sprintf("%s[%d]", at, i), "%.80q stands there twice", name)
		}
	}
}

func (c *check) threshold(at string, n, keys int) {
	if n < 0 || n > keys {
		c.add(at, "%d of %d keys", n, keys)
	}
}

func (c *check) scope(at string, s *Scope) {
	if s.Name == "" || len(s.Name) > MaxNameBytes {
		c.add(at+".name", "want a name of at most %d bytes", MaxNameBytes)
	}
	if len(s.Modules) == 0 || len(s.Modules) > MaxGlobs {
		c.add(at+".modules", "%d globs, want 1 to %d", len(s.Modules), MaxGlobs)
	}
	for i, glob := range s.Modules {
		if _, err := path.Match(glob, ""); err != nil || len(glob) > MaxGlobBytes || strings.Count(glob, "/") != 1 {
			c.add(fmt.Sprintf("%s.modules[%d]", at, i), `%.150q: want a glob of publisher/name, such as "acme/*"`, glob)
		}
	}
	switch s.Level {
	case Strict, Audit:
	case Unsigned:
		if len(s.Signatures.AllOf)+len(s.Signatures.AnyOf) > 0 || s.Require != (Require{}) {
			c.add(at+".level", "%s asks for no signature, and the scope for some: want strict or audit", s.Level)
		}
	default:
		c.add(at+".level", "%.80q: want %s, %s or %s", s.Level, Strict, Audit, Unsigned)
	}
	c.keys(at+".signatures.allOf", s.Signatures.AllOf)
	c.keys(at+".signatures.anyOf", s.Signatures.AnyOf)
	c.threshold(at+".signatures.minimum", s.Signatures.Minimum, len(s.Signatures.AnyOf))
	c.require(at+".require", s.Require)
	for i, k := range s.Kinds {
		if k != manifest.Parser && k != manifest.Monitor && k != manifest.Rule {
			c.add(fmt.Sprintf("%s.kinds[%d]", at, i), "%.80q: want parser, monitor or rule", k)
		}
	}
	c.most(at+".capabilities", len(s.Capabilities), manifest.MaxCapabilities)
	for i, id := range s.Capabilities {
		if id == "" || len(id) > MaxNameBytes {
			c.add(fmt.Sprintf("%s.capabilities[%d]", at, i), `want a capability such as vedette_http_v1, or "*"`)
		}
	}
	for _, d := range []struct {
		at string
		d  Duration
	}{{"max_age", s.MaxAge}, {"index_grace", s.IndexGrace}} {
		if v := time.Duration(d.d); v < 0 || v > MaxAge {
			c.add(at+"."+d.at, `want a duration of at most %d days, such as "720h" or "30d"`, MaxAge/(24*time.Hour))
		}
	}
	switch s.Index {
	case IndexOptional, IndexRequired:
	case "optional":
		s.Index = IndexOptional
	default:
		c.add(at+".index", "%.80q: want optional or required", s.Index)
	}
}

func (c *check) require(at string, r Require) {
	if r.SBOM != nil {
		c.keys(at+".sbom.keys", r.SBOM.Keys)
	}
	if r.Provenance != nil {
		c.keys(at+".provenance.keys", r.Provenance.Keys)
		c.most(at+".provenance.builders", len(r.Provenance.Builders), MaxBuilders)
		for i, b := range r.Provenance.Builders {
			if b == "" || len(b) > MaxBuilderBytes {
				c.add(fmt.Sprintf("%s.provenance.builders[%d]", at, i), "want a builder's URI of at most %d bytes", MaxBuilderBytes)
			}
		}
	}
	if r.Conformance != nil {
		c.keys(at+".conformance.keys", r.Conformance.Keys)
		if r.Conformance.Level < 0 || r.Conformance.Level > attest.MaxLevel {
			c.add(at+".conformance.level", "%d: want 0 to %d", r.Conformance.Level, attest.MaxLevel)
		}
	}
}
