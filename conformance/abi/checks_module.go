package conform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Sizes of the batches that a module is tried with.
const (
	maxSamples     = 64
	maxSampleBytes = 1000 // so that 1,024 fit into one batch
	mixed          = 600  // samples that were cut, changed and joined

	maxCellBytes = 12_000 // of all cells that are long in one row, so that 1,024 rows fit into one batch
)

// samplesOf returns the records of a package's own cases.
func samplesOf(p *manifest.Package) []string {
	var out []string
	for _, v := range p.Vectors {
		for _, f := range txtar.Parse(v.Data).Files {
			if f.Name != "input" {
				continue
			}
			for line := range bytes.Lines(f.Data) {
				if line = bytes.TrimSuffix(line, []byte("\n")); len(line) <= maxSampleBytes && len(out) < maxSamples {
					out = append(out, string(line))
				}
			}
		}
	}
	return append(out, "", "x", `<34>1 2024-03-01T12:00:00Z host app 1 - - user=root src=192.0.2.1`)
}

// cells are values that a rule's columns may hold, nil among them.
var cells = []protocol.Bytes{
	nil,
	{},
	protocol.Bytes("root"), protocol.Bytes("192.0.2.1"), protocol.Bytes("-1"), protocol.Bytes("18446744073709551615"), protocol.Bytes(`["a","b"]`),
	protocol.Bytes("powershell.exe -enc SQBFAFgA"), protocol.Bytes("\x00\x1b[2J\u202e"), protocol.Bytes(strings.Repeat("ä", 2000)), protocol.Bytes(`["`),
}

// batch makes a batch of the module's kind of n records or rows; at says which sample stands where.
func (s *subject) batch(n int, at func(i int) int) protocol.Call {
	c := protocol.Call{Seq: logSeq, At: logTime}
	for i := range n {
		k := at(i)
		switch s.m.Kind {
		case manifest.Parser:
			c.Records = append(c.Records, records(s.samples[k%len(s.samples)]).Records...)
		case manifest.Rule:
			row := protocol.Row{Time: logTime + int64(k)}
			for col := range s.m.Reads {
				cell := cells[(k+col*k/len(cells)+col)%len(cells)]
				row.Cells = append(row.Cells, cell[:min(len(cell), maxCellBytes/len(s.m.Reads)&^1)])
			}
			c.Rows = append(c.Rows, row)
		}
	}
	c.Columns = len(s.m.Reads)
	return c
}

func inOrder(i int) int { return i }

func empty(ctx context.Context, s *subject) error {
	a, err := s.hand(ctx, "no records", s.batch(0, inOrder))
	if err == nil && s.m.Kind != manifest.Monitor && a != nil && (len(a.Outcomes) > 0 || len(a.Events) > 0 || len(a.Findings) > 0) {
		err = fmt.Errorf("it makes something of nothing: %s", clip(text(a)))
	}
	return err
}

func anyBytes(ctx context.Context, s *subject) error {
	switch s.m.Kind {
	case manifest.Rule:
		_, err := s.hand(ctx, "odd values", s.batch(len(cells)*len(cells), inOrder))
		return err
	case manifest.Monitor:
		for _, cursor := range []string{"", "\x00", "{", `{"a":1}`, "\xff\xfe", strings.Repeat("9", 4096)} {
			if _, err := s.hand(ctx, fmt.Sprintf("the cursor %q", clip(cursor)), protocol.Call{Cursor: protocol.Bytes(cursor)}); err != nil {
				return err
			}
		}
		return nil
	}
	var bytes256 []string
	for b := range 256 {
		bytes256 = append(bytes256, string([]byte{byte(b)}))
	}
	odd := []string{
		"\xff\xfe\xfd", "\x00\x00\x00", "\x1b[2J\x07", "\u202eabc", "é\xc3", "<", "<0>", "{", `{"a":`, "[[[[", `"`, "=", "==", `a="`, "CEF:0|", "LEEF:2.0|",
		strings.Repeat("(", 900),
	}
	for _, b := range []struct {
		what  string
		lines []string
	}{{"one byte each", bytes256}, {"odd texts", odd}, {"mixed samples", s.mixed(mixed)}} {
		if _, err := s.hand(ctx, b.what, records(b.lines...)); err != nil {
			return err
		}
	}
	return nil
}

