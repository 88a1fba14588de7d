package meta

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// scope returns the SQL condition, with its arguments, that keeps a query inside the principal's tenants. Every query
// that takes a principal goes through it.
//
// A principal whose log queries are narrowed by a filter is refused: the rows here are drawn from events that the
// filter may hide, and a log filter cannot be applied to them.
func scope(p storage.Principal, column string) (string, []any, error) {
	if p.User == "" {
		return "", nil, fmt.Errorf("no principal: %w", storage.ErrUnauthorized)
	}
	if p.Filter != "" {
		return "", nil, fmt.Errorf("user %s is limited to some events: %w", p.User, storage.ErrForbidden)
	}
	if slices.Contains(p.Tenants, storage.NoTenant) {
		return "", nil, fmt.Errorf("user %s has tenant 0: %w", p.User, storage.ErrInvalid)
	}
	if len(p.Tenants) == 1 {
		return column + " = ?", []any{int64(p.Tenants[0])}, nil
	}
	// One parameter however many tenants an admin sees, so the statement's text does not grow with them.
	var list strings.Builder
	list.WriteByte('[')
	for i, t := range p.Tenants {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatUint(uint64(t), 10))
	}
	list.WriteByte(']')
	return column + " IN (SELECT value FROM json_each(?))", []any{list.String()}, nil
}

// mustTenant refuses what belongs to nobody.
func mustTenant(t storage.Tenant) error {
	if t == storage.NoTenant {
		return fmt.Errorf("tenant 0: %w", storage.ErrInvalid)
	}
	return nil
}

// checkName refuses names that are empty, too long or hold control characters.
func checkName(what, name string) error {
	if name == "" || len(name) > MaxNameBytes || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return fmt.Errorf("%s name: want 1 to %d bytes of text without control characters: %w", what, MaxNameBytes, storage.ErrInvalid)
	}
	return nil
}
