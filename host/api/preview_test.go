package api_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/api"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func TestPreviewModule(t *testing.T) {
	w := newWorld(t)
	preview := func(u *who, m *v1.PreviewModuleRequest) (*v1.PreviewModuleResponse, error) {
		if m.From != "nowhere" {
			m.Tenant = w.alpha
		}
		r, err := u.modules.PreviewModule(t.Context(), req(m))
		if err != nil {
			return nil, err
		}
		return r.Msg, nil
	}
	wasm, err := os.ReadFile(filepath.Join("..", "..", "conformance", "hostile", "poison_trap.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	candidate := &v1.PreviewModuleRequest_Package{Package: trapParser(t, wasm, "2.0.0")}
	ssh := []byte("<86>Nov 14 22:13:20 web-1 sshd[711]: Failed password for root from 203.0.113.7 port 40123 ssh2")

	t.Run("routing", func(t *testing.T) {
		r, err := preview(w.carl, &v1.PreviewModuleRequest{Samples: [][]byte{slices.Concat(ssh, []byte("\r\n")), []byte("free text")}})
		if err != nil || len(r.Results) != 2 || r.Fuel == 0 || r.Milliseconds <= 0 {
			t.Fatalf("%v, %v", r, err)
		}
		x := r.Results[0]
		if x.Parser != "vedette/auth 0.1.0" || len(x.Events) != 1 || !bytes.Equal(x.Raw, ssh) || r.Results[1].Error != "not mine" {
			t.Fatalf("%v", r)
		}
		fields := x.Events[0].Event.Fields
		for _, span := range x.Events[0].Spans {
			if span.Field == "source.ip" && string(ssh[span.Start:span.End]) == fields["source.ip"] {
				return
			}
		}
		t.Errorf("source.ip %q has no span in %v", fields["source.ip"], x.Events[0].Spans)
	})
	t.Run("newest records", func(t *testing.T) {
		for _, from := range []string{"recent", "unparsed"} {
			r, err := preview(w.ann, &v1.PreviewModuleRequest{Candidate: candidate, From: from, Limit: 5})
			if err != nil || len(r.Results) != 1 || string(r.Results[0].Raw) != "!crossing one" || r.Results[0].Error == "" {
				t.Errorf("%s: %v, %v", from, r, err)
			}
		}
	})
	t.Run("rights", func(t *testing.T) {
		for name, c := range map[string]struct {
			u *who
			m *v1.PreviewModuleRequest
		}{
			"a package by a reader":      {w.carl, &v1.PreviewModuleRequest{Candidate: candidate}},
			"an empty package":           {w.carl, &v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Package{}}},
			"a spec by a reader":         {w.carl, &v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Spec{Spec: "x"}}},
			"an empty spec by a reader":  {w.carl, &v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Spec{}}},
			"routing of another's":       {w.ben, &v1.PreviewModuleRequest{}},
			"records of another's":       {w.ben, &v1.PreviewModuleRequest{From: "recent"}},
			"a candidate for another's":  {w.ben, &v1.PreviewModuleRequest{Candidate: candidate}},
			"what another one installed": {w.ben, &v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Name{Name: "crossing/trap"}}},
		} {
			if _, err := preview(c.u, c.m); connect.CodeOf(err) != connect.CodePermissionDenied {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("limits", func(t *testing.T) {
		samples := func(n, size int) (out [][]byte) {
			for range n {
				out = append(out, make([]byte, size))
			}
			return out
		}
		for name, c := range map[string]struct {
			m    *v1.PreviewModuleRequest
			want connect.Code
		}{
			"as many samples as may be":  {&v1.PreviewModuleRequest{Samples: samples(api.MaxSamples, 1)}, 0},
			"one sample more":            {&v1.PreviewModuleRequest{Samples: samples(api.MaxSamples+1, 1)}, connect.CodeResourceExhausted},
			"as long as may be":          {&v1.PreviewModuleRequest{Samples: samples(1, api.MaxSampleBytes)}, 0},
			"one byte more":              {&v1.PreviewModuleRequest{Samples: samples(1, api.MaxSampleBytes+1)}, connect.CodeResourceExhausted},
			"as many records as may be":  {&v1.PreviewModuleRequest{From: "recent", Limit: api.MaxSamples}, 0},
			"one record more":            {&v1.PreviewModuleRequest{From: "recent", Limit: api.MaxSamples + 1}, connect.CodeResourceExhausted},
			"one byte of a package more": {&v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Package{Package: make([]byte, api.MaxPackageBytes+1)}}, connect.CodeResourceExhausted},
			"no package":                 {&v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Package{Package: []byte("no tar")}}, connect.CodeInvalidArgument},
			"no organization":            {&v1.PreviewModuleRequest{From: "nowhere"}, connect.CodeInvalidArgument},
			"unknown records":            {&v1.PreviewModuleRequest{From: "best"}, connect.CodeInvalidArgument},
			"an unknown parser":          {&v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Name{Name: "no/such"}}, connect.CodeNotFound},
		} {
			if _, err := preview(w.ann, c.m); err == nil && c.want != 0 || err != nil && connect.CodeOf(err) != c.want {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	})
}
