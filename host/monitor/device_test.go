package monitor_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/probe/probetest"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Every shipped monitor, in the sandbox, against real servers: HTTPS with credentials, a name server, snmpd, sshd.
func TestShippedMonitorsPollRealServers(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.install("httpcheck", "tlscheck", "tcpcheck", "dnscheck", "ping", "snmpsystem", "prometheus", "sshcommand")
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "scraper" || password != "scraper-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "# TYPE temperature gauge\ntemperature{room=\"7\"} 21.5\nechoed{value=\"%s\"} 1\n", r.Header.Get("Authorization"))
	}))
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that only try
	web.StartTLS()
	t.Cleanup(web.Close)
	port := web.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	snmpd, snmpd3, sshd, dns := probetest.StartSNMPD(t), probetest.StartSNMPD(t), probetest.StartSSHD(t), probetest.StartDNS(t)
	dns.Set("www.example.org", probetest.TypeA, []byte{192, 0, 2, 7})

	s.credential(1, "web", probe.Credential{Kind: probe.HTTPBasic, Login: "scraper", Secret: "scraper-secret"})
	s.credential(1, "v2c", probe.Credential{Kind: probe.SNMPv2c, Secret: runtime.Secret(snmpd.Community)})
	s.credential(1, "v3", probe.Credential{Kind: probe.SNMPv3, Login: snmpd.User, Secret: runtime.Secret(snmpd.AuthSecret), Privacy: runtime.Secret(snmpd.PrivSecret)})
	s.credential(1, "key", probe.Credential{Kind: probe.SSHKey, Login: sshd.User, Secret: runtime.Secret(sshd.PrivateKey)})
	local := meta.Device{Address: "127.0.0.1", Private: true}
	device := func(name string, change func(d *meta.Device)) {
		d := local
		d.Name = name
		change(&d)
		s.device(1, d)
	}
	device("shop", func(d *meta.Device) { d.HTTP = &meta.DeviceHTTP{URL: web.URL, Credential: "web", CA: ca} })
	device("sw2c", func(d *meta.Device) { d.SNMP = &meta.DeviceSNMP{Port: snmpd.Port, Credential: "v2c"} })
	device("sw3", func(d *meta.Device) { d.SNMP = &meta.DeviceSNMP{Port: snmpd3.Port, Credential: "v3"} })
	device("srv", func(d *meta.Device) {
		d.SSH = &meta.DeviceSSH{Port: sshd.Port, Credential: "key", HostKeys: []string{sshd.HostKey}}
	})
	mib2 := []string{"1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1", "1.3.6.1.2.1.25.2", "1.3.6.1.2.1.25.3.3"}
	s.start()
	for _, c := range []struct {
		module, settings string
		target           module.WatchTarget
		want             []string
	}{
		{"httpcheck", "", module.WatchTarget{Name: "target", Device: "shop"}, []string{"monitor:httpcheck shop ", `"status_code":200`, `"name":"shop"`, `"not_after"`}},
		{"prometheus", `{"metrics":["temp*","echo*"]}`, module.WatchTarget{Name: "target", Device: "shop"}, []string{`"service.metric.name":"temperature"`, `"21.5"`, `"labels.room":"7"`}},
		{"tlscheck", fmt.Sprintf(`{"port":%d}`, port), module.WatchTarget{Name: "target", Device: "shop", Ports: []uint16{port}}, []string{`"certificate_ok"`, `"tls.server.trusted":true`}},
		{"tcpcheck", fmt.Sprintf(`{"port":%d}`, port), module.WatchTarget{Name: "target", Device: "shop", Ports: []uint16{port}}, []string{`"service.state":"up"`, `"tcp_check"`}},
		{"dnscheck", `{"question":"www.example.org"}`, module.WatchTarget{Name: "target", Device: "shop", Ports: []uint16{dns.Port}}, []string{`"dns.resolved":["192.0.2.7"]`}},
		{"ping", "", module.WatchTarget{Name: "target", Device: "shop"}, []string{`"network.packets_received":3`}},
		{"snmpsystem", "", module.WatchTarget{Name: "device", Device: "sw2c", OIDs: mib2}, []string{`"host.name":"sw2c"`, `"host.hostname":"device-of-the-test"`, `"host.memory.total"`}},
		{"snmpsystem", "", module.WatchTarget{Name: "device", Device: "sw3", OIDs: mib2}, []string{`"host.name":"sw3"`, `"observer.ingress.interface.name":"lo"`}},
		{"sshcommand", "", module.WatchTarget{Name: "device", Device: "srv", Commands: []manifest.Command{{ID: "command", Run: "echo from the device"}}}, []string{`"process.io.text":"from the device\n"`}},
	} {
		w := module.Watch{ID: c.module + "-" + c.target.Device, Module: "vedette/" + c.module, Settings: c.settings, Targets: []module.WatchTarget{c.target}}
		s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Who: "ann", Name: w.ID, Watch: &w})
		s.until(1, append(c.want, "monitor:"+c.module)...)
	}
	s.until(1, `"service.metric.name":"echoed"`)
	s.stop()
	// H24: what a device is asked with is in nothing that it answers, nor in what is said about failures.
	all := strings.Join(s.records(1), "\n")
	for _, secret := range []string{"scraper-secret", base64.StdEncoding.EncodeToString([]byte("scraper:scraper-secret")), snmpd.Community, snmpd.AuthSecret, snmpd.PrivSecret} {
		if strings.Contains(all, secret) {
			t.Errorf("H24: %q is in a record", secret)
		}
	}
	if n := len(s.records(2)); n != 0 {
		t.Errorf("%d records for an organization that watches nothing", n)
	}
}

