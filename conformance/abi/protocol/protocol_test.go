package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers a call with its records, a close with an error of the host.
type echo struct{}

func (echo) Do(_ context.Context, q Request) (Reply, error) {
	switch {
	case q.Op == OpClose:
		return Reply{}, errors.New("it is on fire")
	case q.Call != nil:
		a := &Answer{}
		for _, r := range q.Call.Records {
			a.Records = append(a.Records, r.Raw)
		}
		return Reply{Answer: a}, nil
	}
	return Reply{Code: CodeRequest}, nil
}

func (echo) Shutdown() error { return nil }

// connect returns a client of a server of h, and what the server ended with.
func connect(t *testing.T, h Host) (*Client, <-chan error) {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Serve(t.Context(), h, inR, outW)
		outW.Close()
		ended <- err
	}()
	return NewClient(inW, outR, func() error { return nil }), ended
}

// TestConcurrent: replies find their requests, whatever their order.
func TestConcurrent(t *testing.T) {
	c, ended := connect(t, echo{})
	var wg sync.WaitGroup
	for g := range 4 * concurrent {
		wg.Go(func() {
			raw := Bytes(strings.Repeat("x", g*1000))
			r, err := c.Do(t.Context(), Request{Op: OpCall, Call: &Call{Records: []Record{{Raw: raw}}}})
			if err != nil || r.Answer == nil || !bytes.Equal(r.Answer.Records[0], raw) {
				t.Errorf("%d bytes: %v %+v", len(raw), err, r)
			}
		})
	}
	wg.Wait()
	if r, err := c.Do(t.Context(), Request{Op: OpClose}); err != nil || r.Code != CodeHost || r.Detail != "it is on fire" {
		t.Errorf("an error of the host: %v %+v", err, r)
	}
	if err := c.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := c.Do(t.Context(), Request{Op: OpHello}); err == nil {
		t.Error("a host that has ended answers")
	}
}

// TestServeRefuses: what is no request is answered as such, and the next is served.
func TestServeRefuses(t *testing.T) {
	in := strings.Join([]string{
		`{"id":1,"op":"call","call":{"records":[{"raw":"zz"}]}}`, `nonsense`, ``, `{"id":3,"op":"load","unknown":1}`, `[]`,
		`{"id":4,"op":"call","call":{"records":[{"raw":"6f6b"}]}}`,
	}, "\n")
	var out bytes.Buffer
	if err := Serve(t.Context(), echo{}, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	for line := range strings.Lines(out.String()) {
		var r Reply
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		codes[r.Code]++
		if r.ID == 4 && (r.Answer == nil || string(r.Answer.Records[0]) != "ok") {
			t.Errorf("%+v", r)
		}
	}
	if codes[CodeRequest] != 5 || codes[""] != 1 {
		t.Errorf("codes %v\n%s", codes, out.String())
	}
}

// TestLongLine: a line one byte over the limit ends the connection.
func TestLongLine(t *testing.T) {
	long := io.MultiReader(strings.NewReader(strings.Repeat("x", MaxLineBytes)), strings.NewReader("y\n"))
	if err := Serve(t.Context(), echo{}, long, io.Discard); !errors.Is(err, errLine) {
		t.Errorf("got %v", err)
	}
	fits := io.MultiReader(strings.NewReader(strings.Repeat("x", MaxLineBytes-1)), strings.NewReader("\n"))
	if err := Serve(t.Context(), echo{}, fits, io.Discard); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestStrangeReplies: a host that answers what nobody asked, or nonsense, is gone.
func TestStrangeReplies(t *testing.T) {
	for _, reply := range []string{`{"id":99}`, `{"id":1,"what":2}`, "nonsense", ""} {
		inR, inW := io.Pipe()
		go func() { _, _ = io.Copy(io.Discard, inR) }()
		outR, outW := io.Pipe()
		c := NewClient(inW, outR, func() error { return outW.Close() })
		go func() {
			_, _ = outW.Write([]byte(reply + "\n"))
			outW.Close()
		}()
		if r, err := c.Do(t.Context(), Request{Op: OpHello}); err == nil {
			t.Errorf("%q is taken: %+v", reply, r)
		}
		if err := c.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start(t.Context(), io.Discard, "/no/such/program"); err == nil {
		t.Error("it starts")
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"id":1,"op":"call","module":"a","call":{"seq":1,"at":-1,"records":[{"raw":"00"}],"rows":[{"cells":[null,"00"]}],"cursor":"00"}}`))
	f.Add([]byte(`{"id":1,"op":"load","load":{"kind":"rule","wasm":"0061","targets":[{"name":"a","header":{"a":"b"}}],"limits":{"memory_pages":1}}}`))
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := Serve(t.Context(), echo{}, bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			var r Reply
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"answer":{"events":[{"time":5,"fields":[{"name":"kv.a","type":1,"text":"00","source":[1,2]},{"name":3,"type":4,"bits":7}]}]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r, again Reply
		if json.Unmarshal(in, &r) != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
