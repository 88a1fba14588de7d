package template

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReach(t *testing.T) {
	for _, c := range []struct {
		kind       Kind
		text, stop string
		want       string // what it takes; "!" for nothing of this kind
	}{
		{Word, "ab c", "", "ab"},
		{Word, "ab[c", "[", "ab"},
		{Word, " a", "", "!"},
		{Word, "[a", "[", "!"},
		{Text, "a b from c from d", " from ", "a b"},
		{Text, "a b", " from ", "!"},
		{Text, " from x", " from ", ""},
		{Text, "a b", "", "a b"},
		{LastText, "a from c from d", " from ", "a from c"},
		{LastText, "a", " from ", "!"},
		{Rest, "a b ", "", "a b "},
		{Int, "-12x", "", "-12"},
		{Int, "+7 ", "", "+7"},
		{Int, "-", "", "!"},
		{Int, "1234567890123456789", "", "!"},
		{Float, "1.5e-3.", "", "1.5e-3"},
		{Float, "12.", "", "12"},
		{Float, "1e", "", "1"},
		{Float, ".5", "", "!"},
		{IP, "192.0.2.1:80", "", "192.0.2.1"},
		{IP, "192.0.2.1:80", ":", "192.0.2.1"},
		{IP, "192.0.2.256", "", "!"},
		{IP, "1.2.3.4.5", "", "!"},
		{IP, "1.2.3.4567", "", "!"},
		{IP, "1.2.3.4. Bye", "", "1.2.3.4"},
		{IP, "2001:db8::1]", "", "2001:db8::1"},
		{IP, "2001:db8::1: down", "", "2001:db8::1"},
		{IP, "2001:db8::7:443", ":", "2001:db8::7"},
		{IP, "2001:db8::7:44300", ":", "2001:db8::7"},
		{IP, "2001:db8::7:443", "", "2001:db8::7:443"},
		{IP, "::", "", "::"},
		{IP, "::ffff:192.0.2.1 x", "", "::ffff:192.0.2.1"},
		{IP, "1:2:3:4:5:6:7:8:9", "", "1:2:3:4:5:6:7:8"},
		{IP, "1:2:3", "", "!"},
		{IP, "12345::1", "", "!"},
		{IP, "host", "", "!"},
		{MAC, "00:1b:44:11:3a:b7:08", "", "00:1b:44:11:3a:b7"},
		{MAC, "00-1B-44-11-3A-B7", "", "00-1B-44-11-3A-B7"},
		{MAC, "001b.4411.3ab7", "", "001b.4411.3ab7"},
		{MAC, "00:1b-44:11:3a:b7", "", "!"},
		{Host, "web-1.example.org.", "", "web-1.example.org"},
		{Host, "web-1:80", ":", "web-1"},
		{Host, "2001:db8::1", "", "2001:db8::1"},
		{Host, "2001:db8::1:80", ":", "2001:db8::1"},
		{Host, "-x", "", "!"},
		{Host, strings.Repeat("h", MaxHostBytes), "", strings.Repeat("h", MaxHostBytes)},
		{Host, strings.Repeat("h", MaxHostBytes+1), "", "!"},
		{Int, strings.Repeat("1", MaxIntDigits), "", strings.Repeat("1", MaxIntDigits)},
		{Int, strings.Repeat("1", MaxIntDigits+1), "", "!"},
		{Email, "<ada@example.org>", "", "!"},
		{Email, "ada@example.org>", ">", "ada@example.org"},
		{Email, "ada@example.org, eve", "", "ada@example.org"},
		{Email, "ada@", "", "!"},
		{Email, "a@b@c", "", "!"},
		{Path, "/usr/bin/x arg", "", "/usr/bin/x"},
		{Path, `C:\temp\a.log:7`, ":", "!"}, // the drive's colon is one too
		{Path, `\\srv\share`, "", `\\srv\share`},
		{Path, "bin/x", "", "!"},
		{URL, "https://x.example/a?b=1 y", "", "https://x.example/a?b=1"},
		{URL, "https://x>", ">", "https://x"},
		{URL, "x.example/a", "", "!"},
		{Quoted, `"a \" b" c`, "", `"a \" b"`},
		{Quoted, `'a"b'`, "", `'a"b'`},
		{Quoted, `"a`, "", "!"},
		{Quoted, `"a\"`, "", "!"},
		{Hex, "0xC0deg", "", "0xC0de"},
		{Hex, "0x", "", "0"},
		{Hex, "g", "", "!"},
		{Blank, " \t x", "", " \t "},
		{Blank, "x", "", "!"},
		{JSON, `{"a":1}`, "", `{"a":1}`},
		{JSON, `a`, "", "!"},
		{Pairs, `a=1 b`, "", `a=1 b`},
		{Time, "2024-03-01T12:00:00.5Z x", "", "2024-03-01T12:00:00.5Z"},
	} {
		got := "!"
		text := "<" + c.text // nothing before pos counts
		if end, ok := Reach(c.kind, []byte(text), 1, c.stop, ""); ok {
			got = text[1:end]
		}
		if got != c.want {
			t.Errorf("%s of %q before %q: got %q, want %q", Names[c.kind], c.text, c.stop, got, c.want)
		}
	}
}

