package host

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// history gives rules that begin anew the events of the log store. It holds those of one organization in memory, up to
// maxLookBackBytes of their texts, since the store gives the newest first.
type history struct{ store *logs.Store }

// Before implements pipeline.History.
func (h history) Before(ctx context.Context, t storage.Tenant, seq uint64, from, to time.Time, limit int, f func([]storage.Event) error) error {
	if err := h.store.Flush(ctx); err != nil { // what was appended just now is among them
		return err
	}
	var events []storage.Event
	bytes, full := 0, errors.New("enough")
	reader := storage.Principal{User: byVedette, Role: storage.RoleReadOnly, Tenants: []storage.Tenant{t}}
	_, err := h.store.Search(ctx, reader, logs.Query{From: from, To: to, Limit: limit}, func(rows []logs.Row) error {
		for i := range rows {
			e, err := rows[i].Event()
			if err != nil {
				return err
			}
			if e.ID.Seq >= seq { // a start reads the log again: it was stored by the run before
				continue
			}
			if bytes += textBytes(&e); bytes > maxLookBackBytes {
				return full
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil && !errors.Is(err, full) {
		return err
	}
	slices.SortFunc(events, func(a, b storage.Event) int {
		switch {
		case a.ID.Less(b.ID):
			return -1
		case b.ID.Less(a.ID):
			return 1
		}
		return 0
	})
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].ID.Seq == events[0].ID.Seq {
			n++
		}
		if err := f(events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

func textBytes(e *storage.Event) int {
	n := len(e.Raw)
	for _, f := range e.Fields {
		n += len(f.Name) + len(f.Value)
	}
	return n
}
