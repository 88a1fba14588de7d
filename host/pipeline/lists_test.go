package pipeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// listing are the rules of the simulation of which one writes to a list what the other finds there: badges that were
// refused, and then open a door.
const listingManifest = `publisher: local
name: listing
version: 1.0.0
kind: rule
title: Refused badges that open doors
abi: "1.0"
entry: {documents: [writes.yaml, reads.yaml]}
`

const writesRule = `kind: pattern
id: local.writes
name: A badge was refused
version: 1.0.0
severity: informational
subs:
  refused: {where: {event.action: refused}, by: [user.name]}
incident: {key: [user.name], title: "{user.name} was refused"}
watchlist: [{name: refused-badges, value: user.name, ttl: 1h}]
`

const readsRule = `kind: pattern
id: local.reads
name: A refused badge opened a door
version: 1.0.0
severity: high
subs:
  opened: {where: {event.action: open, user.name|in: refused-badges}, by: [user.name]}
incident: {key: [user.name], title: "{user.name} opened a door"}
`

const listingName = "local/listing"

// listingMachine runs the rules that write and read.
func listingMachine(t *testing.T, step func(string) error) (*machine, *running) {
	t.Helper()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p := start(t, m.config(2, time.Hour), step)
	for name, digest := range map[string]string{parserName: w.v1, listingName: w.listing} {
		last := m.control(t, module.Control{Kind: module.Activate, Name: name, Digest: digest, Who: "sim"})
		if err := p.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
	return m, p
}

// settled waits until nothing follows any more from what is in the log.
func settled(tb testing.TB, m *machine, p *running) {
	tb.Helper()
	for last := uint64(0); last != m.queue.Last(); {
		last = m.queue.Last()
		if err := p.Wait(tb.Context(), last); err != nil {
			tb.Fatal(err)
		}
	}
}

// fired returns how often a rule fired for an organization, over its incidents.
func fired(t *testing.T, m *machine, of storage.Tenant, rule string) (n int) {
	t.Helper()
	for _, in := range incidents(t, m, storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{of}}) {
		if in.Rule == rule {
			n += int(in.Count)
		}
	}
	return n
}

// What one rule writes, another sees from the control record's place in the log on, in its organization only.
func TestRulesWriteAndRead(t *testing.T) {
	t.Parallel()
	m, p := listingMachine(t, nil)
	m.put(t, 1, "192.0.2.1", "door=north badge=ada result=open", "door=north badge=ada result=refused", "door=north badge=ada result=refused")
	settled(t, m, p)
	m.put(t, 1, "192.0.2.1", "door=north badge=ADA result=open", "door=north badge=bob result=open")
	m.put(t, 2, "192.0.2.1", "door=north badge=ada result=open")
	settled(t, m, p)
	if one, two := fired(t, m, 1, "local.reads"), fired(t, m, 2, "local.reads"); one != 1 || two != 0 {
		t.Errorf("%d and %d firings, want 1 and 0", one, two)
	}
	run := p.Generation().Running
	l := run.Layer(1).Lists["refused-badges"]
	if l.Values.Len() != 1 || l.Values.Kind() != index.NoCase || run.Layer(2).Lists != nil {
		t.Fatalf("%d values", l.Values.Len())
	}
	if e := l.Values.Find("ada", 0); e.Origin != "rule:local.writes" || e.Expires != e.At+int64(time.Hour) {
		t.Errorf("%+v", e)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}

// A machine that dies between a firing and the control record that follows from it writes that record at its next start,
// once, whether a checkpoint was made meanwhile or not.
func TestWritesSurvive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, dies := range []string{"appended", "commit", "committed", "save", "saved"} {
		t.Run(dies, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, w, t.TempDir(), 0)
			cfg := m.config(1, time.Nanosecond)
			cfg.KeepAll = true // to count them
			p := start(t, cfg, nil)
			for name, digest := range map[string]string{parserName: w.v1, listingName: w.listing} {
				m.control(t, module.Control{Kind: module.Activate, Name: name, Digest: digest, Who: "sim"})
			}
			settled(t, m, p)
			if err := p.end(); err != nil {
				t.Fatal(err)
			}
			m.put(t, 1, "192.0.2.1", "door=north badge=ada result=refused")
			frame := m.queue.Last()
			p = start(t, cfg, func(step string) error {
				if step == dies {
					return errCrash
				}
				return nil
			})
			_ = p.Wait(t.Context(), frame)
			_ = p.end()
			for range 2 {
				p = start(t, cfg, nil)
				m.put(t, 1, "192.0.2.1", "window=north")
				settled(t, m, p)
				if err := p.end(); err != nil {
					t.Fatal(err)
				}
			}
			if n := written(t, m, "refused-badges"); n != 1 {
				t.Errorf("it was written %d times", n)
			}
		})
	}
}

// written returns how many control records in the log change a list.
func written(t *testing.T, m *machine, name string) (n int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	last := m.queue.Last()
	for msg, err := range m.queue.Read(ctx, m.queue.First()) {
		if err != nil {
			t.Fatal(err)
		}
		if c, err := module.DecodeControl(msg.Data); err == nil && c.Entries != nil && c.Name == name {
			n++
		}
		if msg.Seq >= last {
			break
		}
	}
	return n
}

// An event that holds an indicator says so, and rules see it.
func TestIndicators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	p := start(t, m.config(2, time.Hour), nil)
	put := func(t2 storage.Tenant, values ...indicator.Indicator) {
		t.Helper()
		text, err := indicator.Encode(values)
		if err != nil {
			t.Fatal(err)
		}
		digest := w.tables.put(text)
		last := m.control(t, module.Control{Kind: module.SetIndicators, Tenant: t2, Name: "feed", Who: "sim", Indicators: &module.Indicators{Name: "feed", Digest: digest, Bytes: len(text)}})
		if err := p.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
	last := m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
	if err := p.Wait(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	bad := indicator.Indicator{Type: indicator.Email, Value: "ada@evil.example", Confidence: 80, Source: "a source", Description: "who writes to everybody"}
	host := indicator.Indicator{Type: indicator.Domain, Value: "evil.example", Confidence: 20, Expires: epoch.Add(-time.Hour).UnixNano()}
	put(storage.NoTenant, bad, host)
	m.put(t, 1, "192.0.2.1", "door=north badge=ada@evil.example result=open", "door=north badge=bob@good.example result=open")
	host.Expires = 0
	put(2, bad, host)
	m.put(t, 2, "192.0.2.1", "door=north badge=ada@evil.example result=open")
	settled(t, m, p)
	got := map[string]int{}
	for _, e := range m.store.rows {
		got[fmt.Sprint(e.Tenant, e.Raw, " ", strings.Join([]string{e.Get(pipeline.FieldIndicator), e.Get(pipeline.FieldIndicatorType), e.Get(pipeline.FieldIndicatorConfidence), e.Get(pipeline.FieldFeed), e.Get(pipeline.FieldMatchedField)}, " "))]++
	}
	for _, want := range []string{
		"1door=north badge=ada@evil.example result=open ada@evil.example email-addr High feed user.email",
		"1door=north badge=bob@good.example result=open     ",
		`2door=north badge=ada@evil.example result=open ["ada@evil.example","evil.example"] ["email-addr","domain-name"] High feed user.email`,
	} {
		if got[want] != 1 {
			t.Errorf("no %q in %v", want, got)
		}
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
}
