package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// guessed is the incident that the demo's script raises first.
const guessed = `root logged in after 14 failures from 203\.0\.113\.7`

// minute is an operator's first minute: two browsers, one host, and what the steps hand on.
type minute struct {
	*testing.T
	*timetable
	s     *server
	p     *page
	ready time.Time
}

// TestFirstMinute does what an operator does in the first minute and times it.
func TestFirstMinute(t *testing.T) {
	m := &minute{T: t, timetable: newTimetable(t), s: newDemo(t)}
	m.step("server: start on an empty directory", 0, func() { m.s.start("--demo") })
	m.ready = time.Now()
	m.s.signIn(t.Context())
	m.signsIn()
	m.seesThatItIsLive()
	m.seesRows()
	m.startsAnAttack()
	m.opensTheIncident()
	m.looksAtAnEvent()
	m.acknowledges()
	m.writesAParser()
	m.addsASource()
	m.loadsAHostileModule()
	m.restarts()
	m.removesTheDemo()
}

// signsIn is point 1.
func (m *minute) signsIn() {
	m.p = openPage(m, "first", "about:blank")
	m.step("1 sign-in form is usable", 1500*time.Millisecond, func() {
		m.p.open(m.s.url)
		m.p.find("textbox", "User name")
	})
	form := eval[string](m.p, `JSON.stringify([...document.querySelectorAll('form input')].map((i) => [i.name, i.type, i.autocomplete]))`)
	if want := `[["username","text","username"],["password","password","current-password"]]`; form != want {
		m.Errorf("the form is %s; password managers look for %s", form, want)
	}
	m.p.fill("textbox", "User name", "admin")
	m.p.fill("textbox", "Password", "not the password")
	m.step("1 a wrong password is refused in words", 2*time.Second, func() {
		m.p.click("button", "Sign in")
		m.p.says("Wrong user name or password")
	})
	m.p.fill("textbox", "Password", m.s.password)
	m.step("1 sign-in leads to the queue", 2*time.Second, func() {
		m.p.click("button", "Sign in")
		m.p.find("grid", "Incidents")
	})
	if at := m.p.path(); at != "/queue" {
		m.Errorf("the first page is %s, not the queue", at)
	}
}

// seesThatItIsLive is point 2.
func (m *minute) seesThatItIsLive() {
	m.step("2 live, events per second, 0 dropped", 5*time.Second, func() { m.p.says(`live[\s·]+[1-9][\d.,k]* events/s[\s·]+0 dropped`) })
	m.p.find("complementary", "First steps")
	for _, offer := range []string{"See an incident", "Load your own parser", "Send your own logs"} {
		m.p.says(offer)
	}
	m.step("2 the demo feed is paused and goes on", 5*time.Second, func() {
		m.p.click("button", "Demo data")
		m.p.click("menuitem", "Pause the feed")
		m.p.click("button", "Demo paused")
		m.p.click("menuitem", "Resume the feed")
		m.p.find("button", "Demo data")
	})
}

// seesRows is the first half of point 3.
func (m *minute) seesRows() {
	row := m.p.find("row", ".*"+guessed+".*")
	m.note("3 the first rows, after the start", time.Since(m.ready), 15*time.Second)
	cells := on[[]string](row, `function() { return [...this.querySelectorAll('[role=gridcell]')].map((c) => c.innerText.trim()) }`)
	if said := strings.Join(cells, " | "); !regexp.MustCompile(`(?i)high \| ` + guessed + `\s+demo \| bastion-1 \|(.* \|)? 1 \| `).MatchString(said) {
		m.Errorf("the row says %q: want severity in a word, title, host, count and age", said)
	}
	colour := on[string](row, `function() { return getComputedStyle([...this.querySelectorAll('*')].find((e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && /^high$/i.test(n.data.trim())))).color }`)
	plain := on[string](row, `function() { return getComputedStyle(this).color }`)
	if colour == plain {
		m.Errorf("the severity has no colour of its own: %s", colour)
	}
}

// active is the row that the cursor is on: its title and its distance from the top.
func (m *minute) active() string {
	return eval[string](m.p, `(() => {
  const row = document.getElementById(document.querySelector('[role=grid]').getAttribute('aria-activedescendant'));
  return row === null ? '' : row.querySelector('input').ariaLabel + ' at ' + row.getBoundingClientRect().top;
})()`)
}

