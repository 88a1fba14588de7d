package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

const (
	harbourTenant = 1 // of newDemo
	herd          = 210
	analyst       = "ana"
)

// desk is two people at the queue of one host.
type desk struct {
	*testing.T
	s        *server
	token    string // of the organization "main"
	p, other *page  // of the admin, and of an analyst of "main"
}

// testTriage works incidents as an analyst does all day: one by one, many at once, and beside somebody else.
func testTriage(t *testing.T, s *server, token string) {
	s.until("incidents of the demo", patience, func() bool { // of one organization: other tests leave thousands in another
		r, err := s.incidents().ListIncidents(t.Context(), connect.NewRequest(&v1.ListIncidentsRequest{Tenants: []uint32{harbourTenant}}))
		return err == nil && len(r.Msg.Incidents) >= 2
	})
	s.feed(t.Context(), false)
	defer s.feed(t.Context(), true)
	s.createUser(t.Context(), analyst, "analyst", mainTenant)
	d := &desk{T: t, s: s, token: token, p: openPage(t, "admin", s.url), other: openPage(t, "analyst", s.url)}
	d.p.signIn(s)
	d.other.signInAs(analyst, userPassword)
	d.p.click("button", "Dismiss the first steps")
	d.pressesEveryKey()
	d.actsOnMany()
	d.seesWhatFailed()
	d.worksACase()
	d.closesWithEachVerdict()
	d.merges()
	d.actsBesideTheOther()
	d.narrows()
	d.savesAView()
}

// raise makes an incident of each name, and waits until the host has them.
func (d *desk) raise(names ...string) {
	d.Helper()
	d.s.probe(d.Context(), d.token, names...)
	d.s.drain(d.Context())
}

// incident is what the host has of a probe.
func (d *desk) incident(name string) *v1.Incident {
	d.Helper()
	in := d.s.titled(d.Context(), "probe "+name)["probe "+name]
	if in == nil {
		d.Fatalf("the host has no incident of the probe %q", name)
	}
	return in
}

// hostHas waits until the host agrees on an incident.
func (d *desk) hostHas(name, what string, holds func(*v1.Incident) bool) {
	d.Helper()
	d.s.until(fmt.Sprintf("the host to have %q %s", name, what), patience, func() bool { return holds(d.incident(name)) })
}

func isState(state string) func(*v1.Incident) bool {
	return func(i *v1.Incident) bool { return i.State == state }
}

// queue shows what has a text in it, so many rows.
func (d *desk) queue(p *page, text string, rows int) {
	d.Helper()
	p.open(d.s.url + "/queue?q=" + strings.ReplaceAll(text, " ", "+"))
	p.pointAway()
	p.awaitRows(rows)
}

// rowCount is how many rows the queue has.
const rowCount = `(Number(document.querySelector('[role=grid]')?.ariaRowCount) - 1)`

func (p *page) awaitRows(n int) {
	p.t.Helper()
	p.await(fmt.Sprintf("%d rows", n), fmt.Sprintf("%s === %d", rowCount, n))
}

// titles are those of the rows on the screen, from the top.
const titles = `[...document.querySelectorAll('[role=rowgroup] [role=row]')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((r) => r.querySelector('input').ariaLabel.replace(/^Select /, ''))`

func (p *page) awaitTitles(want ...string) {
	p.t.Helper()
	p.await(fmt.Sprintf("the rows %q", want), fmt.Sprintf("JSON.stringify(%s) === %s", titles, quote(fmt.Sprintf(`["%s"]`, strings.Join(want, `","`)))))
}

// cursor is the title of the row that the cursor is on.
const cursor = `(document.getElementById(document.querySelector('[role=grid]')?.getAttribute('aria-activedescendant'))?.querySelector('input').ariaLabel.replace(/^Select /, '') ?? '')`

func (p *page) awaitCursor(title string) {
	p.t.Helper()
	p.await(fmt.Sprintf("the cursor to be on %q", title), fmt.Sprintf("%s === %s", cursor, quote(title)))
}

// keyHelp is what `?` lists: what each key does.
const keyHelp = `Object.fromEntries([...document.querySelectorAll('[aria-modal=true] dl > div')].reverse().map((d) => [[...d.querySelectorAll('kbd')].map((k) => k.innerText.trim()).join(' '), d.querySelector('dt').innerText.trim()]))`

