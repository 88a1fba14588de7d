package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// epoch is the wall clock of every simulated machine.
var epoch = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// doors is the parser of the simulation: it reads the scaffold's lines, panics on badge "trap", makes two events of
// result "double", calls result "broken" failed and drops result "none". VERSION tells its versions apart.
const doors = `package main

import (
	"bytes"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

func init() { sdk.RegisterParser(sdk.Parser{Parse: parse}) }

func main() {}

func parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	rest, ok := bytes.CutPrefix(r.Raw, []byte("door="))
	door, rest, ok2 := bytes.Cut(rest, []byte(" badge="))
	badge, result, ok3 := bytes.Cut(rest, []byte(" result="))
	if !ok || !ok2 || !ok3 {
		return sdk.NotMine
	}
	switch {
	case string(badge) == "trap" TRAP:
		panic("trapped")
	case string(result) == "none":
		return sdk.Drop
	case string(result) == "broken":
		return e.Fail("the result is broken")
	}
	fill(e, door, badge, result)
	if string(result) == "double" {
		e.Next()
		fill(e, door, badge, result)
	}
	return sdk.OK
}

func fill(e *sdk.Event, door, badge, result []byte) {
	e.Text(ecs.EventDataset, "doors.VERSION", nil)
	e.Bytes(ecs.ObserverName, door, nil)
	e.Bytes(ecs.UserName, badge, nil)
	if bytes.IndexByte(badge, '@') > 0 {
		e.Bytes(ecs.UserEmail, badge, nil)
	}
	e.Bytes(ecs.EventAction, result, nil)
}
`

// watched is the rule of the simulation that remembers: it counts refusals by door and badge, and reports each one with
// what it counted, so that an incident tells when one was counted twice or not at all. On badge "sneak" it remembers
// something and panics.
const watched = `package main

import (
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval}) }

func main() {}

var title [256]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	door, badge := r.Get(0), r.Get(1)
	all, _ := keys.Add(door, 1, keys.Forever)
	of, _ := window.Distinct(door, badge, time.Hour)
	n, _ := window.Count(badge, time.Hour, time.Minute, 1)
	first, _ := window.FirstSeen(badge, time.Hour)
	if string(badge) == "sneak" {
		panic("sneaked")
	}
	t := append(title[:0], door...)
	for _, v := range [...]int64{all, of, n} {
		t = strconv.AppendInt(append(t, ' '), v, 10)
	}
	f.Add(0, strconv.AppendBool(append(t, ' '), first), nil, badge)
}
`

const watchedManifest = `publisher: local
name: watched
version: VERSION.0.0
kind: rule
title: Who is refused where
abi: "1.0"
entry: {wasm: true, documents: [rule.yaml]}
reads: [observer.name, user.name]
wasi: stub
state: {version: VERSION}
capabilities:
  - {id: vedette_kv_v1, reason: counts refusals}
  - {id: vedette_window_v1, reason: counts refusals over time}
`

const watchedRule = `kind: pattern
id: local.watched
name: Who is refused where
version: VERSION.0.0
severity: low
subs:
  refused:
    code: true
    where: {event.action: refused}
    by: [observer.name]
incident: {key: [observer.name], title: refused}
`

// steps is the rule of the simulation that waits for what follows: it reports a door that a badge opens after it was refused,
// which its versions remember under different keys. It cannot migrate what it knows of badge "cursed".
const steps = `package main

import (
	"errors"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/migrate"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

func init() {
	sdk.RegisterRule(sdk.Rule{Eval: eval})
	migrate.Register(func(from uint32, k migrate.Key, to *migrate.Keys) error {
		if string(k.Name) == "1 cursed" {
			return errors.New("a curse lies on it")
		}
		to.Rename(k, append([]byte("STATE"), k.Name[1:]...))
		return nil
	})
}

func main() {}

var buf [256]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	key := append(append(buf[:0], "STATE "...), r.Get(1)...)
	if string(r.Get(0)) == "refused" {
		window.Step(key, 1, time.Hour)
	} else if was, _ := window.Step(key, 0, 0); was == 1 {
		f.Add(0, []byte("vVERSION"), nil, r.Get(1))
	}
}
`

