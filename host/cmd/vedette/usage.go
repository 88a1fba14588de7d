package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// usageColumns are those of usage.
var usageColumns = []string{"organization", "module", "shared", "cpu_seconds", "share", "fuel", "calls", "records", "events", "errors", "skipped", "bytes_in", "stored_bytes"}

func newUsage() *cobra.Command {
	var organizations []uint
	var from, to, step, by, form, file string
	c := &cobra.Command{
		Use:   "usage",
		Short: "Show what modules have used for organizations, and their part of the host's processor time",
		Long: `Show what modules have used for organizations, and their part of the host's processor time.

A module pays for its fuel, at the rate that calls of modules had on this host then. What the host itself does with an
organization's records has a line without a module: its part of the stages' time, by bytes and by events. With the rest,
which is the host's, everything adds up to the processor time of the process.

Minutes are kept for 2 hours, hours for 35 days, days for 400 days.`,
		Example: "  vedette usage --from 30d --by organization\n  vedette usage --from 2026-01-01 --to 2026-02-01 --csv january.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req, err := readUsage(from, to, step, by, time.Now())
			if err != nil {
				return err
			}
			for _, o := range organizations {
				req.Tenants = append(req.Tenants, uint32(o))
			}
			s, err := open(cmd)
			if err != nil {
				return err
			}
			usage := ask(s, vedettev1connect.NewUsageServiceClient)
			if file != "" {
				return exportUsage(cmd, usage, req, file)
			}
			resp, err := usage.GetUsage(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			return showUsage(cmd, resp.Msg, form)
		},
	}
	f := c.Flags()
	f.UintSliceVar(&organizations, "organization", nil, "numbers of organizations (default: all of yours)")
	f.StringVar(&from, "from", "1h", "beginning: a duration back from now (90m, 7d), a date or RFC 3339")
	f.StringVar(&to, "to", "now", "end")
	f.StringVar(&step, "step", "", "minute, hour or day (default: by the interval)")
	f.StringVar(&by, "by", "module", "what has a line of its own: module or organization")
	f.StringVar(&file, "csv", "", "write a line for each step to this file instead; - for standard output")
	addOutputFlag(c, &form)
	c.AddCommand(newUsageQuota())
	return addServerFlag(c)
}

// newUsageQuota shows or sets a quota.
func newUsageQuota() *cobra.Command {
	var organization uint32
	q := &v1.Quota{}
	c := &cobra.Command{
		Use:   "quota",
		Short: "Show or set what each module of an organization may use in a minute",
		Long: `Show what each module may use for an organization in a minute of log time, and which of them rest since they have
used it up; with figures, set those (admins only). 0 is the host's default, -1 no bound.

A parser that rests is not asked: its records are kept unparsed, with the reason. What the code of a rule that rests would
have confirmed is no finding. A monitor that rests is not polled.`,
		Example: "  vedette usage quota --organization 2\n  vedette usage quota --organization 2 --fuel 60000000000 --log-lines 600",
		Args:    cobra.NoArgs,
	}
	f := c.Flags()
	f.Uint32Var(&organization, "organization", 0, "number of the organization")
	_ = c.MarkFlagRequired("organization") // it is there
	f.Int64Var(&q.Fuel, "fuel", 0, "units of fuel")
	f.Int64Var(&q.OutputBytes, "output-bytes", 0, "bytes of its answers")
	f.Int64Var(&q.LogLines, "log-lines", 0, "lines of its log")
	f.Int64Var(&q.StateBytes, "state-bytes", 0, "bytes of keys and values in the calls of what rules remember")
	f.Int64Var(&q.Requests, "requests", 0, "requests of a monitor")
	f.Int64Var(&q.RequestBytes, "request-bytes", 0, "bytes of those and of their answers")
	f.Int64Var(&q.MemoryBytes, "memory-bytes", 0, "bytes of memory, at a moment, of all modules that are the organization's own")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := open(cmd)
		if err != nil {
			return err
		}
		usage := ask(s, vedettev1connect.NewUsageServiceClient)
		now, err := usage.GetQuota(cmd.Context(), connect.NewRequest(&v1.GetQuotaRequest{Tenant: organization}))
		if err != nil {
			return err
		}
		if given(cmd, q, now.Msg.Own) {
			if _, err := usage.SetQuota(cmd.Context(), connect.NewRequest(&v1.SetQuotaRequest{Tenant: organization, Quota: q})); err != nil {
				return err
			}
			if now, err = usage.GetQuota(cmd.Context(), connect.NewRequest(&v1.GetQuotaRequest{Tenant: organization})); err != nil {
				return err
			}
		}
		showQuota(cmd.OutOrStdout(), now.Msg)
		return nil
	}
	return addServerFlag(c)
}

// given reports whether figures were given, and fills in those that were not, from what is set.
func given(cmd *cobra.Command, q, own *v1.Quota) (some bool) {
	for name, x := range map[string][2]*int64{
		"fuel": {&q.Fuel, &own.Fuel}, "output-bytes": {&q.OutputBytes, &own.OutputBytes}, "log-lines": {&q.LogLines, &own.LogLines},
		"state-bytes": {&q.StateBytes, &own.StateBytes}, "requests": {&q.Requests, &own.Requests},
		"request-bytes": {&q.RequestBytes, &own.RequestBytes}, "memory-bytes": {&q.MemoryBytes, &own.MemoryBytes},
	} {
		if cmd.Flags().Changed(name) {
			some = true
		} else {
			*x[0] = *x[1]
		}
	}
	return some
}

