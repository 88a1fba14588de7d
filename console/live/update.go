package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// update sends what is pending, as far as the credit goes. What is left waits for more credit and is coalesced.
func (c *conn) update(ctx context.Context) error {
	if !c.pending() {
		return nil
	}
	for _, t := range slices.Sorted(maps.Keys(c.views)) {
		v := c.views[t]
		for v.snapshot || v.dirty {
			if c.credit == 0 {
				v.starved = true
				break
			}
			step := c.sendChanges
			if v.snapshot {
				step = c.sendPage
			}
			if err := step(ctx, t, v); err != nil {
				return err
			}
			c.last = time.Now()
		}
	}
	return nil
}

// sendPage sends one page of a snapshot. The cursor is read before the first page, so that whatever changes while the
// pages are read is sent again as a change.
func (c *conn) sendPage(ctx context.Context, t uint32, v *view) (err error) {
	first := !v.begun
	if first {
		if v.next, err = c.hub.cfg.Feed.LastCursor(ctx, t); err != nil {
			return fmt.Errorf("snapshot of organization %d: %w", t, err)
		}
		v.begun, v.page, v.sent = true, "", 0
	}
	list, next, err := c.hub.cfg.Feed.List(ctx, t, v.page, MaxFrameIncidents)
	if err != nil {
		return fmt.Errorf("snapshot of organization %d: %w", t, err)
	}
	v.page, v.sent = next, v.sent+len(list)
	frame := &v1.Changes{Tenant: t, Incidents: list, Snapshot: first, Gap: first && v.gap, Cursor: v.next, More: true}
	if next == "" || v.sent >= MaxSnapshotIncidents {
		frame.More = false
		*v = view{cursor: v.next, dirty: true}
	}
	return c.send(&v1.LiveFrame{Kind: &v1.LiveFrame_Changes{Changes: frame}})
}

// sendChanges sends the next changes of an organization, if there are any.
func (c *conn) sendChanges(ctx context.Context, t uint32, v *view) error {
	ch, err := c.hub.cfg.Feed.Changes(ctx, t, v.cursor, MaxFrameIncidents)
	if err != nil {
		return fmt.Errorf("changes of organization %d: %w", t, err)
	}
	if ch.Gap {
		*v = view{snapshot: true, gap: true}
		return nil
	}
	v.dirty = len(ch.Incidents) == MaxFrameIncidents
	if len(ch.Incidents) == 0 {
		return nil
	}
	frame := &v1.Changes{Tenant: t, Incidents: ch.Incidents, Cursor: ch.Next}
	if v.starved {
		// Cursors are given one by one, so those without an incident of their own were folded into later ones.
		frame.Missed = ch.Next - v.cursor - uint64(len(ch.Incidents))
	}
	v.starved = v.starved && v.dirty
	v.cursor = ch.Next
	return c.send(&v1.LiveFrame{Kind: &v1.LiveFrame_Changes{Changes: frame}})
}
