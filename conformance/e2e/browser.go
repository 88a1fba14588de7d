package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// patience is how long something is waited for before it counts as missing.
const patience = 30 * time.Second

// newBrowser opens a page of a new, real browser, which ends with the test.
func newBrowser(t testing.TB, url string, timeout time.Duration) context.Context {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if browser, err = exec.LookPath("google-chrome"); err != nil {
			t.Fatal("no browser: `make deps` installs one")
		}
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil { // starts the browser
		t.Fatalf("browser: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, timeout)
	t.Cleanup(cancel)
	return ctx
}

// do runs one action of the browser.
func do[T any](t testing.TB, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	return v
}

// page is a page of a browser that is used as somebody uses it who cannot see it: things are found by what the browser
// tells a screen reader, their role and their name. A pattern is a regular expression for the whole name.
type page struct {
	t    testing.TB
	ctx  context.Context //nolint:containedctx // chromedp keeps the browser in it
	name string          // of its artifacts
	log  lockedBuffer    // what the page wrote to the console
}

// openPage opens a browser; when the test fails, what it showed is kept.
func openPage(t testing.TB, name, url string) *page {
	t.Helper()
	p := &page{t: t, name: name, ctx: newBrowser(t, "about:blank", 10*time.Minute)}
	do(t, p.ctx, chromedp.EmulateViewport(1280, 800))
	read := make(chan struct{})
	ctx, cancel := context.WithCancel(p.ctx)
	messages := chromedp.Console(ctx)
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			fmt.Fprintf(&p.log, "%s %s\n", m, m.URL)
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			p.keep()
		}
		cancel()
		<-read
	})
	p.open(url)
	return p
}

// keep saves a picture, the console and the document.
func (p *page) keep() {
	dir := filepath.Join(root, ".tmp", "e2e", strings.ReplaceAll(p.t.Name(), "/", "_"))
	err := os.MkdirAll(dir, 0o755)
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	write := func(what string, data []byte, e error) {
		if e == nil {
			e = os.WriteFile(filepath.Join(dir, p.name+what), data, 0o644)
		}
		err = errors.Join(err, e)
	}
	shot, e := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	write(".png", shot, e)
	html, e := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.documentElement.outerHTML"))
	write(".html", []byte(html), e)
	write(".console.txt", []byte(p.log.String()), nil)
	abs, e := filepath.Abs(dir)
	p.t.Logf("picture, document and console of the browser %q: %s (%v)", p.name, abs, errors.Join(err, e))
}

// picture saves what is shown.
func (p *page) picture(name string) {
	p.t.Helper()
	dir := filepath.Join(root, ".tmp", "screenshots")
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o644))
	}
	if err != nil {
		p.t.Errorf("picture of %s: %v", name, err)
	}
}

func (p *page) open(url string) { p.t.Helper(); do(p.t, p.ctx, chromedp.Navigate(url)) }

// path is what the address says after the host.
func (p *page) path() string {
	p.t.Helper()
	return eval[string](p, "location.pathname + location.search")
}

// eval runs an expression in the page.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	return do(p.t, p.ctx, chromedp.Evaluate[T](expression))
}

// await waits until an expression is true.
func (p *page) await(what, expression string) {
	p.t.Helper()
	p.until(what, func() (bool, error) {
		return chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
	})
}

// says waits until the visible text of the page matches.
func (p *page) says(pattern string) {
	p.t.Helper()
	p.await(fmt.Sprintf("the page to say %q", pattern), fmt.Sprintf("new RegExp(%s, 'u').test(document.body.innerText)", quote(pattern)))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("a string cannot be quoted: " + err.Error())
	}
	return string(b)
}

func (p *page) until(what string, holds func() (bool, error)) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("browser %q: waiting for %s: not within %v (%v)", p.name, what, patience, err)
		}
		<-tick.C
	}
}

// element is something on the page.
type element struct {
	p    *page
	id   cdp.BackendNodeID
	name string
}

