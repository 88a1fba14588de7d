// Package sigma runs what the authors of public Sigma rules say that their rules find.
package sigma

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Where the rules and events of other people are; they are no part of the project.
const (
	shared     = "../../../shared/data/"
	rules      = shared + "sigmahq-rules.tar.gz"
	regression = shared + "sigma_regression.jsonl.gz"
)

// regressionCase is recorded Windows events that a rule must find.
type regressionCase struct {
	RuleID     string            `json:"rule_id"`
	RuleFile   string            `json:"rule_file"`
	MatchCount int               `json:"match_count"`
	Events     []json.RawMessage `json:"events"`
}

// TestRegression: every rule for which its authors recorded events finds at least as many of them as they say, one when
// they do not. Of some recordings they count one event, and the rule's own words hold for others of it too: those are named.
func TestRegression(t *testing.T) {
	if _, err := os.Stat(regression); err != nil {
		t.Skipf("not measured: there is no %s", regression)
	}
	cases := readCases(t)
	set := compile(t, cases)
	var scratch detect.Scratch
	agree := 0
	for _, c := range cases {
		found := 0
		for _, e := range c.Events {
			for _, h := range set.Match(eventOf(t, e), &scratch) {
				if h.Rule.ID == c.RuleID {
					found++
				}
			}
		}
		switch want := max(1, c.MatchCount); {
		case found < want:
			t.Errorf("%s finds %d of %d", c.RuleFile, found, want)
			continue
		case c.MatchCount > 0 && found > want:
			t.Logf("%s finds %d, its authors say %d", c.RuleFile, found, want)
		}
		agree++
	}
	t.Logf("%d of %d rules find what they must", agree, len(cases))
}

func readCases(t *testing.T) (cases []regressionCase) {
	f, err := os.Open(regression)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c regressionCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// compile reads the rules of the cases, for events with Windows' own names.
func compile(t *testing.T, cases []regressionCase) *detect.Set {
	wanted := map[string]bool{}
	for _, c := range cases {
		wanted[c.RuleFile] = true
	}
	native, err := rule.Native()
	if err != nil {
		t.Fatal(err)
	}
	all, err := rule.ParseTogether(documents(t, func(name string) bool { return wanted[name] }), rule.Options{Names: native})
	if err != nil || len(all.Refused) > 0 {
		t.Fatal(err, all.Refused)
	}
	set, err := detect.Compile(all.Rules)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// documents reads the rules of which the names are wanted.
func documents(t *testing.T, wanted func(name string) bool) (docs []rule.Document) {
	f, err := os.Open(rules)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for ar := tar.NewReader(z); ; {
		h, err := ar.Next()
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(h.Name)
		if !wanted(name) {
			continue
		}
		src, err := io.ReadAll(ar)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, rule.Document{File: name, Data: src})
	}
}

// eventOf flattens an event of the Windows event log, as collectors do: what System says of it, and the values of its data.
func eventOf(t *testing.T, raw json.RawMessage) *storage.Event {
	var x struct {
		Event struct {
			System struct {
				Provider struct {
					Attributes map[string]string `json:"#attributes"`
				}
				EventID, Level    json.Number
				Channel, Computer string
			}
			EventData map[string]any
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		t.Fatal(err)
	}
	ev := &storage.Event{}
	add := func(name, value string) {
		if value != "" {
			ev.Fields = append(ev.Fields, storage.Field{Name: name, Value: value})
		}
	}
	system := x.Event.System
	add("Provider_Name", system.Provider.Attributes["Name"])
	add("EventID", system.EventID.String())
	add("Level", system.Level.String())
	add("Channel", system.Channel)
	add("Computer", system.Computer)
	for name, v := range x.Event.EventData {
		switch v := v.(type) {
		case string:
			add(name, v)
		case json.Number:
			add(name, v.String())
		}
	}
	return ev
}

// TestLoad: at least 99 of 100 public rules load for events of either kind; why others do not is printed.
func TestLoad(t *testing.T) {
	if _, err := os.Stat(rules); err != nil {
		t.Skipf("not measured: there is no %s", rules)
	}
	docs := documents(t, func(name string) bool { return strings.HasSuffix(name, ".yml") && strings.HasPrefix(name, "rules") })
	for name, names := range map[string]func() (*rule.Mapping, error){"native": rule.Native, "ecs": rule.ECS} {
		m, err := names()
		if err != nil {
			t.Fatal(err)
		}
		all, err := rule.ParseTogether(docs, rule.Options{Names: m})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range all.Refused {
			t.Log(err)
		}
		t.Logf("%s: %d of %d load", name, len(all.Rules), len(docs))
		if len(all.Rules)*100 < len(docs)*99 {
			t.Errorf("%s: %d of %d load", name, len(all.Rules), len(docs))
		}
		if _, err := detect.Compile(all.Rules); err != nil {
			t.Error(err)
		}
	}
}
