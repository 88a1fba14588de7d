package tenant

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Resolver says whose an ingest token is: storage/meta. It may be called at once from any goroutine. An error that
// wraps storage.ErrUnauthorized means that the token is not in force; any other that nothing is known.
type Resolver interface {
	ResolveIngestToken(ctx context.Context, token string) (storage.Tenant, error)
}

// Tokens remembers for TokenFreshness what a Resolver said, so that records do not wait for the database and a
// revocation is effective within that time. It may be used at once from any goroutine.
type Tokens struct {
	from Resolver
	now  func() time.Time

	mu      sync.Mutex
	good    map[[sha256.Size]byte]known // by hash: the cache holds no token
	refused map[[sha256.Size]byte]known
}

type known struct {
	tenant storage.Tenant
	until  time.Time
}

// NewTokens returns an empty cache over from. now is the clock.
func NewTokens(from Resolver, now func() time.Time) *Tokens {
	return &Tokens{from: from, now: now, good: map[[sha256.Size]byte]known{}, refused: map[[sha256.Size]byte]known{}}
}

// Resolve returns the tenant of an ingest token, or an error that wraps storage.ErrUnauthorized if it is not in force; a
// revoked one comes with the tenant that it was of.
// What the resolver could not say is not remembered and the error is returned: nothing is accepted on old knowledge.
func (c *Tokens) Resolve(ctx context.Context, token string) (storage.Tenant, error) {
	if token == "" || len(token) > MaxTokenBytes {
		return 0, fmt.Errorf("ingest token: %w", storage.ErrUnauthorized)
	}
	hash := sha256.Sum256([]byte(token))
	asked := c.now() // the answer is as old as the question
	c.mu.Lock()
	good, isGood := c.good[hash]
	bad, isBad := c.refused[hash]
	c.mu.Unlock()
	switch {
	case isGood && asked.Before(good.until):
		return good.tenant, nil
	case isBad && asked.Before(bad.until):
		return bad.tenant, fmt.Errorf("ingest token: %w", storage.ErrUnauthorized)
	}
	t, err := c.from.ResolveIngestToken(ctx, token)
	if err != nil && !errors.Is(err, storage.ErrUnauthorized) {
		return 0, fmt.Errorf("ingest token: %w", err)
	}
	c.remember(hash, known{t, asked.Add(TokenFreshness)}, err == nil)
	return t, err
}

// Drop forgets that tokens of a tenant were good: it was removed.
func (c *Tokens) Drop(t storage.Tenant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.good, func(_ [sha256.Size]byte, k known) bool { return k.tenant == t })
}

func (c *Tokens) remember(hash [sha256.Size]byte, k known, good bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !good {
		delete(c.good, hash)
		if len(c.refused) >= MaxCachedRefused {
			clear(c.refused) // a flood of guesses: nothing in it is worth choosing between
		}
		c.refused[hash] = k
		return
	}
	delete(c.refused, hash)
	if old, ok := c.good[hash]; ok {
		if k.until.After(old.until) {
			c.good[hash] = k
		}
		return
	}
	if len(c.good) >= MaxCachedTokens {
		for other := range c.good { // any one: it costs its sender one look-up
			delete(c.good, other)
			break
		}
	}
	c.good[hash] = k
}
