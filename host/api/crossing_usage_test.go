package api_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func init() { maps.Copy(crossings, usageCrossings) }

func usageOf(w *world, u *who) vedettev1connect.UsageServiceClient {
	return vedettev1connect.NewUsageServiceClient(&http.Client{Transport: bearer(u.token)}, w.url)
}

// counted waits until what alpha's own parser took is written, which is done every ten seconds.
func (w *world) counted(ctx context.Context) (*v1.GetUsageResponse, error) {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		r, err := usageOf(w, w.admin).GetUsage(ctx, req(&v1.GetUsageRequest{}))
		if err != nil {
			return nil, err
		}
		for _, l := range r.Msg.Lines {
			if l.Tenant == w.alpha && l.Module == "crossing/trap" {
				return r.Msg, nil
			}
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var usageCrossings = map[protoreflect.FullName]crossing{
	"vedette.v1.UsageService.GetUsage": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if _, err := w.counted(ctx); err != nil {
			return false, err
		}
		r, err := usageOf(w, u).GetUsage(ctx, req(&v1.GetUsageRequest{Tenants: on}))
		return err == nil && (r.Msg.Host != nil || alphas(w, r.Msg.Lines, (*v1.UsageLine).GetTenant)), err
	}},
	"vedette.v1.UsageService.ExportUsage": {open: true, call: func(ctx context.Context, w *world, u *who, on []uint32) (bool, error) {
		if _, err := w.counted(ctx); err != nil {
			return false, err
		}
		r, err := usageOf(w, u).ExportUsage(ctx, req(&v1.ExportUsageRequest{Query: &v1.GetUsageRequest{Tenants: on}}))
		return err == nil && strings.Contains(string(r.Msg.Csv), ",alpha,"), err
	}},
	"vedette.v1.UsageService.GetQuota": {call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := usageOf(w, u).GetQuota(ctx, req(&v1.GetQuotaRequest{Tenant: w.alpha}))
		return err == nil && r.Msg.Effective.Fuel > 0, err
	}},
	"vedette.v1.UsageService.SetQuota": {right: admin, call: func(ctx context.Context, w *world, u *who, _ []uint32) (bool, error) {
		r, err := usageOf(w, u).SetQuota(ctx, req(&v1.SetQuotaRequest{Tenant: w.alpha, Quota: &v1.Quota{LogLines: 77}}))
		return err == nil && r.Msg.Effective.LogLines == 77, err
	}},
}

// What an admin is told adds up; others see their own organization and nothing of the host; what is wrong with a request
// is said.
func TestUsage(t *testing.T) {
	w := newWorld(t)
	u, err := w.counted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := 0.0
	for _, l := range u.Lines {
		lines += l.CpuSeconds
		switch {
		case l.Tenant == w.alpha && l.Module == "crossing/trap":
			if l.Shared || l.Used.Errors != 1 || l.Used.Fuel == 0 || len(l.CpuSeries) != int(u.To.AsTime().Sub(u.From.AsTime())/time.Minute) {
				t.Errorf("alpha's parser: %v", l)
			}
		case l.Module == "":
			if l.Used.Records == 0 || l.Used.Stored == 0 || l.Used.StoredBytes <= l.Used.BytesIn {
				t.Errorf("organization %d: %v", l.Tenant, l)
			}
		}
	}
	if u.StepSeconds != 60 || u.Host.GetCpuSeconds() <= 0 || u.Host.ChargedSeconds > u.Host.CpuSeconds || lines > u.Host.ChargedSeconds*1.001 {
		t.Errorf("lines of %v s; %v", lines, u.Host)
	}
	now := time.Now()
	at := func(ago time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(-ago)) }
	for _, c := range []struct {
		q    *v1.GetUsageRequest
		step uint32
		why  string
		code connect.Code
	}{
		{q: &v1.GetUsageRequest{From: at(2 * time.Hour)}, step: 60},
		{q: &v1.GetUsageRequest{From: at(24 * time.Hour)}, step: 3600},
		{q: &v1.GetUsageRequest{From: at(30 * 24 * time.Hour), Group: v1.UsageGroup_USAGE_GROUP_ORGANIZATION}, step: 86400},
		{q: &v1.GetUsageRequest{From: at(30 * 24 * time.Hour), StepSeconds: 3600}, step: 3600},
		{q: &v1.GetUsageRequest{From: at(40 * 24 * time.Hour), StepSeconds: 3600}, why: "they are kept by 24h0m0s only", code: connect.CodeInvalidArgument},
		{q: &v1.GetUsageRequest{StepSeconds: 10}, why: "want 60, 3600 or 86400", code: connect.CodeInvalidArgument},
		{q: &v1.GetUsageRequest{From: at(0), To: at(time.Hour)}, why: "want an interval that has begun", code: connect.CodeInvalidArgument},
	} {
		r, err := usageOf(w, w.ann).GetUsage(t.Context(), req(c.q))
		if c.why != "" {
			if connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %v", c.why, err)
			}
			continue
		}
		if err != nil || r.Msg.StepSeconds != c.step || r.Msg.Host != nil || len(r.Msg.Lines) == 0 {
			t.Errorf("%v: %v %v", c.q, r, err)
		}
	}
	csv, err := usageOf(w, w.ann).ExportUsage(t.Context(), req(&v1.ExportUsageRequest{}))
	if err != nil || !strings.HasPrefix(string(csv.Msg.Csv), "from,to,organization,module,shared,cpu_seconds,calls,") || !strings.Contains(string(csv.Msg.Csv), ",alpha,crossing/trap,false,") {
		t.Errorf("%v %v", csv, err)
	}
}
