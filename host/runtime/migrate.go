package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// migratedKeys is how many keys a page has at most: a module may make several of one, and an answer holds four times as
// many.
const migratedKeys = abi.MaxKeysPerPage / 4

// Migrates reports whether the module's code takes over the state of earlier versions.
func (m *Module) Migrates() bool { return m.migrates }

// Migrate has a rule read the state of an earlier version and fills into, a new space, with what it makes of it (ABI 19).
// from is the state version of old, which is not changed; seq and at are the log position and time of the change. The
// same states give the same, for the same fuel. When it fails, into is of no use.
//
// Errors: *Trap and state.ErrRoom, which are verdicts; ErrStalled, ErrClosed or the context's.
func (m *Module) Migrate(ctx context.Context, seq uint64, at int64, from uint32, old, into *state.Space) (fuel int64, work Work, err error) {
	if !m.migrates {
		return 0, work, m.fault(CodeABI, "19.1: there is no %s", abi.ExportMigrate)
	}
	g := migration{m: m, ctx: ctx, batch: batch{seq, at}, from: from, into: into, page: make([]byte, m.narrow.in)}
	into.Begin(at)
	defer into.Commit()
	g.begin()
	old.Each(func(k abi.Key) bool {
		if timer := k.Kind == abi.KeyTimer; timer && !m.timed || !timer && at >= k.Ends {
			return true
		}
		if g.keys.Len() < migratedKeys && g.keys.Add(k) {
			return true
		}
		if err = g.call(); err != nil {
			return false
		}
		if g.begin(); !g.keys.Add(k) {
			err = fmt.Errorf("migrate with %s: a key of %d bytes fits into no page: %w", m.spec.Digest, len(k.Value), state.ErrRoom)
		}
		return err == nil
	})
	if err == nil && g.keys.Len() > 0 {
		err = g.call()
	}
	return g.fuel, g.work, err
}

// migration is one on its way from page to page.
type migration struct {
	m     *Module
	ctx   context.Context //nolint:containedctx // of one call of Migrate
	batch batch
	from  uint32
	into  *state.Space
	keys  abi.KeysEncoder
	page  []byte
	out   []byte
	fuel  int64
	work  Work
}

// begin starts a page: its table takes a fourth of it at most.
func (g *migration) begin() {
	n := abi.KeysHeader + migratedKeys*abi.KeySize
	g.keys.Begin(g.page[:n:len(g.page)], g.page[n:])
}

// call has the module answer the page and keeps what it says.
func (g *migration) call() error {
	m, n := g.m, g.keys.Len()
	size, _ := g.keys.Finish(g.from, g.batch.at)
	q := request{
		in: g.page[:size], entry: entryMigrate, work: &g.work, batch: g.batch, timeout: m.host.lim.CallTimeout, tries: attempts,
		budget: m.price.call + int64(n)*m.price.record + int64(size)*m.price.byte,
	}
	var answer abi.Keys
	take := func(b []byte) (err error) {
		g.out = append(g.out[:0], b...)
		answer, err = abi.DecodeKeys(g.out)
		return err
	}
	fuel, err := m.do(g.ctx, m.narrow, q, take)
	if g.fuel += fuel; errors.Is(err, errShort) {
		fuel, err = m.do(g.ctx, m.wide, q, take)
		if g.fuel += fuel; errors.Is(err, errShort) {
			err = m.tooLong(fuel)
		}
	}
	for i := 0; i < answer.Len && err == nil; i++ {
		k := answer.Key(i)
		if err = g.into.Take(k); err != nil && !errors.Is(err, state.ErrRoom) {
			err = m.fault(CodeABI, "19.3: %v", err)
		}
	}
	return err
}
