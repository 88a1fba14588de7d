package conform

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// HostConfig says which host is tried, and how.
type HostConfig struct {
	Start    Start          // called again when the host has not answered
	Patience time.Duration  // for one answer; 0: 20 s
	Only     *regexp.Regexp // of ids; nil: all. A report of some requirements has no level
	Each     func(Result)   // called after each requirement; may be nil
}

// Hosts hands the reference guests to a host. The error says why there is no report; what the host does wrong is in it.
func Hosts(ctx context.Context, cfg HostConfig) (*Report, error) {
	all, err := HostRequirements()
	if err != nil {
		return nil, err
	}
	r := &run{start: cfg.Start, wait: cfg.Patience}
	defer r.abandon()
	if err := r.begin(ctx); err != nil {
		return nil, fmt.Errorf("start the host: %w", err)
	}
	rep := &Report{Suite: Version, Subject: Subject{Kind: "host", Name: r.hello.Host, Version: r.hello.Version}, Host: r.hello, Partial: cfg.Only != nil}
	for i := range all {
		q := &all[i]
		if cfg.Only != nil && !cfg.Only.MatchString(q.ID) {
			continue
		}
		res := r.try(ctx, q)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("conformance of the host: %w", ctx.Err())
		}
		rep.add(res)
		if cfg.Each != nil {
			cfg.Each(res)
		}
	}
	rep.decide()
	return rep, nil
}

// try tries one requirement on a host that is there, and leaves one that is.
func (r *run) try(ctx context.Context, q *Requirement) (res Result) {
	res = Result{ID: q.ID, Level: q.Level(), Clauses: q.Clauses, Text: q.Text, Status: Pass}
	began := time.Now()
	err := r.begin(ctx)
	switch {
	case err != nil:
		err = fmt.Errorf("start the host anew: %w", err)
	case q.Needs != "" && !oneOf(r.hello.Capabilities, q.Needs):
		res.Status, res.Detail = NotApplicable, "the host does not offer "+q.Needs
		return res
	case q.Refuse != nil:
		err = r.refuse(ctx, q.Refuse)
	case q.Wild != nil:
		err = r.wild(ctx, q.Wild)
	case q.Steps != nil:
		err = r.steps(ctx, q.Steps)
	default:
		err = hostChecks[q.Check](ctx, r)
	}
	r.end(ctx)
	if err != nil {
		res.Status, res.Detail = Fail, err.Error()
	}
	res.Cases, res.Took = r.tried, time.Since(began)
	return res
}

// refuse requires that each guest is refused, and that the host goes on.
func (r *run) refuse(ctx context.Context, q *refuse) error {
	for _, guest := range q.Guests.all() {
		l := protocol.Load{Kind: q.Kind}
		_, reply, err := r.guest(ctx, guest, l)
		if err != nil {
			return err
		}
		if !oneOf(q.Codes, reply.Code) {
			return fmt.Errorf("%s: the host says %q %s, want %s", guest, reply.Code, clip(reply.Detail), strings.Join(q.Codes, " or "))
		}
		for _, name := range q.Names {
			if !strings.Contains(reply.Detail, name) {
				return fmt.Errorf("%s: %s does not name %s: %s", guest, reply.Code, name, clip(reply.Detail))
			}
		}
	}
	return r.goesOn(ctx)
}

// goesOn requires that the host loads and runs a module that does nothing wrong.
func (r *run) goesOn(ctx context.Context) error {
	calm, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	return r.says(ctx, calm, "A", "x")
}

// wild requires of each guest that it works, fails as it must on a marked record, for the same fuel each time and
// within its budget, and works again, as does another module.
func (r *run) wild(ctx context.Context, q *wild) error {
	calm, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	fuel := q.Fuel
	if fuel == 0 {
		fuel = wildFuel
	}
	for _, guest := range q.Guests.all() {
		m, err := r.loaded(ctx, guest, protocol.Load{Limits: limits(fuel, fuelEach, fuelByte)})
		if err != nil {
			return err
		}
		if err := r.goWild(ctx, m, fuel, q.Codes); err != nil {
			return err
		}
		if err := r.says(ctx, calm, "A", "x"); err != nil {
			return fmt.Errorf("after %s: %w", guest, err)
		}
	}
	return nil
}

func (r *run) goWild(ctx context.Context, m string, fuel uint64, codes []string) error {
	if err := r.says(ctx, m, "A", "fine"); err != nil {
		return err
	}
	batch := records("fine", "!", "fine too")
	most := budget(limits(fuel, fuelEach, fuelByte), &batch)
	var first *protocol.Answer
	for range 2 {
		a, err := r.call(ctx, m, batch)
		if err != nil {
			return err
		}
		if err := failsAlone(a, 1, codes); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
		if p := &a.Poison[0]; p.Fuel == 0 || p.Fuel > most+most/10+overrun || a.Fuel > 2*most+overrun {
			return fmt.Errorf("%s: consumed %d, %d in all, of a budget of %d", m, p.Fuel, a.Fuel, most)
		}
		a.Log = nil // by the host's rate
		if first == nil {
			first = a
		} else if text(a) != text(first) {
			return fmt.Errorf("%s: not the same twice: %s, then %s", m, clip(text(first)), clip(text(a)))
		}
		if err := r.says(ctx, m, "A", "fine"); err != nil {
			return fmt.Errorf("afterwards: %w", err)
		}
	}
	return nil
}

// failsAlone requires that exactly record k is poison, with one of the codes, and the others have their outcome.
func failsAlone(a *protocol.Answer, k int, codes []string) error {
	if len(a.Poison) != 1 || a.Poison[0].Record != k {
		return fmt.Errorf("poison is %s, want record %d alone", clip(text(a.Poison)), k)
	}
	if !oneOf(codes, a.Poison[0].Code) {
		return fmt.Errorf("it ends with %s %s, want %s", a.Poison[0].Code, clip(a.Poison[0].Detail), strings.Join(codes, " or "))
	}
	for i, o := range a.Outcomes {
		if i != k && (o.Poison || o.Message != "A") {
			return fmt.Errorf("record %d has outcome %s", i, text(o))
		}
	}
	return nil
}

func (r *run) steps(ctx context.Context, steps []step) error {
	module := ""
	for i, s := range steps {
		var err error
		switch {
		case s.Load != nil:
			module, err = r.loaded(ctx, s.Load.Guest, protocol.Load{Settings: protocol.Bytes(s.Load.Settings)})
		case s.Call != nil:
			err = r.says(ctx, module, s.Call.Says, s.Call.Records...)
		default:
			err = errors.New("a step without an action")
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}
