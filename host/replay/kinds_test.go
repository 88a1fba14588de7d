package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/storage"
)

// TestIndicators: what indicators added to an event is part of it, whatever became of their set since, and a rule that
// looks at it comes to the same.
func TestIndicators(t *testing.T) {
	w := newWorld(t, "auth", "threat-indicators")
	w.feed(w.one, "feed", indicator.Indicator{Type: indicator.Address, Value: "203.0.113.9", Confidence: 90, Source: "a source"})
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 2, root, "203.0.113.9")...)
	w.send(w.one, "10.1.1.1", time.Second, ssh(w.now().Add(time.Second), "Accepted", "root", "203.0.113.9"))
	in := w.incident(w.one, "indicator-match-high", 3)
	w.feed(w.one, "feed")
	data := w.export(of(w.one), in.ID)
	if _, res := w.replay(data); res.Difference != "" || res.Enriched != 3 || res.Events != 3 {
		t.Errorf("%+v", res)
	}
	if _, res := w.replay(edited(t, data, `["threat.indicator.confidence","High"]`, `["threat.indicator.confidence","Low"]`)); !strings.Contains(res.Difference, "opens it") {
		t.Errorf("another confidence: %+v", res)
	}
}

// privilegedLogin counts logins of accounts that stand in something called name.
func privilegedLogin(name string) string {
	return `id: watched-login
name: Watched accounts fail to log in
subs:
  failed:
    where: {event.category: authentication, event.outcome: failure, user.name|in: ` + name + `}
    by: [source.ip]
    having: count() >= 3
    window: 10m
incident: {title: "{count} failures from {source.ip}"}
`
}

// TestLists: a value counts from the record that put it there to the one that took it out, of the organization and of all,
// whatever is in the list since.
func TestLists(t *testing.T) {
	w := newWorld(t, "auth")
	w.install(storage.NoTenant, "1.0.0", "watched", privilegedLogin("watched"))
	fail := func(of storage.Tenant, users ...string) {
		for _, u := range users {
			w.send(of, "10.1.1.1", time.Second, ssh(w.now(), "Failed", u, "203.0.113.5"))
		}
	}
	w.put(w.two, "watched", nil, "eva", "secret-of-two")
	fail(w.one, "eva")                                       // not in the list yet
	w.put(w.one, "watched", nil, "EVA", "never-seen", "bob") // by hand
	w.put(storage.NoTenant, "watched", nil, "root")
	fail(w.one, "eva", "bob", "carl")
	w.put(w.one, "watched", []string{"bob"}, "carl")
	fail(w.one, "bob", "root") // bob is there no more
	w.put(w.one, "watched", []string{"EVA", "carl"})
	in := w.incident(w.one, "watched-login", 1)
	data := w.export(of(w.one), in.ID)
	b, res := w.replay(data)
	if res.Difference != "" || res.Events != 3 || b.Listed != 3 || len(b.Parsers) != 1 {
		t.Errorf("%+v, %d values, %d parsers", res, b.Listed, len(b.Parsers))
	}
	for _, not := range []string{"secret-of-two", "never-seen"} {
		if bytes.Contains(data, []byte(not)) {
			t.Errorf("%s is in the export", not)
		}
	}
	if again := w.export(of(w.one), in.ID); !bytes.Equal(again, data) {
		t.Error("another export of the same incident differs")
	}
	for from, to := range map[string]string{`"value":"EVA"`: `"value":"EVE"`, `"value":"root","since":`: `"value":"root","since":9`, `"shared":true`: `"shared":false,"list":"other"`} {
		if _, res := w.replay(edited(t, data, from, to)); res.Difference == "" {
			t.Errorf("%s for %s makes no difference", to, from)
		}
	}
}

