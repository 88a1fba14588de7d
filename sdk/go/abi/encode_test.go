package abi_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

func handWritten(t *testing.T, name string) []byte {
	return readHex(t, filepath.Join(vectorsDir, name+".hex"))
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	if want := handWritten(t, name); !bytes.Equal(got, want) {
		t.Errorf("%s: the encoder writes\n%x\nwant\n%x", name, got, want)
	}
}

// TestEncoders: the encoders write what was written by hand.
func TestEncoders(t *testing.T) {
	var recs abi.RecordsEncoder
	recs.Begin(2, 42, 1_000_000_000_000_000_000)
	recs.Add([]byte("a=1 \xff"), "tcp :1", 1, 0)
	recs.Add([]byte("b=2\x00"), "udp :2", 2, abi.RecordTruncated)
	compare(t, "records", recs.Bytes())

	var rows abi.RowsEncoder
	rows.Begin(2, 3, 7, 8)
	rows.Event(3)
	rows.Cell(0, "root")
	rows.Cell(2, "10.0.")
	rows.Event(-1)
	got := rows.Bytes()
	copy(got[104:], []byte{0, 0, 0, 0, 4, 0, 0, 0}) // by hand, this cell shares the text of another
	compare(t, "rows", got)

	out, arena := make([]byte, 1024), make([]byte, 1024)
	var found abi.FindingsEncoder
	found.Begin(out, arena)
	found.Add(abi.Finding{Event: 1, Severity: abi.SeverityHigh, Title: []byte("guess"), Reason: []byte("9 time"), Key: []byte("ann")})
	found.Add(abi.Finding{})
	n, _ := found.Finish()
	for at := 88; at < 112; at += 8 { // by hand, empty texts stand at 0
		clear(out[at : at+8])
	}
	compare(t, "findings", out[:n])

	ref := make([]byte, abi.RefSize)
	ref[0], ref[16], ref[24] = 1, 2, 3
	found.Begin(out, arena)
	found.Add(abi.Finding{Event: 1, Severity: abi.SeverityLow, Title: []byte("late"), Reason: []byte("3s"), Key: []byte("a.b=1\nc=x=y"), Evidence: ref})
	n, _ = found.Finish()
	compare(t, "timed", out[:n])
	rows.BeginRefs(1, 1, 7, 8)
	rows.Event(3)
	rows.Ref(ref)
	rows.Cell(0, "x")
	compare(t, "referred", rows.Bytes())
	var due abi.DueEncoder
	for range 2 {
		due.Begin(7, 1_000_000_000)
		due.Timer(8, []byte("ann"))
		due.Timer(1_000_000_000, []byte("bob"))
		compare(t, "due", due.Bytes())
	}

	compare(t, "poll", abi.EncodePoll(nil, 9, 10, []byte("abc")))

	var polled abi.PolledEncoder
	polled.Begin(out, arena)
	polled.Record([]byte("one"))
	polled.Record([]byte("no"))
	n, _ = polled.Finish([]byte{0xc0, 0xde})
	compare(t, "polled", out[:n])
}

// writeEvents encodes what events.hex says.
func writeEvents(e *abi.EventsEncoder) {
	text := func(off uint32, n int) uint64 { return uint64(off) | uint64(n)<<32 }
	e.Record(0)
	e.Event()
	e.SetTime(5)
	e.Field(1, 0, abi.InRecord, 0, text(5, 3), 5, 3)
	e.Field(2, 0, abi.Uint, 0, 22, 14, 2)
	e.Field(3, 0, abi.InArena, abi.FlagList, text(e.Text(`a"b`), 3), 19, 4)
	e.Field(3, 0, abi.InArena, abi.FlagList, text(e.Text("xy"), 2), abi.None, 0)
	name := "kv.trusted!"
	e.Field(abi.NameInArena, e.Text(string(rune(len(name)))+name), abi.Bool, 0, 1, abi.None, 0)
	e.Field(abi.FirstLocal, 0, abi.Float, 0, 0x3ff8000000000000, abi.None, 0)
	e.Field(4, 0, abi.IPv4, 0, 0xc0000201, abi.None, 0)
	e.Event()
	minus := int64(-1)
	e.Field(5, 0, abi.Int, 0, uint64(minus), abi.None, 0)
	e.End(abi.OK, "")
	e.Record(1)
	e.Event()
	e.Field(1, 0, abi.InRecord, 0, text(0, 1), 0, 1)
	e.End(abi.NotMine, "")
	e.Record(2)
	e.End(abi.Failed, "bad quote")
}

