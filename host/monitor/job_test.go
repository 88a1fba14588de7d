package monitor

import (
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	sdk "github.com/vedette-siem/vedette/sdk/manifest"
)

func TestSchedule(t *testing.T) {
	own := &sdk.Schedule{Interval: sdk.Duration(time.Hour), Jitter: sdk.Duration(time.Minute), Timeout: sdk.Duration(5 * time.Second)}
	for name, c := range map[string]struct {
		schedule *sdk.Schedule
		watch    module.Watch
		want     manifest
	}{
		"the manifest's":     {own, module.Watch{}, manifest{time.Hour, time.Minute, 5 * time.Second}},
		"none":               {nil, module.Watch{}, manifest{defaultInterval, 0, defaultTimeout}},
		"a shorter interval": {own, module.Watch{Interval: 20 * time.Second}, manifest{20 * time.Second, 2 * time.Second, 5 * time.Second}},
		"all its own":        {own, module.Watch{Interval: time.Minute, Jitter: 30 * time.Second, Timeout: time.Second}, manifest{time.Minute, 30 * time.Second, time.Second}},
		"too often":          {own, module.Watch{Interval: time.Millisecond}, manifest{minInterval, minInterval / 10, 5 * time.Second}},
	} {
		m := &module.Loaded{Manifest: sdk.Manifest{Schedule: c.schedule}}
		if got := newJob(1, c.watch, m).manifest; got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
