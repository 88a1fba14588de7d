package host

import (
	"context"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/module"
)

// expireEvery is how often exceptions from rules are looked at whose time may be over.
const expireEvery = 10 * time.Second

// expireExceptions takes away the exceptions from rules whose time is over, until ctx ends. What it does stands in the
// log: whoever reads that again comes to the same without it.
func (h *Host) expireExceptions(ctx context.Context) {
	every := time.NewTicker(expireEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for _, c := range expired(h.pipeline.Generation().Running, h.pipeline.Positions().LogTime) {
			if err := h.Control(ctx, c); err != nil && ctx.Err() == nil {
				h.log.Warn("end an exception from a rule", "rule", c.Name, "organization", c.Tenant, "error", err)
			}
		}
	}
}

// expired returns what ends the exceptions of all organizations that are over at a log time, by organization and position.
func expired(r module.Running, now int64) (out []module.Control) {
	for _, t := range r.Tenants() {
		from := len(out)
		for id, list := range r.Layer(t).Exceptions {
			for _, x := range list {
				if x.Until != 0 && x.Until <= now {
					out = append(out, module.Control{Kind: module.RemoveException, Tenant: t, Who: byVedette, Name: id, To: x.Seq, Reason: "its time is over"})
				}
			}
		}
		slices.SortFunc(out[from:], func(a, b module.Control) int { return int(int64(a.To) - int64(b.To)) })
	}
	return out
}
