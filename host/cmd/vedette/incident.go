package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

var incidentColumns = []string{"last_seen", "severity", "state", "count", "organization", "title", "key", "id"}

func newIncidents() *cobra.Command {
	var output string
	req := &v1.ListIncidentsRequest{}
	c := &cobra.Command{
		Use:   "incidents",
		Short: "List incidents, the one opened last first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := open(cmd)
			if err != nil {
				return err
			}
			resp, err := ask(s, vedettev1connect.NewIncidentServiceClient).ListIncidents(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			columns := incidentColumns
			if output == "csv" {
				columns = []string{"id", "organization", "rule", "title", "severity", "state", "verdict", "assignee", "count", "first_seen", "last_seen", "key", "techniques"}
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, columns)
			if err != nil {
				return err
			}
			for _, in := range resp.Msg.Incidents {
				if err := p.print(incidentRecord(in)); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().StringSliceVar(&req.States, "state", nil, "open, acknowledged, resolved")
	c.Flags().StringSliceVar(&req.Severities, "severity", nil, "informational, low, medium, high, critical")
	c.Flags().StringVar(&req.Rule, "rule", "", "rule id")
	c.Flags().StringVar(&req.Text, "text", "", "found in title, rule name or key")
	c.Flags().Uint32Var(&req.Limit, "limit", 100, "the most incidents to print, up to 1,000")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newIncident() *cobra.Command {
	c := &cobra.Command{Use: "incident", Short: "Show one incident, or work on it"}
	act := func(use, short, action string, args cobra.PositionalArgs) *cobra.Command {
		return addServerFlag(&cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			return actOn(cmd, args[0], action, strings.Join(args[1:], " "))
		}})
	}
	c.AddCommand(
		newIncidentCase(),
		newIncidentShow(),
		act("ack ID", "Acknowledge an incident: somebody is on it", "acknowledge", cobra.ExactArgs(1)),
		act("reopen ID", "Open an incident again", "reopen", cobra.ExactArgs(1)),
		act("resolve ID VERDICT", "Resolve an incident as true_positive, false_positive, benign or duplicate", "resolve", cobra.ExactArgs(2)),
		act("assign ID [USER]", "Give an incident to somebody, or to nobody", "assign", cobra.RangeArgs(1, 2)),
		act("comment ID TEXT…", "Write into an incident's history", "comment", cobra.MinimumNArgs(2)),
		act("merge ID INTO", "Resolve an incident as a duplicate of another, which goes on", "merge", cobra.ExactArgs(2)),
		act("severity ID WORD", "Set the severity: informational, low, medium, high or critical", "severity", cobra.ExactArgs(2)),
	)
	return c
}

func actOn(cmd *cobra.Command, id, action, argument string) error {
	s, err := open(cmd)
	if err != nil {
		return err
	}
	resp, err := ask(s, vedettev1connect.NewIncidentServiceClient).ActOnIncident(cmd.Context(),
		connect.NewRequest(&v1.ActOnIncidentRequest{Id: id, Action: action, Argument: argument}))
	if err != nil {
		return err
	}
	in := resp.Msg.Incident
	fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %s  %s\n", in.Id, in.Severity, stateOf(in), printable(in.Title))
	return nil
}

func newIncidentShow() *cobra.Command {
	return addServerFlag(&cobra.Command{
		Use:   "show ID",
		Short: "Show an incident with its evidence and history",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd)
			if err != nil {
				return err
			}
			resp, err := ask(s, vedettev1connect.NewIncidentServiceClient).GetIncident(cmd.Context(), connect.NewRequest(&v1.GetIncidentRequest{Id: args[0]}))
			if err != nil {
				return err
			}
			in, why, out := resp.Msg.Incident, resp.Msg.Explanation, cmd.OutOrStdout()
			fmt.Fprintf(out, "%s\n%s  %s  %d times  %s – %s\nrule %s %s\n", printable(why.GetHeadline()), in.Severity, stateOf(in), in.Count,
				clock(in.FirstSeen), clock(in.LastSeen), printable(in.Rule), printable(in.RuleVersion))
			for _, name := range slices.Sorted(maps.Keys(in.Key)) {
				fmt.Fprintf(out, "  %s = %s\n", printable(name), printable(in.Key[name]))
			}
			for _, c := range in.Conditions {
				fmt.Fprintf(out, "  %s: %s, was %s\n", printable(c.Sub), printable(c.Expr), printable(c.Actual))
			}
			fmt.Fprintln(out, "evidence")
			for _, e := range in.Evidence {
				fmt.Fprintf(out, "  %s  %s  %s\n", clock(e.Time), e.EventId, printable(e.Sub))
			}
			fmt.Fprintln(out, "about")
			for _, e := range in.Entities {
				fmt.Fprintf(out, "  %s %s\n", printable(e.Kind), printable(e.Value))
			}
			fmt.Fprintln(out, "what to do")
			for i, step := range why.GetNextSteps() {
				fmt.Fprintf(out, "  %d. %s\n", i+1, printable(step))
			}
			fmt.Fprintln(out, "history")
			for _, h := range resp.Msg.History {
				fmt.Fprintf(out, "  %s  %s  %s  %s\n", clock(h.At), printable(h.Who), h.What, printable(h.Detail))
			}
			return nil
		},
	})
}

func incidentRecord(in *v1.Incident) map[string]any {
	var key []string
	for _, name := range slices.Sorted(maps.Keys(in.Key)) {
		key = append(key, name+"="+in.Key[name])
	}
	return map[string]any{
		"id": in.Id, "organization": in.Tenant, "rule": in.Rule, "title": in.Title, "severity": in.Severity, "state": in.State,
		"verdict": in.Verdict, "assignee": in.Assignee, "count": in.Count, "first_seen": clock(in.FirstSeen), "last_seen": clock(in.LastSeen),
		"key": key, "techniques": in.Techniques,
	}
}

func stateOf(in *v1.Incident) string {
	if in.Verdict != "" {
		return in.State + " as " + in.Verdict
	}
	return in.State
}

func clock(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}
