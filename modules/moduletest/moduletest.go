// Package moduletest runs a parser natively over cases that are data: the lines of a txtar file and the events wanted.
//
// A case file is testdata/NAME.txtar. Its comment says what it shows. Each line of "-- input --" is one record; a line
// of "-- want/events.jsonl --" is one event as flat JSON, field names dotted, lists as arrays, "@timestamp" where the
// parser gave a time, or {"outcome": "not mine"|"drop"|"failed", "message": …} for a record without events. An optional
// "-- received --" holds the receive time in RFC 3339, otherwise it is Received. `go test -update` rewrites the wants.
package moduletest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

var update = flag.Bool("update", false, "rewrite the wanted events of the case files")

// Received is the receive time of records whose case names none.
var Received = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

const wantFile = "want/events.jsonl"

// Cases runs every testdata/*.txtar of the test's package through p.
func Cases(t *testing.T, p sdk.Parser) {
	t.Helper()
	CasesOf(t, func(*testing.T, *txtar.Archive) (sdk.Parser, []string) { return p, nil })
}

// CasesOf is Cases for a parser that each case sets up for itself; names are its module-local field names.
func CasesOf(t *testing.T, setUp func(t *testing.T, a *txtar.Archive) (p sdk.Parser, names []string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p, names := setUp(t, a)
			runCase(t, p, names, name, a)
		})
	}
}

func runCase(t *testing.T, p sdk.Parser, names []string, name string, a *txtar.Archive) {
	var err error
	var input, want []byte
	received, at := Received, -1
	for i, f := range a.Files {
		switch f.Name {
		case "input":
			input = f.Data
		case "received":
			if received, err = time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(f.Data))); err != nil {
				t.Fatalf("the receive time: %v", err)
			}
		case wantFile:
			want, at = f.Data, i
		}
	}
	got, err := EventsOf(p, names, received, bytes.Split(bytes.TrimSuffix(input, []byte("\n")), []byte("\n"))...)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if at < 0 {
			a.Files = append(a.Files, txtar.File{Name: wantFile})
			at = len(a.Files) - 1
		}
		a.Files[at].Data = got
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Events runs p natively over records and renders what comes out as the lines of want/events.jsonl.
func Events(p sdk.Parser, received time.Time, raws ...[]byte) ([]byte, error) {
	return EventsOf(p, nil, received, raws...)
}

// EventsOf is Events for a parser with module-local field names.
func EventsOf(p sdk.Parser, names []string, received time.Time, raws ...[]byte) ([]byte, error) {
	in, size := batch(received, raws)
	var b sdk.Buffers
	status, out := sdk.RunParser(p, in, b.Grow(len(in), abi.OutBytes(len(raws), size)))
	if status != abi.StatusOK {
		return nil, fmt.Errorf("the parser answers with status %d", status)
	}
	return render(raws, out, names)
}

func batch(received time.Time, raws [][]byte) (in []byte, size int) {
	var e abi.RecordsEncoder
	e.Begin(len(raws), 1, received.UnixNano())
	for _, raw := range raws {
		e.Add(raw, "test 192.0.2.1:514", received.UnixNano(), 0)
		size += len(raw)
	}
	return e.Bytes(), size
}

// Render writes an event batch that answers raws as the lines of want/events.jsonl, whoever ran the parser. It checks
// what the ABI demands, that every source span lies inside its record, and that no well-known field is set twice.
func Render(raws [][]byte, out []byte) ([]byte, error) { return render(raws, out, nil) }

func render(raws [][]byte, out []byte, names []string) ([]byte, error) {
	events, err := abi.DecodeEvents(out, len(raws))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	pos, seen := 0, 0
	for i, raw := range raws {
		outcome, message, err := events.Outcome(i)
		if err != nil {
			return nil, err
		}
		if outcome != abi.OK {
			m := map[string]any{"outcome": [...]string{"ok", "not mine", "drop", "failed"}[outcome]}
			if len(message) > 0 {
				m["message"] = string(message)
			}
			if err := lines.Encode(m); err != nil {
				return nil, err
			}
			continue
		}
		for seen < events.Count {
			v, end, err := events.Next(pos, uint32(i))
			if err != nil {
				return nil, err
			}
			if v.Record != uint32(i) {
				break
			}
			m, err := flat(&events, &v, raw, names)
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", i, err)
			}
			if err := lines.Encode(m); err != nil {
				return nil, err
			}
			pos = end
			seen++
		}
	}
	return b.Bytes(), nil
}

// flat resolves one event's fields.
func flat(events *abi.Events, v *abi.Event, raw []byte, names []string) (map[string]any, error) {
	m := map[string]any{}
	if v.Time != abi.NoTime {
		m["@timestamp"] = string(abi.AppendTime(nil, v.Time))
	}
	for i := range v.Len() {
		f, err := events.Field(v, i, raw)
		if err != nil {
			return nil, err
		}
		if f.SrcOff != abi.None && uint64(f.SrcOff)+uint64(f.SrcLen) > uint64(len(raw)) {
			return nil, fmt.Errorf("field %d: its source span lies outside the record", i)
		}
		name := string(f.Dynamic)
		if local := int(f.Name) - int(abi.FirstLocal); f.Name != abi.NameInArena && local >= 0 && local < len(names) {
			name = names[local]
		} else if f.Name != abi.NameInArena {
			if int(f.Name) >= len(ecs.Names) || ecs.Names[f.Name] == "" {
				return nil, fmt.Errorf("field %d: name %d is not known", i, f.Name)
			}
			name = ecs.Names[f.Name]
		}
		val := value(f)
		if f.Flags&abi.FlagList != 0 {
			list, _ := m[name].([]any)
			m[name] = append(list, val)
			continue
		}
		if _, twice := m[name]; twice && f.Name != abi.NameInArena {
			return nil, fmt.Errorf("field %s is set twice", name)
		}
		m[name] = val
	}
	return m, nil
}

func value(f abi.Field) any {
	switch f.Type {
	case abi.InRecord, abi.InArena:
		return string(f.Bytes)
	case abi.Int:
		return int64(f.Bits)
	case abi.Uint:
		return f.Bits
	case abi.Float:
		return math.Float64frombits(f.Bits)
	case abi.Bool:
		return f.Bits == 1
	case abi.Time:
		return string(abi.AppendTime(nil, int64(f.Bits)))
	case abi.IPv4:
		return netip.AddrFrom4([4]byte{byte(f.Bits >> 24), byte(f.Bits >> 16), byte(f.Bits >> 8), byte(f.Bits)}).String()
	}
	return nil // abi.Events.Field knows no other type
}

// Fuzz feeds arbitrary records to p: it must not panic, its batches must be valid, and every span inside its record.
func Fuzz(f *testing.F, p sdk.Parser, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := Events(p, Received, raw); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// Benchmark measures p on batches of 256 copies of a line; ns/op, B/op and allocs/op are per record.
func Benchmark(b *testing.B, p sdk.Parser, line string) {
	b.Helper()
	const n = 256
	raws := make([][]byte, n)
	for i := range raws {
		raws[i] = []byte(line)
	}
	in, size := batch(Received, raws)
	var buf sdk.Buffers
	buf.Grow(len(in), abi.OutBytes(n, size))
	if _, out := sdk.RunParser(p, in, &buf); len(out) == 0 || out[abi.EventsHeader] != byte(abi.OK) {
		b.Fatal("the parser does not take the line")
	}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			sdk.RunParser(p, in, &buf)
		}
	}
}
