// Package clock reads the time formats of logs from bytes, without allocating and without the time package.
//
// Functions that take a whole value return ns since the Unix epoch, UTC; those called Read… return what stands at the
// beginning of b and how many bytes it takes, for texts that go on. A time without a zone is UTC.
package clock

// Civil is a time as written: calendar fields and an offset, before it becomes a point in time. Year is 0 when the
// text names none.
type Civil struct {
	Year                             int // 0..9999
	Month, Day, Hour, Minute, Second int
	Nano                             int // 0..999999999
	Offset                           int // seconds east of UTC
}

var monthDays = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// Valid reports that the fields name a time that exists. Year 0 is a leap year, so "Feb 29" without a year is valid.
func (c Civil) Valid() bool {
	return c.Year >= 0 && c.Year <= 9999 && c.Month >= 1 && c.Month <= 12 && c.Day >= 1 && c.Day <= monthDays[c.Month] &&
		(c.Month != 2 || c.Day < 29 || leap(c.Year)) && uint(c.Hour) < 24 && uint(c.Minute) < 60 && uint(c.Second) < 60 &&
		uint(c.Nano) < 1e9 && c.Offset > -86400 && c.Offset < 86400
}

// marchDays are the days before each month of a year that begins in March, which puts the leap day last.
var marchDays = [13]uint16{0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275}

// days counts the days from 1970-01-01 to the civil date. It multiplies where it could divide: in a sandbox a division
// by a constant is a division.
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	u := uint32(y + 400) // keeps year 0 positive; 400 years are 146097 days
	c := u * 5243 >> 19  // u/100, exact below 43,690
	return int64(365*u+u>>2-c+c>>2+uint32(marchDays[m])+uint32(d)-1) - 719468 - 146097
}

// Seconds returns seconds since the Unix epoch of a valid c.
func (c Civil) Seconds() int64 {
	return days(c.Year, c.Month, c.Day)*86400 + int64(c.Hour*3600+c.Minute*60+c.Second-c.Offset)
}

// maxSeconds is the last whole second whose ns fit in an int64 (2262-04-11); the first lies as far before 1970.
const maxSeconds = (1<<63 - 1) / 1_000_000_000

// Unix returns ns since the Unix epoch; ok is false when c is not Valid or lies outside 1677..2262, what an int64 holds.
func (c Civil) Unix() (ns int64, ok bool) {
	if !c.Valid() {
		return 0, false
	}
	s := c.Seconds()
	if s >= maxSeconds || s <= -maxSeconds {
		return 0, false
	}
	return s*1e9 + int64(c.Nano), true
}

// yearOf returns the UTC year of a point in time.
func yearOf(ns int64) int {
	d := ns / (86400 * 1e9)
	if ns < 0 {
		d--
	}
	y := 1970 + int(d*2871>>20) // a year has 365.2425 days; what is missed is made up for
	for days(y+1, 1, 1) <= d {
		y++
	}
	for days(y, 1, 1) > d {
		y--
	}
	return y
}

// tolerance is how far ahead of the receive time a time without a year may lie: clocks differ, and so do time zones.
const tolerance = 24 * 3600 * 1_000_000_000

// Near gives a time without a year the latest year that does not put it more than a day after received (ns since the
// Unix epoch). A leap day goes to a leap year. A c with a year keeps it.
func (c Civil) Near(received int64) (ns int64, ok bool) {
	if c.Year != 0 {
		return c.Unix()
	}
	y := yearOf(received + tolerance)
	if c.Offset > 0 {
		y++ // where it is written, the next year may have begun
	}
	for range 9 { // two leap years are at most eight years apart
		c.Year = y
		if ns, ok = c.Unix(); ok && ns <= received+tolerance {
			return ns, true
		}
		y--
	}
	return 0, false
}
