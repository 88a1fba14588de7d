package main

import (
	"bytes"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// emit writes the event. Keys with one target come from the table, the rest by hand.
func (p *record) emit() {
	e := p.e
	e.Text(ecs.EventDataset, "fortinet_fortigate.log", nil)
	e.Text(ecs.EventModule, "fortinet_fortigate", nil)
	e.Text(ecs.ObserverVendor, "Fortinet", nil)
	e.Text(ecs.ObserverProduct, "Fortigate", nil)
	e.Text(ecs.ObserverType, "firewall", nil)
	for k := none + 1; k < keys; k++ {
		v := p.v[k]
		if v == nil {
			continue
		}
		m := &mappings[k]
		switch m.as {
		case asText:
			e.Bytes(m.to, v, nil)
		case asInt:
			if n, ok := number(v); ok {
				e.Int(m.to, n, v)
			}
		}
		if m.keep {
			e.Key(native, bytesOf(m.name), v, nil)
		}
	}
	p.syslog()
	p.times()
	p.endpoints()
	p.network()
	p.rule()
	p.classify()
	p.users()
	p.web()
	p.mail()
	p.tls()
	p.first(ecs.LogLevel, kLevel, kPri)
	p.first(ecs.ObserverSerialNumber, kDevID, kDeviceID)
	p.first(ecs.EventID, kLogID2, kEventID)
	p.first(ecs.EventReason, kReason, kEventSubtype)
	if v := p.v[kDType]; v != nil {
		e.Element(ecs.VulnerabilityCategory, v, nil)
	}
	if h := p.v[kAnalyticsCksum]; h != nil {
		e.Element(ecs.RelatedHash, h, nil)
	}
	if h := p.v[kCertHash]; h != nil {
		e.Element(ecs.RelatedHash, h, nil)
	}
}

// first emits the first of the keys that is there.
func (p *record) first(to abi.Name, ks ...key) []byte {
	for _, k := range ks {
		if p.v[k] != nil {
			p.e.Bytes(to, p.v[k], nil)
			return p.v[k]
		}
	}
	return nil
}

func (p *record) syslog() {
	h := &p.header
	if !h.HasPRI {
		return
	}
	p.e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
	p.e.Int(ecs.LogSyslogFacilityCode, int64(h.Facility), h.PRIText)
	p.e.Int(ecs.LogSyslogSeverityCode, int64(h.Severity), h.PRIText)
}

// times takes the device's local date, time and zone for the event's time. FortiOS stamps the start of what a record
// tells about in eventtime, in s, ms or ns since the epoch.
func (p *record) times() {
	start, ok := clock.Epoch(p.v[kEventTime])
	if ok {
		p.e.Timestamp(ecs.EventStart, start, p.v[kEventTime])
	}
	if ns, dated := clock.Join(p.v[kDate], p.v[kTime], p.v[kTZ]); dated {
		p.e.Time(ns)
	} else if ns, dated := clock.Join(p.v[kDate], p.v[kTime], nil); dated {
		p.e.Time(ns)
	} else if ok {
		p.e.Time(start)
	} else if p.header.HasTime && p.header.Time != 0 {
		p.e.Time(p.header.Time)
	}
	if s, ok := number(p.v[kDuration]); ok && s < 1<<33 {
		p.e.Int(ecs.EventDuration, s*1e9, p.v[kDuration])
	}
}

// endpoints emits who talked to whom. VPN records name the two ends local and remote.
func (p *record) endpoints() {
	src := p.first(ecs.SourceIP, kSrcIP, kLocIP, kRemoteIP)
	dst := p.first(ecs.DestinationIP, kDstIP, kRemIP)
	p.port(ecs.SourcePort, kSrcPort, kLocPort, kRemotePort)
	p.port(ecs.DestinationPort, kDstPort, kRemPort)
	p.mac(ecs.SourceMAC, kSrcMAC)
	p.mac(ecs.DestinationMAC, kDstMAC)
	for _, k := range [...]key{kSrcIP, kLocIP, kRemoteIP, kDstIP, kRemIP, kTransIP, kTranIP, kIP, kTunnelIP, kAssignIP} {
		p.relate(p.v[k])
	}
	if dir := p.direction(src, dst); dir != "" {
		p.e.Text(ecs.NetworkDirection, dir, p.either(kDir, kDirection))
	}
	if v := p.v[kSNI]; v != nil {
		p.e.Bytes(ecs.DestinationDomain, v, nil)
	}
	for v := p.v[kIPAddr]; len(v) > 0; { // answers of a name server, "192.0.2.1, 192.0.2.2"
		one := v
		if i := bytes.IndexByte(v, ','); i >= 0 {
			one, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		if one = bytes.TrimSpace(one); len(one) > 0 {
			p.e.Element(ecs.DNSResolvedIP, one, nil)
			p.relate(one)
		}
	}
}

func (p *record) either(a, b key) []byte {
	if p.v[a] != nil {
		return p.v[a]
	}
	return p.v[b]
}

func (p *record) port(to abi.Name, ks ...key) {
	for _, k := range ks {
		if n, ok := number(p.v[k]); ok && n < 1<<16 {
			p.e.Int(to, n, p.v[k])
			return
		}
	}
}

// mac writes an address as ECS wants it: upper case, parted by dashes.
func (p *record) mac(to abi.Name, k key) {
	v := p.v[k]
	if len(v) != 17 {
		return
	}
	for i, c := range v {
		switch {
		case c == ':':
			c = '-'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 'A'
		}
		p.scratch[i] = c
	}
	p.e.Bytes(to, p.scratch[:len(v)], v)
}

// relate adds an address to related.ip once.
func (p *record) relate(ip []byte) {
	if len(ip) < 3 || bytes.IndexByte(ip, '.') < 0 && bytes.IndexByte(ip, ':') < 0 {
		return
	}
	for _, known := range p.related[:p.n] {
		if bytes.Equal(known, ip) {
			return
		}
	}
	if p.n < len(p.related) {
		p.related[p.n] = ip
		p.n++
	}
	p.e.Element(ecs.RelatedIP, ip, nil)
}

// direction is what the record says, or else what the addresses tell.
func (p *record) direction(src, dst []byte) string {
	switch d := p.either(kDir, kDirection); {
	case is(d, "incoming"), is(d, "inbound"):
		return "inbound"
	case is(d, "outgoing"), is(d, "outbound"):
		return "outbound"
	}
	if src == nil || dst == nil {
		return ""
	}
	switch from, to := private(src), private(dst); {
	case from && to:
		return "internal"
	case from:
		return "outbound"
	case to:
		return "inbound"
	}
	return "external"
}

// private tells RFC 1918 and RFC 4193 addresses by their text.
func private(ip []byte) bool {
	if hasPrefix(ip, "10.") || hasPrefix(ip, "192.168.") {
		return true
	}
	if hasPrefix(ip, "172.") && len(ip) > 6 && ip[6] == '.' {
		n, ok := number(ip[4:6])
		return ok && n >= 16 && n <= 31
	}
	return len(ip) > 4 && bytes.IndexByte(ip, ':') > 0 && (ip[0]|0x20) == 'f' && ((ip[1]|0x20) == 'c' || (ip[1]|0x20) == 'd')
}

func (p *record) network() {
	if name := transport(p.v[kProto]); name != "" {
		p.e.Text(ecs.NetworkTransport, name, p.v[kProto])
	}
	p.lower(ecs.NetworkProtocol, p.v[kService])
	p.sum(ecs.NetworkBytes, kSentByte, kRcvdByte)
	p.sum(ecs.NetworkPackets, kSentPkt, kRcvdPkt)
	p.first(ecs.ObserverIngressInterfaceName, kSrcIntf, kInterface)
}

// transport names an IANA protocol number.
func transport(proto []byte) string {
	n, ok := number(proto)
	if !ok {
		return ""
	}
	switch n {
	case 0:
		return "hopopt"
	case 1:
		return "icmp"
	case 2:
		return "igmp"
	case 6:
		return "tcp"
	case 8:
		return "egp"
	case 17:
		return "udp"
	case 47:
		return "gre"
	case 50:
		return "esp"
	case 58:
		return "ipv6-icmp"
	case 88:
		return "eigrp"
	case 89:
		return "ospf"
	case 103:
		return "pim"
	case 112:
		return "vrrp"
	case 132:
		return "sctp"
	}
	return ""
}

func (p *record) sum(to abi.Name, a, b key) {
	x, ok1 := number(p.v[a])
	y, ok2 := number(p.v[b])
	if ok1 && ok2 {
		p.e.Int(to, x+y, p.v[a])
	}
}

// lower emits v in lower case, as it is when nothing changes.
func (p *record) lower(to abi.Name, v []byte) []byte {
	v = v[:min(len(v), len(p.scratch))]
	changed := false
	for i, c := range v {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
			changed = true
		}
		p.scratch[i] = c
	}
	if changed {
		p.e.Bytes(to, p.scratch[:len(v)], v)
		return p.scratch[:len(v)]
	}
	p.e.Bytes(to, v, nil)
	return v
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
