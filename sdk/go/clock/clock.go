package clock

// RFC3339 reads "2006-01-02T15:04:05.999Z07:00" in all its spellings: T, t or a blank, any number of digits after a
// point or comma (what is beyond ns is dropped), zone Z, +07:00, +0700, +07 or none (UTC). b is the whole value.
func RFC3339(b []byte) (ns int64, ok bool) {
	c, n, ok := ReadISO(b)
	if !ok || n != len(b) {
		return 0, false
	}
	return c.Unix()
}

// ReadISO reads what RFC3339 reads at the beginning of b; the date may also be written 2006/01/02.
func ReadISO(b []byte) (c Civil, n int, ok bool) {
	n, ok = readDate(b, &c)
	if !ok || n+9 > len(b) || b[n] != 'T' && b[n] != 't' && b[n] != ' ' {
		return c, 0, false
	}
	m, ok := readTime(b[n+1:], &c)
	if !ok {
		return c, 0, false
	}
	n += 1 + m
	n += readZone(b[n:], &c)
	return c, n, c.Valid()
}

// Slashed reads "2006/01/02 15:04:05" (nginx' error log), UTC. b is the whole value.
func Slashed(b []byte) (ns int64, ok bool) {
	if len(b) < 5 || b[4] != '/' {
		return 0, false
	}
	return RFC3339(b)
}

// CLF reads "02/Jan/2006:15:04:05 -0700", the time of web servers' access logs. b is the whole value.
func CLF(b []byte) (ns int64, ok bool) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' {
		return 0, false
	}
	var c Civil
	var ok1, ok2 bool
	c.Day, ok1 = digits(b[:2])
	c.Month = month(b[3:6])
	c.Year, ok2 = digits(b[7:11])
	n, ok := readTime(b[12:], &c)
	if !ok || !ok1 || !ok2 || c.Month == 0 {
		return 0, false
	}
	if b = b[12+n:]; len(b) > 0 {
		if b[0] != ' ' || len(b) < 2 || readZone(b[1:], &c) != len(b)-1 {
			return 0, false
		}
	}
	return c.Unix()
}

// Stamp reads "Jan _2 15:04:05" of RFC 3164 and what is often sent for it (see ReadStamp). received (ns since the Unix
// epoch) decides the year, see Civil.Near. b is the whole value.
func Stamp(b []byte, received int64) (ns int64, ok bool) {
	c, n, ok := ReadStamp(b)
	if !ok || n != len(b) {
		return 0, false
	}
	return c.Near(received)
}

// ReadStamp reads a stamp at the beginning of b: "Jan _2 15:04:05", "Jan 2 …", "Jan 02 …", each also with a fraction,
// with the year before ("Jan _2 2006 15:04:05") or behind the time ("Jan _2 15:04:05 2006") and with a zone, "UTC" or
// "+07:00", after it. Without a year c.Year is 0.
func ReadStamp(b []byte) (c Civil, n int, ok bool) {
	if len(b) < 14 || b[3] != ' ' {
		return c, 0, false
	}
	c.Month = month(b)
	n = 4
	if b[n] == ' ' {
		n++
	}
	d := run(b[n:], 2)
	c.Day, _ = digits(b[n : n+d])
	if n += d; c.Month == 0 || d == 0 || n == len(b) || b[n] != ' ' {
		return c, 0, false
	}
	n++
	if y, ok := year(b[n:]); ok {
		c.Year, n = y, n+5
	}
	m, ok := readTime(b[n:], &c)
	if !ok {
		return c, 0, false
	}
	n += m
	if c.Year == 0 && n < len(b) && b[n] == ' ' {
		if y, ok := year(b[n+1:]); ok {
			c.Year, n = y, n+5
		}
	}
	n += stampZone(b[n:], &c)
	return c, n, c.Valid()
}

// year reads "2006" followed by a blank; the years of logs keep it apart from a process number.
func year(b []byte) (int, bool) {
	if len(b) < 5 || b[4] != ' ' {
		return 0, false
	}
	y, ok := digits(b[:4])
	return y, ok && y >= 1970 && y < 2100
}

func stampZone(b []byte, c *Civil) int {
	if len(b) >= 4 && b[0] == ' ' && (len(b) == 4 || b[4] == ' ' || b[4] == ':') {
		if z := [3]byte(b[1:4]); z == [3]byte{'U', 'T', 'C'} || z == [3]byte{'G', 'M', 'T'} {
			return 4
		}
	}
	if len(b) >= 6 && (b[0] == '+' || b[0] == '-' || b[0] == 'Z') {
		return readZone(b, c)
	}
	return 0
}

// Join reads a date, a time of day and a zone that stand in fields of their own, such as FortiGate's
// date=2006-01-02 time=15:04:05 tz="-0700". An empty zone is UTC.
func Join(date, tod, zone []byte) (ns int64, ok bool) {
	var c Civil
	n, ok1 := readDate(date, &c)
	m, ok2 := readTime(tod, &c)
	if !ok1 || !ok2 || n != len(date) || m != len(tod) {
		return 0, false
	}
	if len(zone) > 0 && readZone(zone, &c) != len(zone) {
		return 0, false
	}
	return c.Unix()
}