// A configuration is kept by content; what changes, deviates and is not saved is told once, with the difference.
func TestConfigurationMonitoring(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.install("sshconfig")
	sshd := probetest.StartSSHD(t)
	file := filepath.Join(t.TempDir(), "running.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hostname fw1\nenable secret 5 old\ntelnet off\n")
	s.credential(1, "key", probe.Credential{Kind: probe.SSHKey, Login: sshd.User, Secret: runtime.Secret(sshd.PrivateKey)})
	s.device(1, meta.Device{Name: "fw1", Address: "127.0.0.1", Private: true, SSH: &meta.DeviceSSH{Port: sshd.Port, Credential: "key", HostKeys: []string{sshd.HostKey}}})
	if err := s.db.BlessConfig(t.Context(), 1, "ann", meta.Blessing{Device: "fw1", Name: "running", Text: []byte("hostname fw1\nenable secret 5 old\ntelnet off\n")}); err != nil {
		t.Fatal(err)
	}
	s.start()
	w := module.Watch{
		ID: "fw1", Module: "vedette/sshconfig", Interval: time.Second, Settings: `{"files":["running"],"startup":"startup"}`,
		Targets: []module.WatchTarget{{Name: "device", Device: "fw1", Commands: []manifest.Command{
			{ID: "running", Run: "cat " + file}, {ID: "startup", Run: "printf 'hostname fw1\\nenable secret 5 old\\ntelnet off\\n'"},
		}}},
	}
	s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: w.ID, Watch: &w})
	s.until(1, "config_first_seen", `"file.name":"running"`)
	s.until(1, "config_pulled")
	write("hostname fw1\nenable secret 5 new\ntelnet on\n")
	changed := s.until(1, `"config_changed"`, `-telnet off\n`, `+telnet on\n`, `"file.diff.added":2`)
	if strings.Contains(changed, "5 new") || !strings.Contains(changed, "secret ***") {
		t.Errorf("a secret in the difference: %s", changed)
	}
	s.until(1, `"config_deviates"`, `+telnet on`)
	s.until(1, `"config_unsaved"`, `+telnet off`)
	write("hostname fw1\nenable secret 5 old\ntelnet off\n")
	s.until(1, "config_deviates_no_more")
	s.until(1, "config_unsaved_no_more")
	s.stop()
	for _, action := range []string{`"config_deviates"`, `"config_unsaved"`, `"config_first_seen","event.outcome":"success","event.category":["configuration"],"event.type":["change"],"host.name":"fw1","file.name":"running"`} {
		n := 0
		for _, r := range s.records(1) {
			if strings.Contains(r, action) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was told %d times", action, n)
		}
	}
	list, err := s.db.ListConfigs(t.Context(), reader(1), "fw1", "running", 0)
	if err != nil || len(list) != 3 || !list[0].Blessed || list[1].Blessed || list[0].Digest != list[2].Digest || list[1].Added != 2 || list[1].Removed != 2 {
		t.Errorf("%+v %v", list, err)
	}
}

