package pipeline

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// built returns the event that a guest's answer about raw becomes.
func built(t *testing.T, raw string, write func(e *abi.EventsEncoder)) storage.Event {
	t.Helper()
	var e abi.EventsEncoder
	out := make([]byte, 4<<20)
	e.Begin(out[:2<<20], out[2<<20:], 1)
	e.Record(0)
	e.Event()
	write(&e)
	e.End(abi.OK, "")
	n, ok := e.Finish()
	if !ok {
		t.Fatal("the answer does not fit")
	}
	batch, err := abi.DecodeEvents(out[:n], 1)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := batch.Next(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	ev := storage.Event{Tenant: 1, Received: received, Raw: raw}
	m := manifest.Manifest{Names: []string{"door.colour"}}
	texts := textsOf(batch.Arena())
	texts.record(raw)
	canonical := newBuilder().event(&ev, &v, &m, &texts)
	adjust(&ev, v.Time)
	if changed := storage.Canonical(&ev); canonical && changed > 0 {
		t.Errorf("%d changes to an event that was called canonical: %v", changed, ev)
	}
	return ev
}

var received = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()

// put writes a text that lies in the arena.
func put(e *abi.EventsEncoder, name abi.Name, flags uint8, text string) {
	off := e.Text(text)
	e.Field(name, 0, abi.InArena, flags, uint64(off)|uint64(len(text))<<32, abi.None, 0)
}

// named writes a field whose name lies in the arena.
func named(e *abi.EventsEncoder, name, text string) {
	at := e.Text(string(rune(len(name))) + name)
	off := e.Text(text)
	e.Field(abi.NameInArena, at, abi.InArena, 0, uint64(off)|uint64(len(text))<<32, abi.None, 0)
}

func TestEventForm(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 50<<10)
	for name, c := range map[string]struct {
		write func(e *abi.EventsEncoder)
		want  storage.Event
	}{
		"values of every type": {func(e *abi.EventsEncoder) {
			e.Field(ecs.UserName, 0, abi.InRecord, 0, 5|3<<32, 5, 3)
			e.Field(ecs.SourcePort, 0, abi.Uint, 0, 443, abi.None, 0)
			e.Field(ecs.EventDuration, 0, abi.Int, 0, ^uint64(0), abi.None, 0)
			e.Field(ecs.SourceIP, 0, abi.IPv4, 0, 0xC0000201, abi.None, 0)
			e.Field(abi.FirstLocal, 0, abi.Bool, 0, 1, abi.None, 0)
			e.Field(ecs.EventCreated, 0, abi.Time, 0, uint64(received), abi.None, 0)
		}, storage.Event{Time: received, Fields: []storage.Field{
			{Name: "user.name", Value: "ada"},
			{Name: "source.port", Value: "443"},
			{Name: "event.duration", Value: "-1"},
			{Name: "source.ip", Value: "192.0.2.1"},
			{Name: "door.colour", Value: "true"},
			{Name: "event.created", Value: "2024-03-01T12:00:00.000Z"},
		}}},
		"lists: in the place of their first element, without doubles, as JSON": {func(e *abi.EventsEncoder) {
			put(e, ecs.RelatedUser, abi.FlagList, `a"\`)
			put(e, ecs.EventAction, 0, "open")
			put(e, ecs.RelatedIP, abi.FlagList, "192.0.2.1")
			put(e, ecs.RelatedUser, abi.FlagList, "b\x01\xff")
			put(e, ecs.RelatedUser, abi.FlagList, `a"\`)
			put(e, ecs.RelatedUser, abi.FlagList, "")
		}, storage.Event{Time: received, Fields: []storage.Field{
			{Name: "related.user", Value: `["a\"\\","b\u0001` + "\uFFFD" + `"]`}, {Name: "event.action", Value: "open"}, {Name: "related.ip", Value: `["192.0.2.1"]`},
		}}},
		"a list that is too long stays a list, and says so": {func(e *abi.EventsEncoder) {
			for _, first := range []string{"1", "2", "3"} {
				put(e, ecs.RelatedUser, abi.FlagList, first+long)
			}
		}, storage.Event{Time: received, Fields: []storage.Field{
			{Name: "related.user", Value: `["1` + long + `","2` + long + `"]`}, {Name: storage.FieldTruncated, Value: `["value"]`},
		}}},
		"names that are not the module's to set": {func(e *abi.EventsEncoder) {
			named(e, "vedette.parser", "another")
			named(e, "_msg", "not the record")
			named(e, "door.size", "2")
			put(e, ecs.EventDataset, 0, "doors.log")
			put(e, ecs.EventDataset, 0, "again")
		}, storage.Event{Time: received, Stream: "doors.log", Fields: []storage.Field{{Name: "raw._msg", Value: "not the record"}, {Name: "door.size", Value: "2"}}}},
		"a name twice, an empty value": {func(e *abi.EventsEncoder) {
			put(e, ecs.UserName, 0, "first")
			put(e, ecs.UserName, 0, "second")
			put(e, ecs.EventAction, 0, "")
		}, storage.Event{Time: received, Fields: []storage.Field{{Name: "user.name", Value: "first"}}}},
		"a time that may be": {
			func(e *abi.EventsEncoder) { e.SetTime(received - maxPast); put(e, ecs.UserName, 0, "a") },
			storage.Event{Time: received - maxPast, Fields: []storage.Field{{Name: "user.name", Value: "a"}}},
		},
		"a time that lies too far back": {
			func(e *abi.EventsEncoder) { e.SetTime(received - maxPast - 1); put(e, ecs.UserName, 0, "a") },
			storage.Event{Time: received, Fields: []storage.Field{{Name: "user.name", Value: "a"}, {Name: FieldTimeAdjusted, Value: "2024-02-29T11:59:59.999999999Z"}}},
		},
		"a time to come": {
			func(e *abi.EventsEncoder) { e.SetTime(received + maxFuture + 1); put(e, ecs.UserName, 0, "a") },
			storage.Event{Time: received, Fields: []storage.Field{{Name: "user.name", Value: "a"}, {Name: FieldTimeAdjusted, Value: "2024-03-01T12:02:00.000000001Z"}}},
		},
	} {
		got := built(t, "door ada opens", c.write)
		c.want.Tenant, c.want.Received, c.want.Raw = 1, received, "door ada opens"
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%.2000s", name, d)
		}
		if again := got; storage.Canonical(&again) != 0 || !slices.Equal(again.Fields, got.Fields) {
			t.Errorf("%s: not canonical", name)
		}
	}
}