// TestEventsEncoder writes the hand-written batch with the arena beside OUT and at its end.
func TestEventsEncoder(t *testing.T) {
	want := handWritten(t, "events")
	want[104] = 0 // by hand, the event is marked as cut
	for _, split := range []bool{false, true} {
		out, arena := make([]byte, 1024), make([]byte, 1024)
		if split {
			out, arena = out[:768:1024], out[768:]
		}
		var e abi.EventsEncoder
		e.Begin(out, arena, 3)
		writeEvents(&e)
		n, ok := e.Finish()
		if !ok || !bytes.Equal(out[:n], want) {
			t.Errorf("split %v: ok %v, the encoder writes\n%x\nwant\n%x", split, ok, out[:n], want)
		}
	}
}

// TestEventsEncoderFull: whatever the sizes, the batch is whole or Finish says that it is not.
func TestEventsEncoderFull(t *testing.T) {
	want := handWritten(t, "events")
	for size := range 420 {
		out, arena := make([]byte, size), make([]byte, 26)
		var e abi.EventsEncoder
		e.Begin(out, arena, 3)
		writeEvents(&e)
		n, ok := e.Finish()
		// The event of record 1, which is taken back, needs room meanwhile.
		if ok != (size >= 352+abi.EventSize+abi.FieldSize) || ok && n != len(want) {
			t.Errorf("%d bytes: n %d, ok %v", size, n, ok)
		}
	}
}

