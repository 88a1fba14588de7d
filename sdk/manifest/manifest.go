// Package manifest describes a module: what it is, which records it reads and what it asks for, readable without
// running any of its code.
//
// Authors write module.yaml. What travels is its canonical JSON, once as the config of the OCI artifact and once as
// the custom section "vedette.manifest" of the Wasm file; the two must be the same bytes.
package manifest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/table"
)

// ErrInvalid is wrapped by every error about the content of a manifest, a package or a Wasm file.
var ErrInvalid = errors.New("invalid module")

// File names of a module's folder.
const (
	FileName = "module.yaml" // the manifest
	DocsName = "README.md"   // the only documentation file that is packaged
)

// Manifest is one module.yaml. The zero value of an optional field is its documented default.
type Manifest struct {
	Publisher   string `json:"publisher"`             // who vouches for it: [a-z0-9-], at most MaxNameBytes
	Name        string `json:"name"`                  // unique within the publisher, same alphabet
	Version     string `json:"version"`               // semantic version without build metadata: "1.2.0", "1.3.0-rc.1"
	Kind        Kind   `json:"kind"`                  // parser, monitor or rule
	Title       string `json:"title"`                 // one line for people
	Description string `json:"description,omitempty"` // what it reads or finds, for people
	License     string `json:"license,omitempty"`     // SPDX expression
	Source      string `json:"source,omitempty"`      // https URL of the source code
	Homepage    string `json:"homepage,omitempty"`    // https URL
	ABI         string `json:"abi"`                   // "1.0": major, then the least minor that the host must offer

	Entry        Entry        `json:"entry"`
	Match        *Match       `json:"match,omitempty"`        // parsers: which records to hand over
	Reads        []string     `json:"reads,omitempty"`        // Wasm rules: the columns of a row, in order; "*" is the whole event
	Names        []string     `json:"names,omitempty"`        // parsers: module-local field names, number 0x8000+index
	Capabilities []Capability `json:"capabilities,omitempty"` // what the host must grant; vedette_core_v1 is always there
	WASI         WASI         `json:"wasi,omitempty"`         // "none" (default) or "stub"
	Settings     Schema       `json:"settings,omitempty"`     // JSON Schema of the settings; without it there are none
	Limits       Limits       `json:"limits,omitzero"`        // requests; the tenant's policy and the host's maxima cap them
	State        *State       `json:"state,omitempty"`        // rules that remember: the version in which they keep it
	Schedule     *Schedule    `json:"schedule,omitempty"`     // monitors: when to poll
	Vectors      []string     `json:"vectors,omitempty"`      // the package's own test cases: paths or patterns such as "testdata/*.txtar"
}

// Kind is one of the three module kinds.
type Kind string

// The module kinds.
const (
	Parser  Kind = "parser"
	Monitor Kind = "monitor"
	Rule    Kind = "rule"
)

// Entry says what runs: code, documents that the host interprets, or both (a rule whose document selects the events
// that its code looks at). A package with a spec holds the code of an interpreter, which has that manifest inside, and
// the host hands it the spec, compiled, as its settings (sdk/spec).
type Entry struct {
	Wasm       bool     `json:"wasm,omitempty"`       // the package holds a Wasm module
	Documents  []string `json:"documents,omitempty"`  // declarative documents in the module's folder: paths or patterns, "rule.yaml"
	Spec       string   `json:"spec,omitempty"`       // parsers without code of their own: what an interpreter reads, "spec.yaml"
	Interprets bool     `json:"interprets,omitempty"` // the code reads specs or compiled rules: it is part of other packages and runs in no other way
}

// Match routes records that come without a hint. The most specific signature is asked first, and the parser itself
// confirms or says "not mine".
type Match struct {
	Generic    bool        `json:"generic,omitempty"`    // a fall-back for a whole format, asked last
	Signatures []Signature `json:"signatures,omitempty"` // alternatives
}

