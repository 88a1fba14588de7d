package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/demo"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// mainTenant is the number of the organization "main" of newDemo.
const mainTenant = 3

// turnstile is a line that nothing reads.
func turnstile(gate int, user string, ms int) string {
	return fmt.Sprintf("TURNSTILE gate-%d let %s through with badge %d from 10.1.2.%d after %d ms", gate, user, 4000+gate, gate, ms)
}

// editor is the text in the wizard's editor.
const editor = `[...document.querySelectorAll('.cm-line')].map((l) => l.innerText.replace(/\n$/, '')).join('\n')`

// writesAParser is point 7.
func (m *minute) writesAParser() {
	token := m.s.ingestToken(m.Context(), mainTenant, "turnstiles")
	m.p.press("g")
	m.p.press("q")
	m.p.click("link", "Load your own parser.*")
	m.p.find("textbox", "Records, one on each line")
	m.step("7 a pasted line gets a template with typed holes", 2*time.Second, func() {
		m.p.fill("textbox", "Records, one on each line", turnstile(12, "ada.byron", 35)+"\n"+turnstile(3, "kofi.mensah", 112))
		m.p.says(`2 of 2 records read`)
	})
	spec := eval[string](m.p, editor)
	if !regexp.MustCompile(`\{[\w.]+:word\}.*\{[\w.]+:int\}.*\{source\.ip:ip\}`).MatchString(spec) {
		m.Errorf("the suggestion has no typed holes:\n%s", spec)
	}
	m.step("7 fields appear while typing", time.Second, func() {
		m.p.fill("textbox", "Declarative parser, YAML", strings.Replace(spec, "custom.let:", "user.name:", 1))
		m.p.says(`user\.name\s+ada\.byron`)
	})
	m.p.fill("textbox", "Name", "turnstile")
	m.p.click("combobox", "For")
	m.p.click("option", "Main organization")
	m.step("7 installed, 0 lost", 10*time.Second, func() {
		m.p.click("button", "Install")
		m.p.says(`running since \d\d:\d\d:\d\d, 0 lost`)
	})
	m.step("7 the next such line is parsed", 2*time.Second, func() {
		if err := m.s.ingest(m.Context(), http.DefaultClient, token, turnstile(7, "noor.haddad", 20)); err != nil {
			m.Fatal(err)
		}
		m.p.says(`First record parsed`)
	})
	m.p.picture("7-parser")
	m.p.click("button", "Show the event")
	m.p.find("group", `user\.name: noor\.haddad`)
	m.p.press(keyEscape)
}

// addsASource is point 8: it says why not, and then that it is there.
func (m *minute) addsASource() {
	token := m.s.ingestToken(m.Context(), mainTenant, "unparsed")
	m.p.press("g")
	m.p.press("q")
	m.p.click("link", "Send your own logs.*")
	m.p.click("combobox", "Organization that the records belong to")
	m.p.click("option", "Main organization")
	from := time.Now()
	m.p.says(regexp.QuoteMeta(m.s.syslog["main"]))
	m.p.click("button", "Create a token")
	m.p.says(`vdi_\w+`)
	for _, sender := range []struct{ tab, command string }{
		{"logger", `logger --server`}, {"curl", `curl [^\n]*Bearer vdi_\w+`}, {"rsyslog", `omfwd`}, {"FortiGate", `config log syslogd setting`},
	} {
		m.p.click("tab", sender.tab)
		m.p.says(sender.command)
	}
	m.p.says(`Nothing has arrived on [^\n]+ for 1\ds`)
	m.note("8 nothing arrives: it says so", time.Since(from), 12*time.Second)
	m.step("8 a wrong token: it says so", 2*time.Second, func() {
		if err := m.s.ingest(m.Context(), http.DefaultClient, "vdi_wrong", "hello"); err == nil {
			m.Error("a wrong token is taken")
		}
		m.p.says(`unknown token was refused`)
	})
	m.step("8 an unparsed record: it says so", 3*time.Second, func() {
		if err := m.s.ingest(m.Context(), http.DefaultClient, token, "nobody has ever written a parser for this"); err != nil {
			m.Fatal(err)
		}
		m.p.says(`First record from 127\.0\.0\.1, and no parser reads it`)
		m.p.find("link", "Create a parser for it")
	})
	m.p.click("button", "Watch anew")
	m.p.says(`Waiting for the first record`)
	m.step("8 a firewall's record: from whom, parsed by what", 3*time.Second, func() {
		m.send(m.s.syslog["main"], firewallLine())
		m.p.says(`First record from 127\.0\.0\.1, parsed by vedette/fortigate`)
	})
	m.p.picture("8-source")
}

