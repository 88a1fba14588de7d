package manifest

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/timer"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// capabilitiesOf lists what a kind may ask for. Parsers are pure: what they see is the record, the settings and fixed
// tables, so that parsing again gives the same event. Rules remember. Only monitors reach the network; what they remember
// is their cursor.
var capabilitiesOf = map[Kind][]string{
	Parser:  {table.ImportSet, table.ImportLookup},
	Rule:    {keys.Import, window.Import, timer.Import, table.ImportSet, table.ImportLookup},
	Monitor: {abi.ImportHTTP, snmp.Import, ssh.Import, probe.Import, config.Import},
}

// Validate checks everything that a manifest can be wrong about by itself. The error is Problems.
func (m *Manifest) Validate() error {
	c := &check{}
	c.identity(m)
	c.entry(m)
	c.match(m)
	c.fields("reads", m.Reads, abi.MaxColumns)
	c.fields("names", m.Names, MaxLocalNames)
	c.capabilities(m)
	c.limits(m.Limits)
	c.schedule(m)
	c.paths("vectors", m.Vectors, true)
	c.settings(m)
	c.state(m)
	if len(c.problems) > 0 {
		return c.problems
	}
	return nil
}

type check struct{ problems Problems }

func (c *check) add(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (c *check) identity(m *Manifest) {
	c.name("publisher", m.Publisher)
	c.name("name", m.Name)
	v, err := semver.StrictNewVersion(m.Version)
	switch {
	case len(m.Version) > MaxVersionBytes:
		c.add("version", "%d bytes, the limit is %d", len(m.Version), MaxVersionBytes)
	case err != nil || v.String() != m.Version:
		c.add("version", "%q is not a semantic version such as 1.2.0", m.Version)
	case v.Metadata() != "":
		c.add("version", "%q has build metadata (after +), which a tag cannot hold", m.Version)
	}
	if capabilitiesOf[m.Kind] == nil {
		c.add("kind", "%q: want parser, monitor or rule", m.Kind)
	}
	if m.Title == "" || strings.ContainsAny(m.Title, "\r\n") {
		c.add("title", "want one line for people")
	}
	c.text("title", m.Title, MaxTitleBytes)
	c.text("description", m.Description, MaxTextBytes)
	c.text("license", m.License, MaxTitleBytes)
	c.link("source", m.Source)
	c.link("homepage", m.Homepage)
	c.abi(m.ABI)
}

// abi checks "MAJOR.MINOR" in decimal without leading zeros.
func (c *check) abi(v string) {
	majorText, minorText, _ := strings.Cut(v, ".")
	major, err1 := strconv.ParseUint(majorText, 10, 16)
	minor, err2 := strconv.ParseUint(minorText, 10, 16)
	switch {
	case err1 != nil || err2 != nil || fmt.Sprintf("%d.%d", major, minor) != v:
		c.add("abi", `%q: want "%d.%d" (in quotes, or YAML reads a number)`, v, abi.Major, abi.Minor)
	case major != abi.Major || minor > abi.Minor:
		c.add("abi", "%s is not served; this is %d.%d", v, abi.Major, abi.Minor)
	}
}

func (c *check) entry(m *Manifest) {
	c.paths("entry.documents", m.Entry.Documents, true)
	c.spec(m)
	switch m.Kind {
	case Parser, Monitor:
		if !m.Entry.Wasm && m.Entry.Spec == "" {
			c.add("entry.wasm", "a %s needs code: want wasm: true", m.Kind)
		}
	case Rule:
		if len(m.Entry.Documents) == 0 && !m.Entry.Interprets {
			c.add("entry.documents", "a rule needs a document: it names the severity and selects the events")
		}
		if m.Entry.Wasm && len(m.Reads) == 0 {
			c.add("reads", "a rule with code needs the names of the fields that it reads")
		}
	}
	if len(m.Reads) > 0 && (m.Kind != Rule || !m.Entry.Wasm) {
		c.add("reads", "only rules with code read fields")
	}
	if len(m.Names) > 0 && m.Kind != Parser {
		c.add("names", "only parsers have field names of their own")
	}
	switch m.WASI {
	case "", WASINone:
	case WASIStub:
		if !m.Entry.Wasm {
			c.add("wasi", "there is no code that could use it")
		}
	default:
		c.add("wasi", "%q: want none or stub", m.WASI)
	}
}

// spec checks what entry.spec and entry.interprets want and exclude.
func (c *check) spec(m *Manifest) {
	if m.Entry.Interprets && (m.Kind == Monitor || !m.Entry.Wasm || m.Match != nil || len(m.Entry.Documents) > 0) {
		c.add("entry.interprets", "only the code of a parser without signatures, or of a rule without documents, is part of other packages")
	}
	if m.Entry.Spec == "" {
		return
	}
	c.paths("entry.spec", []string{m.Entry.Spec}, false)
	switch {
	case m.Kind != Parser:
		c.add("entry.spec", "only parsers have one")
	case m.Entry.Wasm || len(m.Entry.Documents) > 0:
		c.add("entry.spec", "a parser with a spec has neither code nor other documents")
	case m.WASI != "" || len(m.Names) > 0 || len(m.Capabilities) > 0 || len(m.Settings) > 0:
		c.add("entry.spec", "a parser with a spec has no wasi, names, capabilities or settings: its interpreter decides them")
	}
}

func (c *check) match(m *Manifest) {
	if m.Kind != Parser {
		if m.Match != nil {
			c.add("match", "only parsers have signatures; a rule selects events in its document")
		}
		return
	}
	if m.Match == nil && (m.Entry.Spec != "" || m.Entry.Interprets) {
		return // a spec's templates say it, unless the manifest does
	}
	if m.Match == nil || (len(m.Match.Signatures) == 0 && !m.Match.Generic) {
		c.add("match", "a parser needs signatures, or generic: true for the fall-back of a whole format")
		return
	}
	if len(m.Match.Signatures) > MaxSignatures {
		c.add("match.signatures", "%d signatures, the limit is %d", len(m.Match.Signatures), MaxSignatures)
		return
	}
	least := MinLiteralBytes
	if m.Match.Generic {
		least = 1
	}
	for i, s := range m.Match.Signatures {
		at := fmt.Sprintf("match.signatures[%d]", i)
		if s.Prefix == "" && len(s.All) == 0 && len(s.Any) == 0 && s.Listener == "" && !m.Match.Generic {
			c.add(at, "selects every record, which only a generic parser may: want prefix, all, any or listener")
		}
		if len(s.Prefix) > MaxLiteralBytes {
			c.add(at+".prefix", "%d bytes, the limit is %d", len(s.Prefix), MaxLiteralBytes)
		}
		c.literals(at+".all", s.All, least)
		c.literals(at+".any", s.Any, least)
		if s.Listener != "" {
			c.name(at+".listener", s.Listener)
		}
		if s.Priority < -MaxPriority || s.Priority > MaxPriority {
			c.add(at+".priority", "%d: want %d to %d", s.Priority, -MaxPriority, MaxPriority)
		}
	}
}

func (c *check) literals(at string, list []string, least int) {
	if len(list) > MaxLiterals {
		c.add(at, "%d literals, the limit is %d", len(list), MaxLiterals)
	}
	for i, lit := range list {
		if len(lit) < least || len(lit) > MaxLiteralBytes {
			c.add(fmt.Sprintf("%s[%d]", at, i), "length %d: want %d to %d bytes", len(lit), least, MaxLiteralBytes)
		}
	}
}

// fields checks a list of field names: flat dotted, printable, without doubles, none of the host's own.
func (c *check) fields(at string, list []string, limit int) {
	if len(list) > limit {
		c.add(at, "%d names, the limit is %d", len(list), limit)
		return
	}
	seen := make(map[string]bool, len(list))
	for i, name := range list {
		here := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case name == "" || len(name) > MaxFieldNameBytes:
			c.add(here, "%d bytes: want 1 to %d", len(name), MaxFieldNameBytes)
		case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f || r == utf8.RuneError }):
			c.add(here, "%q: want a dotted name without spaces, quotes or control characters", name)
		case strings.HasPrefix(name, "_"):
			c.add(here, "%q: names with a leading underscore belong to the store", name)
		case at == "names" && (name == "vedette" || strings.HasPrefix(name, "vedette.")):
			c.add(here, "%q: names below vedette. belong to the host", name)
		case seen[name]:
			c.add(here, "%q stands there twice", name)
		}
		seen[name] = true
	}
}