const stepsManifest = `publisher: local
name: steps
version: VERSION.0.0
kind: rule
title: Who gets in at last
abi: "1.2"
entry: {wasm: true, documents: [rule.yaml]}
reads: [event.action, user.name]
wasi: stub
state: {version: STATE, LATER}
capabilities:
  - {id: vedette_window_v1, reason: waits for what follows}
`

const stepsRule = `kind: pattern
id: local.steps
name: Who gets in at last
version: VERSION.0.0
severity: low
subs:
  used:
    code: true
    where: {event.action: [refused, open]}
    by: [user.name]
incident: {key: [user.name], title: steps}
`

// overdue is the rule of the simulation that sets timers: a badge that was refused and opened no door within three seconds of
// log time. It fails on badge "cursed". Its versions keep their state in their own ways, and the second migrates.
const overdue = `package main

import (
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/migrate"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

func init() {
	sdk.RegisterRule(sdk.Rule{Eval: eval})
	timer.Register(due)
	migrate.Register(func(_ uint32, k migrate.Key, to *migrate.Keys) error {
		to.Keep(k)
		return nil
	})
}

func main() {}

var buf [256]byte

func eval(r *sdk.Row, _ *sdk.Findings) {
	badge := r.Get(1)
	if string(r.Get(0)) == "open" {
		timer.Cancel(badge)
		return
	}
	keys.Put(badge, r.Ref(), time.Hour)
	timer.Set(badge, r.LogTime()+int64(3*time.Second))
}

func due(t *sdk.Timer, f *sdk.Findings) {
	ref, err := keys.Get(t.Key, buf[:])
	if string(t.Key) == "cursed" || err != nil {
		panic("a curse lies on it")
	}
	f.Report(abi.Finding{
		Severity: abi.SeverityHigh, Title: append([]byte("vVERSION "), t.Key...), Key: append([]byte("user.name="), t.Key...), Evidence: ref,
	})
}
`

const overdueManifest = `publisher: local
name: overdue
version: VERSION.0.0
kind: rule
title: Who gets in nowhere
abi: "1.3"
entry: {wasm: true, documents: [rule.yaml]}
reads: [event.action, user.name]
wasi: stub
state: {version: STATE, LATER}
capabilities:
  - {id: vedette_kv_v1, reason: remembers the refusal}
  - {id: vedette_timer_v1, reason: waits for what follows}
`

const overdueRule = `kind: pattern
id: local.overdue
name: Who gets in nowhere
version: VERSION.0.0
severity: low
subs:
  used:
    code: true
    where: {event.action: [refused, open]}
    by: [user.name]
incident: {key: [user.name], title: overdue}
tests:
  - name: a badge that opens nothing
    events:
      - {at: 0s, fields: {event.action: refused, user.name: b7}}
      - {at: 0s, fields: {event.action: refused, user.name: b8}}
      - {at: 2s, fields: {event.action: open, user.name: b8}}
    until: 5s
    expect: {incidents: 1, count: 1, title: vVERSION b7}
`

// follows is the same without code. Its second version looks at more events.
const followsManifest = `publisher: local
name: follows
version: VERSION.0.0
kind: rule
title: Who gets in at last
abi: "1.0"
entry: {documents: [rule.yaml]}
`

const followsRule = `kind: pattern
id: local.follows
name: Who gets in at last
version: VERSION.0.0
severity: low
subs:
  refused: {where: {event.action: refused}, by: [user.name]}
  opened: {where: {event.action: [open, "vVERSION"]}, by: [user.name]}
expr: refused -> opened within 10m
incident: {key: [user.name], title: "vVERSION"}
`

// listed is the rule of the simulation that looks badges up in a table: its title says what the version in force said.
const listed = `package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/table"
)

func init() { sdk.RegisterRule(sdk.Rule{Eval: eval}) }

func main() {}

var buf [1024]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	if ok, _ := table.Has("badges", r.Get(1)); !ok {
		return
	}
	row, err := table.Get("badges", r.Get(1), buf[:])
	if err != nil {
		return
	}
	f.Add(0, row.Value("why"), nil, r.Get(1))
}
`

const listedManifest = `publisher: local
name: listed
version: 1.0.0
kind: rule
title: Badges on a list
abi: "1.1"
entry: {wasm: true, documents: [rule.yaml]}
reads: [observer.name, user.name]
wasi: stub
capabilities:
  - {id: vedette_set_v1, reason: finds badges, targets: [{name: badges}]}
  - {id: vedette_lookup_v1, reason: says why, targets: [{name: badges}]}
vectors: ["testdata/*.csv"]
`