// Signature fits a record when everything that it names holds. Literals are compared byte for byte. Only a generic
// parser may have one that names nothing but its priority among the generic ones.
type Signature struct {
	Prefix   string   `json:"prefix,omitempty"`   // how the record begins
	All      []string `json:"all,omitempty"`      // literals that must all occur
	Any      []string `json:"any,omitempty"`      // literals of which one must occur
	Listener string   `json:"listener,omitempty"` // name of the listener that received the record
	Priority int      `json:"priority,omitempty"` // -100..100; decides before specificity, higher is asked earlier
}

// Specificity orders signatures of the same priority: the number of literal bytes that a record must hold.
func (s Signature) Specificity() int {
	n := len(s.Prefix)
	for _, lit := range s.All {
		n += len(lit)
	}
	least := 0
	for i, lit := range s.Any {
		if i == 0 || len(lit) < least {
			least = len(lit)
		}
	}
	return n + least
}

// Capability is an import module that the host links only when it was granted.
type Capability struct {
	ID      string   `json:"id"`                // vedette_http_v1, vedette_snmp_v1, vedette_kv_v1, …
	Reason  string   `json:"reason"`            // shown to the person who grants it
	Targets []Target `json:"targets,omitempty"` // of monitors: what it wants to reach; of others: tables
}

// Target is something outside that a module asks for. The code names it, and only the grant knows where it is.
type Target struct {
	Name        string `json:"name"`                  // the name that the code uses, [a-z0-9-]
	URL         string `json:"url,omitempty"`         // suggested base URL; empty when only the tenant can know it
	Description string `json:"description,omitempty"` // for the person who grants it

	OIDs     []string  `json:"oids,omitempty"`     // vedette_snmp_v1: prefixes of what it reads
	Commands []Command `json:"commands,omitempty"` // vedette_ssh_v1: what it runs
	Ports    []uint16  `json:"ports,omitempty"`    // vedette_probe_v1: what it connects to
}

// Command is a command that a module asks to run: the code names it and gives arguments, the host fills in the template.
type Command struct {
	ID  string `json:"id"`  // the name that the code uses, [a-z0-9-]
	Run string `json:"run"` // "show running-config {section}"
	// Args are the arguments in the order in which the code gives them. Whatever a pattern allows, an argument never
	// holds white space, quotes or another character that a shell reads, nor begins with "-".
	Args []Argument `json:"args,omitempty"`
}

// Argument is a hole of a command's template.
type Argument struct {
	Name    string `json:"name"`    // as it stands in the template, in braces
	Pattern string `json:"pattern"` // regular expression (RE2) that the whole argument must match
}

// WASI says which part of wasi_snapshot_preview1 a module is linked to.
type WASI string

// The WASI levels. WASIStub is a fixed set of harmless stand-ins: output becomes log lines, time is the batch's,
// randomness is seeded, there are no files, arguments or variables.
const (
	WASINone WASI = "none"
	WASIStub WASI = "stub"
)

// Limits are requests. Zero means the host's default; what a module gets is never more than the tenant's policy allows.
type Limits struct {
	MemoryPages   uint32 `json:"memory_pages,omitempty"`    // linear memory in pages of 64 KiB
	FuelPerCall   uint64 `json:"fuel_per_call,omitempty"`   // fuel of a call before its records
	FuelPerRecord uint64 `json:"fuel_per_record,omitempty"` // fuel that each record adds
	FuelPerByte   uint64 `json:"fuel_per_byte,omitempty"`   // fuel that each byte of input adds
}

// State says in which way a rule keeps what it remembers (vedette_kv_v1, vedette_window_v1), and what becomes of that of
// another version: module versions with the same state version share it; one that is not older than CompatibleFrom is
// migrated; else what LookBack says is rebuilt from stored events; else the rule begins with nothing.
type State struct {
	Version        uint32   `json:"version"`                   // 1 and up
	CompatibleFrom uint32   `json:"compatible_from,omitempty"` // the oldest version that vedette_migrate reads
	LookBack       Duration `json:"look_back,omitzero"`        // how far back stored events are looked at; at most MaxLookBack
}

