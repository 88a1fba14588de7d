package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

var durationForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(ms|s|m|h|d|w)([0-9]+(\.[0-9]+)?(ms|s|m|h))*$`)

// parseDuration reads 90s, 10m, 1h30m, 7d, 2w.
func parseDuration(s string) (time.Duration, error) {
	if !durationForm.MatchString(s) {
		return 0, fmt.Errorf("duration %q", s)
	}
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(s, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(s, "w"):
		unit = 7 * 24 * time.Hour
	default:
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if err != nil || n > 10000 {
		return 0, fmt.Errorf("duration %q", s)
	}
	return time.Duration(n * float64(unit)), nil
}

// duration reads a duration above zero and not above limit.
func (r *reader) duration(n ast.Node, what string, limit time.Duration) time.Duration {
	s := r.text(n, what)
	if r.err != nil {
		return 0
	}
	d, err := parseDuration(strings.TrimPrefix(s, "+"))
	if err != nil {
		r.fail(n, "such as 90s, 10m, 1h or 7d", "%s: %v", what, err)
	}
	if d > limit {
		r.fail(n, "", "%s: %s is over the limit of %s", what, s, FormatDuration(limit))
	}
	return d
}

// FormatDuration writes a duration as documents have it: 90s is 1m30s, 24h is 1d.
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d > 0 && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Millisecond != 0:
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64) + "ms"
	case d%time.Second != 0:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d == 0:
		return "0s"
	}
	var b strings.Builder
	for _, u := range [...]struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.unit; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.unit
		}
	}
	return b.String()
}
