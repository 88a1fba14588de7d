package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// soakPublisher is whose the modules of the soak are.
const soakPublisher = "soak"

// soakKind is a kind of module of the soak.
type soakKind struct {
	letter    string
	manifest  string
	documents map[string]string
	code      func() ([]byte, error) // nil: none
	constant  string                 // of the code, in whose place each version has its own text of the same length
	text      string
}

// soakKinds are the kinds of module that each organization of the soak runs, in turn: a module's name is the letter of its
// kind and its number.
var soakKinds = []soakKind{
	{letter: "c", code: reference("refkv"), constant: "ref.kv", text: "VERSION", manifest: `kind: parser
entry: {wasm: true}
match:
  signatures:
    - {prefix: "ref ", all: [" mod=NAME "]}
names: [ref.level]
`},
	{letter: "s", code: modules.Interpreter, manifest: `kind: parser
entry: {spec: spec.yaml}
`, documents: map[string]string{"spec.yaml": `framing: none
set: {event.dataset: VERSION}
templates:
  - text: "ref n={event.sequence:int} mod=NAME user={user.name:word} action={event.action:word} src={source.ip:ip}"
`}},
	{letter: "d", manifest: `kind: rule
entry: {documents: [rule.yaml]}
`, documents: map[string]string{"rule.yaml": `kind: pattern
id: soak-NAME
name: Soak NAME
version: 1.0.0
description: Counts what one user does.
severity: low
subs:
  seen:
    where: { user.name: uNUMBER }
    by: [user.name]
    having: count() >= 3
    window: 1m
incident:
  key: [user.name]
  title: "{user.name} did {seen.count} things, says VERSION"
clear: { after: 24h }
`}},
	{letter: "r", code: reference("refrule"), constant: "Refused login of a powerful account", text: "Refused login of an account: VERSION", manifest: `kind: rule
entry: {wasm: true, documents: [rule.yaml]}
reads: [ref.action, user.name, source.ip]
`, documents: map[string]string{"rule.yaml": `kind: pattern
id: soak-NAME
name: Soak NAME
version: 1.0.0
description: What a module says of a login.
severity: low
subs:
  login:
    code: true
    where: { ref.action: login_refused, ref.mod|endswith: "NUMBER" }
    by: [user.name]
incident:
  key: [user.name]
  title: login
clear: { after: 24h }
`}},
}

// soakName returns the name of an organization's module number i.
func soakName(i int) string {
	return fmt.Sprintf("%s%02d", soakKinds[i%len(soakKinds)].letter, i/len(soakKinds))
}

// soakMark is what a version of a soak's module writes into what it makes: a parser into event.dataset, a rule into titles.
func soakMark(version int) string { return fmt.Sprintf("v%05d", version) }

// soakPackage makes a version of an organization's module number i, ready to install. Code is that of the SDKs' reference
// modules in C, with the version in place of a text.
func soakPackage(t testing.TB, i, version int) []byte {
	t.Helper()
	kind, name := &soakKinds[i%len(soakKinds)], soakName(i)
	fill := strings.NewReplacer("NAME", name, "VERSION", soakMark(version), "NUMBER", fmt.Sprint(i/len(soakKinds)))
	about := fmt.Sprintf("publisher: %s\nname: %s\nversion: 1.0.%d\ntitle: Soak %s\nlicense: Apache-2.0\nabi: \"1.0\"\n", soakPublisher, name, version, name)
	files := fstest.MapFS{manifest.FileName: {Data: []byte(about + fill.Replace(kind.manifest))}}
	for path, text := range kind.documents {
		files[path] = &fstest.MapFile{Data: []byte(fill.Replace(text))}
	}
	p, err := manifest.ReadFolder(name, files, kind.wasm(t, fill))
	if err != nil {
		t.Fatal(err)
	}
	return tarOf(t, p)
}

// wasm is the code of a version.
func (k *soakKind) wasm(t testing.TB, fill *strings.Replacer) []byte {
	t.Helper()
	if k.code == nil {
		return nil
	}
	b, err := k.code()
	if err != nil {
		t.Fatal(err)
	}
	if k.constant == "" {
		return b
	}
	text := fill.Replace(k.text)
	if bytes.Count(b, []byte(k.constant)) != 1 || len(text) != len(k.constant) {
		t.Fatalf("%q cannot stand in the place of %q", text, k.constant)
	}
	return bytes.Replace(b, []byte(k.constant), []byte(text), 1)
}

// reference reads a reference module of the C SDK.
func reference(name string) func() ([]byte, error) {
	return func() ([]byte, error) {
		return os.ReadFile(filepath.Join(root, "conformance", "sdks", "dist", "c", name+".wasm"))
	}
}

// soakProbe is the rule, shared by all, that fires on each line of the user whose lines are timed.
const soakProbe = `kind: pattern
id: soak-probe
name: Probe
version: 1.0.0
description: The lines whose way to the console is timed.
severity: low
subs:
  seen:
    where: { user.name: probe }
incident:
  key: [user.name]
  title: probe
clear: { after: 24h }
tests:
  - name: probe
    events:
      - { at: 0s, fields: { user.name: probe } }
    expect: { incidents: 1 }
`

// soakLine is a record for an organization's module number i, which must be a parser.
func soakLine(n, i int, user string) string {
	action := "login"
	if n%7 == 0 {
		action = "login_refused"
	}
	return fmt.Sprintf("ref n=%d mod=%s user=%s action=%s src=10.0.0.%d", n, soakName(i), user, action, n%200)
}
