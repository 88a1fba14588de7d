package queue

import "time"

// clock is log time: a monotonic clock anchored once, so that a wall clock that is set back or forward does not open
// or close a single window. It never goes back. It is used under Queue.order only.
type clock struct {
	wall func() time.Time     // what people call the time
	mono func() time.Duration // since some moment; never set
	base int64                // log time at the anchor, ns
	at   time.Duration        // mono at the anchor
	last int64                // newest log time handed out
}

// newClock anchors at the wall clock, or at the log's last time where the wall clock stands before it.
func newClock(wall func() time.Time, mono func() time.Duration, last int64) *clock {
	c := &clock{wall: wall, mono: mono, last: last}
	c.base, c.at = max(wall().UnixNano(), last), mono()
	return c
}

// now returns the log time, never less than before.
func (c *clock) now() int64 {
	c.last = max(c.last, c.base+int64(c.mono()-c.at))
	return c.last
}

// ahead returns how far log time stands before the wall clock; negative when it is behind.
func (c *clock) ahead() time.Duration {
	return time.Duration(c.base + int64(c.mono()-c.at) - c.wall().UnixNano())
}

// leap anchors anew when the wall clock is more than maxClockLeap in front of log time (a machine that slept, a clock
// that was wrong at start) and returns the log time that would have been in force. A wall clock that was set back
// anchors nothing: log time goes on steadily and Stats.ClockAhead shows by how much it is in front.
func (c *clock) leap() (from int64, ok bool) {
	if c.ahead() >= -maxClockLeap {
		return 0, false
	}
	from = c.now()
	c.base, c.at = c.wall().UnixNano(), c.mono()
	return from, true
}
