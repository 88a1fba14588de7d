// Package syslog holds the strict syslog readers against tables of messages: which are accepted, and every field.
package syslog

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// fields is a message as the tables write it; an absent field is null. A timestamp without a year has year 0.
type fields struct {
	Facility, Severity, Priority, Version int
	Timestamp                             *string
	Hostname, Appname, ProcID, MsgID      *string
	Message                               *string
	StructuredData                        map[string]map[string]string
}

type verdict struct {
	Input    string
	Valid    bool
	Expected *fields
}

// TestOwnTables runs the tables that travel with the repository.
func TestOwnTables(t *testing.T) {
	for _, rfc := range []string{"rfc5424", "rfc3164"} {
		t.Run(rfc, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata", rfc+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			check(t, rfc, f)
		})
	}
}

// TestSharedTables runs the larger tables of shared/data, which lie beside a development checkout and never in it.
func TestSharedTables(t *testing.T) {
	for _, rfc := range []string{"rfc5424", "rfc3164"} {
		t.Run(rfc, func(t *testing.T) {
			name := filepath.Join("..", "..", "..", "shared", "data", "syslog_"+rfc+".jsonl.gz")
			f, err := os.Open(name)
			if errors.Is(err, fs.ErrNotExist) {
				t.Logf("%s is absent: only the repository's own table was checked", name)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			check(t, rfc, z)
		})
	}
}

func check(t *testing.T, rfc string, r io.Reader) {
	t.Helper()
	agree, n := 0, 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var v verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		n++
		got, ok := read(rfc, v.Input)
		if ok != v.Valid {
			t.Errorf("%q: accepted is %v, want %v", v.Input, ok, v.Valid)
			continue
		}
		if ok {
			normalize(t, v.Expected)
			if d := cmp.Diff(v.Expected, got); d != "" {
				t.Errorf("%q (-want +got):\n%s", v.Input, d)
				continue
			}
		}
		agree++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("the table is empty")
	}
	t.Logf("%s: %d of %d cases agree, decision and fields", rfc, agree, n)
}

func normalize(t *testing.T, f *fields) {
	if f.Timestamp == nil {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, *f.Timestamp)
	if err != nil {
		t.Fatal(err)
	}
	s := at.UTC().Format(time.RFC3339Nano)
	f.Timestamp = &s
}

func read(rfc, input string) (*fields, bool) {
	var h syslog.Header
	if rfc == "rfc5424" {
		if !syslog.ParseRFC5424([]byte(input), &h) {
			return nil, false
		}
	} else if !syslog.ParseRFC3164([]byte(input), 0, &h) {
		return nil, false
	}
	f := &fields{
		Facility: int(h.Facility), Severity: int(h.Severity), Priority: int(h.PRI), Version: h.Version,
		Hostname: text(h.Hostname), Appname: text(h.AppName), ProcID: text(h.ProcID), MsgID: text(h.MsgID),
		Message: text(h.Message),
	}
	if h.HasTime {
		c := h.Civil
		s := time.Date(c.Year, time.Month(c.Month), c.Day, c.Hour, c.Minute, c.Second, c.Nano,
			time.FixedZone("", c.Offset)).UTC().Format(time.RFC3339Nano)
		f.Timestamp = &s
	}
	for p := syslog.ParamsOf(h.SD); p.Next(); {
		if f.StructuredData == nil {
			f.StructuredData = map[string]map[string]string{}
		}
		if p.First {
			f.StructuredData[string(p.ID)] = map[string]string{}
		}
		if p.Name != nil {
			f.StructuredData[string(p.ID)][string(p.Name)] = string(syslog.Unescape(nil, p.Value))
		}
	}
	return f, true
}

func text(b []byte) *string {
	if len(b) == 0 {
		return nil
	}
	s := string(b)
	return &s
}
