package e2e

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/probe/probetest"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func (s *server) monitors() vedettev1connect.MonitorServiceClient {
	return vedettev1connect.NewMonitorServiceClient(http.DefaultClient, s.url, s.bearer())
}

// watchRun is an admin who has devices watched: a shop over HTTPS and a firewall over SSH, both real servers.
type watchRun struct {
	*testing.T
	s    *server
	p    *page
	web  *httptest.Server
	down atomic.Bool // the shop answers with an error
	sshd *probetest.SSHD
	dir  string // where the firewall's configuration is
}

// testMonitors has two devices watched on the page, from the credential to the difference of a configuration.
func testMonitors(t *testing.T, s *server, _ string) {
	w := &watchRun{T: t, s: s, sshd: probetest.StartSSHD(t), dir: t.TempDir()}
	w.web = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if w.down.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	w.web.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.web.StartTLS()
	t.Cleanup(w.web.Close)
	s.createUser(t.Context(), "wanda", "read-only", mainTenant)
	w.p = openPage(t, "monitors", s.url)
	w.p.signIn(s)
	w.addsDevices()
	w.watchesShop()
	w.approvesKey()
	w.keyChanges()
	w.differences()
	w.declaresRight()
	w.fromTheEvent()
	w.p.reachedByKeyboard(s.url+"/monitors?org=main&at="+fmt.Sprintf("%d+shop-httpcheck", mainTenant), "heading", "shop-httpcheck")
	w.p.reachedByKeyboard(s.url+"/monitors/new?org=main&device=fw1&module=vedette/sshconfig", "textbox", "startup")
	w.p.reachedByKeyboard(fmt.Sprintf("%s/configurations/difference?of=%d&device=fw1&name=running", s.url, mainTenant), "table", "Difference, side by side")
	w.readerMayLook()
	w.slowDown()
}

// slowDown has the watches poll once an hour: their devices end with this test, and what they say each second would reach
// the pages of other tests.
func (w *watchRun) slowDown() {
	ctx := w.Context()
	all, err := w.s.monitors().ListWatches(ctx, connect.NewRequest(&v1.ListWatchesRequest{}))
	if err != nil {
		w.Fatal(err)
	}
	for _, x := range all.Msg.Watches {
		x.Watch.IntervalMs = uint64(time.Hour / time.Millisecond)
		if _, err := w.s.monitors().PutWatch(ctx, connect.NewRequest(&v1.PutWatchRequest{Watch: x.Watch, Untried: true})); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *watchRun) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *watchRun) show(path string) { w.Helper(); w.p.open(w.s.url + path) }

// addsDevices keeps a credential, which no page shows again, and two devices.
func (w *watchRun) addsDevices() {
	p := w.p
	w.show("/monitors?org=main")
	p.says(`Nothing is watched yet`)
	p.axe("monitors before anything is watched")
	p.click("radio", "Credentials")
	p.click("button", "Add a credential")
	p.fill("textbox", "Name", "fw-key")
	p.click("combobox", "Kind")
	p.click("option", "SSH: private key")
	p.fill("textbox", "User", w.sshd.User)
	p.fill("textbox", "Private key, PEM", w.sshd.PrivateKey)
	p.axe("the dialog of a credential")
	p.click("button", "Keep the credential")
	p.noDialog()
	p.find("row", "fw-key ssh-key .*")
	if text := eval[string](p, "document.documentElement.outerHTML"); strings.Contains(text, "PRIVATE KEY") {
		w.Error("the page shows a private key that it was given")
	}
	w.device("shop", func() {
		p.click("checkbox", "Asked over HTTP")
		p.fill("textbox", "Base URL", w.web.URL)
		p.fill("textbox", "Certificates that may vouch for it, in PEM", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.web.Certificate().Raw})))
	})
	w.device("fw1", func() {
		p.click("checkbox", "Asked over SSH")
		p.fill("textbox", "Port", fmt.Sprint(w.sshd.Port))
		p.click("combobox", "Credential")
		p.click("option", "fw-key .*")
	})
	p.click("radio", "Devices")
	p.find("row", `(?i)not watched fw1 127\.0\.0\.1 SSH 0.*`)
}

func (w *watchRun) device(name string, reach func()) {
	w.Helper()
	w.p.click("button", "Add a device")
	w.p.fill("textbox", "Name", name)
	w.p.fill("textbox", "Address", "127.0.0.1")
	w.p.click("checkbox", "It may be a loopback.*")
	reach()
	w.p.click("button", "Add the device")
	w.p.noDialog()
}

