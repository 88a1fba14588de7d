package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newTable() *cobra.Command {
	c := &cobra.Command{
		Use:   "table",
		Short: "Watch lists, indicators, inventories: what parsers and rules look into",
		Long: `Watch lists, indicators, inventories: what parsers and rules look into.

A module names the tables that it uses, and whoever installs it grants each. A table is of one organization, or shared
by all; an organization's own hides the shared one of the same name. A record is read and judged with the version that
was in force when it came.`,
	}
	c.AddCommand(newTablePut(), newTableList(), newTableShow(), newTableRemove())
	return c
}

func askTables(cmd *cobra.Command) (vedettev1connect.TableServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewTableServiceClient), nil
}

func newTablePut() *cobra.Command {
	req := &v1.PutTableRequest{}
	c := &cobra.Command{
		Use:   "put NAME FILE",
		Short: "Make a table, or another version of it, of a file",
		Long: `Make a table, or another version of it, of a file: CSV with a header line, JSON lines (one flat object a line), or a
plain list of keys (a key a line; lines that begin with # are left out).
The first column is the key. --kind says how keys are compared:

  exact    byte for byte (the default)
  nocase   without regard to the case of ASCII letters
  cidr     addresses and networks: an address is found in the narrowest network that holds it
  domain   domains: a name is found in the longest domain that it is, or that ends it`,
		Example: "  vedette table put bad-domains domains.csv --kind domain --organization 1",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.Name = args[0]
			if req.Content, err = os.ReadFile(absolute(args[1])); err != nil {
				return fmt.Errorf("read the table: %w", err)
			}
			if req.Format == "" {
				req.Format = "csv"
				switch strings.ToLower(filepath.Ext(args[1])) {
				case ".jsonl", ".ndjson", ".json":
					req.Format = "jsonl"
				case ".txt", ".list":
					req.Format = "list"
				}
			}
			tables, err := askTables(cmd)
			if err != nil {
				return err
			}
			resp, err := tables.PutTable(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			t := resp.Msg.Table
			fmt.Fprintf(cmd.OutOrStdout(), "table         %s (%s)\nrows          %d\ncolumns       %s\ndigest        %s\n", t.Name, t.Kind, t.Rows, printable(strings.Join(t.Columns, ", ")), t.Digest)
			if resp.Msg.Doubles > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "doubles       %d rows have the key of an earlier one and are never found\n", resp.Msg.Doubles)
			}
			return nil
		},
	}
	c.Flags().StringVar(&req.Kind, "kind", "exact", "how keys are compared: exact, nocase, cidr or domain")
	c.Flags().StringVar(&req.Format, "format", "", "csv, jsonl or list (default: by the file's name)")
	return addTenantFlag(c, &req.Tenant)
}

// tableColumns are those of table list.
var tableColumns = []string{"name", "organization", "kind", "rows", "bytes", "columns", "digest", "set_at", "set_by"}

func newTableList() *cobra.Command {
	req, form := &v1.ListTablesRequest{}, ""
	c := &cobra.Command{
		Use: "list", Short: "List the tables of your organizations, and the shared ones", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tables, err := askTables(cmd)
			if err != nil {
				return err
			}
			resp, err := tables.ListTables(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, tableColumns)
			if err != nil {
				return err
			}
			for _, t := range resp.Msg.Tables {
				digest := strings.TrimPrefix(t.Digest, "sha256:")
				if form == "table" {
					digest = digest[:min(12, len(digest))]
				}
				if err := p.print(map[string]any{
					"name": t.Name, "organization": t.Tenant, "kind": t.Kind, "rows": t.Rows, "bytes": t.Bytes, "columns": strings.Join(t.Columns, ", "),
					"digest": digest, "set_at": t.SetAt.AsTime().UTC().Format("2006-01-02T15:04:05Z"), "set_by": t.SetBy,
				}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	return addServerFlag(c)
}

func newTableShow() *cobra.Command {
	req, form := &v1.GetTableRequest{}, ""
	c := &cobra.Command{
		Use: "show NAME", Short: "Show rows of a table, or the one in which a key is found", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			tables, err := askTables(cmd)
			if err != nil {
				return err
			}
			resp, err := tables.GetTable(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, resp.Msg.Table.Columns)
			if err != nil {
				return err
			}
			for _, r := range resp.Msg.Rows {
				row := map[string]any{}
				for i, cell := range r.Cells {
					row[resp.Msg.Table.Columns[i]] = cell
				}
				if err := p.print(row); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	c.Flags().StringVar(&req.Key, "key", "", "only the row in which this key is found")
	c.Flags().Uint64Var(&req.Offset, "offset", 0, "rows to skip")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "rows to show, at most 1000 (default 100)")
	return addTenantFlag(c, &req.Tenant)
}

func newTableRemove() *cobra.Command {
	req := &v1.RemoveTableRequest{}
	c := &cobra.Command{
		Use: "rm NAME", Short: "Take a table away; one that a module uses stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			tables, err := askTables(cmd)
			if err != nil {
				return err
			}
			if _, err := tables.RemoveTable(cmd.Context(), connect.NewRequest(req)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed       %s\n", req.Name)
			return nil
		},
	}
	return addTenantFlag(c, &req.Tenant)
}
