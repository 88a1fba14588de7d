// Package probe reaches devices for monitors: it keeps to what a person has granted, on the address that is dialled, and
// never shows what it signs in with.
//
// [Prober] makes the functions that host/runtime hands to a module with each target; [Vault] seals credentials.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vedette-siem/vedette/host/runtime"
)

// Place is where something listens.
type Place struct {
	Address string // host name or IP address, without a port
	Port    uint16
	Private bool // may be a loopback, private or shared address
}

// Limits of what is asked outside.
const (
	MaxDialTime   = 10 * time.Second
	MaxPingCount  = 10
	MaxDNSBytes   = 4 << 10 // an answer over UDP; one over TCP has at most 64 KiB
	MaxSNMPTime   = 3 * time.Second
	MaxAddressLen = 253
)

// Prober asks devices. The zero value is ready; it is safe for concurrent use.
type Prober struct {
	Now func() time.Time // nil: time.Now
}

func (p *Prober) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// CheckAddress refuses what is no host name and no IP address. An international name is given in its ASCII form, so that
// what a person reads is what is asked for.
func CheckAddress(address string) error {
	if _, err := netip.ParseAddr(address); err == nil {
		return nil
	}
	if address == "" || len(address) > MaxAddressLen {
		return fmt.Errorf("an address has 1 to %d characters", MaxAddressLen)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(address, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notHost) {
			return fmt.Errorf("the address %q is no host name (an international one is written as xn--…) and no IP address", address)
		}
	}
	return nil
}

func notHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// denied is an error that wraps runtime.ErrDenied.
func denied(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), runtime.ErrDenied)
}

// dial connects to a place. The address is judged when it is dialled, so no name can lead where the grant does not.
func dial(ctx context.Context, network string, at Place) (net.Conn, error) {
	if err := CheckAddress(at.Address); err != nil {
		return nil, denied("%v", err)
	}
	d := &net.Dialer{Timeout: MaxDialTime, Control: guard(at.Private)}
	c, err := d.DialContext(ctx, network, net.JoinHostPort(at.Address, strconv.Itoa(int(at.Port))))
	if err != nil {
		return nil, runtime.Plain(err)
	}
	return c, nil
}

func guard(private bool) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error { return runtime.AllowAddress(address, private) }
}

// watchdog closes a connection when ctx ends, so that whatever waits for it ends too. The caller calls stop.
func watchdog(ctx context.Context, c net.Conn) (stop func()) {
	after := context.AfterFunc(ctx, func() { c.Close() })
	return func() { after() }
}

// shut closes what was only read from, or has failed: there is nothing to do about an error.
func shut(c io.Closer) { c.Close() }

// told gives the reason why ctx ended in the place of what a closed connection says.
func told(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("the target did not answer in time")
	}
	return err
}
