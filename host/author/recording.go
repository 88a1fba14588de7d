package author

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Limits of a recording.
const (
	MaxRecordingBytes = 8 << 20
	MaxRecordedCalls  = 1_000
)

// Recording is one poll of a monitor: what it was given, what it asked for and was answered, and what it found. Played
// again, the poll is the same on every machine and on every day. It holds what the target said, credentials excepted,
// which no module sees: look at it before you share it.
type Recording struct {
	Module  string         `yaml:"module"`
	At      time.Time      `yaml:"at"`               // of the poll
	Name    string         `yaml:"name,omitempty"`   // of what is polled
	Cursor  string         `yaml:"cursor,omitempty"` // that the poll before returned
	Calls   []RecordedCall `yaml:"calls"`
	Records []string       `yaml:"records"`               // wanted: what the monitor found
	Next    string         `yaml:"next_cursor,omitempty"` // wanted: the cursor that it returned
	Failed  string         `yaml:"failed,omitempty"`      // wanted: why it failed
	Fuel    int64          `yaml:"fuel,omitempty"`        // that it took; told, and not compared
	file    string         // that it was read from
}

// RecordedCall is one question and its answer. Which members an answer has depends on the function.
type RecordedCall struct {
	Function string `yaml:"function"` // fetch, get, walk, run, tcp, tls, dns, ping or compare
	Target   string `yaml:"target,omitempty"`
	Request  string `yaml:"request"`          // the path, the OIDs, the command and its arguments, the port, …
	Error    string `yaml:"error,omitempty"`  // why there is no answer
	Denied   bool   `yaml:"denied,omitempty"` // the error is a refusal by policy

	Status      int    `yaml:"status,omitempty"` // fetch
	ElapsedNs   int64  `yaml:"elapsed_ns,omitempty"`
	TLSNotAfter int64  `yaml:"tls_not_after,omitempty"` // ns since the Unix epoch
	Body        string `yaml:"body,omitempty"`
	Body64      string `yaml:"body_base64,omitempty"` // in place of a body that is no text

	Facts []RecordedFact     `yaml:"facts,omitempty"` // tcp, tls, dns, ping
	Vars  []RecordedVariable `yaml:"vars,omitempty"`  // get, walk
	More  bool               `yaml:"more,omitempty"`
	Exit  int                `yaml:"exit,omitempty"` // run
	Out   string             `yaml:"out,omitempty"`
	Err   string             `yaml:"err,omitempty"`
	Cut   bool               `yaml:"cut,omitempty"`

	State   string `yaml:"state,omitempty"` // compare: same, changed or missing
	Diff    string `yaml:"diff,omitempty"`
	Added   int    `yaml:"added,omitempty"`
	Removed int    `yaml:"removed,omitempty"`
}

// RecordedFact is one fact that a probe found out.
type RecordedFact struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// RecordedVariable is one SNMP variable; Type is text, int, uint, ticks, oid, address or absent.
type RecordedVariable struct {
	OID    string `yaml:"oid"`
	Type   string `yaml:"type"`
	Text   string `yaml:"text,omitempty"`
	Number uint64 `yaml:"number,omitempty"`
}

// ReadRecording reads a file that Write or a person has written. Errors say at which line.
func ReadRecording(file string) (*Recording, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	if len(text) > MaxRecordingBytes {
		return nil, fmt.Errorf("read the recording %s: %d bytes, the limit is %d: %w", file, len(text), MaxRecordingBytes, storage.ErrInvalid)
	}
	r := &Recording{file: file}
	if err := yaml.UnmarshalWithOptions(text, r, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the recording %s: %s: %w", file, yaml.FormatError(err, false, true), storage.ErrInvalid)
	}
	if len(r.Calls) > MaxRecordedCalls {
		return nil, fmt.Errorf("read the recording %s: %d calls, the limit is %d: %w", file, len(r.Calls), MaxRecordedCalls, storage.ErrInvalid)
	}
	return r, nil
}

