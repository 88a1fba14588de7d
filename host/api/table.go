package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

type tableService struct{ *API }

// Rows of one GetTable.
const (
	defaultTableRows = 100
	MaxTableRows     = 1_000
)

// changer returns who asks to change a table of an organization, or, for 0, of all.
func (s tableService) changer(ctx context.Context, h map[string][]string, on uint32) (storage.Principal, error) {
	return moduleService{API: s.API}.changer(ctx, h, on)
}

func (s tableService) PutTable(ctx context.Context, req *connect.Request[v1.PutTableRequest]) (*connect.Response[v1.PutTableResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	name, t := req.Msg.Name, storage.Tenant(req.Msg.Tenant)
	if !manifest.ValidName(name) {
		return nil, fmt.Errorf("put table %.80q: want a name of letters a to z, digits and hyphens: %w", name, storage.ErrInvalid)
	}
	x, err := table.Read(index.Kind(req.Msg.Kind), table.Format(req.Msg.Format), req.Msg.Content)
	if err != nil {
		return nil, fmt.Errorf("put table %s: %w", name, err)
	}
	content, digest, err := table.Encode(x)
	if err != nil {
		return nil, fmt.Errorf("put table %s: %w", name, err)
	}
	if err := s.cfg.DB.PutTableContent(ctx, t, digest, content, time.Now()); err != nil {
		return nil, fmt.Errorf("put table %s: %w", name, err)
	}
	err = s.cfg.Control.Control(ctx, module.Control{
		Kind: module.SetTable, Tenant: t, Who: p.User, Name: name,
		Table: &module.Table{Name: name, Digest: digest, Kind: x.Kind(), Columns: x.Columns(), Rows: x.Len(), Bytes: len(content)},
	})
	if err != nil {
		return nil, err
	}
	v := s.cfg.Pipeline.Generation().Running.Layer(t).Tables[name]
	return connect.NewResponse(&v1.PutTableResponse{Table: tableOf(p, t, v), Doubles: uint64(x.Twice())}), nil
}

func (s tableService) ListTables(ctx context.Context, req *connect.Request[v1.ListTablesRequest]) (*connect.Response[v1.ListTablesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	out, running := &v1.ListTablesResponse{}, s.cfg.Pipeline.Generation().Running
	for _, t := range append([]storage.Tenant{storage.NoTenant}, p.Tenants...) {
		tables := running.Layer(t).Tables
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			out.Tables = append(out.Tables, tableOf(p, t, tables[name]))
		}
	}
	return connect.NewResponse(out), nil
}

func (s tableService) GetTable(ctx context.Context, req *connect.Request[v1.GetTableRequest]) (*connect.Response[v1.GetTableResponse], error) {
	var own []uint32 // none: whoever reads modules reads the shared ones
	if req.Msg.Tenant != 0 {
		own = []uint32{req.Msg.Tenant}
	}
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, own)
	if err != nil {
		return nil, err
	}
	gen, t := s.cfg.Pipeline.Generation(), storage.Tenant(req.Msg.Tenant)
	x := gen.View(t).Table(req.Msg.Name)
	if x == nil {
		return nil, fmt.Errorf("table %.80q: %w", req.Msg.Name, storage.ErrNotFound)
	}
	v, there := gen.Running.Layer(t).Tables[req.Msg.Name]
	if !there {
		t = storage.NoTenant
		v = gen.Running.Layer(t).Tables[req.Msg.Name]
	}
	out := &v1.GetTableResponse{Table: tableOf(p, t, v)}
	if req.Msg.Key != "" {
		if n, found := x.Find([]byte(req.Msg.Key)); found {
			out.Rows = append(out.Rows, &v1.TableRow{Cells: x.Row(n)})
		}
		return connect.NewResponse(out), nil
	}
	limit := int(req.Msg.Limit)
	if limit == 0 {
		limit = defaultTableRows
	}
	if limit > MaxTableRows {
		return nil, fmt.Errorf("%d rows, the limit is %d: %w", limit, MaxTableRows, storage.ErrExhausted)
	}
	for n := int(min(req.Msg.Offset, uint64(x.Len()))); n < x.Len() && len(out.Rows) < limit; n++ {
		out.Rows = append(out.Rows, &v1.TableRow{Cells: x.Row(n)})
	}
	return connect.NewResponse(out), nil
}

func (s tableService) RemoveTable(ctx context.Context, req *connect.Request[v1.RemoveTableRequest]) (*connect.Response[v1.RemoveTableResponse], error) {
	p, err := s.changer(ctx, req.Header(), req.Msg.Tenant)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{Kind: module.RemoveTable, Tenant: storage.Tenant(req.Msg.Tenant), Who: p.User, Name: req.Msg.Name})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.RemoveTableResponse{}), nil
}

func tableOf(p storage.Principal, t storage.Tenant, v module.Table) *v1.Table {
	out := &v1.Table{
		Name: v.Name, Tenant: uint32(t), Kind: string(v.Kind), Columns: v.Columns, Rows: uint64(v.Rows), Bytes: uint64(v.Bytes), Digest: v.Digest,
		Generation: v.Seq, SetAt: moment(v.At),
	}
	if mayLookInto(p, t) {
		out.SetBy = v.Who
	}
	return out
}
