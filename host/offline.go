package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Offline runs the shipped parsers without a host: no log, no store, nothing is kept but compiled code.
type Offline struct {
	runtime *runtime.Host
	gen     *module.Generation
	parser  *pipeline.Parser
	generic map[string]bool
	seq     uint64
}

// Parsed is what became of one record.
type Parsed struct {
	Events  []storage.Event
	Parser  string // "publisher/name", "" when none took it
	Generic bool   // only a parser of a format took it
	Error   string
}

// shipped serves the built-in packages by digest.
type shipped map[registry.Digest]registry.Artifact

func (s shipped) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	if a, ok := s[d]; ok {
		return a, nil
	}
	return registry.Artifact{}, fmt.Errorf("pull %s: %w", d, registry.ErrNotFound)
}

// NewOffline compiles the shipped parsers; compiled code is kept in cacheDir.
func NewOffline(ctx context.Context, cacheDir string) (*Offline, error) {
	all, err := modules.Builtin()
	if err != nil {
		return nil, err
	}
	rt, err := runtime.New(ctx, runtime.Config{CacheDir: cacheDir})
	if err != nil {
		return nil, err
	}
	o := &Offline{runtime: rt, parser: pipeline.NewParser(), generic: map[string]bool{}}
	packages := shipped{}
	var running module.Running
	for i, p := range all {
		if p.Manifest.Kind != manifest.Parser {
			continue
		}
		name := p.Manifest.Publisher + "/" + p.Manifest.Name
		d := registry.Digest(manifest.Sum(append(append([]byte(nil), p.ManifestBytes...), p.Wasm...)))
		packages[d] = p
		o.generic[name] = p.Manifest.Match != nil && p.Manifest.Match.Generic
		running, err = running.Apply(uint64(i+1), 0, module.Control{Kind: module.Activate, Name: name, Digest: string(d)})
		if err != nil {
			return nil, errors.Join(err, rt.Close(ctx))
		}
	}
	lib := module.NewLibrary(packages, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	if o.gen, err = module.Build(ctx, lib, nil, running, storage.NoTenant); err != nil {
		return nil, errors.Join(err, rt.Close(ctx))
	}
	return o, nil
}

// offlineTenant owns what is parsed offline.
const offlineTenant = storage.Tenant(1)

// Parse parses records; the answer has one entry for each, in order. It shares the records' bytes, which must not be
// written again.
func (o *Offline) Parse(ctx context.Context, recs []queue.Record) ([]Parsed, error) {
	o.seq++
	f := queue.Frame{Seq: o.seq, Segments: []queue.Segment{{Tenant: offlineTenant, Records: recs}}}
	if len(recs) > 0 {
		f.LogTime = recs[0].Received
	}
	events, poison, err := o.parser.Frame(ctx, o.gen, &f)
	if err != nil {
		return nil, err
	}
	out := make([]Parsed, len(recs))
	for _, e := range events {
		p := &out[e.ID.Record]
		p.Events = append(p.Events, e)
		p.Parser = e.Get(storage.FieldParser)
		p.Generic = o.generic[p.Parser]
		if e.Get("event.kind") == "pipeline_error" {
			p.Error = e.Get("error.message")
		}
	}
	for _, x := range poison {
		out[x.ID.Record].Error = x.Code + ": " + x.Detail
	}
	return out, nil
}

// Close frees the compiled modules.
func (o *Offline) Close(ctx context.Context) error { return o.runtime.Close(ctx) }
