package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// organizationFlag adds --organization, 0 for the caller's only one.
func organizationFlag(c *cobra.Command, to *uint32) *cobra.Command {
	c.Flags().Uint32Var(to, "organization", 0, "number of the organization (default: yours, when you have one)")
	return addServerFlag(c)
}

func newWhy() *cobra.Command {
	return addServerFlag(&cobra.Command{
		Use:   "why EVENT RULE",
		Short: "Say why an event takes part in a rule, or the first test that failed",
		Long: `Say why a stored event takes part in a rule that is installed, or does not: of each sub-pattern the first test that failed,
with what it wants beside what the event has. EVENT is an event's id, as search and incidents show it.`,
		Example: "  vedette why 4711-0-0-12-0 ssh-brute-force",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := askRules(cmd)
			if err != nil {
				return err
			}
			resp, err := rules.ExplainEvent(cmd.Context(), connect.NewRequest(&v1.ExplainEventRequest{Event: args[0], Rule: args[1]}))
			if err != nil {
				return err
			}
			showWhy(cmd.OutOrStdout(), resp.Msg)
			return nil
		},
	})
}

func showWhy(w io.Writer, m *v1.ExplainEventResponse) {
	v := m.Verdict
	answer := "takes no part in"
	if v.Matches {
		answer = "takes part in"
	}
	fmt.Fprintf(w, "the event %s %s (%s)\n", answer, printable(v.RuleName), printable(v.Rule))
	for _, note := range v.Notes {
		fmt.Fprintf(w, "  %s\n", printable(note))
	}
	for _, s := range v.Subs {
		yes := "no"
		if s.Matches {
			yes = "yes"
		}
		fmt.Fprintf(w, "  %s: %s\n", printable(cmp.Or(s.Title, s.Sub)), yes)
		for _, t := range s.Tests {
			fmt.Fprintf(w, "    %s\n", spelled(t.Text))
		}
	}
	if st := m.State; st != nil {
		fmt.Fprintf(w, "  now, for %s\n", printable(keyLine(st.Key)))
		for _, step := range st.Steps {
			fmt.Fprintf(w, "    %s\n", spelled(step))
		}
	}
}

// keyLine is a key on one line, by name.
func keyLine(key map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		parts = append(parts, name+"="+key[name])
	}
	return strings.Join(parts, ", ")
}

func newRuleBacktest() *cobra.Command {
	req := &v1.BacktestRuleRequest{}
	var last time.Duration
	c := ruleTrial("backtest FILE", "Say which incidents a rule would have raised from stored events", req, func() { req.Last = durationpb.New(last) })
	c.Flags().DurationVar(&last, "last", 24*time.Hour, "how far back, at most 720h")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "events that are looked at, the newest (default 50,000, at most 100,000)")
	return c
}

func newRuleShadow() *cobra.Command {
	req := &v1.BacktestRuleRequest{}
	var length time.Duration
	c := ruleTrial("shadow FILE", "Run a rule beside the live stream for a while, and say what it raises", req, func() { req.Shadow = durationpb.New(length) })
	c.Flags().DurationVar(&length, "for", time.Minute, "how long, at most 10m")
	return c
}

// ruleTrial makes a command that tries a document on a host's events. Nothing of it is kept.
func ruleTrial(use, short string, req *v1.BacktestRuleRequest, fill func()) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("output %q, want text or json", output)
			}
			b, err := os.ReadFile(absolute(args[0]))
			if err != nil {
				return fmt.Errorf("read the rule: %w", err)
			}
			req.Text = string(b)
			fill()
			report, err := tryRule(cmd, req, output == "text")
			if err != nil {
				return err
			}
			if output == "json" {
				b, err := protojson.MarshalOptions{Multiline: true}.Marshal(report)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
				return err
			}
			showRuleBacktest(cmd.OutOrStdout(), report)
			return nil
		},
	}
	c.Flags().StringVar(&req.Rule, "rule", "", "id of one rule of the document (default: all)")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return organizationFlag(c, &req.Tenant)
}