func firewallLine() []byte {
	traffic := demo.NewTraffic(demo.Orgs()[0], 1)
	for {
		if l := traffic.Line(time.Now()); strings.Contains(string(l), "devname=") {
			return l
		}
	}
}

// send sends a datagram.
func (m *minute) send(address string, data []byte) {
	m.Helper()
	c, err := net.Dial("udp", address)
	if err != nil {
		m.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(data); err != nil {
		m.Fatal(err)
	}
}

// eventsPerSecond is what the top bar says.
func (m *minute) eventsPerSecond() float64 {
	m.Helper()
	return eval[float64](m.p, `Number(/([\d.,]+) events\/s/.exec(document.body.innerText)[1].replaceAll(',', ''))`)
}

// loadsAHostileModule shows that a module without an end takes nothing from the others.
func (m *minute) loadsAHostileModule() {
	m.p.open(m.s.url + "/modules/hostile")
	m.p.says(`live[\s·]+[1-9][\d.,]* events/s`)
	before := m.eventsPerSecond()
	m.step("a hostile module is stopped", 5*time.Second, func() {
		m.p.click("button", "Run it: .*(loop|end).*")
		m.p.says(`stopped in [\d.,]+ m?s: out of fuel`)
	})
	m.p.picture("hostile")
	if after := m.eventsPerSecond(); after < before/2 {
		m.Errorf("beside it the host went from %v to %v events/s", before, after)
	}
	m.p.says(`events/s[\s·]+0 dropped`)
}

const marks = 50 // numbered records around the kill

// restarts is point 9: the page comes back as it was, nothing is missing and nothing is there twice.
func (m *minute) restarts() {
	ctx := m.Context()
	m.p.press("g")
	m.p.press("q")
	m.p.find("row", ".*"+guessed+".*").click()
	m.p.press("?")
	m.step("9 ? lists the keys", time.Second, func() {
		m.p.find("dialog", "Keys of this page")
		m.p.says(`Acknowledge\s+a\s`)
	})
	m.p.closeDialog()
	m.s.feed(ctx, false)
	token := m.s.ingestToken(ctx, mainTenant, "marks")
	for n := range marks {
		if err := m.s.ingest(ctx, http.DefaultClient, token, fmt.Sprintf("mark %d of the restart", n)); err != nil {
			m.Fatal(err)
		}
	}
	before, path, cursor := m.s.incidentsByID(ctx), m.p.path(), m.active()
	m.step("9 the page says that the host is away", 2*time.Second, func() {
		m.s.kill()
		m.p.says(`reconnecting…`)
	})
	m.step("9 start after the kill", 0, func() { m.s.start("--demo") })
	m.s.feed(ctx, false)
	m.step("9 live again", 10*time.Second, func() { m.p.says(`live[\s·]+[\d.,k]+ events/s`) })
	if now := m.p.path(); now != path {
		m.Errorf("the page was %s and is %s", path, now)
	}
	if now := m.active(); now != cursor {
		m.Errorf("the row under the cursor was %q and is %q", cursor, now)
	}
	m.s.drain(ctx)
	after := m.s.incidentsByID(ctx)
	for id, i := range before {
		if now := after[id]; now == nil || now.Count < i.Count || now.Title != i.Title {
			m.Errorf("incident %s %q counted %d before the kill and is now %v", id, i.Title, i.Count, now)
		}
	}
	m.p.sameRows(m.s.openRows(ctx))
	m.checkMarks(ctx)
}

// checkMarks looks for the numbered records: each once.
func (m *minute) checkMarks(ctx context.Context) {
	m.Helper()
	times := map[string]int{}
	m.s.until("the numbered records to be found", 30*time.Second, func() bool {
		clear(times)
		for _, e := range m.s.search(ctx, `"of the restart"`) {
			times[e.Raw]++
		}
		return len(times) >= marks
	})
	for n := range marks {
		if raw := fmt.Sprintf("mark %d of the restart", n); times[raw] != 1 {
			m.Errorf("%q was acknowledged once and is stored %d times", raw, times[raw])
		}
	}
}

// removesTheDemo is the end of point 2.
func (m *minute) removesTheDemo() {
	m.step("2 all demo data is removed", 10*time.Second, func() {
		m.p.click("button", "Demo (data|paused)")
		m.p.click("menuitem", "Remove all demo data…")
		m.p.click("button", "Remove demo data")
		m.p.says(`All demo data is gone`)
	})
	m.p.gone("row", ".*"+guessed+".*")
	r, err := m.s.tenants().ListTenants(m.Context(), connect.NewRequest(&v1.ListTenantsRequest{}))
	if err != nil || len(r.Msg.Tenants) != 1 || r.Msg.Tenants[0].Slug != "main" {
		m.Errorf("after it there are %v (%v), want main alone", r.Msg.GetTenants(), err)
	}
}
