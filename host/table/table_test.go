package table

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		what string
		f    Format
		text string
		want string // its form, or what the error says
		err  error
	}{
		{"csv", CSV, "\uFEFFip,note\n10.0.0.0/8,\"a, b\"\n::1,\n", "{\"kind\":\"cidr\",\"columns\":[\"ip\",\"note\"]}\n[\"10.0.0.0/8\",\"a, b\"]\n[\"::1\",\"\"]\n", nil},
		{"csv without rows", CSV, "ip\n", "{\"kind\":\"cidr\",\"columns\":[\"ip\"]}\n", nil},
		{"jsonl", JSONL, "{\"ip\":\"::1\",\"n\":1.50,\"x\":null}\n\n{\"n\":true,\"ip\":\"::2\"}", "{\"kind\":\"cidr\",\"columns\":[\"ip\",\"n\",\"x\"]}\n[\"::1\",\"1.50\",\"\"]\n[\"::2\",\"true\",\"\"]\n", nil},
		{"empty", CSV, "", "names of its columns", storage.ErrInvalid},
		{"empty lines", JSONL, "\n\n", "one JSON object a line", storage.ErrInvalid},
		{"a short row", CSV, "a,b\n::1\n", "wrong number of fields", storage.ErrInvalid},
		{"a bad key", CSV, "a\n::1\nhost\n", "row 2: \"host\" is neither", storage.ErrInvalid},
		{"another column", JSONL, "{\"a\":\"::1\"}\n{\"b\":\"::1\"}", "line 2: \"b\" is no column", storage.ErrInvalid},
		{"nested", JSONL, "{\"a\":[]}", "line 1: \"a\" is not flat", storage.ErrInvalid},
		{"twice", JSONL, "{\"a\":\"::1\",\"a\":\"::2\"}", "stands there twice", storage.ErrInvalid},
		{"an array", JSONL, "[1]", "want a JSON object", storage.ErrInvalid},
		{"more behind", JSONL, "{\"a\":\"::1\"} {}", "behind the object", storage.ErrInvalid},
		{"bytes", CSV, "a\n\xff\n", "not UTF-8", storage.ErrInvalid},
		{"a list", List, "# of ours\n10.0.0.0/8\n\n ::1 \n", "{\"kind\":\"cidr\",\"columns\":[\"key\"]}\n[\"10.0.0.0/8\"]\n[\"::1\"]\n", nil},
		{"a format", "xml", "<a/>", "want csv, jsonl or list", storage.ErrInvalid},
		{"too much", CSV, "a\n" + strings.Repeat("::1\n", MaxBytes/4), "at most 16777216", storage.ErrExhausted},
	} {
		tab, err := Read(index.CIDR, c.f, []byte(c.text))
		if c.err != nil {
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.what, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		content, digest, err := Encode(tab)
		if err != nil || string(content) != c.want || digest != Digest(content) {
			t.Errorf("%s: %q %v", c.what, content, err)
		}
	}
}

type source map[string][]byte

func (s source) TableContent(_ context.Context, _ storage.Tenant, digest string) ([]byte, error) {
	return s[digest], nil
}

func TestKeptIsVerified(t *testing.T) {
	tab, err := Read(index.Exact, CSV, []byte("a\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	content, digest, err := Encode(tab)
	if err != nil {
		t.Fatal(err)
	}
	k := Kept{source{digest: content, "sha256:forged": content}}
	if x, err := k.Table(t.Context(), 1, digest); err != nil || x.Len() != 1 {
		t.Errorf("%v", err)
	}
	if _, err := k.Table(t.Context(), 1, "sha256:forged"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("forged: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("key,value\na,b\n", true)
	f.Add(`{"key":"a","value":1}`, false)
	f.Fuzz(func(t *testing.T, text string, comma bool) {
		format := JSONL
		if comma {
			format = CSV
		}
		for _, kind := range []index.Kind{index.Exact, index.NoCase, index.CIDR, index.Domain} {
			tab, err := Read(kind, format, []byte(text))
			if err != nil {
				if !errors.Is(err, storage.ErrInvalid) && !errors.Is(err, storage.ErrExhausted) {
					t.Fatal(err)
				}
				continue
			}
			content, _, err := Encode(tab)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Decode(content)
			if err != nil {
				t.Fatalf("%q does not come back: %v", content, err)
			}
			if twice, _, err := Encode(again); err != nil || !bytes.Equal(content, twice) {
				t.Fatalf("%q becomes %q", content, twice)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("{\"kind\":\"exact\",\"columns\":[\"a\"]}\n[\"x\"]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Decode(b); err != nil && !errors.Is(err, storage.ErrInvalid) {
			t.Fatal(err)
		}
	})
}
