package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func init() { maps.Copy(crossings, tableCrossings) }

func tablesOf(w *world, u *who) vedettev1connect.TableServiceClient {
	return vedettev1connect.NewTableServiceClient(&http.Client{Transport: bearer(u.token)}, w.url)
}

// putTable sets a table of alpha's by an admin.
func putTable(ctx context.Context, w *world, name string) error {
	_, err := tablesOf(w, w.admin).PutTable(ctx, req(&v1.PutTableRequest{
		Name: name, Tenant: w.alpha, Kind: "exact", Format: "csv", Content: []byte("key\nsecret of alpha\n"),
	}))
	return err
}

var tableCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.TableService.PutTable": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := tablesOf(w, u).PutTable(ctx, req(&v1.PutTableRequest{Name: "put", Tenant: w.alpha, Kind: "exact", Format: "csv", Content: []byte("key\n" + u.name)}))
		return err == nil && r.Msg.Table.Tenant == w.alpha, err
	}},
	"vedette.v1.TableService.CheckTable": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := tablesOf(w, u).CheckTable(ctx, req(&v1.CheckTableRequest{Kind: "exact", Format: "csv", Content: []byte("key\n" + u.name)}))
		return err == nil && u.name != w.ben.name && r.Msg.Rows == 1, err // it reads what the caller brings, and nothing else
	}},
	"vedette.v1.TableService.ChangeTable": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if err := putTable(ctx, w, "changed"); err != nil {
			return false, err
		}
		now, err := tablesOf(w, w.admin).GetTable(ctx, req(&v1.GetTableRequest{Name: "changed", Tenant: w.alpha}))
		if err != nil {
			return false, err
		}
		r, err := tablesOf(w, u).ChangeTable(ctx, req(&v1.ChangeTableRequest{
			Name: "changed", Tenant: w.alpha, Digest: now.Msg.Table.Digest, Put: []*v1.TableRow{{Cells: []string{u.name}}},
		}))
		return err == nil && r.Msg.Table.Tenant == w.alpha && r.Msg.Table.Rows == 2, err
	}},
	"vedette.v1.TableService.ListTables": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if err := putTable(ctx, w, "listed"); err != nil {
			return false, err
		}
		r, err := tablesOf(w, u).ListTables(ctx, req(&v1.ListTablesRequest{Tenants: on}))
		return err == nil && alphas(w, r.Msg.Tables, (*v1.Table).GetTenant), err
	}},
	"vedette.v1.TableService.GetTable": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if err := putTable(ctx, w, "got"); err != nil {
			return false, err
		}
		r, err := tablesOf(w, u).GetTable(ctx, req(&v1.GetTableRequest{Name: "got", Tenant: w.alpha}))
		return err == nil && len(r.Msg.Rows) == 1 && r.Msg.Rows[0].Cells[0] == "secret of alpha", err
	}},
	"vedette.v1.TableService.RemoveTable": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if err := putTable(ctx, w, "removed"); err != nil {
			return false, err
		}
		_, err := tablesOf(w, u).RemoveTable(ctx, req(&v1.RemoveTableRequest{Name: "removed", Tenant: w.alpha}))
		return err == nil, err
	}},
}