const listedRule = `kind: pattern
id: local.listed
name: Badges on a list
version: 1.0.0
severity: low
subs:
  used:
    code: true
    where: {event.action: refused}
    by: [observer.name]
incident: {key: [observer.name], title: listed}
tests:
  - name: a badge on the list
    events: [{at: 0s, fields: {event.action: refused, observer.name: north, user.name: B7}}, {at: 1s, fields: {event.action: refused, observer.name: north, user.name: b8}}]
    expect: {incidents: 1, count: 1, title: lost}
`

// contents serves tables by digest.
type contents struct {
	mu sync.Mutex
	by map[string][]byte
}

func (c *contents) TableContent(_ context.Context, _ storage.Tenant, digest string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.by[digest]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("table %s: %w", digest, storage.ErrNotFound)
}

// set returns the control record that puts a table of badges and reasons.
func (c *contents) set(tb testing.TB, t storage.Tenant, rows ...string) module.Control {
	tb.Helper()
	x, err := table.Read(index.NoCase, table.CSV, []byte("badge,why\n"+strings.Join(rows, "\n")))
	if err != nil {
		tb.Fatal(err)
	}
	b, digest, err := table.Encode(x)
	if err != nil {
		tb.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[digest] = b
	return module.Control{Kind: module.SetTable, Tenant: t, Name: "badges", Who: "sim", Table: &module.Table{
		Name: "badges", Digest: digest, Kind: x.Kind(), Columns: x.Columns(), Rows: x.Len(), Bytes: len(b),
	}}
}

// put keeps a text under its digest.
func (c *contents) put(text []byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[indicator.Digest(text)] = text
	return indicator.Digest(text)
}

// packages serves modules by digest.
type packages struct{ by sync.Map }

func (p *packages) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	if a, ok := p.by.Load(d); ok {
		return a.(registry.Artifact), nil
	}
	return registry.Artifact{}, fmt.Errorf("pull %s: %w", d, registry.ErrNotFound)
}

func (p *packages) add(a registry.Artifact) string {
	d := manifest.Sum(append(slices.Clone(a.ManifestBytes), a.Wasm...))
	p.by.Store(registry.Digest(d), a)
	return d
}

// world is what simulated machines share: compiled modules.
type world struct {
	packages *packages
	runtime  *runtime.Host
	v1, v2   string // digests of the parser; both panic on badge "trap", v2 also on "sneak"
	rule     string // digest of the rule of the scaffold: three refusals in a minute
	badRule  string // another module with a rule of the same id
	ownRule  string // a tenant's own version of the rule: two refusals suffice

	watched1, watched2 string    // digests of the rule that remembers; 2 keeps it in another way
	steps              [4]string // digests of the rule that waits: 1 and 2 share their state, 3 migrates it, 4 looks back
	follows            [2]string
	overdue            [2]string // digests of the rule that sets timers: 2 migrates them
	listed             string    // digest of the rule that looks into a table
	listing            string    // digest of rules of which one writes to a list and another reads it
	tables             *contents
}

var theWorld = sync.OnceValues(makeWorld)

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w, err := theWorld()
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// TestMain removes what makeWorld built.
func TestMain(m *testing.M) {
	code := m.Run()
	if w, err := theWorld(); err == nil {
		_ = w.runtime.Close(context.Background())
	}
	os.RemoveAll(worldDir())
	os.Exit(code)
}

var worldDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "vedette-pipeline-")
	if err != nil {
		panic(err)
	}
	return dir
})

