package conform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
)

// ModuleConfig says which module is tried, and on which host.
type ModuleConfig struct {
	Package  manifest.Package
	Start    Start
	Settings []byte // that it is loaded with; nil for none
	// OwnCases runs the package's own cases and says how many there are and which do not hold; ErrStalled ends the run. nil:
	// they are not tried.
	OwnCases func(ctx context.Context) (cases int, failures []string, err error)
}

// subject is a module that is being tried.
type subject struct {
	*run
	cfg    *ModuleConfig
	m      *manifest.Manifest
	wasm   []byte
	load   protocol.Load
	module string // its name at the host
	why    string // why it could not be loaded
	unset  string // why its manifest does not take its settings; "" when it does

	samples []string            // records of its own cases
	faults  map[string][]string // what went wrong, by its code
	phase   string              // before the codes, so that batches can be told apart
	lines   int                 // most that one call has logged
}

// errNotApplicable is returned by a check that says nothing about a module of this kind.
var errNotApplicable = errors.New("")

func notApplicable(why string) error { return fmt.Errorf("%s%w", why, errNotApplicable) }

// Modules tries a module on a host. The error says why there is no report (ErrStalled: try again when there is less to do);
// what the module does wrong is in it.
func Modules(ctx context.Context, cfg ModuleConfig) (*Report, error) {
	all, err := ModuleRequirements()
	if err != nil {
		return nil, err
	}
	s := &subject{run: &run{start: cfg.Start}, cfg: &cfg, m: &cfg.Package.Manifest, wasm: cfg.Package.Wasm, faults: map[string][]string{}}
	defer s.abandon()
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("start the host: %w", err)
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	rep := &Report{Suite: Version, Subject: Subject{Kind: string(s.m.Kind), Name: s.m.Publisher + "/" + s.m.Name, Version: s.m.Version}, Host: s.hello}
	if len(s.wasm) > 0 {
		rep.Subject.Digest = manifest.Sum(s.wasm)
	}
	for i := range all {
		res := s.tryOne(ctx, &all[i])
		if ctx.Err() != nil {
			return nil, fmt.Errorf("conformance of %s: %w", s.m.Reference(), ctx.Err())
		}
		if s.stalled != nil {
			return nil, fmt.Errorf("conformance of %s: %w", s.m.Reference(), s.stalled)
		}
		rep.add(res)
	}
	rep.decide()
	return rep, nil
}

// prepare finds out how the module is loaded and what its records look like.
func (s *subject) prepare() error {
	code := s.m
	s.load = protocol.Load{Kind: string(s.m.Kind), Wasm: s.wasm, Settings: s.cfg.Settings, Names: s.m.Names}
	if settings, err := s.m.CheckSettings(s.cfg.Settings); err == nil && len(s.m.Settings) > 0 {
		s.load.Settings = settings
	} else if err != nil {
		s.unset = err.Error()
	}
	if s.m.Entry.Spec != "" {
		sp, err := spec.Of(&s.cfg.Package)
		if err != nil {
			return fmt.Errorf("conformance of %s: %w", s.m.Reference(), err)
		}
		interpreter, err := s.cfg.Package.Interpreter()
		if err != nil {
			return fmt.Errorf("conformance of %s: %w", s.m.Reference(), err)
		}
		code = &interpreter
		s.load.Settings, s.load.Names = sp.Settings(), sp.Names()
	}
	s.load.WASI = code.WASI == manifest.WASIStub
	for _, c := range s.m.Capabilities {
		s.load.Grants = append(s.load.Grants, c.ID)
	}
	l := s.m.Limits
	if l == (manifest.Limits{}) {
		l = code.Limits
	}
	s.load.Limits = protocol.Limits{FuelPerCall: l.FuelPerCall, FuelPerRecord: l.FuelPerRecord, FuelPerByte: l.FuelPerByte, MemoryPages: l.MemoryPages}
	s.samples = samplesOf(&s.cfg.Package)
	return nil
}

func (s *subject) tryOne(ctx context.Context, q *Requirement) (res Result) {
	res = Result{ID: q.ID, Level: q.Level(), Clauses: q.Clauses, Text: q.Text, Status: Pass}
	began := time.Now()
	open := s.open
	err := s.begin(ctx)
	s.open = open
	if s.host == nil {
		err = errors.New("the host could not be started anew")
	}
	check := moduleChecks[q.Check]
	switch {
	case err != nil:
	case check.code && len(s.wasm) == 0:
		err = notApplicable("it has no code")
	case check.running && s.module == "" && s.why != "":
		err = notApplicable("it does not start")
	default:
		err = check.try(ctx, s)
	}
	switch {
	case errors.Is(err, errNotApplicable):
		res.Status, res.Detail = NotApplicable, err.Error()
	case err != nil && q.Advice:
		res.Status, res.Detail = Advice, err.Error()
	case err != nil:
		res.Status, res.Detail = Fail, err.Error()
	}
	res.Cases, res.Took = s.tried, time.Since(began)
	return res
}

// moduleCheck tries one requirement. code: it says nothing about packages without code; running: it needs a module that
// has started.
type moduleCheck struct {
	try           func(ctx context.Context, s *subject) error
	code, running bool
}

