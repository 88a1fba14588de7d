// Package registrytest makes modules and keys for the tests of the room: small, sound, and the same each time.
package registrytest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Now is the time in tests.
var Now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Guest is a Wasm file that exports what a parser must, with padding bytes in a custom section. It has no code.
func Guest(padding int) []byte {
	exports := []string{"memory", abi.ExportMarker, abi.ExportBuffers, abi.ExportInit, abi.ExportParse}
	content := binary.AppendUvarint(nil, uint64(len(exports)))
	for _, name := range exports {
		content = append(append(binary.AppendUvarint(content, uint64(len(name))), name...), 0, 0)
	}
	b := append([]byte("\x00asm\x01\x00\x00\x00\x07"), binary.AppendUvarint(nil, uint64(len(content)))...)
	b = append(b, content...)
	filler := append([]byte("\x01p"), make([]byte, padding)...)
	return append(append(append(b, 0), binary.AppendUvarint(nil, uint64(len(filler)))...), filler...)
}

// Module is a parser named "publisher/name:version"; note changes its content.
func Module(t testing.TB, ref, note string) registry.Artifact {
	t.Helper()
	r, err := registry.ParseRef(ref)
	if err != nil {
		t.Fatal(err)
	}
	a, err := manifest.ReadFolder(r.Name, fstest.MapFS{
		"module.yaml": {Data: fmt.Appendf(nil, "publisher: %s\nname: %s\nversion: %s\nkind: parser\ntitle: Sample\nlicense: Apache-2.0\nabi: \"1.0\"\n"+
			"entry: {wasm: true}\nmatch: {generic: true}\nvectors: [\"testdata/*.txtar\"]\n", r.Publisher, r.Name, r.Version)},
		"README.md":        {Data: []byte(note)},
		"testdata/a.txtar": {Data: []byte("-- input --\na\n")},
	}, Guest(100))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Key returns the same key for the same letter.
func Key(t testing.TB, letter string) sign.PrivateKey {
	t.Helper()
	k, err := sign.Generate(strings.NewReader(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Seal returns the encoded envelope of a statement.
func Seal(t testing.TB, payload []byte, keys ...sign.PrivateKey) []byte {
	t.Helper()
	e, err := sign.Seal(sign.TypeStatement, payload, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return Encode(t, e)
}

// Release returns the encoded envelope in which keys vouch for an artifact.
func Release(t testing.TB, a registry.Artifact, d registry.Digest, keys ...sign.PrivateKey) []byte {
	t.Helper()
	e, err := sign.NewRelease(&a, d, "", Now.AddDate(0, -1, 0)).Seal(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return Encode(t, e)
}

// Encode returns an envelope's bytes.
func Encode(t testing.TB, e sign.Envelope) []byte {
	t.Helper()
	data, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// KeysYAML returns the "keys:" of a policy document.
func KeysYAML(t testing.TB, letters string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("keys:\n")
	for _, letter := range letters {
		pem, err := Key(t, string(letter)).Public().MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  %c: |\n    %s\n", letter, strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", "\n    "))
	}
	return b.String()
}
