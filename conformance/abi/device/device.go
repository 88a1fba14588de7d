// Package device plays the devices that hosts reach on behalf of the suite's guests: each answers from a script on
// 127.0.0.1 and counts what it was asked.
package device

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Address is where every device listens.
const Address = "127.0.0.1"

// asked remembers what a device was asked. It may be used by many goroutines at once.
type asked struct {
	mu    sync.Mutex
	lines []string
}

func (a *asked) note(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, line)
}

// Asked lists what the device was asked since Asked was called before.
func (a *asked) Asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := a.lines
	a.lines = nil
	return lines
}

// listener serves connections, each in a goroutine, until it is closed.
type listener struct {
	asked
	net.Listener
	all  sync.WaitGroup
	came *sync.Cond // a connection was noted
}

// connected is how a connection is noted, with the address that it comes from behind it.
const connected = "connected"

func listen(serve func(d *listener, c net.Conn)) (*listener, error) {
	l, err := net.Listen("tcp", Address+":0")
	if err != nil {
		return nil, fmt.Errorf("a device: %w", err)
	}
	d := &listener{Listener: l}
	d.came = sync.NewCond(&d.mu)
	d.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.note(connected + c.RemoteAddr().String())
			d.came.Broadcast()
			d.all.Go(func() {
				defer c.Close()
				serve(d, c)
			})
		}
	})
	return d, nil
}

// Asked lists what the device was asked since Asked was called before. A connection of its own comes behind all others in
// the system's queue, so that none is missed, and is not listed. The device must not be closed.
func (l *listener) Asked() []string {
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return []string{err.Error()}
	}
	defer c.Close()
	own := connected + c.LocalAddr().String()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !slices.Contains(l.lines, own) {
		l.came.Wait()
	}
	var list []string
	for _, line := range l.lines {
		if strings.HasPrefix(line, connected) {
			if line == own {
				continue
			}
			line = connected
		}
		list = append(list, line)
	}
	l.lines = nil
	return list
}

// Port is where the device listens.
func (l *listener) Port() uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

// Close ends the device and waits for its connections.
func (l *listener) Close() {
	_ = l.Listener.Close() // nothing is lost
	l.all.Wait()
}

// patience bounds a connection, so that no host can keep a device from ending.
const patience = 10 * time.Second

func bounded(c net.Conn) net.Conn {
	_ = c.SetDeadline(time.Now().Add(patience)) // of a connection that is closed already, reading says so
	return c
}

// Web is a device that speaks TLS and shows a certificate that [Web.Trust] vouches for.
type Web struct {
	*listener
	Certificate *x509.Certificate
	Trust       string // in PEM form
}

// NewWeb starts a device whose certificate is for Address and ends at a time.
func NewWeb(notAfter time.Time) (*Web, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("a device's key: %w", err)
	}
	draft := &x509.Certificate{
		SerialNumber: big.NewInt(0xC0FFEE), Subject: pkix.Name{CommonName: "device of the suite"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"device.example"}, IPAddresses: []net.IP{net.ParseIP(Address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("a device's certificate: %w", err)
	}
	w := &Web{Trust: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
	if w.Certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("a device's certificate: %w", err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	w.listener, err = listen(func(d *listener, c net.Conn) {
		t := tls.Server(bounded(c), cfg)
		if t.Handshake() != nil {
			return
		}
		b := make([]byte, 1<<10)
		if n, _ := t.Read(b); n > 0 {
			d.note("said " + string(b[:n]))
		}
	})
	return w, err
}

// Result is what a command leaves.
type Result struct {
	Out, Err string
	Exit     uint32
	Silent   bool // the connection ends without a status
}

// Shell is a device that runs commands over SSH.
type Shell struct {
	*listener
	HostKey string // in the form of authorized_keys
}

// NewShell starts a device that lets a user in and answers commands from a script; what is not in it ends with 127.
func NewShell(user, password string, script map[string]Result) (*Shell, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("a device's host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, fmt.Errorf("a device's host key: %w", err)
	}
	s := &Shell{HostKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))}
	cfg := &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
		if c.User() != user || string(given) != password {
			return nil, errors.New("not let in")
		}
		return nil, nil
	}}
	cfg.AddHostKey(signer)
	s.listener, err = listen(func(d *listener, c net.Conn) {
		conn, channels, requests, err := ssh.NewServerConn(bounded(c), cfg)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for n := range channels {
			if n.ChannelType() != "session" {
				_ = n.Reject(ssh.UnknownChannelType, "sessions only") // the connection's end ends this too
				continue
			}
			d.session(n, script)
		}
		_ = conn.Wait()
	})
	return s, err
}

// session runs the one command of a session.
func (l *listener) session(n ssh.NewChannel, script map[string]Result) {
	ch, requests, err := n.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }() // the connection's end closes it as well
	for q := range requests {
		if q.Type != "exec" || len(q.Payload) < 4 {
			l.note(q.Type)
			_ = q.Reply(false, nil)
			continue
		}
		line := string(q.Payload[4:])
		l.note("run " + line)
		_ = q.Reply(true, nil)
		r, known := script[line]
		if !known {
			r = Result{Err: "unknown command", Exit: 127}
		}
		_, _ = ch.Write([]byte(r.Out)) // a host that has had enough closes the channel
		_, _ = ch.Stderr().Write([]byte(r.Err))
		if !r.Silent {
			_, _ = ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, r.Exit))
		}
		return
	}
}
