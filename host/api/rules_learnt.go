package api

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

// learner returns who asks for what a rule has learnt for one organization, if they may.
func (s ruleService) learner(ctx context.Context, h map[string][]string, action tenant.Action, on uint32, id string) (asked, error) {
	a, err := s.ask(ctx, h, action, on)
	if err == nil && a.tenant == storage.NoTenant {
		err = fmt.Errorf("what a rule has learnt: say for which organization: %w", storage.ErrInvalid)
	}
	if err == nil && a.Filter != "" {
		err = fmt.Errorf("user %s is limited to some events, and a rule learns from all: %w", a.User, storage.ErrForbidden)
	}
	if err == nil {
		_, err = s.find(ctx, a, id)
	}
	return a, err
}

func (s ruleService) ListLearnt(ctx context.Context, req *connect.Request[v1.ListLearntRequest]) (*connect.Response[v1.ListLearntResponse], error) {
	a, err := s.learner(ctx, req.Header(), tenant.ReadEvents, req.Msg.Tenant, req.Msg.Rule)
	if err != nil {
		return nil, err
	}
	list, total, err := s.cfg.Pipeline.Learnt(ctx, a.tenant, req.Msg.Rule, req.Msg.Text)
	if err != nil {
		return nil, err
	}
	out := &v1.ListLearntResponse{Total: uint64(total)}
	for i := range list {
		out.Learnt = append(out.Learnt, learntOf(&list[i]))
	}
	return connect.NewResponse(out), nil
}

func learntOf(x *correlate.Learnt) *v1.Learnt {
	out := &v1.Learnt{Key: map[string]string{}, Values: x.Values, ValueCount: uint64(x.ValueCount)}
	for _, f := range x.Key {
		out.Key[f.Name] = f.Value
	}
	if x.Since != 0 {
		out.Since, out.Newest = moment(x.Since), moment(x.Newest)
	}
	for _, s := range x.Slots {
		out.Slots = append(out.Slots, &v1.LearntSlot{Slot: slotName(s.Slots, s.Number), Mean: s.Mean, Deviation: s.Std, Samples: uint64(s.Samples)})
	}
	return out
}

// slotName is a slot as people call it: "13" is an hour of the day, "Mon 13" one of the week.
func slotName(s rule.Slots, n int) string {
	switch s {
	case rule.SlotHour:
		return fmt.Sprintf("%02d", n)
	case rule.SlotHourOfWeek:
		return fmt.Sprintf("%.3s %02d", time.Weekday(n/24%7), n%24)
	}
	return string(rule.NoSlots)
}

func (s ruleService) Relearn(ctx context.Context, req *connect.Request[v1.RelearnRequest]) (*connect.Response[v1.RelearnResponse], error) {
	m := req.Msg
	a, err := s.learner(ctx, req.Header(), tenant.ManageModules, m.Tenant, m.Rule)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Control.Control(ctx, module.Control{Kind: module.Relearn, Tenant: a.tenant, Who: a.User, Name: m.Rule, Key: m.Key}); err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RelearnResponse{}), nil
}