func TestClock(t *testing.T) {
	received := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	const berlin = 3600
	for _, c := range []struct{ layout, text, rest, want string }{
		{ISO, "2024-03-01T12:00:00", " x", "2024-03-01T11:00:00Z"},
		{ISO, "2024-03-01 12:00:00.250Z", "", "2024-03-01T12:00:00.25Z"},
		{ISO, "2024-03-01T12:00:00-05:00", ",", "2024-03-01T17:00:00Z"},
		{Syslog, "Mar  1 11:59:59", " h", "2024-03-01T10:59:59Z"},
		{Syslog, "Dec 31 23:00:00", " h", "2023-12-31T22:00:00Z"},
		{Syslog, "Mar  1 2024 11:00:00 UTC", " h", "2024-03-01T11:00:00Z"},
		{CLF, "01/Mar/2024:12:00:00 +0200", "]", "2024-03-01T10:00:00Z"},
		{CLF, "01/Mar/2024:12:00:00.123", "]", "2024-03-01T11:00:00.123Z"},
		{Epoch, "1709294400", " ", "2024-03-01T12:00:00Z"},
		{Epoch, "1709294400.25", " ", "2024-03-01T12:00:00.25Z"},
		{Epoch, "1709294400123", " ", "2024-03-01T12:00:00.123Z"},
		{"%d/%m/%Y %H:%M", "01/03/2024   12:30", "", "2024-03-01T11:30:00Z"},
		{"%e. %b %y %I:%M:%S.%f %p", "1. Mar 24 12:30:05.5 AM", "", "2024-02-29T23:30:05.5Z"},
		{"%Y%m%d%H%M%S%z", "20240301120000+0000", "x", "2024-03-01T12:00:00Z"},
		{"%Y%%%m%%%d", "2024%03%01", "", "2024-02-29T23:00:00Z"},
		{"%b %d %H:%M:%S", "Mar 01 11:00:00", "", "2024-03-01T10:00:00Z"}, // without a year
	} {
		s, n, ok := Clock([]byte(c.text+c.rest), c.layout)
		if !ok || n != len(c.text) {
			t.Errorf("%s %q: %d bytes, %t", c.layout, c.text, n, ok)
			continue
		}
		ns, ok := s.Unix(berlin, received)
		if got := time.Unix(0, ns).UTC().Format(time.RFC3339Nano); !ok || got != c.want {
			t.Errorf("%s %q: got %s %t, want %s", c.layout, c.text, got, ok, c.want)
		}
	}
	for _, c := range [][2]string{
		{ISO, "2024-13-01T12:00:00"},
		{Syslog, "Abc  1 11:59:59"},
		{CLF, "01/Mar/2024"},
		{Epoch, "x"},
		{"%d.%m.%Y", "31.02.2024"},
		{"%I %p", "13 PM"},
		{"%I %p", "1 XM"},
		{"%H:%M:%S", "1"},
		{"%Y%z", "2024+"},
		{"%Y", "20"},
		{"%b", "Ma"},
		{"%f", ""},
		{"%p", ""},
		{"%%", ""},
		{"a ", "ab"},
		{"ab", "a"},
	} {
		if s, n, ok := Clock([]byte(c[1]), c[0]); ok || n != 0 && ok {
			t.Errorf("%s reads %q as %+v", c[0], c[1], s)
		}
	}
}

