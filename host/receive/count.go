package receive

import (
	"sync/atomic"

	"github.com/vedette-siem/vedette/storage"
)

// Reason says why something was refused, cut, flagged or lost. Its text is part of the API.
type Reason uint8

// The reasons.
const (
	Oversized           Reason = iota // record longer than the limit, kept cut
	BadFraming                        // octet count or terminator missing or wrong, kept flagged
	Empty                             // datagram or message without a byte
	QueueFull                         // refused (HTTP) or lost (UDP), because the sink had no room
	Stalled                           // a stream connection was made to wait for room; nothing is lost
	KernelDropped                     // datagrams that the kernel had no buffer for
	ConnectionLimit                   // connection closed at once
	ConnectionIdle                    // connection closed after Config.IdleTimeout
	ConnectionLost                    // connection ended by an error
	TLSHandshake                      // connection without a handshake
	Unauthenticated                   // HTTP: no token or an unknown one
	BodyTooLarge                      // HTTP: more than MaxBodyBytes or MaxDecodedBytes
	TooManyRecords                    // HTTP: more than MaxRequestRecords
	BadEncoding                       // HTTP: the body does not decompress
	BadJSON                           // HTTP: application/json that cannot be split into objects; or a line that is no object, kept flagged
	UnsupportedEncoding               // HTTP: Content-Encoding
	UnsupportedType                   // HTTP: Content-Type
	BadMethod                         // HTTP: not POST
	Incomplete                        // HTTP: the body ended early or came too slowly
	Busy                              // HTTP: MaxRequests are being read
	Failed                            // the sink or the authenticator failed
	reasons
)

var reasonNames = [reasons]string{
	"oversized", "bad_framing", "empty", "queue_full", "stalled", "kernel_dropped", "connection_limit",
	"connection_idle", "connection_lost", "tls_handshake", "unauthenticated", "body_too_large", "too_many_records",
	"bad_encoding", "bad_json", "unsupported_encoding", "unsupported_type", "bad_method", "incomplete", "busy", "failed",
}

func (r Reason) String() string {
	if r >= reasons {
		return "unknown"
	}
	return reasonNames[r]
}

type counters struct {
	records, bytes atomic.Uint64
	last           atomic.Int64 // ns since the Unix epoch
	connections    atomic.Int64
	by             [reasons]atomic.Uint64
}

func (c *counters) add(why Reason, n int) { c.by[why].Add(uint64(n)) }

// took counts records that the sink took.
func (c *counters) took(recs []Record) {
	if len(recs) == 0 {
		return
	}
	n := 0
	for i := range recs {
		n += len(recs[i].Bytes)
	}
	c.records.Add(uint64(len(recs)))
	c.bytes.Add(uint64(n))
	c.last.Store(recs[len(recs)-1].Received)
}

// ListenerStats is what one listener has seen since it was opened.
type ListenerStats struct {
	ID          string         // "syslog-udp:5514", "http"
	Addr        string         // "" for http, which host serves
	Tenant      storage.Tenant // NoTenant for http
	Fingerprint string         // SHA-256 of the TLS certificate, hexadecimal; "" without TLS
	Connections int64          // open now
	Records     uint64         // handed to the sink
	Bytes       uint64         // of those records
	LastSeen    int64          // receive time of the newest, ns since the Unix epoch; 0 for none
	Reasons     map[string]uint64
}

// Stats returns a snapshot of each listener in the order of Config.Listeners, and of HTTP last. Reasons holds those
// that occurred.
func (r *Receiver) Stats() []ListenerStats {
	drops := kernelDrops()
	out := make([]ListenerStats, 0, len(r.inputs)+1)
	for _, in := range append(r.inputs[:len(r.inputs):len(r.inputs)], r.web) {
		s := ListenerStats{
			ID: in.id, Addr: in.Addr, Tenant: in.Tenant, Fingerprint: fingerprint(in.tls),
			Connections: in.count.connections.Load(), Records: in.count.records.Load(),
			Bytes: in.count.bytes.Load(), LastSeen: in.count.last.Load(), Reasons: map[string]uint64{},
		}
		for i := range in.count.by {
			if n := in.count.by[i].Load(); n > 0 {
				s.Reasons[Reason(i).String()] = n
			}
		}
		if in.udp != nil {
			if n := drops[in.Addr]; n > 0 {
				s.Reasons[KernelDropped.String()] = n
			}
		}
		out = append(out, s)
	}
	return out
}
