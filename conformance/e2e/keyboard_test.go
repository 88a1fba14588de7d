package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// watchFocus notes where Tab leads, and whether somebody sees it: what has the focus, or what stands around or in it, must
// look other than when the focus has gone on, and must not be outside of the window.
const watchFocus = `(() => {
  const still = document.head.appendChild(document.createElement('style'));
  still.textContent = '*, *::before, *::after { transition: none !important; animation: none !important; }';
  const above = (e, n) => n > 0 && e ? [e, ...above(e.parentElement, n - 1)] : [];
  const around = (e) => [...above(e, 6), ...e.labels ?? [], ...[...e.querySelectorAll('*')].slice(0, 400)];
  const style = (e, part) => {
    const s = getComputedStyle(e, part);
    return [s.outlineStyle === 'none' ? '' : s.outlineWidth + s.outlineColor, s.borderColor, s.boxShadow, s.backgroundColor].join();
  };
  const look = (e) => around(e).map((x) => style(x) + style(x, '::after')).join('|');
  const say = (e) => (e.getAttribute('role') ?? e.tagName.toLowerCase()) + ' "' + (e.ariaLabel ?? (e.innerText || e.value || e.placeholder || e.id || '')).slice(0, 60).replaceAll('\n', ' ') + '" ' + e.outerHTML.slice(0, 120);
  const walk = window.walk = { stops: new Set(), faults: new Set(), round: false };
  const first = document.querySelector('a[href="#page"]') ?? document.querySelector('input');
  let last;
  const leave = () => {
    if (last?.e.isConnected && look(last.e) === last.look) walk.faults.add('nothing shows that the focus is on ' + say(last.e));
    last = undefined;
  };
  document.addEventListener('focusin', ({ target: e }) => {
    leave();
    walk.round ||= e === first && walk.stops.size > 1;
    walk.stops.add(e);
    last = { e, look: look(e) };
    const r = e.getBoundingClientRect();
    if (r.width > 2 && (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth)) walk.faults.add('the focus is outside of the window, on ' + say(e));
  });
  // left lists what can be used and is no stop, alone or as part of a group through which arrow keys lead.
  const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [contenteditable=true], [role=button], [role=link], [role=tab], [role=menuitem], [role=switch], [role=checkbox], [role=slider], [role=textbox], [role=grid]';
  walk.left = () => [...document.querySelectorAll(usable)].filter((e) => {
    if (walk.stops.has(e) || e.disabled || e.closest('[inert], [aria-hidden=true]') || !e.checkVisibility({ visibilityProperty: true })) return false;
    if (e.type === 'radio') return ![...walk.stops].some((o) => o.type === 'radio' && o.name === e.name);
    const group = e.closest('[role=tablist], [role=radiogroup], [role=menu], [role=listbox], [role=toolbar]');
    if (group && [...walk.stops].some((o) => group.contains(o))) return false;
    const item = e.closest('[role=group][tabindex="-1"]');
    if (item && [...walk.stops].some((o) => o.role === 'group')) return false;
    return !(e.tabIndex < 0 && e.closest('[role=row]') && walk.stops.has(e.closest('[role=grid]'))); // its keys act on the row
  }).map((e) => 'Tab does not reach ' + say(e));
  document.activeElement?.blur();
  first.focus();
  return true;
})()`

const mostStops = 600 // of a page, beyond which Tab is caught somewhere

// walk presses Tab until it comes round and returns what is wrong, twice: something may have come meanwhile.
func (p *page) walk() (stops int, faults []string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, devtools.BringToFront, cdp.Empty{}); err != nil { // :focus is of the window that has it
		p.t.Fatal(err)
	}
	if stops, faults = p.round(); len(faults) > 0 {
		stops, faults = p.round()
	}
	return stops, faults
}

func (p *page) round() (stops int, faults []string) {
	p.t.Helper()
	eval[bool](p, watchFocus)
	for n := 0; n < mostStops && !eval[bool](p, "walk.round"); n += 10 {
		p.press(strings.Repeat(keyTab, 10))
	}
	faults = eval[[]string](p, "[...walk.faults, ...walk.left()]")
	if !eval[bool](p, "walk.round") {
		faults = append(faults, "Tab does not come round: it is at "+eval[string](p, "document.activeElement.outerHTML.slice(0, 200)"))
	}
	return eval[int](p, "walk.stops.size"), faults
}

