package correlate

import (
	"math"
	"strings"
	"time"
)

// clock follows the event time of one tenant's sources. The frontier is the time that every active source has reached;
// it never moves back. A source that is idle, or dated after the log, does not move it.
type clock struct {
	sources  map[string]*sourceClock
	frontier int64
	swept    int64 // log time of the last sweep
}

type sourceClock struct {
	newest int64 // event time
	seen   int64 // log time
}

const never = math.MinInt64 / 4 // far below every time, and still subtractable

func newClock() clock {
	return clock{sources: map[string]*sourceClock{}, frontier: never, swept: never}
}

func (c *clock) observe(source string, eventTime, logTime int64, limit int) {
	eventTime = min(eventTime, logTime)
	if len(source) > MaxSourceBytes {
		source = source[:MaxSourceBytes]
	}
	if s, ok := c.sources[source]; ok {
		s.newest, s.seen = max(s.newest, eventTime), logTime
		return
	}
	if len(c.sources) >= limit {
		c.sweep(logTime)
		if len(c.sources) >= limit {
			return
		}
	}
	c.sources[strings.Clone(source)] = &sourceClock{eventTime, logTime}
}

// sweep forgets idle sources, which move nothing, at most once in a second of log time: addresses can be forged.
func (c *clock) sweep(logTime int64) {
	if logTime-c.swept < int64(time.Second) {
		return
	}
	c.swept = logTime
	for name, s := range c.sources {
		if logTime-s.seen > int64(IdleAfter) {
			delete(c.sources, name)
		}
	}
}

func (c *clock) advance(logTime int64) {
	low := int64(math.MaxInt64)
	for _, s := range c.sources {
		if logTime-s.seen <= int64(IdleAfter) {
			low = min(low, s.newest)
		}
	}
	if low != math.MaxInt64 {
		c.frontier = max(c.frontier, low)
	}
}

func (c *clock) watermark(lateness, logTime int64) int64 {
	return max(c.frontier-lateness, logTime-int64(MaxLag))
}
