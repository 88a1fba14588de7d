package api_test

import (
	"context"
	"maps"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func init() { maps.Copy(crossings, admissionCrossings) }

// admissionCrossings are those of what decides about modules before they run.
var admissionCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.BacktestService.BacktestModule": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		stream, err := u.backtests.BacktestModule(ctx, req(&v1.BacktestModuleRequest{
			Tenant: w.alpha, Name: "doors", Candidate: &v1.BacktestModuleRequest_Spec{Spec: doorSpec},
		}))
		if err != nil {
			return false, err
		}
		defer stream.Close()
		for stream.Receive() {
			if r := stream.Msg().Report; r != nil {
				return r.Records > 0, nil
			}
		}
		return false, stream.Err()
	}},
	"vedette.v1.AdmissionService.ListInstallRequests": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		r, err := u.admission.ListInstallRequests(ctx, req(&v1.ListInstallRequestsRequest{Tenants: on, All: true}))
		return err == nil && alphas(w, r.Msg.Requests, (*v1.InstallRequest).GetTenant), err
	}},
	"vedette.v1.AdmissionService.DecideInstallRequest": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.admission.DecideInstallRequest(ctx, req(&v1.DecideInstallRequestRequest{Id: w.waiting, Note: "no"}))
		if connect.CodeOf(err) == connect.CodeAborted { // decided by who may
			return true, nil
		}
		return err == nil && r.Msg.Request.State == "rejected", err
	}},
	"vedette.v1.AdmissionService.SaveCase": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := u.admission.SaveCase(ctx, req(&v1.SaveCaseRequest{Incident: w.incident}))
		if err != nil {
			return false, err
		}
		_, err = w.ann.admission.DeleteCase(ctx, req(&v1.DeleteCaseRequest{Tenant: w.alpha, Id: r.Msg.Case.Id})) // later cases install that rule
		return r.Msg.Case.Tenant == w.alpha, err
	}},
	"vedette.v1.AdmissionService.ListCases": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		_, err := u.admission.ListCases(ctx, req(&v1.ListCasesRequest{Tenant: w.alpha}))
		return err == nil, err
	}},
	"vedette.v1.AdmissionService.DeleteCase": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		if _, err := w.ann.admission.SaveCase(ctx, req(&v1.SaveCaseRequest{Incident: w.incident})); err != nil && connect.CodeOf(err) != connect.CodeAborted {
			return false, err
		}
		list, err := w.ann.admission.ListCases(ctx, req(&v1.ListCasesRequest{Tenant: w.alpha}))
		if err != nil || len(list.Msg.Cases) == 0 {
			return false, err
		}
		_, err = u.admission.DeleteCase(ctx, req(&v1.DeleteCaseRequest{Tenant: w.alpha, Id: list.Msg.Cases[0].Id}))
		return err == nil, err
	}},
}
