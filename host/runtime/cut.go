package runtime

import (
	"context"
	"errors"
	"fmt"
)

// cutter runs a batch, and when the guest fails, cuts it until each item that the guest fails on stands alone.
//
// The fuel of all its calls together is at most twice the batch's budget, whatever the guest does. Each item has a
// share, what it added to the batch's budget. purse is what may still be spent, owed the shares of the items that have
// no verdict yet; purse >= owed always holds. What is beyond is slack, and several items are tried together only when
// the slack covers a failure at full price. So an endless loop, which leaves no slack, makes the cutter go item by item
// until good items, which cost a small part of their share, have earned enough for halving.
type cutter struct {
	m      *Module
	entry  entry
	n      int
	batch  batch
	env    Env
	fuel   *int64
	work   *Work
	share  func(i int) int64
	encode func(lo, hi int) []byte
	take   func(lo, hi int, out []byte) error
	poison func(i int, t *Trap)

	pool  *pool
	purse int64
	owed  int64
}

func (c *cutter) run(ctx context.Context, in []byte) error {
	c.pool = c.m.narrow
	if len(in) > c.pool.in {
		c.pool = c.m.wide
	}
	budget := c.m.price.call
	for i := range c.n {
		budget += c.share(i)
	}
	c.purse, c.owed = 2*budget, budget-c.m.price.call
	err := c.call(ctx, in, 0, c.n, budget)
	if err == nil || !failed(err) {
		return err
	}
	if c.n == 1 && (!errors.Is(err, errShort) || len(in) > c.m.narrow.in) {
		c.verdict(0, err)
		return nil
	}
	return c.cut(ctx)
}

// failed reports whether an error is the guest's.
func failed(err error) bool {
	var t *Trap
	return errors.As(err, &t) || errors.Is(err, errShort)
}

func (c *cutter) call(ctx context.Context, in []byte, lo, hi int, budget int64) error {
	q := request{in: in, entry: c.entry, batch: c.batch, env: c.env, budget: budget, timeout: c.m.host.lim.CallTimeout, tries: attempts, work: c.work}
	fuel, err := c.m.do(ctx, c.pool, q, func(out []byte) error { return c.take(lo, hi, out) })
	*c.fuel += fuel
	c.purse -= fuel
	if errors.Is(err, errShort) {
		c.pool = c.m.wide
	}
	return err
}

// cut goes through the batch from its beginning. bad is the end of a stretch that is known to fail as a whole.
func (c *cutter) cut(ctx context.Context) error {
	count := 0
	for lo, bad := 0, c.n; lo < c.n; {
		hi := c.n
		if bad > lo {
			hi = lo + (bad-lo+1)/2
			if bad-lo == 1 {
				hi = bad
			}
		}
		hi = c.afford(lo, hi)
		cost := c.cost(lo, hi)
		budget := cost + min(c.m.price.call, c.purse-c.owed)
		wide := c.pool == c.m.wide
		err := c.call(ctx, c.encode(lo, hi), lo, hi, budget)
		switch {
		case err == nil:
			c.owed -= cost
			lo = hi
		case !failed(err):
			return err
		case errors.Is(err, errShort) && !wide:
			bad = hi // once more, in a wide instance
		case hi-lo > 1:
			bad = hi
		default:
			c.owed -= cost
			if count++; count > c.m.host.lim.PoisonRecords {
				return fmt.Errorf("%d of the first %d records of %d: %w: %w", count, hi, c.n, ErrFailing, err)
			}
			c.verdict(lo, err)
			lo = hi
		}
	}
	return nil
}

// afford returns the largest end, at most hi, such that a failure of [lo, end) leaves enough for the rest.
func (c *cutter) afford(lo, hi int) int {
	for hi-lo > 1 && c.cost(lo, hi)+c.m.price.call > c.purse-c.owed {
		hi = lo + (hi-lo)/2
	}
	return hi
}

func (c *cutter) cost(lo, hi int) int64 {
	var sum int64
	for i := lo; i < hi; i++ {
		sum += c.share(i)
	}
	return sum
}

// verdict hands out item i, which the guest fails on when it stands alone.
func (c *cutter) verdict(i int, err error) {
	var t *Trap
	if !errors.As(err, &t) {
		t = c.m.tooLong(0)
	}
	c.poison(i, t)
}
