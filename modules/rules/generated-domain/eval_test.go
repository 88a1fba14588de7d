package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// Names that are made up by chance are told from names made of words, of which two words were never seen together.
func TestRandom(t *testing.T) {
	text, err := os.ReadFile("testdata/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(text))
	r := rand.New(rand.NewPCG(1, 2))
	made := func(alphabet string, least, more int) string {
		b := make([]byte, least+r.IntN(more))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	share := func(name func() string) int {
		n := 0
		for range 5000 {
			if random([]byte(name())) >= Random {
				n++
			}
		}
		return n * 100 / 5000
	}
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct {
		kind        string
		name        func() string
		least, most int
	}{
		{"letters", func() string { return made(letters, 8, 13) }, 94, 100},
		{"letters and digits", func() string { return made(letters+"0123456789", 10, 10) }, 97, 100},
		{"hexadecimal", func() string { return made("0123456789abcdef", 12, 20) }, 90, 100},
		{"two words", func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }, 0, 1},
		{"words and a hyphen", func() string { return words[r.IntN(len(words))] + "-" + words[r.IntN(len(words))] }, 0, 1},
	} {
		if got := share(c.name); got < c.least || got > c.most {
			t.Errorf("%s: %d %% look made up, want %d to %d", c.kind, got, c.least, c.most)
		}
	}
	for _, name := range strings.Fields(`microsoftonline windowsupdate githubusercontent stackoverflow cloudfront doubleclick
		googlesyndication sueddeutsche aliexpress office365 deutsche-bank volkswagen krankenkasse kubernetes thyssenkrupp`) {
		if got := random([]byte(name)); got >= Random {
			t.Errorf("%s looks made up: %d", name, got)
		}
	}
}

func TestChosenPart(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.com": "example", "example.com.": "example", "a.b.example.co.uk": "example", "co.uk": "co", "bbc.uk": "bbc", "localhost": "", "": "", ".": "", "..": "",
		"d1a2b3.cloudfront.net": "cloudfront", "x.de": "x",
	} {
		if got := string(chosenPart([]byte(name))); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func eval(t testing.TB, settings string, names ...string) (found []string) {
	t.Helper()
	state.Native = state.New(state.Limits{}, nil)
	t.Cleanup(func() { state.Native = nil })
	if err := Init([]byte(settings)); err != nil {
		t.Fatal(err)
	}
	var b sdk.Buffers
	for _, name := range names {
		var e abi.RowsEncoder
		e.Begin(1, 4, 1, 1)
		e.Event(1)
		e.Cell(hostName, "ws-17")
		e.Cell(questionName, name)
		status, out := sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), b.Grow(0, 64<<10))
		if status != abi.StatusOK {
			t.Fatalf("status %d", status)
		}
		if err := abi.DecodeFindings(out, 1, func(f abi.Finding) { found = append(found, string(f.Title)+": "+string(f.Reason)) }); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// Many names are reported although nobody knows what became of them, once; those below an allowed domain are not counted.
func TestMany(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var names []string
	for range 40 {
		b := []byte("zzzzzzzzzzzz.example.com")
		for i := range 12 {
			b[i] = "bcdfghjklmnpqrstvwxz"[r.IntN(20)]
		}
		names = append(names, strings.Replace(string(b), ".example", "", 1), string(b))
	}
	got := eval(t, "", names...)
	if len(got) != 1 || !strings.Contains(got[0], ": 20 different names within 10 minutes; of 39 questions 0 were") {
		t.Errorf("%q", got)
	}
	if got := eval(t, `{"many_names":2,"allowed":["COM"]}`, names...); len(got) != 0 {
		t.Errorf("allowed: %q", got)
	}
	if got := eval(t, "", strings.Repeat("x", 5000), strings.Repeat("q.", 200), "\x00\xff", "."); len(got) != 0 {
		t.Errorf("odd names: %q", got)
	}
}

func BenchmarkEval(b *testing.B) {
	state.Native = state.New(state.Limits{}, nil)
	b.Cleanup(func() { state.Native = nil })
	if err := Init(nil); err != nil {
		b.Fatal(err)
	}
	const n = 256
	var e abi.RowsEncoder
	e.Begin(n, 4, 1, 1)
	for i := range n {
		e.Event(int64(i))
		e.Cell(sourceIP, fmt.Sprint("10.0.0.", i%20))
		e.Cell(questionName, fmt.Sprint("host", i, ".weatherforecast.com"))
	}
	buf := (&sdk.Buffers{}).Grow(0, 64<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), buf)
		}
	}
}
