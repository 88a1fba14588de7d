package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Probation says when a new version gives way to the one before because of what it does, rather than because it fails.
// Both are compared by what the log says that they did: the new one since its activation, the one before in its last
// hours, of which each counts half as much as the next. Zero means the default beside the field.
//
// The factors are wide on purpose: what a person meant to change stays, and nothing is concluded from little.
type Probation struct {
	Length   time.Duration `yaml:"length"`   // 1h of log time after an activation; what was set aside at it is kept for as long
	Off      bool          `yaml:"off"`      // nothing is compared; versions that fail are taken out all the same
	Records  int64         `yaml:"records"`  // 2,000: what each of both must have been handed; of rules without code: events
	Findings int64         `yaml:"findings"` // 50: fewer findings, or fewer that were to be expected, are no drift
	Fuel     float64       `yaml:"fuel"`     // 5: more fuel per record by this factor
	Fewer    float64       `yaml:"fewer"`    // 0.5: fewer events per record of a parser than this share of what there were
	Rate     float64       `yaml:"rate"`     // 10: more or fewer findings per record by this factor
}

// Check refuses what would take out versions that do nothing unusual.
func (p Probation) Check() error {
	d := p.WithDefaults()
	if d.Length < time.Minute || d.Length > MaxProbation || d.Records < 1 || d.Findings < 1 || d.Fuel <= 1 || d.Fewer <= 0 || d.Fewer >= 1 || d.Rate <= 1 {
		return fmt.Errorf("probation: want a length from 1m to %s, records and findings above 0, fuel and rate above 1, and fewer between 0 and 1: %w", MaxProbation, storage.ErrInvalid)
	}
	return nil
}

// WithDefaults fills in what is zero.
func (p Probation) WithDefaults() Probation {
	p.Length = cmp.Or(p.Length, time.Hour)
	p.Records, p.Findings = cmp.Or(p.Records, 2000), cmp.Or(p.Findings, 50)
	p.Fuel, p.Fewer, p.Rate = cmp.Or(p.Fuel, 5), cmp.Or(p.Fewer, 0.5), cmp.Or(p.Rate, 10)
	return p
}

// did is what a version did.
type did struct {
	Records  int64 `json:"records,omitempty"` // that it was handed; of a declarative rule: events that it saw
	Events   int64 `json:"events,omitempty"`
	Findings int64 `json:"findings,omitempty"`
	Fuel     int64 `json:"fuel,omitempty"`
}

func (d *did) halve() {
	d.Records, d.Events, d.Findings, d.Fuel = d.Records/2, d.Events/2, d.Findings/2, d.Fuel/2
}

func per(n, records int64) float64 { return float64(n) / float64(max(records, 1)) }

// compare says in what a version differs so much from the one before that it should go; "" when it does not.
func (p *Probation) compare(kind manifest.Kind, now, before did) string {
	if p.Off || now.Records < p.Records || before.Records < p.Records {
		return ""
	}
	against := fmt.Sprintf("of %d records, against %%s of %d of the version before", now.Records, before.Records)
	if fuel, was := per(now.Fuel, now.Records), per(before.Fuel, before.Records); was > 0 && fuel > p.Fuel*was {
		return fmt.Sprintf("drift: %.0f fuel for each "+against+", more than %g times as much", fuel, fmt.Sprintf("%.0f", was), p.Fuel)
	}
	switch kind {
	case manifest.Parser:
		if events, was := per(now.Events, now.Records), per(before.Events, before.Records); was > 0 && events < p.Fewer*was {
			return fmt.Sprintf("drift: %.3f events for each "+against+", less than %g times as many", events, fmt.Sprintf("%.3f", was), p.Fewer)
		}
	case manifest.Rule:
		expected := per(before.Findings, before.Records) * float64(now.Records)
		if found := float64(now.Findings); now.Findings >= p.Findings && found > p.Rate*expected || expected >= float64(p.Findings) && found*p.Rate < expected {
			return fmt.Sprintf("drift: %d findings "+against+", more than %g times as many or as few", now.Findings, fmt.Sprint(before.Findings), p.Rate)
		}
	}
	return ""
}

// track follows the versions of one module of a layer.
type track struct {
	Tenant storage.Tenant `json:"tenant,omitempty"`
	Name   string         `json:"name"`
	Kind   manifest.Kind  `json:"kind"`
	Coded  bool           `json:"coded,omitempty"` // what it is handed is counted call by call
	Digest string         `json:"digest"`
	Seq    uint64         `json:"seq"` // of the control record that activated the version that runs
	At     int64          `json:"at"`  // its log time, ns
	Hours  int64          `json:"hours,omitempty"`
	Trial  bool           `json:"trial,omitempty"` // it is on probation
	Now    did            `json:"now,omitzero"`
	Before did            `json:"before,omitzero"`
	Seen   int64          `json:"seen,omitempty"` // events of the layer that Now holds already, of a declarative rule
}

type trackKey struct {
	tenant storage.Tenant
	name   string // or the digest of a package without code
}

// drift is what versions did, from the log alone. It belongs to the sequencer, and is part of the checkpoint.
type drift struct {
	cfg    Probation
	tracks map[trackKey]*track
	rules  map[trackKey]*track      // of packages without code, by digest
	seen   map[storage.Tenant]int64 // events: of NoTenant all, of others those whose layer has modules
	swept  int64                    // log time, ns
}

