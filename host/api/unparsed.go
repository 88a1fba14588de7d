package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// ListUnparsed shows what a parser should be written for: records that nobody reads, and behind them those of which only
// the frame is read, such as an unknown program's over syslog. The samples' vedette.parser tells them apart.
func (s moduleService) ListUnparsed(ctx context.Context, req *connect.Request[v1.ListUnparsedRequest]) (*connect.Response[v1.ListUnparsedResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadEvents, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	limit := int(req.Msg.Limit)
	switch {
	case limit == 0:
		limit = DefaultUnparsed
	case limit > MaxUnparsed:
		return nil, fmt.Errorf("unparsed: %d records, the limit is %d: %w", limit, MaxUnparsed, storage.ErrExhausted)
	}
	rows, err := s.newest(ctx, p, unread, limit)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.ListUnparsedResponse{Shapes: shapesOf(rows)}), nil
}

// SuggestSpec proposes a declarative parser for whoever could install it somewhere.
func (s moduleService) SuggestSpec(ctx context.Context, req *connect.Request[v1.SuggestSpecRequest]) (*connect.Response[v1.SuggestSpecResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ManageModules, nil); err != nil {
		return nil, err
	}
	if err := checkSamples(req.Msg.Samples); err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	var samples []string
	for _, sample := range req.Msg.Samples {
		if text := strings.TrimSpace(strings.ToValidUTF8(string(sample), "\uFFFD")); text != "" {
			samples = append(samples, text)
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("suggest: no samples: %w", storage.ErrInvalid)
	}
	return connect.NewResponse(&v1.SuggestSpecResponse{Spec: spec.Suggest(samples, "")}), nil
}

// unread is the query for records that no parser reads, and for those of which a shipped one reads the frame only: it
// says neither what happened nor of which category that is. How an organization's own parser reads is its own business.
const unread = `event.kind:=pipeline_error or (` + storage.FieldParser + `:="vedette/"* and event.action:"" and event.category:"")`

// newest returns the newest rows of the last day that match a query, as far as they are gathered.
func (s moduleService) newest(ctx context.Context, p storage.Principal, query string, limit int) ([]logs.Row, error) {
	g := gathered{seen: map[storage.EventID]bool{}}
	q := logs.Query{Text: query, From: time.Now().Add(-UnparsedWithin), Limit: limit}
	if _, err := s.cfg.Store.Search(ctx, p, q, g.add); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return g.rows, nil
}

// gathered are rows, one for each record: none that is longer than a sample may be, and of all no more than
// MaxUnparsedBytes.
type gathered struct {
	rows []logs.Row
	seen map[storage.EventID]bool
	size int
}

var errEnough = errors.New("enough was gathered")

func (g *gathered) add(rows []logs.Row) error {
	for _, r := range rows {
		record := r.ID
		record.Ordinal = 0
		if g.seen[record] || len(r.Raw) > MaxSampleBytes {
			continue
		}
		if g.size += len(r.Raw); g.size > MaxUnparsedBytes {
			return errEnough
		}
		g.seen[record] = true
		g.rows = append(g.rows, r)
	}
	return nil
}

// shapesOf groups rows, which come newest first.
func shapesOf(rows []logs.Row) []*v1.Shape {
	type key struct {
		tenant storage.Tenant
		parser string
		text   string
	}
	by := map[key]*v1.Shape{}
	nobodys := map[*v1.Shape]bool{}
	var all []*v1.Shape
	size := 0
	for i := range rows {
		r := &rows[i]
		fields := map[string]string{}
		for _, f := range r.Fields {
			fields[f.Name] = f.Value
		}
		k := key{r.Tenant, fields[storage.FieldParser], spec.Shape(r.Raw)}
		shape := by[k]
		if shape == nil {
			if len(all) == MaxShapes {
				continue
			}
			shape = &v1.Shape{Tenant: uint32(r.Tenant), Text: k.text, Source: fields[storage.FieldSource]}
			by[k], nobodys[shape], all = shape, fields["event.kind"] == "pipeline_error", append(all, shape)
		}
		shape.Count++
		if len(shape.Samples) < MaxShapeSamples && (len(shape.Samples) == 0 || size < MaxPortionBytes) {
			e := eventOfRow(r)
			shape.Samples, size = append(shape.Samples, e), size+len(r.Raw)
		}
	}
	slices.SortStableFunc(all, func(a, b *v1.Shape) int {
		if nobodys[a] != nobodys[b] {
			if nobodys[a] {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Count, a.Count)
	})
	return all
}