// mixed returns samples that were cut, changed and joined, the same in every run.
func (s *subject) mixed(n int) []string {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same records in every run
	any1 := func() string { return s.samples[random.IntN(len(s.samples))] }
	out := make([]string, n)
	for i := range out {
		b := []byte(any1())
		switch random.IntN(4) {
		case 0:
			b = b[:random.IntN(len(b)+1)]
		case 1:
			b = b[random.IntN(len(b)+1):]
		case 2:
			b = append(b[:random.IntN(len(b)+1)], any1()...)
		}
		for k := random.IntN(4); k > 0 && len(b) > 0; k-- {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		out[i] = string(b[:min(len(b), maxSampleBytes)])
	}
	return out
}

func many(ctx context.Context, s *subject) error {
	if s.m.Kind == manifest.Monitor {
		return notApplicable("it takes no batches")
	}
	_, err := s.hand(ctx, "1,024 records", s.batch(abi.MaxRecordsPerBatch, inOrder))
	return err
}

// longestPhase is what the longest records are remembered under.
const longestPhase = "longest: "

func longest(ctx context.Context, s *subject) error {
	if s.m.Kind != manifest.Parser {
		return notApplicable("it takes no records")
	}
	s.phase = longestPhase
	defer func() { s.phase = "" }()
	heads := []string{""}
	if s.samples[0] != "" { // a sample's head makes a parser take the record for one of its own
		heads = append(heads, s.samples[0])
	}
	for _, t := range []string{"x", " ", "=", `"`, `\`, "a=b ", `k="v" `, `{"a":`, "[", ",", "|", "<a>", "\n", "\xff", "1", s.samples[len(s.samples)-1]} {
		for _, head := range heads {
			c := records(repeat(head+strings.Repeat(t, 1+(abi.MaxRecordBytes-len(head))/len(t)), abi.MaxRecordBytes))
			if _, err := s.hand(ctx, fmt.Sprintf("1 MiB of %q behind %d bytes of a sample", clip(t), len(head)), c); err != nil {
				return err
			}
		}
	}
	return nil
}

func refusedTargets(ctx context.Context, s *subject) error {
	if s.m.Kind != manifest.Monitor {
		return notApplicable("it is no monitor")
	}
	if _, err := s.hand(ctx, "no target is granted", protocol.Call{}); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("an address that nobody listens at: %w", err)
	}
	nobody := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		return fmt.Errorf("an address that nobody listens at: %w", err)
	}
	load := s.load
	for _, c := range s.m.Capabilities {
		for _, t := range c.Targets {
			load.Targets = append(load.Targets, protocol.Target{Name: t.Name, URL: nobody, Private: true})
		}
	}
	name, reply, err := s.run.load(ctx, s.m.Name, load)
	if err == nil {
		err = failed("load with targets", reply)
	}
	if err != nil {
		return err
	}
	whole := s.module
	s.module = name
	defer func() { s.module = whole }()
	_, err = s.hand(ctx, "nobody answers", protocol.Call{})
	return err
}

// again loads the module once more.
func again(ctx context.Context, s *subject) error {
	c := s.batch(len(s.samples), inOrder)
	first, err := s.hand(ctx, "samples", c)
	if err != nil || first == nil {
		return err
	}
	name, reply, err := s.run.load(ctx, s.m.Name, s.load)
	if err == nil {
		err = failed("load again", reply)
	}
	if err != nil {
		return err
	}
	whole := s.module
	s.module = name
	defer func() { s.module = whole }()
	second, err := s.hand(ctx, "samples", c)
	if err != nil {
		return err
	}
	if err := s.close(ctx, name); err != nil {
		return err
	}
	return same(first, second)
}

// same requires equal answers for equal fuel. Log lines have a rate of their own.
func same(a, b *protocol.Answer) error {
	if b == nil {
		return errors.New("the second time it fails")
	}
	x, y := *a, *b
	x.Log, y.Log = nil, nil
	if text(x) != text(y) {
		return fmt.Errorf("%d fuel, then %d; %s, then %s", x.Fuel, y.Fuel, clip(text(x)), clip(text(y)))
	}
	return nil
}

func settings(ctx context.Context, s *subject) error {
	for _, odd := range []string{"null", "[]", `"`, "{", `{"a":{"b":[1e999,-0,"\ud800"]}}`, strings.Repeat("[", 10_000), "\x00\xff", `{"` + strings.Repeat("k", 50_000) + `":1}`} {
		l := s.load
		l.Settings = protocol.Bytes(odd)
		name, reply, err := s.run.load(ctx, s.m.Name, l)
		if err != nil {
			return err
		}
		switch reply.Code {
		case "":
			if err := s.close(ctx, name); err != nil {
				return err
			}
		case "E_SETTINGS":
		default:
			return fmt.Errorf("with the settings %q: %s %s", clip(odd), reply.Code, clip(reply.Detail))
		}
	}
	return nil
}

func twice(ctx context.Context, s *subject) error {
	for _, n := range []int{1, len(s.samples), 5} {
		c := s.batch(n, inOrder)
		first, err := s.hand(ctx, "samples", c)
		if err != nil || first == nil {
			return err
		}
		// What runs between must leave no trace.
		if _, err := s.hand(ctx, "one record", s.batch(1, func(int) int { return 1 })); err != nil {
			return err
		}
		second, err := s.hand(ctx, "samples", c)
		if err != nil {
			return err
		}
		if err := same(first, second); err != nil {
			return err
		}
	}
	return nil
}

// verdicts returns what an answer says of each record, whatever its place.
func verdicts(a *protocol.Answer, n int) []string {
	out := make([]string, n)
	for i, o := range a.Outcomes {
		out[i] = text(o)
	}
	for _, e := range a.Events {
		i := e.Record
		e.Record = 0
		out[i] += text(e)
	}
	for _, f := range a.Findings {
		i := f.Row
		f.Row = 0
		out[i] += text(f)
	}
	return out
}

func permuted(ctx context.Context, s *subject) error {
	if s.m.Kind != manifest.Parser {
		return notApplicable("the text asks this of parsers")
	}
	n := len(s.samples)
	straight, err := s.hand(ctx, "samples", s.batch(n, inOrder))
	if err != nil || straight == nil {
		return err
	}
	want := verdicts(straight, n)
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // the same order in every run
	for range 3 {
		order := random.Perm(n)
		a, err := s.hand(ctx, "samples in another order", s.batch(n, func(i int) int { return order[i] }))
		if err != nil || a == nil {
			return err
		}
		for i, got := range verdicts(a, n) {
			if got != want[order[i]] {
				return fmt.Errorf("%q: %s at place %d, %s at place %d", clip(s.samples[order[i]]), clip(got), i, clip(want[order[i]]), order[i])
			}
		}
	}
	return nil
}

func single(ctx context.Context, s *subject) error {
	if s.m.Kind != manifest.Parser {
		return notApplicable("the text asks this of parsers")
	}
	n := len(s.samples)
	together, err := s.hand(ctx, "samples", s.batch(n, inOrder))
	if err != nil || together == nil {
		return err
	}
	want := verdicts(together, n)
	for i := range n {
		a, err := s.hand(ctx, "one sample", s.batch(1, func(int) int { return i }))
		if err != nil || a == nil {
			return err
		}
		if got := verdicts(a, 1)[0]; got != want[i] {
			return fmt.Errorf("%q: %s alone, %s beside others", clip(s.samples[i]), clip(got), clip(want[i]))
		}
	}
	return nil
}
