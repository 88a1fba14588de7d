package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// apiIndicators shows indicator sets and their feeds to the API.
type apiIndicators struct{ *Host }

// Put makes a version of a set. Where the content is the one in force, nothing is changed.
func (a apiIndicators) Put(ctx context.Context, t storage.Tenant, name, origin, who string, all []indicator.Indicator) error {
	text, err := indicator.Encode(all)
	if err != nil {
		return err
	}
	digest := indicator.Digest(text)
	if now, there := a.pipeline.Generation().Running.Layer(t).Indicators[name]; there && now.Digest == digest && now.Origin == origin {
		return nil
	}
	set, err := indicator.Decode(text)
	if err != nil {
		return err
	}
	if err := a.db.PutTableContent(ctx, t, digest, text, time.Now()); err != nil {
		return err
	}
	release := a.library.HoldIndicators(digest, set) // so that the log need not wait for it
	defer release()
	return a.Control(ctx, module.Control{
		Kind: module.SetIndicators, Tenant: t, Who: who, Name: name,
		Indicators: &module.Indicators{Name: name, Digest: digest, Counts: set.Counts(), Bytes: len(text), Origin: origin},
	})
}

// Discover asks a TAXII server for its collections.
func (a apiIndicators) Discover(ctx context.Context, t storage.Tenant, o indicator.Origin) ([]indicator.Collection, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	return a.feedClient(t).Discover(ctx, o)
}

// Seal encrypts the secret of a feed: it opens under no other name and for no other organization.
func (a apiIndicators) Seal(t storage.Tenant, name, secret string) ([]byte, error) {
	return a.vault.Seal(t, feedKey(name), probe.Credential{Kind: "feed", Secret: runtime.Secret(secret)})
}

// Ask has feeds that are due asked now.
func (a apiIndicators) Ask() {
	select {
	case a.asked <- struct{}{}:
	default:
	}
}

func feedKey(name string) string { return "feed " + name }

// feedClient reaches what a feed of an organization may be fetched from: the machine's own network only where the
// configuration allows it, or for who administers the host.
func (h *Host) feedClient(t storage.Tenant) indicator.Client {
	private := h.cfg.FeedPrivateTargets || t == storage.NoTenant
	dialer := &net.Dialer{Timeout: feedDialTime, Control: func(_, address string, _ syscall.RawConn) error {
		return runtime.AllowAddress(address, private)
	}}
	return indicator.Client{HTTP: &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: feedDialTime, ResponseHeaderTimeout: feedAnswerTime, DisableKeepAlives: true,
	}}}
}

// runFeeds asks feeds when they are due, one after the other.
func (h *Host) runFeeds(ctx context.Context) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-h.asked:
		}
		due, err := h.db.DueFeeds(ctx, time.Now(), feedsAtOnce)
		if err != nil && ctx.Err() == nil {
			h.log.Warn("look for feeds that are due", "error", err)
		}
		for i := range due {
			if err := h.askFeed(ctx, &due[i], time.Now()); err != nil && ctx.Err() == nil {
				h.log.Warn("a feed was not fetched", "organization", due[i].Tenant, "feed", due[i].Name, "error", err)
			}
		}
		if len(due) == feedsAtOnce {
			apiIndicators{h}.Ask()
		}
	}
}

// askFeed fetches a feed, puts what came into its set, and notes what came of it. One that fails is asked again sooner, and
// with what it said the last time.
func (h *Host) askFeed(ctx context.Context, f *meta.Feed, now time.Time) error {
	if f.Tenant != storage.NoTenant && h.pipeline.Generation().Running.Gone[f.Tenant] {
		return h.db.RemoveFeed(ctx, f.Tenant, f.Name)
	}
	within, cancel := context.WithTimeout(ctx, feedTime)
	defer cancel()
	next, err := h.fetchFeed(within, f, now)
	if ctx.Err() != nil {
		return ctx.Err() // the next start asks it
	}
	next.Asked, next.Due = now.UnixNano(), now.Add(f.Every).UnixNano()
	if err != nil {
		next = f.FeedState
		next.Asked, next.Error = now.UnixNano(), err.Error()
		next.Due = now.Add(min(f.Every, feedAgain)).UnixNano()
	}
	return errors.Join(err, h.db.SetFeedState(ctx, *f, next))
}

func (h *Host) fetchFeed(ctx context.Context, f *meta.Feed, now time.Time) (next meta.FeedState, err error) {
	o := indicator.Origin{Kind: f.Kind, URL: f.URL, Collection: f.Collection, Format: indicator.Format(f.Format), Username: f.Username}
	if f.Secret != nil {
		c, err := h.vault.Open(f.Tenant, feedKey(f.Name), f.Secret)
		if err != nil {
			return next, err
		}
		o.Secret = string(c.Secret)
	}
	defaults := indicator.Defaults{Source: f.Name, Confidence: f.Confidence}
	if f.TTL > 0 {
		defaults.Expires = now.Add(f.TTL).UnixNano()
	}
	old := h.pipeline.Generation().IndicatorSet(f.Tenant, f.Name)
	since := f.Since
	if old == nil {
		since = "" // it was removed: it begins anew
	}
	got, err := h.feedClient(f.Tenant).Fetch(ctx, o, since, defaults)
	if err != nil {
		return next, err
	}
	err = apiIndicators{h}.Put(ctx, f.Tenant, f.Name, f.Kind+" "+f.URL, "vedette", indicator.Merge(old, &got, now.UnixNano()))
	if err != nil {
		return next, fmt.Errorf("put what came into the set: %w", err)
	}
	return meta.FeedState{Since: got.Since, Came: len(got.Indicators), Withdrawn: len(got.Withdrawn), Problems: got.Total}, nil
}

const (
	feedEvery      = 10 * time.Second // between two looks at what is due
	feedsAtOnce    = 8                // taken of one look
	feedTime       = 10 * time.Minute // of one fetch
	feedAgain      = 5 * time.Minute  // after one that failed
	feedDialTime   = 10 * time.Second
	feedAnswerTime = time.Minute
	discoverTime   = 20 * time.Second
)
