package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/vedette-siem/vedette/registry"
)

// key returns the same key for the same letter.
func key(t testing.TB, letter string) PrivateKey {
	t.Helper()
	k, err := Generate(strings.NewReader(strings.Repeat(letter, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, payload string, keys ...PrivateKey) Envelope {
	t.Helper()
	e, err := Seal("text/plain", []byte(payload), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The specification's own example, and the cases around it.
func TestPAE(t *testing.T) {
	for _, c := range []struct{ payloadType, payload, want string }{
		{"http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{"", "", "DSSEv1 0  0 "},
		{"a b", "1 x", "DSSEv1 3 a b 3 1 x"},
		{"ü", "\x00", "DSSEv1 2 ü 1 \x00"},
	} {
		if got := string(PAE(c.payloadType, []byte(c.payload))); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if oracle := dsse.PAE(c.payloadType, []byte(c.payload)); string(oracle) != c.want {
			t.Errorf("the oracle says %q", oracle)
		}
	}
}

func TestThreshold(t *testing.T) {
	a, b, c := key(t, "a"), key(t, "b"), key(t, "c")
	e := seal(t, "hello", a)
	both := KeysOf(a.Public(), b.Public())
	if _, who, err := e.Verify("text/plain", both, 1); err != nil || len(who) != 1 || who[0] != a.Public().ID() {
		t.Errorf("one of two: %v, %v", who, err)
	}
	if _, _, err := e.Verify("text/plain", both, 2); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("two of two with one signature: %v", err)
	}
	for range 3 { // a key counts once
		e.Signatures = append(e.Signatures, Signature{b.Public().ID(), e.Signatures[0].Sig}, Signature{"", e.Signatures[0].Sig})
	}
	if _, _, err := e.Verify("text/plain", both, 2); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("one signature under other names: %v", err)
	}
	e = seal(t, "hello", a, c)
	if err := e.Countersign(b); err != nil {
		t.Fatal(err)
	}
	if err := e.Countersign(b); err != nil || len(e.Signatures) != 3 {
		t.Errorf("countersigned twice: %d signatures, %v", len(e.Signatures), err)
	}
	payload, who, err := e.Verify("text/plain", both, 2)
	if err != nil || string(payload) != "hello" || len(who) != 2 {
		t.Errorf("got %q, %v, %v", payload, who, err)
	}
	for _, threshold := range []int{-1, 0, 3} {
		if _, _, err := e.Verify("text/plain", both, threshold); !errors.Is(err, registry.ErrUntrusted) {
			t.Errorf("threshold %d: %v", threshold, err)
		}
	}
	if _, _, err := e.Verify("text/html", both, 1); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("as another type: %v", err)
	}
}

// Whatever part of what is signed changes, no signature holds.
func TestChangedEnvelope(t *testing.T) {
	a := key(t, "a")
	for name, change := range map[string]func(*Envelope){
		"payload":       func(e *Envelope) { e.Payload[0] ^= 1 },
		"empty payload": func(e *Envelope) { e.Payload = nil },
		"type":          func(e *Envelope) { e.PayloadType = "text/html" },
		"border":        func(e *Envelope) { e.PayloadType, e.Payload = "text/plain 5", []byte("hello") },
		"signature":     func(e *Envelope) { e.Signatures[0].Sig[0] ^= 1 },
		"short":         func(e *Envelope) { e.Signatures[0].Sig = e.Signatures[0].Sig[:63] },
		"none":          func(e *Envelope) { e.Signatures = nil },
	} {
		e := seal(t, "hello", a)
		change(&e)
		if who := e.Signers(KeysOf(a.Public())); len(who) != 0 {
			t.Errorf("%s: signed by %v", name, who)
		}
	}
	e := seal(t, "hello", a)
	for _, hint := range []KeyID{"", "x", key(t, "b").Public().ID()} { // it decides nothing
		e.Signatures[0].KeyID = hint
		if who := e.Signers(KeysOf(a.Public(), key(t, "b").Public())); len(who) != 1 || who[0] != a.Public().ID() {
			t.Errorf("with the hint %q: signed by %v", hint, who)
		}
	}
}

// An independent implementation verifies what is sealed here, and what it seals is verified here.
func TestOtherImplementation(t *testing.T) {
	a := key(t, "a")
	e := seal(t, "hello", a)
	data, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var theirs dsse.Envelope
	if err := json.Unmarshal(data, &theirs); err != nil {
		t.Fatal(err)
	}
	verifier, err := dsse.NewEnvelopeVerifier(oracle{a})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(context.Background(), &theirs); err != nil {
		t.Errorf("the other implementation: %v", err)
	}
	signer, err := dsse.NewEnvelopeSigner(oracle{a})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.SignPayload(context.Background(), "text/plain", []byte("bonjour"))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = json.Marshal(signed); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if payload, _, err := got.Verify("text/plain", KeysOf(a.Public()), 1); err != nil || string(payload) != "bonjour" {
		t.Errorf("got %q, %v", payload, err)
	}
}

// oracle is a key for the other implementation, under an id that is not ours.
type oracle struct{ k PrivateKey }

func (o oracle) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(o.k.key, data), nil
}

func (o oracle) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(o.k.public.key, data, sig) {
		return errors.New("wrong")
	}
	return nil
}
func (o oracle) KeyID() (string, error)   { return string(o.k.public.id), nil }
func (o oracle) Public() crypto.PublicKey { return o.k.public.key }

func TestEnvelopeLimits(t *testing.T) {
	a := key(t, "a")
	if _, err := Seal("text/plain", make([]byte, MaxPayloadBytes+1), a); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("payload one over: %v", err)
	}
	if _, err := Seal(strings.Repeat("t", MaxTypeBytes+1), nil, a); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("type one over: %v", err)
	}
	if _, err := Seal("text/plain", nil); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("no key: %v", err)
	}
	e := seal(t, "x", a)
	for i := range MaxSignatures {
		err := e.Countersign(key(t, string(rune('b'+i))))
		if want := i == MaxSignatures-1; want != errors.Is(err, registry.ErrInvalid) {
			t.Errorf("signature %d: %v", i+2, err)
		}
	}
	many := Keys{}
	for i := range MaxKeys + 1 {
		k, err := Generate(strings.NewReader(fmt.Sprintf("%032d", i)))
		if err != nil {
			t.Fatal(err)
		}
		many[k.public.id] = k.public
	}
	e = seal(t, "x", a)
	if many[a.public.id] = a.public; len(e.Signers(many)) != 0 {
		t.Error("more keys than the limit were tried")
	}
	for name, data := range map[string]string{
		"empty": "", "null": "null", "no signature": `{"payload":"","payloadType":"t","signatures":[]}`,
		"not base64": `{"payload":"%","payloadType":"t","signatures":[{"sig":""}]}`, "signature not base64": `{"payload":"","payloadType":"t","signatures":[{"sig":"%"}]}`,
		"no type": `{"payload":"","payloadType":"","signatures":[{"sig":""}]}`, "two": `{"payload":"","payloadType":"t","signatures":[{"sig":""}]}{}`,
		"too many":  `{"payload":"","payloadType":"t","signatures":[` + strings.Repeat(`{"sig":""},`, MaxSignatures) + `{"sig":""}]}`,
		"too large": strings.Repeat(" ", MaxEnvelopeBytes+1), "long hint": `{"payload":"","payloadType":"t","signatures":[{"sig":"","keyid":"` + strings.Repeat("k", MaxTypeBytes+1) + `"}]}`,
	} {
		if _, err := Decode([]byte(data)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme.key")
	k := key(t, "a")
	if err := WriteKey(file, k); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	got, err := ReadPrivateKey(file)
	if err != nil || got.Public().ID() != k.Public().ID() {
		t.Errorf("read back: %v, %v", got, err)
	}
	public, err := ReadPublicKey(file + ".pub")
	if err != nil || public.ID() != k.Public().ID() {
		t.Errorf("public half: %v, %v", public.ID(), err)
	}
	if err := WriteKey(file, k); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("written again: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.key")
	if err := os.WriteFile(other+".pub", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteKey(other, k); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("over a public key: %v", err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a key was left: %v", err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrivateKey(file); !errors.Is(err, registry.ErrUntrusted) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by the group: %v", err)
	}
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k)} {
		if !strings.Contains(shown, string(k.Public().ID())) || strings.Contains(shown, "aaaa") || strings.Contains(shown, "97 97") || strings.Contains(shown, "0x61, 0x61") {
			t.Errorf("a format shows the key: %s", shown)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	k := key(t, "a")
	private, _ := k.PEM()
	public, _ := k.Public().MarshalText()
	for name, text := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("hello"), "public": public, "two": append(bytes.Clone(private), private...),
		"large":     append(bytes.Clone(private), bytes.Repeat([]byte("\n"), MaxKeyFileBytes)...),
		"broken":    []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		"encrypted": []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
	} {
		if _, err := ParsePrivate(text); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rsa := "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n-----END PUBLIC KEY-----\n"
	for name, text := range map[string]string{"private": string(private), "rsa": rsa, "nothing": ""} {
		if _, err := ParsePublic([]byte(text)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Generate(strings.NewReader("short")); err == nil {
		t.Error("a key of five bytes")
	}
	for _, s := range []string{"", "x", strings.Repeat("A", 64)} {
		if _, err := ParseKeyID(s); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// openssl reads what is written here, where there is one.
func TestOpenSSLReadsKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl")
	}
	file := filepath.Join(t.TempDir(), "k")
	if err := WriteKey(file, key(t, "a")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "pkey", "-in", file, "-pubout").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(file + ".pub")
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("openssl says %s, we %s, %v", out, want, err)
	}
}

func release() Release {
	return Release{
		Publisher: "acme", Name: "fortigate", Version: "1.2.0", Digest: registry.Digest("sha256:" + strings.Repeat("1", 64)),
		Manifest: registry.Digest("sha256:" + strings.Repeat("2", 64)), Audience: "soc.example.org", Signed: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func TestRelease(t *testing.T) {
	a := key(t, "a")
	e, err := release().Seal(a)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/release.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Payload) != strings.TrimSpace(string(want)) { // what is signed never changes its form
		t.Errorf("signed:\n%s\nwant:\n%s", e.Payload, want)
	}
	payload, _, err := e.Verify(TypeStatement, KeysOf(a.Public()), 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadRelease(s)
	if diff := cmp.Diff(release(), got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, change := range map[string][2]string{
		"another subject":   {`"sha256":"1`, `"sha256":"3`},
		"another type":      {"release/v1", "release/v2"},
		"not a statement":   {"Statement/v1", "Statement/v0.1"},
		"an unknown member": {`"audience"`, `"Audience":"x","audience"`},
		"a member twice":    {`"name":"fortigate"`, `"name":"fortigate","name":"other"`},
		"other spelling":    {`"version"`, `"Version"`},
		"a broken digest":   {`"manifest":"sha256`, `"manifest":"sha512`},
		"no subject":        {`"subject":[`, `"subject":[],"x":[`},
		"a bad version":     {`"1.2.0"`, `"latest"`},
		"no time":           {"2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		text := strings.Replace(string(payload), change[0], change[1], 1)
		if text == string(payload) {
			t.Fatalf("%s changes nothing", name)
		}
		s, err := ReadStatement([]byte(text))
		if err == nil {
			_, err = ReadRelease(s)
		}
		if !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	over := release()
	over.Audience = strings.Repeat("a", MaxAudienceBytes+1)
	if _, err := over.Seal(a); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("audience one over: %v", err)
	}
	subjects := strings.Replace(string(payload), `"subject":[`, `"subject":[`+strings.Repeat(`{"digest":{}},`, MaxSubjects), 1)
	if _, err := ReadStatement([]byte(subjects)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("subjects one over: %v", err)
	}
	if _, err := ReadStatement(make([]byte, MaxPayloadBytes+1)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("statement one over: %v", err)
	}
}

func FuzzEnvelope(f *testing.F) {
	a := key(f, "a")
	e, err := release().Seal(a)
	if err != nil {
		f.Fatal(err)
	}
	data, err := e.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Decode(data)
		if err != nil {
			if !errors.Is(err, registry.ErrInvalid) {
				t.Fatalf("%v is of no known kind", err)
			}
			return
		}
		if payload, _, err := got.Verify(TypeStatement, KeysOf(a.Public()), 1); err == nil && !bytes.Equal(payload, e.Payload) {
			t.Fatalf("forged: %q", payload)
		}
		again, err := got.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again); err != nil || cmp.Diff(got, back, cmp.Transformer("bytes", func(b []byte) string { return string(b) })) != "" {
			t.Fatalf("it does not survive its own form: %v", err)
		}
	})
}

func FuzzStatement(f *testing.F) {
	e, err := release().Seal(key(f, "a"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Payload)
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := ReadStatement(payload)
		if err == nil {
			_, err = ReadRelease(s)
		}
		if err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("%v is of no known kind", err)
		}
	})
}

func FuzzKeys(f *testing.F) {
	private, _ := key(f, "a").PEM()
	public, _ := key(f, "a").Public().MarshalText()
	f.Add(private)
	f.Add(public)
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := ParsePrivate(text); err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("%v is of no known kind", err)
		}
		if _, err := ParsePublic(text); err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("%v is of no known kind", err)
		}
	})
}