var moduleChecks = map[string]moduleCheck{
	"admitted": {try: admitted}, "imports": {imports, true, false}, "starts": {starts, true, false}, "ownCases": {try: ownCases},
	"empty": {empty, true, true}, "anyBytes": {anyBytes, true, true}, "many": {many, true, true}, "longest": {longest, true, true},
	"refusedTargets": {refusedTargets, true, true}, "logs": {logs, true, true},
	"budget": {faultless("E_FUEL", longestPhase+"E_FUEL"), true, true}, "memory": {faultless("E_MEMORY", "E_STACK", longestPhase+"E_MEMORY", longestPhase+"E_STACK"), true, true}, "output": {faultless("E_OUTPUT_LIMIT"), true, true},
	"cut":   {faultless(longestPhase + "E_OUTPUT_LIMIT"), true, true},
	"again": {again, true, true}, "settings": {settings, true, true},
	"twice": {twice, true, true}, "permuted": {permuted, true, true}, "single": {single, true, true},
}

// limited are the codes that requirements of L3 are about.
var limited = []string{"E_FUEL", "E_MEMORY", "E_STACK", "E_OUTPUT_LIMIT"}

// hand hands a batch to the module and remembers what went wrong by its code. It returns the first failure that is not
// one of a limit.
func (s *subject) hand(ctx context.Context, what string, c protocol.Call) (*protocol.Answer, error) {
	reply, err := s.tell(ctx, s.module, c)
	if err != nil {
		return nil, err
	}
	if reply.Answer == nil { // it fails too many records
		s.faults[s.phase+reply.Code] = append(s.faults[s.phase+reply.Code], what)
		if oneOf(limited, reply.Code) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %s %s", what, reply.Code, clip(reply.Detail))
	}
	a := reply.Answer
	s.lines = max(s.lines, len(a.Log))
	var wrong error
	for _, p := range a.Poison {
		if s.m.Kind == manifest.Monitor && p.Status != 0 {
			continue // a poll may end with a reason
		}
		s.faults[s.phase+p.Code] = append(s.faults[s.phase+p.Code], fmt.Sprintf("%s, record %d: %s", what, p.Record, p.Detail))
		if wrong == nil && !oneOf(limited, p.Code) {
			wrong = fmt.Errorf("%s, record %d: %s %s", what, p.Record, p.Code, clip(p.Detail))
		}
	}
	if wrong == nil && s.m.Kind == manifest.Parser && len(a.Outcomes) != len(c.Records) {
		wrong = fmt.Errorf("%s: %d outcomes for %d records", what, len(a.Outcomes), len(c.Records))
	}
	return a, wrong
}

func faultless(codes ...string) func(context.Context, *subject) error {
	return func(_ context.Context, s *subject) error {
		for _, code := range codes {
			if f := s.faults[code]; len(f) > 0 {
				return fmt.Errorf("%s %d times: %s", code, len(f), clip(f[0]))
			}
		}
		return nil
	}
}

func admitted(ctx context.Context, s *subject) error {
	if err := s.cfg.Package.Check(); err != nil || len(s.wasm) == 0 {
		return err
	}
	name, reply, err := s.run.load(ctx, s.m.Name, s.load)
	if err != nil {
		return err
	}
	switch {
	case reply.Code == "":
		s.module = name
	case oneOf([]string{"E_MODULE", "E_OPCODE", "E_LIMIT_"}, reply.Code):
		s.why = reply.Code
		return failed("load", reply)
	default:
		s.why = reply.Code + " " + clip(reply.Detail) // starts says so
	}
	return nil
}

func imports(_ context.Context, s *subject) error {
	w, err := manifest.ReadWasm(s.wasm)
	if err != nil {
		return err
	}
	allowed := append([]string{"vedette_core_v1"}, s.load.Grants...)
	if s.load.WASI {
		allowed = append(allowed, "wasi_snapshot_preview1")
	}
	var beyond []string
	for _, i := range w.Imports {
		if !oneOf(allowed, i.Module) {
			beyond = append(beyond, i.Module+"."+i.Name)
		}
	}
	if len(beyond) > 0 {
		return fmt.Errorf("it imports %s, and its manifest asks for %s", strings.Join(beyond, ", "), strings.Join(allowed, ", "))
	}
	return nil
}

func starts(_ context.Context, s *subject) error {
	if s.module != "" {
		return nil
	}
	if s.why == "" {
		s.why = "it was not loaded"
	}
	return errors.New(s.why)
}

func ownCases(ctx context.Context, s *subject) error {
	if s.cfg.OwnCases == nil {
		return notApplicable("they were not asked for")
	}
	if s.unset != "" {
		return notApplicable(s.unset)
	}
	n, failures, err := s.cfg.OwnCases(ctx)
	s.tried += n
	if errors.Is(err, ErrStalled) {
		s.stalled = err
	}
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("%d do not hold: %s", len(failures), clip(failures[0]))
	}
	return err
}

func logs(_ context.Context, s *subject) error {
	if s.lines > maxLines {
		return fmt.Errorf("it logged %d lines in one call", s.lines)
	}
	return nil
}

// maxLines is what a call may log (ABI 3.3): at the limit, lines have been left out.
const maxLines = 31