// watchesShop tries a watch before it is taken, makes it faster while it runs, and sees it fail and answer again.
func (w *watchRun) watchesShop() {
	p := w.p
	w.show("/monitors/new?org=main&device=shop&module=vedette/httpcheck")
	p.fill("textbox", "path", "no slash")
	p.click("button", "Try once.*")
	p.says(`'/path': 'no slash' does not match`)
	p.fill("textbox", "path", "/health")
	p.click("button", "Try once.*")
	p.says(`It answers: 1 event in [\d,]+ ms`)
	p.says(`shop is up`)
	p.picture("monitors-trial")
	p.axe("a trial that went well")
	p.click("button", "Watch it")
	p.find("heading", "shop-httpcheck")
	p.find("row", `(?i)polled \S+-(httpcheck|sshconfig) .*`)
	p.says(`Every\s+30 s\s*as the monitor says`)
	p.press("e")
	p.fill("textbox", "Every", "1s")
	p.click("button", "Apply")
	p.says(`shop-httpcheck polls as you have said`)
	p.says(`Every\s+1 s`)
	w.down.Store(true)
	p.says(`\d+\.\d %\s+went well in the last 1 h`)
	w.down.Store(false)
	p.picture("monitors-watch")
	p.axe("a watch")
}

// approvesKey has the firewall's configuration pulled: first its host key is shown and approved.
func (w *watchRun) approvesKey() {
	p := w.p
	var long strings.Builder
	for i := range 400 {
		fmt.Fprintf(&long, "interface %d\n", i)
	}
	w.write("running", "hostname fw1\ntelnet off\n"+long.String()+"end\n")
	w.write("startup", "hostname fw1\ntelnet off\n"+long.String()+"end\n")
	w.write("packages", "bash\t5.2\ncurl\t8.1\n")
	w.show("/monitors/new?org=main&device=fw1&module=vedette/sshconfig")
	p.fill("textbox", "Commands that it may run", fmt.Sprintf("running: cat %[1]s/running\nstartup: cat %[1]s/startup\npackages: cat %[1]s/packages", w.dir))
	p.fill("combobox", "files", "running")
	p.press(keyEnter)
	p.fill("textbox", "startup", "startup")
	p.fill("textbox", "packages", "packages")
	p.fill("textbox", "Every", "1s")
	p.click("button", "Try once.*")
	p.says(`Nobody has approved this device’s host key yet`)
	p.says(`Shown now\s+SHA256:`)
	p.click("button", "It is the device: approve this key")
	p.says(`It answers: \d events? in [\d,]+ ms`)
	p.says(`It would keep running`)
	p.click("button", "Watch it")
	p.find("heading", "fw1-sshconfig")
	p.find("row", `(?i)polled \S+-(httpcheck|sshconfig) .*`)
}

// keyChanges puts another key in the place of the approved one: the watch fails, and the page shows both.
func (w *watchRun) keyChanges() {
	p := w.p
	const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
	_, err := w.s.monitors().ApproveHostKey(w.Context(), connect.NewRequest(&v1.ApproveHostKeyRequest{Tenant: mainTenant, Device: "fw1", Key: other, Replace: true}))
	if err != nil {
		w.Fatal(err)
	}
	p.says(`another host key than the one that was approved`)
	p.find("row", "(?i)failing fw1-sshconfig .*")
	p.press("e")
	p.click("button", "Try once.*")
	p.says(`The host key has changed: the device is new, or something stands in its place`)
	p.says(`Approved\s+(SHA256:\S+)\s+Shown now\s+(?!\1)SHA256:`)
	p.picture("monitors-host-key")
	p.axe("a host key that has changed")
	p.click("button", "It is the device: approve this key in place of the others")
	p.says(`It answers`)
	p.click("button", "Cancel")
	p.says(`fw1-sshconfig\s+POLLED`)
}

// pulled waits until a version of a text is kept.
func (w *watchRun) pulled(name string, versions int) {
	w.Helper()
	w.s.until(fmt.Sprintf("version %d of %s", versions, name), patience, func() bool {
		r, err := w.s.monitors().ListConfigs(w.Context(), connect.NewRequest(&v1.ListConfigsRequest{Tenants: []uint32{mainTenant}, Device: "fw1", Name: name}))
		return err == nil && len(r.Msg.Versions) >= versions
	})
}

const markedWords = `[...document.querySelectorAll('mark')].map((m) => m.innerText).join()`

