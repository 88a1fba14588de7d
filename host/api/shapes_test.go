package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// letters spells a number, so that it is no value that a shape puts aside.
func letters(n int) string {
	return string([]byte{'a' + byte(n/26/26%26), 'a' + byte(n/26%26), 'a' + byte(n%26)})
}

func TestShapesAreBounded(t *testing.T) {
	var rows []logs.Row
	row := func(raw string, parser string) {
		f := []storage.Field{{Name: "event.kind", Value: "pipeline_error"}, {Name: storage.FieldSource, Value: "http 192.0.2.1"}}
		if parser != "" {
			f = []storage.Field{{Name: storage.FieldParser, Value: parser}}
		}
		rows = append(rows, logs.Row{Tenant: 7, Raw: raw, Fields: f})
	}
	for range 20 {
		row("framed "+strings.Repeat("x", MaxPortionBytes/4), "vedette/anysyslog")
	}
	for n := range 10 {
		row(fmt.Sprintf("pump %d is on", n), "")
	}
	for n := range MaxShapes {
		row("word "+letters(n)+" is never repeated", "")
	}
	got := shapesOf(rows)
	if len(got) != MaxShapes {
		t.Fatalf("%d shapes, want %d", len(got), MaxShapes)
	}
	if first := got[0]; first.Count != 10 || first.Tenant != 7 || first.Source != "http 192.0.2.1" || len(first.Samples) == 0 || first.Samples[0].Raw != "pump 0 is on" {
		t.Errorf("the most frequent one that nobody reads is not the first: %v", first)
	}
	last, size := got[len(got)-1], 0
	if last.Count != 20 || last.Samples[0].Fields[storage.FieldParser] == "" {
		t.Errorf("what is read by its frame is not the last: %v", last.Text)
	}
	for _, s := range got {
		if len(s.Samples) == 0 || len(s.Samples) > MaxShapeSamples {
			t.Errorf("%s has %d samples", s.Text, len(s.Samples))
		}
		for _, e := range s.Samples {
			size += len(e.Raw)
		}
	}
	if size > 2*MaxPortionBytes {
		t.Errorf("the samples have %d bytes", size)
	}
}

func TestGatheredIsBounded(t *testing.T) {
	raw := strings.Repeat("x", MaxSampleBytes)
	row := func(seq uint64, ordinal uint16, raw string) []logs.Row {
		return []logs.Row{{ID: storage.EventID{Seq: seq, Ordinal: ordinal}, Raw: raw}}
	}
	g := gathered{seen: map[storage.EventID]bool{}}
	full := uint64(MaxUnparsedBytes / MaxSampleBytes)
	for seq := range full {
		for ordinal := range uint16(2) { // two events of one record
			if err := g.add(row(seq, ordinal, raw)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := g.add(row(full, 0, raw+"x")); err != nil || len(g.rows) != int(full) {
		t.Errorf("a record over the limit of a sample: %d rows, %v", len(g.rows), err)
	}
	if err := g.add(row(full+1, 0, "x")); !errors.Is(err, errEnough) || len(g.rows) != int(full) {
		t.Errorf("one byte more: %d rows, %v", len(g.rows), err)
	}
}