// Epoch reads a number of s, ms, µs or ns since the Unix epoch: what it counts is told by the number of digits, up to
// 10 s, up to 13 ms, up to 16 µs, up to 19 ns. Seconds may have a fraction.
func Epoch(b []byte) (ns int64, ok bool) {
	d := run(b, 20)
	if d == 0 || d > 19 {
		return 0, false
	}
	v, _ := digits64(b[:d])
	unit := uint64(1)
	switch {
	case d <= 10:
		unit = 1e9
	case d <= 13:
		unit = 1e6
	case d <= 16:
		unit = 1e3
	}
	if v > (1<<63-1)/unit {
		return 0, false
	}
	ns = int64(v * unit)
	if d == len(b) {
		return ns, true
	}
	f, n := fraction(b[d:])
	if d > 10 || n != len(b)-d || ns > 1<<63-1-1e9 {
		return 0, false
	}
	return ns + int64(f), true
}

// Zone reads "Z", "+07:00", "+0700", "+7:00" or "+07" as seconds east of UTC. b is the whole value.
func Zone(b []byte) (offset int, ok bool) {
	var c Civil
	if len(b) == 0 || readZone(b, &c) != len(b) {
		return 0, false
	}
	return c.Offset, true
}

func readDate(b []byte, c *Civil) (n int, ok bool) {
	if len(b) < 10 || b[4] != '-' && b[4] != '/' || b[7] != b[4] {
		return 0, false
	}
	var ok1, ok2, ok3 bool
	c.Year, ok1 = digits(b[:4])
	c.Month, ok2 = digits(b[5:7])
	c.Day, ok3 = digits(b[8:10])
	return 10, ok1 && ok2 && ok3
}

// readTime reads "15:04:05" with an optional fraction.
func readTime(b []byte, c *Civil) (n int, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, false
	}
	var ok1, ok2, ok3 bool
	c.Hour, ok1 = digits(b[:2])
	c.Minute, ok2 = digits(b[3:5])
	c.Second, ok3 = digits(b[6:8])
	c.Nano, n = fraction(b[8:])
	return 8 + n, ok1 && ok2 && ok3
}

// fraction reads "." or "," and digits as ns; n is 0 when there is none.
func fraction(b []byte) (ns, n int) {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || b[1]-'0' > 9 {
		return 0, 0
	}
	for n = 1; n < len(b) && b[n]-'0' <= 9; n++ {
		if n < len(tens) {
			ns = ns*10 + int(b[n]-'0')
		}
	}
	return ns * tens[min(n-1, len(tens)-1)], n
}

// tens are what a fraction of so many digits is multiplied by to be ns.
var tens = [10]int{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1}

// readZone returns the bytes that a zone at the beginning of b takes, 0 when there is none or it is out of range.
func readZone(b []byte, c *Civil) int {
	if len(b) == 0 {
		return 0
	}
	if b[0] == 'Z' || b[0] == 'z' {
		return 1
	}
	if b[0] != '+' && b[0] != '-' {
		return 0
	}
	d := run(b[1:], 4)
	h, m, n := 0, 0, 1+d
	switch d {
	case 4:
		h, _ = digits(b[1:3])
		m, _ = digits(b[3:5])
	case 1, 2:
		h, _ = digits(b[1:n])
		if n+3 <= len(b) && b[n] == ':' {
			if v, ok := digits(b[n+1 : n+3]); ok {
				m, n = v, n+3
			}
		}
	default:
		return 0
	}
	if h > 23 || m > 59 {
		return 0
	}
	c.Offset = h*3600 + m*60
	if b[0] == '-' {
		c.Offset = -c.Offset
	}
	return n
}

// run counts the decimal digits at the beginning of b, at most limit.
func run(b []byte, limit int) int {
	n := 0
	for n < len(b) && n < limit && b[n]-'0' <= 9 {
		n++
	}
	return n
}

func digits(b []byte) (int, bool) {
	v := 0
	for _, ch := range b {
		if ch-'0' > 9 {
			return 0, false
		}
		v = v*10 + int(ch-'0')
	}
	return v, true
}

func digits64(b []byte) (v uint64, ok bool) {
	for _, ch := range b {
		if ch-'0' > 9 {
			return 0, false
		}
		v = v*10 + uint64(ch-'0')
	}
	return v, true
}

// month returns 1..12 for an English month's first three letters in any case, 0 for anything else.
func month(b []byte) int {
	switch uint32(b[0]|0x20)<<16 | uint32(b[1]|0x20)<<8 | uint32(b[2]|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		return 1
	case 'f'<<16 | 'e'<<8 | 'b':
		return 2
	case 'm'<<16 | 'a'<<8 | 'r':
		return 3
	case 'a'<<16 | 'p'<<8 | 'r':
		return 4
	case 'm'<<16 | 'a'<<8 | 'y':
		return 5
	case 'j'<<16 | 'u'<<8 | 'n':
		return 6
	case 'j'<<16 | 'u'<<8 | 'l':
		return 7
	case 'a'<<16 | 'u'<<8 | 'g':
		return 8
	case 's'<<16 | 'e'<<8 | 'p':
		return 9
	case 'o'<<16 | 'c'<<8 | 't':
		return 10
	case 'n'<<16 | 'o'<<8 | 'v':
		return 11
	case 'd'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}
