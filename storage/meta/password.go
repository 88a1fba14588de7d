package meta

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/vedette-siem/vedette/storage"
)

// Cost of a password hash: OWASP's recommendation for argon2id with 19 MiB. The parameters stand in each hash, so
// raising them leaves old ones readable.
const (
	argonMemoryKiB = 19 << 10
	argonPasses    = 2
	argonLanes     = 1
	argonSaltBytes = 16
	argonKeyBytes  = 32
)

// hashPassword returns "$argon2id$v=19$m=…,t=…,p=…$salt$key", the PHC string format.
func hashPassword(random io.Reader, password string) (string, error) {
	salt := make([]byte, argonSaltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("draw salt: %w", err)
	}
	return encodeHash(salt, argon2.IDKey([]byte(password), salt, argonPasses, argonMemoryKiB, argonLanes, argonKeyBytes)), nil
}

// decoyHash returns a hash that is none of any password. To verify it costs what it costs for hashPassword's, to make it
// nothing.
func decoyHash(random io.Reader) (string, error) {
	drawn := make([]byte, argonSaltBytes+argonKeyBytes)
	if _, err := io.ReadFull(random, drawn); err != nil {
		return "", fmt.Errorf("draw a hash: %w", err)
	}
	return encodeHash(drawn[:argonSaltBytes], drawn[argonSaltBytes:]), nil
}

func encodeHash(salt, key []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemoryKiB, argonPasses, argonLanes,
		enc.EncodeToString(salt), enc.EncodeToString(key))
}

// verifyPassword reports whether password is the one hashed. A hash that is not in the form of hashPassword, or whose
// cost is beyond what this program would ever ask for, matches nothing.
func verifyPassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false
	}
	var version, memory, passes, lanes int
	if n, err := fmt.Sscanf(parts[2], "v=%d", &version); n != 1 || err != nil || version != argon2.Version {
		return false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); n != 3 || err != nil {
		return false
	}
	if memory < 8 || memory > 256<<10 || passes < 1 || passes > 16 || lanes < 1 || lanes > 16 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) < 8 {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func checkPassword(password string) error {
	if len(password) < MinPasswordBytes || len(password) > MaxPasswordBytes {
		return fmt.Errorf("password: want %d to %d bytes: %w", MinPasswordBytes, MaxPasswordBytes, storage.ErrInvalid)
	}
	return nil
}
