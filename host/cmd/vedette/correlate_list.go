package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

// liveList is a named list that firings write to.
type liveList struct{ now *list.List }

// Has implements detect.List.
func (l *liveList) Has(value string, at int64) bool { return l.now.Has(value, at) }

// liveLists are the lists of a run, by name.
type liveLists map[string]*liveList

// read takes lists from files, with one value a line, by their names, which may end with a kind: "vpn:cidr".
func (l liveLists) read(files map[string]string) error {
	for name, file := range files {
		name, kind, _ := strings.Cut(name, ":")
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("list %s: %w", name, err)
		}
		var entries []list.Entry
		for line := range strings.Lines(string(text)) {
			if value := strings.TrimSpace(line); value != "" {
				entries = append(entries, list.Entry{Value: value})
			}
		}
		if err := l.put(name, index.Kind(kind), entries, 0); err != nil {
			return err
		}
	}
	return nil
}

// put adds entries at a log time to a list; one that does not exist is made.
func (l liveLists) put(name string, kind index.Kind, entries []list.Entry, now int64) error {
	to := l[name]
	if to == nil {
		if kind == "" {
			kind = index.NoCase
		}
		empty, err := list.New(kind)
		if err != nil {
			return fmt.Errorf("list %s: %w", name, err)
		}
		to = &liveList{empty}
		l[name] = to
	}
	next, _, err := to.now.With(nil, entries, now)
	if err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	to.now = next
	return nil
}

// find returns a list by its name; nil when there is none.
func (l liveLists) find(name string) detect.List {
	if x := l[name]; x != nil {
		return x
	}
	return nil
}

// written puts what a firing writes into its lists: rules see it from the next frame on.
func (x *correlation) written(f *correlate.Firing) error {
	for _, w := range f.Writes {
		e := list.Entry{Value: w.Value, Origin: "rule:" + f.Rule, At: x.now}
		if w.TTL > 0 {
			e.Expires = x.now + int64(w.TTL)
		}
		if to := x.lists[w.List]; w.Value == "" || to != nil && !to.now.Takes(w.Value) {
			continue
		}
		known := len(x.lists)
		if err := x.lists.put(w.List, "", []list.Entry{e}, x.now); err != nil {
			return err
		}
		if len(x.lists) > known {
			x.view = x.view.WithLists(x.lists.find)
		}
	}
	return nil
}
