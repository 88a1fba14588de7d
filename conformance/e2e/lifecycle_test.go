package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/author"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// The records of this test, what reads them, and a rule that finds each of their users suspicious.
const (
	lifeSpec = `framing: none
set:
  event.dataset: e2e.life
  event.kind: event
templates:
  - "LIFE {host.name:word} {user.name:rest}"
`
	lifeManifest = `publisher: e2e
name: life
version: VERSION
kind: rule
title: Signs of life
description: Finds each sign of life suspicious.
license: Apache-2.0
abi: "1.0"
entry:
  documents: [rule.yaml]
`
	lifeRule = `kind: pattern
id: e2e.life
name: Signs of life
version: VERSION
description: One sign is enough.
severity: medium
subs:
  seen:
    title: a sign of life
    where: { event.dataset: e2e.life }
    by: [user.name]
incident:
  key: [user.name]
  title: "life {user.name}"
clear: { after: 24h }
tests:
  - name: one
    events:
      - { at: 0s, fields: { event.dataset: e2e.life, user.name: u } }
    expect: { incidents: 1 }
`
)

// lifecycleRun is two people at work on modules: an analyst who installs them, and the admin who is asked.
type lifecycleRun struct {
	*testing.T
	s       *server
	token   string
	analyst *page
	admin   *page
}

// testLifecycle takes modules through their life on the page: what they would change, an installation that waits for a
// second person, and a false positive that keeps a later version out.
func testLifecycle(t *testing.T, s *server, token string) {
	s.createUser(t.Context(), "lena", "analyst", mainTenant)
	l := &lifecycleRun{T: t, s: s, token: token}
	l.signs("ann", "ben", "cid")
	s.drain(t.Context())
	l.analyst = openPage(t, "lifecycle-analyst", s.url)
	l.analyst.signInAs("lena", userPassword)
	l.comparesSpec()
	l.comparesRule()
	l.keepsCase()
	l.isRefused()
	l.removesCase()
	l.asks()
	l.decides()
	l.module()
}

func (l *lifecycleRun) signs(users ...string) {
	l.Helper()
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, "LIFE gate %s\n", u)
	}
	if err := l.s.ingest(l.Context(), http.DefaultClient, l.token, b.String()); err != nil {
		l.Fatal(err)
	}
}

// rule writes a version of the rule's package, with texts of it replaced.
func (l *lifecycleRun) rule(version string, pairs ...string) (file string) {
	l.Helper()
	dir := filepath.Join(l.TempDir(), "life")
	put(l.T, filepath.Join(dir, "rule.yaml"), strings.NewReplacer(append(pairs, "VERSION", version)...).Replace(lifeRule))
	put(l.T, filepath.Join(dir, manifest.FileName), strings.ReplaceAll(lifeManifest, "VERSION", version))
	return l.tar(dir)
}

func (l *lifecycleRun) tar(dir string) (file string) {
	l.Helper()
	file = filepath.Join(l.TempDir(), filepath.Base(dir)+".tar")
	if err := os.WriteFile(file, pack(l.T, dir), 0o644); err != nil {
		l.Fatal(err)
	}
	return file
}

// comparesSpec installs a parser after a look at what it would change.
func (l *lifecycleRun) comparesSpec() {
	p := l.analyst
	p.open(l.s.url + "/modules/new?sample=" + "LIFE+gate+ann")
	p.fill("textbox", "Declarative parser, YAML", lifeSpec)
	p.says(`1 of 1 record read`)
	p.fill("textbox", "Name", "life")
	p.click("button", "What would it change\\?")
	p.says(`Over the last hour it would have changed the events of [1-9]\d* of [\d,]+ records and no incident`)
	p.find("region", "Records")
	p.click("radio", "Newly read [1-9].*")
	p.says(`nobody → local/life`)
	p.picture("lifecycle-parser")
	p.axe("the records that would change")
	p.click("button", "event.dataset")
	p.says(`with another event\.dataset`)
	p.click("button", "NEWLY READ nobody → local/life.*LIFE gate .*|newly read nobody → local/life.*LIFE gate .*")
	p.find("dialog", "Event")
	p.says(`LIFE gate`)
	p.picture("lifecycle-event")
	p.press(keyEscape)
	p.gone("dialog", "Event")
	l.besideTheStream()
	p.click("button", "Back to the parser")
	p.says(`1 of 1 record read`)
	p.click("button", "Install")
	p.says(`local/life 1\.0\.0 running since \d\d:\d\d:\d\d, 0 lost`)
}

// besideTheStream runs the candidate beside what comes meanwhile, and does not wait for the end.
func (l *lifecycleRun) besideTheStream() {
	p := l.analyst
	p.click("combobox", "Beside the stream")
	p.click("option", "then 1 min beside the stream")
	p.click("button", "Compare again")
	p.until("the live counter", func() (bool, error) {
		l.signs("dan", "eva")
		return eval[bool](p, `/Beside the stream: [1-9][\d,]* live records?, [1-9][\d,]* differ; \d+ s to go/.test(document.body.innerText)`), nil
	})
	p.picture("lifecycle-shadow")
	p.click("button", "Stop")
	p.says(`What would it change\?`)
}