// differences changes the configuration and looks at it in each way.
func (w *watchRun) differences() {
	p := w.p
	w.pulled("running", 1)
	w.pulled("packages", 1)
	running := strings.Replace(string(readFile(w.T, filepath.Join(w.dir, "running"))), "telnet off\n", "telnet on\nsnmp \x1b[31mpublic\n", 1)
	w.write("running", running)
	w.write("packages", "bash\t5.3\nzsh\t5.9\n")
	w.pulled("running", 2)
	w.pulled("packages", 2)
	w.show("/configurations?org=main")
	p.find("row", `none declared fw1 running .*`)
	p.picture("configurations")
	p.click("link", "fw1 running")
	p.find("table", "Difference, side by side")
	p.await("the changed word to be marked", markedWords+` === 'off,on'`)
	p.says(`‹ESC›\[31mpublic`)
	p.find("button", "⋯ 398 unchanged lines").click()
	p.gone("button", "⋯ 398 unchanged lines")
	p.picture("difference-sides")
	p.axe("a difference side by side")
	p.press("v")
	p.find("table", "Difference")
	p.await("the changed word to be marked", markedWords+` === 'off,on'`)
	p.picture("difference-unified")
	p.axe("a unified difference")
	for _, theme := range []string{"light", "dark"} {
		eval[bool](p, fmt.Sprintf("localStorage.setItem('mantine-color-scheme-value', %q), location.reload(), true", theme))
		p.find("table", "Difference")
		p.await("the changed word to be marked", markedWords+` === 'off,on'`)
		if theme == "light" {
			p.picture("difference-light")
			p.axe("a difference in the light theme")
		}
	}
	p.click("combobox", "Compared with")
	p.click("option", "the newest startup")
	p.await("the difference to startup", markedWords+` === 'off,on'`)
	p.says(`\+2 −1`)
	p.click("combobox", "Text of the device")
	p.click("option", "packages")
	p.click("radio", "Packages")
	p.says(`bash\s+UPDATED\s+5\.2\s+5\.3\s+curl\s+REMOVED\s+8\.1\s+–\s+zsh\s+INSTALLED\s+–\s+5\.9`)
	p.picture("difference-packages")
	p.axe("packages that are different")
}

// declaresRight declares the older version right: the newest deviates from it then, and who said so is remembered.
func (w *watchRun) declaresRight() {
	p := w.p
	w.show(fmt.Sprintf("/configurations/difference?of=%d&device=fw1&name=running", mainTenant))
	p.find("table", "Difference, side by side")
	p.press("j")
	p.says(`This is the first version that was kept`)
	p.press("b")
	p.find("dialog", "Declare this version right")
	p.find("textbox", "Why")
	p.axe("the dialog that declares a version right")
	p.press("as it was delivered")
	p.click("button", "Declare this version right")
	p.noDialog()
	p.says(`DEVIATES`)
	p.find("button", "(?i).* right .*")
	w.show("/configurations?org=main&show=deviates")
	p.find("row", `(?i)deviates fw1 running .* by admin`)
	p.click("link", "fw1 running")
	p.await("the difference to what was declared right", markedWords+` === 'off,on'`)
	p.says(`Declared right by admin`)
	p.picture("difference-deviates")
	w.show("/monitors?org=main&show=changes")
	p.find("row", `.* admin configuration running of fw1: a version was declared right: as it was delivered, sha256:\w+`)
	p.find("row", `.* admin watch shop-httpcheck was changed: interval of the module → 1s`)
	p.find("row", `.* admin credential fw-key was set: ssh-key`)
	p.picture("monitors-changes")
	p.axe("who changed what")
}

// fromTheEvent goes from the event of a change to its difference.
func (w *watchRun) fromTheEvent() {
	w.s.until("the event of the change", patience, func() bool {
		return len(w.s.search(w.Context(), `event.dataset:=vedette.config event.action:=config_changed`)) > 0
	})
	for _, action := range []string{"config_changed", "config_unsaved", "config_deviates"} {
		var id string
		w.s.until("the event "+action, patience, func() bool {
			for _, e := range w.s.search(w.Context(), `event.dataset:=vedette.config event.action:=`+action) {
				id = e.Id
			}
			return id != ""
		})
		w.show("/events/" + id)
		w.p.click("link", "Show the difference")
		w.p.await("the difference of "+action, markedWords+` === 'off,on'`)
	}
}

// reachedByKeyboard goes over a page with Tab alone.
func (p *page) reachedByKeyboard(url, role, loaded string) {
	p.t.Helper()
	p.open(url)
	p.find(role, loaded)
	stops, faults := p.walk()
	if len(faults) > 0 { // something has come meanwhile, or it is so
		stops, faults = p.walk()
	}
	for _, f := range faults {
		p.t.Errorf("%s: %s", url, f)
	}
	p.t.Logf("%d stops: %s", stops, strings.SplitN(url, "/", 4)[3])
}

// readerMayLook: somebody who may only read sees what is polled and that it changed, and no text of a device.
func (w *watchRun) readerMayLook() {
	p := openPage(w.T, "monitors-reader", w.s.url)
	p.signInAs("wanda", userPassword)
	p.open(w.s.url + "/monitors")
	p.click("row", ".*shop-httpcheck.*")
	p.find("heading", "shop-httpcheck")
	for _, button := range []string{"Watch a device", "Add a device", "Change or try.*"} {
		if why := p.disabled("button", button); !strings.Contains(why, "Your role, read-only, may not") {
			w.Errorf("%s says %q", button, why)
		}
	}
	p.open(w.s.url + "/monitors?show=credentials")
	p.says(`Your role, read-only, does not see credentials`)
	p.open(fmt.Sprintf("%s/configurations/difference?of=%d&device=fw1&name=running", w.s.url, mainTenant))
	p.says(`Texts of devices hold hashes of passwords`)
	if text := eval[string](p, "document.body.innerText"); regexp.MustCompile(`telnet|interface 7`).MatchString(text) {
		w.Error("a reader sees the text of a configuration")
	}
}
