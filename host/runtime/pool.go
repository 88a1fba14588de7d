package runtime

import (
	"context"
	"fmt"
	"sync"
)

// pool holds a module's instances of one buffer size. The one that was used last is used next: its memory is warm, and a
// module that is never called twice at once has one instance, however many it may have.
type pool struct {
	in, out int
	turns   chan struct{} // one for each instance that runs
	making  sync.Mutex    // guards image until it is there
	image   *image

	mu   sync.Mutex
	idle []*instance // the one that was used last at the end
}

func newPool(n, in, out int) *pool { return &pool{in: in, out: out, turns: make(chan struct{}, n)} }

// take waits for its turn and returns an instance. Only one caller at a time makes the pool's image.
func (p *pool) take(ctx context.Context, m *Module) (*instance, error) {
	select {
	case <-m.done:
		return nil, ErrClosed
	default:
	}
	select {
	case <-m.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an instance of %s: %w", m.spec.Digest, ctx.Err())
	case p.turns <- struct{}{}:
	}
	if i := p.warm(); i != nil {
		return i, nil
	}
	p.making.Lock()
	if p.image != nil {
		p.making.Unlock()
	} else {
		defer p.making.Unlock()
	}
	return p.fresh(ctx, m)
}

// warm returns the instance that was used last, nil when there is none.
func (p *pool) warm() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	i := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return i
}

// fresh makes an instance for a caller whose turn it is; with an error the turn is over.
func (p *pool) fresh(ctx context.Context, m *Module) (*instance, error) {
	i, err := m.instantiate(ctx, p)
	if err != nil {
		<-p.turns
	}
	return i, err
}

// put gives an instance back.
func (p *pool) put(i *instance) {
	p.mu.Lock()
	p.idle = append(p.idle, i)
	p.mu.Unlock()
	<-p.turns
}

// drop closes an instance that must not be used again.
func (p *pool) drop(i *instance) {
	i.close()
	<-p.turns
}

// drain waits for every instance and closes it. Nobody gets a turn any more.
func (p *pool) drain() {
	if p == nil {
		return
	}
	for range cap(p.turns) {
		p.turns <- struct{}{}
	}
	p.trim()
}

// trim closes the instances that nobody uses.
func (p *pool) trim() {
	for i := p.warm(); i != nil; i = p.warm() {
		i.close()
	}
}
