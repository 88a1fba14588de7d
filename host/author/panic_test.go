package author_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
)

// goTrace is a panic of standard Go as it arrives: in pieces, most of which are parts of a line.
var goTrace = []string{
	"panic: ", "runtime error: index out of range [33] with length 0", "goroutine ", "1", " [", "running", "]:",
	"github.com/vedette-siem/vedette/sdk/go/kv.Split", "(", "0x24a3b8", ")", "\t", "github.com/vedette-siem/vedette/sdk/go@v0.0.0/kv/kv.go", ":", "7", " +", "0x38",
	"main.(*door).parse", "(", "{", "0x24a3b8", ", ", "0x0", "}", ")", "\t", "local/doors/lock/main.go", ":", "3", " +", "0xe3", "encoding/json.x", "(", ")", "\t", "encoding/json/x.go", ":", "9",
}

// What a module wrote when it fell names the author's line, whatever it was compiled with.
func TestFindCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"go.mod": "module local/doors\n", "lock/main.go": "package main\n\n\tpanics(here)\n", "src/lib.rs": "one\ntwo\n  three();\n", "module.c": "int a;\nboom();\n",
	} {
		name := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	joined := []string{
		"panic: first [recovered]", "panic: a badge", "goroutine 1 [running]:", "main.parse(0x1, {0x2, 0x3})", "\tlocal/doors/lock/main.go:3 +0x4", "github.com/x/y.z()", "\tgithub.com/x/y/z.go:1 +0x4",
	}
	for name, c := range map[string]struct {
		lines    []string
		dir      string
		want     string
		wantLine int
	}{
		"go, in pieces":                  {goTrace, dir, "lock/main.go:3: panic: runtime error: index out of range [33] with length 0\n\tpanics(here)", 3},
		"go, in lines":                   {joined, dir, "lock/main.go:3: panic: a badge\n\tpanics(here)", 3},
		"go, twice":                      {append(append([]string{"panic: ", "before", "goroutine ", "1"}, "info"), goTrace...), dir, "lock/main.go:3: panic: runtime error: index out of range [33] with length 0\n\tpanics(here)", 3},
		"go, without its folder":         {goTrace, "", "local/doors/lock/main.go:3: panic: runtime error: index out of range [33] with length 0", 3},
		"go, out of stack":               {[]string{"fatal error: ", "stack overflow", "goroutine ", "1", " [running]:"}, dir, "fatal error: stack overflow", 0},
		"tinygo":                         {[]string{"door", "panic: runtime error: index out of range"}, dir, "panic: runtime error: index out of range", 0},
		"rust":                           {[]string{"panicked at src/lib.rs:3:9:\non purpose"}, dir, "src/lib.rs:3: panic: on purpose\n\tthree();", 3},
		"c":                              {[]string{"module.c:2: r->raw.n != 4"}, dir, "module.c:2: does not hold: r->raw.n != 4\n\tboom();", 2},
		"a file outside":                 {[]string{"../../etc/passwd.c:1: x"}, dir, "../../etc/passwd.c:1: does not hold: x", 1},
		"nothing that it would tell":     {[]string{"0.2.0 has read the door d1"}, dir, "", 0},
		"nothing at all":                 {nil, dir, "", 0},
		"a line number that is no line":  {[]string{"module.c:99999999999999999999: x"}, dir, "module.c:9223372036854775807: does not hold: x", 1<<63 - 1},
		"a source that has no such line": {[]string{"module.c:77: x"}, dir, "module.c:77: does not hold: x", 77},
	} {
		got := author.FindCrash(c.lines, c.dir)
		if got.String() != c.want || got.Line != c.wantLine {
			t.Errorf("%s: line %d, %q\nwant line %d, %q", name, got.Line, got, c.wantLine, c.want)
		}
	}
}

// What foreign code writes cannot make the search fall, or read outside the module's folder.
func FuzzFindCrash(f *testing.F) {
	f.Add(strings.Join(goTrace, "\n"))
	f.Add("panicked at src/lib.rs:3:9:\non purpose")
	f.Add("../../../../../../etc/passwd.c:1: x")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if c := author.FindCrash(strings.Split(text, "\n"), dir); c.Text != "" {
			t.Errorf("an empty folder has the line %q", c.Text)
		}
	})
}