// TestEventsEncoderLimits: one over each limit of clause 9 is cut, marked, and accepted by Check.
func TestEventsEncoderLimits(t *testing.T) {
	raw := []byte(strings.Repeat("x", abi.MaxValueBytes+1))
	var in abi.RecordsEncoder
	in.Begin(1, 0, 0)
	in.Add(raw, "", 0, 0)
	recs, _ := abi.DecodeRecords(in.Bytes())
	whole := func(n int) uint64 { return uint64(n) << 32 }
	for _, c := range []struct {
		name   string
		write  func(e *abi.EventsEncoder)
		fields int
		cut    bool
	}{
		{"fields", func(e *abi.EventsEncoder) {
			for range abi.MaxFieldsPerEvent {
				e.Field(1, 0, abi.InRecord, 0, whole(1), abi.None, 0)
			}
		}, abi.MaxFieldsPerEvent, false},
		{"one field more", func(e *abi.EventsEncoder) {
			for range abi.MaxFieldsPerEvent + 1 {
				e.Field(1, 0, abi.InRecord, 0, whole(1), abi.None, 0)
			}
		}, abi.MaxFieldsPerEvent, true},
		{"value", func(e *abi.EventsEncoder) {
			e.Field(1, 0, abi.InRecord, 0, whole(abi.MaxValueBytes), abi.None, 0)
		}, 1, false},
		{"one byte more", func(e *abi.EventsEncoder) {
			e.Field(1, 0, abi.InRecord, 0, whole(abi.MaxValueBytes+1), abi.None, 0)
		}, 1, true},
		{"event", func(e *abi.EventsEncoder) {
			for range abi.MaxEventBytes / abi.MaxValueBytes {
				e.Field(1, 0, abi.InRecord, 0, whole(abi.MaxValueBytes), abi.None, 0)
			}
		}, abi.MaxEventBytes / abi.MaxValueBytes, false},
		{"one value more", func(e *abi.EventsEncoder) {
			for range abi.MaxEventBytes/abi.MaxValueBytes + 1 {
				e.Field(1, 0, abi.InRecord, 0, whole(abi.MaxValueBytes), abi.None, 0)
			}
		}, abi.MaxEventBytes / abi.MaxValueBytes, true},
	} {
		var e abi.EventsEncoder
		out := make([]byte, 1<<20)
		e.Begin(out, nil, 1)
		e.Record(0)
		e.Event()
		c.write(&e)
		e.End(abi.OK, "")
		n, ok := e.Finish()
		ev, err := abi.DecodeEvents(out[:n], 1)
		if !ok || err != nil {
			t.Fatalf("%s: %v %v", c.name, ok, err)
		}
		if err := ev.Check(&recs, 0, abi.Names{WellKnown: 1}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		v, _, _ := ev.Next(0, 0)
		if v.Len() != c.fields || v.Flags&abi.EventCut != 0 != c.cut {
			t.Errorf("%s: %d fields, flags %d", c.name, v.Len(), v.Flags)
		}
	}
}

// TestTooManyEvents: a record with one event too many is failed as a whole.
func TestTooManyEvents(t *testing.T) {
	for _, n := range []int{abi.MaxEventsPerRecord, abi.MaxEventsPerRecord + 1} {
		var e abi.EventsEncoder
		out, arena := make([]byte, 64<<10), make([]byte, 1024)
		e.Begin(out, arena, 1)
		e.Record(0)
		for range n {
			e.Event()
			e.Field(1, 0, abi.Uint, 0, 1, abi.None, 0)
		}
		e.End(abi.OK, "")
		size, ok := e.Finish()
		ev, err := abi.DecodeEvents(out[:size], 1)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		o, message, err := ev.Outcome(0)
		if want := n > abi.MaxEventsPerRecord; err != nil || (o == abi.Failed) != want || (len(message) > 0) != want {
			t.Errorf("%d events: outcome %d %q, %v", n, o, message, err)
		}
	}
}

// TestBatchText: ranges may overlap, but what they add up to is bounded.
func TestBatchText(t *testing.T) {
	const values = abi.MaxBatchTextBytes/abi.MaxValueBytes + 1
	per := abi.MaxEventBytes / abi.MaxValueBytes
	raw := make([]byte, abi.MaxValueBytes)
	var in abi.RecordsEncoder
	in.Begin(1, 0, 0)
	in.Add(raw, "", 0, 0)
	recs, _ := abi.DecodeRecords(in.Bytes())
	for _, n := range []int{values - 1, values} {
		var e abi.EventsEncoder
		out := make([]byte, 64<<10)
		e.Begin(out, nil, 1)
		e.Record(0)
		for i := range n {
			if i%per == 0 {
				e.Event()
			}
			e.Field(1, 0, abi.InRecord, 0, uint64(len(raw))<<32, abi.None, 0)
		}
		e.End(abi.OK, "")
		size, _ := e.Finish()
		ev, err := abi.DecodeEvents(out[:size], 1)
		if err != nil {
			t.Fatal(err)
		}
		err = ev.Check(&recs, 0, abi.Names{WellKnown: 1})
		if (err != nil) != (n == values) {
			t.Errorf("%d values: %v", n, err)
		}
	}
}

// FuzzDecode feeds every decoder and reads all that it accepts.
func FuzzDecode(f *testing.F) {
	vectors := loadVectors(f)
	for name := range vectors {
		f.Add(readHex(f, filepath.Join(vectorsDir, name+".hex")), uint8(3))
	}
	raws := vectors["events"].Records
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		for _, kind := range []string{"records", "rows", "findings", "poll", "polled"} {
			v := &vector{Kind: kind, Rows: int(n)}
			_, _ = v.decode(b)
		}
		v := &vector{Kind: "events", Names: vectorNames{WellKnown: 100, Local: 1}}
		for i := range n {
			v.Records = append(v.Records, raws[int(i)%len(raws)])
		}
		recs := v.input()
		ev, err := abi.DecodeEvents(b, len(v.Records))
		if err != nil {
			return
		}
		if ev.Check(&recs, 0, abi.Names{WellKnown: 100, Local: 1}) != nil {
			readLoosely(&ev, &recs)
			return
		}
		if _, err := v.decodeEvents(b); err != nil { // what Check accepts can be read without an error
			t.Fatal(err)
		}
	})
}