// comparesRule installs a rule: the incidents that it would raise are shown first.
func (l *lifecycleRun) comparesRule() {
	p := l.analyst
	l.signs("ann", "ben") // those before were read by nobody
	l.s.until("what the parser has read", patience, func() bool { return len(l.s.search(l.Context(), "event.dataset:=e2e.life")) >= 2 })
	p.open(l.s.url + "/modules/new")
	p.find("textbox", "Records, one on each line")
	p.giveFile(l.rule("1.0.0"))
	p.says(`A rule reads no samples`)
	p.says(`not installed`)
	p.click("button", "What would it change\\?")
	p.says(`it would have changed [1-9]\d* incidents?; the events of all`)
	p.find("button", "(?i).*life ann would appear.*")
	p.picture("lifecycle-rule")
	p.click("button", "(?i).*life ann would appear.*")
	p.find("dialog", "Event")
	p.says(`LIFE gate ann`)
	p.press(keyEscape)
	p.gone("dialog", "Event")
	p.click("button", "Install")
	p.says(`e2e/life 1\.0\.0 running since`)
}

// keepsCase closes an incident as a false positive, and its events become a case of the rule by the same key.
func (l *lifecycleRun) keepsCase() {
	p := l.analyst
	l.signs("noise")
	l.s.until("the incident", patience, func() bool { return l.s.titled(l.Context(), "life noise")["life noise"] != nil })
	in := l.s.titled(l.Context(), "life noise")["life noise"]
	p.open(l.s.url + "/incidents/" + in.Id)
	p.find("heading", ".*life noise.*|.*noise.*")
	p.says(`LIFE gate noise`) // it is stored
	p.press("f")
	p.find("dialog", "Close as a false positive: life noise")
	p.find("checkbox", "Keep its events as a case of the rule")
	p.picture("lifecycle-false-positive")
	p.press(keyEnter)
	p.noDialog()
	p.says(`RESOLVED\s+FALSE POSITIVE`)
	p.says(`Kept as a case of e2e/life`)
	p.picture("lifecycle-case")
	p.press("f")
	p.says(`Its events are a case of the rule already`)
}

// isRefused installs a version that fires on the case.
func (l *lifecycleRun) isRefused() {
	p := l.analyst
	p.open(l.s.url + "/modules/new")
	p.find("textbox", "Records, one on each line")
	p.giveFile(l.rule("1.0.1"))
	p.says(`1\.0\.0 runs`)
	p.click("button", "Install")
	p.says(`Tests\s*refused`)
	p.says(`refused at its saved cases: case \d+, which lena saved of incident \S+ \(life noise\): rule e2e\.life fires on it`)
	p.picture("lifecycle-refused")
}

// removesCase takes the case out again on the module's page: then the version comes in.
func (l *lifecycleRun) removesCase() {
	p := l.analyst
	p.open(fmt.Sprintf("%s/modules/e2e/life?for=%d", l.s.url, mainTenant))
	p.find("heading", "Signs of life")
	p.says(`Cases 1`)
	p.find("link", "life noise")
	p.picture("lifecycle-cases")
	p.click("button", "Remove the case life noise")
	p.says(`The case “life noise” is removed`)
	p.gone("link", "life noise")
	p.click("link", "Install another version")
	p.find("textbox", "Records, one on each line")
	p.giveFile(l.rule("1.0.1"))
	p.says(`1\.0\.0 runs`)
	p.click("button", "Install")
	p.says(`e2e/life 1\.0\.1 running since`)
	p.click("button", "Roll back")
	p.says(`is taken back: the version before runs again`)
}

// lostBadges is what a parser asks for.
const lostBadges = `capabilities:
  - id: vedette_set_v1
    reason: Knows the badges that were lost.
    targets: [{name: lost-badges, description: badges}]
`

// scaffold writes the package of a new module, with something added to its manifest.
func (l *lifecycleRun) scaffold(name string, kind manifest.Kind, added string) (file string) {
	l.Helper()
	dir := filepath.Join(l.TempDir(), name)
	if err := author.New(dir, kind); err != nil {
		l.Fatal(err)
	}
	about := filepath.Join(dir, manifest.FileName)
	put(l.T, about, string(readFile(l.T, about))+added)
	return l.tar(dir)
}

