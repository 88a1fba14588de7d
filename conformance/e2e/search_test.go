package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// A sign is a line whose time, host, outcome and user a test chooses: what a search of it finds is known.
const signSpec = `framing: none
set:
  event.dataset: e2e.sign
  event.kind: event
templates:
  - "SIGN {@timestamp:time(iso)} {host.name:word} {event.outcome:word} {user.name:rest}"
`

const (
	allSigns  = `event.dataset:="e2e.sign"`
	signCount = 600
	signEvery = 5 * time.Second // so that they fill 50 minutes
	signUsers = 4
)

// sign is one of the events that a searcher looks for.
type sign struct {
	at                  time.Time
	host, outcome, user string
}

// searcher is somebody at the search page, and what there is to be found.
type searcher struct {
	*testing.T
	*page
	s     *server
	signs []sign // the newest first
}

// testSearch does what somebody does who looks for something.
func testSearch(t *testing.T, s *server, _ string) {
	tt := newTimetable(t)
	f := &searcher{T: t, s: s, signs: s.sendSigns(t.Context())}
	f.page = openPage(t, "search", s.url)
	f.signIn(s)
	for _, x := range []struct {
		what string
		does func()
	}{
		{"a query by keyboard", f.writesAQuery},
		{"a mistake, and back by ↑", f.seesWhatIsWrong},
		{"a second browser at the same address", f.sharesIt},
		{"relative and absolute time, in a zone", f.choosesATime},
		{"all bars, and some of them", f.brushes},
		{"values with and without", f.narrows},
		{"columns", f.choosesColumns},
		{"JSON and raw", f.looksAtItDifferently},
		{"statistics", f.counts},
		{"CSV and NDJSON", f.exports},
		{"cancelling", f.cancels},
	} {
		tt.step(x.what, 0, x.does)
	}
}

// sendSigns makes signs known and waits until all of them can be found.
func (s *server) sendSigns(ctx context.Context) []sign {
	s.t.Helper()
	newest := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
	hosts := []string{"web-1", "web-2", "web-1", "db-1", "web-1"}
	signs := make([]sign, signCount)
	var body strings.Builder
	for i := range signs {
		signs[i] = sign{newest.Add(-time.Duration(i) * signEvery), hosts[i%len(hosts)], "success", fmt.Sprintf("user-%d", i%signUsers)}
		if i%3 == 0 {
			signs[i].outcome = "failure"
		}
		if i%signUsers == 3 {
			signs[i].user = `=HYPERLINK("http://evil.example/","see")`
		}
		fmt.Fprintf(&body, "SIGN %s %s %s %s\n", signs[i].at.UTC().Format(time.RFC3339), signs[i].host, signs[i].outcome, signs[i].user)
	}
	if _, err := s.modules().InstallSpec(ctx, connect.NewRequest(&v1.InstallSpecRequest{
		Tenant: mainTenant, Name: "sign", Spec: signSpec, Samples: [][]byte{[]byte(strings.SplitN(body.String(), "\n", 2)[0])},
	})); err != nil {
		s.t.Fatalf("install the parser of signs: %v", err)
	}
	if err := s.ingest(ctx, http.DefaultClient, s.ingestToken(ctx, mainTenant, "sign"), body.String()); err != nil {
		s.t.Fatal(err)
	}
	s.until("all signs to be found", patience, func() bool { return len(s.search(ctx, allSigns)) == signCount })
	return signs
}

// count is how many signs there are of a kind.
func (f *searcher) count(of func(sign) bool) int {
	n := 0
	for _, x := range f.signs {
		if of(x) {
			n++
		}
	}
	return n
}

// finds waits until the page says that it has found so many, and the bars say so too.
func (f *searcher) finds(n int) {
	f.Helper()
	f.says(fmt.Sprintf(`(^|\n)%d events? in \d`, n))
	if n > 0 {
		f.await(fmt.Sprintf("bars of %d events", n), fmt.Sprintf(`/^%d events? over time/.test(document.querySelector('section[aria-label="Events over time"] [role=img]')?.ariaLabel)`, n))
	}
}

// lines is what a table shows, all of it or what is in sight: the text of each cell, with the head first.
const lines = `(async (all) => {
  const grid = document.querySelector('[role=grid]'), out = new Map();
  const text = (row, role) => [...row.querySelectorAll('[role=' + role + ']')].map((c) => c.innerText.replace(/\n[↑↓]$/, '').trim());
  for (let top = 0; ; top += grid.clientHeight / 2) {
    grid.scrollTop = top;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    for (const row of grid.querySelectorAll('[role=rowgroup] [role=row]')) out.set(Number(row.ariaRowIndex), text(row, 'gridcell'));
    if (!all || top + grid.clientHeight >= grid.scrollHeight) break;
  }
  grid.scrollTop = 0;
  return [text(grid, 'columnheader'), ...[...out.keys()].sort((a, b) => a - b).map((n) => out.get(n))];
})`

