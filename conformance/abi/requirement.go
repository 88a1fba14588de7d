// Package conform holds modules and hosts to sdk/ABI.md: what one owes the other is a list of numbered requirements, and
// each is tried from outside, over a protocol that any host can speak.
//
// [Hosts] hands the reference guests, most of them hostile, to a host. [Modules] hands a module batches that are meant to
// break it. Both answer with a [Report]: the highest level whose requirements all hold, and what became of each.
package conform

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

//go:embed cases/*.yaml
var cases embed.FS

// MaxLevel is the highest level: L0 static admission, L1 ABI, L2 capabilities, L3 isolation and limits, L4 life cycle,
// L5 determinism and replay.
const MaxLevel = 5

// Requirement is one thing that must hold. Exactly one of Refuse, Wild, Steps and Check says how it is tried.
type Requirement struct {
	ID      string   `yaml:"id"`      // "host-3.01": whose, the level, a number
	Clauses []string `yaml:"clauses"` // of sdk/ABI.md
	Text    string   `yaml:"text"`
	Advice  bool     `yaml:"advice"`  // the text says SHOULD: a failure costs no level
	Needs   string   `yaml:"needs"`   // an import module without which it does not apply
	Hostile []string `yaml:"hostile"` // kinds of attack that a check holds, beside those of its guests

	Refuse *refuse `yaml:"refuse"`
	Wild   *wild   `yaml:"wild"`
	Steps  []step  `yaml:"steps"`
	Check  string  `yaml:"check"`
}

// Level is the level that the requirement belongs to.
func (r *Requirement) Level() int {
	_, rest, _ := strings.Cut(r.ID, "-")
	level, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(level)
	if err != nil {
		return -1
	}
	return n
}

// Kinds lists the kinds of attack that the requirement is tried with.
func (r *Requirement) Kinds() []string {
	kinds := slices.Clone(r.Hostile)
	if r.Refuse != nil {
		kinds = append(kinds, kindsOf(r.Refuse.Guests)...)
	}
	if r.Wild != nil {
		kinds = append(kinds, kindsOf(r.Wild.Guests)...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

type guestsByKind map[string][]string

func kindsOf(m guestsByKind) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// all lists the guests of all kinds in a fixed order.
func (m guestsByKind) all() []string {
	var out []string
	for _, k := range kindsOf(m) {
		out = append(out, m[k]...)
	}
	return out
}

// refuse: each guest is refused when it is loaded.
type refuse struct {
	Codes  []string     `yaml:"codes"` // one of these; one that ends with "_" is a prefix
	Guests guestsByKind `yaml:"guests"`
	Kind   string       `yaml:"kind"`  // of module; "": parser
	Names  []string     `yaml:"names"` // the detail names each of these
}

// wild: each guest answers records, fails on a marked one, and answers again.
type wild struct {
	Codes  []string     `yaml:"codes"`
	Guests guestsByKind `yaml:"guests"`
	Fuel   uint64       `yaml:"fuel"` // of a call; 0: wildFuel
}

// step is one action and what must come of it.
type step struct {
	Load *loadStep `yaml:"load"`
	Call *callStep `yaml:"call"`
}

type loadStep struct {
	Guest    string `yaml:"guest"`
	Settings string `yaml:"settings"`
}

// callStep calls the module that was loaded last.
type callStep struct {
	Records []string `yaml:"records"`
	Says    string   `yaml:"says"` // the message of every outcome
}

// HostRequirements is what a host owes modules.
func HostRequirements() ([]Requirement, error) { return readRequirements("cases/host.yaml") }

// ModuleRequirements is what a module owes its host.
func ModuleRequirements() ([]Requirement, error) { return readRequirements("cases/module.yaml") }

func readRequirements(name string) ([]Requirement, error) {
	text, err := cases.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("requirements: %w", err)
	}
	var all []Requirement
	if err := yaml.UnmarshalWithOptions(text, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("requirements: %s: %w", name, err)
	}
	return all, nil
}

func limits(call, record, perByte uint64) protocol.Limits {
	return protocol.Limits{FuelPerCall: call, FuelPerRecord: record, FuelPerByte: perByte}
}