// pressesEveryKey looks up what `?` says of each key, presses it, and sees that it does that.
func (d *desk) pressesEveryKey() {
	p := d.p
	d.raise("desk one", "desk two", "desk three")
	d.queue(p, "probe desk", 3)
	order := eval[[]string](p, titles)
	p.press("?")
	p.find("dialog", "Keys of this page")
	p.await("the keys of the queue", `document.querySelector('[aria-modal=true] dl') !== null`)
	p.picture("triage-keys")
	said := eval[map[string]string](p, keyHelp)
	p.closeDialog()
	dialog := func(name string) func() {
		return func() { p.find("dialog", name); p.closeDialog() }
	}
	for _, k := range []struct {
		key, label string
		effect     func()
	}{
		{"j", "Next incident", func() { p.press("j"); p.awaitCursor(order[1]) }},
		{"k", "Previous incident", func() { p.awaitCursor(order[0]) }},
		{"x", "Select", func() { p.says(`1 selected`); p.press("x"); p.gone("toolbar", "What to do with the selected.*") }},
		{"o", "Summary beside the list", func() { p.find("button", "Open incident"); p.press("o"); p.gone("button", "Open incident") }},
		{"a", "Acknowledge", func() { p.awaitRows(2); p.awaitCursor(order[1]) }},
		{"u", "Undo", func() { p.awaitRows(3); p.awaitCursor(order[0]) }},
		{"e", "Escalate", dialog("Escalate " + order[0])},
		{"c", "Close", dialog("Close " + order[0])},
		{"n", "Note", dialog("Add a note to " + order[0])},
		{"s", "Severity", dialog("Severity and assignee of " + order[0])},
		{"/", "Filter by text", func() {
			p.await("the text filter to have the focus", `document.activeElement.ariaLabel?.startsWith('Filter by title')`)
			p.press("probe desk two")
			p.awaitRows(1)
			p.fill("textbox", "Filter by title.*", "probe desk")
			p.press(keyEnter)
			p.awaitRows(3)
		}},
		{"g s", "Search", func() { p.find("heading", "Search.*"); p.press("g"); p.press("q"); p.find("grid", "Incidents") }},
		{"?", "Show keys", dialog("Keys of this page")},
		{"Ctrl k", "Go to or do anything", func() {
			p.find("textbox", "Go to or do")
			p.press("Merge")
			p.find("button", "Merge.*")
			p.picture("triage-palette")
			p.closeDialog()
		}},
	} {
		if said[k.key] != k.label {
			d.Errorf("? says that %s does %q, want %q", k.key, said[k.key], k.label)
		}
		if key, ctrl := strings.CutPrefix(k.key, "Ctrl "); ctrl {
			p.chord(key)
		} else {
			p.press(strings.ReplaceAll(k.key, " ", ""))
		}
		k.effect()
	}
}

// watchProgress notes what is said of something that is done to many.
const watchProgress = `(() => {
  window.progress = [];
  new MutationObserver(() => {
    const said = document.querySelector('[role=group]:has([role=progressbar])')?.innerText;
    if (said && window.progress.at(-1) !== said) window.progress.push(said);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
  return true;
})()`

// actsOnMany selects by keyboard and acts on more incidents than a screen holds.
func (d *desk) actsOnMany() {
	p := d.p
	names := make([]string, herd)
	for i := range names {
		names[i] = fmt.Sprintf("herd %d", i)
	}
	d.raise(names...)
	d.queue(p, "probe herd", herd)
	d.queue(d.other, "probe herd", herd)
	p.press("jx")
	p.says(`1 selected`)
	p.press("JJJ")
	p.says(`4 selected`)
	p.chord("a")
	p.says(fmt.Sprintf(`%d selected`, herd))
	p.picture("triage-selected")
	eval[bool](p, watchProgress)
	p.press("a")
	p.says(fmt.Sprintf(`%d incidents: acknowledged`, herd))
	p.awaitRows(0)
	d.other.awaitRows(0)
	d.allHerd("acknowledged", "")
	progress := eval[[]string](p, "window.progress")
	if len(progress) == 0 || progress[0] != fmt.Sprintf("Acknowledge 0 of %d", herd) {
		d.Errorf("while it ran the page said %q", progress)
	}
	p.press("u")
	p.awaitRows(herd)
	d.other.awaitRows(herd)
	d.s.until("the host to have taken it back", patience, func() bool { return d.herd("open", "") == herd })
	p.says(`Queue ` + fmt.Sprint(herd))
	p.chord("a")
	p.press("c")
	p.find("dialog", fmt.Sprintf("Close %d incidents", herd))
	p.choose("radio", "True positive.*")
	p.press(keyArrowDown) // the verdict after it
	p.fill("textbox", "Note, if .*", "all of one herd")
	p.picture("triage-close-many")
	p.chord(keyEnter)
	p.says(fmt.Sprintf(`%d incidents: closed as false positive`, herd))
	p.picture("triage-closed-many")
	d.allHerd("resolved", "false_positive")
	d.other.awaitRows(0)
}