// asks uploads what asks for more than an analyst may grant: it waits, and who may not decide is told so.
func (l *lifecycleRun) asks() {
	tables := vedettev1connect.NewTableServiceClient(http.DefaultClient, l.s.url, l.s.bearer())
	table := &v1.PutTableRequest{Name: "lost-badges", Tenant: mainTenant, Kind: "exact", Format: "csv", Content: []byte("badge\nmallory\n")}
	if _, err := tables.PutTable(l.Context(), connect.NewRequest(table)); err != nil {
		l.Fatal(err)
	}
	p := l.analyst
	for _, x := range []struct{ name, file, capability, reason string }{
		{"watch", l.scaffold("watch", manifest.Monitor, ""), "vedette_http_v1", "Asks the target whether it is there"},
		{"guard", l.scaffold("guard", manifest.Parser, lostBadges), "vedette_set_v1:lost-badges", "Knows the badges that were lost"},
	} {
		p.open(l.s.url + "/modules/new")
		p.find("textbox", "Records, one on each line")
		p.giveFile(x.file)
		p.says(x.capability)
		p.click("button", "Ask for approval")
		p.says(`local/` + x.name + ` waits for approval\s+asks for ` + x.capability + `: ` + x.reason)
		p.picture("lifecycle-waits")
	}
	p.click("link", `Look at request \d+`)
	p.find("heading", `local/guard 0\.1\.0`)
	for _, label := range []string{"Approve a", "Reject r"} {
		if why := p.disabled("button", label); !strings.Contains(why, "Your role, analyst, may not grant a module what it asks for") {
			l.Errorf("%s is disabled because %q", label, why)
		}
	}
	p.press("a")
	p.gone("dialog", "Approve .*")
	p.picture("lifecycle-asked")
}

// decides is the second person, by keyboard.
func (l *lifecycleRun) decides() {
	l.admin = openPage(l.T, "lifecycle-admin", l.s.url)
	p := l.admin
	p.signIn(l.s)
	p.find("link", "Modules, 2 for approval").click()
	p.click("link", "Approvals 2")
	p.find("row", `(?i).*local/watch 0\.1\.0 vedette_http_v1 Main organization lena waiting`)
	p.press("j") // the newest is the first
	p.find("heading", `local/guard 0\.1\.0`)
	p.says(`lena asked .* to install it for\s+Main organization`)
	p.says(`NOT GRANTED\s+Knows the badges that were lost`)
	p.press("b")
	p.says(`Over the last hour it would have changed`)
	p.picture("lifecycle-approval")
	p.press("r")
	p.find("dialog", `Reject local/guard 0\.1\.0`)
	p.find("textbox", "Note for lena.*").fill("one is enough")
	p.press(keyEnter) // a line of the note
	p.chord(keyEnter)
	p.says(`local/guard 0\.1\.0 is rejected`)
	p.gone("row", `(?i).*local/guard .*waiting`)
	p.find("row", `.*local/watch .*`).click()
	p.find("heading", `local/watch 0\.1\.0`)
	p.press("a")
	p.find("dialog", `Approve local/watch 0\.1\.0`)
	p.find("textbox", "Note for lena.*").fill("for the web shop")
	p.picture("lifecycle-approve")
	p.chord(keyEnter)
	p.says(`local/watch 0\.1\.0 runs`)
	p.find("link", "Modules") // nothing waits any more
	p.click("radio", "All")
	p.find("row", `(?i).*local/guard .*rejected`)
	p.find("row", `(?i).*local/watch .*approved`)
	p.picture("lifecycle-decided")
}

// module looks at what the pages of modules say in the end.
func (l *lifecycleRun) module() {
	p := l.analyst
	p.open(l.s.url + "/modules/local/watch")
	p.find("heading", ".*")
	p.says(`admin agreed to vedette_http_v1 for version 0\.1\.0, .* ago: “for the web shop”`)
	p = l.admin
	p.open(l.s.url + "/modules?text=local/life&kind=parser")
	p.find("row", `local/life .*`).click()
	p.press(keyEnter)
	p.find("heading", ".*")
	p.await("the module's page", `location.pathname === '/modules/local/life'`)
	p.says(`Who runs it\s+Main organization\s+its own 1\.0\.0`)
	p.find("image", `Fuel per minute over the last hour, .*`)
	p.find("image", `Memory over the last hour, now .*`)
	p.picture("lifecycle-module")
	for _, theme := range []string{"light", "dark"} {
		eval[bool](p, fmt.Sprintf("localStorage.setItem('mantine-color-scheme-value', %q), true", theme))
		p.open(l.s.url + "/modules/local/life")
		p.find("image", `Fuel per minute over the last hour, .*`)
		p.axe(theme + " page of a module")
		p.open(l.s.url + "/modules/approvals?show=all")
		p.find("row", `(?i).*local/guard .*rejected`).click()
		p.find("heading", `local/guard 0\.1\.0`)
		p.axe(theme + " approvals")
		p.open(l.s.url + "/modules/new?org=main")
		p.find("textbox", "Records, one on each line")
		p.giveFile(l.rule("1.0.2", "event.dataset: e2e.life", "event.dataset: e2e.afterlife"))
		p.says(`1\.0\.0 runs`)
		p.click("button", "What would it change\\?")
		p.find("button", "(?i).*life noise would not be.*")
		p.find("link", "Find “life noise” in the queue, in a new tab")
		p.axe(theme + " comparison")
		p.picture("lifecycle-" + theme)
	}
}
