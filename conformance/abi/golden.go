package conform

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	vectors "github.com/vedette-siem/vedette/sdk/testdata/abi"
)

// goldenVector is a file of sdk/testdata/abi: a batch, what it means, and changes that break it.
type goldenVector struct {
	Records []protocol.Bytes `json:"records"`
	Rows    int              `json:"rows"`
	Want    json.RawMessage  `json:"want"`
	Broken  []change         `json:"broken"`

	bytes []byte
}

type change struct {
	Clause string         `json:"clause"`
	Why    string         `json:"why"`
	At     int            `json:"at"`
	Hex    protocol.Bytes `json:"hex"`
}

func vector(name string) (*goldenVector, error) {
	meaning, err := vectors.Files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("golden vectors: %w", err)
	}
	v := &goldenVector{}
	if err := json.Unmarshal(meaning, v); err != nil {
		return nil, fmt.Errorf("golden vectors: %s: %w", name, err)
	}
	hexText, err := vectors.Files.ReadFile(name + ".hex")
	if err != nil {
		return nil, fmt.Errorf("golden vectors: %w", err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(hexText)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	if v.bytes, err = hex.DecodeString(digits.String()); err != nil {
		return nil, fmt.Errorf("golden vectors: %s: %w", name, err)
	}
	return v, nil
}

// golden requires that a module's answer means what a vector says, and that no broken form of it is taken.
func (r *run) golden(ctx context.Context, v *goldenVector, kind string, c protocol.Call, meaning func(*protocol.Answer) any) error {
	m, err := r.answers(ctx, kind, v.bytes)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, c)
	if err != nil {
		return err
	}
	if len(a.Poison) > 0 {
		return fmt.Errorf("the golden answer: %s %s", a.Poison[0].Code, clip(a.Poison[0].Detail))
	}
	got, want, err := pruned([]byte(text(meaning(a))), v.Want)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the golden answer means %s, want %s", got, want)
	}
	for _, b := range v.Broken {
		if err := r.broken(ctx, v, kind, c, b); err != nil {
			return fmt.Errorf("%s (ABI %s): %w", b.Why, b.Clause, err)
		}
	}
	return nil
}

// broken requires that an answer with a change is refused, for every record or row that it is about.
func (r *run) broken(ctx context.Context, v *goldenVector, kind string, c protocol.Call, b change) error {
	bad := bytes.Clone(v.bytes)
	copy(bad[b.At:], b.Hex)
	m, err := r.answers(ctx, kind, bad)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, c)
	if err != nil {
		return err
	}
	return allRefused(a, max(len(c.Records), len(c.Rows), 1))
}

func allRefused(a *protocol.Answer, n int) error {
	if len(a.Poison) != n || len(a.Events)+len(a.Findings)+len(a.Records) > 0 {
		return fmt.Errorf("it is taken: %s", clip(text(a)))
	}
	for _, p := range a.Poison {
		if p.Code != "E_ABI" {
			return fmt.Errorf("it ends with %s %s, want E_ABI", p.Code, clip(p.Detail))
		}
	}
	return nil
}

