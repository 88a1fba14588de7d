package notify

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrAddress means that a webhook's address may not be dialled.
var ErrAddress = errors.New("address not allowed")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// never are the addresses that no webhook can mean: this host by other names, neighbours without a router, groups,
// the metadata of cloud machines, which hand out credentials, and IPv6 ranges that tunnel to an IPv4 address of the
// sender's choice.
var never = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32",
	"::/128", "::/96", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32", "2002::/16", "2001::/32", "64:ff9b:1::/48",
)

// private are the addresses inside a site, allowed by Config.AllowPrivate.
var private = prefixes(
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "fc00::/7", "2001:db8::/32",
)

// nat64 holds an IPv4 address in its last four bytes, which is the one that is reached.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// checkAddress returns nil if a webhook may be dialled at addr.
func checkAddress(addr netip.Addr, allowPrivate bool) error {
	if addr.Zone() != "" || !addr.IsValid() {
		return fmt.Errorf("%s: %w", addr, ErrAddress)
	}
	a := addr.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a == netip.IPv6Loopback() {
		if allowPrivate {
			return nil
		}
		return fmt.Errorf("%s: %w", addr, ErrAddress)
	}
	for _, p := range never {
		if p.Contains(a) {
			return fmt.Errorf("%s: %w", addr, ErrAddress)
		}
	}
	for _, p := range private {
		if !allowPrivate && p.Contains(a) {
			return fmt.Errorf("%s: private: %w", addr, ErrAddress)
		}
	}
	return nil
}

// checkDial returns a check that runs on each address a name resolves to, after resolving and before connecting, so a
// name cannot show one address to a check and another to the dial.
func checkDial(allowPrivate bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%s: %w", address, ErrAddress)
		}
		return checkAddress(ap.Addr(), allowPrivate)
	}
}
