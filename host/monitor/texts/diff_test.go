package texts

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct{ a, b, want string }{
		"same":   {"a\nb\n", "a\nb\n", ""},
		"added":  {"a\nc\n", "a\nb\nc\n", "@@ -1,2 +1,3 @@\n a\n+b\n c\n"},
		"first":  {"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
		"last":   {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
		"no end": {"a\nb", "a\nc", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"},
	} {
		if d := Diff([]byte(c.a), []byte(c.b), 1<<20); string(d.Text) != c.want || d.Cut {
			t.Errorf("%s: got\n%s\nwant\n%s", name, d.Text, c.want)
		}
	}
	d := Diff([]byte(strings.Repeat("a\n", 50)), []byte(strings.Repeat("b\n", 50)), 40)
	if !d.Cut || len(d.Text) > 40 || !bytes.HasSuffix(d.Text, []byte("\n")) || d.Added != 50 || d.Removed != 50 {
		t.Errorf("cut: %+v", d)
	}
	many := func(s string) []byte {
		var b strings.Builder
		for i := range 4000 {
			b.WriteString(s + strings.Repeat("x", i%7) + "\n")
		}
		return []byte(b.String())
	}
	if d := Diff(many("a"), many("b"), 1<<10); d.Added != 4000 || d.Removed != 4000 {
		t.Errorf("texts without a common line: %d added, %d removed", d.Added, d.Removed)
	}
}

// Whatever the texts, patch(1) makes the one of the other.
func TestDiffAgainstPatch(t *testing.T) {
	tool, err := exec.LookPath("patch")
	if err != nil {
		t.Fatal("patch is not here: `make deps` installs it")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		a := text(r, r.IntN(60), "")
		b := text(r, r.IntN(60), a)
		if a == b {
			continue
		}
		d := Diff([]byte(a), []byte(b), 1<<20)
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(a), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tool, "-s", "--no-backup-if-mismatch", file)
		cmd.Stdin = strings.NewReader("--- a\n+++ b\n" + string(d.Text))
		out, err := cmd.CombinedOutput()
		got, _ := os.ReadFile(file)
		if err != nil || string(got) != b {
			t.Fatalf("case %d: %v %s\n%s", n, err, out, d.Text)
		}
	}
}

// text returns lines of few kinds, of which some are those of another text.
func text(r *rand.Rand, n int, like string) string {
	lines := strings.SplitAfter(like, "\n")
	var b strings.Builder
	for i := range n {
		if like != "" && r.IntN(4) > 0 && i < len(lines) && lines[i] != "" {
			b.WriteString(lines[i])
		} else {
			b.WriteString(string(rune('a'+r.IntN(8))) + "\n")
		}
	}
	return b.String()
}

func FuzzDiff(f *testing.F) {
	f.Add("a\nb\n", "b\nc\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		d := Diff([]byte(a), []byte(b), 1<<20)
		if (len(d.Text) == 0) != (a == b) {
			t.Errorf("%q", d.Text)
		}
		if got := apply(t, a, string(d.Text)); !d.Cut && got != b {
			t.Errorf("%q and %q give %q, which gives %q", a, b, d.Text, got)
		}
	})
}

// apply takes the lines of a that no hunk names, and of each hunk those that are kept and added.
func apply(t *testing.T, a, diff string) string {
	var out strings.Builder
	old := lines([]byte(a))
	at := 0
	var last string
	for line := range strings.Lines(diff) {
		switch line[0] {
		case '@':
			out.WriteString(last)
			last = ""
			from := 0
			for _, c := range line[len("@@ -"):] {
				if c < '0' || c > '9' {
					break
				}
				from = from*10 + int(c-'0')
			}
			if !strings.HasPrefix(strings.TrimLeft(line[len("@@ -"):], "0123456789"), ",0 ") {
				from--
			}
			for ; at < from; at++ {
				out.Write(old[at])
			}
		case ' ', '+':
			out.WriteString(last)
			last = line[1:]
			if line[0] == ' ' {
				at++
			}
		case '-':
			out.WriteString(last)
			last = ""
			at++
		case '\\':
			last = strings.TrimSuffix(last, "\n")
		}
	}
	out.WriteString(last)
	for ; at < len(old); at++ {
		out.Write(old[at])
	}
	return out.String()
}
