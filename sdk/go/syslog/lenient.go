package syslog

import "github.com/vedette-siem/vedette/sdk/go/clock"

// Parse reads whatever header b begins with, as senders write it, and is false when there is neither a PRI nor a time.
//
// Beyond the RFCs it takes: no PRI; ISO 8601 times, times with a year, a fraction or a zone in RFC 3164; no time after
// a PRI; no hostname; tags with a pid or without, with blanks in them ("Google Chrome[312]:"), without a colon before a
// pid; Cisco's counters, names and marks before the time ("<189>237: 000485: rtr1: *Jan  8 19:46:03.295: %SYS-5-…");
// RFC 5424 without PRI, with fields that are too long, not ASCII, or with broken structured data, which then stays at
// the head of Message. A byte order mark before the message and a newline behind it are left out. received (ns since
// the Unix epoch) gives times without a year theirs.
func Parse(b []byte, received int64, h *Header) bool {
	*h = Header{}
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	r := reader{b: b}
	r.pri(h)
	if r.loose5424(h) {
		return true
	}
	r.blanks()
	r.cisco()
	if !r.looseTime(received, h) {
		if !h.HasPRI {
			return false
		}
	} else {
		r.take(':')
		r.blanks()
	}
	r.looseHost(h)
	r.looseTag(h)
	h.Message = message(r.left())
	return true
}

func message(b []byte) []byte {
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		return b[3:]
	}
	return b
}

// loose5424 reads from VERSION to MSG. It is false, and nothing is read, when no version and time stand here.
func (r *reader) loose5424(h *Header) bool {
	at := r.pos
	if !r.version(h) {
		return false
	}
	b := r.left()
	if len(b) >= 2 && b[0] == '-' && b[1] == ' ' && h.HasPRI {
		r.pos += 2
	} else {
		c, n, ok := clock.ReadISO(b)
		if !ok || n == len(b) || b[n] != ' ' {
			r.pos, h.Version = at, 0
			return false
		}
		ns, _ := c.Unix()
		h.setTime(&c, b[:n], ns)
		r.pos += n + 1
	}
	h.Hostname = dash(r.token())
	h.AppName = dash(r.token())
	h.ProcID = dash(r.token())
	h.MsgID = dash(r.token())
	if sd := r.looseSD(); sd > 0 {
		h.SD = dash(r.b[r.pos : r.pos+sd])
		r.pos += sd
		r.take(' ')
	}
	h.Message = message(r.left())
	return true
}

// token reads up to a blank and consumes it.
func (r *reader) token() []byte {
	b := r.left()
	for n := range b {
		if b[n] == ' ' {
			r.pos += n + 1
			return b[:n]
		}
	}
	r.pos = len(r.b)
	return b
}

// looseSD returns the length of the structured data here, 0 when it is none or broken.
func (r *reader) looseSD() int {
	b := r.left()
	if len(b) > 0 && b[0] == '-' && (len(b) == 1 || b[1] == ' ') {
		return 1
	}
	p := Params{rest: b}
	for p.Next() {
	}
	n := len(b) - len(p.rest)
	if p.inside || p.rest == nil || len(p.rest) > 0 && p.rest[0] != ' ' {
		return 0
	}
	return n
}

// cisco goes over the counters, the name and the mark that Cisco puts before the time, when a time follows.
func (r *reader) cisco() {
	t := *r
	for range 3 {
		b := t.left()
		n := 0
		for n < len(b) && b[n] > ' ' && b[n] != ':' {
			n++
		}
		if n == len(b) || b[n] != ':' || n+1 < len(b) && b[n+1] != ' ' {
			break
		}
		t.pos += n + 1
		t.blanks()
	}
	if !t.take('*') {
		t.take('.')
	}
	if t.pos == r.pos {
		return
	}
	if _, _, ok := clock.ReadStamp(t.left()); ok {
		*r = t
	} else if _, _, ok := clock.ReadISO(t.left()); ok {
		*r = t
	}
}