func reader(t storage.Tenant) storage.Principal {
	return storage.Principal{User: "test", Role: storage.RoleAdmin, Tenants: []storage.Tenant{t}}
}

// A trial tells why it fails, shows the key of a device that nobody has approved, and keeps nothing.
func TestTry(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.install("sshconfig")
	sshd := probetest.StartSSHD(t)
	s.credential(1, "key", probe.Credential{Kind: probe.SSHKey, Login: sshd.User, Secret: runtime.Secret(sshd.PrivateKey)})
	d := meta.Device{Name: "fw1", Address: "127.0.0.1", Private: true, SSH: &meta.DeviceSSH{Port: sshd.Port, Credential: "key"}}
	s.device(1, d)
	s.start()
	w := module.Watch{Module: "vedette/sshconfig", Targets: []module.WatchTarget{{Name: "device", Device: "fw1", Commands: []manifest.Command{{ID: "running", Run: "echo hello"}}}}}
	try := func() (bool, string, []string) {
		tried, err := s.sched.Try(t.Context(), 1, s.loaded("vedette/sshconfig"), w)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, k := range tried.HostKeys {
			keys = append(keys, k.Key)
		}
		if tried.Err != nil {
			return false, tried.Err.Error(), keys
		}
		if len(tried.Texts) != 1 || len(tried.Records) != 1 {
			t.Errorf("%d texts, %d records", len(tried.Texts), len(tried.Records))
		}
		return true, string(tried.Records[0]), keys
	}
	ok, why, keys := try()
	if ok || len(keys) != 1 || keys[0] != sshd.HostKey || !strings.Contains(why, "E_DENIED") {
		t.Fatalf("without an approved key: %t %q %q", ok, why, keys)
	}
	d.SSH.HostKeys = keys
	s.device(1, d)
	if ok, record, keys := try(); !ok || len(keys) != 0 || !strings.Contains(record, "config_first_seen") {
		t.Errorf("with the approved key: %t %q %q", ok, record, keys)
	}
	if list, err := s.db.ListConfigs(t.Context(), reader(1), "", "", 0); err != nil || len(list) != 0 || len(s.records(1)) != 0 {
		t.Errorf("a trial kept %v and %v, %v", list, s.records(1), err)
	}
}

// Cursor, counts and failures survive a restart; an interval that is changed is in force at once.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.install("tcpcheck")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	s.device(1, meta.Device{Name: "srv", Address: "127.0.0.1", Private: true})
	w := module.Watch{ID: "w", Module: "vedette/tcpcheck", Interval: time.Hour, Settings: fmt.Sprintf(`{"port":%d}`, port), Targets: []module.WatchTarget{{Name: "target", Device: "srv", Ports: []uint16{port}}}}
	missing := w
	missing.ID, missing.Targets = "missing", []module.WatchTarget{{Name: "target", Device: "gone"}}
	s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: "w", Watch: &w})
	s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: "missing", Watch: &missing})
	s.start()
	s.until(1, `"tcp_check"`, `"service.state":"up"`)
	s.until(1, `"event.action":"poll_failed"`, `"error.code":"E_HOST_IO"`, "gone", `"event.sequence":1`)
	s.stop()
	l.Close()
	s.forgetRecords()
	s.start()
	until(t, "states that were read again", func() bool { return s.sched.Status(1, "w").Runs && s.sched.Status(1, "missing").Runs })
	if st := s.sched.Status(1, "missing"); st.Failures != 1 || st.Streak != 1 || st.Polls != 1 || !strings.Contains(st.Error, "gone") {
		t.Errorf("after the restart: %+v", st)
	}
	if st := s.sched.Status(1, "w"); string(st.Cursor) != "up" || time.Until(st.Next) < 50*time.Minute {
		t.Errorf("after the restart: %+v", st)
	}
	w.Interval = time.Second
	s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: "w", Watch: &w})
	s.until(1, `"service_down"`) // the cursor said that it was up
	s.control(module.Control{Kind: module.RemoveWatch, Tenant: 1, Name: "w"})
	until(t, "end of the watch", func() bool { return !s.sched.Status(1, "w").Runs })
	until(t, "forgotten cursor", func() bool {
		list, err := s.db.AllPolls(t.Context())
		return err == nil && len(list) == 1 && list[0].Watch == "missing"
	})
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		select {
		case <-every.C:
		case <-ctx.Done():
			t.Fatalf("no %s", what)
		}
	}
}

