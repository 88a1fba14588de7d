package receive

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// splitAll feeds in through a splitter, chunk bytes at a time, and returns each record as "flags:text".
func splitAll(in string, most, chunk, limit int) (out []string, c *counters) {
	c = new(counters)
	s := newSplitter(most, c)
	var recs []Record
	for {
		n := copy(s.room()[:min(chunk, len(s.room()))], in)
		in = in[n:]
		s.filled(n)
		for more := true; more; {
			recs, more = s.split(recs[:0], 1, limit, len(in) == 0)
			for _, r := range recs {
				out = append(out, fmt.Sprintf("%d:%s", r.Flags, r.Bytes))
			}
		}
		if len(in) == 0 {
			return out, c
		}
	}
}

var framingCases = []struct {
	name, in string
	want     []string
	counts   map[Reason]int
}{
	{"line", "<1>a\n<2>b\n", []string{"0:<1>a", "0:<2>b"}, nil},
	{"line without its end", "<1>a\n<2>b", []string{"0:<1>a", "0:<2>b"}, nil},
	{"carriage return", "<1>a\r\n<2>b\r\n", []string{"0:<1>a", "0:<2>b"}, nil},
	{"NUL", "<1>a\x00<2>b\x00", []string{"0:<1>a", "0:<2>b"}, nil},
	{"empty lines", "\n\r\n<1>a\n\n\n", []string{"0:<1>a"}, nil},
	{"nothing", "", nil, nil},
	{"counted", "4 <1>a6 <2>b c", []string{"0:<1>a", "0:<2>b c"}, nil},
	{"counted with a line feed inside", "6 <1>a\nb4 <2>c", []string{"0:<1>a\nb", "0:<2>c"}, nil},
	{"counted, and a line feed behind", "4 <1>a\n4 <2>b\n", []string{"0:<1>a", "0:<2>b"}, nil},
	{"counted, the line feed counted in", "5 <1>a\n5 <2>b\n", []string{"0:<1>a", "0:<2>b"}, nil},
	{"counted without a priority", "5 hello3 abc", []string{"0:hello", "0:abc"}, nil},
	{"mixed: line, then counted", "<1>a\n4 <2>b", []string{"0:<1>a", "0:<2>b"}, nil},
	{"mixed: counted, then line", "4 <1>a<2>b\n4 <3>c", []string{"0:<1>a", "2:<2>b", "0:<3>c"}, map[Reason]int{BadFraming: 1}},
	{"a line that begins with a number", "<1>a\n12 monkeys\n3 more\n", []string{"0:<1>a", "0:12 monkeys", "0:3 more"}, nil},
	{"a first line that begins with a date", "2024-01-02 x\n2024 y\n", []string{"0:2024-01-02 x", "0:2024 y"}, nil},
	{"a first line that begins with an address", "10.0.0.1 - -\n", []string{"0:10.0.0.1 - -"}, nil},
	{"leading zero is no count", "04 <1>a\n", []string{"0:04 <1>a"}, nil},
	{"count too long", "12345678 x\ny\n", []string{"0:12345678 x", "0:y"}, nil},
	{"count too small", "3 <1>abc\n5 <2>de", []string{"0:<1>", "2:abc", "0:<2>de"}, map[Reason]int{BadFraming: 1}},
	{"count too large for the stream", "9 <1>a", []string{"2:<1>a"}, map[Reason]int{BadFraming: 1}},
	{"count alone", "9 ", nil, map[Reason]int{BadFraming: 1, Empty: 1}},
	{"number alone", "9", []string{"0:9"}, nil},
	{"line with a number at the end", "<1>a\n12 ", []string{"0:<1>a", "0:12 "}, nil},
	{"longest line", "0123456789abcdef\nx\n", []string{"0:0123456789abcdef", "0:x"}, nil},
	{"line one over", "0123456789abcdefg\nx\n", []string{"1:0123456789abcdef", "0:x"}, map[Reason]int{Oversized: 1}},
	{"line far over", strings.Repeat("y", 100) + "\nx\n", []string{"1:yyyyyyyyyyyyyyyy", "0:x"}, map[Reason]int{Oversized: 1}},
	{"longest counted", "16 0123456789abcdef1 x", []string{"0:0123456789abcdef", "0:x"}, nil},
	{"counted one over", "17 0123456789abcdefg1 x", []string{"1:0123456789abcdef", "0:x"}, map[Reason]int{Oversized: 1}},
	{"counted far over", "100 " + strings.Repeat("y", 100) + "4 <1>x", []string{"1:yyyyyyyyyyyyyyyy", "0:<1>x"}, map[Reason]int{Oversized: 1}},
	{"counted far over, cut off", "9999999 " + strings.Repeat("y", 100), []string{"1:yyyyyyyyyyyyyyyy"}, map[Reason]int{Oversized: 1}},
	{"binary", "\xff\xfe\x01\n", []string{"0:\xff\xfe\x01"}, nil},
}

