// Package notify performs what the outbox asks for, at least once each and with the same idempotency key every time;
// nothing waits for it and nothing calls it.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Outbox is where deliveries wait: storage/meta. Only the goroutine of Run uses it. After an error nothing was
// changed and the sender tries again later.
type Outbox interface {
	DueDeliveries(ctx context.Context, now int64, limit int) ([]meta.Delivery, error)
	SettleDelivery(ctx context.Context, id uint64, o meta.Outcome) error
}

// Config says how to send. The zero value of each field with a default means it.
type Config struct {
	Outbox       Outbox
	Now          func() time.Time // clock of attempts and signatures; default time.Now
	Jitter       func() float64   // random in [0, 1), spreads retries; required
	Failed       func(error)      // told when the outbox cannot be read or written; the sender goes on; required
	Wake         <-chan struct{}  // a value makes the sender look at once; default none
	Every        time.Duration    // how often it looks; default 1 s
	Timeout      time.Duration    // of one request with its response; default 10 s
	Senders      int              // requests at the same time; default 8
	MaxAttempts  int              // then a delivery is given up and kept with its error; default 16, about 8 hours
	AllowPrivate bool             // whether webhooks may point to loopback and private addresses
}

// Sender posts due deliveries to their webhooks.
type Sender struct {
	cfg    Config
	client *http.Client
}

// New returns a sender for cfg. ErrInvalid if something required is missing.
func New(cfg Config) (*Sender, error) {
	if cfg.Outbox == nil || cfg.Jitter == nil || cfg.Failed == nil {
		return nil, fmt.Errorf("notify: Outbox, Jitter and Failed are required: %w", storage.ErrInvalid)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Senders <= 0 {
		cfg.Senders = 8
	}
	if cfg.MaxAttempts <= 0 {
		cfg.MaxAttempts = 16
	}
	return &Sender{cfg: cfg, client: newClient(cfg.AllowPrivate, cfg.Timeout)}, nil
}

// flight is a delivery that is being sent.
type flight struct {
	delivery meta.Delivery
	result   result
}

// Run sends until ctx ends, and returns when nothing of it runs any more. Requests that ctx cuts off are not counted
// as attempts: after a restart they are made again with the same key.
func (s *Sender) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer s.client.CloseIdleConnections()
	defer wg.Wait()
	landed := make(chan flight, s.cfg.Senders) // never blocks: at most Senders are under way
	flying := map[uint64]storage.Tenant{}
	var unsettled []flight // sent, but the outbox would not hear of it: sending again now would be a double for nothing
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, d := range s.due(ctx, flying) {
			flying[d.ID] = d.Tenant
			wg.Go(func() { landed <- flight{d, s.post(ctx, d)} })
		}
		select {
		case f := <-landed:
			unsettled = s.settle(ctx, flying, f, unsettled)
		case <-tick.C:
			again := unsettled
			unsettled = nil
			for _, f := range again {
				unsettled = s.settle(ctx, flying, f, unsettled)
			}
		case <-s.cfg.Wake:
		case <-ctx.Done():
		}
	}
	wg.Wait()
	for len(landed) > 0 {
		unsettled = append(unsettled, <-landed)
	}
	for _, f := range unsettled {
		s.settle(ctx, flying, f, nil)
	}
}

// due returns the deliveries to start now: as many as there are free senders and each tenant may have.
func (s *Sender) due(ctx context.Context, flying map[uint64]storage.Tenant) []meta.Delivery {
	free := s.cfg.Senders - len(flying)
	if free <= 0 {
		return nil
	}
	// Those under way are still due in the outbox, so ask for more than there is room for.
	list, err := s.cfg.Outbox.DueDeliveries(ctx, s.cfg.Now().UnixNano(), 8*s.cfg.Senders)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Failed(err)
		}
		return nil
	}
	busy := map[storage.Tenant]int{}
	for _, t := range flying {
		busy[t]++
	}
	var out []meta.Delivery
	for _, d := range list {
		if _, under := flying[d.ID]; under || busy[d.Tenant] >= MaxInFlightPerTenant || len(out) == free {
			continue
		}
		busy[d.Tenant]++
		out = append(out, d)
	}
	return out
}

// settle records how an attempt ended, and returns unsettled with f added if that failed.
func (s *Sender) settle(ctx context.Context, flying map[uint64]storage.Tenant, f flight, unsettled []flight) []flight {
	if errors.Is(f.result.err, context.Canceled) && ctx.Err() != nil {
		return unsettled // the end of the process says nothing about the receiver
	}
	now := s.cfg.Now()
	o := meta.Outcome{At: now.UnixNano()}
	if f.result.err != nil {
		o.Error = f.result.err.Error()
		if attempt := f.delivery.Attempts + 1; attempt < s.cfg.MaxAttempts {
			o.Next = now.Add(max(backoff(attempt, s.cfg.Jitter()), f.result.retryAfter)).UnixNano()
		}
	}
	// What is known of the receiver is worth writing down while stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.Outbox.SettleDelivery(ctx, f.delivery.ID, o); err != nil {
		s.cfg.Failed(err)
		return append(unsettled, f)
	}
	delete(flying, f.delivery.ID)
	return unsettled
}

// backoff returns how long to wait after the n-th failed attempt: FirstBackoff doubled n-1 times, at most MaxBackoff,
// of which the upper half is left to chance.
func backoff(n int, chance float64) time.Duration {
	d := MaxBackoff
	if n < 20 {
		d = min(d, FirstBackoff<<(n-1))
	}
	return d/2 + time.Duration(chance*float64(d/2))
}