// table is what the table shows, the head first.
func (f *searcher) table() [][]string { f.Helper(); return f.lines(true) }

func (f *searcher) lines(all bool) [][]string {
	f.Helper()
	f.find("grid", ".+")
	return do(f.T, f.ctx, chromedp.Evaluate[[][]string](fmt.Sprintf("%s(%v)", lines, all), chromedp.EvalAwaitPromise))
}

// column is what stands in a column of the table.
func (f *searcher) column(title string) []string {
	f.Helper()
	all := f.table()
	at := slices.Index(all[0], title)
	if at < 0 {
		f.Fatalf("the table has the columns %q, want %q", all[0], title)
	}
	var out []string
	for _, row := range all[1:] {
		out = append(out, row[at])
	}
	return out
}

// param is a parameter of the address.
func (f *searcher) param(name string) []string {
	f.Helper()
	u, err := url.Parse(f.path())
	if err != nil {
		f.Fatal(err)
	}
	return u.Query()[name]
}

// writesAQuery writes one by keyboard, with names and values that are offered.
func (f *searcher) writesAQuery() {
	f.press("g")
	f.press("s")
	f.find("textbox", "Query, LogsQL")
	f.press("/")
	f.press("event.datas")
	f.find("option", `event\.dataset .*`)
	f.press(keyTab)
	f.press("e2e.si")
	f.find("option", `e2e\.sign .*`)
	f.picture("search-1-completion")
	f.press(keyTab)
	f.press("host.na")
	f.find("option", `host\.name .*`)
	f.press(keyTab)
	f.press("db")
	f.find("option", `db-1 .*`)
	f.press(keyTab)
	f.press(keyEnter)
	f.finds(f.count(func(x sign) bool { return x.host == "db-1" }))
	if q := f.param("q"); len(q) != 1 || q[0] != `event.dataset:"e2e.sign" host.name:"db-1"` {
		f.Errorf("the keys have written %q", q)
	}
	f.picture("search-2-found")
}

// seesWhatIsWrong makes a mistake, sees where it is, and goes back to the query before by ↑.
func (f *searcher) seesWhatIsWrong() {
	f.fill("textbox", "Query, LogsQL", `host.name:="db-1" | statz by (user.name) count()`)
	f.says(`statz`)
	f.await("the mistake to be underlined", `[...document.querySelectorAll('.cm-lintRange-error')].map((e) => e.innerText).join('') === 'statz'`)
	f.picture("search-3-mistake")
	f.fill("textbox", "Query, LogsQL", " ")
	f.press(keyBackspace)
	f.press(keyArrowUp)
	f.await("the query before", `document.querySelector('.cm-content').innerText === 'event.dataset:"e2e.sign" host.name:"db-1"'`)
	f.press(keyEscape)
}

// sharesIt sends the address to somebody else, who sees the same rows.
func (f *searcher) sharesIt() {
	f.fill("textbox", "Query, LogsQL", allSigns+` event.outcome:="failure"`)
	f.press(keyEnter)
	f.finds(f.count(func(x sign) bool { return x.outcome == "failure" }))
	mine := f.table()
	other := &searcher{T: f.T, s: f.s, page: openPage(f.T, "shared", f.s.url)}
	other.signIn(f.s)
	other.open(f.s.url + f.path())
	other.finds(len(mine) - 1)
	if diff := cmp.Diff(mine, other.table()); diff != "" {
		f.Errorf("a second browser shows others for the same address (-first +second):\n%s", diff)
	}
}

// choosesATime goes back so many minutes, then from one moment to another in a zone far away.
func (f *searcher) choosesATime() {
	f.fill("textbox", "Query, LogsQL", allSigns)
	f.press(keyEnter)
	f.finds(signCount)
	within := func(d time.Duration) int {
		from := time.Now().Add(-d)
		return f.count(func(x sign) bool { return !x.at.Before(from) })
	}
	most := within(15 * time.Minute)
	f.click("button", "Last hour")
	f.click("button", "Last 15 minutes")
	f.await("the range in the address", `new URLSearchParams(location.search).get('range') === '15m'`)
	f.says(`\n\d\d\d? events? in`)
	if n, least := f.found(), within(15*time.Minute); n < least || n > most {
		f.Errorf("the last 15 minutes have %d signs, want %d to %d", n, least, most)
	}
	f.click("button", "Last 15 minutes")
	f.find("radio", "Other").click()
	f.fill("combobox", "Zone's name", "Tokyo")
	f.click("option", "Asia/Tokyo")
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		f.Fatal(err)
	}
	const typed = "2006-01-02 15:04:05"
	from, to := f.signs[399], f.signs[99] // inclusive, exclusive
	f.fill("textbox", "From", from.at.In(tokyo).Format(typed))
	f.fill("textbox", "To", to.at.In(tokyo).Format(typed))
	f.picture("search-4-time")
	f.click("button", "Search this time")
	f.finds(300)
	if got := [][]string{f.param("zone"), f.param("from"), f.param("to")}; !slices.Equal(slices.Concat(got...), []string{"Asia/Tokyo", stamped(from.at), stamped(to.at)}) {
		f.Errorf("the address has zone, from and to %q", got)
	}
	check := func(when string) {
		f.Helper()
		if times := f.column("Time"); len(times) != 300 || times[0] != f.signs[100].at.In(tokyo).Format("15:04:05.000") {
			f.Errorf("%s: %d rows, the first of %q, want 300, the first of %s", when, len(times), times[:min(1, len(times))], f.signs[100].at.In(tokyo))
		}
	}
	check("in Tokyo")
	f.open(f.s.url + f.path())
	f.finds(300)
	check("in Tokyo, loaded again")
}

