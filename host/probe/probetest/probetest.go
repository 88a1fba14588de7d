// Package probetest starts the real servers that tests of monitors poll: snmpd, sshd, and a small name server.
package probetest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// patience is how long a server may take to start on a busy machine.
const patience = 30 * time.Second

// find returns a program's path; servers often lie where only root's shells look. A test that needs it fails without it.
func find(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	t.Fatalf("%s is not here: `make deps` installs it", name)
	return ""
}

// run starts a program that runs until the test ends. What it says is shown when the test fails.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // killed
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said.String())
		}
	})
}

// port returns a port that was free a moment ago.
func port(t testing.TB, network string) uint16 {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }() // it was only asked for its port
		return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// until waits for something to hold.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("no %s after %v", what, patience)
		case <-every.C:
		}
	}
}

// SNMPD is a running snmpd on 127.0.0.1.
type SNMPD struct {
	Port                         uint16
	Community                    string // of v2c
	User, AuthSecret, PrivSecret string // of v3: SHA-256 and AES
}

// StartSNMPD starts an snmpd of its own.
func StartSNMPD(t testing.TB) *SNMPD {
	t.Helper()
	d := &SNMPD{Port: port(t, "udp"), User: "watcher", AuthSecret: "auth-secret-1", PrivSecret: "priv-secret-2"}
	d.Community = fmt.Sprint("c0mmunity-of-", d.Port)
	dir := t.TempDir()
	conf := filepath.Join(dir, "snmpd.conf")
	text := fmt.Sprintf("agentaddress udp:127.0.0.1:%d\nrocommunity %s 127.0.0.1\ncreateUser %s SHA-256 %q AES %q\nrouser %s authpriv\n"+
		"sysName device-of-the-test\nsysDescr A device that a test polls\nsysLocation rack 7 of %s\n",
		d.Port, d.Community, d.User, d.AuthSecret, d.PrivSecret, d.User, d.Community)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(find(t, "snmpd"), "-f", "-Le", "-C", "-c", conf, "-p", filepath.Join(dir, "pid"), "-I", "-smux") //nolint:noctx // it ends with the test
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir, "MIBS=")
	run(t, cmd)
	until(t, "answer of snmpd", func() bool { return answers(d.Port, d.Community) })
	return d
}

// answers asks for sysUpTime over v2c, without any library.
func answers(port uint16, community string) bool {
	c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	defer c.Close()
	oid := []byte{0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 3, 0, 0x05, 0}
	wrap := func(tag byte, b ...byte) []byte { return append([]byte{tag, byte(len(b))}, b...) }
	pdu := append([]byte{2, 1, 1, 2, 1, 0, 2, 1, 0}, wrap(0x30, wrap(0x30, oid...)...)...)
	msg := append([]byte{2, 1, 1}, wrap(0x04, []byte(community)...)...)
	msg = wrap(0x30, append(msg, wrap(0xa0, pdu...)...)...)
	if _, err := c.Write(msg); err != nil {
		return false
	}
	if c.SetReadDeadline(time.Now().Add(200*time.Millisecond)) != nil {
		return false
	}
	_, err = c.Read(make([]byte, 1500))
	return err == nil
}

// SSHD is a running sshd on 127.0.0.1, with keys of its own.
type SSHD struct {
	Port       uint16
	User       string
	PrivateKey string // PEM, of the user
	HostKey    string // in the form of authorized_keys
}

// StartSSHD starts an sshd that lets the user of this process in by a key made for the test.
func StartSSHD(t testing.TB) *SSHD {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	d := &SSHD{Port: port(t, "tcp"), User: me.Username}
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var login ssh.PublicKey
	d.PrivateKey, login = newKey(t)
	host, public := newKey(t)
	d.HostKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	if me.Uid == "0" { // where sshd separates its privileges
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := file("sshd_config", fmt.Appendf(nil, "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\nPrintMotd no\n",
		d.Port, file("host_key", []byte(host)), file("authorized_keys", ssh.MarshalAuthorizedKey(login))))
	run(t, exec.Command(find(t, "sshd"), "-D", "-e", "-f", conf)) //nolint:noctx // it ends with the test
	until(t, "greeting of sshd", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.Port))
		if err != nil {
			return false
		}
		defer c.Close()
		if c.SetReadDeadline(time.Now().Add(time.Second)) != nil {
			return false
		}
		b := make([]byte, 4)
		n, _ := c.Read(b)
		return string(b[:n]) == "SSH-"
	})
	return d
}

func newKey(t testing.TB) (string, ssh.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), key
}

// DNS is a name server on 127.0.0.1 that answers from a table.
type DNS struct {
	Port  uint16
	mu    sync.Mutex
	table map[string][]byte // "name type" → data of one record
	conn  net.PacketConn
}

// Types of records that DNS answers with.
const (
	TypeA   = 1
	TypeMX  = 15
	TypeTXT = 16
)

// StartDNS starts a name server. What is not in its table does not exist.
func StartDNS(t testing.TB) *DNS {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &DNS{Port: c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), table: map[string][]byte{}, conn: c}
	ended := make(chan struct{})
	go func() { defer close(ended); d.serve() }()
	t.Cleanup(func() {
		_ = c.Close() // serve ends
		<-ended
	})
	return d
}

// Set puts a record into the table.
func (d *DNS) Set(name string, kind uint16, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.table[fmt.Sprint(name, " ", kind)] = data
}

func (d *DNS) serve() {
	b := make([]byte, 512)
	for {
		n, from, err := d.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if n < 17 {
			continue
		}
		q := b[12:n]
		var labels []string
		at := 0
		for at < len(q) && q[at] != 0 && at+1+int(q[at]) < len(q) {
			labels = append(labels, string(q[at+1:at+1+int(q[at])]))
			at += 1 + int(q[at])
		}
		if at+5 > len(q) {
			continue
		}
		kind := uint16(q[at+1])<<8 | uint16(q[at+2])
		d.mu.Lock()
		data, found := d.table[fmt.Sprint(strings.Join(labels, "."), " ", kind)]
		d.mu.Unlock()
		out := append([]byte(nil), b[:12+at+5]...)
		out[2], out[3] = 0x81, 0x80
		out[6], out[7], out[8], out[9], out[10], out[11] = 0, 0, 0, 0, 0, 0
		if !found {
			out[3] |= 3
		} else {
			out[7] = 1
			out = append(out, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60, byte(len(data)>>8), byte(len(data)))
			out = append(out, data...)
		}
		if _, err := d.conn.WriteTo(out, from); err != nil {
			return
		}
	}
}
