package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// expiring starts a server whose certificate ends at a time.
func expiring(t *testing.T, end time.Time) (port uint16) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draft := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-90 * 24 * time.Hour), NotAfter: end, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
}

// A certificate that ends in three days becomes an incident: the shipped monitor asks, the shipped rule reports.
func TestCertificateThatExpires(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	if err := h.openMonitors(t.Context()); err != nil {
		t.Fatal(err)
	}
	shipped, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range shipped {
		if !slices.Contains([]string{"tlscheck", "json", "tls-certificate"}, p.Manifest.Name) {
			continue
		}
		if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Who: "ann", Shipped: true, Grants: p.Manifest.Asks()}); err != nil {
			t.Fatal(err)
		}
	}
	port := expiring(t, time.Now().Add(72*time.Hour+time.Minute))
	if err := h.db.PutDevice(t.Context(), 1, "ann", meta.Device{Name: "shop", Address: "127.0.0.1", Private: true}); err != nil {
		t.Fatal(err)
	}
	w, _, err := apiMonitors{h}.Complete(t.Context(), 1, module.Watch{
		ID: "shop-tls", Module: "vedette/tlscheck", Settings: fmt.Sprintf(`{"port":%d,"name":"shop"}`, port), Interval: 10 * time.Second,
	}, module.WatchTarget{Device: "shop", Ports: []uint16{port}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.SetWatch, Tenant: 1, Name: w.ID, Who: "ann", Watch: &w}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); h.monitor.Run(ctx) }()
	defer func() { stop(); <-ended }()

	due, every := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer every.Stop()
	ann := storage.Principal{User: "ann", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{1}}
	for {
		page, err := h.db.ListIncidents(t.Context(), ann, meta.IncidentQuery{Rule: "tls-certificate-week"})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Incidents) == 1 {
			if in := page.Incidents[0]; in.Severity != storage.High || in.Title == "" {
				t.Errorf("%+v", in)
			} else {
				t.Logf("%v: %s", in.Severity, in.Title)
			}
			return
		}
		select {
		case <-due:
			t.Fatalf("no incident after a minute; the watch: %+v", h.monitor.Status(1, w.ID))
		case <-every.C:
		}
	}
}
