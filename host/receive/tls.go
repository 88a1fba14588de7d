package receive

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"

	"github.com/vedette-siem/vedette/storage"
)

// tlsConfig returns what TLS listeners serve with: the operator's certificate, or a self-signed one that is made once
// and kept, so that senders may pin it.
func (r *Receiver) tlsConfig() (*tls.Config, error) {
	cert, key := r.cfg.CertFile, r.cfg.KeyFile
	if cert == "" {
		cert, key = filepath.Join(r.cfg.StateDir, "syslog-tls.crt"), filepath.Join(r.cfg.StateDir, "syslog-tls.key")
		if err := r.ensurePair(cert, key); err != nil {
			return nil, err
		}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load the certificate for syslog over TLS: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if r.cfg.ClientCAFile != "" {
		pool, err := os.ReadFile(r.cfg.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("load the authorities of syslog senders: %w", err)
		}
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !c.ClientCAs.AppendCertsFromPEM(pool) {
			return nil, fmt.Errorf("%s holds no certificate: %w", r.cfg.ClientCAFile, storage.ErrInvalid)
		}
	}
	return c, nil
}

// ensurePair makes a self-signed pair unless there is one that stays valid for a while.
func (r *Receiver) ensurePair(certFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	now := r.cfg.Now()
	if err == nil && pair.Leaf != nil && pair.Leaf.NotAfter.After(now.Add(certificateRenewAhead)) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("load the self-signed certificate (remove both files to have a new one made): %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key for syslog over TLS: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("make a certificate for syslog over TLS: %w", err)
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Vedette, self-signed"}},
		NotBefore: now.Add(-certificateRenewAhead), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{name, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make a certificate for syslog over TLS: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make a key for syslog over TLS: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(certFile), 0o700); err != nil {
		return fmt.Errorf("keep the certificate for syslog over TLS: %w", err)
	}
	if err := writePEM(keyFile, "PRIVATE KEY", secret); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", cert)
}

// writePEM replaces a file whole, so that a kill leaves the old one or the new one.
func writePEM(file, kind string, der []byte) error {
	tmp := file + ".new"
	if err := os.WriteFile(tmp, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("keep the certificate for syslog over TLS: %w", err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("keep the certificate for syslog over TLS: %w", err)
	}
	return nil
}

func fingerprint(c *tls.Config) string {
	if c == nil {
		return ""
	}
	sum := sha256.Sum256(c.Certificates[0].Certificate[0])
	return hex.EncodeToString(sum[:])
}
