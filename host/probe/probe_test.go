package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/probe/probetest"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

const system = "1.3.6.1.2.1.1"

func local(port uint16) Place { return Place{Address: "127.0.0.1", Port: port, Private: true} }

func TestSNMP(t *testing.T) {
	d := probetest.StartSNMPD(t)
	var p Prober
	for name, c := range map[string]Credential{
		"v2c": {Kind: SNMPv2c, Secret: runtime.Secret(d.Community)},
		"v3":  {Kind: SNMPv3, Login: d.User, Secret: runtime.Secret(d.AuthSecret), Privacy: runtime.Secret(d.PrivSecret)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
			ask := p.SNMP(local(d.Port), c, []string{system})
			vars, more, err := ask(t.Context(), false, []string{system + ".5.0", system + ".3.0", system + ".99.0"})
			if err != nil || more || len(vars) != 3 {
				t.Fatalf("%v %v %v", vars, more, err)
			}
			if string(vars[0].Bytes) != "device-of-the-test" || vars[0].Type != snmp.Text || vars[1].Type != snmp.Ticks || vars[2].Type != snmp.Absent {
				t.Errorf("got %+v", vars)
			}
			vars, _, err = ask(t.Context(), true, []string{system})
			if err != nil || len(vars) < 5 || !slices.ContainsFunc(vars, func(v snmp.Variable) bool { return v.OID == system+".1.0" }) {
				t.Errorf("walk: %d variables, %v", len(vars), err)
			}
		})
	}
	wrong := p.SNMP(local(d.Port), Credential{Kind: SNMPv3, Login: d.User, Secret: "another secret", Privacy: runtime.Secret(d.PrivSecret)}, []string{system})
	if _, _, err := wrong(t.Context(), false, []string{system + ".5.0"}); err == nil || errors.Is(err, runtime.ErrDenied) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := p.SNMP(local(silentPort(t)), Credential{Kind: SNMPv2c, Secret: "community"}, []string{system})
	began := time.Now()
	if _, _, err := silent(ctx, false, []string{system + ".5.0"}); err == nil || time.Since(began) > 2*MaxSNMPTime-time.Second { // two tries, if ctx counted for nothing
		t.Errorf("a device that is silent: %v after %v", err, time.Since(began))
	}
}

