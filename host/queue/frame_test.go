package queue

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vedette-siem/vedette/storage"
)

func sampleFrame() *Frame {
	udp, web := Source{Listener: "syslog-udp:5514", Peer: "10.0.0.7"}, Source{Listener: "http", Peer: "::1"}
	return &Frame{Shard: 3, LogTime: 1_700_000_000_000_000_001, Segments: []Segment{
		{Tenant: 1, Records: []Record{
			{Raw: []byte("<34>a"), Received: 1_700_000_000_000_000_000, Source: udp},
			{Raw: []byte{0, 0xff}, Received: -1, Source: web, Flags: FlagTruncated | FlagBadFraming},
		}},
		{Tenant: 0xfffffffe, Records: []Record{{Raw: []byte{}, Received: 5, Source: udp}}},
	}}
}

// goldenFrame is sampleFrame written by hand from the table at the top of frame.go.
const goldenFrame = "56445131" + "01" + "00" + "0300" + "01002a36fe9c9717" + // header
	"02000000" + "02000000" +
	"0f" + "7379736c6f672d7564703a35353134" + "08" + "31302e302e302e37" + // source 0
	"04" + "68747470" + "03" + "3a3a31" + // source 1
	"01000000" + "02000000" + // tenant 1, two records
	"05000000" + "0000" + "00" + "00" + "00002a36fe9c9717" + "3c33343e61" +
	"02000000" + "0100" + "03" + "00" + "ffffffffffffffff" + "00ff" +
	"feffffff" + "01000000" +
	"00000000" + "0000" + "00" + "00" + "0500000000000000"

var frameOpts = cmp.Options{cmpopts.IgnoreUnexported(Frame{}), cmpopts.EquateEmpty()}

func TestFrameGolden(t *testing.T) {
	got, err := Encode(nil, sampleFrame())
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(got) != goldenFrame {
		t.Fatalf("encoded\n%x\nwant\n%s", got, goldenFrame)
	}
	var f Frame
	for range 2 { // the second time into used memory
		if err := Decode(got, &f); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sampleFrame(), &f, frameOpts); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := hex.DecodeString(goldenFrame)
	if err != nil {
		t.Fatal(err)
	}
	set := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	segment := headerBytes + 8 + 1 + 15 + 1 + 8 + 1 + 4 + 1 + 3
	cases := map[string][]byte{
		"magic":              set(0, 'X'),
		"another version":    set(3, '2'),
		"kind":               set(4, 9),
		"a control record":   set(4, byte(KindControl)),
		"reserved":           set(5, 1),
		"sources lie":        set(16, 0xff, 0xff, 0xff, 0xff),
		"segments lie":       set(20, 0xff, 0xff, 0xff, 0x7f),
		"one segment fewer":  set(20, 1),
		"listener too long":  set(24, 0xff),
		"no tenant":          set(segment, 0, 0, 0, 0),
		"no records":         set(segment+4, 0),
		"records lie":        set(segment+4, 0xff, 0xff, 0xff, 0xff),
		"record length lies": set(segment+8, 0xff, 0xff, 0xff, 0xff),
		"unknown source":     set(segment+12, 2),
		"reserved of record": set(segment+15, 1),
		"trailing byte":      append(bytes.Clone(good), 0),
		"too long":           append(bytes.Clone(good), make([]byte, MaxFrameBytes)...),
	}
	for i := range good {
		cases[fmt.Sprintf("cut at %d", i)] = good[:i]
	}
	for name, b := range cases {
		if err := Decode(b, new(Frame)); !errors.Is(err, ErrFrame) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFrameLimits(t *testing.T) {
	src := Source{Listener: "l", Peer: "p"}
	room := MaxFrameBytes - frameHeadBytes - sourceBytes(src) - segmentHead - 2*recordHead - MaxRecordBytes
	of := func(n int) *Frame {
		return &Frame{Segments: []Segment{{Tenant: 1, Records: []Record{
			{Raw: make([]byte, MaxRecordBytes), Source: src}, {Raw: make([]byte, n), Source: src},
		}}}}
	}
	if b, err := Encode(nil, of(room)); err != nil || len(b) != MaxFrameBytes {
		t.Fatalf("the largest frame: %d bytes, %v", len(b), err)
	}
	if _, err := Encode(nil, of(room+1)); !errors.Is(err, storage.ErrInvalid) {
		t.Fatalf("one byte over: %v", err)
	}
	if _, err := Encode(nil, of(MaxRecordBytes+1)); !errors.Is(err, storage.ErrExhausted) {
		t.Fatalf("record one byte over: %v", err)
	}
	long := string(make([]byte, MaxSourceBytes+1))
	if err := checkInput(1, Source{Peer: long}, nil); !errors.Is(err, storage.ErrInvalid) {
		t.Fatalf("source one byte over: %v", err)
	}
	if err := checkInput(1, Source{Listener: long[1:], Peer: long[1:]}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestShardOfIsStable(t *testing.T) {
	seen := map[int]int{}
	for i := range 1000 {
		seen[shardOf(storage.Tenant(i%7+1), Source{Listener: "http", Peer: fmt.Sprint(i)}, 4)]++
	}
	for s := range 4 {
		if seen[s] < 150 {
			t.Errorf("shard %d got %d of 1000 sources", s, seen[s])
		}
	}
	// FNV-1a 64 of 01 00 00 00 "a" 00 "b", worked out apart from this code: a change would tear sources' order apart.
	if got := shardOf(1, Source{Listener: "a", Peer: "b"}, 1<<20); got != 0xbe35d {
		t.Errorf("got %#x", got)
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := hex.DecodeString(goldenFrame)
	f.Add(good)
	f.Add(appendHeader(nil, KindFrame, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got Frame
		if err := Decode(b, &got); err != nil {
			if !errors.Is(err, ErrFrame) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		total := 0
		for _, s := range got.Segments {
			for _, r := range s.Records {
				total += len(r.Raw)
			}
		}
		if total > len(b) {
			t.Fatalf("%d bytes of records from a message of %d", total, len(b))
		}
		again, err := Encode(nil, &got)
		if err != nil {
			return // an empty or repeated table entry can make it longer than the limit
		}
		var second Frame
		if err := Decode(again, &second); err != nil {
			t.Fatal(err)
		}
		if len(second.Segments) != len(got.Segments) {
			return // two segments of one tenant become one
		}
		if diff := cmp.Diff(&got, &second, frameOpts); diff != "" {
			t.Fatal(diff)
		}
	})
}

func benchRecords(n int) []Raw {
	recs := make([]Raw, n)
	for i := range recs {
		recs[i] = Raw{Bytes: bytes.Repeat([]byte{'x'}, 400), Received: int64(i)}
	}
	return recs
}

func BenchmarkFrameEncode(b *testing.B) {
	recs, src := benchRecords(128), Source{Listener: "syslog-tcp:5514", Peer: "10.0.0.1"}
	var fb frameBuilder
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		fb.reset()
		fb.add(1, src, recs, MaxFrameBytes)
		out = fb.appendTo(out[:0], 1, 2)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/record")
}

func BenchmarkFrameDecode(b *testing.B) {
	var fb frameBuilder
	fb.add(1, Source{Listener: "syslog-tcp:5514", Peer: "10.0.0.1"}, benchRecords(128), MaxFrameBytes)
	msg := fb.appendTo(nil, 1, 2)
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(msg, &f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*128), "ns/record")
}
