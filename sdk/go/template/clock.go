package template

import "github.com/vedette-siem/vedette/sdk/go/clock"

// The layouts of Clock that have a name; any other holds fields such as %Y.
const (
	ISO    = "iso"    // 2006-01-02T15:04:05.999+07:00 in all spellings that clock.ReadISO takes
	Syslog = "syslog" // Jan _2 15:04:05 and what clock.ReadStamp takes; the receive time gives the year
	CLF    = "clf"    // 02/Jan/2006:15:04:05 -0700, also with a fraction
	Epoch  = "epoch"  // s, ms, µs or ns since 1970, by the number of digits
)

// Stamp is a time as it was read.
type Stamp struct {
	clock.Civil
	Zoned bool  // the text names its zone
	point bool  // ns says it all, and there is no civil time
	ns    int64 // since the Unix epoch, UTC unless Zoned
}

// Unix returns ns since the Unix epoch. offset (seconds east of UTC) is the zone of times that name none; received (ns)
// gives the year to those without one.
func (s *Stamp) Unix(offset int, received int64) (ns int64, ok bool) {
	if s.point {
		if !s.Zoned {
			return s.ns - int64(offset)*1e9, true
		}
		return s.ns, true
	}
	c := s.Civil
	if !s.Zoned {
		c.Offset = offset
	}
	return c.Near(received)
}

// Clock reads the time that b begins with, in a layout: ISO, Syslog, CLF, Epoch, or one with fields. n is its length.
//
// The fields are %Y year, %y year of two digits, %m month, %b month as Jan, %d day, %e day without a leading zero, %H
// hour, %I hour of 12, %p AM or PM, %M minute, %S second, %f digits of a fraction, %z zone and %% itself. A blank stands
// for one or more.
func Clock(b []byte, layout string) (s Stamp, n int, ok bool) {
	switch layout {
	case ISO, "":
		s.Civil, n, ok = clock.ReadISO(b)
		if ok {
			s.Zoned = Zoned(b[:n])
		}
	case Syslog:
		s.Civil, n, ok = clock.ReadStamp(b)
		if ok {
			s.Zoned = Zoned(b[:n])
		}
	case CLF:
		return clf(b)
	case Epoch:
		return epoch(b)
	default:
		return fields(b, layout)
	}
	if !ok {
		n = 0
	}
	return s, n, ok
}

// Zoned says that a time in the layout ISO or Syslog names its zone.
func Zoned(b []byte) bool {
	if len(b) > 0 && digit(b[0]) {
		return zoned(b[min(19, len(b)):])
	}
	return zoned(b[min(12, len(b)):])
}

// zoned says that the tail of a time names a zone.
func zoned(tail []byte) bool {
	for _, c := range tail {
		if c == '+' || c == '-' || c == 'Z' || c == 'z' || c == 'U' || c == 'G' { // UTC, GMT
			return true
		}
	}
	return false
}

func clf(b []byte) (s Stamp, n int, ok bool) {
	if len(b) < 20 {
		return s, 0, false
	}
	n = 20
	if n < len(b) && (b[n] == '.' || b[n] == ',') {
		n += 1 + digits(b[n+1:])
	}
	if m := n + 6; m <= len(b) && b[n] == ' ' && (b[n+1] == '+' || b[n+1] == '-') && digits(b[n+2:]) == 4 {
		s.Zoned = true
		n = m
	}
	if s.ns, ok = clock.CLF(b[:n]); !ok {
		n = 0
	}
	s.point = true
	return s, n, ok
}

func epoch(b []byte) (s Stamp, n int, ok bool) {
	n = digits(b)
	if n < len(b) && b[n] == '.' {
		if d := digits(b[n+1:]); d > 0 {
			n += 1 + d
		}
	}
	s.point, s.Zoned = true, true
	if s.ns, ok = clock.Epoch(b[:n]); !ok {
		n = 0
	}
	return s, n, ok
}

