package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

func TestRecordOf(t *testing.T) {
	for text, flags := range map[string]uint8{
		"": 0, `["truncated"]`: queue.FlagTruncated, `["bad_framing"]`: queue.FlagBadFraming,
		`["truncated","bad_framing"]`: queue.FlagTruncated | queue.FlagBadFraming, "of a later build": 0,
	} {
		e := storage.Event{Received: 7, Raw: "a line", Fields: []storage.Field{
			{Name: storage.FieldSource, Value: "syslog-udp:514 fe80::1 eth0"}, {Name: pipeline.FieldFlags, Value: text},
		}}
		want := queue.Record{Raw: []byte("a line"), Received: 7, Flags: flags, Source: queue.Source{Listener: "syslog-udp:514", Peer: "fe80::1 eth0"}}
		if d := cmp.Diff(want, pipeline.RecordOf(&e)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}
