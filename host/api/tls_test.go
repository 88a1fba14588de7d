package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// keyPair writes a certificate for the loopback address.
func keyPair(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key, pool = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), x509.NewCertPool()
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool.AddCert(c)
	return cert, key, pool
}

// TestOverTLS: the session cookie never leaves TLS, browsers are told to stay, and the page's own calls pass.
func TestOverTLS(t *testing.T) {
	cert, key, pool := keyPair(t)
	h, err := host.New(t.Context(), host.Config{
		DataDir: warm(t), HTTP: "127.0.0.1:0", HTTPCert: cert, HTTPKey: key, NoSyslog: true,
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("the host ended with %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("the host closed with %v", err)
		}
	})
	url := "https://" + h.Addr()
	client := &http.Client{Transport: transport}
	resp, err := vedettev1connect.NewAuthServiceClient(client, url).SignIn(t.Context(), req(&v1.SignInRequest{Name: "admin", Password: h.Password()}))
	if err != nil {
		t.Fatal(err)
	}
	cookie := resp.Header().Get("Set-Cookie")
	for _, want := range []string{"; Secure", "; HttpOnly", "; SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	for name, want := range map[string]string{
		"Strict-Transport-Security": "max-age=31536000", "X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := resp.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for origin, want := range map[string]int{url: http.StatusOK, "https://evil.example": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/vedette.v1.AuthService/WhoAmI", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", strings.Split(cookie, ";")[0])
		r.Header.Set("Origin", origin)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("from %s: %s, want %d", origin, resp.Status, want)
		}
	}
	plain, err := http.Get("http://" + h.Addr() + "/")
	if err == nil {
		plain.Body.Close()
		if plain.StatusCode != http.StatusBadRequest || len(plain.Header["Set-Cookie"]) > 0 {
			t.Errorf("without TLS: %s", plain.Status)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
