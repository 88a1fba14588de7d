package clock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/clock"
)

var received = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func TestFormats(t *testing.T) {
	stamp := func(b []byte) (int64, bool) { return clock.Stamp(b, received.UnixNano()) }
	for _, c := range []struct {
		name string
		read func([]byte) (int64, bool)
		in   string
		want string // RFC 3339; empty: refused
	}{
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"},
		{"rfc3339", clock.RFC3339, "2024-02-29 23:59:59.5+02:00", "2024-02-29T21:59:59.5Z"},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59,123456789987-0130", "2024-03-01T01:29:59.123456789Z"},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59.000000001Z", "2024-02-29T23:59:59.000000001Z"},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59.0000000019Z", "2024-02-29T23:59:59.000000001Z"},
		{"rfc3339", clock.RFC3339, "1969-12-31T23:59:59.25", "1969-12-31T23:59:59.25Z"},
		{"rfc3339", clock.RFC3339, "2023-02-29T00:00:00Z", ""},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:60Z", ""},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59Zx", ""},
		{"rfc3339", clock.RFC3339, "2024-02-29T23:59:59+24:00", ""},
		{"rfc3339", clock.RFC3339, "2300-01-01T00:00:00Z", ""}, // beyond int64 ns
		{"slashed", clock.Slashed, "2024/02/29 01:02:03", "2024-02-29T01:02:03Z"},
		{"slashed", clock.Slashed, "2024-02-29 01:02:03", ""},
		{"clf", clock.CLF, "29/Feb/2024:01:02:03 -0330", "2024-02-29T04:32:03Z"},
		{"clf", clock.CLF, "29/Feb/2024:01:02:03", "2024-02-29T01:02:03Z"},
		{"clf", clock.CLF, "29/Fev/2024:01:02:03 +0000", ""},
		{"clf", clock.CLF, "29/Feb/2024:01:02:03 PST", ""},
		{"stamp", stamp, "Mar  1 11:00:00", "2024-03-01T11:00:00Z"},
		{"stamp", stamp, "Mar 2 11:00:00", "2024-03-02T11:00:00Z"}, // less than a day ahead
		{"stamp", stamp, "Mar 02 13:00:00", "2023-03-02T13:00:00Z"},
		{"stamp", stamp, "Dec 31 23:59:59.75", "2023-12-31T23:59:59.75Z"},
		{"stamp", stamp, "Feb 29 00:00:00", "2024-02-29T00:00:00Z"},
		{"stamp", stamp, "Jun  5 2019 10:00:00", "2019-06-05T10:00:00Z"},
		{"stamp", stamp, "Jun  5 10:00:00 2019", ""}, // a year behind the time needs a blank after it
		{"stamp", stamp, "Feb 30 00:00:00", ""},
		{"stamp", stamp, "Foo 30 00:00:00", ""},
		{"epoch", clock.Epoch, "1709294400", "2024-03-01T12:00:00Z"},
		{"epoch", clock.Epoch, "1709294400.25", "2024-03-01T12:00:00.25Z"},
		{"epoch", clock.Epoch, "1709294400123", "2024-03-01T12:00:00.123Z"},
		{"epoch", clock.Epoch, "1709294400123456", "2024-03-01T12:00:00.123456Z"},
		{"epoch", clock.Epoch, "1709294400123456789", "2024-03-01T12:00:00.123456789Z"},
		{"epoch", clock.Epoch, "9999999999999999999", ""},
		{"epoch", clock.Epoch, "99999999999999999999", ""},
		{"epoch", clock.Epoch, "", ""},
		{"epoch", clock.Epoch, "-1", ""},
	} {
		got := ""
		if ns, ok := c.read([]byte(c.in)); ok {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestNearLeapDay(t *testing.T) {
	at := time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	ns, ok := clock.Stamp([]byte("Feb 29 01:00:00"), at.UnixNano())
	if want := time.Date(2020, 2, 29, 1, 0, 0, 0, time.UTC); !ok || ns != want.UnixNano() {
		t.Errorf("got %v %v, want %v", time.Unix(0, ns).UTC(), ok, want)
	}
	// the turn of the year: a record from the last minute of December is received in January, and the reverse
	at = time.Date(2024, 1, 1, 0, 0, 30, 0, time.UTC)
	ns, _ = clock.Stamp([]byte("Dec 31 23:59:59"), at.UnixNano())
	if want := at.Add(-31 * time.Second); ns != want.UnixNano() {
		t.Errorf("got %v, want %v", time.Unix(0, ns).UTC(), want)
	}
	at = time.Date(2023, 12, 31, 23, 30, 0, 0, time.UTC)
	ns, _ = clock.Stamp([]byte("Jan  1 00:00:10"), at.UnixNano())
	if want := at.Add(30*time.Minute + 10*time.Second); ns != want.UnixNano() {
		t.Errorf("got %v, want %v", time.Unix(0, ns).UTC(), want)
	}
}

// Every day that can be written is as many seconds as package time says, and the year that a stamp gets is right on the
// first and the last second of every year.
func TestEveryDay(t *testing.T) {
	end := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.AddDate(0, 0, 1) {
		c := clock.Civil{Year: at.Year(), Month: int(at.Month()), Day: at.Day()}
		if got := c.Seconds(); got != at.Unix() {
			t.Fatalf("%v: got %d seconds, want %d", at, got, at.Unix())
		}
	}
	for year := 1680; year < 2260; year++ {
		for _, at := range []time.Time{time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC)} {
			if got, ok := clock.Stamp([]byte(at.Format(time.Stamp)), at.UnixNano()); !ok || got != at.UnixNano() {
				t.Errorf("%v: got %v %v", at, time.Unix(0, got).UTC(), ok)
			}
		}
	}
}

func TestJoin(t *testing.T) {
	ns, ok := clock.Join([]byte("2024-03-01"), []byte("12:00:00"), []byte("-0700"))
	if want := received.Add(7 * time.Hour); !ok || ns != want.UnixNano() {
		t.Errorf("got %v %v, want %v", time.Unix(0, ns).UTC(), ok, want)
	}
	if _, ok := clock.Join([]byte("2024-03-01"), []byte("12:00:00"), []byte("CET")); ok {
		t.Error("a zone without an offset was read")
	}
}

// Every instant is read back from every layout, as package time writes it.
func FuzzAgainstTime(f *testing.F) {
	for _, ns := range []int64{0, -1, received.UnixNano(), 1<<63 - 1, -1 << 62} {
		f.Add(ns, int16(-420))
	}
	f.Fuzz(func(t *testing.T, ns int64, zone int16) {
		loc := time.FixedZone("", int(zone)%(24*60)*60)
		at := time.Unix(0, ns).In(loc)
		if y := at.Year(); y < 1680 || y > 2260 {
			return
		}
		for _, c := range []struct {
			layout string
			read   func([]byte) (int64, bool)
		}{
			{time.RFC3339Nano, clock.RFC3339},
			{"2006-01-02 15:04:05.000000-0700", clock.RFC3339},
			{"02/Jan/2006:15:04:05 -0700", clock.CLF},
			{"2006/01/02 15:04:05", clock.Slashed},
			{time.Stamp, func(b []byte) (int64, bool) { return clock.Stamp(b, at.UnixNano()+int64(zone%1440)*60e9) }},
		} {
			text := at.Format(c.layout)
			want, err := time.Parse(c.layout, text)
			if err != nil {
				t.Fatal(err)
			}
			if c.layout == time.Stamp {
				want = time.Date(at.Year(), want.Month(), want.Day(), want.Hour(), want.Minute(), want.Second(), 0, time.UTC)
			}
			if got, ok := c.read([]byte(text)); !ok || got != want.UnixNano() {
				t.Errorf("%q: got %v %v, want %v", text, time.Unix(0, got).UTC(), ok, want.UTC())
			}
		}
	})
}

// What package time refuses is refused, and what both read is the same.
func FuzzRFC3339(f *testing.F) {
	for _, s := range []string{"2024-02-29T23:59:59.123Z", "2024-02-29T23:59:59+01:00", "0000-01-01T00:00:00Z", "2024-13-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := clock.RFC3339([]byte(s))
		clock.CLF([]byte(s))
		clock.Stamp([]byte(s), got)
		clock.Epoch([]byte(s))
		clock.Zone([]byte(s))
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || strings.ContainsAny(s, ",") || want.Year() < 1680 || want.Year() > 2260 {
			return // other spellings are read as well
		}
		if !ok || got != want.UnixNano() {
			// package time reads an hour of one digit, which no log writes
			if len(s) > 12 && s[12] == ':' {
				return
			}
			t.Errorf("%q: got %d %v, want %d", s, got, ok, want.UnixNano())
		}
	})
}

func BenchmarkRFC3339(b *testing.B) {
	in := []byte("2024-02-29T23:59:59.123456+02:00")
	b.ReportAllocs()
	for b.Loop() {
		clock.RFC3339(in)
	}
}

func BenchmarkStamp(b *testing.B) {
	in, at := []byte("Feb 29 23:59:59"), received.UnixNano()
	b.ReportAllocs()
	for b.Loop() {
		clock.Stamp(in, at)
	}
}
