package queue

import "time"

// Limits of the queue. What exceeds one is refused with an error that names it; the queue itself never cuts a record.
const (
	MaxRecordBytes    = 256 << 10 // bytes of one record; host/receive cuts longer ones and flags them
	MaxFrameBytes     = 512 << 10 // encoded bytes of one frame; a larger request is spread over several
	MaxControlBytes   = 1 << 20   // payload of one control record
	MaxMessageBytes   = 2 << 20   // any message, for the server's MaxPayload and the decoder
	MaxSourceBytes    = 255       // listener id, and peer address
	MaxRequestBytes   = 64 << 20  // encoded bytes of one Put
	MaxShards         = 256       // subjects of frames
	MaxReadAheadBytes = 32 << 20  // half of what the server holds for a connection before it cuts it off
	MinQueueBytes     = 8 << 20   // smallest Config.MaxBytes
	reserveBytes      = 32 << 20  // kept free above Config.MaxBytes, so that control records and ticks pass when frames do not
	messageExtraBytes = 64        // what the file store adds to a message: record header, subject, checksum, rounded up
)

const (
	defaultShards     = 4
	defaultMaxBytes   = 4 << 30
	defaultMinFree    = 256 << 20
	defaultReadAhead  = 4 << 20
	defaultShare      = 64 << 20
	defaultLinger     = 20 * time.Millisecond
	defaultPutLinger  = 5 * time.Millisecond
	defaultTick       = time.Second
	defaultOfferWait  = time.Second
	ackTimeout        = 30 * time.Second // a publish without an answer for so long has failed
	startTimeout      = 60 * time.Second // recovery of a large stream reads its last blocks
	readReplyTimeout  = 10 * time.Second // a batch of the reader without a message for so long is asked for again
	readTries         = 3                // then Read ends with an error
	readBatchMessages = 1024             // messages asked for at once, beside the bound in bytes
	maxClockLeap      = 5 * time.Minute  // between wall clock and log time, before the log is anchored anew
)
