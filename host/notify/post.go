package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vedette-siem/vedette/storage/meta"
)

// Headers of a request. The body is the JSON of the notice.
const (
	HeaderKey       = "Idempotency-Key"   // the same for every attempt: a receiver that knows it has done the work
	HeaderKind      = "Vedette-Notice"    // "opened", "severity"
	HeaderSignature = "Vedette-Signature" // as Sign returns it
)

// Sign returns "t=UNIX,v1=HEX", where HEX is the HMAC-SHA256 of "UNIX.BODY" under the webhook's secret. The receiver
// computes it anew from t and the body as received, compares, and refuses a t that is minutes old.
func Sign(secret string, at time.Time, body []byte) string {
	unix := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(unix + "."))
	mac.Write(body)
	return "t=" + unix + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// result is how a request ended: err is nil after a 2xx.
type result struct {
	err        error
	retryAfter time.Duration
}

// newClient returns a client that dials allowed addresses only, uses no proxy, which would dial for it, and follows no
// redirect, which would carry the signed body to where nobody configured.
func newClient(allowPrivate bool, timeout time.Duration) *http.Client {
	dialer := net.Dialer{Timeout: timeout, ControlContext: checkDial(allowPrivate)}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    timeout,
			MaxResponseHeaderBytes: MaxHeaderBytes,
			DisableCompression:     true,
			MaxIdleConns:           32,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		},
	}
}

// post makes one attempt. The error says what the tenant may know: status or cause, never what the receiver wrote.
func (s *Sender) post(ctx context.Context, d meta.Delivery) result {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return result{err: fmt.Errorf("make request: %w", err)}
	}
	// Without it the transport does not repeat the request by itself after a lost connection, which nobody would count.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Vedette")
	req.Header.Set(HeaderKey, d.Key)
	req.Header.Set(HeaderKind, d.Kind)
	req.Header.Set(HeaderSignature, Sign(d.Secret, s.cfg.Now(), d.Payload))
	resp, err := s.client.Do(req)
	if err != nil {
		// The address may hold a secret in its path: say what went wrong without it.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return result{err: fmt.Errorf("post: %w", err)}
	}
	defer resp.Body.Close()
	// Reading what is left lets the connection be used again; how that goes does not change what the status said.
	_, _ = io.CopyN(io.Discard, resp.Body, MaxResponseBytes)
	if resp.StatusCode/100 == 2 {
		return result{}
	}
	return result{err: fmt.Errorf("post: status %d", resp.StatusCode), retryAfter: retryAfter(resp.Header.Get("Retry-After"))}
}

// retryAfter reads a Retry-After header in seconds, the form that receivers of webhooks use; anything else is 0.
func retryAfter(header string) time.Duration {
	n, err := strconv.ParseUint(header, 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, MaxBackoff)
}
