package syslog

import "github.com/vedette-siem/vedette/sdk/go/clock"

// ParseRFC3164 reads b as RFC 3164 §4.1 has it: PRI, "Jan _2 15:04:05", a hostname without a colon or none, a tag with
// an optional [pid] or none, and a message of visible characters (tabs, carriage returns and bytes beyond ASCII
// included; one newline may end it). received (ns since the Unix epoch) gives the year, see clock.Civil.Near; Civil.Year
// stays 0.
func ParseRFC3164(b []byte, received int64, h *Header) bool {
	*h = Header{}
	r := reader{b: b}
	if !r.pri(h) {
		return false
	}
	r.blanks()
	at := r.pos
	c, n, ok := clock.ReadStamp(r.left())
	if !ok || !strictStamp(r.b[at:at+n]) {
		return false
	}
	r.pos += n
	if r.blanks() == 0 {
		return false
	}
	ns, _ := c.Near(received)
	h.setTime(&c, r.b[at:at+n], ns)
	if r.b[len(r.b)-1] == '\n' {
		r.b = r.b[:len(r.b)-1]
	}
	if r.pos >= len(r.b) || !visible(r.left()) {
		return false
	}
	r.host3164(h)
	r.tag3164(h)
	h.Message = r.left()
	return true
}

// strictStamp says whether a stamp that was read is spelt "Jan _2 15:04:05".
func strictStamp(b []byte) bool {
	return len(b) == 15 && b[0] < 'a' && b[1] >= 'a' && b[2] >= 'a' && b[4] != '0' && (b[4] == ' ' || b[5] != ' ')
}

func visible(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// host3164 takes a word without a colon as the hostname when something follows it.
func (r *reader) host3164(h *Header) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] < 0x7f && b[n] != ':' {
		n++
	}
	if n == 0 || n > MaxHostnameBytes || n == len(b) || b[n] != ' ' {
		return
	}
	end := n
	for n < len(b) && b[n] == ' ' {
		n++
	}
	if n == len(b) {
		return
	}
	h.Hostname = dash(b[:end])
	r.pos += n
}

// tag3164 takes "tag: " or "tag[pid]: " when something follows it.
func (r *reader) tag3164(h *Header) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] < 0x7f && b[n] != ':' && b[n] != '[' {
		n++
	}
	if n == 0 || n > MaxTagBytes || n == len(b) {
		return
	}
	tag, pid := b[:n], []byte(nil)
	if b[n] == '[' {
		n++
		at := n
		for n < len(b) && b[n] != '[' && b[n] != ']' {
			n++
		}
		if n == len(b) || b[n] != ']' {
			return
		}
		pid = b[at:n]
		n++
	}
	if n+2 >= len(b) || b[n] != ':' || b[n+1] != ' ' {
		return
	}
	h.AppName = dash(tag)
	if len(pid) > 0 {
		h.ProcID = dash(pid)
	}
	r.pos += n + 2
}

func dash(b []byte) []byte {
	if len(b) == 1 && b[0] == '-' {
		return nil
	}
	return b
}