// An organization whose devices all hang takes no other one's turn, and no more than its share.
func TestFairness(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.polls = 8
	s.install("httpcheck")
	hold := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(func() { close(hold); slow.Close(); quick.Close() })
	for i := range 100 {
		name := fmt.Sprint("slow-", i)
		s.device(1, meta.Device{Name: name, Address: "127.0.0.1", Private: true, HTTP: &meta.DeviceHTTP{URL: slow.URL}})
		s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: name, Watch: &module.Watch{ID: name, Module: "vedette/httpcheck", Targets: []module.WatchTarget{{Name: "target", Device: name}}}})
	}
	s.start()
	until(t, "polls that hang", func() bool { return s.sched.Status(1, "slow-0").Runs })
	s.device(2, meta.Device{Name: "quick", Address: "127.0.0.1", Private: true, HTTP: &meta.DeviceHTTP{URL: quick.URL}})
	began := time.Now()
	s.control(module.Control{Kind: module.SetWatch, Tenant: 2, Name: "q", Watch: &module.Watch{ID: "q", Module: "vedette/httpcheck", Interval: time.Second, Targets: []module.WatchTarget{{Name: "target", Device: "quick"}}}})
	until(t, "three quick polls", func() bool { return len(s.records(2)) >= 3 })
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("three polls a second apart took %v beside 100 devices that hang", took)
	}
}

// Thousands of devices share one copy of their module's code, and a bounded number of copies of its memory.
func TestThousandsOfDevices(t *testing.T) {
	t.Parallel()
	const devices = 2000
	s := newStand(t)
	s.install("httpcheck")
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(web.Close)
	s.device(1, meta.Device{Name: "web", Address: "127.0.0.1", Private: true, HTTP: &meta.DeviceHTTP{URL: web.URL}})
	for i := range devices {
		w := module.Watch{ID: fmt.Sprint("w", i), Module: "vedette/httpcheck", Interval: time.Hour, Targets: []module.WatchTarget{{Name: "target", Device: "web"}}}
		next, err := s.run.Apply(s.run.Seq+1, 1, module.Control{Kind: module.SetWatch, Tenant: 1, Name: w.ID, Watch: &w})
		if err != nil {
			t.Fatal(err)
		}
		s.run = next
	}
	last := module.Watch{ID: "last", Module: "vedette/httpcheck", Off: true}
	s.control(module.Control{Kind: module.SetWatch, Tenant: 1, Name: last.ID, Watch: &last})
	began := time.Now()
	s.start()
	until(t, "a record of each", func() bool { return len(s.records(1)) >= devices })
	took := time.Since(began)
	s.stop()
	list, err := s.db.AllPolls(t.Context())
	if err != nil || len(list) != devices {
		t.Fatalf("%d states were kept, %v", len(list), err)
	}
	t.Logf("%d devices were polled in %v, %.0f a second; %d instances", devices, took, devices/took.Seconds(), s.loaded("vedette/httpcheck").Code.Instances())
}
