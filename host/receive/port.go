package receive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// PortTakenError says that another program has the port, who, and which port is free.
type PortTakenError struct {
	Network string // "udp", "tcp" or "tls"
	Addr    string // as asked for
	PID     int    // 0 when it cannot be found out
	Command string
	Next    int // the next free port of the same kind; 0 for none
}

func (e *PortTakenError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d (%s)", e.PID, e.Command)
	}
	_, port, err := net.SplitHostPort(e.Addr)
	if err != nil {
		port = e.Addr
	}
	s := fmt.Sprintf("%s port %s is taken by %s", e.Network, port, who)
	if e.Next != 0 {
		s += fmt.Sprintf("; the next free port is %d", e.Next)
	}
	return s
}

// Unwrap lets errors.Is find syscall.EADDRINUSE.
func (e *PortTakenError) Unwrap() error { return syscall.EADDRINUSE }

// bindError explains why an address could not be bound.
func bindError(network, addr string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen for syslog on %s %s: %w", network, addr, err)
	}
	return PortTaken(network, addr)
}

// PortTaken describes who holds an address that could not be bound; network is "udp", "tcp" or "tls".
func PortTaken(network, addr string) *PortTakenError {
	pid, command, _ := PortHolder(network, addr)
	return &PortTakenError{Network: network, Addr: addr, PID: pid, Command: command, Next: NextFreePort(network, addr)}
}

const portsTried = 100

// NextFreePort returns the first port above addr's that can be bound now, 0 when none of the next hundred can.
func NextFreePort(network, addr string) int {
	host, text, err := net.SplitHostPort(addr)
	port, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil {
		return 0
	}
	for p := port + 1; p <= min(port+portsTried, 65535); p++ {
		at := net.JoinHostPort(host, strconv.Itoa(p))
		if network == "udp" {
			if c, err := net.ListenPacket("udp", at); err == nil {
				_ = c.Close()
				return p
			}
		} else if l, err := net.Listen("tcp", at); err == nil {
			_ = l.Close()
			return p
		}
	}
	return 0
}

// PortHolder finds the process that has a local port open ("udp") or listens on it ("tcp", "tls"), as far as /proc
// shows it: without special rights the processes of the same user only.
func PortHolder(network, addr string) (pid int, command string, ok bool) {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, "", false
	}
	files := []string{"/proc/net/tcp", "/proc/net/tcp6"}
	if network == "udp" {
		files = []string{"/proc/net/udp", "/proc/net/udp6"}
	}
	for _, f := range files {
		for _, s := range sockets(f) {
			if strconv.Itoa(int(s.local.Port())) != text || (network != "udp" && !s.listens) {
				continue
			}
			if pid := socketOwner(s.inode); pid != 0 {
				return pid, commandOf(pid), true
			}
		}
	}
	return 0, "", false
}

// socket is one line of a table below /proc/net.
type socket struct {
	local   netip.AddrPort
	inode   string
	listens bool
	drops   uint64 // of UDP
}

// sockets reads such a table; a system without it has none.
func sockets(file string) []socket {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var out []socket
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 {
			continue
		}
		local, ok := procAddr(f[1])
		if !ok {
			continue
		}
		s := socket{local: local, inode: f[9], listens: f[3] == "0A"}
		if len(f) >= 13 {
			s.drops, _ = strconv.ParseUint(f[12], 10, 64) // the last column of UDP tables; 0 elsewhere
		}
		out = append(out, s)
	}
	return out
}

// procAddr reads "0100007F:1F90": 32-bit words in the machine's order, which is taken to be little-endian, and a port.
func procAddr(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	p, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || (len(raw) != 4 && len(raw) != 16) {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	a, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), true
}

// socketOwner looks for the process that has the socket open; 0 when none is seen.
func socketOwner(inode string) int {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil || inode == "0" {
		return 0
	}
	want := "socket:[" + inode + "]"
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to == want {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			return pid
		}
	}
	return 0
}

func commandOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "unknown"
	}
	const most = 80
	s := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// kernelDrops returns the datagrams that the kernel dropped, by the local address of the socket.
func kernelDrops() map[string]uint64 {
	out := map[string]uint64{}
	for _, f := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		for _, s := range sockets(f) {
			out[s.local.String()] += s.drops
		}
	}
	return out
}