func showQuota(w io.Writer, r *v1.GetQuotaResponse) {
	for _, x := range []struct {
		name     string
		own, all int64
	}{
		{"fuel", r.Own.Fuel, r.Effective.Fuel},
		{"output bytes", r.Own.OutputBytes, r.Effective.OutputBytes},
		{"log lines", r.Own.LogLines, r.Effective.LogLines},
		{"state bytes", r.Own.StateBytes, r.Effective.StateBytes},
		{"requests", r.Own.Requests, r.Effective.Requests},
		{"request bytes", r.Own.RequestBytes, r.Effective.RequestBytes},
		{"memory bytes", r.Own.MemoryBytes, r.Effective.MemoryBytes},
	} {
		most, source := fmt.Sprint(x.all), ""
		if x.all < 0 {
			most = "no bound"
		}
		if x.own == 0 {
			source = " (the host's default)"
		}
		fmt.Fprintf(w, "%-13s %s%s\n", x.name, most, source)
	}
	for _, x := range r.Rests {
		fmt.Fprintf(w, "rests         %s until %s: %s\n", printable(x.Module), clock(x.Until), printable(x.Reason))
	}
}

func exportUsage(cmd *cobra.Command, usage vedettev1connect.UsageServiceClient, req *v1.GetUsageRequest, file string) error {
	resp, err := usage.ExportUsage(cmd.Context(), connect.NewRequest(&v1.ExportUsageRequest{Query: req}))
	if err != nil {
		return err
	}
	if file == "-" {
		_, err = cmd.OutOrStdout().Write(resp.Msg.Csv)
	} else {
		err = os.WriteFile(absolute(file), resp.Msg.Csv, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the usage: %w", err)
	}
	return nil
}

// readUsage turns what was asked for at a prompt into a request.
func readUsage(from, to, step, by string, now time.Time) (*v1.GetUsageRequest, error) {
	req := &v1.GetUsageRequest{}
	for _, t := range []struct {
		name, text string
		to         **timestamppb.Timestamp
	}{{"--from", from, &req.From}, {"--to", to, &req.To}} {
		at, err := moment(t.text, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		*t.to = timestamppb.New(at)
	}
	seconds, known := map[string]uint32{"": 0, "minute": 60, "hour": 3600, "day": 86400}[step]
	if !known {
		return nil, fmt.Errorf("--step %q: want minute, hour or day", step)
	}
	req.StepSeconds = seconds
	req.Group, known = map[string]v1.UsageGroup{"module": v1.UsageGroup_USAGE_GROUP_MODULE, "organization": v1.UsageGroup_USAGE_GROUP_ORGANIZATION}[by]
	if !known {
		return nil, fmt.Errorf("--by %q: want module or organization", by)
	}
	return req, nil
}

func showUsage(cmd *cobra.Command, u *v1.GetUsageResponse, form string) error {
	p, err := newPrinter(cmd.OutOrStdout(), form, usageColumns)
	if err != nil {
		return err
	}
	all := 0.0
	for _, l := range u.Lines {
		all += l.CpuSeconds
	}
	if u.Host != nil && u.Host.CpuSeconds > 0 {
		all = u.Host.CpuSeconds
	}
	for _, l := range u.Lines {
		if err := p.print(usageRow(l, all)); err != nil {
			return err
		}
	}
	if err := p.flush(); err != nil || u.Host == nil || form != "table" {
		return err
	}
	h := u.Host
	fmt.Fprintf(cmd.OutOrStdout(), "\ninterval      %s to %s\nprocess       %.2f s of processor time\ncharged       %.2f s (%s)\nhost          %.2f s: queries, the console, the stores' own threads, what nobody sent\nrate          %.3f ns for a unit of fuel\n",
		clock(u.From), clock(u.To), h.CpuSeconds, h.ChargedSeconds, percent(h.ChargedSeconds, h.CpuSeconds), max(0, h.CpuSeconds-h.ChargedSeconds), h.NanosecondsPerFuel)
	return nil
}

func usageRow(l *v1.UsageLine, all float64) map[string]any {
	u := l.Used
	return map[string]any{
		"organization": l.Tenant, "module": l.Module, "shared": l.Shared, "cpu_seconds": fmt.Sprintf("%.3f", l.CpuSeconds), "share": percent(l.CpuSeconds, all),
		"calls": u.Calls, "records": u.Records, "events": u.Events, "findings": u.Findings, "errors": u.Errors, "skipped": u.Skipped,
		"bytes_in": u.BytesIn, "bytes_out": u.BytesOut, "fuel": u.Fuel, "log_lines": u.LogLines, "state_calls": u.StateCalls, "state_bytes": u.StateBytes,
		"requests": u.Requests, "request_bytes": u.RequestBytes, "stored": u.Stored, "stored_bytes": u.StoredBytes,
	}
}

func percent(part, whole float64) string {
	if whole <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*part/whole)
}