// all returns what has a role and a name that matches, in the order of the page.
func (p *page) all(role, pattern string) ([]element, error) {
	names, err := regexp.Compile(`(?s)^(?:` + pattern + `)$`)
	if err != nil {
		return nil, err
	}
	document, err := chromedp.Call(p.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
	if err != nil {
		return nil, err
	}
	tree, err := chromedp.Call(p.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role})
	if err != nil {
		return nil, err
	}
	var out []element
	for _, n := range tree.Nodes {
		if n.Ignored || n.BackendDOMNodeID == 0 {
			continue
		}
		name := ""
		if n.Name != nil && len(n.Name.Value) > 0 {
			if err := json.Unmarshal(n.Name.Value, &name); err != nil {
				return nil, err
			}
		}
		if name = strings.Join(strings.Fields(name), " "); names.MatchString(name) {
			out = append(out, element{p, n.BackendDOMNodeID, name})
		}
	}
	return out, nil
}

// find waits for something and returns the first of it.
func (p *page) find(role, pattern string) element {
	p.t.Helper()
	var found []element
	p.until(fmt.Sprintf("a %s named %q", role, pattern), func() (bool, error) {
		var err error
		found, err = p.all(role, pattern)
		return len(found) > 0, err
	})
	return found[0]
}

// gone waits until there is none.
func (p *page) gone(role, pattern string) {
	p.t.Helper()
	p.until(fmt.Sprintf("no %s to be named %q", role, pattern), func() (bool, error) {
		found, err := p.all(role, pattern)
		return err == nil && len(found) == 0, err
	})
}

// call runs a function whose this is the element.
func call[T any](e element, function string) (T, error) {
	var out T
	node, err := chromedp.Call(e.p.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: e.id})
	if err != nil {
		return out, err
	}
	byValue := true
	r, err := chromedp.Call(e.p.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: node.Object.ObjectID, ReturnByValue: &byValue,
	})
	if err != nil {
		return out, err
	}
	if r.ExceptionDetails != nil {
		return out, fmt.Errorf("script: %s", r.ExceptionDetails.Text)
	}
	return out, json.Unmarshal(r.Result.Value, &out)
}

// on runs a function whose this is the element; the test fails when it cannot.
func on[T any](e element, function string) T {
	e.p.t.Helper()
	v, err := call[T](e, function)
	if err != nil {
		e.p.t.Fatalf("browser %q: %q: %v", e.p.name, e.name, err)
	}
	return v
}

// spot is the middle of an element, whether the pointer reaches it there, and whether it is on the page no more.
type spot struct {
	X, Y      float64
	Hit, Gone bool
}

const middle = `function() {
  const seen = this.offsetWidth < 2 && this.labels?.length ? this.labels[0] : this; // a label stands for a hidden input
  seen.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const r = seen.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
  const top = document.elementFromPoint(x, y);
  return { X: x, Y: y, Hit: top !== null && (seen.contains(top) || top.contains(seen) || [...this.labels ?? []].some((l) => l.contains(top))), Gone: !this.isConnected };
}`

// spot waits until the element stands still where the pointer reaches it, or has gone.
func (e element) spot() spot {
	e.p.t.Helper()
	var last spot
	e.p.until(fmt.Sprintf("%q to be reached by the pointer", e.name), func() (bool, error) {
		now, err := call[spot](e, middle)
		still := err == nil && now.Hit && now == last
		last = now
		return still || err == nil && now.Gone, err
	})
	return last
}

func (e element) click() {
	e.p.t.Helper()
	if !e.clicked() {
		e.p.t.Fatalf("browser %q: %q has gone before it could be clicked", e.p.name, e.name)
	}
}

// clicked clicks unless the element has gone.
func (e element) clicked() bool {
	e.p.t.Helper()
	at := e.spot()
	if at.Gone {
		return false
	}
	do(e.p.t, e.p.ctx, chromedp.MouseClickXY(at.X, at.Y))
	return true
}

func (e element) hover() {
	e.p.t.Helper()
	at := e.spot()
	do(e.p.t, e.p.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y))
}

// click clicks what is found; where a page that was just opened is drawn anew meanwhile, it is found again.
func (p *page) click(role, pattern string) {
	p.t.Helper()
	p.until(fmt.Sprintf("a %s named %q to stay", role, pattern), func() (bool, error) { return p.find(role, pattern).clicked(), nil })
}

