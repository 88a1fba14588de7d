package logs

import "github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"

// Dropped counts rows that were not stored, by reason.
type Dropped struct {
	TooOld  uint64 // before the days that are kept
	TooNew  uint64 // more than MaxFutureSkewHours ahead of the clock
	Refused uint64 // by a limit of logstorage
}

// Stats is the state of the store.
type Stats struct {
	Rows        uint64 // stored, searchable or about to be
	PendingRows uint64 // appended and not handed over yet
	MemoryRows  uint64 // handed over and not on disk yet
	RawBytes    uint64 // names and values of the rows, uncompressed
	DiskBytes   uint64 // what they take on disk, index included
	Partitions  uint64 // UTC days
	Streams     uint64 // created since Open
	Dropped     Dropped
	Repaired    uint64 // events that reached Append and were not in canonical form
	Queries     uint64 // run since Open
	Running     int    // of them at this moment
	Durable     uint64 // as Store.Durable
	ReadOnly    bool   // the disk is nearly full: Append refuses
}

// Stats returns the state of the store; after Close only the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	st := Stats{PendingRows: uint64(s.pending.rows), Dropped: s.dropped, Repaired: s.changed}
	s.mu.Unlock()
	st.Queries, st.Running, st.Durable = s.queries.Load(), len(s.slots), s.Durable()
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return st
	}
	var db logstorage.StorageStats
	s.db.UpdateStats(&db)
	st.Rows = db.RowsCount()
	st.MemoryRows = db.InmemoryRowsCount
	st.RawBytes = db.UncompressedInmemorySize + db.UncompressedSmallPartSize + db.UncompressedBigPartSize
	st.DiskBytes = db.CompressedSmallPartSize + db.CompressedBigPartSize + db.IndexdbSizeBytes
	st.Partitions = db.PartitionsCount
	st.Streams = db.StreamsCreatedTotal
	st.Dropped.TooOld += db.RowsDroppedTooSmallTimestamp // the day changed between grouping and handing over
	st.Dropped.TooNew += db.RowsDroppedTooBigTimestamp
	st.ReadOnly = db.IsReadOnly
	return st
}
