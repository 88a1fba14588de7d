// Package author is what `vedette module` does for the people who write modules: scaffold, build, test, inspect.
package author

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/c"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/rust"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// sdkFolder is where a scaffolded module keeps the SDK that it builds against.
const sdkFolder = ".sdk"

// New writes a module that builds, passes its test and can be installed. dir must not exist. The error wraps
// storage.ErrInvalid or ErrConflict.
func New(dir string, kind manifest.Kind) error {
	name := filepath.Base(dir)
	if !manifest.ValidName(name) {
		return fmt.Errorf("new module: name %q: want lower-case letters, digits and inner hyphens: %w", name, storage.ErrInvalid)
	}
	files, ok := templates[kind]
	if !ok {
		return fmt.Errorf("new module: kind %q: want parser, monitor or rule: %w", kind, storage.ErrInvalid)
	}
	if err := scaffold(dir, "NAME", name, files); err != nil || kind == manifest.Rule {
		return err
	}
	return writeSDK(filepath.Join(dir, sdkFolder), sdk.Source)
}

// Languages are those that New and NewIn write modules in, beside specs.
var Languages = []string{"go", "rust", "c"}

// NewIn is New in another language: "rust" or "c". Errors are those of New.
func NewIn(dir string, kind manifest.Kind, language string) error {
	name := filepath.Base(dir)
	if !manifest.ValidName(name) {
		return fmt.Errorf("new module: name %q: want lower-case letters, digits and inner hyphens: %w", name, storage.ErrInvalid)
	}
	var template, source embed.FS
	switch language {
	case "go":
		return New(dir, kind)
	case "rust":
		template, source = rust.Template, rust.Source
	case "c":
		template, source = c.Template, c.Source
	default:
		return fmt.Errorf("new module: language %q: want go, rust, c or spec: %w", language, storage.ErrInvalid)
	}
	if _, ok := templates[kind]; !ok {
		return fmt.Errorf("new module: kind %q: want parser, monitor or rule: %w", kind, storage.ErrInvalid)
	}
	files := map[string]string{}
	root := "template/" + string(kind)
	err := fs.WalkDir(template, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := template.ReadFile(path)
		files[filepath.FromSlash(strings.TrimPrefix(path, root+"/"))] = string(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("new module: %w", err)
	}
	if err := scaffold(dir, "@NAME@", name, files); err != nil {
		return err
	}
	return writeSDK(filepath.Join(dir, sdkFolder), source)
}

// NewSpec writes a parser without code, which passes its test and can be installed. dir must not exist. The error wraps
// storage.ErrInvalid or ErrConflict.
func NewSpec(dir string) error {
	name := filepath.Base(dir)
	if !manifest.ValidName(name) {
		return fmt.Errorf("new module: name %q: want lower-case letters, digits and inner hyphens: %w", name, storage.ErrInvalid)
	}
	return scaffold(dir, "NAME", name, specTemplate)
}

// scaffold writes files with the module's name in place of what stands for it.
func scaffold(dir, placeholder, name string, files map[string]string) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("new module: %s exists already: choose another folder: %w", dir, storage.ErrConflict)
	}
	for path, text := range files {
		if err := write(filepath.Join(dir, path), []byte(strings.ReplaceAll(text, placeholder, name))); err != nil {
			return err
		}
	}
	return nil
}

// writeSDK copies an SDK without its tests.
func writeSDK(dir string, source embed.FS) error {
	return fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || path == "source.go" {
			return err
		}
		text, err := source.ReadFile(path)
		if err != nil {
			return err
		}
		return write(filepath.Join(dir, filepath.FromSlash(path)), text)
	})
}

func write(path string, data []byte) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("new module: %w", err)
	}
	return nil
}

