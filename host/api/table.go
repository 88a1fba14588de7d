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

// Limits of the tables' calls.
const (
	defaultTableRows = 100   // of one GetTable
	MaxTableRows     = 1_000 // of one GetTable or ChangeTable
	checkedTableRows = 20    // that CheckTable shows
	MaxTableText     = 512   // bytes of what GetTable looks for
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
	out, err := s.put(ctx, p, t, name, x, 0)
	if err != nil {
		return nil, fmt.Errorf("put table %s: %w", name, err)
	}
	return connect.NewResponse(&v1.PutTableResponse{Table: out, Doubles: uint64(x.Twice())}), nil
}

// put makes a version of a table; seq is of the version that it replaces, 0 for any.
func (s tableService) put(ctx context.Context, p storage.Principal, t storage.Tenant, name string, x *index.Table, seq uint64) (*v1.Table, error) {
	content, digest, err := table.Encode(x)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.DB.PutTableContent(ctx, t, digest, content, time.Now()); err != nil {
		return nil, err
	}
	err = s.cfg.Control.Control(ctx, module.Control{
		Kind: module.SetTable, Tenant: t, Who: p.User, Name: name,
		Table: &module.Table{Name: name, Digest: digest, Kind: x.Kind(), Columns: x.Columns(), Rows: x.Len(), Bytes: len(content), Seq: seq},
	})
	if err != nil {
		return nil, err
	}
	return tableOf(p, t, s.cfg.Pipeline.Generation().Running.Layer(t).Tables[name]), nil
}

func (s tableService) CheckTable(ctx context.Context, req *connect.Request[v1.CheckTableRequest]) (*connect.Response[v1.CheckTableResponse], error) {
	if _, err := s.some(ctx, req.Header(), tenant.ManageModules, nil); err != nil {
		return nil, err
	}
	c := table.Check(index.Kind(req.Msg.Kind), table.Format(req.Msg.Format), req.Msg.Content)
	out := &v1.CheckTableResponse{Columns: c.Columns, Rows: uint64(len(c.Rows)), Doubles: uint64(c.Doubles), TotalProblems: uint64(c.Total)}
	for _, row := range c.Rows[:min(len(c.Rows), checkedTableRows)] {
		out.First = append(out.First, &v1.TableRow{Cells: row})
	}
	for _, x := range c.Problems {
		out.Problems = append(out.Problems, &v1.TableProblem{Line: uint32(x.Line), Text: x.Text})
	}
	return connect.NewResponse(out), nil
}

func (s tableService) ChangeTable(ctx context.Context, req *connect.Request[v1.ChangeTableRequest]) (*connect.Response[v1.ChangeTableResponse], error) {
	m := req.Msg
	p, err := s.changer(ctx, req.Header(), m.Tenant)
	if err != nil {
		return nil, err
	}
	if n := len(m.Remove) + len(m.Put); n == 0 || n > MaxTableRows {
		return nil, fmt.Errorf("change table %.80q: %d rows, want 1 to %d: %w", m.Name, n, MaxTableRows, storage.ErrInvalid)
	}
	gen, t := s.cfg.Pipeline.Generation(), storage.Tenant(m.Tenant)
	v, there := gen.Running.Layer(t).Tables[m.Name]
	if !there {
		return nil, fmt.Errorf("change table %.80q: %w", m.Name, storage.ErrNotFound)
	}
	if v.Digest != m.Digest {
		return nil, fmt.Errorf("change table %s: it was changed meanwhile: %w", m.Name, storage.ErrConflict)
	}
	rows := make([][]string, 0, len(m.Put))
	for _, r := range m.Put {
		rows = append(rows, r.Cells)
	}
	x, err := table.Change(gen.View(t).Table(m.Name), m.Remove, rows)
	if err != nil {
		return nil, fmt.Errorf("change table %s: %w", m.Name, err)
	}
	out, err := s.put(ctx, p, t, m.Name, x, v.Seq)
	if err != nil {
		return nil, fmt.Errorf("change table %s: %w", m.Name, err)
	}
	return connect.NewResponse(&v1.ChangeTableResponse{Table: out}), nil
}

func (s tableService) ListTables(ctx context.Context, req *connect.Request[v1.ListTablesRequest]) (*connect.Response[v1.ListTablesResponse], error) {
	p, err := s.some(ctx, req.Header(), tenant.ReadModules, req.Msg.Tenants)
	if err != nil {
		return nil, err
	}
	out, gen := &v1.ListTablesResponse{}, s.cfg.Pipeline.Generation()
	shared := map[string]*v1.Table{}
	for _, t := range append([]storage.Tenant{storage.NoTenant}, p.Tenants...) {
		tables, view := gen.Running.Layer(t).Tables, gen.View(t)
		readers := view.Readers(t != storage.NoTenant)
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			x := tableOf(p, t, tables[name])
			x.Readers = readers[name]
			if t == storage.NoTenant {
				shared[name] = x
			} else {
				x.Readers = append(view.Readers(false)[name], x.Readers...)
			}
			out.Tables = append(out.Tables, x)
			delete(readers, name)
		}
		for name, more := range readers { // an organization's own modules look into what all share
			if x := shared[name]; x != nil && t != storage.NoTenant {
				x.Readers = append(x.Readers, more...)
			}
		}
	}
	for _, x := range out.Tables {
		slices.Sort(x.Readers)
		x.Readers = slices.Compact(x.Readers)
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
	if len(req.Msg.Text) > MaxTableText {
		return nil, fmt.Errorf("a text of %d bytes, the limit is %d: %w", len(req.Msg.Text), MaxTableText, storage.ErrExhausted)
	}
	for n := range table.Rows(x, req.Msg.Text) {
		if out.Matches >= req.Msg.Offset && len(out.Rows) < limit {
			out.Rows = append(out.Rows, &v1.TableRow{Cells: x.Row(n)})
		}
		out.Matches++
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