// startsAnAttack is the second half of point 3: what comes does not move what is looked at.
func (m *minute) startsAnAttack() {
	m.p.press("j")
	m.p.await("a row to be active", `document.querySelector('[role=grid]').getAttribute('aria-activedescendant')`)
	before := m.active()
	m.step("3 an attack is started and waits as “new”", 5*time.Second, func() {
		m.p.click("button", "Demo data")
		m.p.click("menuitem", "One password, many accounts")
		m.p.find("button", `.*[1-9]\d* new.*`)
	})
	m.p.picture("3-queue")
	if after := m.active(); after != before {
		m.Errorf("the row under the cursor was %q and is %q", before, after)
	}
	m.step("3 the pill shows what has come", time.Second, func() {
		m.p.press(".")
		m.p.find("row", `.*failed to log in.*`)
	})
}

// opensTheIncident is point 4: what happened, to whom, what now, without scrolling.
func (m *minute) opensTheIncident() {
	m.p.find("row", ".*"+guessed+".*").click()
	m.p.press(keyEscape)
	m.step("4 the incident opens", 2*time.Second, func() {
		m.p.press(keyEnter)
		m.p.find("heading", `.*root.*203\.0\.113\.7.*`)
		m.p.find("heading", "Why it fired")
	})
	for _, first := range []struct{ role, pattern string }{
		{"heading", `.*root.*203\.0\.113\.7.*\d\d:\d\d.*`}, // what, who and when
		{"heading", "Why it fired"}, {"heading", "What to do next"}, {"checkbox", "1 .*"}, {"table", "Events: .*"},
	} {
		e := m.p.find(first.role, first.pattern)
		if !on[bool](e, `function() { const r = this.getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight && r.height > 0 }`) {
			m.Errorf("%s %q is not on the first screen", first.role, e.name)
		}
	}
	m.p.says(`14\s*≥\s*10`)
	m.p.picture("4-incident")
}

// looksAtAnEvent is point 5.
func (m *minute) looksAtAnEvent() {
	m.step("5 a click on an event shows its record", 2*time.Second, func() {
		m.p.click("button", "Open the event of .*")
		m.p.find("textbox", "Record as received.*")
		m.p.find("group", `source\.ip: 203\.0\.113\.7`)
	})
	const lit = `[...document.querySelectorAll('[role=textbox] [data-lit]')].map((e) => e.innerText).join('')`
	m.step("5 a field lights up its bytes", time.Second, func() {
		m.p.find("group", `source\.ip: .*`).hover()
		m.p.await("its bytes to light up", lit+" === '203.0.113.7'")
	})
	m.p.picture("5-event")
	record := m.p.find("textbox", "Record as received.*")
	m.step("5 bytes say who read them", time.Second, func() {
		on[bool](record, `function() { this.focus(); return true }`)
		m.p.press(keyArrowRight)
		m.p.says(`Byte 0: nobody read this → Create a parser from this`)
		m.p.press(keyArrowRight)
		m.p.says(`Bytes 1 to 2: read into log\.syslog\.priority`)
	})
	m.step("5 search around it", 3*time.Second, func() {
		m.p.click("link", `Search around ±15 min`)
		m.p.await("the search page", `location.pathname === '/search' && new URLSearchParams(location.search).has('from')`)
		m.p.says(`sshd`)
	})
	m.p.picture("5-search")
}

// acknowledges is point 6.
func (m *minute) acknowledges() {
	other := openPage(m, "second", m.s.url)
	other.signIn(m.s)
	other.find("row", ".*"+guessed+".*")
	m.p.press("g")
	m.p.press("q")
	m.p.find("row", ".*"+guessed+".*").click()
	m.p.press(keyEscape)
	here := m.p.find("row", ".*"+guessed+".*")
	on[bool](here, `function() { window.wanted = this.id; return true }`)
	from := time.Now()
	m.p.press("a")
	m.p.gone("row", ".*"+guessed+".*")
	m.note("6 the acknowledged row leaves", time.Since(from), time.Second)
	other.gone("row", ".*"+guessed+".*")
	m.note("6 a second browser shows it", time.Since(from), time.Second)
	if next := m.active(); next == "" || strings.Contains(next, "after 14 failures") {
		m.Errorf("after it the cursor is on %q, want the next row", next)
	}
	from = time.Now()
	m.p.press("u")
	m.p.find("row", ".*"+guessed+".*")
	m.note("6 undo brings it back", time.Since(from), time.Second)
	other.find("row", ".*"+guessed+".*")
	m.note("6 the second browser shows that", time.Since(from), time.Second)
	if back := m.active(); !strings.Contains(back, "after 14 failures") {
		m.Errorf("after undo the cursor is on %q", back)
	}
}
