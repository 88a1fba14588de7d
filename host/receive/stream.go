package receive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// serveStream accepts connections until the listener is closed. Each is served by a goroutine of all.
func (r *Receiver) serveStream(ctx context.Context, in *input, all *sync.WaitGroup) error {
	for {
		conn, err := in.stream.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return err
			}
			// Too many open files, or a connection that ended while it waited: neither is the listener's end.
			in.count.add(ConnectionLost, 1)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case r.conns <- struct{}{}:
		default:
			r.refuse(in, in.Tenant, peerOf(conn.RemoteAddr()), ConnectionLimit)
			_ = conn.Close()
			continue
		}
		all.Go(func() {
			defer func() { <-r.conns }()
			in.count.connections.Add(1)
			defer in.count.connections.Add(-1)
			r.serveConn(ctx, in, conn)
		})
	}
}

// serveConn reads one connection to its end. When ctx ends, closing the connection ends the read.
func (r *Receiver) serveConn(ctx context.Context, in *input, conn net.Conn) {
	unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unhook()
	defer conn.Close()
	if in.tls != nil {
		secure := tls.Server(conn, in.tls)
		hs, cancel := context.WithTimeout(ctx, handshakeTimeout)
		err := secure.HandshakeContext(hs)
		cancel()
		if err != nil {
			r.refuse(in, in.Tenant, peerOf(conn.RemoteAddr()), TLSHandshake)
			return
		}
		conn = secure
	}
	c := &connection{
		r: r, in: in, conn: conn, peer: peerOf(conn.RemoteAddr()),
		split: newSplitter(r.cfg.MaxRecordBytes, &in.count),
	}
	c.src = Source{Listener: in.id, Peer: r.sources.name(in.Tenant, in.id, c.peer)}
	if why, ended := c.serve(ctx); ended {
		in.count.add(why, 1)
	}
}

// peerOf returns the address of a peer; not valid for a socket that has none.
func peerOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

type connection struct {
	r     *Receiver
	in    *input
	conn  net.Conn
	peer  netip.Addr
	src   Source
	split *splitter
	recs  []Record
}

// serve reports why the connection ended, when that is worth counting.
func (c *connection) serve(ctx context.Context) (why Reason, ended bool) {
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(c.r.cfg.IdleTimeout)); err != nil {
			return ConnectionLost, ctx.Err() == nil
		}
		n, err := c.conn.Read(c.split.room())
		c.split.filled(n)
		c.split.cut = err != nil && !errors.Is(err, io.EOF)
		if !c.handOn(ctx, err != nil) {
			return Failed, ctx.Err() == nil
		}
		var timeout net.Error
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return 0, false
		case errors.As(err, &timeout) && timeout.Timeout():
			return ConnectionIdle, true
		default:
			return ConnectionLost, true
		}
	}
}

// handOn gives all whole records to the sink, and holds the connection up while the sink has no room: TCP's window
// then holds up the sender. At the end of the connection (eof), also of the whole receiver, what is left goes too.
func (c *connection) handOn(ctx context.Context, eof bool) bool {
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		ctx = last
	}
	defer c.r.cfg.Meter()()
	for more := true; more; {
		c.recs, more = c.split.split(c.recs[:0], c.r.cfg.Now().UnixNano(), maxBatchRecords, eof)
		for rest := c.recs; len(rest) > 0; {
			n, err := c.r.sink.Offer(ctx, c.in.Tenant, c.src, rest)
			c.in.count.took(rest[:n])
			c.r.sources.saw(c.in.Tenant, c.in.id, c.peer, n, c.recs[0].Received)
			rest = rest[n:]
			if err == nil {
				continue
			}
			if ctx.Err() != nil || !errors.Is(err, storage.ErrUnavailable) {
				return false
			}
			c.in.count.add(Stalled, 1)
		}
	}
	return true
}

// serveUDP takes each datagram as one record. Where the sink has no room in its time, the datagram is lost and counted.
func (r *Receiver) serveUDP(ctx context.Context, in *input) error {
	buf := make([]byte, MaxDatagramBytes)
	var one [1]Record
	end := r.cfg.Meter()
	defer func() { end() }()
	for count := 1; ; count++ {
		if count%meteredDatagrams == 0 {
			end()
			end = r.cfg.Meter()
		}
		n, from, err := in.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return fmt.Errorf("read a datagram: %w", err)
		}
		peer := from.Addr().Unmap()
		one[0] = Record{Bytes: trimEnd(buf[:n]), Received: r.cfg.Now().UnixNano()}
		if len(one[0].Bytes) == 0 {
			in.count.add(Empty, 1)
			continue
		}
		if len(one[0].Bytes) > r.cfg.MaxRecordBytes {
			one[0].Bytes, one[0].Flags = one[0].Bytes[:r.cfg.MaxRecordBytes], FlagTruncated
			in.count.add(Oversized, 1)
		}
		src := Source{Listener: in.id, Peer: r.sources.name(in.Tenant, in.id, peer)}
		if _, err := r.sink.Offer(ctx, in.Tenant, src, one[:]); err != nil {
			in.count.add(lossOf(err), 1)
			continue
		}
		in.count.took(one[:])
		r.sources.saw(in.Tenant, in.id, peer, 1, one[0].Received)
	}
}

func lossOf(err error) Reason {
	if errors.Is(err, storage.ErrUnavailable) {
		return QueueFull
	}
	return Failed
}