// Write keeps a recording.
func (r *Recording) Write(file string) error {
	text, err := yaml.MarshalWithOptions(r, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err == nil {
		head := "# One poll: vedette module test --replay plays it again. It holds what the target said.\n"
		err = os.WriteFile(file, append([]byte(head), text...), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

// Recorder answers fetches from the network and remembers them. It is safe for concurrent use.
type Recorder struct {
	Next  runtime.Fetch
	mu    sync.Mutex
	calls []RecordedCall
}

// Fetch is a runtime.Fetch.
func (r *Recorder) Fetch(ctx context.Context, t runtime.Target, path string) (runtime.Response, error) {
	answer, err := r.Next(ctx, t, path)
	c := RecordedCall{Function: "fetch", Target: t.Name, Request: path}
	if err != nil {
		c.Error, c.Denied = err.Error(), errors.Is(err, runtime.ErrDenied)
	} else {
		c.Status, c.ElapsedNs, c.TLSNotAfter = answer.Status, answer.ElapsedNs, answer.TLSNotAfter
		if utf8.Valid(answer.Body) && !bytes.ContainsAny(answer.Body, "\x00\r\x1b") {
			c.Body = string(answer.Body)
		} else {
			c.Body64 = base64.StdEncoding.EncodeToString(answer.Body)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
	return answer, err
}

// Calls is how many answers the recorder has seen.
func (r *Recorder) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// Poll has a monitor poll once and returns what it found; calls are those that a Recorder has seen.
func (s *Sandbox) Poll(ctx context.Context, at time.Time, name, cursor string, calls *Recorder) (*Recording, error) {
	r := &Recording{Module: s.pkg.Manifest.Reference(), At: at.UTC(), Name: name, Cursor: cursor, Records: []string{}, Calls: []RecordedCall{}}
	if err := s.poll(ctx, r, nil); err != nil {
		return nil, err
	}
	if calls != nil {
		calls.mu.Lock()
		defer calls.mu.Unlock()
		r.Calls = append(r.Calls, calls.calls...)
	}
	return r, nil
}

// poll fills in what a recording wants. A trap is part of that.
func (s *Sandbox) poll(ctx context.Context, r *Recording, targets []runtime.Target) error {
	if s.Module.Manifest.Kind != manifest.Monitor {
		return fmt.Errorf("poll with %s: it is a %s, and only monitors poll: %w", s.pkg.Manifest.Reference(), s.Module.Manifest.Kind, storage.ErrInvalid)
	}
	s.said.clear()
	var found runtime.Polled
	err := s.Module.Code.Poll(ctx, abi.EncodePollOf(nil, 1, r.At.UnixNano(), []byte(r.Cursor), r.Name), &found, targets...)
	var trap *runtime.Trap
	if errors.As(err, &trap) {
		r.Failed = s.crash(trap).String()
	} else if err != nil {
		return fmt.Errorf("poll with %s: %w", s.pkg.Manifest.Reference(), err)
	}
	r.Fuel, r.Next = found.Fuel, string(found.Cursor)
	for _, b := range found.Records {
		r.Records = append(r.Records, string(b))
	}
	return nil
}

// Play polls with a module as a recording did: every question gets the answer that it got then. What comes out otherwise
// is a failure, as are questions that were not asked then and answers that nobody asks for now.
func Play(ctx context.Context, p manifest.Package, dir string, cfg Config, r *Recording) (Tested, error) {
	q := &player{left: slices.Clone(r.Calls)}
	cfg.Fetch = q.fetch
	s, err := Open(ctx, p, dir, cfg)
	if err != nil {
		return Tested{}, err
	}
	defer func() { _ = s.Close() }() // frees memory; there is nothing to do about an error
	got := &Recording{At: r.At, Name: r.Name, Cursor: r.Cursor}
	if err := s.poll(ctx, got, q.targets(&p.Manifest)); err != nil {
		return Tested{}, err
	}
	t, file := Tested{Cases: 1}, r.file
	if inside, err := filepath.Rel(dir, file); dir != "" && err == nil && filepath.IsLocal(inside) {
		file = filepath.ToSlash(inside)
	}
	fail := func(why string, fields ...FieldDiff) {
		t.Failures = append(t.Failures, Failure{File: file, Why: why, Fields: fields})
	}
	for _, why := range q.unknown {
		fail(why)
	}
	for _, c := range q.left {
		fail(fmt.Sprintf("it no longer asks to %s %s of %q", c.Function, c.Request, c.Target))
	}
	if got.Failed != r.Failed {
		fail("the poll ends otherwise", FieldDiff{Name: "failed", Got: got.Failed, Want: r.Failed})
	}
	for i := range max(len(got.Records), len(r.Records)) {
		is, want := at(got.Records, i), at(r.Records, i)
		if is == want {
			continue
		}
		a, err1 := flatten([]byte(is))
		b, err2 := flatten([]byte(want))
		if err1 != nil || err2 != nil {
			fail(fmt.Sprintf("record %d differs", i+1), FieldDiff{Name: "record", Got: is, Want: want})
		} else if d := differences(b, a); len(d) > 0 {
			fail(fmt.Sprintf("record %d differs", i+1), d...)
		}
	}
	if got.Next != r.Next {
		fail("the cursor differs", FieldDiff{Name: "next_cursor", Got: got.Next, Want: r.Next})
	}
	return t, nil
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// player answers from a recording.
type player struct {
	mu      sync.Mutex
	left    []RecordedCall
	unknown []string
}

// answer takes the first answer that fits out of the recording.
func (p *player) answer(function, target, request string) (RecordedCall, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.left {
		if c.Function != function || c.Target != target || c.Request != request {
			continue
		}
		p.left = slices.Delete(p.left, i, i+1)
		switch {
		case c.Denied:
			return c, fmt.Errorf("%s: %w", strings.TrimSuffix(c.Error, ": "+runtime.ErrDenied.Error()), runtime.ErrDenied)
		case c.Error != "":
			return c, errors.New(c.Error)
		}
		return c, nil
	}
	why := fmt.Sprintf("it asks to %s %s of %q, and the recording has no answer", function, request, target)
	p.unknown = append(p.unknown, why)
	return RecordedCall{}, errors.New(why)
}

func (p *player) fetch(_ context.Context, t runtime.Target, path string) (runtime.Response, error) {
	c, err := p.answer("fetch", t.Name, path)
	if err != nil {
		return runtime.Response{}, err
	}
	r := runtime.Response{Status: c.Status, ElapsedNs: c.ElapsedNs, TLSNotAfter: c.TLSNotAfter, Body: []byte(c.Body)}
	if c.Body64 != "" {
		if r.Body, err = base64.StdEncoding.DecodeString(c.Body64); err != nil {
			return r, fmt.Errorf("body_base64 of %s: %w", path, err)
		}
	}
	return r, nil
}

// targets are those that the manifest asks for, each of which may be asked anything.
func (p *player) targets(m *manifest.Manifest) []runtime.Target {
	var out []runtime.Target
	seen := map[string]bool{}
	for _, c := range m.Capabilities {
		for _, t := range c.Targets {
			if !seen[t.Name] {
				seen[t.Name] = true
				out = append(out, p.target(t.Name))
			}
		}
	}
	return out
}

var snmpTypes = map[string]snmp.Type{
	"text": snmp.Text, "int": snmp.Int, "uint": snmp.Uint, "ticks": snmp.Ticks, "oid": snmp.OID, "address": snmp.Address, "absent": snmp.Absent,
}

var configStates = map[string]config.State{"same": config.Same, "changed": config.Changed, "missing": config.Missing}

func (p *player) target(name string) runtime.Target {
	return runtime.Target{
		Name: name, URL: "http://recording.invalid",
		SNMP: func(_ context.Context, walk bool, oids []string) ([]snmp.Variable, bool, error) {
			function := "get"
			if walk {
				function = "walk"
			}
			c, err := p.answer(function, name, strings.Join(oids, " "))
			var vars []snmp.Variable
			for _, v := range c.Vars {
				vars = append(vars, snmp.Variable{OID: v.OID, Type: snmpTypes[v.Type], Bytes: []byte(v.Text), Number: v.Number})
			}
			return vars, c.More, err
		},
		SSH: func(_ context.Context, command string, args []string) (ssh.Result, error) {
			c, err := p.answer("run", name, strings.Join(append([]string{command}, args...), " "))
			return ssh.Result{Exit: c.Exit, ElapsedNs: c.ElapsedNs, Cut: c.Cut, Out: []byte(c.Out), Err: []byte(c.Err)}, err
		},
		Probe: func(_ context.Context, kind, what string) ([]probe.Fact, error) {
			c, err := p.answer(kind, name, what)
			var facts []probe.Fact
			for _, f := range c.Facts {
				facts = append(facts, probe.Fact{Name: f.Name, Value: f.Value})
			}
			return facts, err
		},
		Compare: func(_ context.Context, text, base string, _ []byte) (config.Difference, error) {
			c, err := p.answer("compare", name, strings.TrimSpace(text+" "+base))
			return config.Difference{State: configStates[c.State], Cut: c.Cut, Added: c.Added, Removed: c.Removed, Diff: []byte(c.Diff)}, err
		},
	}
}
