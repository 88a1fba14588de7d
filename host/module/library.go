package module

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// Packages gives a package by its digest as an organization sees it, of NoTenant as all do: what stands in another
// organization's namespace is registry.ErrNotFound. It is verified on every call, and many goroutines may call it at once.
type Packages interface {
	Pull(ctx context.Context, t storage.Tenant, d registry.Digest) (registry.Artifact, error)
}

// Namespaces gives the packages of a layout with one namespace for each organization.
type Namespaces struct{ *layout.Layout }

// Pull implements Packages.
func (n Namespaces) Pull(ctx context.Context, t storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	return n.In(registry.Namespace(t)).Pull(ctx, d)
}

// Loaded is a module version that is ready to run for one tenant, or for all that share it. It is immutable.
type Loaded struct {
	Install  Install
	Tenant   storage.Tenant // whose it is; NoTenant for a shared one
	Manifest manifest.Manifest
	Code     *runtime.Module // nil for a package of documents only
	Rules    []*rule.Rule    // of a rule package

	key string // in its library: the same for the same code, settings and grants
}

// Name returns "publisher/name".
func (l *Loaded) Name() string { return l.Install.Name }

// Short returns the first twelve hex digits of the digest, as stored with each event.
func (l *Loaded) Short() string { return registry.Digest(l.Install.Digest).Short() }

// Loader gives the module of an install that is ready to run. *Library is one.
type Loader interface {
	Load(ctx context.Context, t storage.Tenant, in Install) (*Loaded, error)
	Table(ctx context.Context, t storage.Tenant, v Table) (*index.Table, error)
	Indicators(ctx context.Context, t storage.Tenant, v Indicators) (*indicator.Set, error)
}

// WithCandidate returns a Loader that gives m, which is in no registry yet, for its own install, and asks l for all others.
func WithCandidate(l Loader, m *Loaded) Loader { return candidateLoader{l, m} }

type candidateLoader struct {
	Loader
	m *Loaded
}

func (l candidateLoader) Load(ctx context.Context, t storage.Tenant, in Install) (*Loaded, error) {
	if t == l.m.Tenant && in.Name == l.m.Install.Name && in.Digest == l.m.Install.Digest {
		same := *l.m
		same.Install = in
		return &same, nil
	}
	return l.Loader.Load(ctx, t, in)
}

// Library loads module versions and keeps one of each, however many generations use it.
type Library struct {
	packages Packages
	runtime  *runtime.Host
	targets  func(t storage.Tenant, name string) []runtime.Target
	contents Contents // nil: no tables

	indicators IndicatorContents // nil: none

	mu     sync.Mutex
	loaded map[string]*Loaded
	fresh  map[string]bool           // keys and digests of what was loaded since something was forgotten last
	held   map[string]int            // of them, and of sets, by how many Hold; nothing forgets these
	tables map[string]*index.Table   // by digest
	sets   map[string]*indicator.Set // by digest
}

// NewLibrary returns a library. targets says which HTTP targets a tenant has granted a module.
func NewLibrary(p Packages, h *runtime.Host, targets func(t storage.Tenant, name string) []runtime.Target) *Library {
	return &Library{packages: p, runtime: h, targets: targets, loaded: map[string]*Loaded{}, fresh: map[string]bool{}, held: map[string]int{}, tables: map[string]*index.Table{}, sets: map[string]*indicator.Set{}}
}

// Load returns the module of an install, from memory when it is there. It asks for no signature: that a version may run
// is decided before its control record is written (host/trust), and every replay of the log has to come to the same. What
// it does check is that the bytes are those that the control record names: whoever trusted the digest has trusted them. A shared module serves all tenants: the pristine
// restore makes that safe. A tenant's own never shares anything.
func (l *Library) Load(ctx context.Context, t storage.Tenant, in Install) (*Loaded, error) {
	key, err := keyOf(t, in)
	if err != nil {
		return nil, err
	}
	if m := l.have(key, in, nil); m != nil {
		return m, nil
	}
	pkg, err := l.packages.Pull(ctx, t, registry.Digest(in.Digest))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", in.Name, err)
	}
	m, err := l.Prepare(ctx, t, in, pkg)
	if err != nil {
		return nil, err
	}
	m.key = key
	kept := l.have(key, in, m)
	if kept != m && m.Code != nil { // somebody else loaded it meanwhile
		if err := m.Code.Close(ctx); err != nil {
			return nil, fmt.Errorf("load %s: %w", in.Name, err)
		}
	}
	return kept, nil
}