// herd counts those of the herd that are in a state.
func (d *desk) herd(state, verdict string) (n int) {
	d.Helper()
	for _, i := range d.s.titled(d.Context(), "probe herd") {
		if i.State == state && i.Verdict == verdict {
			n++
		}
	}
	return n
}

func (d *desk) allHerd(state, verdict string) {
	d.Helper()
	if n := d.herd(state, verdict); n != herd {
		d.Errorf("%d of %d are %s %s", n, herd, state, verdict)
	}
}

// choose puts the focus on one of several choices by the keyboard's means.
func (p *page) choose(role, pattern string) {
	p.t.Helper()
	on[bool](p.find(role, pattern), `function() { this.focus(); return document.activeElement === this }`)
}

// seesWhatFailed does something to several that one of them does not take: its organization does not know the assignee.
func (d *desk) seesWhatFailed() {
	p := d.p
	d.s.probe(d.Context(), d.s.readProbes(d.Context(), harbourTenant), "mixed harbour")
	d.raise("mixed 1", "mixed 2")
	d.queue(p, "probe mixed", 3)
	p.press("j")
	p.chord("a")
	p.press("s")
	p.find("dialog", "Severity and assignee of 3 incidents")
	p.fill("combobox", "Assignee", analyst)
	p.press(keyEscape) // the suggestions
	p.click("button", "Change")
	p.says(`1 left as it was: probe mixed harbour: assign to "ana": no such user in the organization(?!:)`)
	p.says(`2 incidents: assigned to ana`)
	p.picture("triage-failed")
	for name, want := range map[string]string{"mixed 1": analyst, "mixed 2": analyst, "mixed harbour": ""} {
		if in := d.incident(name); in.Assignee != want {
			d.Errorf("%s is assigned to %q, want %q", name, in.Assignee, want)
		}
	}
	p.click("button", "Dismiss")
	p.press("u")
	d.hostHas("mixed 1", "without assignee", func(i *v1.Incident) bool { return i.Assignee == "" })
	p.gone("button", "Dismiss")
}

// worksACase is one incident from the first look to its end, in two browsers.
func (d *desk) worksACase() {
	p, other := d.p, d.other
	d.raise("case")
	in := d.incident("case")
	other.open(d.s.url + "/incidents/" + in.Id + "?view=timeline")
	other.find("heading", "(?i).*probe.*case.*")
	d.queue(p, "probe case", 1)
	p.press("jn")
	p.find("dialog", "Add a note to probe case")
	p.fill("textbox", "Note", "seen on the gate <b>twice</b>")
	p.click("button", "Add note")
	other.says(`admin wrote\s+seen on the gate <b>twice</b>`)
	p.noDialog()
	p.press("i")
	other.says(`Assignee\s+admin`)
	p.press("s")
	p.find("dialog", "Severity and assignee of probe case")
	p.click("combobox", "Severity")
	p.click("option", "Low")
	p.fill("combobox", "Assignee", "an")
	p.click("option", analyst)
	p.picture("triage-assign")
	p.click("button", "Change")
	other.says(`Low[\s\S]*Assignee\s+ana`)
	other.says(`admin set the severity to low[\s\S]*admin assigned it to ana`)
	p.noDialog()
	other.fill("textbox", "Note", "it was me")
	other.chord(keyEnter)
	p.press(keyEnter)
	p.find("heading", "(?i).*probe.*case.*")
	p.click("tab", "Timeline.*")
	p.says(`ana wrote\s+it was me`)
	p.picture("triage-timeline")
	other.open(d.s.url + "/queue")
	other.click("button", "Mine")
	other.find("row", ".*probe case.*")
}

// closesWithEachVerdict closes by keyboard alone.
func (d *desk) closesWithEachVerdict() {
	p := d.p
	verdicts := []string{"true_positive", "false_positive", "benign", "duplicate"}
	for i, v := range verdicts {
		d.raise("verdict " + v)
		d.queue(p, "probe verdict", 1)
		p.press("jc")
		p.find("dialog", "Close probe verdict "+v)
		p.await("the verdicts to have the focus", `document.activeElement.type === 'radio'`)
		p.press(strings.Repeat(keyArrowDown, i) + keyEnter)
		p.awaitRows(0)
		d.hostHas("verdict "+v, "closed as "+v, func(i *v1.Incident) bool { return i.State == "resolved" && i.Verdict == v })
	}
	d.other.open(d.s.url + "/queue?q=probe+verdict")
	d.other.click("button", "Resolved today")
	d.other.fill("textbox", "Filter by title.*", "probe verdict")
	for _, v := range verdicts {
		d.other.find("row", "(?i).*probe verdict "+v+" "+strings.ReplaceAll(v, "_", " ")+".*")
	}
	d.other.picture("triage-verdicts")
}