func TestProgramTravels(t *testing.T) {
	ref := Ref{1, 2}
	target := Target{3, AsTime, List, 1, 7, ref}
	p := &Program{
		Framing: KeyValue, Flags: KeepOthers, Zone: -5400, Separator: ',', Required: 3, Base: Variant{1, 2}, Prefix: ref, Root: 9,
		Heap: []byte("heap"), Tree: []uint16{1, 2, 3}, Holes: []Hole{{Time, ref, target}}, Variants: []Variant{{1, 2}}, Consts: []Const{{1, List, 2, ref}},
		Maps: []Map{{1, 2, ref, true}}, Entries: []Entry{{ref, ref}}, Apps: []AppName{{ref, true}}, Keys: []Key{{ref, IP, 1, target, true}}, Buckets: []uint16{1, 0},
	}
	b := p.Encode()
	got, err := Decode(b)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for n := range b {
		if _, err := Decode(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are a program", n, len(b))
		}
	}
	if _, err := Decode(append(b, 0)); err == nil {
		t.Error("one byte too many is a program")
	}
}

// FuzzReach: a hole never reaches beyond the text, is the same whatever stands before it, and addresses are addresses.
func FuzzReach(f *testing.F) {
	f.Add([]byte("2001:db8::7:443 x"), " ")
	f.Add([]byte("01/Mar/2024:12:00:00.123 +0000"), "a")
	f.Add([]byte(`"a\"b" Mar  1 12:00:00`), `" `)
	f.Fuzz(func(t *testing.T, text []byte, stop string) {
		if len(stop) > MaxStopBytes {
			return
		}
		before := append([]byte("x:1."), text...)
		for k := range Kinds {
			for _, layout := range []string{ISO, Syslog, CLF, Epoch, "%d/%m/%y %I:%M:%S.%f %p %z %b%e%%"} {
				if k != Time && layout != ISO {
					continue
				}
				end, ok := Reach(k, text, 0, stop, layout)
				if ok && (end < 0 || end > len(text)) {
					t.Fatalf("%s of %q reaches to %d", Names[k], text, end)
				}
				if far, same := Reach(k, before, 4, stop, layout); same != ok || ok && far != end+4 {
					t.Fatalf("%s of %q depends on what stands before it", Names[k], text)
				}
				if ok && k == IP {
					if _, err := netip.ParseAddr(string(text[:end])); err != nil && !bytes.Contains(text[:end], []byte(".")) {
						t.Fatalf("%q is taken for an address: %v", text[:end], err)
					}
				}
			}
		}
	})
}

func BenchmarkReach(b *testing.B) {
	text := []byte("203.0.113.7 port 40022 ssh2")
	b.ReportAllocs()
	for b.Loop() {
		if end, ok := Reach(IP, text, 0, "", ""); !ok || end != 11 {
			b.Fatal(end)
		}
	}
}

// FuzzFind compares with the standard library, which takes a time quadratic in the worst case.
func FuzzFind(f *testing.F) {
	f.Add([]byte("aabaabaaab"), "aabaaa")
	f.Add([]byte("abababac"), "ababac")
	f.Add([]byte("xaaaa"), "aaa")
	f.Fuzz(func(t *testing.T, b []byte, stop string) {
		if stop == "" || len(stop) > MaxStopBytes {
			return
		}
		if got, want := find(b, stop, false), bytes.Index(b, []byte(stop)); got != want {
			t.Fatalf("first %q in %q: %d, want %d", stop, b, got, want)
		}
		if got, want := find(b, stop, true), bytes.LastIndex(b, []byte(stop)); got != want {
			t.Fatalf("last %q in %q: %d, want %d", stop, b, got, want)
		}
	})
}
