package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/vedette-siem/vedette/host/author"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// doors writes versions of the parser that `vedette module new` writes into one folder. The second says so in every event
// and in its log, and cannot survive one badge; the third is the second with a test that does not hold.
func doors(t *testing.T) (first, second, broken string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "doors")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	edit := func(file string, pairs ...string) {
		t.Helper()
		text := string(readFile(t, filepath.Join(dir, file)))
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("the %s of a new module has no %q:\n%s", file, pairs[i], text)
			}
		}
		put(t, filepath.Join(dir, file), strings.NewReplacer(pairs...).Replace(text))
	}
	tar := func(version string) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "doors-"+version+".tar")
		if err := os.WriteFile(name, pack(t, dir), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	first = tar("0.1.0")
	edit("main.go", "	e.Bytes(ecs.EventAction, result, nil)\n", `	e.Bytes(ecs.EventAction, result, nil)
	e.Text(ecs.ServiceVersion, "0.2.0", nil)
	sdk.Log(abi.LogInfo, "0.2.0 has read the door "+string(door))
	if string(badge) == "poison" {
		panic("a badge that it cannot survive")
	}
`)
	edit("testdata/doors.txtar", `"user.name"`, `"service.version":"0.2.0","user.name"`)
	edit(manifest.FileName, "0.1.0", "0.2.0")
	second = tar("0.2.0")
	edit("testdata/doors.txtar", `"event.action":"open"`, `"event.action":"ajar"`)
	edit(manifest.FileName, "0.2.0", "0.3.0")
	return first, second, tar("0.3.0")
}

// giveFile chooses a file where the page offers to open one, as a person does in the system's dialog.
func (p *page) giveFile(name string) {
	p.t.Helper()
	input, err := chromedp.Call(p.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.querySelector('input[type=file]')"})
	if err == nil {
		_, err = chromedp.Call(p.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{name}, ObjectID: input.Result.ObjectID})
	}
	if err != nil {
		p.t.Fatalf("browser %q: open %s: %v", p.name, name, err)
	}
}

// wizardRun is a parser on its way through the page: preview, installation, update, refusal, poison, and back.
type wizardRun struct {
	*testing.T
	s                     *server
	p                     *page
	token                 string
	first, second, broken string // files
	doors                 int    // how many there have been
}

// testModules does with a package what its author does on the page, and looks at what becomes of the records meanwhile.
func testModules(t *testing.T, s *server, token string) {
	w := &wizardRun{T: t, s: s, token: token}
	w.first, w.second, w.broken = doors(t)
	w.send("door=gate badge=ada result=open\ndoor=hall badge=eve result=refused")
	s.drain(t.Context())
	w.p = openPage(t, "modules", s.url)
	w.p.signIn(s)
	w.previews()
	w.installs()
	w.updates()
	w.isRefused()
	w.quarantines()
	w.rollsBack()
	w.p.says(`events/s[\s·]+0 dropped`)
}

func (w *wizardRun) send(lines string) {
	w.Helper()
	if err := w.s.ingest(w.Context(), http.DefaultClient, w.token, lines); err != nil {
		w.Fatal(err)
	}
}

// opens sends the record of a door that nobody has used yet and returns its event.
func (w *wizardRun) opens(ctx context.Context) *v1.Event {
	w.Helper()
	w.doors++
	raw := fmt.Sprintf("door=d%d badge=ada result=open", w.doors)
	w.send(raw)
	var e *v1.Event
	w.s.until("the event of "+raw, patience, func() bool {
		for _, e = range w.s.search(ctx, fmt.Sprintf("%q", raw)) {
			return true
		}
		return false
	})
	return e
}

// reads fails the test unless this version of the parser reads the next record.
func (w *wizardRun) reads(version string) {
	w.Helper()
	e := w.opens(w.Context())
	if got := e.Fields["service.version"]; e.Fields["vedette.parser"] != "local/doors" || got != strings.TrimPrefix(version, "0.1.0") {
		w.Errorf("the next record is read by %q, version %q, want version %s", e.Fields["vedette.parser"], got, version)
	}
}

// previews tries the package on what was pasted, on what came last, and on what no parser reads.
func (w *wizardRun) previews() {
	w.p.open(w.s.url + "/modules/new")
	w.p.find("textbox", "Records, one on each line")
	w.p.giveFile(w.first)
	w.p.says(`local/doors 0\.1\.0`)
	w.p.says(`nothing: it sees the records that it is given and no more`)
	w.p.fill("textbox", "Records, one on each line", "door=a badge=b result=open\nwindow=north")
	w.p.says(`1 of 2 records read`)
	w.p.says(`Not mine`)
	w.p.picture("modules-preview")
	w.p.fill("textbox", "Records, one on each line", " ")
	w.p.click("radio", "Unparsed")
	w.p.click("button", `\d+× door=\S+ badge=\S+ result=\S+ .*`)
	w.p.says(`(\d+) of \1 records? read`)
	w.p.click("button", "Let go of these records")
	w.p.click("radio", "Paste")
	w.p.click("button", `20 newest records`)
	w.p.says(`records that came last`)
	w.p.says(`[1-9]\d* of \d+ records read`)
}

