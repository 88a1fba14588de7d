package author

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Failure is one case that does not hold.
type Failure struct {
	File   string      `json:"file"`           // of the case, relative to the module's folder
	Line   int         `json:"line,omitempty"` // of the record in it; 0 when it is about the whole file
	Record string      `json:"record,omitempty"`
	Why    string      `json:"why,omitempty"`    // "" when fields differ
	Fields []FieldDiff `json:"fields,omitempty"` // by name
	Crash  *Crash      `json:"crash,omitempty"`  // set when the module fell
}

// FieldDiff is one field that came out otherwise; an empty text is a field that is not there.
type FieldDiff struct {
	Name string `json:"name"`
	Got  string `json:"got,omitempty"`
	Want string `json:"want,omitempty"`
}

// String returns the failure in lines, the first of which begins with the place of the case.
func (f Failure) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	switch {
	case f.Crash != nil:
		fmt.Fprintf(&b, "the module falls (%s)\n  %s", f.Crash.Code, strings.ReplaceAll(f.Crash.String(), "\n", "\n  "))
	case f.Why != "":
		b.WriteString(f.Why)
	default:
		b.WriteString("it is read otherwise (- wanted, + is)")
	}
	if f.Record != "" {
		fmt.Fprintf(&b, "\n  %s", f.Record)
	}
	width := 0
	for _, d := range f.Fields {
		width = max(width, len(d.Name))
	}
	for _, d := range f.Fields {
		if d.Want != "" {
			fmt.Fprintf(&b, "\n    - %-*s  %s", width, d.Name, d.Want)
		}
		if d.Got != "" {
			fmt.Fprintf(&b, "\n    + %-*s  %s", width, d.Name, d.Got)
		}
	}
	return b.String()
}

var eventFailure = regexp.MustCompile(`^(.+?): event (\d+): (.*)$`)

// failures makes a host's sentences about cases useful to who has to mend them: each becomes a place, the record, and
// all fields that differ.
func (s *Sandbox) failures(ctx context.Context, said []string) ([]Failure, error) {
	var out []Failure
	seen := map[string]bool{} // files that were told as a whole
	for _, text := range said {
		m := eventFailure.FindStringSubmatch(text)
		file, why, _ := strings.Cut(text, ": ")
		v := s.vector(file)
		switch {
		case v == nil || s.Module.Code == nil || s.Module.Manifest.Kind != manifest.Parser:
			out = append(out, s.ruleFailure(text))
			continue
		case m == nil && seen[file]:
			continue
		}
		c := readCase(v)
		answers, err := s.answers(ctx, c)
		if err != nil {
			return nil, err
		}
		if m == nil {
			seen[file] = true
			out = append(out, c.whole(answers, why)...)
			continue
		}
		n, _ := strconv.Atoi(m[2]) // it is digits that a number made
		out = append(out, c.event(answers, n-1, m[3]))
	}
	return out, nil
}

func (s *Sandbox) vector(file string) *manifest.File {
	for i := range s.pkg.Vectors {
		if s.pkg.Vectors[i].Path == file {
			return &s.pkg.Vectors[i]
		}
	}
	return nil
}

var placed = regexp.MustCompile(`^(\S+?): (\S+?):(\d+): (.*)$`)

// ruleFailure is a sentence about a rule's own test, "rule.yaml: rule.yaml:23: …", or about anything else.
func (s *Sandbox) ruleFailure(text string) Failure {
	f := Failure{Why: text}
	if m := placed.FindStringSubmatch(text); m != nil && path.Base(m[1]) == path.Base(m[2]) {
		f.File, f.Why = m[1], m[4]
		f.Line, _ = strconv.Atoi(m[3]) // digits that a number made
	} else if file, why, ok := strings.Cut(text, ": "); ok && !strings.Contains(file, " ") {
		f.File, f.Why = file, why
	}
	if c := s.source.crash(s.said.text()); c.Message != "" {
		f.Why += "\n  " + c.String()
	}
	return f
}

// caseText is a parser's case file with the places of its lines.
type caseText struct {
	file      string
	received  time.Time
	input     [][]byte
	wants     [][]byte
	firstLine int // of input
}

func readCase(v *manifest.File) *caseText {
	c := &caseText{file: v.Path, received: received}
	for _, f := range txtar.Parse(v.Data).Files {
		lines := bytes.Split(bytes.TrimSuffix(f.Data, []byte("\n")), []byte("\n"))
		switch f.Name {
		case "input":
			c.input = lines
		case "want/events.jsonl":
			c.wants = lines
		case "received":
			if t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(f.Data))); err == nil {
				c.received = t
			}
		}
	}
	n := 0
	for line := range bytes.Lines(v.Data) {
		n++
		if strings.TrimSpace(string(line)) == "-- input --" {
			c.firstLine = n + 1
			break
		}
	}
	return c
}

// reply is what became of one record of a case.
type reply struct {
	lines  [][]byte            // as a case file wants them
	events []map[string]string // the same, flat
	crash  *Crash
}

// answers runs the records of a case one by one.
func (s *Sandbox) answers(ctx context.Context, c *caseText) ([]reply, error) {
	out := make([]reply, 0, len(c.input))
	var res runtime.Result
	for _, raw := range c.input {
		trap, err := s.one(ctx, raw, c.received, &res)
		if err != nil {
			return nil, err
		}
		var a reply
		if trap != nil {
			crash := s.crash(trap)
			a.crash = &crash
		} else if err := s.reply(&res, raw, &a); err != nil {
			return nil, fmt.Errorf("read the answer of %s: %w", s.pkg.Manifest.Reference(), err)
		}
		out = append(out, a)
	}
	return out, nil
}

