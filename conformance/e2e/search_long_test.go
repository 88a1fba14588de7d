package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	longLines     = 40
	longLineBytes = 64 << 10
	longObjects   = 115
	objectBytes   = 12 << 10
)

// longRecords are lines as long as a datagram can be, and JSON of many fields.
func longRecords(t *testing.T) (lines, objects string) {
	t.Helper()
	var b strings.Builder
	for i := range longLines {
		line := fmt.Sprintf("STRETCHED %d ", i)
		for n := 0; len(line) < longLineBytes-1; n++ {
			line += fmt.Sprintf("key%d=value-%d/%x <b>\x1b[3%dm ", n, n*i, n*n, n%8)
		}
		fmt.Fprintln(&b, line[:longLineBytes-1])
	}
	lines = b.String()
	b.Reset()
	for i := range longObjects {
		headers, items := map[string]string{}, []map[string]any{}
		for n := range 60 {
			headers[fmt.Sprintf("x-header-%d", n)] = strings.Repeat(fmt.Sprintf("%c%d ", 'a'+n%26, i), 20)
			items = append(items, map[string]any{"id": n, "price": float64(n) * 1.25, "in_stock": n%2 == 0, "tags": []string{"a", "b"}})
		}
		o, err := json.Marshal(map[string]any{"marker": "STACKED", "number": i, "request": map[string]any{"headers": headers, "body": strings.Repeat("text of a body ", 300)}, "items": items})
		if err != nil || len(o) < objectBytes {
			t.Fatalf("an object of %d bytes, want %d (%v)", len(o), objectBytes, err)
		}
		fmt.Fprintf(&b, "%s\n", o)
	}
	return lines, b.String()
}

// watchTasks notes the longest task of each document from its beginning.
const watchTasks = `window.longest = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: 'longtask', buffered: true });`

// rest is when the page has nothing more to do.
const rest = `new Promise((done) => requestAnimationFrame(() => requestIdleCallback(() => setTimeout(done, 50, true))))`

// testSearchLong looks at long records in every view: nothing that the page does may hold it up for long.
func testSearchLong(t *testing.T, s *server, token string) {
	lines, objects := longRecords(t)
	for _, body := range []string{lines, objects} {
		if err := s.ingest(t.Context(), http.DefaultClient, token, body); err != nil {
			t.Fatal(err)
		}
	}
	s.until("all of it to be found", patience, func() bool {
		return len(s.search(t.Context(), "STRETCHED")) == longLines && len(s.search(t.Context(), "STACKED")) == longObjects
	})
	tt := newTimetable(t)
	p := openPage(t, "long", s.url)
	p.signIn(s)
	if _, err := chromedp.Call(p.ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watchTasks}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
		t.Fatal(err)
	}
	note := func(what string) {
		t.Helper()
		do(t, p.ctx, chromedp.Evaluate[bool](rest, chromedp.EvalAwaitPromise))
		ms := eval[float64](p, "(() => { const n = window.longest; window.longest = 0; return n; })()")
		tt.note(what+", longest task", time.Duration(ms*float64(time.Millisecond)), wantLongestTask*time.Millisecond)
	}
	for _, kind := range []struct {
		word string
		n    int
	}{{"STRETCHED", longLines}, {"STACKED", longObjects}} {
		p.open(s.url + "/search?" + url.Values{"q": {kind.word}}.Encode())
		p.says(fmt.Sprintf(`(^|\n)%d events in \d`, kind.n))
		note(kind.word + ": cold, table")
		p.find("row", `.* (kv|json)\.log .*`).click()
		p.find("textbox", "Record as received.*")
		note(kind.word + ": an event")
		if more, err := p.all("button", "Show everything"); err == nil && len(more) > 0 {
			more[0].click()
			p.gone("button", "Show everything")
			note(kind.word + ": all of its record")
		}
		p.picture("search-long-" + kind.word)
		p.press(keyEscape)
		p.gone("dialog", "Event")
		for _, view := range []string{"JSON", "Raw", "Table"} {
			p.click("radio", view)
			if view == "Table" {
				p.find("grid", "Events")
				note(kind.word + ": " + view)
				continue
			}
			p.find("feed", ".*")
			note(kind.word + ": " + view)
			for range 2 {
				more := p.find("button", "Show all .* characters")
				more.click()
				p.until("all of it to be there", func() (bool, error) {
					there, err := call[bool](more, `function() { return this.isConnected }`)
					return err == nil && !there, err
				})
			}
			note(kind.word + ": " + view + ", two expanded")
			p.wheel("feed", ".*", 20_000)
			note(kind.word + ": " + view + ", scrolled")
			p.picture("search-long-" + kind.word + "-" + view)
		}
	}
}