// driftState is what a checkpoint keeps of it.
type driftState struct {
	Tracks []*track                 `json:"tracks,omitempty"`
	Seen   map[storage.Tenant]int64 `json:"seen,omitempty"`
	Swept  int64                    `json:"swept,omitempty"`
}

func newDrift(p Probation, from driftState) *drift {
	d := &drift{cfg: p, tracks: map[trackKey]*track{}, rules: map[trackKey]*track{}, seen: map[storage.Tenant]int64{}, swept: from.Swept}
	for _, t := range from.Tracks {
		d.keep(t)
	}
	maps.Copy(d.seen, from.Seen)
	return d
}

// state returns a copy, which a checkpoint is written from while the log goes on.
func (d *drift) state() driftState {
	out := driftState{Seen: maps.Clone(d.seen), Swept: d.swept, Tracks: d.inOrder()}
	for i, t := range out.Tracks {
		same := *t
		out.Tracks[i] = &same
	}
	return out
}

// inOrder returns the versions that are followed, by organization and name.
func (d *drift) inOrder() []*track {
	return slices.SortedFunc(maps.Values(d.tracks), func(a, b *track) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name))
	})
}

func (d *drift) keep(t *track) {
	d.tracks[trackKey{t.Tenant, t.Name}] = t
	if !t.Coded {
		d.rules[trackKey{t.Tenant, t.Digest}] = t
	}
}

func (d *drift) drop(t *track) {
	delete(d.tracks, trackKey{t.Tenant, t.Name})
	delete(d.rules, trackKey{t.Tenant, t.Digest})
}

// settle takes note of a change of what a layer runs; m is the module that the change is about, nil when it does not run.
// A version that comes back is known, and on no probation.
func (d *drift) settle(r module.Running, c *module.Control, m *module.Loaded, at int64) {
	slots := r.Layer(c.Tenant).Slots
	if _, there := slots[c.Name]; !there {
		if t := d.tracks[trackKey{c.Tenant, c.Name}]; t != nil {
			d.drop(t)
		}
	}
	if len(slots) == 0 && c.Tenant != storage.NoTenant {
		delete(d.seen, c.Tenant)
	}
	if m == nil || m.Tenant != c.Tenant || m.Manifest.Kind == manifest.Monitor {
		return
	}
	d.seen[c.Tenant] += 0 // from here on it is counted
	old := d.tracks[trackKey{c.Tenant, c.Name}]
	if old != nil && old.Seq == m.Install.Seq {
		return
	}
	next := &track{
		Tenant: c.Tenant, Name: c.Name, Kind: m.Manifest.Kind, Coded: m.Code != nil, Digest: m.Install.Digest, Seq: m.Install.Seq, At: at, Seen: d.seen[c.Tenant],
	}
	if old != nil {
		d.see(old)
		d.drop(old)
		if c.Kind == module.Activate && old.Coded == next.Coded {
			next.Trial, next.Before = true, old.Now
		}
	}
	d.keep(next)
}

// count adds what a call of a module took, or what came for an organization.
func (d *drift) count(x *spent) {
	if x.mod == nil {
		d.seen[storage.NoTenant] += x.used[storage.Stored]
		if _, own := d.seen[x.tenant]; own {
			d.seen[x.tenant] += x.used[storage.Stored]
		}
		return
	}
	if t := d.tracks[trackKey{x.mod.Tenant, x.mod.Name()}]; t != nil && t.Seq == x.mod.Install.Seq {
		t.Now.Records += x.used[storage.Records]
		t.Now.Events += x.used[storage.Events]
		t.Now.Findings += x.used[storage.Findings]
		t.Now.Fuel += x.used[storage.Fuel]
	}
}

// fired adds a firing of a rule without code, by the digest of its package.
func (d *drift) fired(t storage.Tenant, digest string) {
	for _, layer := range [2]storage.Tenant{t, storage.NoTenant} {
		if x := d.rules[trackKey{layer, digest}]; x != nil {
			x.Now.Findings++
			return
		}
	}
}

// see counts, for a rule without code, the events that its layer had since it was last asked.
func (d *drift) see(t *track) {
	if n := d.seen[t.Tenant]; !t.Coded {
		t.Now.Records += n - t.Seen
		t.Seen = n
	}
}

// sweep compares, once in a minute of log time, the versions that are on probation, and returns those that should go,
// with the reason.
func (d *drift) sweep(at int64) (out []*track, reasons []string) {
	if at-d.swept < int64(time.Minute) {
		return nil, nil
	}
	d.swept = at
	for _, t := range d.inOrder() {
		d.see(t)
		if t.Trial && at-t.At < int64(d.cfg.Length) {
			if why := d.cfg.compare(t.Kind, t.Now, t.Before); why != "" {
				t.Trial = false
				out, reasons = append(out, t), append(reasons, why)
			}
			continue
		}
		t.Trial, t.Before = false, did{}
		for hours := (at - t.At) / int64(time.Hour); t.Hours < hours; t.Hours++ {
			t.Now.halve()
		}
	}
	return out, reasons
}

// drifted has versions that do something else than the one before give way to it.
func (s *sequencer) drifted() {
	gen := s.p.current.Load()
	gone, reasons := s.p.drift.sweep(s.at)
	for i, t := range gone {
		if m := gen.View(t.Tenant).Module(t.Name); m != nil && m.Install.Seq == t.Seq && gen.Running.CanRollback(m.Tenant, m.Name()) {
			s.amend(takeOut(gen.Running, m, reasons[i]))
		}
	}
}