// installs makes it run: for the organization whose records they are, from one record to the next.
func (w *wizardRun) installs() {
	if whose := on[string](w.p.find("combobox", "For"), `function() { return this.value }`); whose != "Main organization" {
		w.Errorf("the records are of the main organization, and the wizard installs for %q", whose)
	}
	w.p.click("button", "Install")
	w.p.says(`local/doors 0\.1\.0 running since \d\d:\d\d:\d\d, 0 lost`)
	w.p.says(`its test passed|all \d+ tests passed`)
	w.reads("0.1.0")
	w.p.says(`First record parsed`)
	w.p.picture("modules-installed")
}

// updates replaces it by the next version.
func (w *wizardRun) updates() {
	w.p.giveFile(w.second)
	w.p.says(`local/doors 0\.2\.0`)
	w.p.click("button", "Install")
	w.p.says(`local/doors 0\.2\.0 running since \d\d:\d\d:\d\d, 0 lost`)
	w.reads("0.2.0")
	w.p.says(`First record parsed`)
	w.p.click("button", "Show the event")
	w.p.find("group", `service\.version: 0\.2\.0`)
	w.p.press(keyEscape)
	w.p.gone("group", `service\.version: .*`)
}

// isRefused installs what does not pass its own test: the page says at which step and why, and what runs goes on.
func (w *wizardRun) isRefused() {
	w.p.giveFile(w.broken)
	w.p.says(`local/doors 0\.3\.0`)
	w.p.click("button", "Install")
	w.p.says(`Tests\s*refused`)
	w.p.says(`refused at its own tests: [^\n]*ajar`)
	w.p.picture("modules-refused")
	w.reads("0.2.0")
}

const poison = "door=vault badge=poison result=open"

// quarantines sends the record that the version cannot survive and looks at it.
func (w *wizardRun) quarantines() {
	w.p.open(w.s.url + "/modules/quarantine")
	w.p.find("heading", "Quarantine")
	w.send(poison)
	w.p.find("row", `.*local/doors.*`).click()
	w.p.find("heading", "local/doors: .+")
	w.p.says(regexp.QuoteMeta(poison))
	if said := on[string](w.p.find("region", "What the sandbox said"), `function() { return this.innerText }`); len(said) < 10 {
		w.Errorf("the sandbox says %q of what happened", said)
	} else {
		w.Logf("the sandbox says: %.200s", said)
	}
	w.p.click("radio", "Bytes")
	w.p.says(`000000\s+64 6f 6f 72 3d 76 61 75\s+door=vau`)
	w.p.picture("modules-quarantine")
	w.retries(`It still fails`)
	w.reads("0.2.0") // the others go on
}

func (w *wizardRun) retries(outcome string) {
	w.Helper()
	w.p.click("button", "Try again with the current version")
	w.p.says(outcome)
}

// rollsBack looks at what the module did, and goes back to an earlier version of those that the page lists, and forward.
func (w *wizardRun) rollsBack() {
	w.p.open(w.s.url + "/modules?text=local/doors")
	w.p.find("row", `local/doors .*`).click()
	w.p.find("list", "Versions, the newest first")
	w.p.says(`0\.2\.0\s+\w{10}\s+running[\s\S]+0\.1\.0\s+\w{10}\s+Roll back to this version`)
	w.p.says(`by admin · generation \d+`)
	w.p.says(`Errors\s+[1-9]`)
	w.p.says(`info 0\.2\.0 has read the door d\d`)
	w.p.picture("modules-versions")
	w.p.click("button", `Roll back to this version, 0\.1\.0`)
	w.p.says(`local/doors 0\.1\.0 runs again`)
	w.p.says(`0\.1\.0\s+\w{10}\s+running[\s\S]+0\.2\.0\s+\w{10}\s+Run this version again`)
	w.reads("0.1.0")
	w.p.click("button", "Try (it|all) again with the current version")
	w.p.says(`(\d+) records?: \1 read now\. Nothing was stored\.`)
	w.p.click("link", "it crashed")
	w.p.find("heading", "local/doors: .+")
	w.retries(`local/doors \S+ reads it: 1 event`)
	w.p.open(w.s.url + "/modules?text=local/doors&at=" + fmt.Sprintf("%d+local/doors", mainTenant))
	w.p.click("button", `Run this version again, 0\.2\.0`)
	w.p.says(`0\.2\.0\s+\w{10}\s+running`)
	w.reads("0.2.0")
}