// A table is put, seen as each organization sees it, and removed; what is wrong with one is said.
func TestTables(t *testing.T) {
	w := newWorld(t)
	ctx, tables := t.Context(), tablesOf(w, w.admin)
	put := func(name string, tenant uint32, kind, format, content string) (*v1.PutTableResponse, error) {
		r, err := tables.PutTable(ctx, req(&v1.PutTableRequest{Name: name, Tenant: tenant, Kind: kind, Format: format, Content: []byte(content)}))
		if err != nil {
			return nil, err
		}
		return r.Msg, nil
	}
	shared, err := put("bad-domains", 0, "domain", "csv", "domain,why\nevil.example,phishing\nevil.example,again\n")
	if err != nil || shared.Doubles != 1 || shared.Table.Rows != 2 || shared.Table.SetBy != w.admin.name || !strings.HasPrefix(shared.Table.Digest, "sha256:") {
		t.Fatalf("%v %v", shared, err)
	}
	if _, err := put("bad-domains", w.alpha, "domain", "jsonl", `{"domain":"alpha.example","why":"own"}`); err != nil {
		t.Fatal(err)
	}
	show := func(tenant uint32, key string) string {
		t.Helper()
		r, err := tables.GetTable(ctx, req(&v1.GetTableRequest{Name: "bad-domains", Tenant: tenant, Key: key}))
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, row := range r.Msg.Rows {
			rows = append(rows, strings.Join(row.Cells, "="))
		}
		return fmt.Sprint(r.Msg.Table.Tenant == tenant, rows)
	}
	for _, c := range []struct {
		tenant uint32
		key    string
		want   string
	}{
		{0, "www.evil.example", "true [evil.example=phishing]"},
		{w.beta, "www.evil.example", "false [evil.example=phishing]"},
		{w.alpha, "www.evil.example", "true []"},
		{w.alpha, "", "true [alpha.example=own]"},
		{0, "", "true [evil.example=phishing evil.example=again]"},
	} {
		if got := show(c.tenant, c.key); got != c.want {
			t.Errorf("organization %d, key %q: %s, want %s", c.tenant, c.key, got, c.want)
		}
	}
	r, err := tables.ListTables(ctx, req(&v1.ListTablesRequest{}))
	if err != nil || len(r.Msg.Tables) != 2 || !slices.Equal(r.Msg.Tables[0].Columns, []string{"domain", "why"}) {
		t.Errorf("%v %v", r, err)
	}
	for _, c := range []struct {
		name, kind, format, content, why string
		code                             connect.Code
	}{
		{"Bad Name", "exact", "csv", "a\n", "want a name of letters", connect.CodeInvalidArgument},
		{"x", "regex", "csv", "a\n", "want exact, nocase, cidr or domain", connect.CodeInvalidArgument},
		{"x", "cidr", "csv", "a\n10.0.0.1\nhost\n", "row 2", connect.CodeInvalidArgument},
		{"x", "exact", "csv", "", "names of its columns", connect.CodeInvalidArgument},
		{"x", "exact", "csv", "a\n" + strings.Repeat("x\n", 8<<20), "at most 16777216", connect.CodeResourceExhausted},
	} {
		if _, err := put(c.name, 0, c.kind, c.format, c.content); connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	if _, err := tablesOf(w, w.ann).PutTable(ctx, req(&v1.PutTableRequest{Name: "x", Kind: "exact", Format: "csv", Content: []byte("a\n")})); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("an analyst puts a shared table: %v", err)
	}
	if _, err := tables.GetTable(ctx, req(&v1.GetTableRequest{Name: "bad-domains", Limit: 1001})); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("1,001 rows: %v", err)
	}
	if _, err := tables.RemoveTable(ctx, req(&v1.RemoveTableRequest{Name: "none"})); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a table that is not there: %v", err)
	}
	if _, err := tables.RemoveTable(ctx, req(&v1.RemoveTableRequest{Name: "bad-domains", Tenant: w.alpha})); err != nil {
		t.Error(err)
	}
	if got := show(w.alpha, "evil.example"); got != "false [evil.example=phishing]" {
		t.Errorf("after its own was removed: %s", got)
	}
}

// Rows are found by text, put in and taken out, and two people at the same table do not undo each other's work.
func TestChangeTable(t *testing.T) {
	w := newWorld(t)
	ctx, tables := t.Context(), tablesOf(w, w.ann)
	first, err := tables.PutTable(ctx, req(&v1.PutTableRequest{
		Name: "hosts", Tenant: w.alpha, Kind: "exact", Format: "csv", Content: []byte("host,note\na,first\nb,Second\nc,third\n"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	change := func(digest string, remove []string, rows ...*v1.TableRow) (*v1.Table, error) {
		r, err := tables.ChangeTable(ctx, req(&v1.ChangeTableRequest{Name: "hosts", Tenant: w.alpha, Digest: digest, Remove: remove, Put: rows}))
		if err != nil {
			return nil, err
		}
		return r.Msg.Table, nil
	}
	row := func(cells ...string) *v1.TableRow { return &v1.TableRow{Cells: cells} }
	second, err := change(first.Msg.Table.Digest, []string{"a"}, row("b", "new"), row("d", "SECOND again"))
	if err != nil || second.Rows != 3 || second.SetBy != w.ann.name {
		t.Fatalf("%v %v", second, err)
	}
	for _, c := range []struct {
		why    string
		digest string
		remove []string
		put    *v1.TableRow
		code   connect.Code
	}{
		{"changed meanwhile", first.Msg.Table.Digest, []string{"c"}, row("e", ""), connect.CodeAborted},
		{"no row has the key", second.Digest, []string{"a"}, row("e", ""), connect.CodeNotFound},
		{"1 cells, want 2", second.Digest, nil, row("e"), connect.CodeInvalidArgument},
		{"has no cells", second.Digest, nil, row(), connect.CodeInvalidArgument},
		{"want 1 to 1000", second.Digest, make([]string, 1_000), row("e", ""), connect.CodeInvalidArgument},
	} {
		if _, err := change(c.digest, c.remove, c.put); connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	found, err := tables.GetTable(ctx, req(&v1.GetTableRequest{Name: "hosts", Tenant: w.alpha, Text: "e", Offset: 1, Limit: 1}))
	if err != nil || found.Msg.Matches != 2 || len(found.Msg.Rows) != 1 || found.Msg.Rows[0].Cells[0] != "d" {
		t.Errorf("%v %v", found, err)
	}
	if _, err := tables.GetTable(ctx, req(&v1.GetTableRequest{Name: "hosts", Tenant: w.alpha, Text: strings.Repeat("x", 513)})); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a text of 513 bytes: %v", err)
	}
	checked, err := tables.CheckTable(ctx, req(&v1.CheckTableRequest{Kind: "cidr", Format: "list", Content: []byte("# ours\n10.0.0.0/8\nhost\n10.1.2.3/8\n")}))
	if err != nil || checked.Msg.Rows != 2 || checked.Msg.Doubles != 1 || checked.Msg.TotalProblems != 1 || checked.Msg.Problems[0].Line != 3 {
		t.Errorf("%v %v", checked, err)
	}
}
