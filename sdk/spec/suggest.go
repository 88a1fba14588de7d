package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/kv"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// Suggest proposes a spec, as YAML, for lines that nobody reads: how they are framed, one template for each shape, holes
// for what looks like a value, and ECS names by what stands before it. It never fails, and what it proposes is there to
// be edited. prefix is that of names that are not of ECS; "" takes the program's name, or "custom". At most MaxSamples
// of MaxSampleBytes are looked at.
func Suggest(samples []string, prefix string) string {
	s := suggestion{prefix: prefix}
	for _, raw := range samples[:min(len(samples), MaxSamples)] {
		raw = strings.ToValidUTF8(strings.TrimSpace(raw[:min(len(raw), MaxSampleBytes)]), "?")
		if raw != "" {
			s.samples = append(s.samples, raw)
		}
	}
	s.frame()
	if s.prefix = vendor(s.prefix); s.prefix == "" {
		s.prefix = "custom"
		if len(s.programs) > 0 {
			if name := vendor(s.programs[0]); name != "" {
				s.prefix = name
			}
		}
	}
	s.head()
	switch s.framing {
	case template.KeyValue, template.JSONObject:
		s.keys()
	default:
		s.templates()
	}
	return s.out.String()
}

// vendor makes a prefix of a word, "" when it cannot be one.
func vendor(name string) string {
	name = strings.ToLower(name)
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name), "_")
	if name == "" || name[0] <= '9' || len(name) > 64 {
		return ""
	}
	if roots[name] {
		name += "_log"
	}
	return name
}

// suggestion is a spec that is being written.
type suggestion struct {
	samples  []string
	bodies   []string
	framing  template.Framing
	programs []string
	prefix   string
	used     map[string]bool // field names of the template at hand
	side     string          // of the last address: "source" or "destination"
	out      strings.Builder
}

// frame decides how the samples are framed: as most of them are.
func (s *suggestion) frame() {
	var bodies []string
	headers, objects, pairs := 0, 0, 0
	for _, raw := range s.samples {
		body, program := unframe(raw)
		if body != raw {
			headers++
			if program != "" && !slices.Contains(s.programs, program) && len(s.programs) < MaxPrograms {
				s.programs = append(s.programs, program)
			}
		}
		bodies = append(bodies, body)
		if _, ok := objectNames(body); ok {
			objects++
		} else if mostlyPairs(body) {
			pairs++
		}
	}
	n := len(s.samples)
	switch {
	case n > 0 && 2*objects > n:
		s.framing, s.bodies = template.JSONObject, bodies
	case n > 0 && 2*pairs > n:
		s.framing, s.bodies = template.KeyValue, bodies
	case n > 0 && 2*headers > n:
		s.framing, s.bodies = template.SyslogLine, bodies
	default:
		s.framing, s.bodies, s.programs = template.Plain, s.samples, nil
	}
}

// mostlyPairs says that a text is key=value pairs rather than a sentence with some in it.
func mostlyPairs(body string) bool {
	n, filled := 0, 0
	for p := kv.New([]byte(body)); p.Next(); n++ {
		filled += len(p.Key) + len(p.Value) + 2
	}
	return n >= 3 && filled*100 >= len(body)*70
}

func (s *suggestion) head() {
	fmt.Fprintf(&s.out, "framing: %s\n", [...]string{"none", "syslog", "kv", "json"}[s.framing])
	if len(s.programs) > 0 && s.framing == template.SyslogLine {
		quoted := make([]string, len(s.programs))
		for i, p := range s.programs {
			quoted[i] = quote(p)
		}
		fmt.Fprintf(&s.out, "programs: [%s]\n", strings.Join(quoted, ", "))
	}
	fmt.Fprintf(&s.out, "prefix: %s # of fields that ECS does not have\n", s.prefix)
	fmt.Fprintf(&s.out, "set:\n  event.dataset: %s.log\n  event.kind: event\n", s.prefix)
}

// quote writes a text in YAML's double quotes.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xFEFF || r == 0x2028 || r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

// seenKey is a key of the samples with one of its values.
type seenKey struct {
	name, value string
	count       int
}