func makeWorld() (*world, error) {
	ctx, dir := context.Background(), worldDir()
	w := &world{packages: &packages{}, tables: &contents{by: map[string][]byte{}}}
	edit := func(name string, kind manifest.Kind, change func(file, text string) string) (string, error) {
		at := filepath.Join(dir, name, "doors")
		if kind == manifest.Rule {
			at = filepath.Join(dir, name, "refused")
		}
		if err := author.New(at, kind); err != nil {
			return "", err
		}
		for _, file := range []string{"module.yaml", "main.go", "rule.yaml"} {
			text, err := os.ReadFile(filepath.Join(at, file))
			if errors.Is(err, os.ErrNotExist) {
				continue
			} else if err != nil {
				return "", err
			}
			if err := os.WriteFile(filepath.Join(at, file), []byte(change(file, string(text))), 0o600); err != nil {
				return "", err
			}
		}
		p, err := author.Build(ctx, at, author.StandardGo)
		if err != nil {
			return "", err
		}
		return w.packages.add(p), nil
	}
	parser := func(version, trap string) func(string, string) string {
		return func(file, text string) string {
			if file == "main.go" {
				return strings.NewReplacer("VERSION", version, "TRAP", trap).Replace(doors)
			}
			return strings.Replace(text, "version: 0.1.0", "version: "+version[1:]+".0.0", 1)
		}
	}
	swap := func(old, new string) func(string, string) string {
		return func(_, text string) string { return strings.ReplaceAll(text, old, new) }
	}
	keptAs := map[string]string{"1": "1", "2": "1", "3": "2", "4": "3"} // state versions of steps
	later := func(version string) string {
		if version == "4" {
			return "look_back: 2h"
		}
		return "compatible_from: 1"
	}
	coded := func(name, version string, files map[string]string) (string, error) {
		at := filepath.Join(dir, name+version, name)
		kind := manifest.Parser
		if files["main.go"] == "" {
			kind = manifest.Rule
		}
		if err := author.New(at, kind); err != nil {
			return "", err
		}
		for file, text := range files {
			text = strings.NewReplacer("VERSION", version, "STATE", keptAs[version], "LATER", later(version)).Replace(text)
			if err := os.WriteFile(filepath.Join(at, file), []byte(text), 0o600); err != nil {
				return "", err
			}
		}
		p, err := author.Build(ctx, at, author.StandardGo)
		if err != nil {
			return "", err
		}
		return w.packages.add(p), nil
	}
	remembers := map[string]string{"module.yaml": watchedManifest, "main.go": watched, "rule.yaml": watchedRule}
	looksUp := map[string]string{
		"module.yaml": listedManifest, "main.go": listed, "rule.yaml": listedRule, "testdata/badges.nocase.csv": "badge,why\nb7,lost\n",
	}
	waits := map[string]string{"module.yaml": stepsManifest, "main.go": steps, "rule.yaml": stepsRule}
	follow := map[string]string{"module.yaml": followsManifest, "rule.yaml": followsRule}
	late := map[string]string{"module.yaml": overdueManifest, "main.go": overdue, "rule.yaml": overdueRule}
	lists := map[string]string{"module.yaml": listingManifest, "writes.yaml": writesRule, "reads.yaml": readsRule}
	var errs [17]error
	w.v1, errs[0] = edit("v1", manifest.Parser, parser("v1", ""))
	w.v2, errs[1] = edit("v2", manifest.Parser, parser("v2", `|| string(badge) == "sneak"`))
	w.rule, errs[2] = edit("rule", manifest.Rule, swap("\x00", ""))
	w.badRule, errs[3] = edit("bad", manifest.Rule, swap("name: refused", "name: other"))
	w.ownRule, errs[4] = edit("own", manifest.Rule, swap(">= 3", ">= 2"))
	w.watched1, errs[5] = coded("watched", "1", remembers)
	w.watched2, errs[6] = coded("watched", "2", remembers)
	w.listed, errs[7] = coded("listed", "", looksUp)
	for i, version := range []string{"1", "2", "3", "4"} {
		w.steps[i], errs[8+i] = coded("steps", version, waits)
	}
	for i, version := range []string{"1", "2"} {
		w.follows[i], errs[12+i] = coded("follows", version, follow)
	}
	for i, version := range []string{"1", "3"} {
		w.overdue[i], errs[14+i] = coded("overdue", version, late)
	}
	w.listing, errs[16] = coded("listing", "", lists)
	var err error
	w.runtime, err = runtime.New(ctx, runtime.Config{CacheDir: filepath.Join(dir, "cache"), Instances: 2})
	return w, errors.Join(append(errs[:], err)...)
}

func (w *world) library() *module.Library {
	return module.NewLibrary(w.packages, w.runtime, func(storage.Tenant, string) []runtime.Target { return nil }).With(table.Kept{From: w.tables}).WithIndicators(indicator.Kept{From: w.tables})
}
