package moduletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/go/web"
)

var updatePolls = flag.Bool("update-polls", false, "rewrite the wanted records of monitors' case files")

// Poll is one line of the input of a monitor's case: what the outside answers, by "function request".
type Poll struct {
	Name     string                     // of what is polled; default "device"
	Settings json.RawMessage            // default: none
	Cursor   *string                    // default: what the poll before returned
	After    string                     // time since the poll before; default 60s
	Answers  map[string]json.RawMessage // "tcp 443", "get 1.3.6…", "run uname", "compare running", "fetch /metrics"
}

// answer is what the outside says; the parts that a capability does not have are left out.
type answer struct {
	Error      string
	Facts      [][2]string
	Vars       []variable
	More       bool
	Exit       int
	Out, Err   string
	Cut        bool
	State      string // same, changed or missing
	Diff, Base string
	Added      int
	Removed    int
	Status     int
	Body       string
}

type variable struct {
	OID, Type, Text string
	Number          int64
}

// start is the time of the first poll of a case.
var start = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// Polls runs the cases in testdata/*.txtar of a monitor: polls, one a line, in "input"; the records that they must give
// in "want/records.jsonl". A poll that fails gives a line that begins with "failed: ".
func Polls(t *testing.T, m sdk.Monitor) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := pollAll(t, m, a.Files[0].Data)
			if *updatePolls {
				a.Files = append(a.Files[:1], txtar.File{Name: "want/records.jsonl", Data: got})
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(a.Files) < 2 {
				t.Fatal("the case wants nothing: run with -update-polls and read what it wrote")
			}
			if d := cmp.Diff(string(a.Files[1].Data), string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func pollAll(t *testing.T, m sdk.Monitor, input []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	at, cursor := start, ""
	for n, line := range strings.Split(strings.TrimSpace(string(input)), "\n") {
		p := Poll{Name: "device", After: "60s"}
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if p.Cursor != nil {
			cursor = *p.Cursor
		}
		if n > 0 {
			after, err := time.ParseDuration(p.After)
			if err != nil {
				t.Fatal(err)
			}
			at = at.Add(after)
		}
		records, next, err := p.Run(t, m, at, cursor)
		if err != nil {
			fmt.Fprintf(&out, "failed: %v\n", err)
			continue
		}
		for _, r := range records {
			if !json.Valid(r) {
				t.Errorf("line %d: not JSON: %s", n+1, r)
			}
			out.Write(r)
			out.WriteByte('\n')
		}
		cursor = string(next)
	}
	return out.Bytes()
}

// Run polls once with the answers of p.
func (p *Poll) Run(t *testing.T, m sdk.Monitor, at time.Time, cursor string) (records [][]byte, next []byte, err error) {
	t.Helper()
	if m.Init != nil {
		if err := m.Init(p.Settings); err != nil {
			t.Fatal(err)
		}
	}
	reply := func(function, _, request string, out []byte) (int, error) {
		key := function + " " + strings.TrimSuffix(request, "\x00")
		if function == "compare" {
			parts := strings.SplitN(request, "\x00", 3)
			key = strings.TrimSpace("compare " + parts[0] + " " + parts[1])
		}
		raw, there := p.Answers[strings.ReplaceAll(key, "\x00", " ")]
		if !there {
			t.Errorf("nobody answers %q", key)
			return 0, errors.New("E_DENIED: nobody answers")
		}
		return encode(t, function, raw, out)
	}
	probe.Native, snmp.Native, ssh.Native, config.Native, web.Native = reply, reply, reply, reply, reply
	defer func() { probe.Native, snmp.Native, ssh.Native, config.Native, web.Native = nil, nil, nil, nil, nil }()
	var b sdk.Buffers
	in := abi.EncodePollOf(nil, 1, at.UnixNano(), []byte(cursor), p.Name)
	status, text := sdk.RunMonitor(m, in, b.Grow(len(in), 4<<20))
	if status != abi.StatusOK {
		return nil, nil, errors.New(string(text))
	}
	return abi.DecodePolled(text)
}

var snmpTypes = map[string]snmp.Type{"text": snmp.Text, "int": snmp.Int, "uint": snmp.Uint, "ticks": snmp.Ticks, "oid": snmp.OID, "address": snmp.Address, "absent": snmp.Absent}

// encode writes an answer as a host would.
func encode(t *testing.T, function string, raw json.RawMessage, out []byte) (int, error) {
	t.Helper()
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatalf("answer %s: %v", raw, err)
	}
	if a.Error != "" {
		return 0, errors.New(a.Error)
	}
	switch function {
	case "get", "walk":
		var vars []snmp.Variable
		for _, v := range a.Vars {
			vars = append(vars, snmp.Variable{OID: v.OID, Type: snmpTypes[v.Type], Bytes: []byte(v.Text), Number: uint64(v.Number)})
		}
		return snmp.Encode(out, vars, a.More), nil
	case "run":
		return ssh.Encode(out, ssh.Result{Exit: a.Exit, Out: []byte(a.Out), Err: []byte(a.Err), Cut: a.Cut, ElapsedNs: 5e6}), nil
	case "compare":
		d := config.Difference{Version: "sha256:new", Base: a.Base, Added: a.Added, Removed: a.Removed, Diff: []byte(a.Diff), Cut: a.Cut}
		d.State = map[string]config.State{"same": config.Same, "changed": config.Changed, "missing": config.Missing}[a.State]
		return config.Encode(out, d), nil
	case "fetch":
		return sdk.EncodeHTTPResponse(out, sdk.HTTPResponse{Status: a.Status, ElapsedNs: 5e6, Body: []byte(a.Body)}), nil
	}
	var facts []probe.Fact
	for _, f := range a.Facts {
		facts = append(facts, probe.Fact{Name: f[0], Value: f[1]})
	}
	return probe.Encode(out, facts), nil
}
