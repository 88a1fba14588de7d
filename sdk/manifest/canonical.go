package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Canonical returns the manifest's one JSON form: keys sorted, nothing optional written, no white space. Digests and
// signatures are made over these bytes.
func (m *Manifest) Canonical() ([]byte, error) {
	b, err := CanonicalJSON(m)
	if err != nil {
		return nil, fmt.Errorf("canonical form of %s: %w", m.Reference(), err)
	}
	if len(b) > MaxSourceBytes {
		return nil, fmt.Errorf("canonical form of %s: %d bytes, the limit is %d: %w", m.Reference(), len(b), MaxSourceBytes, ErrInvalid)
	}
	return b, nil
}

// Digest returns "sha256:…" of the canonical form.
func (m *Manifest) Digest() (string, error) {
	b, err := m.Canonical()
	if err != nil {
		return "", err
	}
	return Sum(b), nil
}

// Sum returns "sha256:" and the 64 hex digits of b's SHA-256.
func Sum(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

// CanonicalJSON encodes v with sorted keys, without white space and without HTML escapes. Numbers are written in the
// shortest form that reads back as the same float64.
func CanonicalJSON(v any) ([]byte, error) {
	b, err := marshal(v)
	if err != nil {
		return nil, err
	}
	tree, err := decodeTree(b)
	if err != nil {
		return nil, err
	}
	return marshal(tree)
}

// Decode reads a canonical manifest, as found in a package, and validates it. Bytes that differ from the canonical
// form of what they say are refused: otherwise two digests could name one manifest.
func Decode(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > MaxSourceBytes {
		return m, fmt.Errorf("manifest of %d bytes, the limit is %d: %w", len(b), MaxSourceBytes, ErrInvalid)
	}
	if err := checkDepth(b); err != nil {
		return m, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w: %w", err, ErrInvalid)
	}
	canonical, err := m.Canonical()
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	if !bytes.Equal(canonical, b) {
		return Manifest{}, fmt.Errorf("manifest of %s is not in canonical form: %w", m.Reference(), ErrInvalid)
	}
	if err := m.Validate(); err != nil {
		return Manifest{}, fmt.Errorf("manifest of %s: %w", m.Reference(), err)
	}
	return m, nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodeTree reads JSON into maps, slices and canonical numbers.
func decodeTree(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return canonicalNumbers(v)
}

func canonicalNumbers(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			if x[k], err = canonicalNumbers(x[k]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range x {
			if x[i], err = canonicalNumbers(x[i]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		return canonicalNumber(x)
	}
	return v, nil
}

// canonicalNumber keeps whole numbers as they are, since limits are 64-bit, and shortens the others.
func canonicalNumber(n json.Number) (any, error) {
	s := n.String()
	if s == "-0" {
		return json.Number("0"), nil
	}
	if !strings.ContainsAny(s, ".eE") {
		if _, err := strconv.ParseUint(strings.TrimPrefix(s, "-"), 10, 64); err != nil {
			return nil, fmt.Errorf("number %s does not fit into 64 bits", s)
		}
		return n, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %s: %w", s, err)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return json.Number(strconv.FormatInt(int64(f), 10)), nil
	}
	return f, nil
}

// checkDepth refuses JSON that nests deeper than MaxDepth before anything recursive looks at it.
func checkDepth(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("nested deeper than %d: %w", MaxDepth, ErrInvalid)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
