package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func newMatch() *cobra.Command {
	var dir, names string
	var jsonl bool
	var placeholders map[string]string
	c := &cobra.Command{
		Use:   "match --rules DIR --jsonl",
		Short: "Say which rules of a folder each event on standard input matches",
		Long: `Say which rules of a folder each event on standard input matches.

The folder holds Sigma rules and pattern documents. Each line is {"id": …, "event": {…}} with the field names of the log
source, such as Windows' own, or with --names ecs as vedette parse prints them; nested names are joined by dots. Each event
gives one line {"id","rules":[ids]}; of a rule that joins events, it says that one of its sub-patterns matches (vedette
correlate joins them). What could not be loaded is named on standard error.`,
		Example: `  vedette match --rules sigma/rules --jsonl < events.jsonl`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !jsonl {
				return errors.New("match: say --jsonl; events are read in no other form")
			}
			o, err := optionsOf(names, placeholders)
			if err != nil {
				return fmt.Errorf("match: %w", err)
			}
			return match(dir, o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&dir, "rules", "", "folder with rules, read with all below it")
	c.Flags().BoolVar(&jsonl, "jsonl", false, `read {"id","event"} lines`)
	sigmaFlags(c, &names, "native", &placeholders)
	_ = c.MarkFlagRequired("rules")
	return c
}

// sigmaFlags adds the flags that say how Sigma rules are read.
func sigmaFlags(c *cobra.Command, names *string, standard string, placeholders *map[string]string) {
	c.Flags().StringVar(names, "names", standard, "the events' field names: native or ecs")
	c.Flags().StringToStringVar(placeholders, "placeholder", nil, "values of a placeholder of Sigma rules: name=value|value")
}

// optionsOf returns the shipped mapping for events with such names, and the values of placeholders.
func optionsOf(names string, placeholders map[string]string) (o rule.Options, err error) {
	switch names {
	case "native":
		o.Names, err = rule.Native()
	case "ecs":
		o.Names, err = rule.ECS()
	default:
		err = fmt.Errorf("--names %s: want native or ecs", names)
	}
	o.Placeholders = map[string][]string{}
	for name, values := range placeholders {
		o.Placeholders[name] = strings.Split(values, "|")
	}
	return o, err
}

func match(dir string, o rule.Options, in io.Reader, out, diagnostics io.Writer) error {
	f, err := rule.ReadFolder(os.DirFS(dir), o)
	if err != nil {
		return err
	}
	set, err := detect.Compile(f.Rules)
	if err != nil {
		return err
	}
	for _, err := range f.Refused {
		fmt.Fprintln(diagnostics, err)
	}
	fmt.Fprintf(diagnostics, "%d rules of %d files; %d refused\n", len(f.Rules), f.Files, len(f.Refused))
	w := bufio.NewWriterSize(out, 1<<20)
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxParseLine)
	var scratch detect.Scratch
	var text []byte
	var fields flat
	for n := 1; lines.Scan(); n++ {
		if !gjson.ValidBytes(lines.Bytes()) {
			return fmt.Errorf("line %d: no JSON: want {\"id\",\"event\"}", n)
		}
		line := gjson.ParseBytes(lines.Bytes())
		text = append(append(text[:0], `{"id":`...), line.Get("id").Raw...)
		text = append(text, `,"rules":[`...)
		last := ""
		for _, h := range set.Match(fields.event(line.Get("event")), &scratch) {
			if h.Rule.ID == last { // another of its sub-patterns
				continue
			}
			if last != "" {
				text = append(text, ',')
			}
			last = h.Rule.ID
			id, err := json.Marshal(last)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			text = append(text, id...)
		}
		if _, err := w.Write(append(text, "]}\n"...)); err != nil {
			return fmt.Errorf("print matches: %w", err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("a line is longer than %d bytes", maxParseLine)
	} else if err != nil {
		return err
	}
	return w.Flush()
}

// flat gathers the values of a JSON object: names joined by dots, in the order of their first value. What stands in a list,
// also in objects of a list, is values of one name.
type flat struct {
	fields []storage.Field
	at     map[string]int
	lists  map[string][]string // of names with more than one value, and of lists
}

func (f *flat) event(v gjson.Result) *storage.Event {
	f.fields = f.read(v, f.fields)
	return &storage.Event{Fields: f.fields}
}

// read gathers into the room of fields.
func (f *flat) read(v gjson.Result, fields []storage.Field) []storage.Field {
	if f.at == nil {
		f.at, f.lists = map[string]int{}, map[string][]string{}
	}
	clear(f.at)
	clear(f.lists)
	f.fields = fields[:0]
	f.add("", v, false)
	for name, list := range f.lists {
		if text, err := json.Marshal(list); err == nil { // texts always are
			f.fields[f.at[name]].Value = string(text)
		}
	}
	return f.fields
}

func (f *flat) add(name string, v gjson.Result, listed bool) {
	switch {
	case v.IsObject():
		v.ForEach(func(k, v gjson.Result) bool {
			under := k.String()
			if name != "" {
				under = name + "." + under
			}
			f.add(under, v, listed)
			return true
		})
	case v.IsArray():
		v.ForEach(func(_, v gjson.Result) bool {
			f.add(name, v, true)
			return true
		})
	case v.Type == gjson.Number:
		f.value(name, v.Raw, listed)
	case v.Exists() && v.Type != gjson.Null:
		f.value(name, v.String(), listed)
	}
}

func (f *flat) value(name, text string, listed bool) {
	i, known := f.at[name]
	if !known {
		f.at[name] = len(f.fields)
		f.fields = append(f.fields, storage.Field{Name: name, Value: text})
		if listed || strings.HasPrefix(text, `["`) { // a text that reads as a list is the one element of a list
			f.lists[name] = []string{text}
		}
		return
	}
	if f.lists[name] == nil {
		f.lists[name] = []string{f.fields[i].Value}
	}
	f.lists[name] = append(f.lists[name], text)
}
