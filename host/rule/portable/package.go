package portable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// About names the module that is made.
type About struct {
	Publisher string // "" is local
	Name      string
	Version   string // "" is 1.0.0
	Title     string // "" is the name
}

const document = "rules.yaml"

// Build compiles rules to a module: code that decides about every event, and a document that hands all of them to it. The
// errors are those of Program, and wrap manifest.ErrInvalid for names that a module may not have.
func Build(rules []*rule.Rule, lists Lists, about About) (manifest.Package, error) {
	if about.Publisher == "" {
		about.Publisher = "local"
	}
	if about.Version == "" {
		about.Version = "1.0.0"
	}
	if about.Title == "" {
		about.Title = about.Name
	}
	program, err := Program(rules, lists)
	if err != nil {
		return manifest.Package{}, err
	}
	interpreter, m, err := modules.RuleInterpreter()
	if err != nil {
		return manifest.Package{}, err
	}
	m.Publisher, m.Name, m.Version, m.Title = about.Publisher, about.Name, about.Version, about.Title
	m.Description = fmt.Sprintf("%d rules, compiled.", len(rules))
	if len(lists) > 0 {
		m.Description = fmt.Sprintf("%d rules, compiled with the values that these lists had then: %s.", len(rules), strings.Join(slices.Sorted(maps.Keys(lists)), ", "))
	}
	m.License = ""
	m.Entry = manifest.Entry{Wasm: true, Documents: []string{document}}
	p := manifest.Package{Manifest: m, Documents: []manifest.File{{Path: document, Data: documentOf(about)}}}
	if p.ManifestBytes, err = m.Canonical(); err != nil {
		return p, err
	}
	linked, err := Link(interpreter, program)
	if err != nil {
		return p, err
	}
	if p.Wasm, err = manifest.Embed(linked, p.ManifestBytes); err != nil {
		return p, err
	}
	return p, p.Check()
}

// documentOf is the document of the module: it selects every event. What is found has its own title, severity and key.
func documentOf(a About) []byte {
	return []byte(strings.NewReplacer("PUBLISHER", a.Publisher, "NAME", a.Name, "VERSION", a.Version, "TITLE", fmt.Sprintf("%q", a.Title)).Replace(`kind: pattern
id: PUBLISHER.NAME
name: TITLE
version: VERSION
severity: medium
subs:
  event:
    title: an event that a compiled rule matches
    code: true
    where: {not: {vedette.none|exists: true}}
incident:
  key: [host.name, user.name, source.ip]
  title: TITLE
`))
}
