package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/api"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// TestUnknownLine is the way from a line that nobody reads to a parser for it, by the calls of the console: what is
// unread, a proposal, a preview, an installation, and the next such line has fields. Nothing is lost meanwhile.
func TestUnknownLine(t *testing.T) {
	w := newWorld(t)
	line := func(n int) string {
		return fmt.Sprintf("pump %d of basin north switched on by 192.0.2.%d after %d ms", n, 10+n, 300+n)
	}
	for n := range 5 {
		w.send(t, w.alpha, line(n))
	}
	w.send(t, w.alpha, "<13>Mar  1 12:00:00 web-1 acmed[7]: worker 7 is idle") // of which only the header is read
	var shapes []*v1.Shape
	eventually(t, "shape of the pumps", func() bool {
		shapes = must[v1.ListUnparsedResponse](t)(w.carl.modules.ListUnparsed(t.Context(), req(&v1.ListUnparsedRequest{}))).Shapes
		return len(shapes) == 3 && shapes[0].Count == 5
	})
	pumps := shapes[0]
	if !strings.Contains(pumps.Text, "switched on by") || pumps.Tenant != w.alpha || len(pumps.Samples) != api.MaxShapeSamples || pumps.Source == "" {
		t.Fatalf("the shape is %v", pumps)
	}
	if last := shapes[2]; last.Samples[0].Fields["vedette.parser"] == "" || !strings.Contains(last.Text, "idle") {
		t.Errorf("what is read by its frame does not come last: %v", shapes)
	}
	var samples [][]byte
	for _, e := range pumps.Samples {
		samples = append(samples, []byte(e.Raw))
	}
	spec := must[v1.SuggestSpecResponse](t)(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{Samples: samples}))).Spec
	preview := must[v1.PreviewModuleResponse](t)(w.ann.modules.PreviewModule(t.Context(), req(&v1.PreviewModuleRequest{
		Tenant: w.alpha, Candidate: &v1.PreviewModuleRequest_Spec{Spec: spec}, Samples: samples,
	})))
	if len(preview.Problems) > 0 || len(preview.Results) != 5 {
		t.Fatalf("the proposal\n%s\nhas problems: %v", spec, preview.Problems)
	}
	for _, x := range preview.Results {
		if len(x.Events) != 1 || len(x.Events[0].Spans) < 3 {
			t.Errorf("the proposal\n%s\nmakes %v of %q", spec, x, x.Raw)
		}
	}
	began := time.Now()
	done := must[v1.InstallSpecResponse](t)(w.ann.modules.InstallSpec(t.Context(), req(&v1.InstallSpecRequest{
		Tenant: w.alpha, Name: "pumps", Spec: spec, Samples: samples,
	})))
	if done.Cases != 5 || done.Module.GetVersion() != "1.0.0" || done.Module.GetInstances() == 0 {
		t.Errorf("installed: %v", done)
	}
	w.send(t, w.alpha, line(5))
	var found []*v1.Event
	eventually(t, "pump that is read", func() bool {
		found = w.search(t, w.ann, `"of basin north"`)
		return slices.ContainsFunc(found, func(e *v1.Event) bool { return e.Fields["vedette.parser"] == "local/pumps" })
	})
	t.Logf("found with its fields %v after the installation was asked for", time.Since(began))
	if len(found) != 6 || found[0].Fields["source.ip"] != "192.0.2.15" {
		t.Errorf("%d events, the newest is %v", len(found), found[0])
	}
}

// search returns what a query finds, newest first.
func (w *world) search(t *testing.T, u *who, query string) (out []*v1.Event) {
	t.Helper()
	stream, err := u.events.Search(t.Context(), req(&v1.SearchRequest{Query: &v1.Query{Text: query}}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for stream.Receive() {
		out = append(out, stream.Msg().Events...)
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnparsedLimits(t *testing.T) {
	w := newWorld(t)
	many := make([][]byte, api.MaxSamples+1)
	for i := range many {
		many[i] = []byte("x")
	}
	long := [][]byte{make([]byte, api.MaxSampleBytes+1)}
	for name, c := range map[string]struct {
		err  error
		want connect.Code
	}{
		"as many records as may be": {second(w.ann.modules.ListUnparsed(t.Context(), req(&v1.ListUnparsedRequest{Limit: api.MaxUnparsed}))), 0},
		"one record more":           {second(w.ann.modules.ListUnparsed(t.Context(), req(&v1.ListUnparsedRequest{Limit: api.MaxUnparsed + 1}))), connect.CodeResourceExhausted},
		"as many samples as may be": {second(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{Samples: many[1:]}))), 0},
		"one sample more":           {second(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{Samples: many}))), connect.CodeResourceExhausted},
		"one byte more":             {second(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{Samples: long}))), connect.CodeResourceExhausted},
		"blank samples":             {second(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{Samples: [][]byte{[]byte(" \r\n"), nil}}))), connect.CodeInvalidArgument},
		"no samples":                {second(w.ann.modules.SuggestSpec(t.Context(), req(&v1.SuggestSpecRequest{}))), connect.CodeInvalidArgument},
		"a spec by a reader":        {second(w.carl.modules.InstallSpec(t.Context(), req(&v1.InstallSpecRequest{Tenant: w.alpha, Name: "x", Spec: doorSpec}))), connect.CodePermissionDenied},
		"a spec for all":            {second(w.ann.modules.InstallSpec(t.Context(), req(&v1.InstallSpecRequest{Name: "x", Spec: doorSpec}))), connect.CodePermissionDenied},
		"one sample more to pack":   {second(w.ann.modules.InstallSpec(t.Context(), req(&v1.InstallSpecRequest{Tenant: w.alpha, Name: "x", Spec: doorSpec, Samples: many}))), connect.CodeResourceExhausted},
	} {
		if c.err == nil && c.want != 0 || c.err != nil && connect.CodeOf(c.err) != c.want {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
}