func (r *reader) looseTime(received int64, h *Header) bool {
	b := r.left()
	c, n, ok := clock.ReadStamp(b)
	if !ok {
		if c, n, ok = clock.ReadISO(b); !ok {
			return false
		}
	}
	if n < len(b) && b[n] != ' ' && b[n] != ':' {
		return false
	}
	ns, _ := c.Near(received)
	h.setTime(&c, b[:n], ns)
	r.pos += n
	return true
}

// looseHost takes a word as the hostname unless it looks like a tag, a pair or the message itself.
func (r *reader) looseHost(h *Header) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' {
		switch b[n] {
		case '[', '=', '{', '"', '<', '>', '|', '(', '%':
			return
		}
		n++
	}
	if n == 0 || n > MaxHostnameBytes || n == len(b) || b[n] != ' ' || b[n-1] == ':' || !h.HasTime {
		return
	}
	h.Hostname = dash(b[:n])
	r.pos += n
	r.blanks()
}

// looseTag takes "tag:", "tag[pid]:", "tag[pid]" or "two words[pid]:" and the blanks behind it.
func (r *reader) looseTag(h *Header) {
	b := r.left()
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] < 0x7f && b[n] != ':' && b[n] != '[' && b[n] != '=' {
		n++
	}
	if n > 0 && n <= maxLooseTagBytes && n < len(b) {
		switch b[n] {
		case ':':
			if n+1 == len(b) || b[n+1] == ' ' || b[n+1] == '\t' {
				h.AppName = dash(b[:n])
				r.pos += n + 1
				r.blanks()
				return
			}
		case '[':
			if end := pidEnd(b[n:]); end > 0 {
				rest := b[n+end:]
				if len(rest) == 0 || rest[0] == ':' || rest[0] == ' ' && !spaced(rest) {
					h.AppName, h.ProcID = dash(b[:n]), dash(b[n+1:n+end-1])
					r.pos += n + end
					r.take(':')
					r.blanks()
					return
				}
			}
		}
	}
	r.blankTag(h)
}

// pidEnd returns the length of "[pid]" at the beginning of b, 0 when there is none.
func pidEnd(b []byte) int {
	n := 1
	for n < len(b) && b[n] > ' ' && b[n] != '[' && b[n] != ']' {
		n++
	}
	if n == 1 || n == len(b) || b[n] != ']' {
		return 0
	}
	return n + 1
}

// spaced says whether " (job[pid]):" follows, as in launchd's tags.
func spaced(b []byte) bool { return len(b) > 1 && b[1] == '(' }

// blankTag takes a tag with blanks in it. Only a bracket before the colon tells it from a message with a colon.
func (r *reader) blankTag(h *Header) {
	b := r.left()
	if len(b) > maxLooseTagBytes {
		b = b[:maxLooseTagBytes]
	}
	for n := 1; n+1 < len(b); n++ {
		if b[n] == '=' || b[n] == '"' {
			return
		}
		if b[n] != ':' || b[n+1] != ' ' {
			continue
		}
		tag := b[:n]
		open := n
		for open > 0 && b[open-1] != '[' {
			open--
		}
		switch {
		case tag[n-1] == ']' && open > 1 && number(b[open:n-1]) && !bracketed(tag[:open-1]):
			h.AppName, h.ProcID = tag[:open-1], tag[open:n-1]
		case tag[n-1] == ')' && job(tag):
			h.AppName = tag
		default:
			return
		}
		r.pos += n + 1
		r.blanks()
		return
	}
}

// job says whether a tag is launchd's "name[1] (job)".
func job(b []byte) bool {
	for i := 2; i+1 < len(b); i++ {
		if b[i-1] == ']' && b[i] == ' ' && b[i+1] == '(' {
			return true
		}
	}
	return false
}

func bracketed(b []byte) bool {
	for _, c := range b {
		if c == '[' || c == ']' {
			return true
		}
	}
	return false
}

func number(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}