// keyOf tells modules apart: it is the same for the same code, settings and grants.
func keyOf(t storage.Tenant, in Install) (string, error) {
	text, err := json.Marshal([]any{t, in.Name, in.Digest, in.Settings, in.Grants})
	if err != nil {
		return "", fmt.Errorf("load %s: %w", in.Name, err)
	}
	return string(text), nil
}

// Hold loads the module of an install and keeps it until it is released, although no generation uses it yet: Build then
// finds it, while the log waits.
func (l *Library) Hold(ctx context.Context, t storage.Tenant, in Install) (release func(), err error) {
	key, err := keyOf(t, in)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.held[key]++
	l.mu.Unlock()
	release = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.held[key]--; l.held[key] == 0 {
			delete(l.held, key)
		}
	}
	if _, err := l.Load(ctx, t, in); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// have returns the loaded module of a key, under the control record of in. When there is none it becomes fresh.
func (l *Library) have(key string, in Install, fresh *Loaded) *Loaded {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.loaded[key]
	switch {
	case !ok && fresh == nil:
		return nil
	case !ok:
		l.loaded[key], l.fresh[key] = fresh, true
		return fresh
	case m.Install.Seq == in.Seq:
		return m
	}
	same := *m // the same code under another control record
	same.Install = in
	l.loaded[key] = &same // who has the other one goes on with it
	return &same
}

// Open loads a module for its caller alone, who closes its Code.
func (l *Library) Open(ctx context.Context, t storage.Tenant, in Install) (*Loaded, error) {
	pkg, err := l.packages.Pull(ctx, t, registry.Digest(in.Digest))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", in.Name, err)
	}
	return l.Prepare(ctx, t, in, pkg)
}

// Prepare makes a package ready to run without keeping it: admission tries a candidate this way. Errors of the package
// wrap storage.ErrInvalid or are a *runtime.Trap.
func (l *Library) Prepare(ctx context.Context, t storage.Tenant, in Install, pkg registry.Artifact) (*Loaded, error) {
	m := &Loaded{Install: in, Tenant: t, Manifest: pkg.Manifest}
	if got := pkg.Manifest.Publisher + "/" + pkg.Manifest.Name; got != in.Name {
		return nil, fmt.Errorf("load %s: the package calls itself %s: %w", in.Name, got, storage.ErrInvalid)
	}
	var err error
	if m.Rules, err = RulesOf(&pkg); err != nil {
		return nil, fmt.Errorf("load %s: %w", in.Name, err)
	}
	for _, r := range m.Rules {
		r.Package = in.Digest
	}
	if err := m.checkRules(len(pkg.Wasm) > 0); err != nil {
		return nil, err
	}
	if pkg.Manifest.Entry.Interprets {
		return nil, fmt.Errorf("load %s: it reads specs and does nothing without one: package a spec with it (vedette module new --lang spec): %w", in.Name, storage.ErrInvalid)
	}
	if len(pkg.Wasm) == 0 {
		return m, nil
	}
	for _, asked := range pkg.Manifest.Asks() {
		if !slices.Contains(in.Grants, asked) {
			return nil, fmt.Errorf("load %s: it asks for %s, which is not granted: %w", in.Name, asked, storage.ErrForbidden)
		}
	}
	var linked []string
	for _, c := range pkg.Manifest.Capabilities {
		linked = append(linked, c.ID)
	}
	run := runtime.ModuleSpec{
		Digest: in.Digest, Wasm: pkg.Wasm, Kind: pkg.Manifest.Kind, Grants: linked, Tables: tablesOf(in.Grants), Names: pkg.Manifest.Names,
		Limits: pkg.Manifest.Limits, WASIStub: pkg.Manifest.WASI == manifest.WASIStub, Targets: l.targets(t, in.Name),
	}
	if s := pkg.Manifest.Schedule; s != nil {
		run.Copies, run.Timeout = MaxPollsAtOnce, time.Duration(s.Timeout)
	}
	if in.Settings != "" {
		run.Settings = []byte(in.Settings)
	}
	if pkg.Manifest.Entry.Spec != "" {
		if err := m.lower(&pkg, &run); err != nil {
			return nil, fmt.Errorf("load %s: %w", in.Name, err)
		}
	}
	code, err := l.runtime.Load(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", in.Name, err)
	}
	m.Code = code
	return m, nil
}