// tryRule asks the host, tells on stderr how far it is, and returns the report.
func tryRule(cmd *cobra.Command, req *v1.BacktestRuleRequest, tell bool) (*v1.RuleBacktest, error) {
	rules, err := askRules(cmd)
	if err != nil {
		return nil, err
	}
	stream, err := rules.BacktestRule(cmd.Context(), connect.NewRequest(req))
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // the report is here, or an error says why not
	for stream.Receive() {
		m := stream.Msg()
		if m.Report != nil {
			return m.Report, nil
		}
		for _, in := range m.News {
			if tell {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s  %-8s %s\n", clock(in.Last), in.Severity, printable(in.Title))
			}
		}
		if tell && m.Phase == "stored" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d events, %d incidents\n", m.Events, m.Incidents)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	return nil, errors.New("the host ended the trial without a report")
}

func showRuleBacktest(w io.Writer, r *v1.RuleBacktest) {
	fmt.Fprintf(w, "events     %d, of which %d take part", r.Events, r.Matched)
	if r.From != nil {
		fmt.Fprintf(w, "; received %s to %s", clock(r.From), clock(r.To))
	}
	if r.Truncated {
		fmt.Fprint(w, " (the newest: there are more)")
	}
	if r.LiveEvents > 0 || r.LiveDropped > 0 {
		fmt.Fprintf(w, "; %d of them live, %d left out", r.LiveEvents, r.LiveDropped)
	}
	fmt.Fprintf(w, "\nincidents  %d\n", r.Total)
	for _, in := range r.Incidents[max(0, len(r.Incidents)-shownIncidents):] {
		fmt.Fprintf(w, "  %s  %-8s %d times  %s\n", clock(in.Last), in.Severity, in.Count, printable(in.Title))
		for _, c := range in.Conditions {
			fmt.Fprintf(w, "    %s: %s, was %s\n", printable(c.Sub), printable(c.Expr), printable(c.Actual))
		}
	}
	if r.Ended != "" {
		fmt.Fprintf(w, "ended early  %s\n", r.Ended)
	}
}

func newRuleInstall() *cobra.Command {
	req := &v1.SaveRuleRequest{}
	c := &cobra.Command{
		Use:   "install FILE",
		Short: "Install a document as a rule of the organization's own",
		Long: `Install a document as a rule of the organization's own, as the package local/RULE, in the place of the version before: its
tests are run first, and what the rule has seen is kept as far as it can be. What is refused changes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(absolute(args[0]))
			if err != nil {
				return fmt.Errorf("read the rule: %w", err)
			}
			req.Text = string(b)
			rules, err := askRules(cmd)
			if err != nil {
				return err
			}
			resp, err := rules.SaveRule(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, r := range resp.Msg.Rules {
				fmt.Fprintf(out, "%s %s runs, from %s %s; %d tests passed\n", printable(r.Id), r.Version, r.Package, r.PackageVersion, resp.Msg.Cases)
				showReach(out, r)
			}
			for _, line := range slices.Concat(resp.Msg.State, resp.Msg.Warnings) {
				fmt.Fprintf(out, "  %s\n", printable(line))
			}
			return nil
		},
	}
	c.Flags().Uint32Var(&req.Tenant, "organization", 0, "number of the organization; 0 for all (admin only)")
	return addServerFlag(c)
}

// showReach says why a rule would never fire.
func showReach(w io.Writer, r *v1.Rule) {
	for _, n := range r.Reach.GetMissing() {
		fmt.Fprintf(w, "  it would never fire here: %s\n", printable(n.Text))
	}
	for _, l := range r.Reach.GetLists() {
		fmt.Fprintf(w, "  it uses the list %s, which is not there\n", printable(l))
	}
	if len(r.Unmapped) > 0 {
		fmt.Fprintf(w, "  no field here is known as %s\n", printable(strings.Join(r.Unmapped, ", ")))
	}
}

var (
	ruleColumns  = []string{"state", "severity", "fires_24h", "id", "name", "package", "techniques", "remarks"}
	statsColumns = []string{"id", "fires_24h", "fires_7d", "last_fired", "unresolved", "true_positive", "false_positive", "benign", "duplicate"}
)

func newRuleList() *cobra.Command {
	return ruleTable("list", "List the rules that are installed, as an organization runs them", ruleColumns)
}

func newRuleStats() *cobra.Command {
	return ruleTable("stats", "Say how often rules fired, and what people said of their incidents", statsColumns)
}

func ruleTable(use, short string, columns []string) *cobra.Command {
	req := &v1.ListRulesRequest{}
	var output, text string
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		rules, err := askRules(cmd)
		if err != nil {
			return err
		}
		resp, err := rules.ListRules(cmd.Context(), connect.NewRequest(req))
		if err != nil {
			return err
		}
		p, err := newPrinter(cmd.OutOrStdout(), output, columns)
		if err != nil {
			return err
		}
		for _, r := range resp.Msg.Rules {
			if !strings.Contains(strings.ToLower(r.Id+" "+r.Name+" "+r.Package), strings.ToLower(text)) {
				continue
			}
			if err := p.print(ruleRecord(r)); err != nil {
				return err
			}
		}
		return p.flush()
	}}
	c.Flags().StringVar(&text, "text", "", "only rules with this in id, name or package")
	addOutputFlag(c, &output)
	return organizationFlag(c, &req.Tenant)
}

func ruleRecord(r *v1.Rule) map[string]any {
	state := "on"
	if !r.Enabled {
		state = r.Off
	}
	var techniques, remarks []string
	for _, t := range r.Techniques {
		techniques = append(techniques, t.Id)
	}
	for _, n := range r.Reach.GetMissing() {
		remarks = append(remarks, n.Text)
	}
	slices.Sort(remarks)
	remarks = slices.Compact(remarks)
	for _, l := range r.Reach.GetLists() {
		remarks = append(remarks, "no list "+l)
	}
	if r.Tests.GetCount() == 0 {
		remarks = append(remarks, "no tests")
	}
	u := r.Use
	return map[string]any{
		"id": r.Id, "name": r.Name, "version": r.Version, "severity": r.Severity, "language": r.Language, "package": r.Package, "organization": r.Tenant,
		"state": state, "techniques": techniques, "remarks": remarks, "exceptions": r.Exceptions, "author": r.Author, "license": r.License,
		"fires_24h": u.GetFiresDay(), "fires_7d": u.GetFiresWeek(), "last_fired": clock(u.GetLastFired()), "unresolved": u.GetUnresolved(),
		"true_positive": u.GetTruePositives(), "false_positive": u.GetFalsePositives(), "benign": u.GetBenign(), "duplicate": u.GetDuplicates(),
	}
}

func newRuleSwitch(on bool) *cobra.Command {
	req := &v1.SetRuleEnabledRequest{Enabled: on}
	word, short := "disable", "Switch one rule off; the rest of its package goes on"
	if on {
		word, short = "enable", "Switch one rule on again"
	}
	c := &cobra.Command{Use: word + " RULE", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		req.Id = args[0]
		rules, err := askRules(cmd)
		if err != nil {
			return err
		}
		resp, err := rules.SetRuleEnabled(cmd.Context(), connect.NewRequest(req))
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", printable(req.Id), printable(fmt.Sprint(ruleRecord(resp.Msg.Rule)["state"])))
		return nil
	}}
	if !on {
		c.Flags().StringVar(&req.Reason, "reason", "", "why, for those who look at it later")
	}
	c.Flags().Uint32Var(&req.Tenant, "organization", 0, "number of the organization; 0 for all (admin only)")
	return addServerFlag(c)
}

func newRuleExcept() *cobra.Command {
	add, remove := &v1.AddExceptionRequest{}, &v1.RemoveExceptionRequest{}
	var length time.Duration
	c := &cobra.Command{
		Use:   "except RULE",
		Short: "Keep events of an organization from a rule",
		Long: `Keep events of an organization from a rule: what --where selects takes no part in it from now on. The rule's package stays
as it is, and what the rule has seen is kept. --remove takes an exception away by its number, which list -o json and the
console show.`,
		Example: `  vedette rule except ssh-brute-force --organization 1 --where 'source.ip|cidr: 10.9.0.0/16' --reason 'our scanner' --for 720h`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := askRules(cmd)
			if err != nil {
				return err
			}
			if remove.Id != 0 {
				remove.Rule, remove.Tenant = args[0], add.Tenant
				_, err := rules.RemoveException(cmd.Context(), connect.NewRequest(remove))
				return err
			}
			if add.Rule = args[0]; length > 0 {
				add.Until = timestamppb.New(time.Now().Add(length))
			}
			resp, err := rules.AddException(cmd.Context(), connect.NewRequest(add))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "exception %d from %s\n", resp.Msg.Exception.GetId(), printable(add.Rule))
			return nil
		},
	}
	c.Flags().StringVar(&add.Where, "where", "", "what it selects, as a pattern's where: YAML")
	c.Flags().StringVar(&add.Reason, "reason", "", "why")
	c.Flags().DurationVar(&length, "for", 0, "how long it lasts (default: until somebody takes it away)")
	c.Flags().Uint64Var(&remove.Id, "remove", 0, "number of an exception to take away")
	c.Flags().Uint32Var(&add.Tenant, "organization", 0, "number of the organization")
	return addServerFlag(c)
}

func newRuleCoverage() *cobra.Command {
	req := &v1.GetCoverageRequest{Navigator: true}
	var navigator bool
	c := &cobra.Command{
		Use:   "coverage",
		Short: "Say which techniques of ATT&CK are covered",
		Long: `Say which techniques of ATT&CK are covered: a rule of it is on, its tests pass, and what it needs arrived within 24 hours.
With --navigator a layer of the ATT&CK Navigator is printed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := askRules(cmd)
			if err != nil {
				return err
			}
			resp, err := rules.GetCoverage(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if navigator {
				_, err := fmt.Fprintln(out, resp.Msg.Navigator)
				return err
			}
			for _, t := range resp.Msg.Tactics {
				for _, x := range t.Techniques {
					for _, one := range append([]*v1.TechniqueCoverage{x}, x.Subs...) {
						if one.State != "none" {
							fmt.Fprintf(out, "%-8s  %-20s  %-9s  %s: %s\n", one.State, t.Name, one.Id, one.Name, printable(strings.Join(one.Rules, ", ")))
						}
					}
				}
			}
			fmt.Fprintf(out, "%d techniques have rules, %d are covered\n", resp.Msg.Named, resp.Msg.Covered)
			return nil
		},
	}
	c.Flags().BoolVar(&navigator, "navigator", false, "print a layer of the ATT&CK Navigator")
	return organizationFlag(c, &req.Tenant)
}