// stamped is a moment as the address has it.
func stamped(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// found is how many the page says it has found.
func (f *searcher) found() int {
	f.Helper()
	n, err := strconv.Atoi(eval[string](f.page, `(/(?:^|\n)([\d,]+) events? in/.exec(document.body.innerText)?.[1] ?? '').replaceAll(',', '')`))
	if err != nil {
		f.Fatalf("how many were found: %v", err)
	}
	return n
}

// openAll opens all signs at times that stay.
func (f *searcher) openAll(more url.Values) {
	f.Helper()
	more.Set("q", allSigns)
	more.Set("from", stamped(f.signs[signCount-1].at.Add(-time.Minute)))
	more.Set("to", stamped(f.signs[0].at.Add(time.Minute)))
	more.Set("zone", "UTC")
	f.open(f.s.url + "/search?" + more.Encode())
	f.finds(signCount)
}

// watchTips notes what the chart says of each bar that the pointer comes over.
const watchTips = `(() => {
  window.tips = {};
  const chart = document.querySelector('section[aria-label="Events over time"] [role=img]');
  new MutationObserver(() => {
    const [when, ...said] = chart.lastElementChild.innerText.split('\n');
    const n = /([\d,]+) events?/.exec(said.join(' '));
    if (n) window.tips[when] = Number(n[1].replaceAll(',', ''));
  }).observe(chart, { childList: true, subtree: true });
  const r = chart.querySelector('.u-over').getBoundingClientRect();
  return [r.left, r.right, r.top + r.height / 2];
})()`

// brushes adds up the bars, then drags over some of them.
func (f *searcher) brushes() {
	f.openAll(url.Values{})
	at := eval[[]float64](f.page, watchTips)
	left, right, y := at[0], at[1], at[2]
	for x := left; x < right; x += 6 {
		do(f.T, f.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	}
	sum := 0
	for _, n := range eval[map[string]int](f.page, "window.tips") {
		sum += n
	}
	if sum != signCount {
		f.Errorf("the bars add up to %d, the total is %d", sum, signCount)
	}
	f.picture("search-5-bars")
	before := f.param("from")[0]
	do(f.T, f.ctx, chromedp.DragAndDropXY(left+(right-left)*0.3, y, left+(right-left)*0.6, y))
	f.await("a narrower time", fmt.Sprintf(`new URLSearchParams(location.search).get('from') > %q`, before))
	from, err := time.Parse(time.RFC3339, f.param("from")[0])
	if err != nil {
		f.Fatal(err)
	}
	to, err := time.Parse(time.RFC3339, f.param("to")[0])
	if err != nil {
		f.Fatal(err)
	}
	want := f.count(func(x sign) bool { return !x.at.Before(from) && x.at.Before(to) })
	f.finds(want)
	if rows := f.column("Time"); len(rows) != want || want < signCount/5 || want > signCount/2 {
		f.Errorf("dragged from %v to %v: %d rows, want %d", from, to, len(rows), want)
	}
	f.pointAway()
	f.picture("search-6-brushed")
}

// facet is the number beside a value.
func (f *searcher) facet(field, value string) int {
	f.Helper()
	text := on[string](f.find("button", "Only "+regexp.QuoteMeta(field+" "+value)), `function() { return this.closest('li').querySelector('.number').innerText.replaceAll(',', '') }`)
	n, err := strconv.Atoi(text)
	if err != nil {
		f.Fatalf("the number beside %s %s: %v", field, value, err)
	}
	return n
}

// narrows asks for a value and leaves one out: as many rows stay as the numbers beside the values say.
func (f *searcher) narrows() {
	f.openAll(url.Values{"cols": {"host.name", "user.name"}})
	web, db := f.facet("host.name", "web-1"), f.facet("host.name", "db-1")
	if want := f.count(func(x sign) bool { return x.host == "web-1" }); web != want {
		f.Errorf("beside web-1 stands %d, want %d", web, want)
	}
	f.click("button", "Only host.name web-1")
	f.finds(web)
	if names := slices.Compact(f.column("host.name")); len(names) != 1 || names[0] != "web-1" {
		f.Errorf("the rows have the hosts %q, asked for web-1", names)
	}
	f.picture("search-7-included")
	user := f.facet("user.name", "user-0")
	f.click("button", "Without user.name user-0")
	f.finds(web - user)
	if slices.Contains(f.column("user.name"), "user-0") {
		f.Error("user-0 was left out and is there")
	}
	f.click("button", "Only host.name web-1") // takes it back
	f.finds(f.count(func(x sign) bool { return x.user != "user-0" }))
	f.click("button", "Without user.name user-0")
	f.finds(signCount)
	f.click("button", "Without host.name db-1")
	f.finds(signCount - db)
	if q := f.param("q"); len(q) != 1 || q[0] != allSigns+` -host.name:="db-1"` {
		f.Errorf("the query is %q", q)
	}
}

// choosesColumns adds a column, takes one away and moves one; the address keeps them.
func (f *searcher) choosesColumns() {
	f.openAll(url.Values{})
	f.click("button", "Columns")
	f.fill("textbox", "Find a field to show", "outcome")
	f.click("checkbox", `event\.outcome`)
	f.click("button", "Hide Source")
	f.click("button", `event\.outcome further left`)
	f.picture("search-8-columns")
	f.press(keyEscape)
	want := []string{"event.dataset", "host", "user", "event.outcome", "summary"}
	f.await("the columns in the address", fmt.Sprintf(`new URLSearchParams(location.search).getAll('cols').join() === %q`, strings.Join(want, ",")))
	check := func(when string) {
		f.Helper()
		all := f.lines(false)
		head := all[0][len(all[0])-len(want):]
		if !slices.Equal(head, []string{"event.dataset", "Host", "User", "event.outcome", "Event"}) || all[1][len(all[1])-2] != f.signs[0].outcome {
			f.Errorf("%s: the columns are %q, the first row %q", when, all[0], all[1])
		}
	}
	check("chosen")
	f.open(f.s.url + f.path())
	f.finds(signCount)
	check("loaded again")
}

// looksAtItDifferently looks at the events as JSON and as they came.
func (f *searcher) looksAtItDifferently() {
	f.click("radio", "JSON")
	f.find("feed", "Events as JSON")
	text := on[string](f.find("article", ""), `function() { return this.querySelector('pre').innerText }`)
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil || fields["host.name"] != f.signs[0].host || fields["event.outcome"] != f.signs[0].outcome {
		f.Errorf("the first event as JSON (%v): %s", err, text)
	}
	f.picture("search-9-json")
	f.click("radio", "Raw")
	f.find("feed", "Records as received")
	text = on[string](f.find("article", ""), `function() { return this.querySelector('pre').innerText }`)
	if want := "SIGN " + f.signs[0].at.UTC().Format(time.RFC3339) + " web-1 failure user-0"; text != want {
		f.Errorf("the first record is %q, want %q", text, want)
	}
	if view := f.param("view"); !slices.Equal(view, []string{"raw"}) {
		f.Errorf("the address has the view %q", view)
	}
	f.picture("search-10-raw")
}

// counts makes statistics, as a table and as a chart.
func (f *searcher) counts() {
	f.openAll(url.Values{})
	f.fill("textbox", "Query, LogsQL", allSigns+" | stats by (host.name) count() n")
	f.press(keyEnter)
	f.says(`\n3 lines in`)
	want := map[string]string{}
	for _, host := range []string{"web-1", "web-2", "db-1"} {
		want[host] = strconv.Itoa(f.count(func(x sign) bool { return x.host == host }))
	}
	got := map[string]string{}
	for _, row := range f.table()[1:] {
		got[row[0]] = row[1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("the table counts (-want +got):\n%s", diff)
	}
	bars := on[string](f.find("list", `n by host\.name`), `function() { return this.innerText }`)
	for host, n := range want {
		if !regexp.MustCompile(host + `\s+` + n).MatchString(bars) {
			f.Errorf("the bars say %q, want %s %s", bars, host, n)
		}
	}
	f.picture("search-11-bars")
	f.click("radio", "Table only")
	f.gone("list", `n by host\.name`)
	f.fill("textbox", "Query, LogsQL", allSigns+" | stats by (_time:10m, host.name) count() n")
	f.press(keyEnter)
	f.find("image", `n over time by host\.name.*`)
	if times := f.column("_time"); !slices.IsSorted(times) || len(times) < 15 {
		f.Errorf("%d lines over time are not in its order: %q", len(times), times)
	}
	f.picture("search-12-lines")
}
