package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/bill"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

type usageService struct{ *API }

// usageSteps is how many steps an answer has at most when the caller names none.
const usageSteps = 120

func (s usageService) GetUsage(ctx context.Context, req *connect.Request[v1.GetUsageRequest]) (*connect.Response[v1.GetUsageResponse], error) {
	b, p, err := s.bill(ctx, req.Header(), req.Msg, bill.Group{})
	if err != nil {
		return nil, err
	}
	out := &v1.GetUsageResponse{From: moment(b.From), To: moment(b.To), StepSeconds: uint32(b.Step / int64(time.Second))}
	for i := range b.Lines {
		l := &b.Lines[i]
		out.Lines = append(out.Lines, &v1.UsageLine{
			Tenant: uint32(l.Tenant), Module: l.Module, Shared: l.Shared, Used: totalsOf(&l.Used),
			CpuSeconds: seconds(l.CPU), CpuSeries: allSeconds(l.Series),
		})
	}
	if p.Role == storage.RoleAdmin {
		out.Host = &v1.HostUsage{
			CpuSeconds: seconds(sum(b.Process)), ChargedSeconds: seconds(sum(b.Shared)),
			CpuSeries: allSeconds(b.Process), ChargedSeries: allSeconds(b.Shared), NanosecondsPerFuel: b.Rate,
		}
	}
	return connect.NewResponse(out), nil
}

func (s usageService) ExportUsage(ctx context.Context, req *connect.Request[v1.ExportUsageRequest]) (*connect.Response[v1.ExportUsageResponse], error) {
	query := req.Msg.Query
	if query == nil {
		query = &v1.GetUsageRequest{}
	}
	b, p, err := s.bill(ctx, req.Header(), query, bill.Group{Step: true})
	if err != nil {
		return nil, err
	}
	slugs, err := s.slugs(ctx, p)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	head := []string{"from", "to", "organization", "module", "shared", "cpu_seconds"}
	for m := range storage.Measures {
		head = append(head, storage.Measure(m).String())
	}
	_ = w.Write(head) // a buffer takes everything
	row := make([]string, len(head))
	for i := range b.Lines {
		l := &b.Lines[i]
		row = append(row[:0], utc(l.At), utc(l.At+b.Step), cell(slugs[l.Tenant]), cell(l.Module), strconv.FormatBool(l.Shared), strconv.FormatFloat(seconds(l.CPU), 'f', 6, 64))
		for _, n := range l.Used {
			row = append(row, strconv.FormatInt(n, 10))
		}
		_ = w.Write(row)
	}
	w.Flush()
	day := func(ns int64) string { return time.Unix(0, ns).UTC().Format("20060102T1504") }
	return connect.NewResponse(&v1.ExportUsageResponse{Name: "usage-" + day(b.From) + "-" + day(b.To) + ".csv", Csv: out.Bytes()}), nil
}

func (s usageService) GetQuota(ctx context.Context, req *connect.Request[v1.GetQuotaRequest]) (*connect.Response[v1.GetQuotaResponse], error) {
	if _, err := s.one(ctx, req.Header(), tenant.ReadUsage, req.Msg.Tenant); err != nil {
		return nil, err
	}
	t, now := storage.Tenant(req.Msg.Tenant), s.cfg.Pipeline.Positions().LogTime
	l := s.cfg.Pipeline.Generation().Running.Layer(t)
	effective := s.cfg.Pipeline.Quota(t)
	out := &v1.GetQuotaResponse{Own: quotaOf(l.Quota), Effective: quotaOf(effective)}
	for _, name := range slices.Sorted(maps.Keys(l.Rests)) {
		if r := l.Rests[name]; r.At(now) {
			out.Rests = append(out.Rests, &v1.Rest{Module: name, Until: moment(r.Until), Reason: r.Reason})
		}
	}
	return connect.NewResponse(out), nil
}

func (s usageService) SetQuota(ctx context.Context, req *connect.Request[v1.SetQuotaRequest]) (*connect.Response[v1.SetQuotaResponse], error) {
	p, err := s.host(ctx, req.Header(), tenant.ManageTenants)
	if err != nil {
		return nil, err
	}
	t, q := storage.Tenant(req.Msg.Tenant), req.Msg.Quota
	if !p.Sees(t) {
		return nil, fmt.Errorf("set the quota of organization %s: %w", t, storage.ErrNotFound)
	}
	err = s.cfg.Control.Control(ctx, module.Control{Kind: module.SetQuota, Tenant: t, Who: p.User, Quota: &module.Quota{
		Fuel: q.GetFuel(), OutputBytes: q.GetOutputBytes(), LogLines: q.GetLogLines(), StateBytes: q.GetStateBytes(),
		Requests: q.GetRequests(), RequestBytes: q.GetRequestBytes(), MemoryBytes: q.GetMemoryBytes(),
	}})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.SetQuotaResponse{Effective: quotaOf(s.cfg.Pipeline.Quota(t))}), nil
}

