package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// The ledger modules read the lines that the tests send. Their versions differ visibly: each writes its number into
// every event.
const (
	ledgerParser = `package main

import (
	"bytes"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

func init() { sdk.RegisterParser(sdk.Parser{Parse: parse}) }

func main() {}

// parse reads "ledger writer=W seq=N user=U".
func parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	rest, ok := bytes.CutPrefix(r.Raw, []byte("ledger writer="))
	writer, rest, ok2 := bytes.Cut(rest, []byte(" seq="))
	seq, user, ok3 := bytes.Cut(rest, []byte(" user="))
	if !ok || !ok2 || !ok3 {
		return sdk.NotMine
	}
	e.Text(ecs.EventDataset, "e2e.ledger", nil)
	e.Text(ecs.ServiceVersion, "VERSION", nil)
	e.Bytes(ecs.ServiceName, writer, nil)
	e.Bytes(ecs.EventSequence, seq, nil)
	e.Bytes(ecs.UserName, user, nil)
	return sdk.OK
}
`
	ledgerManifest = `publisher: e2e
name: ledger
version: VERSION
kind: parser
title: Ledger
description: Reads the lines that the tests send.
license: Apache-2.0
abi: "1.0"
entry:
  wasm: true
match:
  signatures:
    - prefix: "ledger writer="
wasi: stub
`
	ledgerRule = `kind: pattern
id: e2e.busy
name: Busy user
version: 1.0.0
description: Counts what one user does.
severity: low
subs:
  seen:
    where: { event.dataset: e2e.ledger }
    by: [user.name]
    having: count() >= 25
    window: 5m
incident:
  key: [user.name]
  title: "{user.name} did {seen.count} things"
clear: { after: 24h }
tests:
  - name: none
    events:
      - { at: 0s, fields: { event.dataset: e2e.ledger, user.name: u } }
    expect: { incidents: 0 }
`
	ledgerSequence = `kind: pattern
id: e2e.handover
name: Handover
version: 1.0.0
description: One user's work is followed by another's.
severity: medium
subs:
  many:
    where: { event.dataset: e2e.ledger, user.name: u0 }
    by: [service.name]
    having: count() >= 10
    window: 5m
  then:
    where: { event.dataset: e2e.ledger, user.name: u7 }
    by: [service.name]
expr: many -> then within 2m
incident:
  key: [service.name]
  title: "{service.name} was handed over"
clear: { after: 24h }
tests:
  - name: none
    events:
      - { at: 0s, fields: { event.dataset: e2e.ledger, user.name: u0, service.name: w } }
    expect: { incidents: 0 }
`
	ruleManifest = `publisher: e2e
name: NAME
version: 1.0.0
kind: rule
title: NAME
description: A rule of the tests.
license: Apache-2.0
abi: "1.0"
entry:
  documents: [rule.yaml]
`
)

// parserPackage builds a version of the ledger parser as `vedette module build` does, and returns the tar to install.
func parserPackage(t testing.TB, version string) []byte { return parserPackageWith(t, version, "") }

// parserPackageWith adds text to the source.
func parserPackageWith(t testing.TB, version, text string) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(filepath.Join(dir, "testdata"))
	put(t, filepath.Join(dir, "main.go"), strings.ReplaceAll(ledgerParser, "VERSION", version)+text)
	put(t, filepath.Join(dir, manifest.FileName), strings.ReplaceAll(ledgerManifest, "VERSION", version))
	return pack(t, dir)
}

// rulePackage makes a declarative rule package.
func rulePackage(t testing.TB, name, document string) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	put(t, filepath.Join(dir, "rule.yaml"), document)
	put(t, filepath.Join(dir, manifest.FileName), strings.ReplaceAll(ruleManifest, "NAME", name))
	return pack(t, dir)
}

func put(t testing.TB, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func pack(t testing.TB, dir string) []byte {
	t.Helper()
	p, err := author.Build(context.Background(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	return tarOf(t, p)
}

// tarOf is a package as it is installed.
func tarOf(t testing.TB, p manifest.Package) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := layout.Pack(p, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// users is how many users the lines of a writer speak of.
const users = 17

// line is one record of a writer.
func line(writer string, seq int) string {
	return fmt.Sprintf("ledger writer=%s seq=%d user=u%d", writer, seq, seq%users)
}