// merges makes one case of two; the merged one shows where it went.
func (d *desk) merges() {
	p := d.p
	d.raise("twin 1")
	d.raise("twin 2")
	d.queue(p, "probe twin", 2)
	p.press("j")
	p.chord("a")
	p.press("m")
	p.find("dialog", "Merge 2 incidents")
	p.choose("radio", "probe twin 1.*")
	p.picture("triage-merge")
	p.press(keyEnter)
	p.awaitRows(1)
	first := d.incident("twin 1")
	d.hostHas("twin 2", "merged", func(i *v1.Incident) bool {
		return i.State == "resolved" && i.Verdict == "duplicate" && i.MergedInto == first.Id
	})
	d.other.open(d.s.url + "/incidents/" + d.incident("twin 2").Id)
	d.other.says(`Merged into probe twin 1, which goes on`)
	d.other.picture("triage-merged")
	d.other.click("link", "probe twin 1")
	d.other.await("the one that goes on", "location.pathname === '/incidents/"+first.Id+"'")
	d.other.click("tab", "History.*")
	d.other.says(`merged it with probe twin 2`)
	d.other.picture("triage-history")
	p.press("u")
	p.awaitRows(2)
	d.hostHas("twin 2", "open", func(i *v1.Incident) bool { return i.State == "open" && i.MergedInto == "" })
}

// together lets both press a key at the same moment.
func (d *desk) together(here, there chromedp.Action[chromedp.Void]) {
	d.Helper()
	var g errgroup.Group
	g.Go(func() error { _, err := chromedp.Run(d.p.ctx, here); return err })
	g.Go(func() error { _, err := chromedp.Run(d.other.ctx, there); return err })
	if err := g.Wait(); err != nil {
		d.Fatal(err)
	}
}

// actsBesideTheOther has two people do different things to the same incident at the same moment.
func (d *desk) actsBesideTheOther() {
	const rounds = 2
	for n := range rounds {
		name := fmt.Sprintf("both %d", n)
		d.raise(name)
		id := d.incident(name).Id
		for _, p := range []*page{d.p, d.other} {
			p.open(d.s.url + "/incidents/" + id + "?view=timeline")
			p.find("heading", "(?i).*probe.*both.*")
			p.fill("textbox", "Note", "by "+p.name)
		}
		d.together(ctrlEnter, ctrlEnter)
		for _, p := range []*page{d.p, d.other} {
			p.says(`wrote\s+by admin`)
			p.says(`wrote\s+by analyst`)
			on[bool](p.find("tab", "Timeline.*"), `function() { this.focus(); return true }`)
		}
		d.together(chromedp.KeyEvent("i"), chromedp.KeyEvent("i"))
		d.together(chromedp.KeyEvent("a"), chromedp.KeyEvent("a"))
		d.hostHas(name, "acknowledged", isState("acknowledged"))
		d.agree(id)
	}
}

var ctrlEnter = chromedp.KeyEvent(keyEnter, chromedp.KeyModifiers(chromedp.ModifierCtrl))

// agree waits until both pages show what the host has, with each note once.
func (d *desk) agree(id string) {
	d.Helper()
	r, err := d.s.incidents().GetIncident(d.Context(), connect.NewRequest(&v1.GetIncidentRequest{Id: id}))
	if err != nil {
		d.Fatal(err)
	}
	in, notes, taken := r.Msg.Incident, map[string]int{}, ""
	for _, h := range r.Msg.History {
		switch h.What {
		case "commented":
			notes[h.Who+": "+h.Detail]++
		case "assigned":
			taken = h.Detail
		}
	}
	if want := map[string]int{"admin: by admin": 1, analyst + ": by analyst": 1}; !maps.Equal(notes, want) || in.Assignee != taken || taken == "" {
		d.Errorf("the host has the notes %v and the assignee %q after %q", notes, in.Assignee, taken)
	}
	for _, p := range []*page{d.p, d.other} {
		p.says(strings.ToUpper(in.State) + `[\s\S]*Assignee\s+` + in.Assignee)
		said := eval[[]int](p, `['by admin', 'by analyst'].map((n) => document.body.innerText.split(n).length - 1)`)
		if !slices.Equal(said, []int{1, 1}) {
			d.Errorf("the page of %s shows the notes %v times", p.name, said)
		}
	}
}
