package runtime

import (
	"context"
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

	"github.com/tetratelabs/wazero/api"

	sdk "github.com/vedette-siem/vedette/sdk/go"
)

// ErrDenied is wrapped by what the policy of vedette_http_v1 refuses.
var ErrDenied = errors.New("denied")

// Target is one place that a monitor may reach: granted to it by a person, named by its code.
type Target struct {
	Name    string
	URL     string      // base: scheme, host and perhaps a path that every request begins with
	Private bool        // may resolve to loopback, private or shared addresses; never to link-local ones
	Header  http.Header // sent with every request to the target's origin: credentials, which the module never sees
}

// Response is what a target answered.
type Response = sdk.HTTPResponse

// Limits of one request of vedette_http_v1.
const (
	MaxHTTPPathBytes   = 4 << 10
	MaxHTTPBodyBytes   = sdk.HTTPMaxBodyBytes
	MaxHTTPHeaderBytes = 64 << 10
	MaxHTTPRedirects   = 5
	MaxHTTPTime        = 10 * time.Second // of one request with all redirects
)

// Statuses of fetch (ABI 8.3).
const (
	fetchDenied = -1
	fetchFailed = -2
)

// httpFetch is vedette_http_v1.fetch(target, target_len, path, path_len, out, out_cap) -> code<<32 | bytes in out.
func httpFetch(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	name, path := string(bytesAt(guest, s[0], s[1])), string(bytesAt(guest, s[2], s[3]))
	i.charge(chargeCall)
	r, err := i.fetch(name, path)
	out := bytesAt(guest, s[4], s[5])
	code, n := 0, 0
	switch {
	case err == nil:
		n = sdk.EncodeHTTPResponse(out, r)
	case errors.Is(err, ErrDenied):
		code, n = fetchDenied, copy(out, clip(CodeDenied+": "+err.Error(), i.mod.host.lim.TrapBytes))
	default:
		code, n = fetchFailed, copy(out, clip(CodeHostIO+": "+err.Error(), i.mod.host.lim.TrapBytes))
	}
	i.charge(int64(n) >> chargeByteShift)
	s[0] = uint64(uint32(int32(code)))<<32 | uint64(uint32(n))
}

func (i *instance) fetch(name, path string) (Response, error) {
	if i.fetches++; i.fetches > i.mod.host.lim.HTTPCallsPerPoll {
		return Response{}, fmt.Errorf("%s: more than %d requests in one poll: %w", CodeLimit, i.mod.host.lim.HTTPCallsPerPoll, ErrDenied)
	}
	for _, t := range i.mod.spec.Targets {
		if t.Name == name {
			began := i.mod.host.cfg.Now()
			ctx, cancel := context.WithTimeout(i.call.Context, i.until.Sub(began))
			defer cancel()
			r, err := i.mod.host.cfg.Fetch(ctx, t, path)
			i.deadline = i.deadline.Add(i.mod.host.cfg.Now().Sub(began)) // a slow target is no stalled machine
			return r, err
		}
	}
	return Response{}, fmt.Errorf("the target %q was not granted: %w", clip(name, 64), ErrDenied)
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
		return Response{}, plain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxHTTPBodyBytes))
	if err != nil {
		return Response{}, plain(err)
	}
	r := Response{Status: res.StatusCode, ElapsedNs: now().Sub(began).Nanoseconds(), Body: body}
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		r.TLSNotAfter = res.TLS.PeerCertificates[0].NotAfter.UnixNano()
	}
	return r, nil
}

// plain takes URLs, names and addresses out of a client's error: the module must not learn where its target is.
func plain(err error) error {
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
		return allowAddress(address, t.Private)
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
	if h.Configure != nil {
		h.Configure(tr)
	}
	return tr
}

// resolve joins the granted base and the module's path.
func resolve(t Target, path string) (base, u *url.URL, err error) {
	base, err = url.Parse(t.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, nil, fmt.Errorf("the granted URL of %q is no plain http or https URL: %w", t.Name, ErrDenied)
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

// allowAddress decides on an address that is about to be dialled. private allows loopback, private and shared
// addresses; link-local ones, where clouds serve credentials, are never allowed.
func allowAddress(address string, private bool) error {
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