func (c *check) capabilities(m *Manifest) {
	if len(m.Capabilities) > MaxCapabilities {
		c.add("capabilities", "%d, the limit is %d", len(m.Capabilities), MaxCapabilities)
		return
	}
	if len(m.Capabilities) > 0 && !m.Entry.Wasm {
		c.add("capabilities", "there is no code that could use them")
	}
	seen := map[string]bool{}
	for i, want := range m.Capabilities {
		at := fmt.Sprintf("capabilities[%d]", i)
		switch {
		case want.ID == abi.ImportCore:
			c.add(at+".id", "%s is always there; leave it out", want.ID)
		case !slices.Contains(capabilitiesOf[m.Kind], want.ID):
			c.add(at+".id", "%q: a %s may ask for %s", want.ID, m.Kind, strings.Join(capabilitiesOf[m.Kind], ", "))
		case seen[want.ID]:
			c.add(at+".id", "%q stands there twice", want.ID)
		}
		seen[want.ID] = true
		if strings.TrimSpace(want.Reason) == "" {
			c.add(at+".reason", "want one sentence for the person who grants it")
		}
		c.text(at+".reason", want.Reason, MaxTextBytes)
		c.targets(at+".targets", want)
	}
}

// stateful reports whether a capability is to remember something.
func stateful(id string) bool { return id == keys.Import || id == window.Import || id == timer.Import }

