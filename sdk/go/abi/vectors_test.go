package abi_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

const vectorsDir = "../../testdata/abi"

// vector is one golden batch: NAME.hex holds its bytes, NAME.json what they mean and which changes break it.
type vector struct {
	Kind    string          `json:"kind"`
	Origin  string          `json:"origin"`            // hand: written from the text of ABI.md, not by an encoder
	Records []hexBytes      `json:"records,omitempty"` // events: the raw records that are answered
	Rows    int             `json:"rows,omitempty"`    // findings: the rows that are answered
	Names   vectorNames     `json:"names,omitzero"`    // events: what the host knows
	Want    json.RawMessage `json:"want"`
	Broken  []struct {
		Clause string   `json:"clause"`
		Why    string   `json:"why"`
		At     int      `json:"at"`
		Hex    hexBytes `json:"hex"` // replaces the bytes at At
	} `json:"broken"`
}

type vectorNames struct {
	WellKnown int `json:"well_known"`
	Local     int `json:"local"`
}

// hexBytes is bytes as hexadecimal text; nil is null.
type hexBytes []byte

func (h hexBytes) MarshalJSON() ([]byte, error) {
	if h == nil {
		return []byte("null"), nil
	}
	return json.Marshal(hex.EncodeToString(h))
}

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	v, err := hex.DecodeString(*s)
	*h = append(hexBytes{}, v...)
	return err
}

type (
	recordVector struct {
		Raw      hexBytes `json:"raw"`
		Source   hexBytes `json:"source"`
		Received int64    `json:"received"`
		Flags    uint32   `json:"flags"`
	}
	recordsVector struct {
		Seq     uint64         `json:"seq"`
		At      int64          `json:"at"`
		Records []recordVector `json:"records"`
	}
	outcomeVector struct {
		Outcome int    `json:"outcome"`
		Message string `json:"message,omitempty"`
	}
	fieldVector struct {
		Name   any      `json:"name"` // a number, or the name itself
		Type   int      `json:"type"`
		Flags  int      `json:"flags,omitempty"`
		Text   hexBytes `json:"text,omitempty"`
		Bits   uint64   `json:"bits,omitempty"`
		Source []int    `json:"source,omitempty"`
	}
	eventVector struct {
		Record int           `json:"record"`
		Flags  int           `json:"flags,omitempty"`
		Time   *int64        `json:"time,omitempty"`
		Fields []fieldVector `json:"fields"`
	}
	eventsVector struct {
		Outcomes []outcomeVector `json:"outcomes"`
		Events   []eventVector   `json:"events"`
	}
	rowVector struct {
		Time  int64      `json:"time"`
		Cells []hexBytes `json:"cells"`
		Ref   hexBytes   `json:"ref,omitempty"`
	}
	rowsVector struct {
		Seq  uint64      `json:"seq"`
		At   int64       `json:"at"`
		Rows []rowVector `json:"rows"`
	}
	findingVector struct {
		Row      int      `json:"row"`
		Severity int      `json:"severity,omitempty"`
		Title    string   `json:"title,omitempty"`
		Reason   string   `json:"reason,omitempty"`
		Key      string   `json:"key,omitempty"`
		Evidence hexBytes `json:"evidence,omitempty"`
	}
	timerVector struct {
		At  int64    `json:"at"`
		Key hexBytes `json:"key"`
	}
	dueVector struct {
		Seq    uint64        `json:"seq"`
		At     int64         `json:"at"`
		Timers []timerVector `json:"timers"`
	}
	pollVector struct {
		Seq    uint64   `json:"seq"`
		At     int64    `json:"at"`
		Cursor hexBytes `json:"cursor"`
	}
	keyVector struct {
		Kind  uint32   `json:"kind"`
		Ends  int64    `json:"ends"`
		Name  hexBytes `json:"name"`
		Value hexBytes `json:"value"`
	}
	keysVector struct {
		Version uint32      `json:"version"`
		At      int64       `json:"at"`
		Keys    []keyVector `json:"keys"`
	}
	polledVector struct {
		Records []hexBytes `json:"records"`
		Cursor  hexBytes   `json:"cursor"`
	}
)

// readHex reads hexadecimal text with comments that begin with "#".
func readHex(tb testing.TB, path string) []byte {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return b
}

// input is the record batch that an event vector answers.
func (v *vector) input() abi.Records {
	var e abi.RecordsEncoder
	e.Begin(len(v.Records), 0, 0)
	for _, r := range v.Records {
		e.Add(r, "", 0, 0)
	}
	recs, _ := abi.DecodeRecords(e.Bytes())
	return recs
}

