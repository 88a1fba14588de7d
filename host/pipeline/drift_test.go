package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// What a version does has to be far from what the one before did, and to be seen often enough, before it is drift.
func TestDriftIsWideAndWellFounded(t *testing.T) {
	p := Probation{}.WithDefaults()
	before := did{Records: 10_000, Events: 9_800, Findings: 200, Fuel: 10_000 * 1200}
	for _, c := range []struct {
		name string
		kind manifest.Kind
		now  did
		want string
	}{
		{"the same", manifest.Parser, before, ""},
		{"five times the fuel", manifest.Parser, did{Records: 3000, Events: 2900, Fuel: 3000 * 6000}, ""},
		{"more fuel", manifest.Parser, did{Records: 3000, Events: 2900, Fuel: 3000 * 6100}, "6100 fuel for each of 3000 records, against 1200 of 10000"},
		{"more fuel for few records", manifest.Parser, did{Records: 1999, Events: 1999, Fuel: 1999 * 60_000}, ""},
		{"half of the records unread", manifest.Parser, did{Records: 3000, Events: 1500, Fuel: 1}, ""},
		{"more of them unread", manifest.Parser, did{Records: 3000, Events: 1400, Fuel: 1}, "0.467 events for each of 3000 records, against 0.980"},
		{"a noisy hour", manifest.Rule, did{Records: 5000, Findings: 900, Fuel: 1}, ""},
		{"a flood", manifest.Rule, did{Records: 5000, Findings: 1100, Fuel: 1}, "1100 findings of 5000 records, against 200 of 10000"},
		{"few findings where few are expected", manifest.Rule, did{Records: 2400, Fuel: 1}, ""},
		{"silence", manifest.Rule, did{Records: 5000, Findings: 9, Fuel: 1}, "9 findings of 5000 records"},
		{"a quiet hour", manifest.Rule, did{Records: 5000, Findings: 11, Fuel: 1}, ""},
	} {
		if got := p.compare(c.kind, c.now, before); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	silent := did{Records: 10_000, Fuel: 1}
	if got := p.compare(manifest.Rule, did{Records: 5000, Findings: 49, Fuel: 1}, silent); got != "" {
		t.Errorf("what never fired fires: %q", got)
	}
	if got := p.compare(manifest.Rule, did{Records: 5000, Findings: 50, Fuel: 1}, silent); got == "" {
		t.Error("what never fired floods, and nobody minds")
	}
	p.Off = true
	if got := p.compare(manifest.Rule, did{Records: 5000, Findings: 5000, Fuel: 1}, silent); got != "" {
		t.Errorf("switched off: %q", got)
	}
}

func TestProbationIsChecked(t *testing.T) {
	for _, p := range []Probation{{Length: time.Second}, {Length: MaxProbation + 1}, {Records: -1}, {Findings: -1}, {Fuel: 1}, {Fewer: 1}, {Rate: 0.5}} {
		if p.Check() == nil {
			t.Errorf("%+v is allowed", p)
		}
	}
	if err := (Probation{Length: MaxProbation, Off: true}).Check(); err != nil {
		t.Error(err)
	}
}

// A rule without code is measured by the firings of its organizations' events, a version that was gone back to is on no
// probation, and what counts of the past fades.
func TestDriftOfDocuments(t *testing.T) {
	d := newDrift(Probation{Records: 100}.WithDefaults(), driftState{})
	at := int64(0)
	version := func(kind module.ControlKind, digest string, seq uint64) {
		in := module.Install{Name: "a/b", Digest: digest, Seq: seq}
		r := module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{1: {Slots: map[string]module.Slot{"a/b": {Current: in}}}})}
		m := &module.Loaded{Install: in, Tenant: 1, Manifest: manifest.Manifest{Kind: manifest.Rule}}
		d.settle(r, &module.Control{Kind: kind, Tenant: 1, Name: "a/b"}, m, at)
	}
	pass := func(events int64, firings int, digest string) []string {
		d.count(&spent{tenant: 1, used: storage.Used{storage.Stored: events}})
		d.count(&spent{tenant: 2, used: storage.Used{storage.Stored: 1_000_000}}) // of another organization
		for range firings {
			d.fired(1, digest)
			d.fired(2, digest)
		}
		at += int64(2 * time.Minute)
		d = newDrift(d.cfg, d.state()) // a checkpoint
		_, reasons := d.sweep(at)
		return reasons
	}
	version(module.Activate, "one", 1)
	if r := pass(1000, 10, "one"); r != nil {
		t.Errorf("the first version: %q", r)
	}
	version(module.Activate, "two", 2)
	if r := pass(1000, 60, "two"); r != nil {
		t.Errorf("some more: %q", r)
	}
	version(module.Activate, "three", 3)
	if r := pass(200, 200, "three"); len(r) != 1 || !strings.Contains(r[0], "200 findings of 200 records, against 60 of 1000") {
		t.Errorf("many more: %q", r)
	}
	if r := pass(200, 200, "three"); r != nil {
		t.Errorf("told twice: %q", r)
	}
	version(module.Rollback, "two", 4)
	if r := pass(1000, 1000, "two"); r != nil {
		t.Errorf("on probation again: %q", r)
	}
	at += int64(90 * time.Minute)
	pass(0, 0, "two")
	if now := d.state().Tracks[0].Now; now.Records != 500 || now.Findings != 500 {
		t.Errorf("after an hour: %+v", now)
	}
	d.settle(module.Running{}, &module.Control{Kind: module.Rollback, Tenant: 1, Name: "a/b"}, nil, at)
	if s := d.state(); len(s.Tracks) != 0 || len(d.rules) != 0 || len(d.seen) != 1 {
		t.Errorf("what is gone is followed: %+v", s)
	}
}
