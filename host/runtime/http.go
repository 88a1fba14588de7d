package runtime

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
)

// ErrDenied is wrapped by what the policy of vedette_http_v1 refuses.
var ErrDenied = errors.New("denied")

// Response is what a target answered.
type Response = sdk.HTTPResponse

// Limits of one request of vedette_http_v1.
const (
	MaxHTTPPathBytes   = 4 << 10
	MaxHTTPBodyBytes   = 1 << 20
	MaxHTTPHeaderBytes = 64 << 10
	MaxHTTPRedirects   = 5
	MaxHTTPTime        = 10 * time.Second // of one request with all redirects
)

// httpFetch is vedette_http_v1.fetch(target, target_len, path, path_len, out, out_cap) -> code<<32 | bytes in out.
func httpFetch(ctx context.Context, i *instance, t *Target, path string, out []byte) (int, error) {
	r, err := i.mod.host.cfg.Fetch(ctx, *t, path)
	if err != nil {
		return 0, err
	}
	return sdk.EncodeHTTPResponse(out, r), nil
}

// HTTP fetches for monitors under the policy of ABI 8: only the granted origin, on every hop, and only addresses that
// the grant allows, checked on the address that is dialled, so that no name can lead elsewhere. It is safe for
// concurrent use; its zero value is ready.
type HTTP struct {
	Now       func() time.Time      // nil: time.Now
	Configure func(*http.Transport) // trusted roots and client certificates; nil: the system's
}

// Fetch implements the type Fetch.
func (h *HTTP) Fetch(ctx context.Context, t Target, path string) (Response, error) {
	base, u, err := resolve(t, path)
	if err != nil {
		return Response{}, err
	}
	now := h.Now
	if now == nil {
		now = time.Now
	}
	ctx, cancel := context.WithTimeout(ctx, MaxHTTPTime)
	defer cancel()
	transport := h.transport(t)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > MaxHTTPRedirects {
			return fmt.Errorf("more than %d redirects: %w", MaxHTTPRedirects, ErrDenied)
		}
		if !sameOrigin(req.URL, base) {
			return fmt.Errorf("a redirect leads to %s://%s, which is not the target: %w", req.URL.Scheme, req.URL.Host, ErrDenied)
		}
		req.Header.Del("Referer")
		return nil
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Response{}, fmt.Errorf("the path is no path: %w", ErrDenied)
	}
	req.Header = t.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "vedette")
	}
	began := now()
	res, err := client.Do(req)
	if err != nil {
		return Response{}, Plain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxHTTPBodyBytes))
	if err != nil {
		return Response{}, Plain(err)
	}
	r := Response{Status: res.StatusCode, ElapsedNs: now().Sub(began).Nanoseconds(), Body: body}
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		r.TLSNotAfter = res.TLS.PeerCertificates[0].NotAfter.UnixNano()
	}
	return r, nil
}

// Plain takes URLs, names and addresses out of a client's error: the module must not learn where its target is.
func Plain(err error) error {
	var (
		u   *url.Error
		op  *net.OpError
		dns *net.DNSError
	)
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.As(err, &op) && errors.Is(err, ErrDenied):
		return op.Err
	case errors.Is(err, ErrDenied):
		return err
	case errors.As(err, &dns):
		return errors.New("the target's name does not resolve")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// transport dials only what the grant allows, offers no proxy and no compression.
func (h *HTTP) transport(t Target) *http.Transport {
	dialer := &net.Dialer{Timeout: MaxHTTPTime, Control: func(_, address string, _ syscall.RawConn) error {
		return AllowAddress(address, t.Private)
	}}
	tr := &http.Transport{
		DialContext:            dialer.DialContext,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    MaxHTTPTime,
		ResponseHeaderTimeout:  MaxHTTPTime,
		MaxResponseHeaderBytes: MaxHTTPHeaderBytes,
	}
	if t.Roots != nil {
		tr.TLSClientConfig = &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12}
	}
	if h.Configure != nil {
		h.Configure(tr)
	}
	return tr
}