// RulesOf reads the rules of a package: patterns, and Sigma documents under the mapping ecs, which may name each other over
// files. All of them must be right. The error wraps storage.ErrInvalid.
func RulesOf(pkg *registry.Artifact) ([]*rule.Rule, error) {
	if pkg.Manifest.Kind != manifest.Rule {
		return nil, nil
	}
	return rulesIn(pkg.Documents)
}

// RuleOf reads one rule of a package, with the text of its file; nil when the package has none of that id.
func RuleOf(pkg *registry.Artifact, id string) (*rule.Rule, string, error) {
	if pkg.Manifest.Kind != manifest.Rule {
		return nil, "", nil
	}
	var named []manifest.File // and filters: reading all of some thousand takes a second
	for _, d := range pkg.Documents {
		if bytes.Contains(bytes.ToLower(d.Data), []byte(id)) || bytes.Contains(d.Data, []byte("filter:")) {
			named = append(named, d)
		}
	}
	for _, docs := range [][]manifest.File{named, pkg.Documents} {
		rules, err := rulesIn(docs) // of some documents alone: what they name may be missing
		if err != nil && len(docs) == len(pkg.Documents) {
			return nil, "", err
		}
		at := slices.IndexFunc(rules, func(r *rule.Rule) bool { return r.ID == id })
		if err != nil || at < 0 {
			continue
		}
		text := slices.IndexFunc(docs, func(d manifest.File) bool { return d.Path == rules[at].File })
		return rules[at], string(docs[text].Data), nil
	}
	return nil, "", nil
}

func rulesIn(files []manifest.File) ([]*rule.Rule, error) {
	docs := make([]rule.Document, len(files))
	for i, d := range files {
		docs[i] = rule.Document{File: d.Path, Data: d.Data}
	}
	f, err := rule.ParseTogether(docs, rule.Options{})
	if err != nil {
		return nil, err
	}
	if n := len(f.Refused); n > maxFaultsNamed {
		f.Refused = append(f.Refused[:maxFaultsNamed], fmt.Errorf("and %d further faults", n-maxFaultsNamed))
	}
	if err := errors.Join(f.Refused...); err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return f.Rules, nil
}

// lower compiles the spec of a package: its settings, field names and signatures come from there, and how its code is
// linked from the interpreter's manifest. The code is the same for all specs, and so compiled once.
func (l *Loaded) lower(pkg *registry.Artifact, run *runtime.ModuleSpec) error {
	s, err := spec.Of(pkg)
	if err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	interpreter, err := pkg.Interpreter()
	if err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	l.Manifest.Names = s.Names()
	if l.Manifest.Match == nil {
		l.Manifest.Match = s.Match()
	}
	run.Settings, run.Names, run.WASIStub = s.Settings(), s.Names(), interpreter.WASI == manifest.WASIStub
	if run.Limits == (manifest.Limits{}) {
		run.Limits = interpreter.Limits
	}
	return nil
}

