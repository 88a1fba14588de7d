package api

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// Preview asks what records would become. At most one of Package, Spec and Name is set; without one, the records go
// where they would go now.
type Preview struct {
	Tenant  storage.Tenant
	Package *registry.Artifact
	Spec    []byte // of a declarative parser, YAML; nil for none
	Name    string // of what runs
	Records []queue.Record
}

// Previewed is what they became.
type Previewed struct {
	Problems []*v1.Problem    // of a spec; then nothing was run
	Records  []pipeline.Tried // one for each record
	Fuel     int64
	Took     time.Duration
}

func (s moduleService) PreviewModule(ctx context.Context, req *connect.Request[v1.PreviewModuleRequest]) (*connect.Response[v1.PreviewModuleResponse], error) {
	p, err := s.previewer(ctx, req.Header(), req.Msg)
	if err != nil {
		return nil, err
	}
	c := Preview{Tenant: storage.Tenant(req.Msg.Tenant)}
	switch x := req.Msg.Candidate.(type) {
	case *v1.PreviewModuleRequest_Package:
		pkg, err := readPackage(x.Package)
		if err != nil {
			return nil, fmt.Errorf("preview: %w", err)
		}
		c.Package = &pkg.Artifact
	case *v1.PreviewModuleRequest_Spec:
		c.Spec = append([]byte{}, x.Spec...)
	case *v1.PreviewModuleRequest_Name:
		c.Name = x.Name
	}
	if c.Records, err = s.previewRecords(ctx, p, req.Msg); err != nil {
		return nil, err
	}
	done, err := s.cfg.Modules.Preview(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &v1.PreviewModuleResponse{Problems: done.Problems, Fuel: uint64(done.Fuel), Milliseconds: float64(done.Took) / float64(time.Millisecond)}
	for i := range done.Records {
		out.Results = append(out.Results, resultOf(c.Tenant, c.Records[i].Raw, &done.Records[i]))
	}
	return connect.NewResponse(out), nil
}

// previewer returns who asks for a preview, if they may: running foreign code takes the right to install it, what is
// installed anybody may try who may see it, and the organization's own records whoever may read them.
func (s moduleService) previewer(ctx context.Context, h map[string][]string, m *v1.PreviewModuleRequest) (storage.Principal, error) {
	if m.Tenant == 0 {
		return storage.Principal{}, fmt.Errorf("preview: no organization is named: %w", storage.ErrInvalid)
	}
	action := tenant.ReadModules
	if m.GetPackage() != nil || m.Candidate != nil && m.GetName() == "" {
		action = tenant.ManageModules
	}
	p, err := s.one(ctx, h, action, m.Tenant)
	if err == nil && m.From != "" {
		err = tenant.Authorize(p, tenant.ReadEvents, storage.Tenant(m.Tenant))
	}
	return p, err
}

// readPackage reads a package that a user sent.
func readPackage(b []byte) (layout.Package, error) {
	if len(b) > MaxPackageBytes {
		return layout.Package{}, fmt.Errorf("a package of %d bytes, the limit is %d: %w", len(b), MaxPackageBytes, storage.ErrExhausted)
	}
	pkg, err := layout.ImportPackage(bytes.NewReader(b))
	if err != nil {
		return layout.Package{}, fmt.Errorf("refused at the package: %w: %w", err, storage.ErrInvalid)
	}
	return pkg, nil
}

// previewRecords returns the samples of a request and the organization's records that it asks for.
func (s moduleService) previewRecords(ctx context.Context, p storage.Principal, m *v1.PreviewModuleRequest) ([]queue.Record, error) {
	if err := checkSamples(m.Samples); err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	if m.Limit > MaxSamples {
		return nil, fmt.Errorf("preview: %d records, the limit is %d: %w", m.Limit, MaxSamples, storage.ErrExhausted)
	}
	now := time.Now().UnixNano()
	var out []queue.Record
	for _, sample := range m.Samples {
		// A pasted line may end in what no received record does.
		out = append(out, queue.Record{Raw: bytes.TrimRight(sample, "\r\n"), Received: now, Source: queue.Source{Listener: "preview"}})
	}
	limit := int(m.Limit)
	if limit == 0 {
		limit = DefaultPreviewRecords
	}
	var rows []logs.Row
	var err error
	switch m.From {
	case "":
	case "recent":
		rows, err = s.newest(ctx, p, "", limit)
	case "unparsed":
		rows, err = s.newest(ctx, p, unread, limit)
	default:
		return nil, fmt.Errorf("preview: records %q, want recent or unparsed: %w", m.From, storage.ErrInvalid)
	}
	for i := range rows {
		e, bad := rows[i].Event()
		if bad != nil {
			return nil, bad
		}
		out = append(out, pipeline.RecordOf(&e))
	}
	return out, err
}

// checkSamples holds pasted records to their limits.
func checkSamples(samples [][]byte) error {
	if len(samples) > MaxSamples {
		return fmt.Errorf("%d samples, the limit is %d: %w", len(samples), MaxSamples, storage.ErrExhausted)
	}
	for i, sample := range samples {
		if len(sample) > MaxSampleBytes {
			return fmt.Errorf("sample %d has %d bytes, the limit is %d: %w", i+1, len(sample), MaxSampleBytes, storage.ErrExhausted)
		}
	}
	return nil
}

func resultOf(t storage.Tenant, raw []byte, x *pipeline.Tried) *v1.PreviewResult {
	out := &v1.PreviewResult{Raw: raw, Error: x.Failed}
	if x.By != nil {
		out.Parser = x.By.Name() + " " + x.By.Manifest.Version
	}
	for i := range x.Events {
		e := x.Events[i].Event
		e.Tenant, e.Raw = t, "" // the record stands in the result once
		event := &v1.PreviewEvent{Event: eventOf(&e)}
		event.Event.Id = ""
		for _, span := range x.Events[i].Spans {
			event.Spans = append(event.Spans, &v1.Span{Field: span.Field, Start: span.Start, End: span.End})
		}
		out.Events = append(out.Events, event)
	}
	return out
}