// Folder reads the module in dir, with its code when it has been built. The error names what to do next.
func Folder(dir string) (manifest.Package, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifest.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return manifest.Package{}, fmt.Errorf("%s has no %s: it is not a module (vedette module new makes one): %w", dir, manifest.FileName, storage.ErrNotFound)
	} else if err != nil {
		return manifest.Package{}, fmt.Errorf("read module: %w", err)
	}
	m, err := manifest.Parse(filepath.Join(dir, manifest.FileName), text)
	if err != nil {
		return manifest.Package{}, err
	}
	var wasm []byte
	if m.Entry.Spec != "" {
		if wasm, err = modules.Interpreter(); err != nil {
			return manifest.Package{}, fmt.Errorf("read module: %w", err)
		}
	} else if m.Entry.Wasm {
		if wasm, err = os.ReadFile(wasmFile(dir, m.Name)); errors.Is(err, fs.ErrNotExist) {
			return manifest.Package{}, fmt.Errorf("%s is not built: run vedette module build %s: %w", dir, dir, storage.ErrNotFound)
		} else if err != nil {
			return manifest.Package{}, fmt.Errorf("read module: %w", err)
		}
	}
	p, err := manifest.ReadFolder(dir, os.DirFS(dir), wasm)
	if err != nil || m.Entry.Spec == "" {
		return p, err
	}
	if _, err := spec.Check(filepath.Join(dir, m.Entry.Spec), p.Documents[0].Data); err != nil {
		return manifest.Package{}, err
	}
	return p, nil
}

func wasmFile(dir, name string) string { return filepath.Join(dir, "build", name+".wasm") }

var templates = map[manifest.Kind]map[string]string{
	manifest.Parser: {
		"main.go": `package main

import (
	"bytes"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

func init() { sdk.RegisterParser(sdk.Parser{Parse: parse}) }

func main() {}

// parse reads "door=DOOR badge=USER result=open|refused".
func parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	rest, ok := bytes.CutPrefix(r.Raw, []byte("door="))
	door, rest, ok2 := bytes.Cut(rest, []byte(" badge="))
	badge, result, ok3 := bytes.Cut(rest, []byte(" result="))
	if !ok || !ok2 || !ok3 {
		return sdk.NotMine
	}
	e.Text(ecs.EventDataset, "NAME.log", nil)
	e.Bytes(ecs.ObserverName, door, nil)
	e.Bytes(ecs.UserName, badge, nil)
	e.Bytes(ecs.EventAction, result, nil)
	return sdk.OK
}
`,
		"main_test.go": `package main

import (
	"testing"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

func TestParseNatively(t *testing.T) {
	raw := "door=north badge=ada result=open"
	var e abi.RecordsEncoder
	e.Begin(1, 1, 0)
	e.Add([]byte(raw), "test", 0, 0)
	var b sdk.Buffers
	status, out := sdk.RunParser(sdk.Parser{Parse: parse}, e.Bytes(), b.Grow(len(raw), abi.OutBytes(1, len(raw))))
	if status != abi.StatusOK {
		t.Fatalf("status %d", status)
	}
	events, err := abi.DecodeEvents(out, 1)
	if err != nil || events.Count != 1 {
		t.Fatalf("%d events: %v", events.Count, err)
	}
}
`,
		"module.yaml": `publisher: local
name: NAME
version: 0.1.0
kind: parser
title: Door controller NAME
description: Reads the lines of a door controller.
license: Apache-2.0
abi: "1.0"
entry:
  wasm: true
match:
  signatures:
    - prefix: "door="
wasi: stub
vectors: [testdata/*.txtar]
`,
		"testdata/doors.txtar": `A door that opens, a door that refuses, and a line of something else.
-- input --
door=north badge=ada result=open
door=vault badge=mallory result=refused
window=north
-- want/events.jsonl --
{"event.action":"open","event.dataset":"NAME.log","observer.name":"north","user.name":"ada"}
{"event.action":"refused","event.dataset":"NAME.log","observer.name":"vault","user.name":"mallory"}
{"outcome":"not mine"}
`,
		"go.mod": goMod, "README.md": readme, ".gitignore": "build/\n",
	},
	manifest.Monitor: {
		"main.go": `package main

import (
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func init() { sdk.RegisterMonitor(sdk.Monitor{Poll: poll}) }

func main() {}

// poll asks the granted target "target" for its front page and reports what it answered.
func poll(p *sdk.Poll) ([]byte, error) {
	r, err := sdk.HTTPGet("target", "/")
	if err != nil {
		p.Record([]byte(` + "`" + `{"event.dataset":"NAME.check","event.outcome":"failure","error.message":` + "`" + ` + strconv.Quote(err.Error()) + "}"))
		return nil, nil
	}
	p.Record([]byte(` + "`" + `{"event.dataset":"NAME.check","event.outcome":"success","http.response.status_code":` + "`" + ` + strconv.Itoa(r.Status) + "}"))
	return nil, nil
}
`,
		"module.yaml": `publisher: local
name: NAME
version: 0.1.0
kind: monitor
title: Checks NAME
description: Asks one HTTP target for its front page.
license: Apache-2.0
abi: "1.0"
entry:
  wasm: true
capabilities:
  - id: vedette_http_v1
    reason: Asks the target whether it is there.
    targets:
      - name: target
        description: What is checked.
schedule:
  interval: 30s
  jitter: 3s
wasi: stub
`,
		"go.mod": goMod, "README.md": readme, ".gitignore": "build/\n",
	},
	manifest.Rule: {
		"module.yaml": `publisher: local
name: NAME
version: 0.1.0
kind: rule
title: Refused at a door
description: Somebody is refused at the same door again and again.
license: Apache-2.0
abi: "1.0"
entry:
  documents: [rule.yaml]
`,
		"rule.yaml": `kind: pattern
id: local.NAME
name: Refused at a door
version: 0.1.0
description: Three refusals of one badge at one door within a minute.
severity: medium
subs:
  refused:
    where:
      event.action: refused
    by: [observer.name, user.name]
    having: count() >= 3
    window: 1m
incident:
  key: [observer.name, user.name]
  title: "{user.name} was refused {refused.count} times at {observer.name}"
tests:
  - name: three refusals
    events:
      - { at: 0s, fields: { event.action: refused, observer.name: vault, user.name: mallory } }
      - { at: 10s, fields: { event.action: refused, observer.name: vault, user.name: mallory } }
      - { at: 20s, fields: { event.action: refused, observer.name: vault, user.name: mallory } }
    expect: { incidents: 1 }
  - name: two badges
    events:
      - { at: 0s, fields: { event.action: refused, observer.name: vault, user.name: mallory } }
      - { at: 10s, fields: { event.action: refused, observer.name: vault, user.name: eve } }
      - { at: 20s, fields: { event.action: refused, observer.name: vault, user.name: mallory } }
    expect: { incidents: 0 }
`,
		"README.md": readme, ".gitignore": "build/\n",
	},
}

