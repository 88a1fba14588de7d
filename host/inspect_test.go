package host

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// storedAs is a stored event as the API asks about it.
func storedAs(e *storage.Event) api.Stored {
	return api.Stored{
		Tenant: e.Tenant, Record: queue.Record{Raw: []byte(e.Raw), Received: e.Received, Source: queue.Source{Listener: "test", Peer: "192.0.2.1"}},
		Parser: e.Get(storage.FieldParser), Digest: e.Get(storage.FieldDigest), Generation: 1 << 40,
	}
}

// read returns what the n-th event of a record was read from: bytes of the record by field.
func read(r api.Reread, n int) map[string]string {
	out := map[string]string{}
	for _, s := range r.Tried.Events[n].Spans {
		out[s.Field] += r.Tried.Events[n].Raw[s.Start:s.End]
	}
	return out
}

func TestReread(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	double := [2]string{"	return sdk.OK\n}", `	if string(result) == "double" {
		e.Next()
		e.Text(ecs.EventDataset, "doors.log", nil)
		e.Bytes(ecs.UserID, door, nil)
	}
	return sdk.OK
}`}
	old := scaffold(t, manifest.Parser, "doors", map[string][2]string{"main.go": double})
	next := scaffold(t, manifest.Parser, "doors", map[string][2]string{"module.yaml": {"0.1.0", "0.2.0"}})
	never := scaffold(t, manifest.Parser, "doors", map[string][2]string{"module.yaml": {"0.1.0", "0.3.0"}})
	done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(old), Tenant: 1, Who: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	e := parsed(t, h, 1, "door=north badge=ada result=double")
	reread := func(s api.Stored, version, note string) api.Reread {
		t.Helper()
		r, err := h.Reread(t.Context(), s)
		if err != nil || r.Parser != "local/doors"+version || !strings.Contains(r.Note, note) || (r.Note == "") != (note == "") {
			t.Fatalf("read again: %+v, %v; want version %q and note %q", r, err, version, note)
		}
		return r
	}
	for _, replaced := range []bool{false, true} {
		if replaced {
			if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(next), Tenant: 1, Who: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
		r := reread(storedAs(e), " 0.1.0", "")
		if r.Digest != done.Install.Digest || len(r.Tried.Events) != 2 || read(r, 0)["user.name"] != "ada" || read(r, 1)["user.id"] != "north" {
			t.Errorf("replaced %v: %+v", replaced, r)
		}
	}
	digest, err := h.packages.Push(t.Context(), never)
	if err != nil {
		t.Fatal(err)
	}
	s := storedAs(e)
	s.Digest = digest.Short()
	if r := reread(s, " 0.3.0", "no longer runs"); read(r, 0)["user.name"] != "ada" {
		t.Errorf("a version that runs no more: %+v", r)
	}
	s.Digest = registry.Digest("sha256:" + strings.Repeat("0", 64)).Short()
	if r := reread(s, "", "no longer here"); len(r.Tried.Events) > 0 {
		t.Errorf("a version that is gone: %+v", r)
	}
	s = storedAs(e)
	s.Tenant = 2 // sees neither the other one's layer nor its packages
	reread(s, "", "no longer here")
}

// TestRereadEscapes: the bytes that are shown are those of the record, escaped and quoted as they came.
func TestRereadEscapes(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	for _, name := range []string{"json", "fortigate"} {
		if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(shippedParser(t, name)), Who: byVedette, Shipped: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ line, field, value, bytes string }{
		{`{"@timestamp":"2024-03-01T12:00:00Z","user":{"name":"O\"Brien \u00e9"},"message":"x"}`, "user.name", `O"Brien é`, `O\"Brien \u00e9`},
		{strings.Replace(gateLine, `devname="gate"`, `devname="gate, two"`, 1), "observer.name", "gate, two", "gate, two"},
	} {
		e := parsed(t, h, 1, c.line)
		r, err := h.Reread(t.Context(), storedAs(e))
		if err != nil || len(r.Tried.Events) != 1 || e.Get(c.field) != c.value || read(r, 0)[c.field] != c.bytes {
			t.Errorf("%s: stored as %q, read from %q: %+v, %v", c.field, e.Get(c.field), read(r, 0)[c.field], r, err)
		}
	}
}

func TestRereadHammer(t *testing.T) {
	t.Parallel()
	h := previewer(t)
	e := parsed(t, h, 1, sshLine)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for range 10 {
				s := storedAs(e)
				s.Tenant = storage.Tenant(1 + n%2)
				if r, err := h.Reread(t.Context(), s); err != nil && !errors.Is(err, storage.ErrExhausted) || err == nil && len(r.Tried.Events) != 1 {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
	all.Wait()
}
