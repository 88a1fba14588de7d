package indicator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

func setOf(tb testing.TB, all ...Indicator) *Set {
	tb.Helper()
	text, err := Encode(all)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := Decode(text)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func indicators(tb testing.TB, values ...string) (all []Indicator) {
	tb.Helper()
	for _, v := range values {
		x, err := New("", v)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		t           Type
		value, want string // type and canonical value; "" refused
	}{
		{"", "192.0.2.7", "ip 192.0.2.7"},
		{"", " 192.0.2[.]7 ", "ip 192.0.2.7"},
		{"", "192.0.2.7/24", "ip 192.0.2.0/24"},
		{"", "192.0.2.7/32", "ip 192.0.2.7"},
		{"", "2001:DB8::0001", "ip 2001:db8::1"},
		{Address, "::ffff:192.0.2.7", "ip 192.0.2.7"},
		{"", "Evil[.]Example", "domain evil.example"},
		{Domain, "*.evil.example.", "domain evil.example"},
		{Domain, "evil", ""},
		{"", "hxxps://Evil[.]example:443/A?b=C#d", "url evil.example/A?b=C"},
		{"", "http://u:p@evil.example:8080/", "url evil.example:8080"},
		{URL, "evil.example/x", "url evil.example/x"},
		{"", "evil.example/x", "url evil.example/x"},
		{"", "http://", ""},
		{"", strings.Repeat("AB", 16), "file " + strings.Repeat("ab", 16)},
		{Hash, "abc", ""},
		{"", "Bad@Evil.example", "email bad@evil.example"},
		{Email, "bad@evil@example.com", ""},
		{"mutex", "x", ""},
		{"", "", ""},
		{URL, "evil.example/\x07", ""},
		{URL, "evil.example/" + strings.Repeat("x", MaxValueBytes), ""},
	} {
		x, err := New(c.t, c.value)
		if c.want == "" {
			if !errors.Is(err, storage.ErrInvalid) {
				t.Errorf("%s %q: %v", c.t, c.value, err)
			}
		} else if got := fmt.Sprint(x.Type, " ", x.Value); got != c.want || err != nil {
			t.Errorf("%s %q: %s %v, want %s", c.t, c.value, got, err, c.want)
		}
	}
}

// A set is the same whatever the order, and says of each value what lasts longest.
func TestEncode(t *testing.T) {
	a := Indicator{Type: Domain, Value: "evil.example", Confidence: 50, Expires: 100, Source: "a", Description: "x"}
	b := a
	b.Expires, b.Source = 0, "b"
	c := Indicator{Type: Address, Value: "192.0.2.7", Confidence: Unrated, Source: "b", Description: strings.Repeat("long", MaxTextBytes)}
	one, err := Encode([]Indicator{a, b, c})
	two, err2 := Encode([]Indicator{c, b, a})
	if err != nil || err2 != nil || string(one) != string(two) {
		t.Fatalf("%s, or %s: %v %v", one, two, err, err2)
	}
	s, err := Decode(one)
	if err != nil {
		t.Fatal(err)
	}
	c.Description = c.Description[:MaxTextBytes]
	if got := slices.Collect(s.All); !slices.Equal(got, []Indicator{c, b}) || s.Len() != 2 || s.Counts()[Domain] != 1 {
		t.Errorf("%+v", got)
	}
	if empty := setOf(t); empty.Len() != 0 || empty.Has("evil.example", 0) {
		t.Error("nothing is something")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "\n", "{}\n", `{"form":"indicators 2"}` + "\n",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\nx",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\na1.1.1.1\t0\t0\t0\n",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\na1.1.1.1\t0\t0\t1\t0\n",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\na1.1.1.1\t101\t0\t0\t0\n",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\nz1.1.1.1\t0\t0\t0\t0\n",
		`{"form":"indicators 1","sources":[""],"texts":[""]}` + "\na1.1.1.1/99\t0\t0\t0\t0\n",
	} {
		if _, err := Decode([]byte(text)); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMatch(t *testing.T) {
	sha := strings.Repeat("0a", 32)
	set := setOf(t, append(indicators(t, "192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "evil.example", "http://good.example/bad?x=1", sha, "bad@mail.example"),
		Indicator{Type: Domain, Value: "ended.example", Expires: 1000}, Indicator{Type: Domain, Value: "lasts.example", Expires: 1001})...)
	other := setOf(t, indicators(t, "192.0.2.7")...)
	for _, c := range []struct {
		fields string // name=value, separated by spaces
		want   string // field: indicator
	}{
		{"source.ip=192.0.2.7", "source.ip: 192.0.2.7, source.ip: 192.0.2.7"},
		{"source.ip=192.0.2.8 destination.ip=198.51.100.9", "destination.ip: 198.51.100.0/24"},
		{"source.ip=::ffff:198.51.100.9", "source.ip: 198.51.100.0/24"},
		{`source.ip=2001:db8::9%eth0`, "source.ip: 2001:db8::/32"},
		{`related.ip=["10.0.0.1","198.51.100.9"]`, "related.ip: 198.51.100.0/24"},
		{`related.ip=["10.0.0.1","198.51`, ""},
		{"dns.question.name=a.b.EVIL.example.", "dns.question.name: evil.example"},
		{"dns.question.name=bevil.example", ""},
		{"destination.domain=evil.example url.domain=evil.example", "destination.domain: evil.example"},
		{"url.full=https://www.evil.example:8443/x", "url.full: evil.example"},
		{"url.full=HTTP://Good.example:80/bad?x=1#y", "url.full: good.example/bad?x=1"},
		{"url.full=http://good.example/bad?x=2", ""},
		{"url.domain=good.example url.path=/bad url.query=x=1", "url.path: good.example/bad?x=1"},
		{"url.domain=good.example url.original=/bad?x=1", "url.path: good.example/bad?x=1"},
		{"url.original=http://good.example/bad?x=1", "url.original: good.example/bad?x=1"},
		{"url.full=http://[2001:db8::9]/x", "url.full: 2001:db8::/32"},
		{"url.full=http://198.51.100.9/x", "url.full: 198.51.100.0/24"},
		{"process.hash.sha256=" + strings.ToUpper(sha), "process.hash.sha256: " + sha},
		{"file.hash.ssdeep=" + sha, ""},
		{`email.from.address=["BAD@mail.example"]`, "email.from.address: bad@mail.example"},
		{"email.from.address=x@sub.evil.example", "email.from.address: evil.example"},
		{"dns.question.name=ended.example destination.domain=x.lasts.example", "destination.domain: lasts.example"},
		{"user.name=evil.example message=192.0.2.7", ""},
		{"source.ip= source.domain=. url.full=:// url.path=x url.domain=.", ""},
	} {
		ev := &storage.Event{Received: 1000}
		for _, f := range strings.Fields(c.fields) {
			name, value, _ := strings.Cut(f, "=")
			ev.Fields = append(ev.Fields, storage.Field{Name: name, Value: value})
		}
		var m Matcher
		var got []string
		for _, x := range m.Match([]Feed{{"one", set}, {"two", other}}, ev) {
			got = append(got, x.Field+": "+x.Value)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.fields, text, c.want)
		}
	}
	for value, want := range map[string]bool{"192.0.2.7": true, "198.51.100.77": true, "x.evil.example": true, "http://good.example/bad?x=1": true, sha: true, "bad@mail.example": true, "root": false, "": false, "x": false, "good.example": false} {
		if set.Has(value, 1000) != want {
			t.Errorf("as a list: %q", value)
		}
	}
}

func TestManyMatches(t *testing.T) {
	var values, addrs []string
	for n := range MaxMatches + 1 {
		values = append(values, fmt.Sprintf("192.0.2.%d", n))
		addrs = append(addrs, fmt.Sprintf("%q", values[n]))
	}
	ev := &storage.Event{Fields: []storage.Field{{Name: "related.ip", Value: "[" + strings.Join(addrs, ",") + "]"}}}
	var m Matcher
	if got := m.Match([]Feed{{"x", setOf(t, indicators(t, values...)...)}}, ev); len(got) != MaxMatches {
		t.Errorf("%d", len(got))
	}
}

// FuzzMatch looks for what the values of fields do to the matcher, and compares addresses and domains with looking at every
// indicator.
func FuzzMatch(f *testing.F) {
	f.Add("10.1.2.3", "a.evil.example.", "http://u@evil.example:80/x?y#z", `["a","b"]`)
	f.Add("::1%x", "..", "://", `["a`)
	f.Add("1.2.3.4", "evil.example", "https://[::1]:443", `["a\"","b"]`)
	set := setOf(f, indicators(f, "10.0.0.0/8", "::1", "evil.example", "x.evil.example", "http://evil.example/x")...)
	f.Fuzz(func(t *testing.T, addr, name, url, list string) {
		var m Matcher
		ev := &storage.Event{Fields: []storage.Field{{Name: "source.ip", Value: addr}, {Name: "dns.question.name", Value: name}}}
		for _, x := range m.Match([]Feed{{"x", set}}, ev) {
			if x.Field == "dns.question.name" && x.Type == Domain {
				if n := strings.TrimSuffix(strings.ToLower(name), "."); n != x.Value && !strings.HasSuffix(n, "."+x.Value) {
					t.Errorf("%q is no %s", name, x.Value)
				}
			}
		}
		for name := range kinds {
			m.Match([]Feed{{"x", set}}, &storage.Event{Fields: []storage.Field{{Name: name, Value: url}, {Name: "url.domain", Value: name}, {Name: "related.hosts", Value: list}, {Name: "url.query", Value: addr}}})
		}
		_ = set.Has(url, 0)
	})
}

// event is one of a proxy, with what a lookup costs in it: seven values in nine fields.
func event(n int) *storage.Event {
	return &storage.Event{Received: 1, Fields: []storage.Field{
		{Name: "event.action", Value: "allowed"},
		{Name: "event.category", Value: `["network","web"]`},
		{Name: "user.name", Value: "alice"},
		{Name: "source.ip", Value: "10.1.2.3"},
		{Name: "source.port", Value: "50123"},
		{Name: "destination.ip", Value: fmt.Sprintf("203.0.113.%d", n&255)},
		{Name: "destination.port", Value: "443"},
		{Name: "network.transport", Value: "tcp"},
		{Name: "network.bytes", Value: "4711"},
		{Name: "url.full", Value: fmt.Sprintf("https://www.shop-%d.example.com/catalogue/item?id=%d", n, n)},
		{Name: "url.domain", Value: fmt.Sprintf("www.shop-%d.example.com", n)},
		{Name: "http.request.method", Value: "GET"},
		{Name: "http.response.status_code", Value: "200"},
		{Name: "user_agent.original", Value: "Mozilla/5.0"},
		{Name: "related.ip", Value: `["10.1.2.3","203.0.113.9"]`},
		{Name: "observer.name", Value: "proxy-1"},
		{Name: "file.hash.sha256", Value: strings.Repeat("1f", 32)},
		{Name: "vedette.source", Value: "syslog 10.0.0.1"},
		{Name: "vedette.parser", Value: "vedette/proxy"},
		{Name: "vedette.digest", Value: "abcdef"},
	}}
}

func many(n int) []Indicator {
	rnd := rand.New(rand.NewPCG(1, 2))
	all := make([]Indicator, n)
	for i := range all {
		x := Indicator{Confidence: 75, Source: "a feed", Description: "command and control"}
		switch i % 5 {
		case 0:
			x.Type, x.Value = Address, fmt.Sprintf("198.%d.%d.%d", rnd.IntN(256), rnd.IntN(256), rnd.IntN(256))
		case 1, 2:
			x.Type, x.Value = Domain, fmt.Sprintf("host-%d.evil-%d.example", i, rnd.IntN(1000))
		case 3:
			x.Type, x.Value = URL, fmt.Sprintf("site-%d.example/%x", i, rnd.Uint64())
		case 4:
			x.Type, x.Value = Hash, fmt.Sprintf("%016x%016x%016x%016x", rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64())
		}
		all[i] = x
	}
	return all
}

func BenchmarkMatch(b *testing.B) {
	events := make([]*storage.Event, 1000)
	for i := range events {
		events[i] = event(i)
	}
	for _, size := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			feeds := []Feed{{"feed", setOf(b, many(size)...)}}
			var m Matcher
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if len(m.Match(feeds, events[n%len(events)])) > 0 {
					b.Fatal("a match")
				}
				n++
			}
			b.ReportMetric(float64(len(feeds[0].Set.text)+8*len(feeds[0].Set.slots))/(1<<20), "MiB")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	text, err := Encode(many(1_000_000))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}
