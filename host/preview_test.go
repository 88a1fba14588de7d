package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/demo/hostile"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// shippedParser returns a shipped package.
func shippedParser(t testing.TB, name string) registry.Artifact {
	t.Helper()
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Manifest.Name == name {
			return p
		}
	}
	t.Fatalf("no shipped module %s", name)
	return registry.Artifact{}
}

func recordsOf(lines ...string) (out []queue.Record) {
	for _, l := range lines {
		out = append(out, queue.Record{Raw: []byte(l), Received: 1_700_000_000_000_000_000, Source: queue.Source{Listener: "preview"}})
	}
	return out
}

const (
	gateLine = `date=2023-11-14 time=22:13:20 devname="gate" devid="FG1" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" eventtime=1700000000000000000 tz="+0000" srcip=10.0.0.8 srcport=4711 dstip=192.0.2.9 dstport=443 proto=6 action="close" policyid=1`
	sshLine  = `<86>Nov 14 22:13:20 web-1 sshd[711]: Failed password for root from 203.0.113.7 port 40123 ssh2`
	freeText = "nobody has ever written a parser for this"
)

// previewer is a host that runs two shipped parsers for all organizations.
func previewer(t *testing.T) *Host {
	h := installer(t, func(*Config) {})
	for _, name := range []string{"fortigate", "auth"} {
		if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(shippedParser(t, name)), Who: byVedette, Shipped: true}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// spansHold checks that a span shows the bytes of a field that was taken as it stands.
func spansHold(t *testing.T, x pipeline.Tried, raw string, names ...string) {
	t.Helper()
	if len(x.Events) != 1 {
		t.Fatalf("%d events of %q: %s", len(x.Events), raw, x.Failed)
	}
	at := map[string]string{}
	for _, s := range x.Events[0].Spans {
		at[s.Field] = raw[s.Start:s.End]
	}
	for _, name := range names {
		if got, want := at[name], x.Events[0].Get(name); got != want || want == "" {
			t.Errorf("%s is %q and its bytes are %q", name, want, got)
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	h := previewer(t)
	tail := h.pipeline.Tails.Follow(storage.Principal{User: "t", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{1}})
	defer tail.Close()
	used := h.pipeline.Use.Of(running(h.pipeline.Generation(), 1, "vedette/fortigate"))
	recs := recordsOf(gateLine, sshLine, freeText)

	routed, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Records: recs})
	if err != nil || len(routed.Records) != 3 || routed.Fuel == 0 || routed.Took <= 0 {
		t.Fatalf("routed: %+v, %v", routed, err)
	}
	spansHold(t, routed.Records[0], gateLine, "source.ip", "destination.ip", "source.port")
	spansHold(t, routed.Records[1], sshLine, "source.ip", "user.name", "source.port")
	if x := routed.Records[2]; x.By != nil || x.Failed != pipeline.NotMine || len(x.Events) != 0 {
		t.Errorf("free text became %+v", x)
	}
	if by := routed.Records[0].By; by == nil || by.Name() != "vedette/fortigate" {
		t.Errorf("read by %v", by)
	}

	named, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Name: "vedette/fortigate", Records: recs})
	if err != nil || len(named.Records[0].Events) != 1 || named.Records[1].Failed != pipeline.NotMine {
		t.Errorf("named: %+v, %v", named, err)
	}
	nginx := shippedParser(t, "nginx") // which is not installed
	access := `192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`
	candidate, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Package: &nginx, Records: recordsOf(access)})
	if err != nil {
		t.Fatal(err)
	}
	spansHold(t, candidate.Records[0], access, "source.ip", "http.request.method")

	if now := h.pipeline.Use.Of(running(h.pipeline.Generation(), 1, "vedette/fortigate")); len(tail.C) != 0 || now != used {
		t.Errorf("previews left %d batches and %+v behind", len(tail.C), now)
	}
}

// A preview shows the very fields that the log will hold.
func TestPreviewIsWhatWillBe(t *testing.T) {
	t.Parallel()
	h := previewer(t)
	for _, raw := range []string{gateLine, sshLine, "<13>Nov 14 22:13:20 web-1 sshd[1]: \xff\xfe", `<189>date=2023-11-14 devid="FG1" logid="0000000013" type="traffic" msg="a \"b\" ` + "\x00" + `"`} {
		live := parsed(t, h, 1, raw)
		rec := queue.Record{Raw: []byte(raw), Received: h.started.UnixNano(), Source: queue.Source{Listener: "test", Peer: "192.0.2.1"}}
		out, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Records: []queue.Record{rec}})
		if err != nil {
			t.Fatal(err)
		}
		if live.Get(storage.FieldParser) == "" {
			if len(out.Records[0].Events) != 0 {
				t.Errorf("%q is read in the preview alone: %+v", raw, out.Records[0])
			}
			continue
		}
		fields := slices.DeleteFunc(slices.Clone(live.Fields), func(f storage.Field) bool {
			return strings.HasPrefix(f.Name, "vedette.") && f.Name != pipeline.FieldTimeAdjusted
		})
		if e := out.Records[0].Events[0]; !slices.Equal(e.Fields, fields) || e.Time != live.Time || e.Raw != live.Raw || e.Stream != live.Stream {
			t.Errorf("%q is\n%+v, and the preview said\n%+v", raw, live, e.Event)
		}
	}
}

// A candidate can hurt nothing but itself, and says what happened.
func TestPreviewOfHostile(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	packages, err := hostile.Packages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		mark := hostile.Mark(&p.Manifest)
		out, err := h.Preview(t.Context(), api.Preview{Tenant: 1, Package: &p, Records: recordsOf("quiet", mark+"1", "quiet", mark+"2")})
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range out.Records {
			if quiet := i%2 == 0; quiet != (x.Failed == pipeline.NotMine) || !quiet && !strings.HasPrefix(x.Failed, "E_") {
				t.Errorf("%s: record %d became %+v", p.Manifest.Name, i, x)
			}
		}
		many := make([]string, 200) // more than a module may fail on at once
		for i := range many {
			many[i] = fmt.Sprint(mark, i)
		}
		if out, err = h.Preview(t.Context(), api.Preview{Tenant: 1, Package: &p, Records: recordsOf(many...)}); err != nil || len(out.Records) != 200 {
			t.Fatalf("%s: %d results, %v", p.Manifest.Name, len(out.Records), err)
		}
		for i, x := range out.Records {
			if !strings.HasPrefix(x.Failed, "E_") || x.By == nil {
				t.Fatalf("%s: record %d of many became %+v", p.Manifest.Name, i, x)
			}
		}
	}
}

func TestPreviewRefuses(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	rule, big := shippedParser(t, "encoded-powershell"), shippedParser(t, "nginx")
	big.Manifest.Limits.MemoryPages = maxPreviewPages + 1
	forged := shippedParser(t, "nginx")
	forged.Manifest.Title = "Another"
	if _, err := h.prepareTrial(t.Context(), 1, big); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("too much memory: %v", err)
	}
	for name, c := range map[string]struct {
		p  api.Preview
		is error
	}{
		"a rule":           {api.Preview{Package: &rule}, storage.ErrInvalid},
		"a forged package": {api.Preview{Package: &forged}, storage.ErrInvalid},
		"an unknown name":  {api.Preview{Name: "no/such"}, storage.ErrNotFound},
	} {
		c.p.Tenant, c.p.Records = 1, recordsOf("x")
		if _, err := h.Preview(t.Context(), c.p); !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", name, err, c.is)
		}
	}
}

// What a parser reads but would not be handed is said.
func TestPreviewSaysWhatIsNotSelected(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	m, err := h.prepareTrial(t.Context(), 1, shippedParser(t, "nginx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Code.Close(t.Context())
	m.Manifest.Match = nil
	access := `192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`
	out, err := tryOne(t.Context(), m, nil, recordsOf(access, freeText))
	if err != nil || len(out.Records[0].Events) != 1 || out.Records[0].Failed != notSelected || out.Records[1].Failed != pipeline.NotMine {
		t.Errorf("%+v, %v", out, err)
	}
}

// Previews queue: a few at once, of one organization one, and nobody waits for ever.
func TestPreviewTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPreviews()
		var running []func()
		for tenant := range storage.Tenant(maxPreviews) {
			leave, err := p.enter(t.Context(), tenant)
			if err != nil {
				t.Fatal(err)
			}
			running = append(running, leave)
		}
		if _, err := p.enter(t.Context(), 100); !errors.Is(err, storage.ErrExhausted) {
			t.Errorf("one more than run at once: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.enter(gone, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller is gone: %v", err)
		}
		var wait sync.WaitGroup
		for range maxPreviewsPerTenant - 1 {
			wait.Go(func() {
				leave, err := p.enter(t.Context(), 0)
				if err != nil {
					t.Error(err)
					return
				}
				leave()
			})
		}
		synctest.Wait()
		if _, err := p.enter(t.Context(), 0); !errors.Is(err, storage.ErrExhausted) {
			t.Errorf("one more than may wait: %v", err)
		}
		for _, leave := range running {
			leave()
		}
		wait.Wait()
		if len(p.by) != 0 || len(p.slots) != 0 {
			t.Errorf("left behind: %v, %d", p.by, len(p.slots))
		}
	})
}

// Previews go on while what runs is replaced under them.
func TestPreviewWhileModulesChange(t *testing.T) {
	t.Parallel()
	h := previewer(t)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for tenant := range storage.Tenant(2) {
		wait.Go(func() {
			for ctx.Err() == nil {
				out, err := h.Preview(t.Context(), api.Preview{Tenant: tenant + 1, Records: recordsOf(gateLine, sshLine)})
				if err != nil || len(out.Records) != 2 {
					t.Errorf("preview: %+v, %v", out, err)
					return
				}
			}
		})
	}
	for range 10 {
		for _, kind := range []module.ControlKind{module.Disable, module.Enable} {
			if err := h.Control(t.Context(), module.Control{Kind: kind, Name: "vedette/auth", Who: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop()
	wait.Wait()
}