// TestTables: a rule that asks a table by its name, which got other rows since.
func TestTables(t *testing.T) {
	w := newWorld(t, "auth")
	w.table(storage.NoTenant, "watched", "root")
	w.table(w.two, "watched", "secret-of-two")
	w.install(w.one, "1.0.0", "watched", privilegedLogin("watched"))
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 2, root, "203.0.113.5")...)
	w.table(w.one, "watched", "eva") // hides the shared one
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 2, root, "203.0.113.5")...)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 1, func(int) string { return "Eva" }, "203.0.113.5")...)
	in := w.incident(w.one, "watched-login", 1)
	w.table(w.one, "watched", "nobody")
	data := w.export(of(w.one), in.ID)
	b, res := w.replay(data)
	if res.Difference != "" || res.Events != 3 || len(b.Tables) != 2 || bytes.Contains(data, []byte("secret-of-two")) {
		t.Errorf("%+v, %+v", res, b.Tables)
	}
	bad, err := replay.Read(bytes.NewReader(edited(t, data, `["eva"]`, `["eve"]`)))
	w.must(err)
	if _, err := bad.Run(t.Context(), cacheDir); err == nil {
		t.Error("a changed row of a table is not told")
	}
	if _, res := w.replay(edited(t, data, fmt.Sprintf(`"since": %d`, b.Tables[1].Since), `"since": 99999`)); res.Difference == "" {
		t.Error("a version that was not in force makes no difference")
	}
}

// TestIndicatorSetAsList: a rule that asks a set by its name.
func TestIndicatorSetAsList(t *testing.T) {
	w := newWorld(t, "auth")
	address := indicator.Indicator{Type: indicator.Address, Value: "203.0.113.0/24", Confidence: 90, Source: "a source"}
	w.install(w.one, "1.0.0", "watched", strings.ReplaceAll(privilegedLogin("feed"), "user.name|in", "source.ip|in"))
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 1, root, "203.0.113.5")...)
	w.feed(w.one, "feed", address, indicator.Indicator{Type: indicator.Address, Value: "198.18.7.7", Confidence: 90})
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 3, root, "203.0.113.5")...)
	in := w.incident(w.one, "watched-login", 1)
	data := w.export(of(w.one), in.ID)
	if _, res := w.replay(data); res.Difference != "" || res.Events != 3 || bytes.Contains(data, []byte("198.18.7.7")) {
		t.Errorf("%+v", res)
	}
	if _, res := w.replay(edited(t, data, `"value":"203.0.113.5"`, `"value":"203.0.113.6"`)); res.Difference == "" {
		t.Error("another value makes no difference")
	}
}

const newAddress = `id: new-address
name: An account logs in from an address that is new for it
subs:
  login:
    where: {event.category: authentication, event.outcome: failure}
    by: [user.name]
    first_seen: {fields: [source.ip], within: 30d, learn: 1h}
incident: {key: [user.name], title: "{user.name} from {source.ip}"}
`

