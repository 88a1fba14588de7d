package host

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

const linkSpec = `framing: none
set: {event.dataset: acme.link}
templates:
  - text: "link {observer.ingress.interface.name:word} went down after {event.duration:int} ms, seen by {source.ip:ip}"
    set: {event.action: link-down}
`

const linkLine = "link eth0 went down after 341 ms, seen by 192.0.2.77"

// samplesOf returns n lines of the kind that linkSpec reads.
func samplesOf(n int) (out [][]byte) {
	for i := range n {
		out = append(out, fmt.Appendf(nil, "link eth%d went down after %d ms, seen by 192.0.2.%d", i, 100+i, 1+i))
	}
	return out
}

// From an unknown line to one that is read: preview, install, the next version, and back.
func TestInstallSpec(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	m := apiModules{h}
	if e := parsed(t, h, 1, linkLine); e.Get("event.kind") != "pipeline_error" {
		t.Fatalf("at first the line is %+v", e)
	}
	seen, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Spec: []byte(linkSpec), Records: recordsOf(linkLine, "else")})
	if err != nil || len(seen.Problems) > 0 {
		t.Fatalf("%+v, %v", seen, err)
	}
	spansHold(t, seen.Records[0], linkLine, "source.ip", "event.duration", "observer.ingress.interface.name")

	install := func(version, text string) (api.Installed, error) {
		return m.InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Version: version, Text: []byte(text), Samples: samplesOf(3), Who: "ann"})
	}
	runs := func() string { return running(h.pipeline.Generation(), 1, "local/acme-link").Manifest.Version }
	began := time.Now()
	done, err := install("", linkSpec)
	if err != nil || done.Name != "local/acme-link" || done.Cases != 3 || done.Replaced != "" || runs() != "1.0.0" {
		t.Fatalf("%+v, %v", done, err)
	}
	e := parsed(t, h, 1, linkLine)
	t.Logf("read %v after it was asked for", time.Since(began))
	if e.Stream != "acme.link" || e.Get("source.ip") != "192.0.2.77" || e.Get("event.action") != "link-down" || e.Get(storage.FieldParser) != "local/acme-link" {
		t.Errorf("now the line is %+v", e)
	}
	if e := parsed(t, h, 2, linkLine); e.Get("event.kind") != "pipeline_error" {
		t.Errorf("another organization's line is %+v", e)
	}
	if done, err = install("", strings.Replace(linkSpec, "link-down", "down", 1)); err != nil || done.Replaced == "" || runs() != "1.1.0" {
		t.Errorf("the next version: %+v, %v, %s runs", done, err, runs())
	}
	if _, err := h.Rollback(t.Context(), 1, "local/acme-link", "ann"); err != nil || runs() != "1.0.0" {
		t.Errorf("rolled back, %s runs: %v", runs(), err)
	}
	if _, err := install("", strings.Replace(linkSpec, "link-down", "gone", 1)); err != nil || runs() != "1.2.0" {
		t.Errorf("a number that was used is used again: %v, %s runs", err, runs())
	}
	// Organizations may choose the same name: the other takes a number that is free.
	other, err := m.InstallSpec(t.Context(), api.Spec{Tenant: 2, Name: "acme-link", Text: []byte(strings.Replace(linkSpec, "acme.link", "other", 1)), Who: "ben"})
	if err != nil || other.Replaced != "" || parsed(t, h, 2, linkLine).Stream != "other" {
		t.Errorf("the same name elsewhere: %+v, %v", other, err)
	}
	for name, c := range map[string]struct {
		s  api.Spec
		is error
	}{
		"no name":             {api.Spec{Text: []byte(linkSpec)}, storage.ErrInvalid},
		"a bad name":          {api.Spec{Name: "Acme Link", Text: []byte(linkSpec)}, storage.ErrInvalid},
		"a bad spec":          {api.Spec{Name: "x", Text: []byte("framing: morse")}, storage.ErrInvalid},
		"a version that runs": {api.Spec{Name: "acme-link", Version: "1.0.0", Text: []byte(strings.Replace(linkSpec, "link-down", "up", 1))}, storage.ErrConflict},
	} {
		c.s.Tenant = 1
		if _, err := m.InstallSpec(t.Context(), c.s); !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", name, err, c.is)
		}
	}
}

// A spec that is wrong runs nothing and says where it is wrong.
func TestPreviewOfBadSpec(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	for _, text := range []string{"", "framing: morse\n", "framing: none\ntemplates:\n  - \"{source.ip:\"\n"} {
		out, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Spec: []byte(text), Records: recordsOf("x")})
		if err != nil || len(out.Problems) == 0 || len(out.Records) != 0 || out.Problems[0].Text == "" {
			t.Errorf("%q: %+v, %v", text, out, err)
		}
	}
}

// An installation under load loses nothing: each record comes out once, in its order, whatever runs.
func TestInstallSpecUnderLoad(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	n := newNeighbour(t, h, 1)
	for range 3 {
		if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Text: []byte(linkSpec), Samples: samplesOf(20)}); err != nil {
			t.Fatal(err)
		}
		if err := h.Control(t.Context(), module.Control{Kind: module.Disable, Tenant: 1, Name: "local/acme-link", Who: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.stop(); err != nil || n.sent.Load() == 0 || n.sent.Load() != n.seen.Load() {
		t.Errorf("%d records sent, %d came out: %v", n.sent.Load(), n.seen.Load(), err)
	}
}

// BenchmarkPreviewSpec is one key stroke: a spec that has never been seen, on 20 samples.
func BenchmarkPreviewSpec(b *testing.B) {
	h := installer(b, func(*Config) {})
	var lines []string
	for _, s := range samplesOf(20) {
		lines = append(lines, string(s))
	}
	recs := recordsOf(lines...)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		text := strings.Replace(linkSpec, "link-down", fmt.Sprint("stroke-", n), 1)
		out, err := h.Preview(b.Context(), api.Preview{Tenant: 1, Spec: []byte(text), Records: recs})
		if err != nil || len(out.Records[19].Events) != 1 {
			b.Fatal(out, err)
		}
	}
}
