// Package guests holds the modules that the conformance suite hands to hosts, and builds those that are too large to
// keep.
package guests

import (
	"embed"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"
)

//go:embed guests.txtar wasm/*.wasm
var files embed.FS

// SourceFile holds the guests' texts, as this package's folder sees it.
const SourceFile = "guests.txtar"

// Wasm returns a guest: one of guests.txtar, or a built one.
func Wasm(name string) ([]byte, error) {
	if build, ok := built[name]; ok {
		return build(), nil
	}
	b, err := files.ReadFile("wasm/" + name + ".wasm")
	if err != nil {
		return nil, fmt.Errorf("guest %s: %w", name, err)
	}
	return b, nil
}

// Source is one guest's text with everything in it.
type Source struct {
	Name, Text string
	Flags      []string // for wat2wasm
}

// Sources returns the guests of guests.txtar, complete.
func Sources() ([]Source, error) {
	text, err := files.ReadFile(SourceFile)
	if err != nil {
		return nil, fmt.Errorf("guests: %w", err)
	}
	var parts []string
	var out []Source
	archive := txtar.Parse(text)
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, "@") {
			parts = append(parts, "("+f.Name+")\n", string(f.Data))
		}
	}
	fill := strings.NewReplacer(parts...)
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".wat")
		if !ok {
			continue
		}
		s := Source{Name: name, Text: fill.Replace(fill.Replace(string(f.Data)))} // a part may hold one more
		if flags, ok := strings.CutPrefix(s.Text, ";; flags:"); ok {
			line, _, _ := strings.Cut(flags, "\n")
			s.Flags = strings.Fields(line)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("guests: there are none")
	}
	return out, nil
}
