package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/probe"
)

// Types of ICMP messages (RFC 792, 4443).
const (
	echoReply4   = 0
	echoRequest4 = 8
	echoRequest6 = 128
	echoReply6   = 129
)

const (
	pingTimeout = time.Second // for one answer
	pingBytes   = 40          // of a request, its head of 8 bytes included
)

// ping sends echo requests, one after another.
func (p *Prober) ping(ctx context.Context, at Place, count int) ([]probe.Fact, error) {
	to, err := resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	c, err := listenEcho(to.Is4())
	if err != nil {
		return nil, errors.New("this host may not send echo requests: it needs the capability NET_RAW, or a group within net.ipv4.ping_group_range")
	}
	defer shut(c)
	stop := context.AfterFunc(ctx, func() { shut(c) })
	defer stop()
	received, sum, least, most := 0, time.Duration(0), time.Duration(0), time.Duration(0)
	token := rand.Uint64() //nolint:gosec // it tells answers apart
	for n := range count {
		took, err := echo(c, to, uint16(n+1), token)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue
		}
		if received == 0 || took < least {
			least = took
		}
		received, sum, most = received+1, sum+took, max(most, took)
	}
	average := time.Duration(0)
	if received > 0 {
		average = sum / time.Duration(received)
	}
	return []probe.Fact{
		{Name: "sent", Value: number(int64(count))},
		{Name: "received", Value: number(int64(received))},
		{Name: "min_ns", Value: number(int64(least))},
		{Name: "avg_ns", Value: number(int64(average))},
		{Name: "max_ns", Value: number(int64(most))},
	}, nil
}

// resolve returns an address of a place that its grant allows.
func resolve(ctx context.Context, at Place) (netip.Addr, error) {
	if err := CheckAddress(at.Address); err != nil {
		return netip.Addr{}, denied("%v", err)
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", at.Address)
	if err != nil || len(list) == 0 {
		return netip.Addr{}, errors.New("the target's name does not resolve")
	}
	for _, a := range list {
		if err = runtime.AllowAddress(netip.AddrPortFrom(a, 0).String(), at.Private); err == nil {
			return a.Unmap(), nil
		}
	}
	return netip.Addr{}, err
}

// echo sends one request and waits for its answer.
func echo(c net.PacketConn, to netip.Addr, seq uint16, token uint64) (time.Duration, error) {
	var where net.Addr = &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	if _, udp := c.LocalAddr().(*net.UDPAddr); udp {
		where = &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	}
	kind, reply := byte(echoRequest4), byte(echoReply4)
	if to.Is6() {
		kind, reply = echoRequest6, echoReply6
	}
	began := time.Now()
	if err := c.SetDeadline(began.Add(pingTimeout)); err != nil {
		return 0, err
	}
	if _, err := c.WriteTo(request(kind, seq, token), where); err != nil {
		return 0, err
	}
	b := make([]byte, 1500)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return 0, err
		}
		if n >= pingBytes && b[0] == reply && binary.BigEndian.Uint16(b[6:]) == seq && binary.BigEndian.Uint64(b[8:]) == token {
			return time.Since(began), nil
		}
	}
}

// request is one echo request. Of IPv6, and of sockets for echo alone, the system writes sum and identifier.
func request(kind byte, seq uint16, token uint64) []byte {
	b := make([]byte, pingBytes)
	b[0] = kind
	binary.BigEndian.PutUint16(b[4:], uint16(token))
	binary.BigEndian.PutUint16(b[6:], seq)
	binary.BigEndian.PutUint64(b[8:], token)
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	return b
}
