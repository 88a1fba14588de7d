package indicator

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/storage"
)

// shown is what a document says, a line for each thing.
func shown(r Read) string {
	var b strings.Builder
	for _, x := range r.Indicators {
		fmt.Fprintf(&b, "%s %s", x.Type, x.Value)
		if x.Confidence != Unrated {
			fmt.Fprintf(&b, " %d%%", x.Confidence)
		}
		if x.Expires != 0 {
			fmt.Fprintf(&b, " until %s", time.Unix(0, x.Expires).UTC().Format(time.RFC3339))
		}
		for _, text := range []string{x.Source, x.Description} {
			if text != "" {
				fmt.Fprintf(&b, " %q", text)
			}
		}
		b.WriteByte('\n')
	}
	for _, x := range r.Withdrawn {
		fmt.Fprintf(&b, "not %s %s\n", x.Type, x.Value)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "! %s: %s\n", p.Where, p.Text)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	cases, err := txtar.ParseFile("testdata/read.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(cases.Files); i += 2 {
		in, want := cases.Files[i], cases.Files[i+1]
		format, _, _ := strings.Cut(in.Name, "/")
		if got := FormatOf(in.Data); got != Format(format) {
			t.Errorf("%s looks like %s", in.Name, got)
		}
		r, err := Parse(Format(format), in.Data, Defaults{Source: "default"})
		if err != nil {
			t.Errorf("%s: %v", in.Name, err)
		}
		if got := shown(r); got != string(want.Data) {
			t.Errorf("%s: got\n%swant\n%s", in.Name, got, want.Data)
		}
	}
}

func TestPatterns(t *testing.T) {
	md5 := strings.Repeat("ab", 16)
	for text, want := range map[string]string{
		"[ipv4-addr:value = '192.0.2.7']":                                             "ip 192.0.2.7",
		"[ipv4-addr:value = '192.0.2.7' OR domain-name:value = 'evil.example']":       "ip 192.0.2.7, domain evil.example",
		"[ipv4-addr:value IN ('192.0.2.7', '192.0.2.8')] OR [url:value = 'http://x']": "ip 192.0.2.7, ip 192.0.2.8, url http://x",
		"([ipv4-addr:value ISSUBSET '192.0.2.0/24'])":                                 "ip 192.0.2.0/24",
		"[file:hashes.'MD5' = '" + md5 + "' AND file:name = 'a\\'b']":                 "file " + md5,
		"[file:hashes.MD5 = 'a' AND (file:hashes.'SHA-1' = 'b' OR file:size = 3)]":    "file a, file b",
		"[email-message:from_ref.value='x@y.z']":                                      "email x@y.z",
		"[network-traffic:dst_ref.value = '192.0.2.7']":                               "ip 192.0.2.7",
		"[domain-name:value = 'a.b' AND ipv4-addr:value = '192.0.2.7']":               "! needs several values",
		"[domain-name:value = 'a.b'] AND [url:value = 'x']":                           "! several observations (AND)",
		"[domain-name:value = 'a.b'] FOLLOWEDBY [url:value = 'x']":                    "! several observations (FOLLOWEDBY)",
		"[domain-name:value = 'a.b'] WITHIN 5 SECONDS":                                "! a qualifier (WITHIN)",
		"[domain-name:value != 'a.b']":                                                "! is not so",
		"[domain-name:value NOT = 'a.b']":                                             "! is not so",
		"[url:value LIKE 'http://%']":                                                 "! compares url:value by LIKE",
		"[domain-name:value ISSUBSET 'x']":                                            "! compares domain-name:value by ISSUBSET",
		"[process:name = 'x']":                                                        "! looks for process:name",
		"[file:name = 'x']":                                                           "! nothing that is looked for",
		"[file:hashes.SSDEEP = 'x']":                                                  "! nothing that is looked for",
		"[ipv4-addr:value = '192.0.2.7'] x":                                           "! stands behind",
		"[ipv4-addr:value = ":                                                         "! ends where a value",
		"[ipv4-addr:value IN ('x' 'y')]":                                              "! should stand",
		"ipv4-addr:value = 'x'":                                                       "! should stand",
		"['x' = 'y']":                                                                 "! a path should stand",
		"":                                                                            "! should stand",
		strings.Repeat("(", MaxPatternDepth+2):                                        "! nested deeper",
		"[" + strings.Repeat("(", MaxPatternDepth+2):                                  "! nested deeper",
		strings.Repeat(" ", MaxPatternBytes+1):                                        "! at most",
	} {
		found, err := patternOf(text)
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.t, " ", f.value))
		}
		if why, bad := strings.CutPrefix(want, "! "); bad {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%.80s: %v %v", text, got, err)
			}
		} else if strings.Join(got, ", ") != want || err != nil {
			t.Errorf("%.80s: %v %v, want %s", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		f    Format
		text string
		err  error
	}{
		{"xml", "<a/>", storage.ErrInvalid},
		{List, "\xff", storage.ErrInvalid},
		{STIX, "{", storage.ErrInvalid},
		{STIX, "[1]", storage.ErrInvalid},
		{STIX, `{"type":"report","title":"x"}`, storage.ErrInvalid},
		{MISP, "{}", storage.ErrInvalid},
		{MISP, "[", storage.ErrInvalid},
		{CSV, "first,second\nx,y\n", storage.ErrInvalid},
		{List, strings.Repeat("\n", MaxFeedBytes+1), storage.ErrExhausted},
	} {
		if _, err := Parse(c.f, []byte(c.text), Defaults{}); !errors.Is(err, c.err) {
			t.Errorf("%s %.40q: %v", c.f, c.text, err)
		}
	}
	r, err := Parse(List, []byte(strings.Repeat("nothing\n", MaxProblems+1)), Defaults{})
	if err != nil || len(r.Problems) != MaxProblems || r.Total != MaxProblems+1 {
		t.Errorf("%d of %d problems, %v", len(r.Problems), r.Total, err)
	}
	if _, err := Encode(make([]Indicator, 0)); err != nil {
		t.Error(err)
	}
	r, err = Parse(List, []byte("192.0.2.7\n"), Defaults{Confidence: 300, Expires: 5, Source: "x"})
	if err != nil || r.Indicators[0].Confidence != 100 || r.Indicators[0].Expires != 5 || r.Indicators[0].Source != "x" {
		t.Errorf("%+v %v", r.Indicators, err)
	}
}

