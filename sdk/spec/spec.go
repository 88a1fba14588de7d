// Package spec turns the text of a declarative parser into what its module runs: every mistake gets a line and a hint, and
// everything that costs time is decided before the first record arrives.
//
// A spec is YAML (spec.schema.json): how records are framed, templates with typed holes, constants, keys and lookup
// tables. [Parse] checks it and compiles all templates into one program for modules/parsers/declarative, which gets it
// as settings. [Suggest] proposes a spec for lines that nobody reads, and [Shape] groups such lines.
package spec

import (
	_ "embed"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/template"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// FileName is the usual name of a spec in its module's folder.
const FileName = "spec.yaml"

// EditorSchema is the JSON Schema of a spec, for completion and hints in editors. Parse checks more than it can say.
//
//go:embed spec.schema.json
var EditorSchema []byte

// Problem is one mistake in a spec.
type Problem struct {
	Line, Column int    // from 1
	Text         string // what is wrong
	Hint         string // what to do; "" when Text says it
}

// String returns "line:column: text (hint)".
func (p Problem) String() string {
	s := strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ": " + p.Text
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Error is a spec with problems. It unwraps to manifest.ErrInvalid.
type Error struct {
	File     string
	Problems []Problem
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.File + ":" + p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, manifest.ErrInvalid) true.
func (e *Error) Unwrap() error { return manifest.ErrInvalid }

// Spec is a checked and compiled spec. It is immutable.
type Spec struct {
	settings  []byte
	names     []string
	match     manifest.Match
	templates int
	program   *template.Program
}

// Settings returns what the module's vedette_init is given.
func (s *Spec) Settings() []byte { return s.settings }

// Names returns the module-local field names, in the order of their numbers.
func (s *Spec) Names() []string { return s.names }

// Match returns the signatures that route records to the spec.
func (s *Spec) Match() *manifest.Match {
	m := s.match
	return &m
}

// Templates returns the number of templates.
func (s *Spec) Templates() int { return s.templates }

// Parse reads, checks and compiles a spec. Problems are in the order of the text; with any there is no Spec.
func Parse(yaml []byte) (*Spec, []Problem) {
	r := &reader{}
	root := r.parse(yaml)
	if root == nil {
		return nil, r.sorted()
	}
	d := r.document(root)
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	l := newLowering(r, d)
	p := l.program()
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	b := p.Encode()
	if len(b) > MaxProgramBytes {
		r.add(place{1, 1}, "split it by product or program", "the spec takes %d bytes compiled, the limit is %d", len(b), MaxProgramBytes)
		return nil, r.sorted()
	}
	s := &Spec{names: l.names, match: l.match, templates: len(d.templates), program: p}
	s.settings = append(s.settings, `{"program":"`...)
	s.settings = base64.RawStdEncoding.AppendEncode(s.settings, b)
	s.settings = append(s.settings, `"}`...)
	return s, nil
}

// Check is Parse for a file: the error is an *Error.
func Check(file string, yaml []byte) (*Spec, error) {
	s, problems := Parse(yaml)
	if len(problems) > 0 {
		return nil, &Error{file, problems}
	}
	return s, nil
}