// keys proposes fields and require.
func (s *suggestion) keys() {
	var all []*seenKey
	index := map[string]*seenKey{}
	for _, body := range s.bodies {
		once := map[string]bool{}
		note := func(name, value string) {
			k := index[name]
			if k == nil {
				k = &seenKey{name: name, value: value}
				index[name] = k
				all = append(all, k)
			}
			if !once[name] {
				once[name] = true
				k.count++
			}
		}
		if s.framing == template.KeyValue {
			for p := kv.New([]byte(body)); p.Next(); {
				note(string(p.Key), string(p.Value))
			}
			continue
		}
		var f jsontok.Flat
		for f.Reset([]byte(body)); f.Next(); {
			note(string(f.Name), string(f.Value))
		}
	}
	if len(all) > MaxKeys {
		all = all[:MaxKeys]
	}
	var required []string
	for _, k := range all {
		if k.count == len(s.bodies) && len(k.name) >= 3 && len(required) < 3 {
			required = append(required, quote(k.name))
		}
	}
	if len(required) == 0 && len(all) > 0 {
		required = append(required, quote(all[0].name))
	}
	fmt.Fprintf(&s.out, "require: [%s] # keys that every record has\nfields:\n", strings.Join(required, ", "))
	s.used = map[string]bool{}
	for _, k := range all {
		name, kind := s.forKey(k)
		switch {
		case name == "":
			fmt.Fprintf(&s.out, "  # %s: kept as %s.%s, such as %s\n", oneLine(k.name), s.prefix, oneLine(k.name), oneLine(k.value))
		case kind != "":
			fmt.Fprintf(&s.out, "  %s: {to: %q, type: %s}\n", quote(k.name), name, kind)
		default:
			fmt.Fprintf(&s.out, "  %s: %q\n", quote(k.name), name)
		}
	}
	if len(s.used) == 0 {
		s.out.WriteString("  {}\n")
	}
}

// oneLine makes a text harmless in a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xFEFF {
			return ' '
		}
		return r
	}, s[:min(len(s), 60)])
}

// forKey returns the field of a key and its type when that is not the field's usual one; "" when ECS has none for it.
func (s *suggestion) forKey(k *seenKey) (name, kind string) {
	leaf := k.name[strings.LastIndexByte(k.name, '.')+1:]
	name = usual[strings.ToLower(leaf)]
	if numbers[k.name] != 0 || k.name == timestamp {
		name = k.name
	}
	if name == "" || s.used[name] {
		return "", ""
	}
	v := []byte(k.value)
	switch usualKind(name) {
	case template.Time:
		for _, l := range []string{template.ISO, template.CLF, template.Syslog, template.Epoch} {
			if template.Fits(template.Time, v, l) {
				s.used[name] = true
				if l == template.ISO {
					return name, ""
				}
				return name, "time(" + l + ")"
			}
		}
		return "", ""
	case template.IP:
		if !template.Fits(template.IP, v, "") {
			if name = strings.TrimSuffix(name, "ip") + "address"; numbers[name] == 0 || s.used[name] {
				return "", ""
			}
		}
	case template.Int:
		if !template.Fits(template.Int, v, "") {
			return "", ""
		}
	}
	s.used[name] = true
	return name, ""
}

// templates proposes one template for each shape.
func (s *suggestion) templates() {
	s.out.WriteString("templates:\n")
	var groups [][]token
	for _, body := range s.bodies {
		list := tokens(body)
		context(list)
		if !slices.ContainsFunc(groups, func(g []token) bool { return merge(g, list) }) && len(groups) < MaxSamples {
			groups = append(groups, list)
		}
	}
	if len(groups) == 0 {
		s.out.WriteString("  - \"{message:rest}\"\n")
	}
	written := map[string]bool{}
	for _, g := range groups {
		text := s.template(g)
		if written[text] {
			continue
		}
		written[text] = true
		if set := mood(g); set != "" {
			fmt.Fprintf(&s.out, "  - text: %s\n    set: {%s}\n", quote(text), set)
		} else {
			fmt.Fprintf(&s.out, "  - %s\n", quote(text))
		}
		c := cutter{text: text, fail: func(int, string, string, ...any) {}}
		if len(longest(c.parts(false))) == 0 && len(s.programs) == 0 {
			s.out.WriteString("    # no text here tells these records from others: add match: [\"…\"]\n")
		}
	}
}

// merge makes g cover list too, when both have one shape: what stands between is equal, and so are most words.
func merge(g, list []token) bool {
	if len(g) != len(list) {
		return false
	}
	same, different := 0, 0
	for i := range g {
		a, b := &g[i], &list[i]
		switch {
		case a.sort == between || b.sort == between:
			if a.text != b.text || a.sort != b.sort {
				return false
			}
		case a.quote != b.quote, a.sort == value && b.sort == value && (a.kind == template.Time) != (b.kind == template.Time):
			return false
		case a.sort == word && b.sort == word && a.text == b.text:
			same++
		case a.sort == word || b.sort == word:
			different++
		}
	}
	if different > 0 && different > same {
		return false
	}
	for i := range g {
		a, b := &g[i], &list[i]
		if a.sort == b.sort && (a.sort != value && a.text == b.text || a.sort == value && a.kind == b.kind && a.arg == b.arg) {
			continue
		}
		a.kind = wider(a, b)
		a.sort, a.arg = value, ""
	}
	return true
}

// wider is the type that holds two values.
func wider(a, b *token) template.Kind {
	pair := func(x, y template.Kind) bool {
		return a.sort == value && b.sort == value && (a.kind == x && b.kind == y || a.kind == y && b.kind == x)
	}
	switch {
	case pair(template.Int, template.Float):
		return template.Float
	case pair(template.Int, template.Hex):
		return template.Hex
	case pair(template.IP, template.Host):
		return template.Host
	}
	return template.Word
}