func TestTooMany(t *testing.T) {
	all := make([]Indicator, MaxIndicators+1)
	for i := range all {
		all[i] = Indicator{Type: Domain, Value: fmt.Sprintf("%08d.example", i)}
	}
	if _, err := Encode(all); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("an indicator more: %v", err)
	}
}

// FuzzParse: whatever is read can be kept, and is the same when it comes back.
func FuzzParse(f *testing.F) {
	cases, err := txtar.ParseFile("testdata/read.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i+1 < len(cases.Files); i += 2 {
		format, _, _ := strings.Cut(cases.Files[i].Name, "/")
		f.Add(format, cases.Files[i].Data)
	}
	f.Fuzz(func(t *testing.T, format string, text []byte) {
		FormatOf(text)
		r, err := Parse(Format(format), text, Defaults{})
		if err != nil {
			return
		}
		kept, err := Encode(r.Indicators)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Decode(kept)
		if err != nil {
			t.Fatalf("%q: %v", kept, err)
		}
		for _, x := range r.Indicators {
			if again, err := New(x.Type, x.Value); err != nil || again.Value != x.Value {
				t.Fatalf("%s %q becomes %q: %v", x.Type, x.Value, again.Value, err)
			}
			if s.find(x.Type.number(), x.Value, hashOf(x.Type.number(), x.Value)) == 0 {
				t.Fatalf("%s %q is not found", x.Type, x.Value)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	text, err := Encode(indicators(f, "192.0.2.7", "198.51.100.0/24", "evil.example"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Decode(text)
		if err != nil {
			return
		}
		n := 0
		for x := range s.All {
			_ = s.Has(x.Value, 1)
			n++
		}
		if n != s.Len() {
			t.Errorf("%d of %d", n, s.Len())
		}
	})
}
