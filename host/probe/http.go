package probe

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// Header returns what a credential adds to a request.
func (c *Credential) Header() (http.Header, error) {
	h := http.Header{}
	switch c.Kind {
	case HTTPBasic:
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.Login+":"+string(c.Secret))))
	case HTTPBearer:
		h.Set("Authorization", "Bearer "+string(c.Secret))
	case HTTPHeader:
		if strings.ContainsFunc(c.Login, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) }) || hostHeaders[http.CanonicalHeaderKey(c.Login)] {
			return nil, fmt.Errorf("%q is no header that a credential may set: %w", c.Login, storage.ErrInvalid)
		}
		h.Set(c.Login, string(c.Secret))
	default:
		return nil, fmt.Errorf("a credential of kind %s is none for HTTP: %w", c.Kind, storage.ErrInvalid)
	}
	return h, nil
}

// hostHeaders decide where a request goes and how long it is.
var hostHeaders = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Upgrade": true, "Te": true, "Trailer": true}

// Roots reads certificates in PEM.
func Roots(pem string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("the device's authority is no certificate in PEM form: %w", storage.ErrInvalid)
	}
	return pool, nil
}