// FuzzEvent builds events of any texts, names and kinds: what is called canonical is, and what the builder has seen
// before changes nothing.
func FuzzEvent(f *testing.F) {
	f.Add("door ada opens", []byte("\x01\x00\x03user.name\x02ada"))
	f.Add("bad \xff text", []byte("\x02\x01\x02_msg\x05a\xffb\x00\x00vedette.id"))
	f.Add("ünïcode", []byte("\x00\x02\x04event.dataset\x03x\x03\x01\x02event.action"))
	names := []string{"user.name", "event.dataset", "vedette.id", "_msg", "a\xffb", strings.Repeat("n", 128), strings.Repeat("n", 127) + "é", "related.ip", "door.colour"}
	numbers := []abi.Name{ecs.UserName, ecs.EventDataset, ecs.RelatedIP, abi.FirstLocal}
	old := newBuilder()
	f.Fuzz(func(t *testing.T, raw string, script []byte) {
		var e abi.EventsEncoder
		out := make([]byte, 4<<20)
		e.Begin(out[:2<<20], out[2<<20:], 1)
		e.Record(0)
		e.Event()
		for len(script) >= 4 && len(raw) > 0 {
			what, name, at, n := script[0], int(script[1]), uint64(script[2])%uint64(len(raw)), int(script[3])
			script = script[4:]
			n = min(n, len(script))
			number, aux := numbers[name%len(numbers)], uint32(0)
			if what&1 != 0 {
				text := names[name%len(names)]
				number, aux = abi.NameInArena, e.Text(string([]byte{byte(min(len(text), abi.MaxNameBytes))})+text)
			}
			switch list := what >> 1 & 1; what >> 2 & 3 {
			case 0:
				e.Field(number, aux, abi.InRecord, list, at|min(uint64(n), uint64(len(raw))-at)<<32, abi.None, 0)
			case 1:
				e.Field(number, aux, abi.Int, list, uint64(n)*at, abi.None, 0)
			default:
				off := e.Text(string(script[:n]))
				e.Field(number, aux, abi.InArena, list, uint64(off)|uint64(n)<<32, abi.None, 0)
			}
		}
		e.End(abi.OK, "")
		n, ok := e.Finish()
		if !ok {
			t.Skip()
		}
		batch, err := abi.DecodeEvents(out[:n], 1)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := batch.Next(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		texts := textsOf(batch.Arena())
		texts.record(raw)
		m := manifest.Manifest{Names: []string{"door.colour"}}
		var got [2]storage.Event
		for i, b := range []*builder{old, newBuilder()} {
			got[i] = storage.Event{Tenant: 1, Raw: raw}
			canonical := b.event(&got[i], &v, &m, &texts)
			if changed := storage.Canonical(&got[i]); canonical && changed > 0 {
				t.Fatalf("%d changes to an event that was called canonical: %v", changed, got[i])
			}
		}
		if d := cmp.Diff(got[1], got[0]); d != "" {
			t.Fatal(d)
		}
	})
}

func TestNamesAreForgotten(t *testing.T) {
	t.Parallel()
	table := newNameTable()
	for i := range 3 * maxNamesLearnt {
		table.next()
		n := table.intern("made.up." + strconv.Itoa(i))
		if _, before := table.given(n, 0); before {
			t.Fatalf("%s is not new", n.text)
		}
		if _, before := table.given(n, 1); !before {
			t.Fatalf("%s was given", n.text)
		}
	}
	if most := newNameTable(); len(table.of) > len(most.of)+maxNamesLearnt+1 {
		t.Errorf("%d names are known", len(table.of))
	}
}

func TestNamesWithOneEnd(t *testing.T) {
	names := newNameTable()
	texts := []string{"a.identical", "b.identical", "identical", "xxidentical", "dentical", "short", "", "source.ip", "client.ip"}
	for range 3 {
		for _, text := range texts {
			if got := names.intern(text).text; got != text {
				t.Fatalf("%q was taken for %q", text, got)
			}
		}
	}
	if n := len(names.of); n != len(ecs.Names)+len(texts)-3 { // index 0 is the empty name, and two are well known
		t.Errorf("%d names, %d of them well known", n, len(ecs.Names))
	}
}

func TestComputedValuesStay(t *testing.T) {
	b := newBuilder()
	var got []string
	const n = 2 * slabChars / 10
	for i := range int64(n) {
		got = append(got, b.computed(&abi.Entry{Type: abi.Int, Bits: uint64(-i)}))
	}
	for i := range int64(n) {
		if want := strconv.FormatInt(-i, 10); got[i] != want {
			t.Fatalf("value %d is %q, want %q", i, got[i], want)
		}
	}
}
