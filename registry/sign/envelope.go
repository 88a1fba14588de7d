// Package sign says who vouches for bytes: everything that is signed here, whatever it says, is a DSSE envelope with
// Ed25519 signatures over its type and its payload.
//
// DSSE is the Dead Simple Signing Envelope, version 1.0 (github.com/secure-systems-lab/dsse): the signature is over the
// pre-authentication encoding PAE(type, payload), so that a payload can never be taken for one of another type. The key
// id beside a signature is a hint and decides nothing.
package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/vedette-siem/vedette/registry"
)

// TypeEnvelope is the media type of an envelope.
const TypeEnvelope = "application/vnd.dsse.envelope.v1+json"

// Envelope is a payload, its type and the signatures over both.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Signatures  []Signature
}

// Signature is one signature over an envelope's type and payload.
type Signature struct {
	KeyID KeyID // a hint; may be empty
	Sig   []byte
}

// PAE is DSSE's pre-authentication encoding: the bytes that are signed.
func PAE(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len("DSSEv1  18446744073709551615 18446744073709551615 ")+len(payloadType)+len(payload))
	b = append(b, "DSSEv1 "...)
	b = append(strconv.AppendInt(b, int64(len(payloadType)), 10), ' ')
	b = append(append(b, payloadType...), ' ')
	b = append(strconv.AppendInt(b, int64(len(payload)), 10), ' ')
	return append(b, payload...)
}

// Seal signs a payload with every key. The error wraps registry.ErrInvalid.
func Seal(payloadType string, payload []byte, keys ...PrivateKey) (Envelope, error) {
	e := Envelope{PayloadType: payloadType, Payload: bytes.Clone(payload)}
	if len(keys) == 0 {
		return Envelope{}, fmt.Errorf("signing: no key: %w", registry.ErrInvalid)
	}
	for _, k := range keys {
		if err := e.Countersign(k); err != nil {
			return Envelope{}, err
		}
	}
	return e, nil
}

// Countersign adds a signature over the same payload. Signing twice with one key changes nothing.
func (e *Envelope) Countersign(k PrivateKey) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	if len(k.key) != ed25519.PrivateKeySize {
		return fmt.Errorf("signing: no key: %w", registry.ErrInvalid)
	}
	s := Signature{k.public.id, ed25519.Sign(k.key, PAE(e.PayloadType, e.Payload))}
	if slices.ContainsFunc(e.Signatures, func(have Signature) bool { return bytes.Equal(have.Sig, s.Sig) }) {
		return nil
	}
	if len(e.Signatures) == MaxSignatures {
		return fmt.Errorf("signing: %d signatures, there is no room for more: %w", MaxSignatures, registry.ErrInvalid)
	}
	e.Signatures = append(e.Signatures, s)
	return nil
}

func (e *Envelope) check() error {
	switch {
	case e.PayloadType == "" || len(e.PayloadType) > MaxTypeBytes:
		return fmt.Errorf("envelope: payload type of %d bytes, want 1 to %d: %w", len(e.PayloadType), MaxTypeBytes, registry.ErrInvalid)
	case len(e.Payload) > MaxPayloadBytes:
		return fmt.Errorf("envelope: payload of %d bytes, the limit is %d: %w", len(e.Payload), MaxPayloadBytes, registry.ErrInvalid)
	case len(e.Signatures) > MaxSignatures:
		return fmt.Errorf("envelope: %d signatures, the limit is %d: %w", len(e.Signatures), MaxSignatures, registry.ErrInvalid)
	}
	return nil
}