// testKeyboard goes over every address without a pointer: Tab reaches every action and shows where it is, and Escape closes
// whatever a key has opened and goes back to where it was opened.
func testKeyboard(t *testing.T, s *server, token string) {
	s.probe(t.Context(), token, "reached")
	addresses := s.addresses(t)
	s.feed(t.Context(), false) // rows that come while Tab is on its way would not be reached
	defer s.feed(t.Context(), true)
	s.drain(t.Context())
	p := openPage(t, "keyboard", s.url)
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		t.Fatal(err)
	}
	p.find("textbox", "User name")
	if _, faults := p.walk(); len(faults) > 0 {
		t.Errorf("sign-in: %s", strings.Join(faults, "\n"))
	}
	p.open(s.url)
	p.find("textbox", "User name") // it has the focus
	p.press("admin" + keyTab + s.password + keyEnter)
	p.find("grid", "Incidents")
	tried := map[string]bool{}
	for _, x := range addresses {
		p.open(s.url + x.path)
		p.find("heading", x.heading)
		p.await(x.path+" to be loaded", `document.querySelector('[aria-busy=true]') === null`)
		stops, faults := p.walk()
		for _, f := range faults {
			t.Errorf("%s: %s", x.path, f)
		}
		t.Logf("%d stops: %s", stops, x.path)
		p.opensAndCloses(x.path, tried)
	}
}

const paneAfterAFrame = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('#page [role=separator]') !== null))))`

// opensAndCloses opens each dialog, pane and menu of a page by keyboard and closes it with Escape.
func (p *page) opensAndCloses(path string, tried map[string]bool) {
	p.t.Helper()
	p.await("nothing to be written into", `(document.activeElement?.blur(), true)`)
	p.press("?")
	p.find("dialog", "Keys of this page")
	p.closeDialog()
	p.chord("k")
	p.find("dialog", ".*")
	p.closeDialog()
	if eval[bool](p, `(document.querySelector('#page [role=grid][aria-rowcount]:not([aria-rowcount="1"])')?.focus(), document.activeElement.role === 'grid')`) {
		p.press(keyArrowDown)
		p.await(path+" to have an active row", `document.activeElement.getAttribute('aria-activedescendant')`)
		if do(p.t, p.ctx, chromedp.Evaluate[bool](paneAfterAFrame, chromedp.EvalAwaitPromise)) {
			p.until("Tab to lead into the pane of "+path, func() (bool, error) {
				p.press(keyTab)
				return chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.activeElement.closest('#page [role=separator] + aside') !== null`))
			})
			p.press(keyEscape)
			p.await("the pane of "+path+" to be closed, and the table to have the focus", `document.querySelector('#page [role=separator]') === null && document.activeElement.role === 'grid'`)
		}
	}
	for _, e := range eval[[]string](p, `[...walk.stops].filter((e) => e.isConnected && e.tagName === 'BUTTON' && ['menu', 'true', 'dialog'].includes(e.ariaHasPopup)).map((e) => e.ariaLabel ?? e.innerText)`) {
		if tried[e] {
			continue
		}
		tried[e] = true
		find := fmt.Sprintf(`[...walk.stops].find((e) => e.isConnected && e.ariaHasPopup && (e.ariaLabel ?? e.innerText) === %s)`, quote(e))
		eval[bool](p, fmt.Sprintf(`(window.opener_ = %s, opener_.focus(), true)`, find))
		p.press(keyEnter)
		p.await(fmt.Sprintf("%q of %s to open and to take the focus", e, path), `opener_.ariaExpanded === 'true' && document.activeElement !== opener_`)
		p.press(keyEscape)
		p.await(fmt.Sprintf("%q of %s to close, and to have the focus", e, path), `opener_.ariaExpanded !== 'true' && document.activeElement === opener_`)
	}
}
