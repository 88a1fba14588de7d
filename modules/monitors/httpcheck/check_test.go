package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

var update = flag.Bool("update", false, "rewrite the wanted records of the case file")

// poll is one line of a case's input.
type poll struct {
	Settings json.RawMessage
	Cursor   string
	Answer   struct {
		Status   int
		Ms       int64
		Body     int
		Text     string
		NotAfter time.Time `json:"not_after"`
		Error    string
	}
}

func (c *poll) run(t *testing.T) (record []byte, cursor string) {
	t.Helper()
	if err := Init(c.Settings); err != nil {
		t.Fatal(err)
	}
	sdk.NativeFetch = func(name, path string) (sdk.HTTPResponse, error) {
		if name != target || path != set.path {
			t.Errorf("asks %s for %s", name, path)
		}
		if c.Answer.Error != "" {
			return sdk.HTTPResponse{}, errors.New(c.Answer.Error)
		}
		r := sdk.HTTPResponse{Status: c.Answer.Status, ElapsedNs: c.Answer.Ms * 1e6, Body: append([]byte(c.Answer.Text), make([]byte, c.Answer.Body)...)}
		if !c.Answer.NotAfter.IsZero() {
			r.TLSNotAfter = c.Answer.NotAfter.UnixNano()
		}
		return r, nil
	}
	defer func() { sdk.NativeFetch = nil }()
	var b sdk.Buffers
	at := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	in := abi.EncodePoll(nil, 1, at, []byte(c.Cursor))
	status, out := sdk.RunMonitor(sdk.Monitor{Poll: Poll}, in, b.Grow(len(in), 128<<10))
	if status != abi.StatusOK {
		t.Fatalf("status %d: %s", status, out)
	}
	records, next, err := abi.DecodePolled(out)
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if !json.Valid(records[0]) {
		t.Fatalf("not JSON: %s", records[0])
	}
	return records[0], string(next)
}

func TestCases(t *testing.T) {
	const file = "testdata/check.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, line := range strings.Split(strings.TrimSpace(string(a.Files[0].Data)), "\n") {
		var c poll
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		record, cursor := c.run(t)
		if !strings.Contains(string(record), `"state":"`+cursor+`"`) {
			t.Errorf("the cursor is %q, the record %s", cursor, record)
		}
		got.Write(append(record, '\n'))
	}
	if *update {
		a.Files = append(a.Files[:1], txtar.File{Name: "want/records.jsonl", Data: got.Bytes()})
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(a.Files[1].Data), got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []string{`{"path":"health"}`, `{"path":""}`, `{"name"`, `[]`} {
		if Init([]byte(bad)) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if err := Init(nil); err != nil || set.path != "/" || set.name != "" {
		t.Errorf("no settings: %+v, %v", set, err)
	}
}

// The longest name and error that are possible fit in the record.
func TestLongest(t *testing.T) {
	var c poll
	c.Settings, _ = json.Marshal(map[string]string{"name": strings.Repeat("\x01", 2000), "path": "/" + strings.Repeat("\"", 2000)})
	c.Answer.Error = strings.Repeat("\x02", 5000)
	got, _ := c.run(t)
	if len(got) > len(record) {
		t.Errorf("%d bytes, there is room for %d", len(got), len(record))
	}
	if strings.Count(string(got), `\u0002`) != maxQuotedBytes {
		t.Errorf("%d bytes of the error", strings.Count(string(got), `\u0002`))
	}
}
