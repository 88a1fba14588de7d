package spec

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestSuggest: each case is a set of samples, the spec proposed for them and the shapes of the samples. A proposed spec
// is always sound and, unless it is for keys, reads all of its samples.
func TestSuggest(t *testing.T) {
	const name = "testdata/suggest.txtar"
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+2 < len(a.Files); i += 3 {
		samples := strings.Split(strings.TrimSuffix(string(a.Files[i].Data), "\n"), "\n")
		yaml := Suggest(samples, "")
		var shapes strings.Builder
		for _, s := range samples {
			shapes.WriteString(Shape(s) + "\n")
		}
		if *update {
			a.Files[i+1].Data, a.Files[i+2].Data = []byte(yaml), []byte(shapes.String())
		}
		if d := cmp.Diff(string(a.Files[i+1].Data), yaml); d != "" {
			t.Errorf("%s (-want +got):\n%s", a.Files[i].Name, d)
		}
		if d := cmp.Diff(string(a.Files[i+2].Data), shapes.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", a.Files[i].Name, d)
		}
		s, problems := Parse([]byte(yaml))
		if s == nil {
			t.Errorf("%s: %v", a.Files[i].Name, problems)
			continue
		}
		for _, sample := range samples {
			body, _ := unframe(sample)
			if s.program.Framing == 0 {
				body = strings.TrimSpace(sample)
			}
			if _, ok, _ := walked(s.program, s.names, body); !ok && s.Templates() > 0 {
				t.Errorf("%s: the proposal does not read %q", a.Files[i].Name, sample)
			}
		}
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSuggestLimits: samples beyond MaxSamples are not looked at, nor bytes beyond MaxSampleBytes.
func TestSuggestLimits(t *testing.T) {
	samples := make([]string, MaxSamples, MaxSamples+1)
	for i := range samples {
		samples[i] = "link down on port 7"
	}
	want := Suggest(samples, "")
	if got := Suggest(append(samples, "an entirely different line"), ""); got != want {
		t.Errorf("one sample too many changes the proposal:\n%s", got)
	}
	long := "text " + strings.Repeat("y", MaxSampleBytes-5)
	if Suggest([]string{long}, "") != Suggest([]string{long + "z"}, "") {
		t.Error("one byte too many changes the proposal")
	}
}

func TestShapeIsBounded(t *testing.T) {
	for _, raw := range []string{strings.Repeat("word ", 100_000), strings.Repeat("ü", 5000), strings.Repeat("\xff", 5000), "{" + strings.Repeat(`"a":{`, 60), ""} {
		if s := Shape(raw); len(s) > MaxShapeBytes {
			t.Errorf("a shape of %d bytes", len(s))
		}
	}
	if a, b := Shape("link 7 down after 12 ms from 192.0.2.1"), Shape("link 8 down after 900 ms from 2001:db8::1"); a != b || a != "link <int> down after <int> ms from <ip>" {
		t.Errorf("%q and %q", a, b)
	}
}

// FuzzSuggest: whatever the samples are, the proposal is YAML that Parse reads, and what can be wrong with it is only
// that nothing tells the records from others. It reads its samples.
func FuzzSuggest(f *testing.F) {
	a, err := txtar.ParseFile("testdata/suggest.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(a.Files); i += 3 {
		lines := strings.SplitN(string(a.Files[i].Data), "\n", 3)
		f.Add(lines[0], lines[len(lines)-1], "acme")
	}
	f.Fuzz(func(t *testing.T, one, two, prefix string) {
		yaml := Suggest([]string{one, two}, prefix)
		Shape(one)
		s, problems := Parse([]byte(yaml))
		for _, p := range problems {
			if !strings.Contains(p.Text, "from others") && !strings.Contains(p.Text, "the limit is") {
				t.Fatalf("%q, %q: %s\n%s", one, two, p, yaml)
			}
		}
		if s == nil || s.Templates() == 0 {
			return
		}
		for _, sample := range []string{one, two} {
			sample = strings.TrimSpace(strings.ToValidUTF8(sample[:min(len(sample), MaxSampleBytes)], "?"))
			body, _ := unframe(sample)
			if s.program.Framing == 0 {
				body = sample
			}
			if _, ok, _ := walked(s.program, s.names, body); !ok && body != "" && (s.program.Framing == 0 || body != sample) {
				t.Fatalf("the proposal does not read %q\n%s", sample, yaml)
			}
		}
	})
}

// TestQuickEnoughForAKeystroke holds the console's budget with room for a busy machine.
func TestQuickEnoughForAKeystroke(t *testing.T) {
	samples := make([]string, MaxSamples)
	for i := range samples {
		samples[i] = strings.Repeat("user ada failed to log in from 192.0.2.7 port 99, ", 5)
	}
	best := time.Hour
	for range 5 {
		start := time.Now()
		Parse([]byte(Suggest(samples, "")))
		best = min(best, time.Since(start))
	}
	if best > 100*time.Millisecond {
		t.Errorf("%d samples take %v", len(samples), best)
	}
	t.Logf("%d samples of %d bytes take %v", len(samples), len(samples[0]), best)
}

func BenchmarkSuggest(b *testing.B) {
	line := "<38>Feb 29 08:00:02 web-3 sshd[2102]: Failed password for invalid user oracle from 203.0.113.7 port 40022 ssh2"
	b.ReportAllocs()
	for b.Loop() {
		Suggest([]string{line, line, line}, "")
	}
}

func BenchmarkShape(b *testing.B) {
	line := "<38>Feb 29 08:00:02 web-3 sshd[2102]: Failed password for invalid user oracle from 203.0.113.7 port 40022 ssh2"
	b.ReportAllocs()
	for b.Loop() {
		Shape(line)
	}
}
