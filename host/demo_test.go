package host

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/demo"
)

func TestFullDemoPauses(t *testing.T) {
	for _, c := range []struct {
		limit        int64
		used         uint64
		paused, says bool
	}{{0, 1 << 40, false, false}, {100, 99, false, false}, {100, 100, true, true}} {
		var log strings.Builder
		h := &Host{cfg: Config{Retention: RetentionConfig{Bytes: c.limit}}, log: slog.New(slog.NewTextHandler(&log, nil))}
		feed := demo.NewFeed(demo.FeedConfig{})
		h.pauseFullDemo(feed, c.used)
		if feed.Running() == c.paused || strings.Contains(log.String(), "retention.bytes") != c.says {
			t.Errorf("%d bytes of %d: running %v, log %q", c.used, c.limit, feed.Running(), log.String())
		}
	}
	h := &Host{cfg: Config{Retention: RetentionConfig{Bytes: 1}}, log: slog.New(slog.DiscardHandler)}
	feed := demo.NewFeed(demo.FeedConfig{})
	feed.SetRunning(false)
	if h.pauseFullDemo(feed, 2); feed.Running() {
		t.Error("a paused feed runs again")
	}
}
