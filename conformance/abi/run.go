package conform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/guests"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Figures of the suite.
const (
	replyTime = 20 * time.Second // for one request, if nothing else was said; a host that takes longer has failed the requirement

	wildFuel = 6_000_000 // of a call of a hostile guest
	fuelEach = 100_000   // for each of its records
	fuelByte = 500       // for each byte of these

	// overrun is how much a call may consume beyond 1.1 times its budget: work between two checks of a meter, and one bulk
	// operation.
	overrun = 250_000

	logSeq  = 42
	logTime = int64(1_700_000_000_000_000_000)
)

// ErrStalled says that time ran out rather than fuel: the machine was too slow to tell anything about a module.
var ErrStalled = errors.New("the machine stood still")

// Start makes a host of its own for the suite, which shuts it down.
type Start func(ctx context.Context) (protocol.Host, error)

// run tries requirements on one host and starts it anew when it does not answer any more.
type run struct {
	start Start
	wait  time.Duration // for one request; 0: replyTime
	host  protocol.Host
	hello protocol.Hello

	loads int      // for names
	open  []string // modules of this requirement
	tried int      // cases of this requirement

	stalled error // wraps ErrStalled
}

// patience is how long the host may take for one request.
func (r *run) patience() time.Duration {
	if r.wait != 0 {
		return r.wait
	}
	return replyTime
}

// begin makes sure that there is a host.
func (r *run) begin(ctx context.Context) error {
	r.open, r.tried = nil, 0
	if r.host != nil {
		return nil
	}
	h, err := r.start(ctx)
	if err != nil {
		return err
	}
	r.host = h
	reply, err := r.do(ctx, protocol.Request{Op: protocol.OpHello})
	if err != nil {
		return err
	}
	if reply.Hello == nil || reply.Hello.Protocol != protocol.Version {
		return fmt.Errorf("the host does not speak version %d of the protocol: %s %s", protocol.Version, reply.Code, reply.Detail)
	}
	r.hello = *reply.Hello
	return nil
}

// end closes what a requirement has loaded. A host that does not do so is not used again.
func (r *run) end(ctx context.Context) {
	for _, name := range r.open {
		if r.host == nil {
			return
		}
		_, _ = r.do(ctx, protocol.Request{Op: protocol.OpClose, Module: name}) // a host that is gone is started anew
	}
}

// abandon ends a host that is in no known state.
func (r *run) abandon() {
	if r.host != nil {
		_ = r.host.Shutdown() // it has failed already
		r.host = nil
	}
}

// do sends one request. The error means that there was no answer: the host is gone after that.
func (r *run) do(ctx context.Context, q protocol.Request) (protocol.Reply, error) {
	host := r.host
	if host == nil {
		return protocol.Reply{}, errors.New("the host is gone")
	}
	limited, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	reply, err := host.Do(limited, q)
	switch {
	case ctx.Err() != nil:
		return reply, ctx.Err()
	case limited.Err() != nil && err != nil:
		err = fmt.Errorf("no answer to %s %s within %v: %w", q.Op, q.Module, r.patience(), ErrStalled)
		r.stalled = err
	case err != nil:
		err = fmt.Errorf("%s %s: %w", q.Op, q.Module, err)
	case reply.Code == "E_DEADLINE": // no verdict on the module (ABI 10)
		r.stalled = fmt.Errorf("%s %s: %w: %s", q.Op, q.Module, ErrStalled, clip(reply.Detail))
	}
	if err != nil {
		r.abandon()
	}
	return reply, err
}

// guest loads a guest and returns its name and the reply.
func (r *run) guest(ctx context.Context, guest string, l protocol.Load) (string, protocol.Reply, error) {
	wasm, err := guests.Wasm(guest)
	if err != nil {
		return "", protocol.Reply{}, err
	}
	l.Wasm = wasm
	return r.load(ctx, guest, l)
}