// TestFirstSeen: what a rule has learnt of a key is learnt again from where it began to, through versions of its package in
// which it is the same, and forgotten where it was told to.
func TestFirstSeen(t *testing.T) {
	w := newWorld(t, "auth")
	from := func(last int, users ...string) {
		for _, u := range users {
			w.send(w.one, "10.1.1.1", time.Second, ssh(w.now(), "Failed", u, fmt.Sprintf("203.0.113.%d", last)))
		}
	}
	later := func(d time.Duration) {
		w.offset.Add(int64(d))
		w.leapt()
	}
	replayed := func(count uint64, forgets int) []byte {
		t.Helper()
		data := w.export(of(w.one), w.incident(w.one, "new-address", count).ID)
		b, res := w.replay(data)
		if res.Difference != "" || len(b.Forgets) != forgets || bytes.Contains(data, []byte("for bob")) {
			t.Errorf("%+v, %+v", res, b.Forgets)
		}
		return data
	}
	w.install(storage.NoTenant, "1.0.0", "new", newAddress)
	from(1, "root", "bob", "eva")
	later(2 * time.Hour)
	from(1, "root")
	from(2, "root")
	later(10 * time.Minute)
	data := replayed(1, 0)
	b, _ := w.replay(data)
	for name, next := range map[string]string{"seq": fmt.Sprintf(`"seq": %d`, b.Begins.Seq), "time": fmt.Sprintf(`"time": %d`, b.Begins.Time)} {
		if _, res := w.replay(edited(t, data, next, fmt.Sprintf(`"%s": %d`, name, w.now().UnixNano()))); !strings.Contains(res.Difference, "opens it") {
			t.Errorf("with another beginning (%s): %+v", name, res)
		}
	}
	w.control(module.Control{Kind: module.Relearn, Tenant: w.one, Who: "ann", Name: "new-address", Key: []string{"root"}})
	from(3, "root")
	w.install(storage.NoTenant, "1.1.0", "new", "description: Said in other words.\n"+newAddress)
	later(2 * time.Hour)
	from(4, "root")
	later(10 * time.Minute)
	data = replayed(2, 1)
	bad, err := replay.Read(bytes.NewReader(edited(t, data, "\"root\"\n   ]", "\"eva\"\n   ]")))
	w.must(err)
	if res, err := bad.Run(t.Context(), cacheDir); err == nil && res.Difference == "" {
		t.Error("that another key is forgotten makes no difference")
	}
	h := w.host()
	h.KeptSince = w.began.Add(time.Hour)
	in := w.incident(w.one, "new-address", 2)
	if err := replay.Export(t.Context(), h, of(w.one), in.ID, io.Discard); !errors.Is(err, replay.ErrCannot) || !strings.Contains(err.Error(), "events are kept since") {
		t.Errorf("when what was learnt from is gone: %v", err)
	}
	w.install(storage.NoTenant, "1.2.0", "new", strings.Replace(newAddress, "learn: 1h", "learn: 2h", 1))
	from(5, "eva")
	later(10 * time.Minute)
	in = w.incident(w.one, "new-address", 1)
	if err := replay.Export(t.Context(), w.host(), of(w.one), in.ID, io.Discard); !errors.Is(err, replay.ErrCannot) || !strings.Contains(err.Error(), "earlier version") {
		t.Errorf("a rule that took over what another version had learnt: %v", err)
	}
}

// TestBaseline: samples of a key, and of all keys that learn together.
func TestBaseline(t *testing.T) {
	for name, c := range map[string]struct {
		peers  string
		events int
	}{"alone": {"", 10}, "with peers": {", peers: host.hostname", 22}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "auth")
			w.install(w.one, "1.0.0", "usual", `id: unusual
name: More failures than usual
subs:
  failed:
    where: {event.category: authentication, event.outcome: failure}
    by: [user.name]
    having: count() > 3*stat.std + stat.mean and count() >= 5
    baseline: {least: 4`+c.peers+`}
    window: 1m
incident: {title: "{user.name} failed {count} times in a minute"}
`)
			w.offset.Add(int64(w.now().Truncate(time.Minute).Add(time.Minute).Sub(w.now()))) // each round is a window
			for range 4 {
				for _, u := range []string{"root", "eva", "bob", "ann"} {
					w.send(w.one, "10.1.1.1", time.Second, ssh(w.now(), "Failed", u, "203.0.113.5"))
				}
				w.offset.Add(int64(56 * time.Second))
			}
			w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 6, root, "203.0.113.5")...)
			w.offset.Add(int64(10 * time.Minute))
			w.leapt()
			in := w.incident(w.one, "unusual", 1)
			data := w.export(of(w.one), in.ID)
			b, res := w.replay(data)
			if res.Difference != "" || res.Events != c.events {
				t.Errorf("%+v", res)
			}
			if _, res := w.replay(edited(t, data, fmt.Sprintf(`"seq": %d`, b.Begins.Seq), fmt.Sprintf(`"seq": %d`, b.Incident.Evidence[0].ID.Seq))); !strings.Contains(res.Difference, "opens it") {
				t.Errorf("without what was learnt: %+v", res)
			}
		})
	}
}

