package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/author"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newModuleStatus() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:               "status [PUBLISHER/NAME]",
		Short:             "Show what runs where: versions, last swap, records, fuel, and errors",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd)
			if err != nil {
				return err
			}
			names, err := tenantNames(cmd.Context(), s)
			if err != nil {
				return err
			}
			resp, err := ask(s, vedettev1connect.NewModuleServiceClient).ListModules(cmd.Context(), connect.NewRequest(&v1.ListModulesRequest{}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"name", "version", "organization", "state", "swapped", "records", "fuel_per_record", "errors", "conformance", "last_error"})
			if err != nil {
				return err
			}
			found := len(args) == 0
			for _, m := range resp.Msg.Modules {
				if len(args) > 0 && m.Name != args[0] {
					continue
				}
				found = true
				if err := p.print(statusRecord(m, names, output == "table")); err != nil {
					return err
				}
			}
			if !found {
				return fmt.Errorf("no module %s runs at %s: vedette module list shows what does", args[0], s.server)
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

// tenantNames are the names of those that the session sees, by number.
func tenantNames(ctx context.Context, s session) (map[uint32]string, error) {
	resp, err := ask(s, vedettev1connect.NewTenantServiceClient).ListTenants(ctx, connect.NewRequest(&v1.ListTenantsRequest{}))
	if err != nil {
		return nil, err
	}
	names := map[uint32]string{0: "all"}
	for _, t := range resp.Msg.Tenants {
		names[t.Id] = t.Name
	}
	return names, nil
}

// statusRecord is a module as columns of status.
func statusRecord(m *v1.Module, names map[uint32]string, short bool) map[string]any {
	r := moduleRecord(m, short)
	r["swapped"] = clock(m.ActivatedAt)
	if m.Use.GetRecords() > 0 {
		r["fuel_per_record"] = m.Use.Fuel / m.Use.Records
	}
	if why := cmp.Or(m.Use.GetSuspended(), m.Use.GetUndone()); why != "" {
		r["last_error"] = cmp.Or(m.Use.LastError, why)
	}
	if short {
		r["organization"] = names[m.Tenant]
	}
	return r
}

func newModuleQuarantine() *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at the records that modules could not survive",
	}
	c.AddCommand(newQuarantineList(), newQuarantineShow(), newQuarantineExport())
	return c
}

func newQuarantineList() *cobra.Command {
	var output, name string
	req := &v1.ListQuarantineRequest{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List quarantined records, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			resp, err := modules.ListQuarantine(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"number", "at", "organization", "module", "code", "record"})
			if err != nil {
				return err
			}
			for _, r := range resp.Msg.Records {
				if name != "" && r.Module != name {
					continue
				}
				if err := p.print(quarantineRecord(r)); err != nil {
					return err
				}
			}
			if n := resp.Msg.Dropped; n > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "%d records were dropped for room\n", n)
			}
			return p.flush()
		},
	}
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "the most records to list (default 100)")
	c.Flags().StringVar(&name, "module", "", "only those of one module")
	_ = c.RegisterFlagCompletionFunc("module", installed) // fails for a flag that is not there
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func quarantineRecord(r *v1.QuarantinedRecord) map[string]any {
	return map[string]any{
		"number": r.Number, "at": clock(r.At), "organization": r.Tenant, "module": r.Module, "digest": r.Digest, "code": r.Code,
		"detail": r.Detail, "record": string(r.Raw), "raw": r.Raw, "position": r.Position,
	}
}

// quarantined returns one record by its number.
func quarantined(cmd *cobra.Command, number string) (*v1.QuarantinedRecord, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("record %q: want the number that `vedette module quarantine list` shows", number)
	}
	modules, err := askModules(cmd)
	if err != nil {
		return nil, err
	}
	resp, err := modules.ListQuarantine(cmd.Context(), connect.NewRequest(&v1.ListQuarantineRequest{Limit: 1, Before: n + 1}))
	if err != nil {
		return nil, err
	}
	if len(resp.Msg.Records) == 0 || resp.Msg.Records[0].Number != n {
		return nil, fmt.Errorf("there is no quarantined record %d, or it is not yours to see: `vedette module quarantine list` shows those that are", n)
	}
	return resp.Msg.Records[0], nil
}

func newQuarantineShow() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show a quarantined record: its bytes and what the sandbox said",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			r, err := quarantined(cmd, args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if output == "json" {
				p, err := newPrinter(out, "json", nil)
				if err != nil {
					return err
				}
				return p.print(quarantineRecord(r))
			}
			fmt.Fprintf(out, "record        %d, %s\norganization  %d\nmodule        %s %s\nerror         %s: %s\n",
				r.Number, clock(r.At), r.Tenant, printable(r.Module), printable(r.Digest), printable(r.Code), safeLines(r.Detail))
			_, err = fmt.Fprintf(out, "bytes         %d\n%s", len(r.Raw), hex.Dump(r.Raw))
			return err
		},
	}
	addFormFlag(c, &output)
	return addServerFlag(c)
}

// safeLines makes a text of several lines fit for a terminal.
func safeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n              ")
}

func newQuarantineExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export NUMBER FOLDER",
		Short: "Make a quarantined record a case of the module in a folder, so that a next version is tested with it",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := quarantined(cmd, args[0])
			if err != nil {
				return err
			}
			name := filepath.Join("testdata", fmt.Sprintf("quarantine-%d.txtar", r.Number))
			text, err := quarantineCase(r)
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(args[1], "module.yaml")); err != nil {
				return fmt.Errorf("keep the case: %s is not the folder of a module: %w", args[1], err)
			}
			file := filepath.Join(args[1], name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return fmt.Errorf("keep the case: %w", err)
			}
			if err := os.WriteFile(file, text, 0o644); err != nil {
				return fmt.Errorf("keep the case: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s wants \"not mine\" of this record. Next:\n  vedette module test %s             see where it falls\n  vedette module test %s --update    when it is mended: want what it does then\n", name, args[1], args[1])
			return nil
		},
	}
	return addServerFlag(c)
}

// quarantineCase writes a record as a case file.
func quarantineCase(r *v1.QuarantinedRecord) ([]byte, error) {
	if bytes.ContainsAny(r.Raw, "\n") || bytes.HasPrefix(r.Raw, []byte("-- ")) || len(r.Raw) == 0 {
		return nil, errors.New("a case file holds records of one line, and this one has more, or none: `vedette module quarantine show` prints its bytes")
	}
	why, _, _ := strings.Cut(r.Detail, "\n")
	return txtar.Format(&txtar.Archive{
		Comment: fmt.Appendf(nil, "%s could not survive this record at %s: %s: %s\n", r.Module, clock(r.At), r.Code, printable(why)),
		Files: []txtar.File{
			{Name: "input", Data: append(bytes.Clone(r.Raw), '\n')},
			{Name: "want/events.jsonl", Data: []byte(`{"outcome":"not mine"}` + "\n")},
		},
	}), nil
}

func newModuleLogs() *cobra.Command {
	req := &v1.ModuleLogsRequest{}
	var follow bool
	var output string
	c := &cobra.Command{
		Use:               "logs PUBLISHER/NAME",
		Short:             "Print the newest log lines of a module, and with -f those that come, until Ctrl-C",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			req.Name = args[0]
			l := logPrinter{w: cmd.OutOrStdout(), json: output == "json"}
			every := time.NewTicker(time.Second)
			defer every.Stop()
			for {
				resp, err := modules.ModuleLogs(cmd.Context(), connect.NewRequest(req))
				if cmd.Context().Err() != nil {
					return nil // Ctrl-C is how following ends
				}
				if err != nil {
					return err
				}
				if err := l.print(resp.Msg.Lines); err != nil || !follow {
					return err
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-every.C:
				}
			}
		},
	}
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "the most lines to print (default all that are kept, 200)")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	addFormFlag(c, &output)
	return addTenantFlag(c, &req.Tenant)
}

// logPrinter prints lines once. A panic, which standard Go writes in pieces, is one line with its place.
type logPrinter struct {
	w    io.Writer
	json bool
	last time.Time // of the newest line that was printed
	same int       // lines of that time
}

func (l *logPrinter) print(lines []*v1.ModuleLogLine) error {
	lines = lines[l.seen(lines):]
	for len(lines) > 0 {
		n := panicLines(lines)
		text := lines[0].Text
		if n > 1 {
			var pieces []string
			for _, x := range lines[:n] {
				pieces = append(pieces, x.Text)
			}
			if text = strings.Join(pieces, ""); author.FindCrash(pieces, "").Message != "" {
				text = author.FindCrash(pieces, "").String()
			}
		}
		if err := l.line(lines[0], text); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// seen counts the lines that were printed before.
func (l *logPrinter) seen(lines []*v1.ModuleLogLine) int {
	n, same := 0, 0
	for i, x := range lines {
		switch at := x.At.AsTime(); {
		case at.Before(l.last):
			n = i + 1
		case at.Equal(l.last) && same < l.same:
			same++
			n = i + 1
		}
	}
	if len(lines) > 0 {
		newest := lines[len(lines)-1].At.AsTime()
		l.same = len(slices.DeleteFunc(slices.Clone(lines), func(x *v1.ModuleLogLine) bool { return !x.At.AsTime().Equal(newest) }))
		l.last = newest
	}
	return n
}

// panicLines is how many lines belong to the first: the pieces of a trace, or 1.
func panicLines(lines []*v1.ModuleLogLine) int {
	begins := func(s string) bool { return strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: ") }
	if !begins(lines[0].Text) {
		return 1
	}
	n := 1
	for n < len(lines) && lines[n].Level == "error" && !begins(lines[n].Text) {
		n++
	}
	return n
}

func (l *logPrinter) line(x *v1.ModuleLogLine, text string) error {
	if l.json {
		p, err := newPrinter(l.w, "json", nil)
		if err != nil {
			return err
		}
		return p.print(map[string]any{"at": x.At.AsTime().Format(time.RFC3339Nano), "level": x.Level, "text": text})
	}
	_, err := fmt.Fprintf(l.w, "%s  %-5s  %s\n", clock(x.At), x.Level, printable(text))
	return err
}