// state checks the version in which state is kept.
func (c *check) state(m *Manifest) {
	switch s := m.State; {
	case s == nil:
	case !slices.ContainsFunc(m.Capabilities, func(w Capability) bool { return stateful(w.ID) }):
		c.add("state", "nothing is remembered without %s, %s or %s", keys.Import, window.Import, timer.Import)
	case s.Version == 0:
		c.add("state.version", "want 1 or more")
	case s.CompatibleFrom > s.Version:
		c.add("state.compatible_from", "%d: want at most the version, %d", s.CompatibleFrom, s.Version)
	case s.LookBack < 0 || time.Duration(s.LookBack) > MaxLookBack:
		c.add("state.look_back", "%s: want 0s to %s", time.Duration(s.LookBack), MaxLookBack)
	}
}

func (c *check) targets(at string, want Capability) {
	switch {
	case stateful(want.ID) && len(want.Targets) > 0:
		c.add(at, "%s has none: a module sees only its own keys", want.ID)
	case !stateful(want.ID) && len(want.Targets) == 0:
		c.add(at, "want the names that the code asks for")
	case len(want.Targets) > MaxTargets:
		c.add(at, "%d targets, the limit is %d", len(want.Targets), MaxTargets)
		return
	}
	seen := map[string]bool{}
	for i, t := range want.Targets {
		here := fmt.Sprintf("%s[%d]", at, i)
		c.name(here+".name", t.Name)
		if seen[t.Name] {
			c.add(here+".name", "%q stands there twice", t.Name)
		}
		seen[t.Name] = true
		c.text(here+".description", t.Description, MaxTextBytes)
		c.reach(here, want.ID, t)
		if t.URL == "" {
			continue
		}
		u, err := url.Parse(t.URL)
		if want.ID != abi.ImportHTTP || err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" ||
			u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(t.URL) > MaxURLBytes {
			c.add(here+".url", "%q: want a base URL such as https://status.example.com/, without user, query or fragment", t.URL)
		}
	}
}

