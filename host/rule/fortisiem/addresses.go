package fortisiem

import "net/netip"

// between returns the networks that make up a range of addresses; nil when the texts are no such range.
func between(low, high string) (nets []*string) {
	a, err := netip.ParseAddr(low)
	b, err2 := netip.ParseAddr(high)
	if err != nil || err2 != nil || a.Is4() != b.Is4() || b.Less(a) || a.Zone()+b.Zone() != "" {
		return nil
	}
	for {
		bits := a.BitLen() // of the largest network that begins at a and does not go beyond b
		for bits > 0 {
			wider := netip.PrefixFrom(a, bits-1)
			if wider.Masked().Addr() != a || b.Less(last(wider)) {
				break
			}
			bits--
		}
		net := netip.PrefixFrom(a, bits)
		text := net.String()
		nets = append(nets, &text)
		if a = last(net).Next(); !a.IsValid() || b.Less(a) {
			return nets
		}
	}
}

// last returns the highest address of a network.
func last(net netip.Prefix) netip.Addr {
	b := net.Addr().AsSlice()
	for i := net.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
