package main

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func TestReadUsage(t *testing.T) {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	r, err := readUsage("7d", "now", "hour", "organization", now)
	if err != nil || r.StepSeconds != 3600 || r.Group != v1.UsageGroup_USAGE_GROUP_ORGANIZATION || !r.To.AsTime().Equal(now) || !r.From.AsTime().Equal(now.AddDate(0, 0, -7)) {
		t.Errorf("%v %v", r, err)
	}
	for _, c := range []struct{ from, step, by, why string }{
		{"soon", "", "module", "--from"}, {"1h", "week", "module", "--step"}, {"1h", "", "rule", "--by"},
	} {
		if _, err := readUsage(c.from, "now", c.step, c.by, now); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}
