package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func askAdmission(cmd *cobra.Command) (vedettev1connect.AdmissionServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewAdmissionServiceClient), nil
}

func newModuleApprovals() *cobra.Command {
	req := &v1.ListInstallRequestsRequest{}
	var output string
	c := &cobra.Command{
		Use:   "approvals",
		Short: "List installations that wait for an admin, because they ask for more than they were granted",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			admission, err := askAdmission(cmd)
			if err != nil {
				return err
			}
			resp, err := admission.ListInstallRequests(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), output, []string{"id", "state", "organization", "module", "version", "running", "missing", "reasons", "who", "at"})
			if err != nil {
				return err
			}
			for _, r := range resp.Msg.Requests {
				var reasons []string
				for _, a := range r.Asks {
					reasons = append(reasons, a.Reason)
				}
				if err := p.print(map[string]any{
					"id": strconv.FormatUint(r.Id, 10), "state": r.State, "organization": strconv.Itoa(int(r.Tenant)), "module": r.Module, "version": r.Version,
					"running": r.Running, "missing": strings.Join(r.Missing, " "), "reasons": strings.Join(reasons, "; "), "who": r.Who,
					"at": r.At.AsTime().Format(time.RFC3339),
				}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	c.Flags().BoolVar(&req.All, "all", false, "also those that were decided")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func newModuleApprove() *cobra.Command {
	return decide("approve ID", "Grant what an installation asks for, and install it with every check", true)
}

func newModuleReject() *cobra.Command {
	return decide("reject ID", "Refuse an installation that waits for approval", false)
}

func decide(use, short string, approve bool) *cobra.Command {
	var note string
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("request %q: want the number that `vedette module approvals` shows", args[0])
			}
			admission, err := askAdmission(cmd)
			if err != nil {
				return err
			}
			resp, err := admission.DecideInstallRequest(cmd.Context(), connect.NewRequest(&v1.DecideInstallRequestRequest{Id: id, Approve: approve, Note: note}))
			if err != nil {
				return err
			}
			r := resp.Msg.Request
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "request %d: %s %s %s\n", r.Id, printable(r.Module), printable(r.Version), r.State)
			return err
		},
	}
	c.Flags().StringVar(&note, "note", "", "why, for who asked")
	return addServerFlag(c)
}

func newIncidentCase() *cobra.Command {
	req := &v1.SaveCaseRequest{}
	c := &cobra.Command{
		Use:   "case ID",
		Short: "Keep the events of a false positive, so that no later version of its rule fires on them",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Incident = args[0]
			admission, err := askAdmission(cmd)
			if err != nil {
				return err
			}
			resp, err := admission.SaveCase(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "case %d of %s: versions whose rule %s fires on these events are not installed\n",
				resp.Msg.Case.Id, printable(resp.Msg.Case.Module), printable(resp.Msg.Case.Rule))
			return err
		},
	}
	c.Flags().BoolVar(&req.Shared, "shared", false, "for the rule of all organizations (admin only)")
	return addServerFlag(c)
}
