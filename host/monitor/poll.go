package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// poll polls once and puts what was found into the queue. When the records could not be put, cursor and texts stay what
// they were, so that the next poll finds them again.
func (s *Scheduler) poll(ctx context.Context, j *job) {
	began := s.cfg.Now()
	s.mu.Lock()
	state := meta.Poll{Tenant: j.tenant, Watch: j.key.watch, Module: j.watch.Module}
	if old := s.states[j.key]; old != nil {
		state = *old
	}
	s.mu.Unlock()
	if state.Module != j.watch.Module { // the cursor of another monitor
		state.Module, state.Cursor = j.watch.Module, nil
	}
	var found *runtime.Polled
	var pull *pull
	err := s.resting(j, began)
	if err == nil {
		found, pull, err = s.ask(ctx, j, began, state.Cursor)
	}
	if ctx.Err() != nil {
		return
	}
	state.Polls++
	state.Last, state.Took = began.UnixNano(), s.cfg.Now().Sub(began).Nanoseconds()
	if err == nil {
		err = s.keep(ctx, j, began, found.Records, pull)
	}
	if err == nil {
		state.Good, state.Streak, state.Error = state.Last, 0, ""
		state.Cursor = append([]byte(nil), found.Cursor...)
	} else if ctx.Err() == nil {
		state.Failures++
		state.Streak++
		state.Error = err.Error()
		if e := s.put(ctx, j, began, [][]byte{failure(j, began, &state, err)}); e != nil && ctx.Err() == nil {
			s.cfg.Report("a monitor's failure could not be kept", "organization", j.tenant, "watch", j.key.watch, "error", e, "failure", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !j.ended {
		s.states[j.key], s.dirty[j.key] = &state, true
	}
}

// resting is why a module is not polled at a time: it has used up its organization's quota.
func (s *Scheduler) resting(j *job, at time.Time) error {
	if why := s.cfg.Generations.Generation().Running.Resting(j.tenant, j.watch.Module, at.UnixNano()); why != "" {
		return fmt.Errorf("it is not polled: %s: %w", why, storage.ErrExhausted)
	}
	return nil
}

// ask polls the module. What it may reach is looked up anew, so that a device or credential that was changed is what is
// asked from then on.
func (s *Scheduler) ask(ctx context.Context, j *job, at time.Time, cursor []byte) (*runtime.Polled, *pull, error) {
	m, give, err := s.codes.take(ctx, j)
	if err != nil {
		return nil, nil, err
	}
	defer give()
	p := &pull{scheduler: s, tenant: j.tenant, at: at.UnixNano(), texts: texts.New(kept{s.cfg.Store, j.tenant})}
	targets, err := s.targets(ctx, j, p)
	if err != nil {
		return nil, p, err
	}
	timed, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	var found runtime.Polled
	err = m.Code.Poll(timed, abi.EncodePollOf(nil, 0, at.UnixNano(), cursor, j.device()), &found, targets...)
	if s.cfg.Used != nil {
		s.cfg.Used(j.tenant, j.watch.Module, j.shared, &found)
	}
	if err == nil && len(found.Cursor) > MaxCursorBytes {
		err = &runtime.Trap{
			Code: runtime.CodeLimit, Module: m.Install.Digest, Fuel: found.Fuel,
			Detail: fmt.Sprintf("a cursor of %d bytes, at most %d are kept", len(found.Cursor), MaxCursorBytes),
		}
	}
	return &found, p, err
}

// device is what a job polls, for people.
func (j *job) device() string {
	if len(j.watch.Targets) == 0 {
		return ""
	}
	return j.watch.Targets[0].Device
}

// keep makes records safe, and then the texts that they tell of.
func (s *Scheduler) keep(ctx context.Context, j *job, at time.Time, records [][]byte, p *pull) error {
	if err := s.put(ctx, j, at, records); err != nil {
		s.cfg.Report("the records of a poll were refused", "organization", j.tenant, "watch", j.key.watch, "error", err)
		return err
	}
	return p.commit(context.WithoutCancel(ctx)) // or a host that ends now would tell the same again
}

func (s *Scheduler) put(ctx context.Context, j *job, at time.Time, records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	raws := make([]queue.Raw, 0, len(records))
	for _, r := range records {
		raw := queue.Raw{Bytes: r, Received: at.UnixNano()}
		if len(r) > queue.MaxRecordBytes {
			raw.Bytes, raw.Flags = r[:queue.MaxRecordBytes], queue.FlagTruncated
		}
		raws = append(raws, raw)
	}
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	_, name, _ := strings.Cut(j.watch.Module, "/")
	return s.cfg.Sink.Put(ctx, j.tenant, queue.Source{Listener: "monitor:" + name, Peer: peer(j.device())}, raws)
}

// peer makes a device's name a part of a source, which has no blanks in it.
func peer(device string) string { return strings.ReplaceAll(device, " ", "_") }

// CodeOf is the stable code of why a poll failed.
func CodeOf(err error) string {
	var trap *runtime.Trap
	switch {
	case errors.As(err, &trap):
		for _, told := range []string{runtime.CodeDenied, runtime.CodeHostIO} { // the module has passed on what the host said
			if strings.HasPrefix(trap.Detail, told+": ") {
				return told
			}
		}
		return trap.Code
	case errors.Is(err, runtime.ErrStalled), errors.Is(err, context.DeadlineExceeded):
		return "E_DEADLINE"
	case errors.Is(err, runtime.ErrDenied):
		return runtime.CodeDenied
	}
	return runtime.CodeHostIO
}

// failure is the record of a poll that failed.
func failure(j *job, at time.Time, state *meta.Poll, err error) []byte {
	doc := map[string]any{
		"@timestamp": at.UTC().Format(time.RFC3339Nano), "event.kind": "event", "event.dataset": "vedette.monitor",
		"event.outcome": "failure", "event.action": "poll_failed", "event.provider": j.watch.Module, "event.sequence": state.Streak,
		"error.code": CodeOf(err), "error.message": err.Error(), "labels.watch": j.key.watch,
		"message": fmt.Sprintf("%s could not poll %s (%d in a row): %v", j.watch.Module, j.device(), state.Streak, err),
	}
	if name := j.device(); name != "" {
		doc["host.name"] = name
	}
	b, e := json.Marshal(doc)
	if e != nil {
		return []byte(`{"event.dataset":"vedette.monitor","event.kind":"event","event.outcome":"failure"}`)
	}
	return b
}

// Tried is what a trial poll has found.
type Tried struct {
	Records  [][]byte
	Took     time.Duration
	Err      error                 // why it failed; the records are then none
	HostKeys []*probe.HostKeyError // keys that devices have shown and nobody has approved
	Texts    []meta.ConfigVersion  // that would be kept
}

// Limits of trials.
const (
	maxTries    = 4                // at once
	tryPatience = 10 * time.Second // for one to begin
)

// Try polls once, as a watch would, for somebody who waits: nothing of it is kept. The error says why it could not begin.
func (s *Scheduler) Try(ctx context.Context, t storage.Tenant, m *module.Loaded, w module.Watch) (Tried, error) {
	select {
	case s.tries <- struct{}{}:
		defer func() { <-s.tries }()
	case <-time.After(tryPatience):
		return Tried{}, fmt.Errorf("%d trials are running: %w", maxTries, storage.ErrUnavailable)
	case <-ctx.Done():
		return Tried{}, ctx.Err()
	}
	job := newJob(t, w, m)
	began := s.cfg.Now()
	found, p, err := s.ask(ctx, job, began, nil)
	if ctx.Err() != nil {
		return Tried{}, ctx.Err()
	}
	out := Tried{Took: s.cfg.Now().Sub(began), Err: err}
	if p != nil {
		out.HostKeys, out.Texts = p.keys, p.versions()
	}
	if err == nil {
		out.Records = found.Records
	}
	return out, nil
}