// specTemplate reads what the scaffold of a parser in Go reads.
var specTemplate = map[string]string{
	"module.yaml": `publisher: local
name: NAME
version: 0.1.0
kind: parser
title: Door controller NAME
description: Reads the lines of a door controller.
license: Apache-2.0
abi: "1.0"
entry:
  spec: spec.yaml
vectors: [testdata/*.txtar]
`,
	"spec.yaml": `# What stands around a line: none, syslog, kv or json.
framing: none
# Fields that ECS does not have stand below this name.
prefix: door
set:
  event.dataset: NAME.log
templates:
  - text: "door={observer.name:word} badge={user.name:word} result={event.action:word}{? after {event.duration:int} ms}"
    set: {event.category: [authentication]}
`,
	"testdata/doors.txtar": `A door that opens, a door that refuses, and a line of something else.
-- input --
door=north badge=ada result=open
door=vault badge=mallory result=refused after 120 ms
window=north
-- want/events.jsonl --
{"event.action":"open","event.category":["authentication"],"event.dataset":"NAME.log","observer.name":"north","related.user":["ada"],"user.name":"ada"}
{"event.action":"refused","event.category":["authentication"],"event.dataset":"NAME.log","event.duration":120,"observer.name":"vault","related.user":["mallory"],"user.name":"mallory"}
{"outcome":"not mine"}
`,
	"README.md": readmeSpec,
}

const readmeSpec = `# NAME

A parser without code: spec.yaml says what it reads.

    vedette module suggest FILE    propose a spec for lines that nobody reads
    vedette module build .         check the spec
    vedette module test .          run the cases in the sandbox
    vedette module install .       let it run on the live host
`

const goMod = `module local/NAME

go 1.24

require github.com/vedette-siem/vedette/sdk/go v0.0.0

replace github.com/vedette-siem/vedette/sdk/go => ./.sdk
`

const readme = `# NAME

    vedette module dev .       build, test and run it on the live host after each edit
    vedette module test .      run the cases in the sandbox
    vedette module bench .     what it costs
    vedette module inspect .   what it imports and asks for
    vedette module publish .   put it where others find it
    vedette module install .   check it and let it run on the live host
`
