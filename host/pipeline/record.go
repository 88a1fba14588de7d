package pipeline

import (
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// RecordOf returns the record that a stored event was read from, as far as it is kept.
func RecordOf(e *storage.Event) queue.Record {
	listener, peer, _ := strings.Cut(e.Get(storage.FieldSource), " ")
	r := queue.Record{Raw: []byte(e.Raw), Received: e.Received, Source: queue.Source{Listener: listener, Peer: peer}}
	if flags := slices.Index(flagText[:], e.Get(FieldFlags)); flags > 0 {
		r.Flags = uint8(flags)
	}
	return r
}
