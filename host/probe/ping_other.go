//go:build !linux && !darwin

package probe

import "net"

// listenEcho opens a socket for echo requests.
func listenEcho(v4 bool) (net.PacketConn, error) {
	if v4 {
		return net.ListenPacket("ip4:icmp", "0.0.0.0")
	}
	return net.ListenPacket("ip6:ipv6-icmp", "::")
}