// Signers returns the ids of those keys that have signed the envelope, sorted. A key counts once, however often it
// signed and whatever the hints say.
func (e *Envelope) Signers(keys Keys) []KeyID {
	if e.check() != nil || len(keys) > MaxKeys {
		return nil
	}
	signed, found := PAE(e.PayloadType, e.Payload), map[KeyID]bool{}
	try := func(k PublicKey, sig []byte) bool {
		ok := len(k.key) == ed25519.PublicKeySize && ed25519.Verify(k.key, signed, sig)
		if ok {
			found[k.id] = true
		}
		return ok
	}
	for _, s := range e.Signatures {
		if len(s.Sig) != ed25519.SignatureSize {
			continue
		}
		if k, ok := keys[s.KeyID]; ok && try(k, s.Sig) {
			continue
		}
		for _, k := range keys { // other tools name keys otherwise, or not at all
			if try(k, s.Sig) {
				break
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Verify returns the payload when it is of the type and at least threshold of the keys have signed it. The error wraps
// registry.ErrUntrusted.
func (e *Envelope) Verify(payloadType string, keys Keys, threshold int) ([]byte, []KeyID, error) {
	if e.PayloadType != payloadType {
		return nil, nil, fmt.Errorf("envelope holds %.80q, want %q: %w", e.PayloadType, payloadType, registry.ErrUntrusted)
	}
	if threshold < 1 || threshold > len(keys) {
		return nil, nil, fmt.Errorf("envelope: a threshold of %d among %d keys: %w", threshold, len(keys), registry.ErrUntrusted)
	}
	signers := e.Signers(keys)
	if len(signers) < threshold {
		return nil, nil, fmt.Errorf("envelope: %d of %d signatures by trusted keys: %w", len(signers), threshold, registry.ErrUntrusted)
	}
	return e.Payload, signers, nil
}

// wire is an envelope as JSON. Bytes are base64.
type wire struct {
	Payload     string      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []wireEntry `json:"signatures"`
}

type wireEntry struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

// Encode returns the envelope's JSON. The error wraps registry.ErrInvalid.
func (e *Envelope) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	w := wire{Payload: base64.StdEncoding.EncodeToString(e.Payload), PayloadType: e.PayloadType, Signatures: []wireEntry{}}
	for _, s := range e.Signatures {
		w.Signatures = append(w.Signatures, wireEntry{string(s.KeyID), base64.StdEncoding.EncodeToString(s.Sig)})
	}
	return json.Marshal(w)
}

// Decode reads an envelope's JSON. It verifies nothing. Both alphabets of base64 are read, as the specification wants;
// unknown members are left out. The error wraps registry.ErrInvalid.
func Decode(data []byte) (Envelope, error) {
	var w wire
	if len(data) > MaxEnvelopeBytes {
		return Envelope{}, fmt.Errorf("envelope of %d bytes, the limit is %d: %w", len(data), MaxEnvelopeBytes, registry.ErrInvalid)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&w); err != nil {
		return Envelope{}, fmt.Errorf("envelope: %w: %w", err, registry.ErrInvalid)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Envelope{}, fmt.Errorf("envelope: something stands after it: %w", registry.ErrInvalid)
	}
	if len(w.Signatures) == 0 || len(w.Signatures) > MaxSignatures {
		return Envelope{}, fmt.Errorf("envelope: %d signatures, want 1 to %d: %w", len(w.Signatures), MaxSignatures, registry.ErrInvalid)
	}
	e := Envelope{PayloadType: w.PayloadType}
	var err error
	if e.Payload, err = unbase64(w.Payload); err != nil {
		return Envelope{}, fmt.Errorf("envelope: payload: %w: %w", err, registry.ErrInvalid)
	}
	for i, s := range w.Signatures {
		sig, err := unbase64(s.Sig)
		if err != nil {
			return Envelope{}, fmt.Errorf("envelope: signature %d: %w: %w", i, err, registry.ErrInvalid)
		}
		if len(s.KeyID) > MaxTypeBytes {
			return Envelope{}, fmt.Errorf("envelope: signature %d: key id of %d bytes, the limit is %d: %w", i, len(s.KeyID), MaxTypeBytes, registry.ErrInvalid)
		}
		e.Signatures = append(e.Signatures, Signature{KeyID(s.KeyID), sig})
	}
	if err := e.check(); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

func unbase64(s string) ([]byte, error) {
	if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil {
		return b, nil
	}
	return base64.URLEncoding.Strict().DecodeString(s)
}