// reply puts the answer to one record into the form of a case file.
func (s *Sandbox) reply(res *runtime.Result, raw []byte, a *reply) error {
	t, err := tried(res, s.Module.Manifest.Names, raw)
	if err != nil {
		return err
	}
	var objects []map[string]any
	for i := range t.Events {
		objects = append(objects, t.Events[i].object())
	}
	if t.Outcome != outcomes[abi.OK] {
		none := map[string]any{"outcome": t.Outcome}
		if t.Message != "" {
			none["message"] = t.Message
		}
		objects = []map[string]any{none}
	}
	for _, o := range objects {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(o); err != nil {
			return err
		}
		line := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
		flat, err := flatten(line)
		if err != nil {
			return err
		}
		a.lines, a.events = append(a.lines, line), append(a.events, flat)
	}
	return nil
}

// recordOf returns which record made event n; -1 for none.
func recordOf(answers []reply, n int) int {
	for i := range answers {
		if n -= len(answers[i].events); n < 0 {
			return i
		}
	}
	return -1
}

// event describes event n, which differs from what the case wants.
func (c *caseText) event(answers []reply, n int, why string) Failure {
	f := Failure{File: c.file, Why: why}
	r := recordOf(answers, n)
	if r < 0 || n >= len(c.wants) {
		return f
	}
	f.Line, f.Record = c.firstLine+r, string(c.input[r])
	before := 0
	for i := range r {
		before += len(answers[i].events)
	}
	want, err := flatten(c.wants[n])
	if err != nil {
		f.Line, f.Why = 0, fmt.Sprintf("want/events.jsonl line %d: %v", n+1, err)
		return f
	}
	if f.Fields = differences(want, answers[r].events[n-before]); len(f.Fields) > 0 {
		f.Why = ""
	}
	return f
}

// whole describes a case that failed as one: a record that the module falls on, or events too many or too few.
func (c *caseText) whole(answers []reply, why string) []Failure {
	var out []Failure
	for i, a := range answers {
		if a.crash != nil {
			out = append(out, Failure{File: c.file, Line: c.firstLine + i, Record: string(c.input[i]), Crash: a.crash})
		}
	}
	if len(out) > 0 {
		return out
	}
	n := 0
	for i, a := range answers { // the first record whose events are not those wanted in their place
		for k := range a.events {
			if n >= len(c.wants) {
				return []Failure{{File: c.file, Line: c.firstLine + i, Record: string(c.input[i]), Why: why + "; nothing is wanted of this record", Fields: differences(nil, a.events[k])}}
			}
			want, err := flatten(c.wants[n])
			if err == nil && len(differences(want, a.events[k])) > 0 {
				return []Failure{{File: c.file, Line: c.firstLine + i, Record: string(c.input[i]), Why: why + "; the first that differs", Fields: differences(want, a.events[k])}}
			}
			n++
		}
	}
	return []Failure{{File: c.file, Why: why}}
}

// differences lists the fields in which two events differ.
func differences(want, got map[string]string) []FieldDiff {
	all := maps.Clone(want)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, got)
	var out []FieldDiff
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if want[name] != got[name] {
			out = append(out, FieldDiff{Name: name, Got: got[name], Want: want[name]})
		}
	}
	return out
}

// flatten reads an event of a case file into texts, as a host compares them.
func flatten(line []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, errors.New("it is no JSON object: " + err.Error())
	}
	out := make(map[string]string, len(m))
	for name, v := range m {
		text := fmt.Sprint(v)
		if list, ok := v.([]any); ok {
			var elements []string
			for _, x := range list {
				if e := fmt.Sprint(x); e != "" && !slices.Contains(elements, e) {
					elements = append(elements, e)
				}
			}
			b, err := json.Marshal(elements)
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if text != "" {
			out[name] = text
		}
	}
	return out, nil
}

// Update returns the package's case files, by path, with what the module makes of their records now as what is wanted,
// those that change. A record that it falls on is an error: nobody wants that.
func (s *Sandbox) Update(ctx context.Context) (map[string][]byte, error) {
	if s.Module.Manifest.Kind != manifest.Parser {
		return nil, fmt.Errorf("update the cases: %s is a %s, and only a parser's cases are files of records", s.pkg.Manifest.Reference(), s.Module.Manifest.Kind)
	}
	out := map[string][]byte{}
	for i := range s.pkg.Vectors {
		v := &s.pkg.Vectors[i]
		c := readCase(v)
		if len(c.input) == 0 || path.Ext(v.Path) != ".txtar" {
			continue
		}
		answers, err := s.answers(ctx, c)
		if err != nil {
			return nil, err
		}
		var want bytes.Buffer
		for n, a := range answers {
			if a.crash != nil {
				return nil, fmt.Errorf("update the cases: %s:%d: the module falls: %s", v.Path, c.firstLine+n, a.crash)
			}
			for _, line := range a.lines {
				want.Write(append(line, '\n'))
			}
		}
		text := txtar.Parse(v.Data)
		at := slices.IndexFunc(text.Files, func(f txtar.File) bool { return f.Name == "want/events.jsonl" })
		if at < 0 {
			text.Files = append(text.Files, txtar.File{Name: "want/events.jsonl"})
			at = len(text.Files) - 1
		}
		text.Files[at].Data = want.Bytes()
		if b := txtar.Format(text); !bytes.Equal(b, v.Data) {
			out[v.Path] = b
		}
	}
	return out, nil
}