func (r *run) load(ctx context.Context, as string, l protocol.Load) (string, protocol.Reply, error) {
	r.loads++
	r.tried++
	if l.Kind == "" {
		l.Kind = kindParser
	}
	name := fmt.Sprintf("%s-%d", as, r.loads)
	reply, err := r.do(ctx, protocol.Request{Op: protocol.OpLoad, Module: name, Load: &l})
	if err == nil && reply.Code == "" {
		r.open = append(r.open, name)
	}
	return name, reply, err
}

// The kinds of modules in messages.
const (
	kindParser  = "parser"
	kindRule    = "rule"
	kindMonitor = "monitor"
)

// loaded loads a guest that must load.
func (r *run) loaded(ctx context.Context, guest string, l protocol.Load) (string, error) {
	name, reply, err := r.guest(ctx, guest, l)
	if err == nil {
		err = failed("load "+guest, reply)
	}
	return name, err
}

func failed(what string, reply protocol.Reply) error {
	if reply.Code == "" {
		return nil
	}
	return fmt.Errorf("%s: %s %s", what, reply.Code, clip(reply.Detail))
}

// call hands a batch over. A reply without an answer is an error.
func (r *run) call(ctx context.Context, module string, c protocol.Call) (*protocol.Answer, error) {
	reply, err := r.tell(ctx, module, c)
	if err != nil {
		return nil, err
	}
	if err := failed("call "+module, reply); err != nil {
		return nil, err
	}
	if reply.Answer == nil {
		return nil, fmt.Errorf("call %s: no answer in the reply", module)
	}
	return reply.Answer, nil
}

func (r *run) tell(ctx context.Context, module string, c protocol.Call) (protocol.Reply, error) {
	r.tried++
	if c.Seq == 0 {
		c.Seq = logSeq
	}
	if c.At == 0 {
		c.At = logTime
	}
	return r.do(ctx, protocol.Request{Op: protocol.OpCall, Module: module, Call: &c})
}

// records is a batch of texts.
func records(lines ...string) protocol.Call {
	c := protocol.Call{Seq: logSeq, At: logTime}
	for _, l := range lines {
		c.Records = append(c.Records, protocol.Record{Raw: protocol.Bytes(l), Source: protocol.Bytes("syslog 192.0.2.1:514"), Received: logTime})
	}
	return c
}

// says requires that every record has the outcome failed with this message.
func (r *run) says(ctx context.Context, module, want string, lines ...string) error {
	a, err := r.call(ctx, module, records(lines...))
	if err != nil {
		return err
	}
	return spoken(module, a, want, len(lines))
}

func spoken(module string, a *protocol.Answer, want string, n int) error {
	if len(a.Poison) > 0 {
		return fmt.Errorf("%s fails: %s %s", module, a.Poison[0].Code, clip(a.Poison[0].Detail))
	}
	if len(a.Outcomes) != n || len(a.Events) > 0 {
		return fmt.Errorf("%s: %d outcomes and %d events for %d records", module, len(a.Outcomes), len(a.Events), n)
	}
	for i, o := range a.Outcomes {
		if o.Outcome != int(abi.Failed) || o.Message != want {
			return fmt.Errorf("%s: record %d has outcome %d %q, want failed with %q", module, i, o.Outcome, clip(o.Message), clip(want))
		}
	}
	return nil
}

// oneOf reports whether a code is among those that are wanted; one that ends with "_" is a prefix.
func oneOf(codes []string, got string) bool {
	return slices.ContainsFunc(codes, func(c string) bool {
		return c == got || strings.HasSuffix(c, "_") && strings.HasPrefix(got, c)
	})
}

func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// text is what two answers are compared by.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// size is what a record adds to its batch, in bytes (ABI 4.2).
func size(rec *protocol.Record) uint64 {
	return uint64(abi.RecordSize + len(rec.Raw) + len(rec.Source))
}

// budget is the fuel that a batch may consume (ABI 9.3).
func budget(l protocol.Limits, c *protocol.Call) uint64 {
	sum := l.FuelPerCall
	for i := range c.Records {
		sum += l.FuelPerRecord + l.FuelPerByte*size(&c.Records[i])
	}
	return sum
}
