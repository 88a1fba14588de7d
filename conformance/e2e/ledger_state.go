package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// The ledger rule that remembers counts every line of a writer for ever, and its titles tell the sum: whatever was counted
// twice, or not, shows in the incident. Every 997th line makes it panic after it has counted, which must leave no trace.
const (
	ledgerTally = `package main

import (
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval}) }

func main() {}

var title [128]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	sum, err := keys.Add(r.Get(0), 1, keys.Forever)
	n, err2 := window.Count(r.Get(0), time.Hour, time.Minute, 1)
	users, err3 := window.Distinct(r.Get(0), r.Get(1), time.Hour)
	if seq, _ := strconv.Atoi(string(r.Get(2))); seq%997 == 996 || err != nil || err2 != nil || err3 != nil {
		panic("after it has counted")
	}
	if sum%10 != 0 {
		return
	}
	t := strconv.AppendInt(title[:0], sum, 10)
	t = strconv.AppendInt(append(t, " lines, in an hour "...), n, 10)
	f.Add(0, strconv.AppendInt(append(t, " of users "...), users, 10), nil, nil)
}
`
	ledgerTallyManifest = `publisher: e2e
name: tally
version: 1.0.0
kind: rule
title: Tally
description: Counts lines.
license: Apache-2.0
abi: "1.1"
entry: {wasm: true, documents: [rule.yaml]}
reads: [service.name, user.name, event.sequence]
wasi: stub
capabilities:
  - {id: vedette_kv_v1, reason: counts lines}
  - {id: vedette_window_v1, reason: counts lines of an hour}
`
	ledgerTallyRule = `kind: pattern
id: e2e.tally
name: Tally
version: 1.0.0
description: Counts every line of a writer.
severity: low
subs:
  seen:
    code: true
    where: { event.dataset: e2e.ledger, user.name: [u0, u1, u2, u3] }
    by: [service.name]
incident:
  key: [service.name]
  title: tally
clear: { after: 24h }
`
)

// tallyPackage builds the rule that remembers.
func tallyPackage(t testing.TB) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tally")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(filepath.Join(dir, "testdata"))
	put(t, filepath.Join(dir, "main.go"), ledgerTally)
	put(t, filepath.Join(dir, "rule.yaml"), ledgerTallyRule)
	put(t, filepath.Join(dir, manifest.FileName), ledgerTallyManifest)
	return pack(t, dir)
}
