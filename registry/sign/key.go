package sign

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedette-siem/vedette/registry"
)

// PEM block types of the two kinds of key file: PKCS #8 (RFC 5958) and SubjectPublicKeyInfo (RFC 5280), as openssl and
// ssh-keygen -m pkcs8 write them.
const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// KeyID is the SHA-256 of a public key's SubjectPublicKeyInfo as 64 hex digits.
type KeyID string

// Short returns the first 12 digits, for people.
func (id KeyID) Short() string { return string(id[:min(12, len(id))]) }

// ParseKeyID checks the form. The error wraps registry.ErrInvalid.
func ParseKeyID(s string) (KeyID, error) {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", fmt.Errorf("key id %.80q: want 64 lower-case hex digits: %w", s, registry.ErrInvalid)
	}
	return KeyID(s), nil
}

// PublicKey checks signatures. The zero value is no key.
type PublicKey struct {
	id  KeyID
	key ed25519.PublicKey
}

// ID names the key.
func (k PublicKey) ID() KeyID { return k.id }

// PrivateKey signs. Printing one shows its id.
type PrivateKey struct {
	public PublicKey
	key    ed25519.PrivateKey
}

// Public returns the half that may be given away.
func (k PrivateKey) Public() PublicKey { return k.public }

// String returns the key's id, never the key.
func (k PrivateKey) String() string { return "private key " + string(k.public.id) }

// GoString is String, so that no format shows the key.
func (k PrivateKey) GoString() string { return k.String() }

// Generate makes a key from 32 bytes of random.
func Generate(random io.Reader) (PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return PrivateKey{}, fmt.Errorf("generating a key: %w", err)
	}
	return privateKey(ed25519.NewKeyFromSeed(seed))
}

func privateKey(key ed25519.PrivateKey) (PrivateKey, error) {
	public, err := publicKey(key.Public().(ed25519.PublicKey))
	if err != nil {
		return PrivateKey{}, err
	}
	return PrivateKey{public, key}, nil
}

func publicKey(key ed25519.PublicKey) (PublicKey, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w: %w", err, registry.ErrInvalid)
	}
	sum := sha256.Sum256(der)
	return PublicKey{KeyID(hex.EncodeToString(sum[:])), key}, nil
}

// MarshalText returns the PEM form.
func (k PublicKey) MarshalText() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("public key: %w: %w", err, registry.ErrInvalid)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}), nil
}

// UnmarshalText reads the PEM form. The error wraps registry.ErrInvalid.
func (k *PublicKey) UnmarshalText(text []byte) error {
	der, err := onePEM(text, publicBlock)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fmt.Errorf("public key: %w: %w", err, registry.ErrInvalid)
	}
	edwards, ok := key.(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("public key is a %T, want Ed25519: %w", key, registry.ErrInvalid)
	}
	*k, err = publicKey(edwards)
	return err
}

// ParsePublic reads a public key's PEM form. The error wraps registry.ErrInvalid.
func ParsePublic(text []byte) (PublicKey, error) {
	var k PublicKey
	return k, k.UnmarshalText(text)
}

// PEM returns the private key's file content. Whoever reads it can sign.
func (k PrivateKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("private key: %w: %w", err, registry.ErrInvalid)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// ParsePrivate reads a private key's file content. The error wraps registry.ErrInvalid and shows nothing of it.
func ParsePrivate(text []byte) (PrivateKey, error) {
	der, err := onePEM(text, privateBlock)
	if err != nil {
		return PrivateKey{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("private key is not PKCS #8: %w", registry.ErrInvalid)
	}
	edwards, ok := key.(ed25519.PrivateKey)
	if !ok {
		return PrivateKey{}, fmt.Errorf("private key is a %T, want Ed25519 (openssl genpkey -algorithm ed25519): %w", key, registry.ErrInvalid)
	}
	return privateKey(edwards)
}

func onePEM(text []byte, want string) ([]byte, error) {
	if len(text) > MaxKeyFileBytes {
		return nil, fmt.Errorf("key of %d bytes, the limit is %d: %w", len(text), MaxKeyFileBytes, registry.ErrInvalid)
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, fmt.Errorf("no PEM block %q: %w", want, registry.ErrInvalid)
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, fmt.Errorf("the key is encrypted; decrypt it first (openssl pkcs8 -in FILE -out FILE2): %w", registry.ErrInvalid)
	case block.Type != want:
		return nil, fmt.Errorf("PEM block %q, want %q: %w", block.Type, want, registry.ErrInvalid)
	case len(strings.TrimSpace(string(rest))) > 0:
		return nil, fmt.Errorf("there is more than one key: %w", registry.ErrInvalid)
	}
	return block.Bytes, nil
}

// WriteKey writes the private key to file, readable by its owner alone, and the public one to file + ".pub". It replaces
// nothing: files that are there are registry.ErrConflict.
func WriteKey(file string, k PrivateKey) error {
	private, err := k.PEM()
	if err != nil {
		return err
	}
	public, err := k.public.MarshalText()
	if err != nil {
		return err
	}
	if err := create(file, private, 0o600); err != nil {
		return fmt.Errorf("writing the private key: %w", err)
	}
	if err := create(file+".pub", public, 0o644); err != nil {
		_ = os.Remove(file) // half a key is none; the error that matters is the one returned
		return fmt.Errorf("writing the public key: %w", err)
	}
	return nil
}

func create(file string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is not replaced: %w", filepath.Base(file), registry.ErrConflict)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file)
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// ReadPrivateKey reads a key file. One that others may read is refused, as ssh does: it has to be taken for known.
func ReadPrivateKey(file string) (PrivateKey, error) {
	data, mode, err := readKey(file)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("reading the private key: %w", err)
	}
	if mode.Perm()&0o077 != 0 {
		return PrivateKey{}, fmt.Errorf("reading the private key: %s has mode %04o, so others may have read it (chmod 600, or make a new key): %w", file, mode.Perm(), registry.ErrUntrusted)
	}
	k, err := ParsePrivate(data)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return k, nil
}

// ReadPublicKey reads a file with one public key.
func ReadPublicKey(file string) (PublicKey, error) {
	data, _, err := readKey(file)
	if err != nil {
		return PublicKey{}, fmt.Errorf("reading the public key: %w", err)
	}
	k, err := ParsePublic(data)
	if err != nil {
		return PublicKey{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return k, nil
}

func readKey(file string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a file: %w", file, registry.ErrInvalid)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxKeyFileBytes+1))
	return data, info.Mode(), err
}

// Keys is a set of keys that are trusted for something.
type Keys map[KeyID]PublicKey

// KeysOf returns the set of the keys.
func KeysOf(keys ...PublicKey) Keys {
	set := make(Keys, len(keys))
	for _, k := range keys {
		set[k.id] = k
	}
	return set
}
