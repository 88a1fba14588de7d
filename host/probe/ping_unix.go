//go:build linux || darwin

package probe

import (
	"net"
	"os"
	"syscall"
)

// listenEcho opens a socket for echo requests: the kind that needs no rights where the system allows it, else a raw one.
func listenEcho(v4 bool) (net.PacketConn, error) {
	family, protocol, raw, any := syscall.AF_INET6, syscall.IPPROTO_ICMPV6, "ip6:ipv6-icmp", "::"
	if v4 {
		family, protocol, raw, any = syscall.AF_INET, syscall.IPPROTO_ICMP, "ip4:icmp", "0.0.0.0"
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM, protocol)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return net.ListenPacket(raw, any)
	}
	f := os.NewFile(uintptr(fd), "echo")
	defer f.Close() // FilePacketConn has its own
	return net.FilePacketConn(f)
}