// CheckURL refuses what no target can have as its base: want scheme and host, and perhaps a path.
func CheckURL(text string) error {
	_, err := baseOf(text)
	return err
}

func baseOf(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("want a plain http or https URL without user, query or fragment")
	}
	for n := range len(base.Host) {
		if base.Host[n] >= 0x80 {
			return nil, errors.New("an international host name is written in its ASCII form, xn--…, so that what is read is what is asked")
		}
	}
	return base, nil
}

// resolve joins the granted base and the module's path.
func resolve(t Target, path string) (base, u *url.URL, err error) {
	if base, err = baseOf(t.URL); err != nil {
		return nil, nil, fmt.Errorf("the granted URL of %q: %w: %w", t.Name, err, ErrDenied)
	}
	if len(path) > MaxHTTPPathBytes {
		return nil, nil, fmt.Errorf("a path of %d bytes, at most %d: %w", len(path), MaxHTTPPathBytes, ErrDenied)
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return nil, nil, fmt.Errorf("the path must begin with one slash: %w", ErrDenied)
	}
	for n := range len(path) {
		if c := path[n]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return nil, nil, fmt.Errorf("the path holds byte %#02x: %w", c, ErrDenied)
		}
	}
	p, err := url.Parse(path)
	if err != nil || p.Host != "" || p.User != nil || p.Scheme != "" {
		return nil, nil, fmt.Errorf("the path is no path: %w", ErrDenied)
	}
	for segment := range strings.SplitSeq(p.Path, "/") {
		if segment == ".." {
			return nil, nil, fmt.Errorf("the path leaves its target: %w", ErrDenied)
		}
	}
	joined := *base
	joined.Path = strings.TrimSuffix(base.Path, "/") + p.Path
	joined.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + p.EscapedPath()
	joined.RawQuery = p.RawQuery
	return base, &joined, nil
}

func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b) && a.User == nil
}

// Address ranges that are not the public internet and that netip has no method for.
var (
	shared    = netip.MustParsePrefix("100.64.0.0/10")
	thisHost  = netip.MustParsePrefix("0.0.0.0/8")
	protocol  = netip.MustParsePrefix("192.0.0.0/24")
	benchmark = netip.MustParsePrefix("198.18.0.0/15")
	reserved  = netip.MustParsePrefix("240.0.0.0/4")
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	nat64Own  = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour = netip.MustParsePrefix("2002::/16")
	// Instance metadata services outside the link-local range.
	metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192")}
)

// AllowAddress decides on an address, "ip:port", that is about to be dialled for a monitor. private allows loopback,
// private and shared addresses; link-local ones, where clouds serve credentials, are never allowed. The error wraps
// ErrDenied.
func AllowAddress(address string, private bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address cannot be read: %w", ErrDenied)
	}
	a := ap.Addr().Unmap().WithZone("")
	for _, p := range []netip.Prefix{nat64, nat64Own, sixToFour} {
		if p.Contains(a) {
			a = embedded(a)
			break
		}
	}
	for _, m := range metadata {
		if a == m {
			return fmt.Errorf("the target resolves to a metadata address: %w", ErrDenied)
		}
	}
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), thisHost.Contains(a), reserved.Contains(a), protocol.Contains(a):
		return fmt.Errorf("the target resolves to an address that no request may go to: %w", ErrDenied)
	case private:
		return nil
	case a.IsLoopback(), a.IsPrivate(), shared.Contains(a), benchmark.Contains(a):
		return fmt.Errorf("the target resolves to a private address, which its grant does not allow: %w", ErrDenied)
	}
	return nil
}

// embedded is the IPv4 address within a translated IPv6 one.
func embedded(a netip.Addr) netip.Addr {
	b := a.As16()
	if sixToFour.Contains(a) {
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return netip.AddrFrom4([4]byte{b[12], b[13], b[14], b[15]}) // of both NAT64 prefixes
}
