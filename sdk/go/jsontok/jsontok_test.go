package jsontok

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// shape writes the tokens of a document on one line.
func shape(doc string) string {
	var b strings.Builder
	names := [...]string{Invalid: "?", End: "end", Null: "null", False: "false", True: "true", Number: "num", String: "str", Object: "obj", Array: "arr"}
	s := New([]byte(doc))
	for s.Next() {
		if s.Key != nil {
			b.WriteString(string(s.Key) + ":")
		}
		b.WriteString(names[s.Kind])
		if s.Value != nil {
			b.WriteString("(" + string(s.Value) + ")")
		}
		if s.Escaped {
			b.WriteByte('!')
		}
		b.WriteByte(' ')
	}
	if s.Err() != nil {
		b.WriteString("error")
	}
	return strings.TrimSpace(b.String())
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{`{}`, "obj end"},
		{` [ ] `, "arr end"},
		{`{"a":1,"b":[true,false,null,-0.5e+3],"c":{"d":"x\ny"}}`, `obj a:num(1) b:arr true(true) false(false) null(null) num(-0.5e+3) end c:obj d:str(x\ny)! end end`},
		{`"only"`, "str(only)"},
		{`{"":""}`, "obj :str() end"},
		{``, "error"},
		{`{`, "obj error"},
		{`{"a":1,}`, "obj a:num(1) error"},
		{`[1,]`, "arr num(1) error"},
		{`[1 2]`, "arr num(1) error"},
		{`[01]`, "arr error"},
		{`[1.]`, "arr error"},
		{`[-]`, "arr error"},
		{`[1e]`, "arr error"},
		{`[+1]`, "arr error"},
		{`{"a" 1}`, "obj error"},
		{`{a:1}`, "obj error"},
		{`[}`, "arr error"},
		{`[nul]`, "arr error"},
		{`["\x"]`, "arr error"},
		{`["\u12g4"]`, "arr error"},
		{"[\"a\tb\"]", "arr error"},
		{`["open`, "arr error"},
		{`{} {}`, "obj end error"},
		{"{}\n", "obj end"},
	} {
		if got := shape(c.doc); got != c.want {
			t.Errorf("%s: %s, want %s", c.doc, got, c.want)
		}
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if !Valid(nested(MaxDepth)) {
		t.Error("MaxDepth containers are refused")
	}
	s := New(nested(MaxDepth + 1))
	for s.Next() {
	}
	if !errors.Is(s.Err(), ErrDepth) {
		t.Errorf("one container more: %v, want ErrDepth", s.Err())
	}
}

func TestSkipAndLeave(t *testing.T) {
	s := New([]byte(`{"a":{"b":[1,{"c":2}]},"d":[3],"e":{"f":{"g":4},"h":5},"i":6}`))
	s.Next()
	s.Next()
	if !s.Skip() || string(s.Key) != "a" || string(s.Value) != `{"b":[1,{"c":2}]}` || s.Depth != 1 {
		t.Fatalf("Skip: %q %q at depth %d", s.Key, s.Value, s.Depth)
	}
	s.Next()
	if !s.Skip() || string(s.Value) != "[3]" {
		t.Fatalf("Skip: %q", s.Value)
	}
	s.Next() // e
	s.Next() // f
	s.Next() // g
	if !s.Leave(1) || !s.Next() || string(s.Key) != "i" {
		t.Fatalf("Leave: at %q", s.Key)
	}
	if !s.Next() || s.Kind != End || s.Next() || s.Err() != nil {
		t.Fatalf("the end: %v", s.Err())
	}
}

func TestUnescape(t *testing.T) {
	for _, v := range []string{``, `plain`, `\"\\\/\b\f\n\r\t`, `C:\\Windows\\x`, `\u00e9\u4e2D`, `\uD83D\uDE00!`, `\ud83d`, `\ud83dx\ude00`, `\ud83d\u0041`, `\u0000`} {
		var want string
		if err := json.Unmarshal([]byte(`"`+v+`"`), &want); err != nil {
			t.Fatal(err)
		}
		if got := string(Unescape(nil, []byte(v))); got != want {
			t.Errorf("%s: %q, want %q", v, got, want)
		}
	}
	for _, v := range []string{`\`, `\u12`, `\u12\`, "\x00\"", `\q`} {
		if got := Unescape(nil, []byte(v)); len(got) > len(v) {
			t.Errorf("%q grows to %q", v, got)
		}
	}
}

func TestScratch(t *testing.T) {
	var s Scratch
	s.Reset(make([]byte, 8))
	a, ok1 := s.Text([]byte(`a\\b`), true)
	b, ok2 := s.Text([]byte(`c\\d`), true)
	c, ok3 := s.Text([]byte(`e\\f`), true)
	d, ok4 := s.Text([]byte("plain and long"), false)
	if e, ok := s.Copy([]byte("xy")); string(e) != "xy" || !ok {
		t.Errorf("Copy into the last two bytes: %q %v", e, ok)
	}
	if _, ok := s.Copy([]byte("z")); ok {
		t.Error("Copy into a full buffer")
	}
	if string(a) != `a\b` || string(b) != `c\d` || string(c) != `e\\f` || string(d) != "plain and long" || !ok1 || !ok2 || ok3 || !ok4 {
		t.Errorf("%q %v, %q %v, %q %v, %q %v", a, ok1, b, ok2, c, ok3, d, ok4)
	}
}

// process is a Sysmon process creation of about 1.1 KB in Winlogbeat's shape.
const process = `{"@timestamp":"2024-03-01T11:04:22.517Z","event":{"code":"1","kind":"event","provider":"Microsoft-Windows-Sysmon","action":"Process Create (rule: ProcessCreate)"},"host":{"name":"ws-17.example.net"},"log":{"level":"information"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"ws-17.example.net","event_id":"1","provider_name":"Microsoft-Windows-Sysmon","record_id":48213,"process":{"pid":2712,"thread":{"id":3944}},"user":{"identifier":"S-1-5-18"},"event_data":{"UtcTime":"2024-03-01 11:04:22.514","ProcessGuid":"{6a1f0c55-b7a6-65e1-9b02-000000001d00}","ProcessId":"7344","Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami.exe /groups /fo csv","CurrentDirectory":"C:\\Users\\eva\\","User":"EXAMPLE\\eva","LogonId":"0x8f21a","IntegrityLevel":"Medium","Hashes":"MD5=0E1C7A2B9F4D4E0D8B1B6D7C5A3F2E19,SHA256=7B5F0E6D1C2A39485766FEDCBA98765432100F1E2D3C4B5A69788796A5B4C3D2","ParentProcessId":"6120","ParentImage":"C:\\Windows\\System32\\cmd.exe","ParentCommandLine":"\"C:\\Windows\\System32\\cmd.exe\" /k"}}}`

func BenchmarkScan(b *testing.B) {
	doc, scratch := []byte(process), make([]byte, 1<<10)
	var texts Scratch
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		texts.Reset(scratch)
		s := New(doc)
		for s.Next() {
			texts.Text(s.Value, s.Escaped)
		}
		if s.Err() != nil {
			b.Fatal(s.Err())
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(process))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s := New(doc)
		for s.Next() {
		}
		if want := json.Valid(doc); !errors.Is(s.Err(), ErrDepth) && (s.Err() == nil) != want {
			t.Fatalf("%q: %v, encoding/json says %v", doc, s.Err(), want)
		}
	})
}
