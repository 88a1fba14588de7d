package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// hostile are names that do something where they are taken for more than text.
var hostile = []string{
	`<img src=x onerror="window.pwned='img'">`,
	`"><script>window.pwned='script'</script>`,
	`<a href="javascript:window.pwned='link'">click</a>`,
	`'"><svg onload=window.pwned='svg'><iframe srcdoc="<script>parent.pwned='frame'</script>">`,
	`[click](javascript:window.pwned='markdown') http://evil.example/`,
	`${window.pwned='template'}{{constructor.constructor('window.pwned=1')()}}`,
	"\x1b[2J\x1b]0;owned\x07\x1b[31mred",
	"\u202egnp.exe\u2066 \u200bhidden\ufeff",
	`=HYPERLINK("http://evil.example/","see")`,
	`+1+cmd|' /C calc'!A0`,
	`-2+3+cmd|' /C calc'!A0`,
	`@SUM(1+1)*cmd|' /C calc'!A0`,
}

// faults lists what text of a record has become that it must not: a script, an element, a link, or control characters
// that an eye or a terminal would follow.
const faults = `(() => {
  const out = [];
  if (window.pwned !== undefined) out.push('a script has run: ' + window.pwned);
  for (const e of document.querySelectorAll('img, iframe, object, embed, [onload], [onerror], [onclick], [srcdoc]')) out.push('an element: ' + e.outerHTML);
  for (const a of document.querySelectorAll('a[href]')) {
    if (a.host !== location.host && a.host !== 'attack.mitre.org') out.push('a link: ' + a.outerHTML.slice(0, 200));
  }
  for (const s of document.scripts) if (!s.src.startsWith(location.origin + '/assets/')) out.push('a script: ' + s.outerHTML.slice(0, 200));
  const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    if (n.nodeType === Node.TEXT_NODE) {
      if (control.test(n.data) && !n.parentElement.closest('.cm-editor, style, textarea')) out.push('control characters in ' + n.parentElement.outerHTML.slice(0, 200));
    } else {
      for (const a of n.attributes) if (['title', 'aria-label', 'aria-description', 'alt'].includes(a.name) && control.test(a.value)) out.push('control characters in ' + a.name + ' of ' + n.outerHTML.slice(0, 200));
    }
  }
  return out;
})()`

// testInjection sends hostile names through ingest, parser and rule, and looks at them everywhere.
func testInjection(t *testing.T, s *server, token string) {
	s.probe(t.Context(), token, hostile...)
	p := openPage(t, "injection", s.url)
	p.signIn(s)
	check := func(what string) {
		t.Helper()
		for _, f := range eval[[]string](p, faults) {
			t.Errorf("%s: %s", what, f)
		}
	}
	p.open(s.url + "/queue?q=probe")
	for _, want := range []string{`probe <img src=x`, `probe "><script>`, `probe ‹ESC›[2J‹ESC›]0;owned‹BEL›`, `probe ‹U+202E›gnp.exe`, `probe =HYPERLINK`} {
		p.says(regexp.QuoteMeta(want))
	}
	check("queue")
	p.press("jo")
	check("queue with the summary")
	for _, i := range s.incidentsByID(t.Context()) {
		if strings.Contains(i.Title, "<img") || strings.Contains(i.Title, "\x1b") || strings.Contains(i.Title, "\u202e") {
			injectedIncident(p, s, i, check)
		}
	}
	query := url.Values{"q": {"event.dataset:=e2e.probe"}, "cols": {"user.name", "host.name", "summary"}}
	for _, view := range []string{"table", "json", "raw"} {
		query.Set("view", view)
		for word, want := range map[string]string{"onerror": `<img src=x`, "owned": `(?<!\x1b)\[31mred`, "gnp": `‹U\+202E›gnp`} {
			query.Set("q", "event.dataset:=e2e.probe "+word)
			p.open(s.url + "/search?" + query.Encode())
			p.says(want)
			check("search for " + word + ", " + view)
		}
	}
	query.Set("q", "event.dataset:=e2e.probe")
	query.Set("view", "table")
	p.open(s.url + "/search?" + query.Encode())
	p.says(`<img src=x`)
	checkCSV(t, "the console's CSV", exported(p, "CSV.*", "csv"), "user.name")
	for _, path := range []string{"/dashboards", "/sources", "/modules/new?sample=" + url.QueryEscape(hostile[0]+"\x1b[2J")} {
		p.open(s.url + path)
		p.find("heading", ".+")
		p.await(path+" to be loaded", `document.querySelector('[aria-busy=true]') === null`)
		check(path)
	}
	checkCommands(t, s)
}