// fill puts text into a field as pasting does, in place of what was there.
func (p *page) fill(role, pattern, text string) {
	p.t.Helper()
	p.find(role, pattern).fill(text)
}

func (e element) fill(text string) {
	e.p.t.Helper()
	e.click()
	do(e.p.t, e.p.ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if _, err := chromedp.Call(e.p.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		e.p.t.Fatalf("browser %q: type into %q: %v", e.p.name, e.name, err)
	}
}

// press presses keys, one after the other, as a keyboard does: a key that the page takes for itself writes nothing.
func (p *page) press(keys string) {
	p.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, e := range []input.DispatchKeyEventParams{down, up} {
			if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, e); err != nil {
				p.t.Fatalf("browser %q: press %q: %v", p.name, r, err)
			}
		}
	}
}

// chord presses a key with Ctrl.
func (p *page) chord(key string) {
	p.t.Helper()
	do(p.t, p.ctx, chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// closeDialog closes a dialog and waits until it has faded out: until then it takes the keys.
func (p *page) closeDialog() {
	p.t.Helper()
	p.press(keyEscape)
	p.noDialog()
}

// noDialog waits until a dialog has faded out.
func (p *page) noDialog() {
	p.t.Helper()
	p.await("the dialog to be gone", `document.querySelector('[aria-modal=true]') === null`)
}

// Keys without a letter.
const (
	keyEnter      = kb.Enter
	keyEscape     = kb.Escape
	keyArrowRight = kb.ArrowRight
	keyArrowDown  = kb.ArrowDown
	keyArrowUp    = kb.ArrowUp
	keyBackspace  = kb.Backspace
	keyTab        = kb.Tab
)

// rows is what the queue shows, all of it: by incident its title and count.
const rows = `(async () => {
  const grid = document.querySelector('[role=grid]'), out = {};
  const columns = [...grid.querySelectorAll('[role=columnheader]')].map((c) => c.innerText.trim());
  for (let top = 0; ; top += grid.clientHeight / 2) {
    grid.scrollTop = top;
    await new Promise((done) => setTimeout(done, 60));
    for (const row of grid.querySelectorAll('[role=rowgroup] [role=row]')) {
      const count = row.querySelectorAll('[role=gridcell]')[columns.findIndex((c) => c.startsWith('Count'))].innerText;
      out[row.id] = row.querySelector('input').ariaLabel.replace(/^Select /, '') + ', ' + count.replaceAll(',', '');
    }
    if (top + grid.clientHeight >= grid.scrollHeight) break;
  }
  if (grid.ariaRowCount - 1 !== Object.keys(out).length) out.rows = grid.ariaRowCount - 1 + ' rows';
  grid.scrollTop = 0;
  return out;
})()`

// sameRows waits until the queue shows these incidents, title and count by id, and no others.
func (p *page) sameRows(want map[string]string) {
	p.t.Helper()
	diff := ""
	defer func() {
		if diff != "" {
			p.t.Errorf("browser %q: the queue shows others than the host has (-host +page):\n%s", p.name, diff)
		}
	}()
	p.until("the queue to show what the host has", func() (bool, error) {
		shown, err := chromedp.Run(p.ctx, chromedp.Evaluate[map[string]string](rows, chromedp.EvalAwaitPromise))
		got := map[string]string{}
		for id, text := range shown {
			for known := range want { // a row's id ends with its incident's
				if strings.HasSuffix(id, known) {
					id = known
				}
			}
			got[id] = text
		}
		diff = cmp.Diff(want, got)
		return err == nil && diff == "", err
	})
}

// signIn signs in as the admin and waits for the queue.
func (p *page) signIn(s *server) { p.t.Helper(); p.signInAs("admin", s.password) }

func (p *page) signInAs(name, password string) {
	p.t.Helper()
	p.fill("textbox", "User name", name)
	p.fill("textbox", "Password", password)
	p.click("button", "Sign in")
	p.find("grid", "Incidents")
	p.pointAway()
}

// pointAway takes the pointer off the list, which does not move while somebody points at it.
func (p *page) pointAway() {
	p.t.Helper()
	do(p.t, p.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2))
}