// silentPort returns a UDP port whose owner answers nothing.
func silentPort(t *testing.T) uint16 {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// H24: what lies outside the granted prefixes is denied before anything is sent.
func TestH24OIDOutsideThePrefix(t *testing.T) {
	var p Prober
	ask := p.SNMP(local(silentPort(t)), Credential{Kind: SNMPv2c, Secret: "community"}, []string{system, "1.3.6.1.2.1.25.1"})
	for _, oid := range []string{
		"1.3.6.1.2.1", "1.3.6.1.2.1.2.1", "1.3.6.1.2.1.11.0", "1.3.6.1.2.1.1.", ".1.3.6.1.2.1.1.1", "1.3.6.1.2.1.01.1", "1.3.6.1.2.1.1..1", "1", "",
		"1.3.6.1.2.1.1.1 1.3.6.1.6", "1.3.6.1.2.1.1.99999999999", "1.3.6.1.6.3.15.1.2.2", "x", "1.3.6.1.2.1.25.10",
	} {
		for _, walk := range []bool{false, true} {
			if _, _, err := ask(t.Context(), walk, []string{oid}); !errors.Is(err, runtime.ErrDenied) {
				t.Errorf("%q, walk %t: %v", oid, walk, err)
			}
		}
	}
	if _, _, err := ask(t.Context(), false, make([]string, snmp.MaxOIDs+1)); !errors.Is(err, runtime.ErrDenied) {
		t.Errorf("too many: %v", err)
	}
	public := p.SNMP(Place{Address: "127.0.0.1", Port: 161}, Credential{Kind: SNMPv2c, Secret: "community"}, []string{system})
	if _, _, err := public(t.Context(), false, []string{system + ".1.0"}); !errors.Is(err, runtime.ErrDenied) {
		t.Errorf("a private address without the grant: %v", err)
	}
}

func sshGrant() []manifest.Command {
	return []manifest.Command{
		{ID: "uname", Run: "uname -s"},
		{ID: "echo", Run: "echo section {section} && echo to-stderr >&2 && exit 3", Args: []manifest.Argument{{Name: "section", Pattern: "[a-z0-9:;$`\\n -]+"}}},
		{ID: "flood", Run: "head -c 3000000 /dev/zero | tr '\\0' x"},
		{ID: "wait", Run: "sleep 30"},
		{ID: "key", Run: "cat {file}", Args: []manifest.Argument{{Name: "file", Pattern: "/[a-zA-Z0-9_/.-]+"}}},
	}
}

func TestSSH(t *testing.T) {
	d := probetest.StartSSHD(t)
	c := Credential{Kind: SSHKey, Login: d.User, Secret: runtime.Secret(d.PrivateKey)}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	var p Prober
	run := p.SSH(local(d.Port), c, []string{d.HostKey}, sshGrant(), nil)
	r, err := run(t.Context(), "uname", nil)
	if err != nil || strings.TrimSpace(string(r.Out)) == "" || r.Exit != 0 || r.ElapsedNs == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	r, err = run(t.Context(), "echo", []string{"ospf:1"})
	if err != nil || string(r.Out) != "section ospf:1\n" || string(r.Err) != "to-stderr\n" || r.Exit != 3 {
		t.Errorf("%q %q %d %v", r.Out, r.Err, r.Exit, err)
	}
	if r, err = run(t.Context(), "flood", nil); err != nil || !r.Cut || len(r.Out) != 1<<20 {
		t.Errorf("a flood: %d bytes, cut %t, %v", len(r.Out), r.Cut, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := run(ctx, "wait", nil); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("a command without end: %v after %v", err, time.Since(began))
	}
	wrong := Credential{Kind: SSHPassword, Login: d.User, Secret: "not the password"}
	if _, err := p.SSH(local(d.Port), wrong, []string{d.HostKey}, sshGrant(), nil)(t.Context(), "uname", nil); err == nil || !strings.Contains(err.Error(), "does not accept") {
		t.Errorf("a wrong password: %v", err)
	}
}

// The host key of a device is approved by a person before anything else is said to it.
func TestSSHHostKey(t *testing.T) {
	d := probetest.StartSSHD(t)
	c := Credential{Kind: SSHKey, Login: d.User, Secret: runtime.Secret(d.PrivateKey)}
	var p Prober
	var seen []*HostKeyError
	note := func(k *HostKeyError) { seen = append(seen, k) }
	_, err := p.SSH(local(d.Port), c, nil, sshGrant(), note)(t.Context(), "uname", nil)
	if !errors.Is(err, runtime.ErrDenied) || len(seen) != 1 || seen[0].Key != d.HostKey || seen[0].Known {
		t.Fatalf("first use: %v, seen %+v", err, seen)
	}
	other := probetest.StartSSHD(t)
	_, err = p.SSH(local(d.Port), c, []string{other.HostKey}, sshGrant(), note)(t.Context(), "uname", nil)
	if !errors.Is(err, runtime.ErrDenied) || len(seen) != 2 || !seen[1].Known || !strings.HasPrefix(seen[1].Fingerprint, "SHA256:") {
		t.Errorf("another key: %v, seen %+v", err, seen)
	}
	if _, err := p.SSH(local(d.Port), c, []string{seen[0].Key}, sshGrant(), note)(t.Context(), "uname", nil); err != nil || len(seen) != 2 {
		t.Errorf("the approved key: %v", err)
	}
}

// H24: whatever a pattern allows, an argument is one plain word for any shell.
func TestH24CommandInjection(t *testing.T) {
	d := probetest.StartSSHD(t)
	var p Prober
	run := p.SSH(local(d.Port), Credential{Kind: SSHKey, Login: d.User, Secret: runtime.Secret(d.PrivateKey)}, []string{d.HostKey}, sshGrant(), nil)
	mark := filepath.Join(t.TempDir(), "injected")
	for _, arg := range []string{
		"a;touch " + mark, "$(touch " + mark + ")", "`touch " + mark + "`", "a\ntouch " + mark, "a|touch", "a&touch", "a>x", "-rf", "a b", "a'b", `a"b`,
		"a\\b", "~", "*", "?", "{a,b}", "a#", "!a", "é", "a\x00b", "", strings.Repeat("a", 300),
	} {
		if _, err := run(t.Context(), "echo", []string{arg}); !errors.Is(err, runtime.ErrDenied) {
			t.Errorf("%q: %v", arg, err)
		}
	}
	for _, c := range []struct {
		name string
		args []string
	}{{"reboot", nil}, {"uname; reboot", nil}, {"uname", []string{"-a"}}, {"echo", nil}, {"echo", []string{"a", "b"}}, {"echo", []string{"UPPER"}}, {"", nil}} {
		if _, err := run(t.Context(), c.name, c.args); !errors.Is(err, runtime.ErrDenied) {
			t.Errorf("%q %q: %v", c.name, c.args, err)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("something was injected")
	}
}

func TestProbes(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that only try
	s.StartTLS()
	t.Cleanup(s.Close)
	port := s.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
	p := Prober{Now: func() time.Time { return s.Certificate().NotAfter.Add(-24 * time.Hour) }}
	ask := p.Probe(local(0), []uint16{port}, nil)
	get := func(kind, what string) probe.Facts {
		t.Helper()
		f, err := ask(t.Context(), kind, what)
		if err != nil {
			t.Fatalf("%s %s: %v", kind, what, err)
		}
		return f
	}
	if f := get("tls", fmt.Sprint(port)); f.Get("verified") != "false" || f.Int("not_after") != s.Certificate().NotAfter.UnixNano() || !strings.Contains(f.Get("problem"), "nobody") {
		t.Errorf("got %v", f)
	}
	roots, _ := Roots("")
	if roots != nil {
		t.Error("no certificates are roots")
	}
	trusted := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if f, err := p.Probe(local(0), []uint16{port}, trusted)(t.Context(), "tls", fmt.Sprint(port)); err != nil || probe.Facts(f).Get("verified") != "true" {
		t.Errorf("got %v %v", f, err)
	}
	if f := get("tcp", fmt.Sprint(port)); f.Get("elapsed_ns") == "" {
		t.Errorf("got %v", f)
	}
	if f := get("ping", "2"); f.Int("received") != 2 || f.Int("avg_ns") <= 0 {
		t.Errorf("got %v", f)
	}
	for _, c := range [][2]string{{"tcp", "22"}, {"tls", "x"}, {"tcp", ""}, {"ping", "0"}, {"ping", "99"}, {"udp", "1"}, {"dns", "example.org ANY"}, {"dns", "exa mple A"}} {
		if _, err := ask(t.Context(), c[0], c[1]); !errors.Is(err, runtime.ErrDenied) {
			t.Errorf("%v: %v", c, err)
		}
	}
	for _, kind := range []string{"tcp", "tls", "ping"} {
		if _, err := p.Probe(Place{Address: "127.0.0.1"}, []uint16{port}, nil)(t.Context(), kind, map[string]string{"ping": "1"}[kind]+map[bool]string{true: fmt.Sprint(port)}[kind != "ping"]); !errors.Is(err, runtime.ErrDenied) {
			t.Errorf("%s to a private address: %v", kind, err)
		}
	}
}

func TestDNS(t *testing.T) {
	d := probetest.StartDNS(t)
	d.Set("www.example.org", probetest.TypeA, []byte{192, 0, 2, 7})
	d.Set("example.org", probetest.TypeMX, append([]byte{0, 10, 4, 'm', 'a', 'i', 'l'}, 0xc0, 12))
	d.Set("example.org", probetest.TypeTXT, []byte("\x05v=one\x04 two"))
	var p Prober
	ask := p.Probe(local(0), []uint16{d.Port}, nil)
	for question, want := range map[string]string{
		"www.example.org A": "192.0.2.7", "example.org MX": "10 mail.example.org", "example.org TXT": "v=one two", "gone.example.org A": "nxdomain",
	} {
		facts, err := ask(t.Context(), "dns", question)
		f := probe.Facts(facts)
		if err != nil || f.Get("answer") != want && f.Get("status") != want {
			t.Errorf("%s: %v %v, want %s", question, f, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if f, err := p.Probe(local(0), []uint16{silentPort(t)}, nil)(ctx, "dns", "example.org A"); err != nil || probe.Facts(f).Get("status") != "timeout" {
		t.Errorf("a silent server: %v %v", f, err)
	}
}

func FuzzDNSAnswer(f *testing.F) {
	f.Add([]byte("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"), uint16(1))
	f.Add([]byte("\x00\x01\x81\x80\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c"), uint16(15))
	f.Fuzz(func(t *testing.T, b []byte, kind uint16) {
		status, answers, err := parseAnswer(b, 1, kind)
		if err == nil && status == "" || err != nil && len(answers) > 0 {
			t.Errorf("%q %q %v", status, answers, err)
		}
	})
}

func TestCheckAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"192.0.2.1": true, "2001:db8::1": true, "fe80::1%eth0": true, "host": true, "fw1.example.org": true, "xn--bcher-kva.example": true, "a_b.example": true,
		"": false, "bücher.example": false, "host:80": false, "http://host": false, "user@host": false, "a b": false, "-a": false, "a..b": false,
		"a/b": false, "a\r\nb": false, strings.Repeat("a", 64): false, strings.Repeat("a.", 127) + "a": false,
	} {
		if err := CheckAddress(address); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	v, err := OpenVault(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := Credential{Kind: SNMPv3, Login: "u", Secret: "auth secret", Privacy: "priv secret"}
	box, err := v.Seal(1, "name", c)
	if err != nil || bytes.Contains(box, []byte("secret")) {
		t.Fatalf("%q %v", box, err)
	}
	again, err := OpenVault(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(1, "name", box); err != nil || got != c {
		t.Errorf("%v %v", got, err)
	}
	for _, w := range []struct {
		t    storage.Tenant
		name string
		box  []byte
	}{{2, "name", box}, {1, "other", box}, {1, "name", box[:5]}, {1, "name", append([]byte{1}, box...)}} {
		if _, err := again.Open(w.t, w.name, w.box); err == nil {
			t.Errorf("%d %s opens", w.t, w.name)
		}
	}
	other, err := OpenVault(filepath.Join(t.TempDir(), "key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(1, "name", box); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("another key: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenVault(path, rand.Reader); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a key that others can read: %v", err)
	}
}

// Whatever prints a credential prints no secret.
func TestRedaction(t *testing.T) {
	c := Credential{Kind: HTTPBasic, Login: "admin", Secret: "hunter22", Privacy: "hunter33"}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "c", c, "s", c.Secret, "p", &c)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, c, &c, c.Secret, []runtime.Secret{c.Secret})
		fmt.Fprintf(&out, verb, struct{ C Credential }{c})
		fmt.Fprintf(&out, verb, runtime.Target{Secrets: c.Secrets()})
	}
	if strings.Contains(out.String(), "hunter") {
		t.Errorf("a secret is shown: %s", out.String())
	}
}

func TestCheckCredential(t *testing.T) {
	for name, c := range map[string]Credential{
		"kind": {Kind: "telnet", Secret: "long enough"}, "no login": {Kind: HTTPBasic, Secret: "secret"}, "short": {Kind: SNMPv2c, Secret: "abc"},
		"short passphrase": {Kind: SNMPv3, Login: "u", Secret: "1234567", Privacy: "12345678"}, "hash": {Kind: SNMPv3, Login: "u", Secret: "12345678", Privacy: "12345678", Hash: "crc"},
		"no key": {Kind: SSHKey, Login: "u", Secret: "not a key"}, "line feed": {Kind: HTTPBearer, Secret: "abc\r\nX: y"}, "login": {Kind: SNMPv2c, Login: "u", Secret: "community"},
	} {
		if err := c.Check(); !errors.Is(err, storage.ErrInvalid) || strings.Contains(err.Error(), string(c.Secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, h := range []string{"Host", "content-length", "A B", "A:", "Transfer-Encoding"} {
		c := Credential{Kind: HTTPHeader, Login: h, Secret: "secret"}
		if _, err := c.Header(); err == nil {
			t.Errorf("the header %q is taken", h)
		}
	}
}
