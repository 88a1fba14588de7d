package kv_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/kv"
)

func pairs(s kv.Scanner) string {
	var out []string
	for s.Next() {
		v := string(s.Value)
		if s.Escaped {
			v = string(kv.Unescape(nil, s.Value))
		}
		out = append(out, string(s.Key)+"|"+v)
	}
	return strings.Join(out, "; ")
}

func TestScanner(t *testing.T) {
	for _, c := range []struct {
		sep   byte
		words bool
		in    string
		want  string
	}{
		{0, false, `a=1 b="two words" c= d=""`, `a|1; b|two words; c|; d|`},
		{0, false, `a="say \"hi\" \\ c:\dir"`, `a|say "hi" \ c:\dir`},
		{0, false, `a="never ends b=2`, `a|never ends b=2`},
		{0, false, `a="stray " quote" b=2`, `a|stray ; b|2`},
		{0, false, `a="in"side" b=2`, `a|in"side; b|2`},
		{0, false, `prefix: text [a=1 then b=2]`, `a|1; b|2]`},
		{0, false, `a=b=c url=http://x/?q=1`, `a|b=c; url|http://x/?q=1`},
		{0, false, `a=b c d=e`, `a|b; d|e`},
		{0, true, `a=b c  x d=e f`, `a|b c  x; d|e f`},
		{0, true, `a= d=e`, `a|; d|e`},
		{',', false, `a=1,b="x, y",c=3`, `a|1; b|x, y; c|3`},
		{',', false, `"a=1","b=""x, y""","c=z"`, `a|1; b|x, y; c|z`},
		{',', true, `a=1 2,word,b=3`, `a|1 2; b|3`},
		{0, false, `=x ==y a=`, `a|`},
		{0, false, "", ""},
	} {
		s := kv.New([]byte(c.in))
		s.Sep, s.Words = c.sep, c.words
		if got := pairs(s); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// naive reads plain pairs the obvious way: split at blanks, keep what has a key.
func naive(s string) (out []string) {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
		if k, v, ok := strings.Cut(w, "="); ok && k != "" && strings.IndexFunc(k, notKey) < 0 {
			out = append(out, k+"|"+v)
		}
	}
	return out
}

func notKey(r rune) bool {
	isKey := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/@#$%+*", r)
	return r < 0x80 && !isKey
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{`a=1 b="two words" c= d=""`, `a="\"" b`, `"a=""x"""`, "a=b=c", "x y=z"} {
		f.Add(s, byte(','), true)
		f.Add(s, byte(0), false)
	}
	f.Fuzz(func(t *testing.T, in string, sep byte, words bool) {
		b := []byte(in)
		s := kv.New(b)
		s.Sep, s.Words = sep, words
		base := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		last := -1
		for s.Next() {
			for _, v := range [][]byte{s.Key, s.Value} {
				if p := uintptr(unsafe.Pointer(unsafe.SliceData(v))); p < base || p+uintptr(len(v)) > base+uintptr(len(b)) {
					t.Fatalf("%q: %q is no part of it", in, v)
				}
			}
			if at := len(in) - len(s.Rest()); len(s.Key) == 0 || at <= last {
				t.Fatalf("%q: no progress at %d", in, at)
			} else {
				last = at
			}
		}
		if words || sep != 0 || strings.IndexFunc(in, func(r rune) bool { return notKey(r) && !strings.ContainsRune(" \t\n\r=", r) }) >= 0 ||
			strings.HasPrefix(in, "=") || strings.Contains(in, " =") || strings.ContainsAny(in, "\t\n\r") {
			return // beyond what the naive reader knows
		}
		s = kv.New(b)
		if got, want := pairs(s), strings.Join(naive(in), "; "); got != want {
			t.Fatalf("%q: got %q, the naive reader %q", in, got, want)
		}
	})
}

const line = `date=2024-03-01 time=12:00:01 devname="fw-berlin-01" devid="FG100FTK20001234" eventtime=1709294401123456789 tz="+0100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.20.30.40 srcport=51514 srcintf="lan" srcintfrole="lan" dstip=198.51.100.23 dstport=443 dstintf="wan1" dstintfrole="wan" srccountry="Reserved" dstcountry="Germany" sessionid=8812345 proto=6 action="close" policyid=12 policytype="policy" poluuid="5d3f6a1e-aaaa-51ee-bbbb-0123456789ab" service="HTTPS" trandisp="snat" transip=203.0.113.9 transport=51514 duration=61 sentbyte=4821 rcvdbyte=91822 sentpkt=31 rcvdpkt=77 appcat="unscanned"`

func BenchmarkScanner(b *testing.B) {
	in := []byte(line)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		for s := kv.New(in); s.Next(); {
			n++
		}
	}
	b.ReportMetric(float64(n), "pairs")
}