// TestRulesOnRules: the rules that it looks at are run with it, over what they select, from where nothing was left over.
func TestRulesOnRules(t *testing.T) {
	w := newWorld(t, "auth")
	w.install(storage.NoTenant, "1.0.0", "inner", `id: some-failures
name: Some failures
subs:
  failed: {where: {event.category: authentication, event.outcome: failure}, by: [source.ip, user.name], having: count() >= 3, window: 1m}
incident: {title: "{count} failures of {user.name} from {source.ip}"}
`, `id: one-success
name: A login
subs:
  login: {where: {event.category: authentication, event.outcome: success}, by: [user.name]}
incident: {title: "{user.name} logged in"}
`)
	w.install(w.one, "1.0.0", "outer", `id: several
name: Several accounts of one address
subs:
  alarms: {rule: some-failures, by: [source.ip], having: distinct(user.name) >= 2, window: 1h}
incident: {title: "{count} accounts from {source.ip}"}
`, `id: several-and-login
name: Several accounts, then a login on the host
subs:
  several: {rule: several, where: {event.severity|gte: 2}, by: [host.hostname]}
  login: {rule: one-success, by: [host.hostname]}
expr: several -> login within 1h
incident: {title: "{host.hostname} was guessed"}
`)
	account := func(name string) func(int) string { return func(int) string { return name } }
	w.send(w.two, "10.1.1.1", time.Second, failures(w, time.Second, 3, account("secret-of-two"), "203.0.113.5")...)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 2, account("eva"), "203.0.113.5")...)
	for range 4 { // now and then, so that something is left over each time
		w.offset.Add(int64(30 * time.Second))
		w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 1, account("eva"), "203.0.113.5")...)
	}
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 3, account("other"), "203.0.113.77")...)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 4, account("root"), "203.0.113.5")...)
	w.send(w.one, "10.1.1.1", time.Second, ssh(w.now(), "Accepted", "eva", "203.0.113.5"))
	w.offset.Add(int64(10 * time.Minute))
	w.leapt()
	for _, c := range []struct {
		id    string
		inner int
	}{{"several", 1}, {"several-and-login", 3}} {
		data := w.export(of(w.one), w.incident(w.one, c.id, 1).ID)
		b, res := w.replay(data)
		if res.Difference != "" || len(b.Inner) != c.inner || bytes.Contains(data, []byte("secret-of-two")) {
			t.Errorf("%s: %+v, %+v", c.id, res, b.Inner)
		}
		if other := bytes.Contains(data, []byte("203.0.113.77")); other != (c.id == "several-and-login") {
			t.Errorf("%s: events of another address are in it: %v", c.id, other)
		}
		if _, res := w.replay(edited(t, data, `"id": "some-failures"`, `"id": "one-success"`)); res.Difference == "" {
			t.Errorf("%s: without a rule that it looks at: %+v", c.id, res)
		}
		t.Logf("%s: %+v", c.id, res)
	}
}

// lookedUp is a rule whose code looks accounts up in a table: its title is the account as the version in force wrote it.
var lookedUp = map[string]string{
	"main.go": `package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/table"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval}) }

func main() {}

var buf [1024]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	if row, err := table.Get("watched", r.Get(0), buf[:]); err == nil {
		f.Add(0, row.Value("user"), nil, r.Get(0))
	}
}
`,
	"module.yaml": `publisher: local
name: looked
version: 1.0.0
kind: rule
title: Accounts in a table
abi: "1.1"
entry: {wasm: true, documents: [rule.yaml]}
reads: [user.name]
wasi: stub
capabilities:
  - {id: vedette_lookup_v1, reason: finds accounts, targets: [{name: watched}]}
vectors: ["testdata/*.csv"]
`,
	"rule.yaml": `kind: pattern
id: looked-up
name: Accounts in a table
version: 1.0.0
severity: low
subs:
  failed: {code: true, where: {event.category: authentication, event.outcome: failure}, by: [source.ip]}
incident: {key: [source.ip], title: looked up}
tests:
  - name: an account in the table
    events: [{at: 0s, fields: {event.category: authentication, event.outcome: failure, source.ip: 192.0.2.1, user.name: eva}}]
    expect: {incidents: 1, count: 1, title: Eva}
`,
	"testdata/watched.nocase.csv": "user\nEva\n",
}

