package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// Stored is a record of the log store with what is known of how it was read.
type Stored struct {
	Tenant     storage.Tenant
	Record     queue.Record
	Parser     string // "publisher/name"
	Digest     string // its first twelve digits
	Generation uint64 // in force when it was read
}

// Reread is what a stored record's parser makes of it today.
type Reread struct {
	Parser string // "publisher/name 1.0.0"
	Digest string
	Tried  pipeline.Tried
	Note   string // why Tried is empty, or may differ from then; "" when neither
}

// Rereader parses stored records again with the version of the parser that read them. It may be called by many
// goroutines at once. A version that is gone is no error but a note; errors wrap storage.ErrExhausted when too many ask,
// or storage.ErrUnavailable.
type Rereader interface {
	Reread(ctx context.Context, s Stored) (Reread, error)
}

func (s eventService) Inspect(ctx context.Context, req *connect.Request[v1.InspectRequest]) (*connect.Response[v1.InspectResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadEvents, nil)
	if err != nil {
		return nil, err
	}
	row, e, err := s.lookUp(ctx, p, req.Msg.Id)
	if err != nil {
		return nil, err
	}
	out := &v1.InspectResponse{
		Event: eventOfRow(row), Raw: []byte(row.Raw), Parser: e.Get(storage.FieldParser), Digest: e.Get(storage.FieldDigest),
	}
	var notes []string
	if strings.ContainsRune(row.Raw, '\uFFFD') {
		notes = append(notes, "the record held bytes that are not UTF-8: they are kept as U+FFFD, and so it is shown")
	}
	if strings.Contains(e.Get(storage.FieldTruncated), `"raw"`) {
		notes = append(notes, "the record was longer than what is kept")
	}
	switch {
	case e.Get("event.kind") == pipeline.KindUnparsed: // who tried it in vain has read nothing
		out.Parser, out.Digest = "", ""
	case out.Parser != "":
		again, err := s.cfg.Rereader.Reread(ctx, storedOf(e))
		if err != nil {
			return nil, fmt.Errorf("inspect event %s: %w", req.Msg.Id, err)
		}
		out.Parser, out.Digest = again.Parser, again.Digest
		var note string
		if out.Spans, note = spansOf(&again, e); note != "" {
			notes = append(notes, note)
		}
	}
	out.Note = strings.Join(notes, "; ")
	return connect.NewResponse(out), nil
}

// lookUp finds an event by its id, looking back from now.
func (s eventService) lookUp(ctx context.Context, p storage.Principal, text string) (*logs.Row, *storage.Event, error) {
	id, err := storage.ParseEventID(text)
	if err != nil {
		return nil, nil, err
	}
	var found *logs.Row
	q := logs.Query{Text: strconv.Quote(storage.FieldID) + ":=" + strconv.Quote(id.String()), Limit: 1}
	_, err = s.cfg.Store.Search(ctx, p, q, func(rows []logs.Row) error {
		found = &rows[0]
		return nil
	})
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("look up event %s: %w", id, err)
	case found == nil:
		return nil, nil, fmt.Errorf("event %s: %w", id, storage.ErrNotFound)
	}
	e, err := found.Event()
	return found, &e, err
}

// storedOf is the record of a stored event as it came, as far as it is kept.
func storedOf(e *storage.Event) Stored {
	s := Stored{Tenant: e.Tenant, Parser: e.Get(storage.FieldParser), Digest: e.Get(storage.FieldDigest), Record: pipeline.RecordOf(e)}
	s.Generation, _ = strconv.ParseUint(e.Get(storage.FieldGeneration), 10, 64) // 0 when it is no number: then any version will do
	return s
}

// spansOf returns where the fields of a stored event stand in its record, and what should be said about that. A span of a
// field that is read otherwise today would show the wrong bytes, and is left out.
func spansOf(again *Reread, e *storage.Event) ([]*v1.Span, string) {
	if again.Note != "" && len(again.Tried.Events) == 0 {
		return nil, again.Note
	}
	if again.Tried.Failed != "" {
		return nil, "parsing it again failed: " + again.Tried.Failed
	}
	at := int(e.ID.Ordinal)
	if at >= len(again.Tried.Events) {
		if e.Get(pipeline.FieldDropped) != "" {
			return nil, "" // recognised, and nothing in it was worth a field
		}
		return nil, "parsed again, the record gives fewer events than it did"
	}
	now := &again.Tried.Events[at]
	note := again.Note
	then := make(map[string]string, len(e.Fields)+1)
	then[storage.FieldDataset] = e.Stream
	for _, f := range e.Fields {
		then[f.Name] = f.Value
	}
	same := map[string]bool{storage.FieldDataset: now.Stream == e.Stream}
	for _, f := range now.Fields {
		same[f.Name] = then[f.Name] == f.Value
		if !same[f.Name] && note == "" {
			note = "parsed again, some fields differ from those that were stored: they are not marked"
		}
	}
	var out []*v1.Span
	for _, x := range now.Spans {
		if same[x.Field] {
			out = append(out, &v1.Span{Field: x.Field, Start: x.Start, End: x.End})
		}
	}
	return out, note
}

func (s eventService) CheckQuery(ctx context.Context, req *connect.Request[v1.CheckQueryRequest]) (*connect.Response[v1.CheckQueryResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ReadEvents, nil); err != nil {
		return nil, err
	}
	c := logs.Check(req.Msg.Text, time.Now())
	return connect.NewResponse(&v1.CheckQueryResponse{Ok: c.Message == "", Message: c.Message, Offset: uint32(c.Offset), Table: c.Table}), nil
}
