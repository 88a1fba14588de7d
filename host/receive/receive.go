// Package receive turns what senders send into records, and never looks inside one.
//
// It splits streams of bytes, stamps each record with its time, fixes its organization (syslog: the listener's; HTTP:
// the token's) and its source, and hands it to a Sink. A sender that cannot be served is refused with a reason, and
// each refusal, cut and loss is counted by it.
//
// What a kill of the process can lose. HTTP: nothing that was answered with 2xx. Syslog has no acknowledgement, so a
// sender cannot know; lost are the records that the sink took and had not written (host/queue: at most 2 x 512 KiB a
// shard, 4 MiB with 4 shards, some 20 ms of traffic) and what stood in the sockets' kernel buffers (UDP: up to 8 MiB a
// listener; TCP: the receive window of each connection, of which the sender's kernel has dropped what was confirmed to
// it) and in the splitters (16 KiB, or one record, a connection). A clean stop loses what is still in the kernel's
// buffers only.
package receive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Source is where a record came from: the listener's id ("syslog-udp:5514", "http") and the peer's address without a
// port. Like Record it is an alias of an unnamed struct: host/queue declares the identical type, so that it is a Sink
// although neither package knows the other.
type Source = struct{ Listener, Peer string }

// Record is one record as received.
type Record = struct {
	Bytes    []byte
	Received int64 // ns since the Unix epoch
	Flags    uint8 // FlagTruncated, FlagBadFraming
}

// Flags of a record; they are those of host/queue.
const (
	FlagTruncated  = 1 << iota // longer than Config.MaxRecordBytes: only its beginning is here
	FlagBadFraming             // the sender's framing was broken here: it may be a part of a message, or more than one
)

// Sink takes records. All records of a call are of one source and in the order they were received. It may be called
// from many goroutines at once; recs and their bytes are the caller's again when it returns.
type Sink interface {
	// Put returns nil when every record is safe from a kill. An error acknowledges nothing; it wraps
	// storage.ErrUnavailable when a later try may succeed.
	Put(ctx context.Context, t storage.Tenant, src Source, recs []Record) error
	// Offer takes records without making them safe first, and returns how many it took, from the front. It waits a
	// bounded time for room and then returns an error that wraps storage.ErrUnavailable; the rest may be offered again.
	Offer(ctx context.Context, t storage.Tenant, src Source, recs []Record) (int, error)
}

// Authenticator finds the organization of a bearer token. The error wraps storage.ErrUnauthorized for an unknown token,
// and for a revoked one, whose organization it returns all the same, and storage.ErrUnavailable when it cannot tell. It is called once a request, from many goroutines at once.
type Authenticator interface {
	Resolve(ctx context.Context, token string) (storage.Tenant, error)
}

// Listener is one syslog socket. All that arrives there belongs to Tenant.
type Listener struct {
	Network string // "udp", "tcp" or "tls"
	Addr    string // host:port; an empty host is every address
	Tenant  storage.Tenant
}

// Default ports: none needs special rights.
const (
	DefaultSyslogPort = 5514 // UDP and TCP
	DefaultTLSPort    = 6514
)

// Config is what receive needs. Zero means the default named beside the field.
type Config struct {
	Listeners       []Listener       // none
	CertFile        string           // PEM chain for "tls" listeners: a self-signed pair is made in StateDir
	KeyFile         string           // its key
	ClientCAFile    string           // PEM; when set, TLS senders must show a certificate of these authorities
	StateDir        string           // where the self-signed pair is kept (0600)
	MaxRecordBytes  int              // longer records are cut and flagged: 256 KiB, which is also the most
	MaxBodyBytes    int64            // of an HTTP request as sent: 8 MiB
	MaxDecodedBytes int64            // of an HTTP request after decompression: 16 MiB
	MaxRequests     int              // HTTP requests read at once, the others wait: 16; bounds memory with MaxDecodedBytes
	MaxConnections  int              // of all TCP and TLS listeners: 1,000
	MaxSources      int              // peers remembered for Sources: 10,000
	IdleTimeout     time.Duration    // a TCP connection that sends nothing for so long is closed: 15 min
	BodyTimeout     time.Duration    // an HTTP body must have arrived: 30 s
	PutTimeout      time.Duration    // the sink must have answered: 30 s
	Now             func() time.Time // time.Now

	// Meter begins to charge the calling goroutine's CPU time, which keeps its thread until end. Default: nothing is measured.
	Meter func() (end func())
}