// decode returns what a batch means in the form of the vectors.
func (v *vector) decode(b []byte) (any, error) {
	no := func(ok bool, clause string) error {
		if ok {
			return nil
		}
		return &abi.DecodeError{Clause: clause, What: "refused"}
	}
	switch v.Kind {
	case "records":
		return decodeRecords(b)
	case "events":
		return v.decodeEvents(b)
	case "rows":
		r, ok := abi.DecodeRows(b)
		w := rowsVector{Seq: r.Seq, At: r.At}
		for i := range r.Len {
			row := rowVector{Time: r.Time(i), Ref: r.Ref(i)}
			for c := range r.Cols {
				row.Cells = append(row.Cells, r.Cell(i, c))
			}
			w.Rows = append(w.Rows, row)
		}
		return w, no(ok, "6.1")
	case "findings", "timed":
		var w []findingVector
		decode := map[string]func([]byte, int, func(abi.Finding)) error{"findings": abi.DecodeFindings, "timed": abi.DecodeTimed}[v.Kind]
		err := decode(b, v.Rows, func(f abi.Finding) {
			w = append(w, findingVector{int(f.Event), int(f.Severity), string(f.Title), string(f.Reason), string(f.Key), f.Evidence})
		})
		return w, err
	case "due":
		d, ok := abi.DecodeDue(b)
		w := dueVector{Seq: d.Seq, At: d.At}
		for i := range d.Len {
			at, key := d.Timer(i)
			w.Timers = append(w.Timers, timerVector{at, key})
		}
		return w, no(ok, "20.3")
	case "poll":
		p, ok := abi.DecodePoll(b)
		return pollVector{p.Seq, p.At, p.Cursor}, no(ok, "7.1")
	case "polled":
		records, cursor, err := abi.DecodePolled(b)
		w := polledVector{Cursor: cursor}
		for _, r := range records {
			w.Records = append(w.Records, r)
		}
		return w, err
	case "keys":
		k, err := abi.DecodeKeys(b)
		w := keysVector{Version: k.Version, At: k.At}
		for i := range k.Len {
			x := k.Key(i)
			w.Keys = append(w.Keys, keyVector{x.Kind, x.Ends, x.Name, x.Value})
		}
		return w, err
	}
	return nil, fmt.Errorf("unknown kind %q", v.Kind)
}

func decodeRecords(b []byte) (any, error) {
	r, ok := abi.DecodeRecords(b)
	if !ok {
		return nil, &abi.DecodeError{Clause: "4.1", What: "refused"}
	}
	w := recordsVector{Seq: r.Seq, At: r.At}
	for i := range r.Len() {
		rec, ok := r.Record(i)
		if !ok {
			return nil, &abi.DecodeError{Clause: "4.2", What: "refused"}
		}
		w.Records = append(w.Records, recordVector{rec.Raw, rec.Source, rec.Received, rec.Flags})
	}
	return w, nil
}

func (v *vector) decodeEvents(b []byte) (any, error) {
	ev, err := abi.DecodeEvents(b, len(v.Records))
	if err != nil {
		return nil, err
	}
	recs := v.input()
	if err := ev.Check(&recs, 0, abi.Names{WellKnown: v.Names.WellKnown, Local: v.Names.Local}); err != nil {
		return nil, err
	}
	var w eventsVector
	for i := range ev.Records {
		o, message, err := ev.Outcome(i)
		if err != nil {
			return nil, err
		}
		w.Outcomes = append(w.Outcomes, outcomeVector{int(o), string(message)})
	}
	pos, last := 0, uint32(0)
	for range ev.Count {
		e, next, err := ev.Next(pos, last)
		if err != nil {
			return nil, err
		}
		pos, last = next, e.Record
		x := eventVector{Record: int(e.Record), Flags: int(e.Flags), Fields: []fieldVector{}}
		if e.Time != abi.NoTime {
			x.Time = &e.Time
		}
		for i := range e.Len() {
			f, err := ev.Field(&e, i, v.Records[e.Record])
			if err != nil {
				return nil, err
			}
			y := fieldVector{Name: int(f.Name), Type: int(f.Type), Flags: int(f.Flags), Text: f.Bytes, Bits: f.Bits}
			if f.Type == abi.InRecord || f.Type == abi.InArena {
				y.Bits = 0
			}
			if f.Name == abi.NameInArena {
				y.Name = string(f.Dynamic)
			}
			if f.SrcOff != abi.None {
				y.Source = []int{int(f.SrcOff), int(f.SrcLen)}
			}
			x.Fields = append(x.Fields, y)
		}
		w.Events = append(w.Events, x)
	}
	return w, nil
}

func loadVectors(tb testing.TB) map[string]*vector {
	tb.Helper()
	paths, _ := filepath.Glob(filepath.Join(vectorsDir, "*.json"))
	if len(paths) == 0 {
		tb.Fatalf("no vectors in %s: run this test in the whole repository", vectorsDir)
	}
	all := map[string]*vector{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		v := &vector{}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(v); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = v
	}
	return all
}

// TestVectors: each golden batch means what its JSON says, and each listed change of it is refused by its clause.
func TestVectors(t *testing.T) {
	for name, v := range loadVectors(t) {
		t.Run(name, func(t *testing.T) {
			b := readHex(t, filepath.Join(vectorsDir, name+".hex"))
			got, err := v.decode(b)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var have, want any
			if err := errors.Join(unmarshal(text, &have), unmarshal(v.Want, &want)); err != nil {
				t.Fatal(err)
			}
			// What the JSON leaves out has its zero value on both sides.
			if !reflect.DeepEqual(prune(have), prune(want)) {
				t.Errorf("got  %s\nwant %s", text, v.Want)
			}
			for _, c := range v.Broken {
				bad := bytes.Clone(b)
				copy(bad[c.At:], c.Hex)
				_, err := v.decode(bad)
				var d *abi.DecodeError
				if !errors.As(err, &d) || d.Clause != c.Clause {
					t.Errorf("%s: got %v, want a breach of %s", c.Why, err, c.Clause)
				}
			}
			for n := range b { // no prefix of a batch is one
				if _, err := v.decode(b[:n]); err == nil {
					t.Errorf("the first %d bytes of %d are accepted", n, len(b))
				}
			}
		})
	}
}

func unmarshal(text []byte, v *any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec.Decode(v)
}

// prune drops members whose value is zero.
func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, m := range x {
			if n, ok := m.(json.Number); ok && n == "0" {
				delete(x, k)
			} else {
				x[k] = prune(m)
			}
		}
	case []any:
		for i := range x {
			x[i] = prune(x[i])
		}
	}
	return v
}
