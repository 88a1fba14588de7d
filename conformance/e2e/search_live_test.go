package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// passing are lines that nobody parses, to be followed.
func passing(word string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "PASSING %s %d\n", word, i)
	}
	return b.String()
}

// testSearchLive follows the stream: rows come, stand still when somebody wants to read, and what is left out is counted.
func testSearchLive(t *testing.T, s *server, token string) {
	p := openPage(t, "live", s.url)
	p.signIn(s)
	p.open(s.url + "/search?q=PASSING")
	p.find("textbox", "Query, LogsQL")
	send := func(word string, n int) {
		t.Helper()
		if err := s.ingest(t.Context(), http.DefaultClient, token, passing(word, n)); err != nil {
			t.Fatal(err)
		}
	}
	p.find("switch", "Live").click()
	p.says(`Live[\s\S]*0 seen[\s\S]* 0 dropped`)
	p.says(`Waiting for the first event that matches`)
	send("first", 1)
	p.find("row", ".*PASSING first 0.*")
	p.says(`1 seen`)
	p.click("button", "Pause.*")
	p.says(`\nPaused\n`)
	send("second", 3)
	p.find("button", "3 new")
	if found, err := p.all("row", ".*PASSING second.*"); err != nil || len(found) > 0 {
		t.Errorf("paused, and %d rows have come (%v)", len(found), err)
	}
	p.picture("search-live-1-paused")
	p.click("button", "Go on.*")
	p.find("row", ".*PASSING second 2.*")
	p.says(`\nLive\n`)
	send("third", 200)
	p.find("row", ".*PASSING third 199.*")
	p.wheel("grid", "Live events.*", -400)
	p.says(`\nPaused\n`)
	send("fourth", 7)
	p.click("button", "7 new")
	p.find("row", ".*PASSING fourth 6.*")
	p.says(`\nLive\n`)
	p.says(` 0 dropped`)
	const burst = 40_000 // far more than the host sends in one message
	send("burst", burst)
	p.says(`[1-9][\d,]* dropped`)
	p.await("all to be seen or counted as dropped", fmt.Sprintf(`((said) => said && said.slice(1).reduce((sum, n) => sum + Number(n.replaceAll(',', '')), 0) >= %d)(/([\d,]+) seen.* ([\d,]+) dropped/.exec(document.body.innerText))`, burst+211))
	t.Logf("of a burst of %d: %s", burst, regexp.MustCompile(`[\d,]+ seen.*dropped`).FindString(eval[string](p, "document.body.innerText")))
	p.picture("search-live-2-dropped")
}

// wheel turns the wheel over an element.
func (p *page) wheel(role, pattern string, by float64) {
	p.t.Helper()
	at := p.find(role, pattern).spot()
	turn := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: at.X, Y: at.Y, DeltaX: 1, DeltaY: by} // it wants both
	if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, turn); err != nil {
		p.t.Fatalf("browser %q: turn the wheel: %v", p.name, err)
	}
}
