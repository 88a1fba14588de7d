package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// quietRule takes the place of the shipped one, for the organization that installs it: seconds instead of minutes.
const quietRule = `kind: pattern
id: silent-host
name: Host fell silent
version: 2.0.0
description: A host that sent events has sent none for two seconds.
severity: low
lateness: 0s
subs:
  any: {title: any event of the host, where: {host.name: quiet-host}, by: [host.name]}
expr: any !-> any within 2s
rearm: latest
incident:
  title: "{host.name} has sent nothing for 2 seconds"
clear: {after: 24h}
tests:
  - name: it falls silent
    events:
      - {at: 0s, fields: {host.name: quiet-host}}
      - {at: 0s, repeat: 60, every: 1s, fields: {host.name: another}}
    until: 1m
    expect: {incidents: 1}
`

// testSources has a source fall silent and come back, and compares what the pages say with what the host says.
func testSources(t *testing.T, s *server, token string) {
	if _, err := s.modules().InstallModule(t.Context(), connect.NewRequest(&v1.InstallModuleRequest{
		Package: rulePackage(t, "quiet", quietRule), Tenant: mainTenant,
	})); err != nil {
		t.Fatal(err)
	}
	p := openPage(t, "sources", s.url)
	p.signIn(s)
	p.open(s.url + "/sources?text=udp&sort=-last&org=main")
	p.find("grid", "Sources")
	speak := func() {
		t.Helper()
		c, err := net.Dial("udp", s.syslog["main"])
		if err == nil {
			_, err = c.Write([]byte("PROBE quiet-host nobody"))
			err = errors.Join(err, c.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	others := s.keepProbing(t.Context(), token, 500*time.Millisecond, func() []string { return []string{"another"} }) // time moves by records
	from := time.Now()
	speak()
	p.find("row", `127\.0\.0\.1 syslog-udp.* local/probe .*`)
	p.find("radio", "Silent 0")
	p.find("radio", "Silent 1")
	t.Logf("marked as silent %v after its only record: the rule's 2 s, after the 10 s for which it holds up the others' time", time.Since(from).Round(time.Second))
	p.click("radio", "Silent 1")
	p.picture("sources-silent")
	p.click("link", "silent")
	p.find("heading", `.*quiet-host has sent nothing for 2 seconds.*`)
	incident := strings.TrimPrefix(eval[string](p, "location.pathname"), "/incidents/")
	p.open(s.url + "/sources?text=udp&org=main")
	p.find("link", "silent")
	stop := keepDoing(t, 500*time.Millisecond, speak)
	p.find("radio", "Silent 0")
	p.gone("link", "silent")
	stop()
	others()
	if i := s.incidentsByID(t.Context())[incident]; i == nil || i.State != "open" {
		t.Errorf("the incident waits for a person, and is %v", i)
	}
	checkHealth(t, s, p, token)
}

// keepDoing does something every so often until the returned function is called.
func keepDoing(t *testing.T, every time.Duration, do func()) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wait(ctx, every) {
			do()
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// healthPage is what the page says, tables by their caption and tiles by their title.
type healthPage struct {
	Headline string
	Tiles    map[string]string
	Stages   []string            // by name
	Drops    map[string][]string // reason → what its row says
}

const readHealth = `(() => {
  const rows = (title) => [...document.querySelectorAll('#page section')].find((s) => s.querySelector('header h2')?.innerText === title)?.querySelectorAll('tbody tr') ?? [];
  return {
    Headline: document.querySelector('#page header p')?.innerText ?? '',
    Tiles: Object.fromEntries([...document.querySelectorAll('#page section > h2')].map((h) => [h.innerText, h.parentElement.innerText])),
    Stages: [...rows('What one event costs')].map((r) => r.cells[0].innerText.replace(/\s*slowest$/, '').trim()),
    Drops: Object.fromEntries([...rows('Refused, cut or lost')].map((r) => [r.cells[0].title, [r.cells[0].innerText, r.cells[1].innerText]])),
  };
})()`

// checkHealth waits until the page says what the host says at the same time.
func checkHealth(t *testing.T, s *server, p *page, token string) {
	t.Helper()
	const enough = 1_200 // events for the costs of the stages to be known
	s.probe(t.Context(), token, slices.Repeat([]string{"counted"}, enough)...)
	if err := s.ingest(t.Context(), http.DefaultClient, "vdi_nobody", "refused"); !errors.Is(err, errRefused) {
		t.Fatalf("an unknown token: %v", err)
	}
	s.drain(t.Context())
	p.open(s.url + "/health")
	p.find("heading", "Health")
	said := ""
	defer func() {
		if t.Failed() {
			t.Log(said)
		}
	}()
	p.until("the page to say what the host says", func() (bool, error) {
		h, err := s.health().GetHealth(t.Context(), connect.NewRequest(&v1.GetHealthRequest{}))
		if err != nil {
			return false, err
		}
		err = eval[healthPage](p, readHealth).differs(h.Msg)
		said = fmt.Sprint(err)
		return err == nil, err
	})
	p.picture("health")
}

var holds = regexp.MustCompile(`^This machine holds (?:at least )?([\d,]+) events/s; slowest stage (\S+)$`)

// differs says where the page and the host do not agree. What changes from one call to the next is compared roughly.
func (h healthPage) differs(want *v1.GetHealthResponse) error {
	m := holds.FindStringSubmatch(h.Headline)
	if m == nil || m[2] != want.SlowestStage {
		return fmt.Errorf("headline %q, slowest stage %q", h.Headline, want.SlowestStage)
	}
	if n := number(m[1]); math.Abs(n-want.SustainableEventsPerSecond) > 0.2*want.SustainableEventsPerSecond {
		return fmt.Errorf("headline %q, want %.0f", h.Headline, want.SustainableEventsPerSecond)
	}
	var stages []string
	for _, st := range want.Stages {
		stages = append(stages, st.Name)
	}
	if !slices.Equal(stages, h.Stages) || len(stages) < 6 {
		return fmt.Errorf("stages %q, want %q", h.Stages, stages)
	}
	if want.Drops["receive.unauthenticated"] == 0 {
		return errors.New("the host has not counted the unknown token")
	}
	for reason, n := range want.Drops {
		if row := h.Drops[reason]; len(row) != 2 || row[0] == "" || number(row[1]) != float64(n) {
			return fmt.Errorf("dropped for %s: %q, want %d", reason, row, n)
		}
	}
	for title, pattern := range map[string]string{
		"Queue lag": fmt.Sprintf(`\n%d\nrecords`, want.QueueLag), "Dropped": `\n0\n`, "Memory": `\n[\d.]+ [MG]iB\n`, "Events/s": `\n[\d.,]+`,
		"Log store":     `\n[\d.]+ [KMG]iB\n[\d.]+ [KMGT]iB free · (full|retention|lasts|growth)`,
		"Store queries": fmt.Sprintf(`(?s)^.*\n%s\n`, commas(want.StoreQueries)),
	} {
		if !regexp.MustCompile(pattern).MatchString(h.Tiles[title]) {
			return fmt.Errorf("%s is %q, want %s", title, h.Tiles[title], pattern)
		}
	}
	return nil
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

// commas writes a number as people read it.
func commas(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// testOverview opens the dashboard, which is computed from the stream: the store is not asked. Each chart can be read as a
// table, and what the map colours is what the host has counted.
func testOverview(t *testing.T, s *server, _ string) {
	queries := func() uint64 {
		h, err := s.health().GetHealth(t.Context(), connect.NewRequest(&v1.GetHealthRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		return h.Msg.StoreQueries
	}
	p := openPage(t, "overview", s.url)
	p.signIn(s)
	before := queries()
	p.open(s.url + "/dashboards")
	p.find("heading", "Overview.*")
	p.says(`Events per second[\s\S]*parsed[\s\S]*Top sources`)
	p.find("image", `World map: events of [1-9]\d* countries.*`)
	wait(t.Context(), 5*time.Second) // it asks for news every two
	p.picture("dashboard")
	for _, chart := range []string{"Incidents by severity", "Incidents by rule", "Events per second", "Events by country of their source", "Top sources"} {
		p.click("button", chart+" as a table")
		p.find("region", chart+", table")
		p.find("button", chart+" as a chart")
	}
	p.picture("dashboard-tables")
	s.feed(t.Context(), false)
	defer s.feed(t.Context(), true)
	s.drain(t.Context())
	countries := map[string]string{}
	p.until("the table of countries to have what the host has counted", func() (bool, error) {
		r, err := s.dashboards().GetOverview(t.Context(), connect.NewRequest(&v1.GetOverviewRequest{}))
		if err != nil {
			return false, err
		}
		sum := uint64(0)
		for _, c := range r.Msg.Countries {
			sum += c.Count
		}
		countries = eval[map[string]string](p, `Object.fromEntries([...document.querySelectorAll('[aria-label^="Events by country"] tbody tr')].map((r) => [r.cells[0].innerText, r.cells[1].innerText]))`)
		shown := 0.0
		for _, n := range countries {
			shown += number(n)
		}
		return len(countries) == len(r.Msg.Countries) && shown == float64(sum), nil
	})
	path := p.path()
	p.open(s.url + path) // the address says which are tables
	p.find("region", "Incidents by rule, table")
	p.click("button", "Incidents by rule as a chart")
	p.gone("region", "Incidents by rule, table")
	if n := queries() - before; n != 0 {
		t.Errorf("the dashboard has sent %d queries to the store", n)
	}
}