// LooksBack reports whether the module is shown stored events when it begins anew.
func (m *Manifest) LooksBack() bool { return m.State != nil && m.State.LookBack > 0 }

// Carry says how state passes from one version to another.
type Carry string

// The ways.
const (
	Shared   Carry = "shared"
	Migrated Carry = "migrated"
	Rebuilt  Carry = "rebuilt"
	Dropped  Carry = "dropped"
)

// Carry returns what becomes of state that was kept as version from when this module takes over.
func (m *Manifest) Carry(from uint32) Carry {
	switch s := m.State; {
	case from == m.StateVersion():
		return Shared
	case s != nil && s.CompatibleFrom != 0 && s.CompatibleFrom <= from && from < s.Version:
		return Migrated
	case m.LooksBack():
		return Rebuilt
	}
	return Dropped
}

// Asks lists all that somebody has to grant: capabilities and, of those that look into tables, each table by its name,
// "vedette_set_v1:bad-domains".
func (m *Manifest) Asks() []string {
	var asks []string
	for _, c := range m.Capabilities {
		if !looksUp(c.ID) {
			asks = append(asks, c.ID)
			continue
		}
		for _, t := range c.Targets {
			asks = append(asks, c.ID+":"+t.Name)
		}
	}
	return asks
}

// Tables lists the tables that the module asks for, each once.
func (m *Manifest) Tables() []string {
	var names []string
	for _, c := range m.Capabilities {
		for _, t := range c.Targets {
			if looksUp(c.ID) && !slices.Contains(names, t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	return names
}

func looksUp(id string) bool { return id == table.ImportSet || id == table.ImportLookup }

// Remembers reports whether the module asks for state.
func (m *Manifest) Remembers() bool {
	return slices.ContainsFunc(m.Capabilities, func(c Capability) bool { return stateful(c.ID) })
}

// StateVersion is the version in which the module keeps its state: 1 unless it says otherwise.
func (m *Manifest) StateVersion() uint32 {
	if m.State == nil {
		return 1
	}
	return m.State.Version
}

// Schedule says when a monitor polls.
type Schedule struct {
	Interval Duration `json:"interval"`          // "30s": from one start to the next
	Jitter   Duration `json:"jitter,omitempty"`  // each start is delayed by up to this much
	Timeout  Duration `json:"timeout,omitempty"` // wall-clock time of one poll; default 10s
}

// Duration is a time.Duration that is written as "1m30s".
type Duration time.Duration

// MarshalText writes Go's form of a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's form of a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return errors.New(`want a duration such as "30s" or "5m"`)
	}
	*d = Duration(v)
	return nil
}

// Reference is the module's full name, "publisher/name:version".
func (m *Manifest) Reference() string { return m.Publisher + "/" + m.Name + ":" + m.Version }

// ImportModules lists the Wasm import modules that the manifest allows its code to name, vedette_core_v1 included.
func (m *Manifest) ImportModules() []string {
	mods := []string{abi.ImportCore}
	for _, c := range m.Capabilities {
		mods = append(mods, c.ID)
	}
	if m.WASI == WASIStub {
		mods = append(mods, abi.ImportWASI)
	}
	return mods
}

// FieldName returns the module-local name with the number n, or "" when the manifest has none.
func (m *Manifest) FieldName(n abi.Name) string {
	if n < abi.FirstLocal || int(n-abi.FirstLocal) >= len(m.Names) {
		return ""
	}
	return m.Names[n-abi.FirstLocal]
}

// Problem is one thing that is wrong, and where.
type Problem struct {
	File   string // as handed to Parse; "" when there was none
	Line   int    // 1-based; 0 when unknown
	Column int
	Path   string // "match.signatures[0].all"; "" for the whole
	Text   string // what is wrong and what is wanted
}

// String returns "file:line:column: path: text" without the parts that are unknown.
func (p Problem) String() string {
	var b strings.Builder
	writePosition(&b, p.File, p.Line, p.Column)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Text
}

// Problems is everything that is wrong with a manifest. It unwraps to ErrInvalid.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (ps Problems) Unwrap() error { return ErrInvalid }
