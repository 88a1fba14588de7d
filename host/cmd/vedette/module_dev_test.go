package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// oneSlot is a host with one organization and one module, which remembers five versions behind the one that runs.
type oneSlot struct {
	vedettev1connect.ModuleServiceClient // whatever else is asked for is a mistake

	seq    uint64
	shared *v1.Module
	stack  []*v1.Module // the one that runs first
	off    bool
	ran    []string
	taken  map[string]bool // versions with other content
}

func (h *oneSlot) ListModules(context.Context, *connect.Request[v1.ListModulesRequest]) (*connect.Response[v1.ListModulesResponse], error) {
	out := &v1.ListModulesResponse{}
	if h.shared != nil {
		out.Modules = append(out.Modules, h.shared)
	}
	if len(h.stack) > 0 {
		m := h.stack[0]
		out.Modules = append(out.Modules, &v1.Module{Name: m.Name, Version: m.Version, Tenant: m.Tenant, Generation: m.Generation, Enabled: !h.off})
	}
	return connect.NewResponse(out), nil
}

func (h *oneSlot) ListModuleVersions(context.Context, *connect.Request[v1.ListModuleVersionsRequest]) (*connect.Response[v1.ListModuleVersionsResponse], error) {
	out := &v1.ListModuleVersionsResponse{}
	for _, m := range h.stack {
		out.Versions = append(out.Versions, &v1.ModuleVersion{Version: m.Version, Generation: m.Generation})
	}
	return connect.NewResponse(out), nil
}

func (h *oneSlot) InstallModule(_ context.Context, r *connect.Request[v1.InstallModuleRequest]) (*connect.Response[v1.InstallModuleResponse], error) {
	p, err := layout.Import(bytes.NewReader(r.Msg.Package))
	if err != nil {
		return nil, err
	}
	if h.taken[p.Manifest.Version] {
		return nil, fmt.Errorf("push: %w", registry.ErrConflict)
	}
	h.activate(&v1.Module{Name: "local/doors", Version: p.Manifest.Version, Tenant: 7})
	return connect.NewResponse(&v1.InstallModuleResponse{Module: h.stack[0]}), nil
}

func (h *oneSlot) activate(m *v1.Module) {
	h.seq++
	m.Generation, h.off = h.seq, false
	h.ran = append(h.ran, m.Version)
	h.stack = append([]*v1.Module{m}, h.stack...)
	h.stack = h.stack[:min(len(h.stack), 6)]
}

func (h *oneSlot) RollbackModule(_ context.Context, r *connect.Request[v1.RollbackModuleRequest]) (*connect.Response[v1.RollbackModuleResponse], error) {
	for i, m := range h.stack {
		if i > 0 && m.Generation == r.Msg.Generation {
			h.stack = append(h.stack[:i:i], h.stack[i+1:]...)
			h.activate(&v1.Module{Name: m.Name, Version: m.Version, Tenant: m.Tenant})
			return connect.NewResponse(&v1.RollbackModuleResponse{Module: h.stack[0]}), nil
		}
	}
	if h.shared != nil && h.shared.Generation == r.Msg.Generation {
		h.stack = nil
		return connect.NewResponse(&v1.RollbackModuleResponse{Module: h.shared}), nil
	}
	return nil, errors.New("there is no such version")
}

func (h *oneSlot) SetModuleEnabled(_ context.Context, r *connect.Request[v1.SetModuleEnabledRequest]) (*connect.Response[v1.SetModuleEnabledResponse], error) {
	h.off = !r.Msg.Enabled
	return connect.NewResponse(&v1.SetModuleEnabledResponse{}), nil
}

// Whatever ran before a development session runs after it, however many builds there were.
func TestDevGivesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "doors")
	if err := author.NewSpec(dir); err != nil {
		t.Fatal(err)
	}
	p, err := author.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	own := &v1.Module{Name: "local/doors", Version: "0.0.9", Tenant: 7}
	for name, c := range map[string]struct {
		host oneSlot
		off  bool
		said string
		runs string // "" when nothing does
	}{
		"a version of its own":          {oneSlot{}, false, "local/doors 0.0.9 runs again", "0.0.9"},
		"a version that was off":        {oneSlot{}, true, "local/doors 0.0.9 is there again, switched off as before", ""},
		"the one that all share":        {oneSlot{shared: &v1.Module{Name: "local/doors", Version: "0.0.5", Enabled: true, Generation: 900}}, false, "local/doors 0.0.5 runs again", "0.0.5"},
		"nothing":                       {oneSlot{}, false, "local/doors was not there before: it is switched off", ""},
		"numbers that somebody has had": {oneSlot{taken: map[string]bool{"0.1.0-dev.1": true, "0.1.0-dev.2": true, "0.1.0-dev.4": true}}, false, "it is switched off", ""},
	} {
		h := &c.host
		if strings.HasPrefix(name, "a version") {
			h.activate(&v1.Module{Name: own.Name, Version: own.Version, Tenant: own.Tenant})
			h.off = c.off
		}
		d := &devSlot{modules: h, tenant: 7}
		for range 11 {
			if _, err := d.swap(t.Context(), p); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !strings.HasPrefix(h.stack[0].Version, "0.1.0-dev.") {
				t.Fatalf("%s: after a swap %s runs", name, h.stack[0].Version)
			}
		}
		seen := map[string]bool{}
		for _, v := range h.ran {
			if strings.Contains(v, "-dev.") && seen[v] {
				t.Errorf("%s: %s ran twice", name, v)
			}
			seen[v] = true
		}
		var out bytes.Buffer
		if err := d.back(&out); err != nil || !strings.Contains(out.String(), c.said) {
			t.Errorf("%s: it says %q (%v), want %q", name, out.String(), err, c.said)
		}
		runs := ""
		switch {
		case len(h.stack) > 0 && !h.off:
			runs = h.stack[0].Version
		case len(h.stack) == 0 && h.shared != nil:
			runs = h.shared.Version
		}
		if runs != c.runs {
			t.Errorf("%s: afterwards %q runs, want %q", name, runs, c.runs)
		}
	}
	d := &devSlot{modules: &oneSlot{}, tenant: 7}
	var out bytes.Buffer
	if err := d.back(&out); err != nil || out.Len() > 0 {
		t.Errorf("nothing was swapped in, and it says %q, %v", out.String(), err)
	}
	if _, err := d.swap(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.Manifest.Name = "gates"
	if _, err := d.swap(t.Context(), p); err == nil || !strings.Contains(err.Error(), "start vedette module dev anew") {
		t.Errorf("a module that changed its name: %v", err)
	}
}

// Lines may be pasted while they are being shown; the newest are kept.
func TestSampleSetHammer(t *testing.T) {
	s := &sampleSet{wake: make(chan struct{}, 1)}
	pasted := make(chan struct{})
	go func() {
		defer close(pasted)
		s.read(strings.NewReader(strings.Repeat("a line\n\n", 2*author.MaxTrialRecords) + "the last\n"))
	}()
	for range 1000 {
		if list, err := s.list(); err != nil || len(list) > author.MaxTrialRecords {
			t.Fatalf("%d records, %v", len(list), err)
		}
	}
	<-pasted
	if list, err := s.list(); err != nil || len(list) != author.MaxTrialRecords || string(list[len(list)-1]) != "the last" {
		t.Errorf("%d records, %v", len(list), err)
	}
}