// TestTablesOfCode: code sees the version that was in force at each event, and an export without its content is refused.
func TestTablesOfCode(t *testing.T) {
	w := newWorld(t, "auth")
	w.table(storage.NoTenant, "watched", "Root")
	w.build(storage.NoTenant, "looked", lookedUp)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 1, root, "203.0.113.5")...)
	w.table(storage.NoTenant, "watched", "ROOT")
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 1, root, "203.0.113.5")...)
	in := w.incident(w.one, "looked-up", 2)
	w.table(storage.NoTenant, "watched", "nobody")
	data := w.export(of(w.one), in.ID)
	b, res := w.replay(data)
	if res.Difference != "" || res.Events != 2 || len(b.Tables) != 2 || b.Tables[0].Until == 0 {
		t.Fatalf("%+v, %+v", res, b.Tables)
	}
	if _, res := w.replay(edited(t, data, b.Tables[1].Table.Digest, b.Tables[0].Table.Digest)); res.Difference == "" {
		t.Error("another version in force makes no difference")
	}
	h := w.host()
	h.Past = forgotten{h.Past}
	if err := replay.Export(t.Context(), h, of(w.one), in.ID, io.Discard); !errors.Is(err, replay.ErrCannot) || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("without the content: %v", err)
	}
}

// forgotten is a past whose contents are gone.
type forgotten struct{ replay.Past }

func (forgotten) TableContent(context.Context, storage.Tenant, string) ([]byte, error) {
	return nil, storage.ErrNotFound
}

// TestOlderFormat: an export of the first format, which knew of events, one rule and its exceptions only.
func TestOlderFormat(t *testing.T) {
	w := newWorld(t, "auth", "ssh-brute-force")
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 15, root, "203.0.113.5")...)
	data := w.export(of(w.one), w.incident(w.one, "ssh-brute-force", 1).ID)
	b, _ := w.replay(data)
	begins, err := json.MarshalIndent(b.Begins, " ", " ")
	w.must(err)
	old := edited(t, edited(t, data, `"format": 2`, `"format": 1`), ` "begins": `+string(begins)+",\n", "")
	if b, res := w.replay(old); res.Difference != "" || res.Events == 0 || b.Begins != (replay.Begin{}) {
		t.Errorf("%+v, %+v", res, b.Begins)
	}
	if _, err := replay.Read(bytes.NewReader(edited(t, data, `"format": 2`, `"format": 3`))); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a newer one: %v", err)
	}
}

// TestLaterVersion: a rule that became another one before a person worked on the incident.
func TestLaterVersion(t *testing.T) {
	w := newWorld(t, "auth")
	rule := `id: fails
name: Failures
subs:
  failed: {where: {event.category: authentication, event.outcome: failure}, by: [source.ip], having: count() >= 3, window: 1m}
incident: {title: "{count} failures from {source.ip}"}
`
	w.install(w.one, "1.0.0", "fails", rule)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 3, root, "203.0.113.5")...)
	in := w.incident(w.one, "fails", 1)
	w.install(w.one, "2.0.0", "fails", strings.Replace(rule, ">= 3", ">= 4", 1))
	w.control(module.Control{Kind: module.Incident, Tenant: w.one, Who: "ann", IncidentID: in.ID, Action: "commented", Argument: "later"})
	if b, res := w.replay(w.export(of(w.one), in.ID)); res.Difference != "" || b.Incident.Applied <= in.Applied {
		t.Errorf("%+v", res)
	}
}
