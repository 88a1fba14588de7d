package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// What the queue must keep up with, and how smoothly.
const (
	crowdIncidents  = 10_000
	crowdPerSecond  = 200
	wantFPS         = 50
	wantP95         = 34  // ms between two frames
	wantLongestTask = 200 // ms
	frameRateTries  = 3   // the machine may be busy with something else
)

// frames is what the browser measured.
type frames struct {
	FPS, P50, P95, Longest float64 // Longest: ms of the longest task
	LongTasks, Nodes       int
	HeapMB                 float64
	Total                  string
}

func (f frames) good() bool {
	return f.FPS >= wantFPS && f.P95 <= wantP95 && f.Longest <= wantLongestTask
}

// measure scrolls for four seconds as a person does, with pauses, and rests for four.
const measure = `(() => {
  window.measured = undefined;
  const grid = document.querySelector('[role=grid]');
  const gaps = [], tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  const begin = performance.now();
  let last = begin;
  const frame = (now) => {
    gaps.push(now - last);
    last = now;
    const at = now - begin;
    if (at < 4000 && at % 1000 < 700) grid.scrollTop += 45;
    else if (at > 4000 && grid.scrollTop !== 0) grid.scrollTop = 0;
    if (at < 8000) return void requestAnimationFrame(frame);
    observer.disconnect();
    gaps.sort((a, b) => a - b);
    window.measured = {
      FPS: gaps.length * 1000 / at, P50: gaps[gaps.length >> 1], P95: gaps[Math.floor(gaps.length * 0.95)],
      Longest: Math.max(0, ...tasks), LongTasks: tasks.length, Nodes: document.querySelectorAll('*').length,
      HeapMB: (performance.memory?.usedJSHeapSize ?? 0) / 1048576, Total: grid.getAttribute('aria-rowcount'),
    };
  };
  requestAnimationFrame(frame);
  return true;
})()`

// gate measures up to three times and wants one of them to be good.
func gate(t *testing.T, ctx context.Context, judged bool) {
	t.Helper()
	var f frames
	for try := range frameRateTries {
		do(t, ctx, chromedp.Evaluate[bool](measure))
		f = do(t, ctx, chromedp.Poll[frames]("window.measured"))
		t.Logf("try %d: %.1f fps, p50 %.1f ms, p95 %.1f ms, %d long tasks, the longest %.0f ms, %d nodes, heap %.0f MB, %s rows; load %s",
			try+1, f.FPS, f.P50, f.P95, f.LongTasks, f.Longest, f.Nodes, f.HeapMB, f.Total, load())
		if f.good() {
			return
		}
	}
	if !judged {
		t.Logf("others use this machine: the figures are not judged without %s=1", strictEnv)
		return
	}
	t.Errorf("want at least %d fps, p95 at most %d ms, no task over %d ms", wantFPS, wantP95, wantLongestTask)
}

// testFrames is the queue's gate: 10,000 incidents and 200 changes a second at 50 frames a second or more. Real records
// open the incidents and count for them, and host and browser share the machine.
func testFrames(t *testing.T, s *server, token string) {
	judged := quiet()
	for from := 0; from < crowdIncidents; from += 500 {
		names := make([]string, 500)
		for i := range names {
			names[i] = fmt.Sprintf("frame %d", from+i)
		}
		s.probe(t.Context(), token, names...)
	}
	s.drain(t.Context())
	p := openPage(t, "frames", s.url)
	p.signIn(s)
	p.await("all of the rows", fmt.Sprintf("document.querySelector('[role=grid]').ariaRowCount > %d", crowdIncidents))
	rnd, opened := rand.New(rand.NewPCG(1, 3)), 0
	stop := s.keepProbing(t.Context(), token, 50*time.Millisecond, func() []string {
		names := make([]string, crowdPerSecond/20)
		for i := range names {
			if names[i] = fmt.Sprintf("frame %d", rnd.IntN(crowdIncidents)); rnd.IntN(4) == 0 {
				opened++
				names[i] = fmt.Sprintf("frame %d", crowdIncidents+opened)
			}
		}
		return names
	})
	defer stop()
	gate(t, p.ctx, judged)
}