// readLoosely reads what it can of a batch that Check refuses: a reader that skips Check must not be hurt.
func readLoosely(ev *abi.Events, recs *abi.Records) {
	for i := range ev.Records {
		_, _, _ = ev.Outcome(i)
	}
	for pos := 0; ; {
		e, next, err := ev.Next(pos, 0)
		if err != nil {
			return
		}
		pos = next
		rec, _ := recs.Record(int(e.Record))
		for i := range e.Len() {
			_, _ = ev.Field(&e, i, rec.Raw)
		}
	}
}

// FuzzEncodeEvents drives the encoder with arbitrary calls: what it finishes is always accepted.
func FuzzEncodeEvents(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0, 4, 5, 6, 7, 8, 9}, uint16(600))
	f.Fuzz(func(t *testing.T, ops []byte, size uint16) {
		raw := []byte("a record of some bytes, the same for all")
		const n = 4
		var in abi.RecordsEncoder
		in.Begin(n, 0, 0)
		for range n {
			in.Add(raw, "s", 0, 0)
		}
		recs, _ := abi.DecodeRecords(in.Bytes())
		out := make([]byte, size)
		cut := int(size) / 8 * 6 &^ 7
		var e abi.EventsEncoder
		e.Begin(out[:cut:size], out[cut:], n)
		for i := range n {
			e.Record(i)
			for len(ops) > 8 && ops[0]%9 != 8 {
				op := ops[0] % 9
				v := binary.LittleEndian.Uint64(ops)
				ops = ops[1:]
				switch op {
				case 0:
					e.Event()
				case 1:
					e.SetTime(int64(v))
				case 2:
					e.Field(1, 0, abi.Uint, 0, v, abi.None, 0)
				case 3:
					off := v % uint64(len(raw))
					length := v >> 8 % (uint64(len(raw)) - off)
					e.Field(2, 0, abi.InRecord, abi.FlagList, off|length<<32, uint32(off), uint32(length))
				case 4, 5:
					s := fmt.Sprint(v)
					e.Field(3, 0, abi.InArena, 0, uint64(e.Text(s))|uint64(len(s))<<32, abi.None, 0)
				case 6:
					e.Field(abi.NameInArena, e.Text("\x03k.a"), abi.Bool, 0, v&1, 0, 1)
				case 7:
					e.End(abi.Failed, "why")
					e.Record(i)
				}
			}
			if len(ops) > 1 {
				ops = ops[1:]
			}
			o := abi.OK
			if len(ops) > 0 {
				o = abi.Outcome(ops[0] % 4)
			}
			e.End(o, "because")
		}
		size2, ok := e.Finish()
		if !ok {
			return
		}
		ev, err := abi.DecodeEvents(out[:size2], n)
		if err == nil {
			err = ev.Check(&recs, 0, abi.Names{WellKnown: 3})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzKeys: whatever a module answers to a page of keys is refused, or safe to read and the same when it is written again.
func FuzzKeys(f *testing.F) {
	f.Add(readHex(f, filepath.Join(vectorsDir, "keys.hex")))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := abi.DecodeKeys(b)
		if err != nil {
			return
		}
		texts := 0
		for i := range k.Len {
			texts += len(k.Key(i).Name) + len(k.Key(i).Value)
		}
		table := abi.KeysHeader + k.Len*abi.KeySize
		out := make([]byte, table+texts)
		var e abi.KeysEncoder
		e.Begin(out[:table], make([]byte, texts))
		for i := range k.Len {
			if !e.Add(k.Key(i)) {
				t.Fatalf("key %d of %d does not fit", i, k.Len)
			}
		}
		n, ok := e.Finish(k.Version, k.At)
		again, err := abi.DecodeKeys(out[:n])
		if !ok || err != nil || again.Len != k.Len || again.Version != k.Version || again.At != k.At {
			t.Fatalf("%v %v: %d keys, then %d", ok, err, k.Len, again.Len)
		}
		for i := range k.Len {
			if x, y := k.Key(i), again.Key(i); x.Kind != y.Kind || x.Ends != y.Ends || !bytes.Equal(x.Name, y.Name) || !bytes.Equal(x.Value, y.Value) {
				t.Fatalf("key %d is another: %+v, %+v", i, x, y)
			}
		}
	})
}
