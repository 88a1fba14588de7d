package probe

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
)

// The kinds of credentials.
const (
	HTTPBasic   = "http-basic"   // Login, Secret
	HTTPBearer  = "http-bearer"  // Secret
	HTTPHeader  = "http-header"  // Login is the header's name, Secret its value
	SNMPv2c     = "snmp-v2c"     // Secret is the community
	SNMPv3      = "snmp-v3"      // Login, Secret, Hash, Privacy, Cipher: authPriv
	SSHPassword = "ssh-password" // Login, Secret
	SSHKey      = "ssh-key"      // Login, Secret is the private key in PEM, Privacy its passphrase
)

// Credential is what a device is asked with. It prints as its kind, however it is printed.
type Credential struct {
	Kind    string
	Login   string
	Secret  runtime.Secret
	Privacy runtime.Secret // snmp-v3: passphrase of the privacy protocol; ssh-key: passphrase of the key, "" for none
	Hash    string         // snmp-v3: md5, sha, sha224, sha256, sha384 or sha512; "" for sha256
	Cipher  string         // snmp-v3: des, aes, aes192, aes256; "" for aes
}

// String shows nothing but the kind.
func (c Credential) String() string { return c.Kind }

// GoString shows nothing but the kind.
func (c Credential) GoString() string { return c.Kind }

// LogValue shows nothing but the kind.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Kind) }

// Check says what is wrong with a credential, without saying what is in it. The error wraps storage.ErrInvalid.
func (c *Credential) Check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("credential: %s: %w", fmt.Sprintf(format, args...), storage.ErrInvalid)
	}
	login, privacy := false, false
	switch c.Kind {
	case HTTPBasic, HTTPHeader, SSHPassword:
		login = true
	case SSHKey:
		login = true
		if _, err := c.signer(); err != nil {
			return bad("%v", err)
		}
	case SNMPv3:
		login, privacy = true, true
		if hashes[c.Hash] == 0 || ciphers[c.Cipher] == 0 {
			return bad("want the hash md5, sha, sha224, sha256, sha384 or sha512 and the cipher des, aes, aes192 or aes256")
		}
		if len(c.Secret) < minSNMPPassphrase || len(c.Privacy) < minSNMPPassphrase {
			return bad("the passphrases of SNMP v3 have at least %d characters", minSNMPPassphrase)
		}
	case HTTPBearer, SNMPv2c:
	default:
		return bad("%q: want %v", c.Kind, []string{HTTPBasic, HTTPBearer, HTTPHeader, SNMPv2c, SNMPv3, SSHPassword, SSHKey})
	}
	if (c.Login != "") != login {
		return bad("%s has a login: %t", c.Kind, login)
	}
	if privacy && c.Privacy == "" || len(c.Secret) < runtime.MinSecretBytes || c.Privacy != "" && len(c.Privacy) < runtime.MinSecretBytes {
		return bad("a secret has at least %d characters", runtime.MinSecretBytes)
	}
	for _, s := range []string{c.Login, string(c.Secret), string(c.Privacy)} {
		if c.Kind != SSHKey && slices.ContainsFunc([]byte(s), func(b byte) bool { return b < ' ' || b == 0x7f }) {
			return bad("it holds control characters")
		}
	}
	return nil
}

const minSNMPPassphrase = 8 // RFC 3414, 11.2

// Secrets are the texts that no answer may show.
func (c *Credential) Secrets() []runtime.Secret {
	list := []runtime.Secret{c.Secret}
	if c.Privacy != "" {
		list = append(list, c.Privacy)
	}
	if c.Kind == HTTPBasic {
		list = append(list, runtime.Secret(c.Login+":"+string(c.Secret)))
	}
	return list
}

// signer reads the private key of an ssh-key.
func (c *Credential) signer() (ssh.Signer, error) {
	var s ssh.Signer
	var err error
	if c.Privacy != "" {
		s, err = ssh.ParsePrivateKeyWithPassphrase([]byte(c.Secret), []byte(c.Privacy))
	} else {
		s, err = ssh.ParsePrivateKey([]byte(c.Secret))
	}
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, errors.New("the private key has a passphrase, which is needed too")
	}
	if err != nil {
		return nil, errors.New("the private key is no key in PEM form, or its passphrase is another")
	}
	return s, nil
}

// Vault seals credentials with a key that lies apart from them.
type Vault struct {
	aead   cipher.AEAD
	random io.Reader
}

const vaultKeyBytes = 32

// OpenVault reads the key in path, and makes one when there is none. The file must be of this user and mode 0600.
func OpenVault(path string, random io.Reader) (*Vault, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, vaultKeyBytes)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("draw the key of credentials: %w", err)
		}
		if err := writeKey(path, key); err != nil {
			return nil, fmt.Errorf("write the key of credentials: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("read the key of credentials: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read the key of credentials: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || len(key) != vaultKeyBytes {
		return nil, fmt.Errorf("the key of credentials %s must be a file of %d bytes with mode 0600, not %v with %d: %w", path, vaultKeyBytes, info.Mode(), len(key), storage.ErrInvalid)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("the key of credentials: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("the key of credentials: %w", err)
	}
	return &Vault{aead: aead, random: random}, nil
}

// writeKey makes the file as a whole or not at all: half a key would lock every credential up for good.
func writeKey(path string, key []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // fails when somebody else has made one meanwhile
	}
	os.Remove(f.Name())
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sealed is a credential as it is written before it is encrypted.
type sealed struct {
	Kind    string `json:"kind"`
	Login   string `json:"login,omitempty"`
	Secret  string `json:"secret"`
	Privacy string `json:"privacy,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Cipher  string `json:"cipher,omitempty"`
}

// Seal encrypts a credential for one organization and name: it opens under no other.
func (v *Vault) Seal(t storage.Tenant, name string, c Credential) ([]byte, error) {
	plain, err := json.Marshal(sealed{c.Kind, c.Login, string(c.Secret), string(c.Privacy), c.Hash, c.Cipher})
	if err != nil {
		return nil, fmt.Errorf("seal credential %s: %w", name, err)
	}
	nonce := make([]byte, v.aead.NonceSize())
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return nil, fmt.Errorf("seal credential %s: %w", name, err)
	}
	return v.aead.Seal(nonce, nonce, plain, belongs(t, name)), nil
}

// Open decrypts a credential.
func (v *Vault) Open(t storage.Tenant, name string, box []byte) (Credential, error) {
	var s sealed
	n := v.aead.NonceSize()
	if len(box) < n {
		return Credential{}, fmt.Errorf("credential %s is damaged: %w", name, storage.ErrInvalid)
	}
	plain, err := v.aead.Open(nil, box[:n], box[n:], belongs(t, name))
	if err == nil {
		err = json.Unmarshal(plain, &s)
	}
	if err != nil {
		return Credential{}, fmt.Errorf("credential %s was sealed with another key than this data directory has, or is damaged: %w", name, storage.ErrUnavailable)
	}
	return Credential{s.Kind, s.Login, runtime.Secret(s.Secret), runtime.Secret(s.Privacy), s.Hash, s.Cipher}, nil
}

func belongs(t storage.Tenant, name string) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("vedette credential 1 "), uint32(t)), name...)
}
