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
source, such as Windows' own, or with --names ecs as vedette parse prints them; nested names are joined by dots. Each event gives one line {"id","rules":[ids]}. What could
not be loaded is named on standard error.`,
		Example: `  vedette match --rules sigma/rules --jsonl < events.jsonl`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !jsonl {
				return errors.New("match: say --jsonl; events are read in no other form")
			}
			cfg := rule.SigmaConfig{Placeholders: map[string][]string{}}
			for name, values := range placeholders {
				cfg.Placeholders[name] = strings.Split(values, "|")
			}
			mapping, err := mappingOf(names)
			if err != nil {
				return err
			}
			return match(dir, mapping, cfg, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&dir, "rules", "", "folder with rules, read with all below it")
	c.Flags().StringVar(&names, "names", "native", "the events' field names: native or ecs")
	c.Flags().BoolVar(&jsonl, "jsonl", false, `read {"id","event"} lines`)
	c.Flags().StringToStringVar(&placeholders, "placeholder", nil, "values of a placeholder of Sigma rules: name=value|value")
	_ = c.MarkFlagRequired("rules")
	return c
}

// mappingOf returns the shipped mapping for events with such names.
func mappingOf(names string) (*rule.Mapping, error) {
	switch names {
	case "native":
		return rule.Native()
	case "ecs":
		return rule.ECS()
	}
	return nil, fmt.Errorf("match: --names %s: want native or ecs", names)
}

func match(dir string, mapping *rule.Mapping, cfg rule.SigmaConfig, in io.Reader, out, diagnostics io.Writer) error {
	f, err := rule.ReadFolder(os.DirFS(dir), mapping, cfg)
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
		for i, h := range set.Match(fields.event(line.Get("event")), &scratch) {
			if i > 0 {
				text = append(text, ',')
			}
			id, err := json.Marshal(h.Rule.ID)
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
	f.fields, f.at, f.lists = f.fields[:0], map[string]int{}, map[string][]string{}
	f.add("", v, false)
	for name, list := range f.lists {
		if text, err := json.Marshal(list); err == nil { // texts always are
			f.fields[f.at[name]].Value = string(text)
		}
	}
	return &storage.Event{Fields: f.fields}
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
		if listed {
			f.lists[name] = []string{text}
		}
		return
	}
	if f.lists[name] == nil {
		f.lists[name] = []string{f.fields[i].Value}
	}
	f.lists[name] = append(f.lists[name], text)
}
