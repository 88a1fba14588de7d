package receive

import "time"

// Limits of what senders may do. Config can lower or raise those that have a field there.
const (
	MaxRecordBytesCap     = 256 << 10 // host/queue takes no longer record
	MaxRequestRecords     = 100_000   // records of one HTTP request
	MaxCountDigits        = 7         // digits of an octet count; a longer number is text
	MaxDatagramBytes      = 64 << 10  // largest UDP datagram there is
	MaxTokenBytes         = 512       // bearer token
	MaxRefusals           = 256       // that Refusals remembers
	maxBatchRecords       = 512       // records gathered from one connection before they are handed on
	startBufferBytes      = 16 << 10  // of a connection; grows to the longest record, and shrinks again
	maxIdleBufferBytes    = 1 << 20   // an HTTP body's buffer above this is not kept for the next
	udpSocketBufferBytes  = 8 << 20   // asked of the kernel, which may grant less
	zstdWindowBytes       = 8 << 20   // largest window that a zstd body may ask for
	shutdownTimeout       = 1500 * time.Millisecond
	handshakeTimeout      = 10 * time.Second
	requestSlotWait       = 2 * time.Second // an HTTP request waits so long for its turn
	meteredDatagrams      = 64              // of a UDP listener, whose CPU time is charged together
	acceptPause           = 50 * time.Millisecond
	certificateLife       = 825 * 24 * time.Hour
	certificateRenewAhead = 30 * 24 * time.Hour
)

const (
	defaultRecordBytes  = 256 << 10
	defaultBodyBytes    = 8 << 20
	defaultDecodedBytes = 16 << 20
	defaultRequests     = 16
	defaultConnections  = 1000
	defaultSources      = 10_000
	defaultIdle         = 15 * time.Minute
	defaultBodyTimeout  = 30 * time.Second
	defaultPutTimeout   = 30 * time.Second
)
