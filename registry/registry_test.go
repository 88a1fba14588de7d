package registry

import (
	"errors"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

func TestParseRef(t *testing.T) {
	for _, s := range []string{"vedette/fortigate:1.2.0", "a/b:0.0.1-rc.1", strings.Repeat("p", manifest.MaxNameBytes) + "/b:1.0.0"} {
		ref, err := ParseRef(s)
		if err != nil || ref.String() != s {
			t.Errorf("%s: got %s, %v", s, ref, err)
		}
	}
	for _, s := range []string{
		"", "fortigate", "vedette/fortigate", "vedette/fortigate:", "vedette/fortigate:latest", "vedette/fortigate:v1.2.0", "vedette/fortigate:1.2",
		"vedette/fortigate:1.2.0+linux", "Vedette/fortigate:1.0.0", "../x:1.0.0", "a/b/c:1.0.0", "a/b:1.0.0:2", "a/-b:1.0.0",
		strings.Repeat("p", manifest.MaxNameBytes+1) + "/b:1.0.0", "a/b:1.0.0-" + strings.Repeat("a", manifest.MaxVersionBytes),
	} {
		if _, err := ParseRef(s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", s, err)
		}
	}
}

func TestParseDigest(t *testing.T) {
	sound := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	if d, err := ParseDigest(sound); err != nil || d.Short() != "0123456789ab" {
		t.Errorf("got %s, %v", d.Short(), err)
	}
	for _, s := range []string{"", sound[7:], sound + "0", sound[:len(sound)-1], strings.ToUpper(sound), "sha512:" + sound[7:], sound[:len(sound)-1] + "/"} {
		if _, err := ParseDigest(s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", s, err)
		}
	}
}

func TestNamespace(t *testing.T) {
	for _, n := range []Namespace{Shared, 1, 7, 1<<32 - 1} {
		if got, err := ParseNamespace(n.String()); err != nil || got != n {
			t.Errorf("%s: got %s, %v", n, got, err)
		}
	}
	for _, s := range []string{"", "t-", "t-0", "t-07", "t--1", "7", "t-4294967296", "t-7/x", "Shared"} {
		if _, err := ParseNamespace(s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", s, err)
		}
	}
	for _, c := range []struct {
		n         Namespace
		publisher string
		ok        bool
	}{{Shared, "acme", true}, {7, "acme", true}, {7, "t-7", true}, {8, "t-7", false}, {Shared, "t-7", false}, {7, "t-x", false}} {
		if err := c.n.Takes(c.publisher); (err == nil) != c.ok {
			t.Errorf("%s takes %s: %v", c.n, c.publisher, err)
		}
	}
}
