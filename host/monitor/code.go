package monitor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// codes holds the modules that polls run with: one for all watches of the same code and settings, since what a watch may
// reach comes with each poll. It may be used by many goroutines at once.
type codes struct {
	library *module.Library
	mu      sync.Mutex
	open    map[codeKey]*code
}

type codeKey struct {
	tenant                 storage.Tenant // NoTenant of a module that all share
	name, digest, settings string
	grants                 string
}

type code struct {
	loaded *module.Loaded
	err    error
	ready  chan struct{} // closed when one of the above is there
	users  int
	last   time.Time // of its last user
}

// take returns the module of a job, and what gives it back.
func (c *codes) take(ctx context.Context, j *job) (*module.Loaded, func(), error) {
	k := codeKey{name: j.install.Name, digest: j.install.Digest, settings: j.install.Settings, grants: fmt.Sprint(j.install.Grants)}
	if j.watch.Settings != "" {
		k.settings = j.watch.Settings
	}
	if !j.shared {
		k.tenant = j.tenant
	}
	c.mu.Lock()
	x := c.open[k]
	if x == nil {
		if len(c.open) >= MaxOpenModules && !c.evict(ctx) {
			c.mu.Unlock()
			return nil, nil, fmt.Errorf("%d monitors with different settings are polling: %w", MaxOpenModules, storage.ErrExhausted)
		}
		x = &code{ready: make(chan struct{})}
		c.open[k] = x
		x.users++
		c.mu.Unlock()
		in := j.install
		in.Settings = k.settings
		x.loaded, x.err = c.library.Open(ctx, k.tenant, in)
		close(x.ready)
	} else {
		x.users++
		c.mu.Unlock()
	}
	give := func() { c.give(k, x) }
	select {
	case <-x.ready:
	case <-ctx.Done():
		give()
		return nil, nil, ctx.Err()
	}
	if x.err != nil {
		give()
		return nil, nil, x.err
	}
	return x.loaded, give, nil
}

// give ends a use. What could not be opened is tried again by the next poll.
func (c *codes) give(k codeKey, x *code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x.users--
	x.last = time.Now()
	select {
	case <-x.ready:
		if x.err != nil && c.open[k] == x {
			delete(c.open, k)
		}
	default: // whoever opens it gives it back last
	}
}

// evict closes the module that has been idle the longest; false when all are in use. The caller holds mu.
func (c *codes) evict(ctx context.Context) bool {
	var oldest *code
	var at codeKey
	for k, x := range c.open {
		if x.users == 0 && (oldest == nil || x.last.Before(oldest.last)) {
			oldest, at = x, k
		}
	}
	if oldest == nil {
		return false
	}
	delete(c.open, at)
	_ = oldest.close(ctx) // frees memory; there is nothing to do about an error
	return true
}

// sweep closes the modules that nobody has used since a time.
func (c *codes) sweep(ctx context.Context, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, x := range c.open {
		if x.users == 0 && x.last.Before(since) {
			delete(c.open, k)
			_ = x.close(ctx) // frees memory; there is nothing to do about an error
		}
	}
}

func (x *code) close(ctx context.Context) error {
	if x.loaded == nil || x.loaded.Code == nil {
		return errors.New("there is no code")
	}
	return x.loaded.Code.Close(context.WithoutCancel(ctx))
}