// mood guesses constants from the words of a line.
func mood(list []token) string {
	var out []string
	outcome, auth := "", false
	for _, t := range list {
		if t.sort != word {
			continue
		}
		switch strings.ToLower(t.text) {
		case "failed", "failure", "denied", "refused", "rejected", "invalid", "error", "blocked", "unauthorized":
			outcome = "failure"
		case "accepted", "succeeded", "success", "granted", "opened", "allowed", "successful", "successfully":
			if outcome == "" {
				outcome = "success"
			}
		case "login", "logon", "logged", "password", "authentication", "authenticated", "auth":
			auth = true
		}
	}
	if auth {
		out = append(out, "event.category: [authentication]")
	}
	if outcome != "" {
		out = append(out, "event.outcome: "+outcome)
	}
	return strings.Join(out, ", ")
}

// template writes tokens as a template.
func (s *suggestion) template(list []token) string {
	s.used, s.side = map[string]bool{}, ""
	var b strings.Builder
	for i, t := range list {
		if t.sort != value {
			b.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(t.text))
			continue
		}
		kind := template.Names[t.kind]
		if t.arg != "" && t.arg != template.ISO {
			kind = "time(" + t.arg + ")"
		}
		fmt.Fprintf(&b, "{%s:%s}", s.field(list, i), kind)
	}
	return b.String()
}

// field names a value by its type and by what stands before it.
func (s *suggestion) field(list []token, i int) string {
	t := list[i]
	before, sep := wordBefore(list, i)
	before = strings.ToLower(before)
	var names []string
	switch t.kind {
	case template.Time:
		names = []string{timestamp}
	case template.IP:
		if strings.HasPrefix(usual[before], "destination.") || before == "server" {
			s.side = "destination"
			return s.free("destination.ip", "source.ip")
		}
		s.side = "source"
		if s.used["source.ip"] {
			s.side = "destination"
		}
		return s.free("source.ip", "destination.ip")
	case template.Int:
		if s.side != "" && (before == "port" || before == "" && i >= 2 && list[i-2].kind == template.IP && strings.Trim(sep, ":/#]") == "") {
			return s.free(s.side+".port", "destination.port")
		}
		if name := usual[before]; isNumber(name) {
			names = []string{name}
		}
		if before == "" && s.used["http.version"] { // what a web server writes behind the request
			names = []string{"http.response.status_code", "http.response.bytes"}
		}
		if before != "" && sep == "[" {
			names = []string{"process.pid"}
		}
	case template.MAC:
		names = []string{"source.mac", "destination.mac"}
	case template.Email:
		names = []string{"user.email"}
	case template.URL:
		names = []string{"url.original"}
	case template.Path:
		names = []string{"file.path"}
		if i >= 2 && methods[list[i-2].text] {
			names = []string{"url.path"}
		}
	default:
		names = s.plain(t, before)
		switch {
		case strings.HasSuffix(sep, " HTTP/"):
			names = []string{"http.version"}
		case t.quote && before == "" && s.used["http.version"]:
			names = []string{"http.request.referrer", "user_agent.original"}
		case sep == " " && i >= 2 && methods[list[i-2].text]:
			names = []string{"url.original"}
		}
	}
	return s.free(append(names, s.own(before))...)
}

// plain names a word, a quoted text or a host.
func (s *suggestion) plain(t token, before string) []string {
	switch {
	case levels[t.text]:
		return []string{"log.level"}
	case methods[t.text]:
		return []string{"http.request.method"}
	case before == "for" || before == "by" && t.kind == template.Word:
		return []string{"user.name"}
	}
	name := usual[before]
	switch {
	case isAddress(name):
		return []string{strings.TrimSuffix(name, "ip") + "address"}
	case name == "" || isNumber(name) || isTime(name):
		return nil
	}
	return []string{name}
}

// own is a name below the prefix.
func (s *suggestion) own(before string) string {
	if before = vendor(before); before == "" || len(before) > 40 {
		before = "value"
	}
	return s.prefix + "." + strings.TrimSuffix(before, "_log")
}

// free returns the first name that the template does not have yet; the last is counted on.
func (s *suggestion) free(names ...string) string {
	for _, n := range names {
		if n != "" && !s.used[n] && (numbers[n] != 0 || n == timestamp || strings.HasPrefix(n, s.prefix+".")) {
			s.used[n] = true
			return n
		}
	}
	last := s.prefix + ".value"
	if n := names[len(names)-1]; strings.HasPrefix(n, s.prefix+".") {
		last = n
	}
	for i := 2; ; i++ {
		if n := fmt.Sprintf("%s%d", last, i); !s.used[n] {
			s.used[n] = true
			return n
		}
	}
}
