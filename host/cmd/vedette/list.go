package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "Watch lists and object groups: values that rules look for by name",
		Long: `Watch lists and object groups: values that rules look for by name (source.ip|in: NAME).

A list is of one organization, or shared by all; an organization's own adds to the shared one of the same name. Rules can
write to a list as well. Values are changed one by one, and an event is judged by what was in the list when it came.`,
	}
	c.AddCommand(newListList(), newListPut(), newListAdd(), newListDrop(), newListShow(), newListRemove())
	return c
}

func askLists(cmd *cobra.Command) (vedettev1connect.ListServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewListServiceClient), nil
}

// utc is a time for people; "" for none.
func utc(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format("2006-01-02T15:04:05Z")
}

// listColumns are those of list list.
var listColumns = []string{"name", "organization", "kind", "group", "values", "evicted", "readers", "writers", "changed_at", "changed_by"}

func newListList() *cobra.Command {
	form := ""
	c := &cobra.Command{
		Use: "list", Short: "List the lists of your organizations, the shared ones, and those that rules name and nobody has made", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.ListLists(cmd.Context(), connect.NewRequest(&v1.ListListsRequest{}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, listColumns)
			if err != nil {
				return err
			}
			for _, l := range resp.Msg.Lists {
				kind := l.Kind
				if l.Missing {
					kind = "missing"
				}
				if err := p.print(map[string]any{
					"name": l.Name, "organization": l.Tenant, "kind": kind, "group": l.Group, "values": l.Values, "evicted": l.Evicted,
					"readers": strings.Join(l.Readers, " "), "writers": strings.Join(l.Writers, " "), "changed_at": utc(l.ChangedAt), "changed_by": l.ChangedBy,
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

func newListPut() *cobra.Command {
	req := &v1.PutListRequest{}
	c := &cobra.Command{
		Use: "put NAME", Short: "Make a list, or change what it says about itself; its values stay", Args: cobra.ExactArgs(1),
		Example: `  vedette list put domain-controllers --kind cidr --group devices --description "Active Directory" --organization 1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.PutList(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "list          %s (%s)\nvalues        %d\n", resp.Msg.List.Name, resp.Msg.List.Kind, resp.Msg.List.Values)
			return nil
		},
	}
	c.Flags().StringVar(&req.Kind, "kind", "nocase", "how values are compared: exact, nocase, cidr or domain (see vedette table put)")
	c.Flags().StringVar(&req.Group, "group", "", "of an object group what its values are: devices, networks, users, applications, event-types, malware or countries")
	c.Flags().StringVar(&req.Description, "description", "", "what the list is for")
	return addTenantFlag(c, &req.Tenant)
}

func newListAdd() *cobra.Command {
	var tenant uint32
	var ttl time.Duration
	var note, file string
	c := &cobra.Command{
		Use: "add NAME [VALUE…]", Short: "Put values into a list; one that does not exist is made", Args: cobra.MinimumNArgs(1),
		Example: "  vedette list add suspects alice bob --ttl 168h --note INC-4711 --organization 1",
		RunE: func(cmd *cobra.Command, args []string) error {
			values, err := valuesOf(args[1:], file)
			if err != nil {
				return err
			}
			return changeList(cmd, args[0], tenant, values, func(req *v1.ChangeEntriesRequest, value string) {
				e := &v1.NewEntry{Value: value, Note: note}
				if ttl != 0 {
					e.Ttl = durationpb.New(ttl)
				}
				req.Put = append(req.Put, e)
			})
		},
	}
	c.Flags().DurationVar(&ttl, "ttl", 0, "how long the values stay (default: for good)")
	c.Flags().StringVar(&note, "note", "", "why")
	c.Flags().StringVar(&file, "file", "", "also the values of a file, one a line; lines that begin with # are left out")
	return addTenantFlag(c, &tenant)
}

func newListDrop() *cobra.Command {
	var tenant uint32
	file := ""
	c := &cobra.Command{
		Use: "drop NAME [VALUE…]", Short: "Take values out of a list", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			values, err := valuesOf(args[1:], file)
			if err != nil {
				return err
			}
			return changeList(cmd, args[0], tenant, values, func(req *v1.ChangeEntriesRequest, value string) { req.Remove = append(req.Remove, value) })
		},
	}
	c.Flags().StringVar(&file, "file", "", "also the values of a file, one a line")
	return addTenantFlag(c, &tenant)
}

// valuesOf returns the values of arguments and of a file.
func valuesOf(args []string, file string) ([]string, error) {
	if file == "" {
		return args, nil
	}
	text, err := os.ReadFile(absolute(file))
	if err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			args = append(args, l)
		}
	}
	return args, nil
}

const listPart = 5_000 // values changed in one call

// changeList changes a list, part by part.
func changeList(cmd *cobra.Command, name string, tenant uint32, values []string, add func(*v1.ChangeEntriesRequest, string)) error {
	if len(values) == 0 {
		return fmt.Errorf("name a value, or a file with --file")
	}
	lists, err := askLists(cmd)
	if err != nil {
		return err
	}
	var last *v1.List
	for len(values) > 0 {
		req := &v1.ChangeEntriesRequest{Name: name, Tenant: tenant}
		n := min(len(values), listPart)
		for _, v := range values[:n] {
			add(req, v)
		}
		values = values[n:]
		resp, err := lists.ChangeEntries(cmd.Context(), connect.NewRequest(req))
		if err != nil {
			return err
		}
		last = resp.Msg.List
	}
	fmt.Fprintf(cmd.OutOrStdout(), "list          %s (%s)\nvalues        %d\n", last.Name, last.Kind, last.Values)
	return nil
}

// entryColumns are those of list show.
var entryColumns = []string{"value", "expires_at", "origin", "note", "added_at"}

func newListShow() *cobra.Command {
	req, form := &v1.ListEntriesRequest{}, ""
	c := &cobra.Command{
		Use: "show NAME", Short: "Show the values of a list, or the one that a value is found by", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.ListEntries(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, entryColumns)
			if err != nil {
				return err
			}
			for _, e := range resp.Msg.Entries {
				if err := p.print(map[string]any{"value": e.Value, "expires_at": utc(e.ExpiresAt), "origin": e.Origin, "note": e.Note, "added_at": utc(e.AddedAt)}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	c.Flags().StringVar(&req.Value, "value", "", "only the entry that this value is found by")
	c.Flags().StringVar(&req.Text, "text", "", "only entries whose value, origin or note contains this")
	c.Flags().Uint64Var(&req.Offset, "offset", 0, "entries to skip")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "entries to show, at most 1000 (default 100)")
	return addTenantFlag(c, &req.Tenant)
}

func newListRemove() *cobra.Command {
	req := &v1.RemoveListRequest{}
	c := &cobra.Command{
		Use: "rm NAME", Short: "Take a list and its values away; rules that name it find nothing in it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			if _, err := lists.RemoveList(cmd.Context(), connect.NewRequest(req)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed       %s\n", req.Name)
			return nil
		},
	}
	return addTenantFlag(c, &req.Tenant)
}
