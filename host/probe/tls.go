package probe

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/probe"
)

// Probe returns what tries connections to a device: to the granted ports, as a name server, and with echo requests.
// roots are who may vouch for certificates; nil for those that the system trusts.
func (p *Prober) Probe(at Place, ports []uint16, roots *x509.CertPool) runtime.Probe {
	return func(ctx context.Context, kind, what string) ([]probe.Fact, error) {
		facts, err := p.probe(ctx, at, ports, roots, kind, what)
		return facts, told(ctx, err)
	}
}

func (p *Prober) probe(ctx context.Context, at Place, ports []uint16, roots *x509.CertPool, kind, what string) ([]probe.Fact, error) {
	switch kind {
	case "tcp", "tls":
		port, err := strconv.ParseUint(what, 10, 16)
		if err != nil || !slices.Contains(ports, uint16(port)) {
			return nil, denied("the port %.16q was not granted", what)
		}
		at.Port = uint16(port)
		if kind == "tls" {
			return p.handshake(ctx, at, roots)
		}
		began := p.now()
		c, err := dial(ctx, "tcp", at)
		if err != nil {
			return nil, err
		}
		c.Close()
		return []probe.Fact{{Name: "elapsed_ns", Value: number(p.now().Sub(began).Nanoseconds())}}, nil
	case "dns":
		at.Port = 53
		if len(ports) > 0 {
			at.Port = ports[0]
		}
		return p.dns(ctx, at, what)
	case "ping":
		n, err := strconv.Atoi(what)
		if err != nil || n < 1 || n > MaxPingCount {
			return nil, denied("want 1 to %d echo requests", MaxPingCount)
		}
		return p.ping(ctx, at, n)
	}
	return nil, denied("there is no such probe")
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// handshake takes any certificate, and says what is wrong with it.
func (p *Prober) handshake(ctx context.Context, at Place, roots *x509.CertPool) ([]probe.Fact, error) {
	began := p.now()
	raw, err := dial(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	name := at.Address
	if _, err := netip.ParseAddr(name); err == nil {
		name = ""
	}
	c := tls.Client(raw, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // what it shows is judged below, and nothing is said over it
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, runtime.Plain(err)
	}
	state := c.ConnectionState()
	facts := []probe.Fact{
		{Name: "elapsed_ns", Value: number(p.now().Sub(began).Nanoseconds())},
		{Name: "version", Value: tls.VersionName(state.Version)},
		{Name: "cipher", Value: tls.CipherSuiteName(state.CipherSuite)},
	}
	if len(state.PeerCertificates) == 0 {
		return facts, nil
	}
	return append(facts, certificate(state.PeerCertificates, at.Address, roots, p)...), nil
}

func certificate(chain []*x509.Certificate, address string, roots *x509.CertPool, p *Prober) []probe.Fact {
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: p.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err == nil {
		err = leaf.VerifyHostname(strings.TrimSuffix(address, "."))
	}
	problem := ""
	if err != nil {
		problem = verdict(err)
	}
	sum := sha256.Sum256(leaf.Raw)
	facts := []probe.Fact{
		{Name: "verified", Value: strconv.FormatBool(err == nil)},
		{Name: "problem", Value: problem},
		{Name: "subject", Value: leaf.Subject.String()},
		{Name: "issuer", Value: leaf.Issuer.String()},
		{Name: "serial", Value: strings.ToUpper(leaf.SerialNumber.Text(16))},
		{Name: "sha256", Value: strings.ToUpper(hex.EncodeToString(sum[:]))},
		{Name: "not_before", Value: number(leaf.NotBefore.UnixNano())},
		{Name: "not_after", Value: number(leaf.NotAfter.UnixNano())},
	}
	for _, n := range leaf.DNSNames {
		facts = append(facts, probe.Fact{Name: "name", Value: n})
	}
	for _, ip := range leaf.IPAddresses {
		facts = append(facts, probe.Fact{Name: "name", Value: net.IP(ip).String()})
	}
	return facts
}

// verdict says what is wrong with a certificate without naming the target, whose address the module does not learn.
func verdict(err error) string {
	switch e := err.(type) { //nolint:errorlint // x509 returns them as they are
	case x509.CertificateInvalidError:
		if e.Reason == x509.Expired {
			return "it has expired or is not yet valid"
		}
	case x509.HostnameError:
		return "it is for another name"
	case x509.UnknownAuthorityError:
		return "nobody whom this host trusts vouches for it"
	}
	return "it is not valid"
}