// pruned writes two documents alike: members that are zero are left out, as the vectors leave them out.
func pruned(a, b []byte) (string, string, error) {
	var x, y any
	for _, d := range []struct {
		text []byte
		to   *any
	}{{a, &x}, {b, &y}} {
		dec := json.NewDecoder(bytes.NewReader(d.text))
		dec.UseNumber()
		if err := dec.Decode(d.to); err != nil {
			return "", "", fmt.Errorf("a meaning: %w", err)
		}
	}
	return text(prune(x)), text(prune(y)), nil
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if x = prune(x); x == nil || x == json.Number("0") || x == "" {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

func eventsMeaning(a *protocol.Answer) any {
	return struct {
		Outcomes []protocol.Outcome `json:"outcomes"`
		Events   []protocol.Event   `json:"events"`
	}{a.Outcomes, a.Events}
}

func (v *goldenVector) call() protocol.Call {
	c := protocol.Call{}
	for _, raw := range v.Records {
		c.Records = append(c.Records, protocol.Record{Raw: raw, Received: logTime})
	}
	return c
}

func goldenEvents(ctx context.Context, r *run) error {
	v, err := vector("events")
	if err != nil {
		return err
	}
	v.Broken = nil
	return r.golden(ctx, v, kindParser, v.call(), eventsMeaning)
}

// The two changes of the golden events that hold only for what the vector supposes: its host knows 100 names, and its
// batch is never cut.
const (
	whyUnknownName = "a well-known name that the host does not know"
	whyOtherCount  = "another number of records"
)

func brokenEvents(ctx context.Context, r *run) error {
	v, err := vector("events")
	if err != nil {
		return err
	}
	for _, b := range v.Broken {
		c := v.call()
		switch b.Why {
		case whyUnknownName:
			b.Hex = protocol.Bytes{0xff, 0x7f}
		case whyOtherCount:
			b.Hex, c.Records = nil, c.Records[:1]
		}
		if err := r.broken(ctx, v, kindParser, c, b); err != nil {
			return fmt.Errorf("%s (ABI %s): %w", b.Why, b.Clause, err)
		}
	}
	return nil
}

// madeEvents is an event batch written by hand.
type madeEvents struct {
	outcomes []byte // one each
	events   []madeEvent
	arena    []byte
	message  uint32 // length of the first outcome's message, at 0 of the arena
}

type madeEvent struct {
	record uint32
	time   int64
	fields []madeField
}

type madeField struct {
	name uint16
	kind byte
	aux  uint32
	bits uint64
}

// span is a value of type 1 or 2.
func span(off, n uint64) uint64 { return n<<32 | off }

func (m *madeEvents) encode() []byte {
	le := binary.LittleEndian
	var outcomes, body []byte
	for i, o := range m.outcomes {
		n := uint32(0)
		if i == 0 {
			n = m.message
		}
		outcomes = append(outcomes, o, 0, 0, 0, 0, 0, 0, 0)
		outcomes = le.AppendUint64(outcomes, uint64(n))
	}
	for _, e := range m.events {
		body = le.AppendUint64(body, uint64(len(e.fields))<<32|uint64(e.record))
		body = le.AppendUint64(body, 0)
		body = le.AppendUint64(body, uint64(e.time))
		body = le.AppendUint64(body, 0)
		for _, f := range e.fields {
			body = le.AppendUint64(body, uint64(f.aux)<<32|uint64(f.kind)<<16|uint64(f.name))
			body = le.AppendUint64(body, f.bits)
			body = le.AppendUint64(body, uint64(abi.None))
		}
	}
	head := make([]byte, abi.EventsHeader)
	for at, v := range map[int]int{
		0: abi.MagicEvents, 8: len(m.outcomes), 12: len(m.events), 16: len(head), 20: len(head) + len(outcomes), 24: len(body),
		28: len(head) + len(outcomes) + len(body), 32: len(m.arena),
	} {
		le.PutUint32(head[at:], uint32(v))
	}
	return bytes.Join([][]byte{head, outcomes, body, m.arena}, nil)
}

func events(n int, e madeEvent) []madeEvent {
	out := make([]madeEvent, n)
	for i := range out {
		out[i] = e
	}
	return out
}

func fields(n int, f madeField) []madeField {
	out := make([]madeField, n)
	for i := range out {
		out[i] = f
	}
	return out
}

// eventLimits goes one over each limit of 9.2, and up to it where the answer is not too long for a message.
func eventLimits(ctx context.Context, r *run) error {
	const value = abi.MaxValueBytes
	one := madeField{name: 1, kind: byte(abi.Uint)}
	raw := func(n uint64) madeField { return madeField{name: 1, kind: byte(abi.InRecord), bits: span(0, n)} }
	name := func(n int) madeEvents {
		return madeEvents{
			outcomes: []byte{0}, arena: append([]byte{byte(n)}, strings.Repeat("n", n)...),
			events: events(1, madeEvent{fields: []madeField{{name: 0xffff, kind: byte(abi.Uint)}}}),
		}
	}
	of := func(n int, f ...madeField) madeEvents {
		return madeEvents{outcomes: []byte{0}, events: events(n, madeEvent{fields: f})}
	}
	message := func(n int) madeEvents {
		return madeEvents{outcomes: []byte{byte(abi.Failed)}, message: uint32(n), arena: bytes.Repeat([]byte("m"), n)}
	}
	whole := fields(abi.MaxEventBytes/value, raw(value))
	long := strings.Repeat("x", value+1)
	for _, c := range []struct {
		what   string
		batch  madeEvents
		record string
		ok     bool
	}{
		{"256 events of a record", of(abi.MaxEventsPerRecord, one), "x", true},
		{"257 events of a record", of(abi.MaxEventsPerRecord+1, one), "x", false},
		{"500 fields", of(1, fields(abi.MaxFieldsPerEvent, one)...), "x", true},
		{"501 fields", of(1, fields(abi.MaxFieldsPerEvent+1, one)...), "x", false},
		{"a name of 128 bytes", name(abi.MaxNameBytes), "x", true},
		{"a name of 129 bytes", name(abi.MaxNameBytes + 1), "x", false},
		{"a value of 128 KiB", of(1, raw(value)), long, true},
		{"a value of 128 KiB and a byte", of(1, raw(value+1)), long, false},
		{"an event with 1 MiB of texts", of(1, whole...), long, true},
		{"an event with 1 MiB of texts and a byte", of(1, append(whole, raw(1))...), long, false},
		{"65 events with 1 MiB of texts each", of(65, whole...), long, false},
		{"a message of 1,024 bytes", message(abi.MaxMessageBytes), "x", true},
		{"a message of 1,025 bytes", message(abi.MaxMessageBytes + 1), "x", false},
	} {
		m, err := r.answers(ctx, kindParser, c.batch.encode())
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		a, err := r.call(ctx, m, records(c.record))
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		if c.ok && (len(a.Poison) > 0 || len(a.Events) != len(c.batch.events)) {
			return fmt.Errorf("%s: refused: %s", c.what, clip(text(a.Poison)))
		}
		if !c.ok {
			if err := allRefused(a, 1); err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
		}
	}
	return r.disorder(ctx)
}

// disorder requires that events stand in the order of their records.
func (r *run) disorder(ctx context.Context) error {
	one := []madeField{{name: 1, kind: byte(abi.Uint)}}
	batch := madeEvents{outcomes: []byte{0, 0}, events: []madeEvent{{record: 1, fields: one}, {record: 0, fields: one}}}
	m, err := r.answers(ctx, kindParser, batch.encode())
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, records("x", "y"))
	if err == nil {
		err = allRefused(a, 2)
	}
	if err != nil {
		return fmt.Errorf("events out of order: %w", err)
	}
	return nil
}

// strange requires that what is unusual, but allowed, arrives as it is.
func strange(ctx context.Context, r *run) error {
	odd := "\x00\xff\xfe\x1b]0;x\x07\u202e\ufeff"
	text2 := madeField{name: 1, kind: byte(abi.InArena), bits: span(0, uint64(len(odd)))}
	batch := madeEvents{outcomes: []byte{0}, arena: []byte(odd), events: []madeEvent{
		{time: math.MaxInt64, fields: []madeField{text2, text2, {name: 2, kind: byte(abi.Time), bits: 1 << 63}}}, {time: -1, fields: []madeField{text2}},
	}}
	m, err := r.answers(ctx, kindParser, batch.encode())
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, records("x"))
	if err != nil {
		return err
	}
	if len(a.Poison) > 0 || len(a.Events) != 2 || len(a.Events[0].Fields) != 3 || a.Events[0].Time == nil || *a.Events[0].Time != math.MaxInt64 {
		return fmt.Errorf("it is not taken as it is: %s", clip(text(a)))
	}
	for _, f := range []protocol.Field{a.Events[0].Fields[0], a.Events[0].Fields[1], a.Events[1].Fields[0]} {
		if string(f.Text) != odd {
			return fmt.Errorf("a value arrives as %x, want %x", []byte(f.Text), odd)
		}
	}
	return nil
}