// injectedIncident looks at an incident and at the event that made it.
func injectedIncident(p *page, s *server, i *v1.Incident, check func(string)) {
	p.t.Helper()
	for _, view := range []string{"", "timeline", "entities", "events", "history"} {
		p.open(s.url + "/incidents/" + i.Id + "?view=" + view)
		p.find("heading", "(?i).*probe.*")
		check(fmt.Sprintf("incident %q, view %q", i.Title, view))
	}
	r, err := s.incidents().GetIncident(p.t.Context(), connect.NewRequest(&v1.GetIncidentRequest{Id: i.Id}))
	if err != nil || len(r.Msg.Incident.Evidence) == 0 {
		p.t.Fatalf("incident %q: %v, evidence %v", i.Title, err, r)
	}
	p.open(s.url + "/events/" + r.Msg.Incident.Evidence[0].EventId)
	p.find("group", `user\.name: .*`)
	check(fmt.Sprintf("event of %q", i.Title))
	p.click("radio", "JSON")
	check(fmt.Sprintf("event of %q as JSON", i.Title))
}

// exported exports what the search page shows and returns the file.
func exported(p *page, item, extension string) []byte {
	p.t.Helper()
	dir := p.t.TempDir()
	if _, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	}); err != nil {
		p.t.Fatal(err)
	}
	p.click("button", "Export")
	p.click("menuitem", item)
	var data []byte
	p.until("the export", func() (bool, error) {
		files, err := filepath.Glob(filepath.Join(dir, "*."+extension))
		if err != nil || len(files) != 1 {
			return false, err
		}
		data, err = os.ReadFile(files[0])
		return len(data) > 0, err
	})
	return data
}

// checkCSV wants every hostile name in a column, and no cell that a spreadsheet takes for a formula.
func checkCSV(t *testing.T, what string, data []byte, column string) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v\n%.2000s", what, err, data)
	}
	at, there := -1, map[string]bool{}
	for i, name := range rows[0] {
		if name == column {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("%s has the columns %v, want %s", what, rows[0], column)
	}
	for _, row := range rows {
		there[row[at]] = true
		for _, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") && err != nil {
				t.Errorf("%s: a cell begins like a formula: %q", what, cell)
			}
		}
	}
	spell := strings.NewReplacer("\x1b", `\x1b`, "\a", `\x07`) // as the command line does for terminals
	for _, name := range hostile {
		if !there[name] && !there["'"+name] && !there[spell.Replace(name)] {
			t.Errorf("%s: %q is not in it", what, name)
		}
	}
}

// checkCommands looks at what the command line prints.
func checkCommands(t *testing.T, s *server) {
	t.Helper()
	run := func(args ...string) string {
		out, err := s.vedette(t.TempDir(), append([]string{"search", "event.dataset:=e2e.probe", "--fields", "user.name,event.original", "--limit", "100000"}, args...)...)
		if err != nil {
			t.Fatalf("vedette search %v: %v\n%s", args, err, out)
		}
		return out
	}
	if table := run("--output", "table"); strings.ContainsAny(table, "\x1b\x07\u202e\u2066\u200b\ufeff") || !strings.Contains(table, "<img src=x") {
		t.Errorf("the table sends control characters to the terminal, or not all of the text:\n%q", table)
	}
	data := run("--output", "csv")
	if strings.ContainsAny(data, "\x1b\a") {
		t.Errorf("the CSV sends control characters to the terminal:\n%q", data)
	}
	checkCSV(t, "vedette search --output csv", []byte(data), "user.name")
}