func (c Config) withDefaults() (Config, error) {
	setDefault(&c.MaxRecordBytes, defaultRecordBytes)
	setDefault(&c.MaxBodyBytes, defaultBodyBytes)
	setDefault(&c.MaxDecodedBytes, defaultDecodedBytes)
	setDefault(&c.MaxRequests, defaultRequests)
	setDefault(&c.MaxConnections, defaultConnections)
	setDefault(&c.MaxSources, defaultSources)
	setDefault(&c.IdleTimeout, defaultIdle)
	setDefault(&c.BodyTimeout, defaultBodyTimeout)
	setDefault(&c.PutTimeout, defaultPutTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Meter == nil {
		c.Meter = func() func() { return func() {} }
	}
	if c.MaxRecordBytes < 0 || c.MaxRecordBytes > MaxRecordBytesCap {
		return c, fmt.Errorf("receive: records of %d bytes, want 1 to %d: %w", c.MaxRecordBytes, MaxRecordBytesCap, storage.ErrInvalid)
	}
	if c.MaxBodyBytes < 0 || c.MaxDecodedBytes < 0 || c.MaxRequests < 0 || c.MaxConnections < 0 || c.MaxSources < 0 ||
		c.IdleTimeout < 0 || c.BodyTimeout < 0 || c.PutTimeout < 0 {
		return c, fmt.Errorf("receive: a limit is negative: %w", storage.ErrInvalid)
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return c, fmt.Errorf("receive: a certificate needs its key and the other way round: %w", storage.ErrInvalid)
	}
	for _, l := range c.Listeners {
		if l.Network != "udp" && l.Network != "tcp" && l.Network != "tls" {
			return c, fmt.Errorf("receive: listener %s of network %q, want udp, tcp or tls: %w", l.Addr, l.Network, storage.ErrInvalid)
		}
		if l.Tenant == storage.NoTenant {
			return c, fmt.Errorf("receive: %s listener %s belongs to no organization: %w", l.Network, l.Addr, storage.ErrInvalid)
		}
		if l.Network == "tls" && c.CertFile == "" && c.StateDir == "" {
			return c, fmt.Errorf("receive: TLS listener %s has neither a certificate nor a directory to keep one: %w", l.Addr, storage.ErrInvalid)
		}
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Receiver holds the open sockets and what was counted on them.
type Receiver struct {
	cfg     Config
	sink    Sink
	auth    Authenticator
	inputs  []*input // in the order of Config.Listeners
	web     *input
	sources *sourceTable
	refused refusals
	slots   chan struct{} // one token for each HTTP request being read
	conns   chan struct{} // one token for each stream connection
	started sync.Once
}

// input is one listener at work.
type input struct {
	Listener
	id     string // "syslog-udp:5514"
	count  counters
	udp    *net.UDPConn
	stream net.Listener
	tls    *tls.Config
	life   context.Context //nolint:containedctx // of the listener itself: it ends with Refuse, not with a request
	end    context.CancelFunc
}

func newInput(l Listener) *input {
	in := &input{Listener: l}
	in.life, in.end = context.WithCancel(context.Background())
	return in
}

// Open binds every socket, so that a taken port is known before anything runs; the error is then a *PortTakenError.
// Nothing is read before Run.
func Open(cfg Config, sink Sink, auth Authenticator) (*Receiver, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		cfg: cfg, sink: sink, auth: auth, web: &input{id: "http"},
		sources: newSourceTable(cfg.MaxSources),
		slots:   make(chan struct{}, cfg.MaxRequests), conns: make(chan struct{}, cfg.MaxConnections),
	}
	for _, l := range cfg.Listeners {
		in := newInput(l)
		if err := r.bind(in); err != nil {
			r.Close()
			return nil, err
		}
		r.inputs = append(r.inputs, in)
	}
	return r, nil
}

func (r *Receiver) bind(in *input) error {
	var local net.Addr
	var err error
	switch in.Network {
	case "udp":
		var addr *net.UDPAddr
		if addr, err = net.ResolveUDPAddr("udp", in.Addr); err != nil {
			return fmt.Errorf("listen for syslog: address %q: %w: %w", in.Addr, err, storage.ErrInvalid)
		}
		if in.udp, err = net.ListenUDP("udp", addr); err == nil {
			local = in.udp.LocalAddr()
			_ = in.udp.SetReadBuffer(udpSocketBufferBytes) // the kernel's own limit stands; losses are counted
		}
	case "tls":
		if in.tls, err = r.tlsConfig(); err != nil {
			return err
		}
		fallthrough
	default:
		if in.stream, err = net.Listen("tcp", in.Addr); err == nil {
			local = in.stream.Addr()
		}
	}
	if err != nil {
		return bindError(in.Network, in.Addr, err)
	}
	_, port, err := net.SplitHostPort(local.String())
	if err != nil {
		return fmt.Errorf("listen for syslog on %s: %w", local, err)
	}
	in.Addr, in.id = local.String(), "syslog-"+in.Network+":"+port
	return nil
}

// Addrs returns the address of each listener in the order of Config.Listeners, with the port that port 0 became.
func (r *Receiver) Addrs() []string {
	var out []string
	for _, in := range r.inputs {
		out = append(out, in.Addr)
	}
	return out
}

// Run serves all listeners until ctx ends or one of them fails, closes every socket and connection, and returns when
// all is done, within two seconds. It returns nil when ctx ended it. It may be called once.
func (r *Receiver) Run(ctx context.Context) error {
	err := fmt.Errorf("receive runs already: %w", storage.ErrConflict)
	r.started.Do(func() { err = r.run(ctx) })
	return err
}

func (r *Receiver) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, in := range r.inputs {
		all.Go(func() {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			defer context.AfterFunc(in.life, stop)()
			var err error
			if in.udp != nil {
				err = r.serveUDP(ctx, in)
			} else {
				err = r.serveStream(ctx, in, &all)
			}
			if err != nil && ctx.Err() == nil && in.life.Err() == nil {
				cancel(fmt.Errorf("%s: %w", in.id, err))
			}
		})
	}
	<-ctx.Done()
	r.Close()
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// Close closes the sockets. Run does it too; it is for a Receiver that never ran.
func (r *Receiver) Close() {
	for _, in := range r.inputs {
		in.close()
	}
}

func (in *input) close() {
	in.end()
	if in.udp != nil {
		_ = in.udp.Close()
	}
	if in.stream != nil {
		_ = in.stream.Close()
	}
}

// Refuse closes the sockets and connections of an organization that was removed; those of the others go on.
func (r *Receiver) Refuse(t storage.Tenant) {
	for _, in := range r.inputs {
		if in.Tenant == t {
			in.close()
		}
	}
}

// HTTP returns what answers POST /v1/ingest. It needs no Run.
func (r *Receiver) HTTP() http.Handler { return http.HandlerFunc(r.ingest) }
