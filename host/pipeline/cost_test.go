package pipeline

import "testing"

func TestMeterChargesItsStage(t *testing.T) {
	t.Parallel()
	if threadTime() == 0 {
		t.Skip("this system does not tell the CPU time of a thread")
	}
	var c Costs
	end := c.Meter(StageReceive)()
	for from := threadTime(); threadTime() == from; { // until the clock has moved
	}
	end()
	stages, events := c.Snapshot()
	for _, s := range stages {
		if (s.CPUNs > 0) != (s.Stage == StageReceive) {
			t.Errorf("%s was charged %d ns", s.Stage, s.CPUNs)
		}
	}
	if events != 0 {
		t.Errorf("%d events went through", events)
	}
}