// reading is the state of fields.
type reading struct {
	b    []byte
	n    int
	s    Stamp
	pm   bool
	half bool // %I or %p has been read
}

func fields(b []byte, layout string) (s Stamp, n int, ok bool) {
	r := reading{b: b}
	for i := 0; i < len(layout); i++ {
		c := layout[i]
		switch {
		case c == '%' && i+1 < len(layout):
			i++
			if !r.field(layout[i]) {
				return s, 0, false
			}
		case c == ' ':
			if r.n == len(b) || b[r.n] != ' ' {
				return s, 0, false
			}
			for r.n < len(b) && b[r.n] == ' ' {
				r.n++
			}
		default:
			if r.n == len(b) || b[r.n] != c {
				return s, 0, false
			}
			r.n++
		}
	}
	if r.half {
		if r.s.Hour < 1 || r.s.Hour > 12 {
			return s, 0, false
		}
		r.s.Hour %= 12
		if r.pm {
			r.s.Hour += 12
		}
	}
	return r.s, r.n, r.s.Valid()
}

// Fields are the letters that may stand behind % in a layout.
const Fields = "YymbdeHIpMSfz%"

func (r *reading) field(f byte) (ok bool) {
	s := &r.s
	switch f {
	case 'Y':
		s.Year, ok = r.number(4, 4)
	case 'y':
		s.Year, ok = r.number(2, 2)
		s.Year += 2000
	case 'm':
		s.Month, ok = r.number(1, 2)
	case 'b':
		s.Month, ok = r.month()
	case 'd', 'e':
		s.Day, ok = r.number(1, 2)
	case 'H':
		s.Hour, ok = r.number(1, 2)
	case 'I':
		s.Hour, ok = r.number(1, 2)
		r.half = true
	case 'p':
		ok = r.noon()
	case 'M':
		s.Minute, ok = r.number(2, 2)
	case 'S':
		s.Second, ok = r.number(2, 2)
	case 'f':
		ok = r.fraction()
	case 'z':
		ok = r.zone()
	case '%':
		if ok = r.n < len(r.b) && r.b[r.n] == '%'; ok {
			r.n++
		}
	}
	return ok
}

func (r *reading) number(least, most int) (v int, ok bool) {
	start := r.n
	for r.n < len(r.b) && r.n < start+most && digit(r.b[r.n]) {
		v = v*10 + int(r.b[r.n]-'0')
		r.n++
	}
	return v, r.n-start >= least
}

func (r *reading) month() (int, bool) {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(r.b)-r.n < 3 {
		return 0, false
	}
	b := r.b[r.n : r.n+3]
	for m := range 12 {
		if names[m*3] == b[0]|0x20 && names[m*3+1] == b[1]|0x20 && names[m*3+2] == b[2]|0x20 {
			r.n += 3
			return m + 1, true
		}
	}
	return 0, false
}

func (r *reading) noon() bool {
	if len(r.b)-r.n < 2 || r.b[r.n+1]|0x20 != 'm' {
		return false
	}
	c := r.b[r.n] | 0x20
	r.pm, r.half = c == 'p', true
	r.n += 2
	return c == 'a' || c == 'p'
}

func (r *reading) fraction() bool {
	d := digits(r.b[r.n:])
	scale := 100_000_000
	for _, c := range r.b[r.n : r.n+d] {
		r.s.Nano += int(c-'0') * scale
		scale /= 10
	}
	r.n += d
	return d > 0
}

func (r *reading) zone() bool {
	n := 0
	b := r.b[r.n:]
	switch {
	case len(b) > 0 && (b[0] == 'Z' || b[0] == 'z'):
		n = 1
	case len(b) > 0 && (b[0] == '+' || b[0] == '-'):
		n = 1
		for n < len(b) && n < 6 && (digit(b[n]) || b[n] == ':' && n == 3) {
			n++
		}
	}
	var ok bool
	r.s.Offset, ok = clock.Zone(b[:n])
	r.n, r.s.Zoned = r.n+n, true
	return ok
}
