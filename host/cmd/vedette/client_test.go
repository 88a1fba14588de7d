package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func TestMoment(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"now": "2026-01-31T12:00:00Z", "90s": "2026-01-31T11:58:30Z", "-2h": "2026-01-31T10:00:00Z", "7d": "2026-01-24T12:00:00Z",
		"2026-01-30T01:02:03Z": "2026-01-30T01:02:03Z", "": "", "7x": "", "1.5d": "", "-d": "", "--1h": "", "yesterday": "",
	} {
		got, err := moment(text, now)
		if (err == nil) != (want != "") || err == nil && got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

// What senders wrote cannot act on a terminal or in a spreadsheet.
func TestForeignTextIsHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "\x1b]0;owned\x07x": " ]0;owned x", "a\r\nb": "a  b", "x\u202ey": "x y", "ünï": "ünï", "\xff": " ",
		strings.Repeat("y", maxCellRunes+1): strings.Repeat("y", maxCellRunes) + "…",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"": "", "plain": "plain", "=HYPERLINK(1)": "'=HYPERLINK(1)", "+1+cmd": "'+1+cmd", "-5": "-5", "+1.5e3": "+1.5e3", "-x": "'-x", "@SUM": "'@SUM",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "a=1": "a=1",
	} {
		if got := harmless(in); got != want {
			t.Errorf("harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

func events() []*v1.Event {
	at := timestamppb.New(time.Date(2026, 1, 31, 12, 0, 0, 5e6, time.UTC))
	return []*v1.Event{
		{Id: "7-0-0-0-0", Tenant: 1, Time: at, Raw: "=cmd first", Fields: map[string]string{"event.dataset": "a.log", "source.ip": "10.0.0.1"}},
		{Id: "8-0-0-0-0", Tenant: 2, Time: at, Raw: "second \x1b[2J", Fields: map[string]string{"event.dataset": "b.log", "user.name": `["ann","ben"]`}},
	}
}

func TestEventOutput(t *testing.T) {
	for _, c := range []struct{ form, columns, want string }{
		{"table", "", `
@TIMESTAMP                ORGANIZATION  EVENT.DATASET  EVENT.ORIGINAL
2026-01-31T12:00:00.005Z  1             a.log          =cmd first
2026-01-31T12:00:00.005Z  2             b.log          second  [2J
`},
		{"table", "user.name,source.ip", "\nUSER.NAME  SOURCE.IP\n           10.0.0.1\nann, ben\n"},
		{"csv", "", `
@timestamp,organization,id,event.dataset,event.original,source.ip,user.name
2026-01-31T12:00:00.005Z,1,7-0-0-0-0,a.log,'=cmd first,10.0.0.1,
2026-01-31T12:00:00.005Z,2,8-0-0-0-0,b.log,second \x1b[2J,,"ann, ben"
`},
		{"json", "", `
{"@timestamp":"2026-01-31T12:00:00.005Z","event.dataset":"a.log","event.original":"=cmd first","id":"7-0-0-0-0","organization":1,"source.ip":"10.0.0.1"}
{"@timestamp":"2026-01-31T12:00:00.005Z","event.dataset":"b.log","event.original":"second \u001b[2J","id":"8-0-0-0-0","organization":2,"user.name":["ann","ben"]}
`},
	} {
		var b bytes.Buffer
		e := &eventPrinter{w: &b, form: c.form, wait: c.form == "csv" && c.columns == ""}
		if c.columns != "" {
			e.columns = strings.Split(c.columns, ",")
		}
		for _, ev := range events() { // one portion each
			if err := e.print([]*v1.Event{ev}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.end(); err != nil {
			t.Fatal(err)
		}
		if got := "\n" + b.String(); got != c.want {
			t.Errorf("%s %s:%s\nwant%s", c.form, c.columns, got, c.want)
		}
	}
	if err := (&eventPrinter{w: &bytes.Buffer{}, form: "xml"}).print(events()); err == nil || !strings.Contains(err.Error(), "table, json or csv") {
		t.Errorf("an unknown form: %v", err)
	}
}

// The columns of a query with pipes are what it returns.
func TestTableOfPipes(t *testing.T) {
	var b bytes.Buffer
	e := &eventPrinter{w: &b, form: "table"}
	if err := e.print([]*v1.Event{{Fields: map[string]string{"source.ip": "10.0.0.1", "hits": "12"}}}); err != nil {
		t.Fatal(err)
	}
	if want := "HITS  SOURCE.IP\n12    10.0.0.1\n"; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestSessionFile(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("VEDETTE_SERVER", "")
	t.Setenv("VEDETTE_TOKEN", "")
	s, err := readSessions()
	if err != nil {
		t.Fatal(err)
	}
	cmd := newIncidents()
	if _, err := open(cmd); err == nil || !strings.Contains(err.Error(), "vedette login") {
		t.Errorf("without a session: %v", err)
	}
	s.Server, s.Tokens["http://a:1"], s.Tokens["https://b"] = "http://a:1", "ta", "tb"
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	want := func(server, token string) {
		t.Helper()
		if got, err := open(cmd); err != nil || got != (session{server, token}) {
			t.Errorf("%v, %v, want %s and %s", got, err, server, token)
		}
	}
	want("http://a:1", "ta")
	t.Setenv("VEDETTE_SERVER", "https://b/")
	want("https://b", "tb")
	t.Setenv("VEDETTE_TOKEN", "te")
	want("https://b", "te")
	if err := cmd.Flags().Set("server", "http://a:1"); err != nil {
		t.Fatal(err)
	}
	want("http://a:1", "te")
	for _, bad := range []string{"ftp://x", "localhost:8080", "http://user:pass@x", "http://"} {
		if err := cmd.Flags().Set("server", bad); err != nil {
			t.Fatal(err)
		}
		if _, err := open(cmd); err == nil {
			t.Errorf("server %q is taken", bad)
		}
	}
}

func TestPasswordFromStandardInput(t *testing.T) {
	for in, want := range map[string]string{"secret\n": "secret", "secret\r\nmore": "secret", "no end": "no end", " sp ace \n": " sp ace "} {
		if got, err := readPassword(t.Context(), strings.NewReader(in), nil, ""); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := readPassword(t.Context(), strings.NewReader("\n"), nil, ""); err == nil {
		t.Error("an empty password is taken")
	}
}
