package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `203.0.113.7 - - [01/Mar/2024:12:00:01 +0100] "GET /shop/item.php?id=17 HTTP/1.1" 200 5123 "https://example.net/shop" "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0"`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func TestLimits(t *testing.T) {
	line := func(head, path string) []byte {
		return []byte(head + ` - - [01/Mar/2024:12:00:01 +0100] "GET ` + path + ` HTTP/1.1" 200 1 "-" "x"`)
	}
	got, err := moduletest.Events(parser, moduletest.Received, line(strings.Repeat("192.0.2.1, ", MaxAddresses)+"198.51.100.9", "/"))
	if err != nil || bytes.Contains(got, []byte("198.51.100.9")) {
		t.Errorf("one address more: %s %v", got, err)
	}
	long := "/" + strings.Repeat("%41", MaxPathBytes/3)
	got, err = moduletest.Events(parser, moduletest.Received, line("192.0.2.1", long+"%42"))
	if err != nil || !bytes.Contains(got, []byte(`"url.path":"`+long)) {
		t.Errorf("a longer path: %.200s %v", got, err)
	}
	got, err = moduletest.Events(parser, moduletest.Received, line(strings.Repeat("x", MaxHeadBytes), "/"))
	if err != nil || !bytes.Contains(got, []byte("not mine")) {
		t.Errorf("a longer head: %.200s %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample,
		`example.net:443 10.0.0.2, "192.0.2.1" - eva [01/Mar/2024:12:00:01 +0100] "\x16\x03" 400 0 "-" "-" "203.0.113.1"`,
		`192.0.2.1 - - [01/Mar/2024:12:00:01 +0100] "GET http://h:1/%41?x HTTP/2.0" 502 552 "-" "a" 27 0.000 [web] [] 10.0.0.1:80, 10.0.0.2:80 -, 1 0.1, 0.2 200, - id`,
		`2024/03/01 12:00:02 [crit] 7#0: *9 connect() failed, client: 192.0.2.1, server: x, request: "GET / HTTP/1.1", upstream: "http://10.0.0.1/", host: "x"`,
		`<190>Mar  1 12:00:00 web nginx: 192.0.2.1 - - [01/Mar/2024:12:00:01 +0100] "" 400 0 "-" "-"`)
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