func (c *check) limits(l Limits) {
	if l.MemoryPages > MaxMemoryPages {
		c.add("limits.memory_pages", "%d pages of 64 KiB, the limit is %d", l.MemoryPages, MaxMemoryPages)
	}
	for _, f := range []struct {
		name string
		fuel uint64
	}{{"fuel_per_call", l.FuelPerCall}, {"fuel_per_record", l.FuelPerRecord}, {"fuel_per_byte", l.FuelPerByte}} {
		if f.fuel > MaxFuel {
			c.add("limits."+f.name, "%d, the limit is %d", f.fuel, uint64(MaxFuel))
		}
	}
}

func (c *check) schedule(m *Manifest) {
	s := m.Schedule
	switch {
	case m.Kind == Monitor && s == nil:
		c.add("schedule", "a monitor needs an interval")
	case m.Kind != Monitor && s != nil:
		c.add("schedule", "only monitors are scheduled")
	}
	if s == nil {
		return
	}
	interval := time.Duration(s.Interval)
	if interval < MinScheduleInterval || interval > MaxScheduleInterval {
		c.add("schedule.interval", "%s: want %s to %s", interval, MinScheduleInterval, MaxScheduleInterval)
	}
	if j := time.Duration(s.Jitter); j < 0 || j > interval {
		c.add("schedule.jitter", "%s: want 0s to the interval", j)
	}
	if t := time.Duration(s.Timeout); t < 0 || t > MaxScheduleTimeout {
		c.add("schedule.timeout", "%s: want 0s to %s", t, MaxScheduleTimeout)
	}
}

// paths checks relative slash paths inside the module's folder.
func (c *check) paths(at string, list []string, patterns bool) {
	if len(list) > MaxPaths {
		c.add(at, "%d paths, the limit is %d", len(list), MaxPaths)
		return
	}
	seen := map[string]bool{}
	for i, p := range list {
		here := fmt.Sprintf("%s[%d]", at, i)
		_, badPattern := path.Match(p, "")
		switch {
		case !plainPath(p):
			c.add(here, "%q: want %s", p, wantPath)
		case p == FileName:
			c.add(here, "%s is always packaged", FileName)
		case !patterns && strings.ContainsAny(p, `*?[`):
			c.add(here, "%q: patterns are not allowed here", p)
		case badPattern != nil:
			c.add(here, "%q is not a valid pattern", p)
		case seen[p]:
			c.add(here, "%q stands there twice", p)
		}
		seen[p] = true
	}
}

func (c *check) settings(m *Manifest) {
	if len(m.Settings) == 0 {
		return
	}
	if len(m.Settings) > MaxSettingsBytes {
		c.add("settings", "%d bytes, the limit is %d", len(m.Settings), MaxSettingsBytes)
		return
	}
	if !m.Entry.Wasm {
		c.add("settings", "there is no code that could use them")
	}
	if _, err := m.Settings.compile(); err != nil {
		c.add("settings", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

func (c *check) name(at, s string) {
	if !ValidName(s) {
		c.add(at, "%q: want 1 to %d of a-z, 0-9 and -, beginning and ending with a letter or digit", s, MaxNameBytes)
	}
}

func (c *check) text(at, s string, limit int) {
	if len(s) > limit {
		c.add(at, "%d bytes, the limit is %d", len(s), limit)
	}
}

func (c *check) link(at, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(s) > MaxURLBytes {
		c.add(at, "%q: want an https URL of at most %d bytes", s, MaxURLBytes)
	}
}

// ValidName reports whether s can be a publisher's, module's or target's name.
func ValidName(s string) bool {
	if s == "" || len(s) > MaxNameBytes || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// CheckPath refuses what is not a plain relative slash path that stays where it is: "..", absolute paths, back
// slashes, drive letters and control characters. The error wraps ErrInvalid.
func CheckPath(p string) error {
	if !plainPath(p) {
		return fmt.Errorf("path %q: want %s: %w", p, wantPath, ErrInvalid)
	}
	return nil
}

var wantPath = fmt.Sprintf("a relative path below the module's folder, of at most %d bytes", MaxPathBytes)

func plainPath(p string) bool {
	return p != "" && len(p) <= MaxPathBytes && p != "." && path.Clean(p) == p && !path.IsAbs(p) &&
		p != ".." && !strings.HasPrefix(p, "../") && utf8.ValidString(p) &&
		!strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ':' })
}
