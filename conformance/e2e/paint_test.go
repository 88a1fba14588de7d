package e2e

import (
	"compress/gzip"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// watchPaint notes what the browser itself says of a page's way to the screen, in milliseconds since the address was
// entered: the first content, the largest so far, and the first frame that has both the heading and something to use.
const watchPaint = `(() => {
  const paint = window.paint = { First: 0, Largest: 0, Usable: 0 };
  new PerformanceObserver((list) => { for (const e of list.getEntriesByName('first-contentful-paint')) paint.First = e.startTime; }).observe({ type: 'paint', buffered: true });
  new PerformanceObserver((list) => { paint.Largest = list.getEntries().at(-1).startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
  const usable = 'button, a[href], input, textarea, select, [role=grid], [contenteditable=true]';
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
  const look = (now) => {
    const place = document.querySelector('#page') ?? document.querySelector('form');
    const heading = [...place?.querySelectorAll('h1') ?? []].some((h) => h.innerText.trim() !== '' && shown(h)) || place?.tagName === 'FORM';
    if (heading && [...place.querySelectorAll(usable)].some((e) => !e.disabled && shown(e))) paint.Usable = now;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()`

// painted is what watchPaint noted, with what of the console came over the network.
type painted struct{ First, Largest, Usable, KiB float64 }

const paintedNow = `(() => ({ ...window.paint, KiB: performance.getEntriesByType('resource').filter((e) => e.name.includes('/assets/')).reduce((sum, e) => sum + e.transferSize, 0) / 1024 }))()`

const paintLimit = 1500 * time.Millisecond // first usable paint

// testPaint measures how each page comes to the screen, with nothing cached and then as on every later visit, and weighs
// what they load. Judged is the moment from which it can be used, which is no earlier than the first paint.
func testPaint(t *testing.T, s *server, token string) {
	s.probe(t.Context(), token, "painted")
	tt := newTimetable(t)
	p := openPage(t, "paint", "about:blank")
	if _, err := chromedp.Call(p.ctx, devtools.AddScriptToEvaluateOnNewDocument, devtools.AddScriptToEvaluateOnNewDocumentParams{Source: watchPaint}); err != nil {
		t.Fatal(err)
	}
	measure := func(path, how string) painted {
		p.open(s.url + path)
		p.await(path+" to be usable", `window.paint?.Usable > 0 && window.paint.First > 0 && document.querySelector('[aria-busy=true]') === null`)
		got := eval[painted](p, paintedNow)
		what := fmt.Sprintf("%s, %s (first paint %.2f, largest %.2f, %.0f KiB)", path, how, got.First/1000, got.Largest/1000, got.KiB)
		tt.note(what, time.Duration(max(got.Usable, got.First)*float64(time.Millisecond)), paintLimit)
		return got
	}
	bothWays := func(path string) {
		if _, err := chromedp.Call(p.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		cold, warm := measure(path, "nothing cached"), measure(path, "cached")
		if cold.KiB < 100 || warm.KiB > cold.KiB/100 {
			t.Errorf("%s loaded %.0f KiB with nothing cached and %.0f KiB afterwards", path, cold.KiB, warm.KiB)
		}
	}
	bothWays("/sign-in")
	p.signIn(s)
	for _, x := range pages {
		bothWays(x.path)
		p.find("heading", x.heading)
	}
	tt.step("/queue, first rows", paintLimit, func() { p.open(s.url + "/queue"); p.find("row", ".*probe painted.*") })
	weighChunks(t)
}

const maxChunkBytes = 250_000 // compressed

// weighChunks looks for scripts that are too large to wait for.
func weighChunks(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(root + "/console/web/dist/assets/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no chunks in console/web/dist/assets: %v", err)
	}
	type chunk struct {
		name  string
		bytes int64
	}
	var chunks []chunk
	for _, f := range files {
		n := compressed(t, f)
		chunks = append(chunks, chunk{filepath.Base(f), n})
		if n > maxChunkBytes {
			t.Errorf("%s is %d bytes compressed, at most %d are allowed", filepath.Base(f), n, maxChunkBytes)
		}
	}
	slices.SortFunc(chunks, func(a, b chunk) int { return int(b.bytes - a.bytes) })
	for _, c := range chunks[:min(6, len(chunks))] {
		t.Logf("%7d bytes compressed  %s", c.bytes, c.name)
	}
}

// compressed is the size of a file as gzip makes it.
func compressed(t *testing.T, name string) int64 {
	t.Helper()
	n := &counter{}
	z, err := gzip.NewWriterLevel(n, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(readFile(t, name)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return n.n
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }
