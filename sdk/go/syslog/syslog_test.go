package syslog_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

var received = time.Date(2024, 6, 15, 12, 0, 0, 0, time.UTC).UnixNano()

// What senders write, and what Parse makes of it: host|app|pid|message and the time, "" for none.
func TestParse(t *testing.T) {
	for _, c := range []struct{ in, time, want string }{
		{"<34>Jun 14 22:14:15 box su[9]: failed", "2024-06-14T22:14:15Z", "box|su|9|failed"},
		{"Jun 14 22:14:15 box su: failed", "2024-06-14T22:14:15Z", "box|su||failed"},
		{"Jul  1 22:14:15 box su: last year", "2023-07-01T22:14:15Z", "box|su||last year"},
		{"<34>Jun 14 22:14:15  su[9]: no host", "2024-06-14T22:14:15Z", "|su|9|no host"},
		{"<34>Jun 14 22:14:15 su[9]: no host", "2024-06-14T22:14:15Z", "|su|9|no host"},
		{"<34>Jun 14 22:14:15 box date=2024-06-14 x=1", "2024-06-14T22:14:15Z", "box|||date=2024-06-14 x=1"},
		{"<34>Jun 14 22:14:15 date=2024-06-14 x=1", "2024-06-14T22:14:15Z", "|||date=2024-06-14 x=1"},
		{"<34>date=2024-06-14 time=22:14:15 x=1", "", "|||date=2024-06-14 time=22:14:15 x=1"},
		{"<34>Jun 14 2024 22:14:15 fw1 : %ASA-6-302013: Built", "2024-06-14T22:14:15Z", "fw1|||: %ASA-6-302013: Built"},
		{"<34>Jun 14 2024 22:14:15 fw1: %ASA-6-302013: Built", "2024-06-14T22:14:15Z", "|fw1||%ASA-6-302013: Built"},
		{"<189>237: 000485: rtr1: *Jun  8 19:46:03.295: %SYS-5-CONFIG_I: Configured", "2024-06-08T19:46:03.295Z", "|%SYS-5-CONFIG_I||Configured"},
		{"<189>237: Jun  8 19:46:03.295 UTC: %SYS-5-CONFIG_I: Configured", "2024-06-08T19:46:03.295Z", "|%SYS-5-CONFIG_I||Configured"},
		{"2024-06-14T22:14:15.123456+02:00 box kernel: [ 12.5] up", "2024-06-14T20:14:15.123456Z", "box|kernel||[ 12.5] up"},
		{"2024-06-14T22:14:15.101+0400 box halt[26]: down", "2024-06-14T18:14:15.101Z", "box|halt|26|down"},
		{"Jun 14 22:14:15 mac Web Browser[312]: objc[312]: weak", "2024-06-14T22:14:15Z", "mac|Web Browser|312|objc[312]: weak"},
		{"Jun 14 22:14:15 mac com.example.launchd[1] (com.example.job[44]): done", "2024-06-14T22:14:15Z", "mac|com.example.launchd[1] (com.example.job[44])||done"},
		{"Jun 14 22:14:15 box free text: with a colon", "2024-06-14T22:14:15Z", "box|||free text: with a colon"},
		{"Jun 14 22:14:15 box last message repeated 2 times", "2024-06-14T22:14:15Z", "box|||last message repeated 2 times"},
		{"<13>1 2024-06-14T22:14:15Z box app 7 ID - \ufefftext", "2024-06-14T22:14:15Z", "box|app|7|text"},
		{"<13>1 2024-06-14T22:14:15Z box app 7 ID [a k=\"v\"] text", "2024-06-14T22:14:15Z", "box|app|7|text"},
		{"<13>1 2024-06-14T22:14:15Z box app 7 ID [a k=v] text", "2024-06-14T22:14:15Z", "box|app|7|[a k=v] text"},
		{"<13>1 - - - - - -", "", "|||"},
		{"1 2024-06-14T22:14:15Z box app - - - text", "2024-06-14T22:14:15Z", "box|app||text"},
		{"<13>text", "", "|||text"},
		{"<13>Jun 14 22:14:15 box app: text\r\n", "2024-06-14T22:14:15Z", "box|app||text"},
		{"text", "", "refused"},
		{"", "", "refused"},
	} {
		var h syslog.Header
		got, at := "refused", ""
		if syslog.Parse([]byte(c.in), received, &h) {
			got = string(h.Hostname) + "|" + string(h.AppName) + "|" + string(h.ProcID) + "|" + string(h.Message)
			if h.HasTime {
				at = time.Unix(0, h.Time).UTC().Format(time.RFC3339Nano)
			}
		}
		if got != c.want || at != c.time {
			t.Errorf("%q:\n got %q at %q\nwant %q at %q", c.in, got, at, c.want, c.time)
		}
	}
}

func TestElementsOverLimit(t *testing.T) {
	build := func(n int) []byte {
		b := []byte("<13>1 - - - - - ")
		for i := range n {
			b = append(b, '[', 'a'+byte(i/26%26), 'a'+byte(i%26), '[', ']')
		}
		return b
	}
	var h syslog.Header
	if !syslog.ParseRFC5424(build(syslog.MaxElements), &h) {
		t.Errorf("%d elements are refused", syslog.MaxElements)
	}
	if syslog.ParseRFC5424(build(syslog.MaxElements+1), &h) {
		t.Errorf("%d elements are accepted", syslog.MaxElements+1)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<1>1 -     [a", // an element that does not end
		"<34>Jun 14 22:14:15 box su[9]: failed", "<189>237: rtr1: *Jun  8 19:46:03.295: %SYS-5-X: y",
		`<13>1 2024-06-14T22:14:15Z box app 7 ID [a k="v\]"] text`, "Jun 14 22:14:15 mac Web Browser[312]: x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, strict syslog.Header
		ok := syslog.Parse(b, received, &h)
		if syslog.ParseRFC5424(b, &strict) && !ok {
			t.Fatalf("%q: valid RFC 5424 is refused", b)
		}
		base := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		for _, v := range [][]byte{h.PRIText, h.TimeText, h.Hostname, h.AppName, h.ProcID, h.MsgID, h.SD, h.Message} {
			if p := uintptr(unsafe.Pointer(unsafe.SliceData(v))); len(v) > 0 && (p < base || p+uintptr(len(v)) > base+uintptr(len(b))) {
				t.Fatalf("%q: %q is no part of it", b, v)
			}
		}
		for p := syslog.ParamsOf(h.SD); p.Next(); {
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"rfc3164", "<86>Jun 14 22:14:15 box-17.example.org sshd[40411]: Accepted publickey for deploy from 192.0.2.7 port 50122 ssh2"},
		{"rfc5424", `<34>1 2024-05-06T07:08:09.010Z gate.example.org login 4711 AUTH [origin ip="192.0.2.7" user="x"] text`},
	} {
		b.Run(c.name, func(b *testing.B) {
			in := []byte(c.in)
			var h syslog.Header
			b.ReportAllocs()
			for b.Loop() {
				syslog.Parse(in, received, &h)
			}
		})
	}
}