func TestFraming(t *testing.T) {
	for _, c := range framingCases {
		for _, chunk := range []int{1, 2, 7, 1 << 10} {
			for _, limit := range []int{1, 100} {
				got, counts := splitAll(c.in, 16, chunk, limit)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s, %d bytes at a time: %s", c.name, chunk, diff)
				}
				for r := range reasons {
					if n := int(counts.by[r].Load()); n != c.counts[r] {
						t.Errorf("%s: %s counted %d times, want %d", c.name, r, n, c.counts[r])
					}
				}
			}
		}
	}
}

// TestFramingAfterError flags the part of a line that a lost connection left.
func TestFramingAfterError(t *testing.T) {
	s := newSplitter(100, new(counters))
	s.filled(copy(s.room(), "<1>a\n<2>b"))
	s.cut = true
	recs, _ := s.split(nil, 1, 10, true)
	if len(recs) != 2 || recs[0].Flags != 0 || recs[1].Flags != FlagBadFraming || s.count.by[BadFraming].Load() != 1 {
		t.Fatalf("%+v", recs)
	}
}

// FuzzSplit holds the splitter to its bounds, and to giving the same records however the stream is cut up.
func FuzzSplit(f *testing.F) {
	for _, c := range framingCases {
		f.Add(c.in, uint8(16), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in string, most, chunk uint8) {
		limit := int(most)%64 + 1
		whole, counts := splitAll(in, limit, 1<<20, 1<<20)
		total := 0
		for _, r := range whole {
			if len(r)-2 > limit || len(r) == 2 {
				t.Fatalf("record of %d bytes with a limit of %d", len(r)-2, limit)
			}
			total += len(r) - 2
		}
		if total > len(in) {
			t.Fatalf("%d bytes of records from %d", total, len(in))
		}
		parts, partCounts := splitAll(in, limit, int(chunk)%9+1, int(chunk)%5+1)
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Fatal(diff)
		}
		for r := range reasons {
			if a, b := counts.by[r].Load(), partCounts.by[r].Load(); a != b {
				t.Fatalf("%s counted %d and %d times", r, a, b)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	line := "<134>1 2026-01-02T03:04:05Z host app 1 - - " + strings.Repeat("x", 250)
	for name, one := range map[string]string{"lines": line + "\n", "counted": fmt.Sprintf("%d %s", len(line), line)} {
		b.Run(name, func(b *testing.B) {
			stream := []byte(strings.Repeat(one, 1000))
			s := newSplitter(defaultRecordBytes, new(counters))
			var recs []Record
			records := 0
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for in := bytes.NewReader(stream); in.Len() > 0; {
					n, _ := in.Read(s.room())
					s.filled(n)
					for more := true; more; {
						recs, more = s.split(recs[:0], 1, maxBatchRecords, false)
						records += len(recs)
					}
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}