func quotaOf(q module.Quota) *v1.Quota {
	return &v1.Quota{
		Fuel: q.Fuel, OutputBytes: q.OutputBytes, LogLines: q.LogLines, StateBytes: q.StateBytes,
		Requests: q.Requests, RequestBytes: q.RequestBytes, MemoryBytes: q.MemoryBytes,
	}
}

// bill makes the bill that a request asks for.
func (s usageService) bill(ctx context.Context, h http.Header, q *v1.GetUsageRequest, by bill.Group) (*bill.Bill, storage.Principal, error) {
	p, err := s.some(ctx, h, tenant.ReadUsage, q.Tenants)
	if err != nil {
		return nil, p, err
	}
	if p.Filter != "" {
		return nil, p, fmt.Errorf("usage: user %s is limited to some events, and all are counted: %w", p.User, storage.ErrForbidden)
	}
	now := s.cfg.Pipeline.Positions().LogTime
	if now == 0 {
		now = time.Now().UnixNano()
	}
	from, to, step, err := interval(q, now)
	if err != nil {
		return nil, p, fmt.Errorf("usage: %w", err)
	}
	costs, err := s.cfg.DB.UsageCosts(ctx, from, to)
	if err != nil {
		return nil, p, err
	}
	by.Tenant = q.Group == v1.UsageGroup_USAGE_GROUP_ORGANIZATION
	b, err := bill.New(from, to, step, by, costs)
	if err != nil {
		return nil, p, err
	}
	if err := s.cfg.DB.EachUsage(ctx, p, from, to, b.Add); err != nil {
		return nil, p, err
	}
	b.Sort()
	return b, p, nil
}

// interval returns what a request asks for in whole steps, ns. now is the newest log time.
func interval(q *v1.GetUsageRequest, now int64) (from, to, step int64, err error) {
	to = now + 1
	if q.To != nil {
		to = q.To.AsTime().UnixNano()
	}
	from = to - meta.UsageHour
	if q.From != nil {
		from = q.From.AsTime().UnixNano()
	}
	if from < 0 || to <= from || to > now+meta.UsageDay {
		return 0, 0, 0, fmt.Errorf("from %s to %s: want an interval that has begun: %w", utc(from), utc(to), storage.ErrInvalid)
	}
	finest := bill.Resolution(from, now)
	switch step = int64(q.StepSeconds) * int64(time.Second); step {
	case 0:
		for step = finest; (to-from)/step > usageSteps && step < meta.UsageDay; {
			step = coarser(step)
		}
	case meta.UsageMinute, meta.UsageHour, meta.UsageDay:
		if step < finest {
			return 0, 0, 0, fmt.Errorf("steps of %s: of %s they are kept by %s only: %w", time.Duration(step), utc(from), time.Duration(finest), storage.ErrInvalid)
		}
	default:
		return 0, 0, 0, fmt.Errorf("steps of %d s: want 60, 3600 or 86400: %w", q.StepSeconds, storage.ErrInvalid)
	}
	return from - from%step, to + (step-to%step)%step, step, nil
}

func coarser(step int64) int64 {
	if step < meta.UsageHour {
		return meta.UsageHour
	}
	return meta.UsageDay
}

// slugs returns the names of a principal's organizations.
func (a *API) slugs(ctx context.Context, p storage.Principal) (map[storage.Tenant]string, error) {
	list, err := a.cfg.DB.ListTenants(ctx, p)
	if err != nil {
		return nil, err
	}
	out := make(map[storage.Tenant]string, len(list))
	for _, o := range list {
		out[o.Tenant] = o.Slug
	}
	return out, nil
}

// cell keeps spreadsheets from taking a name for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func utc(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }

func seconds(ns int64) float64 { return float64(ns) / float64(time.Second) }

func allSeconds(ns []int64) []float64 {
	out := make([]float64, len(ns))
	for i, n := range ns {
		out[i] = seconds(n)
	}
	return out
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}

func totalsOf(u *storage.Used) *v1.UsageTotals {
	n := func(m storage.Measure) uint64 { return uint64(u[m]) }
	return &v1.UsageTotals{
		Calls: n(storage.Calls), Records: n(storage.Records), Events: n(storage.Events), Findings: n(storage.Findings), Errors: n(storage.Errors),
		Skipped: n(storage.Skipped), BytesIn: n(storage.BytesIn), BytesOut: n(storage.BytesOut), Fuel: n(storage.Fuel), LogLines: n(storage.LogLines),
		StateCalls: n(storage.StateCalls), StateBytes: n(storage.StateBytes), Requests: n(storage.Requests), RequestBytes: n(storage.RequestBytes),
		Stored: n(storage.Stored), StoredBytes: n(storage.StoredBytes),
	}
}