// checkRules refuses rules of one id, and rules that need code which their package does not have.
func (l *Loaded) checkRules(code bool) error {
	ids := map[string]bool{}
	for _, r := range l.Rules {
		if ids[r.ID] {
			return fmt.Errorf("load %s: %s: rule %s stands there twice: %w", l.Name(), r.File, r.ID, storage.ErrInvalid)
		}
		ids[r.ID] = true
		for i := range r.Subs {
			if r.Subs[i].Match.Code && !code {
				return fmt.Errorf("load %s: %s: sub-pattern %s is decided by code, and the package has none: %w", l.Name(), r.File, r.Subs[i].Name, storage.ErrInvalid)
			}
		}
	}
	return nil
}

// Keep forgets every module that none of the generations uses and closes its code. The caller knows that nothing else
// runs one, and that no generation is being built.
func (l *Library) Keep(ctx context.Context, used ...*Generation) error {
	l.mu.Lock()
	all := candidates{modules: maps.Clone(l.loaded), digests: map[string]*layer{}}
	for digest := range l.tables {
		all.digests[digest] = nil
	}
	for digest := range l.sets {
		all.digests[digest] = nil
	}
	l.mu.Unlock()
	return Close(ctx, l.forget(all, used))
}

// Close closes the code of modules.
func Close(ctx context.Context, modules []*Loaded) error {
	var errs []error
	for _, m := range modules {
		if m.Code != nil {
			errs = append(errs, m.Code.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// Retire is Keep for a caller that knows which generations it uses no more: those in gone, before those in used, the oldest
// first. It looks at what changed between them, and at what was loaded since. What is forgotten the caller closes, which
// takes milliseconds.
func (l *Library) Retire(gone, used []*Generation) (forgotten []*Loaded) {
	some := candidates{modules: map[string]*Loaded{}, digests: map[string]*layer{}}
	all := slices.Concat(gone, used)
	for i, g := range gone {
		var next *Generation
		if i+1 < len(all) {
			next = all[i+1]
		}
		g.leftTo(next, some.layer)
	}
	return l.forget(some, used)
}

// candidates are what may be in use no more.
type candidates struct {
	modules map[string]*Loaded // by key
	digests map[string]*layer  // of tables and indicator sets, and where each was; nil: unknown
}

func (c *candidates) layer(l *layer) {
	for _, m := range l.modules {
		c.modules[m.key] = m
	}
	l.eachDigest(func(digest string) { c.digests[digest] = l })
}

// forget removes those candidates, and what was loaded since it was asked last, that no generation uses and nobody holds.
func (l *Library) forget(c candidates, used []*Generation) (forgotten []*Loaded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.fresh {
		if m, ok := l.loaded[key]; ok {
			c.modules[key] = m
		} else {
			c.digests[key] = nil
		}
	}
	clear(l.fresh)
	inUse := map[storage.Tenant]map[string]bool{}
	for key, m := range c.modules {
		keys, ok := inUse[m.Tenant]
		if !ok {
			keys = keysOf(m.Tenant, used)
			inUse[m.Tenant] = keys
		}
		m, there := l.loaded[key]
		switch {
		case !there || keys[key]:
		case l.held[key] > 0:
			l.fresh[key] = true
		default:
			delete(l.loaded, key)
			forgotten = append(forgotten, m)
		}
	}
	l.forgetDigests(c.digests, used)
	return forgotten
}

// forgetDigests is forget for tables and indicator sets. Any organization may have one of the same content, so those that
// are not where they were are looked for everywhere.
func (l *Library) forgetDigests(digests map[string]*layer, used []*Generation) {
	for digest, was := range digests {
		if l.held[digest] > 0 {
			l.fresh[digest] = true
			delete(digests, digest)
		} else if was != nil && slices.ContainsFunc(used, func(g *Generation) bool { return g.layer(was.of).hasDigest(digest) }) {
			delete(digests, digest)
		}
	}
	if len(digests) == 0 {
		return
	}
	for _, g := range used {
		g.eachLayer(func(x *layer) { x.eachDigest(func(digest string) { delete(digests, digest) }) })
	}
	for digest := range digests {
		delete(l.tables, digest)
		delete(l.sets, digest)
	}
}
