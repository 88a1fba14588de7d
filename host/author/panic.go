package author

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Crash says how a module fell, in words for its author.
type Crash struct {
	Code    string `json:"code"`           // of the trap: "E_TRAP"
	Message string `json:"message"`        // "panic: index out of range [3] with length 0", or what the sandbox says
	File    string `json:"file,omitempty"` // of the module's source, relative to its folder; "" when nothing tells it
	Line    int    `json:"line,omitempty"`
	Text    string `json:"text,omitempty"` // that line, without its indentation; "" when the source is not here
}

// String returns "main.go:19: panic: …", as compilers write it.
func (c Crash) String() string {
	var b strings.Builder
	if c.File != "" {
		fmt.Fprintf(&b, "%s:%d: ", c.File, c.Line)
	}
	b.WriteString(c.Message)
	if c.Text != "" {
		fmt.Fprintf(&b, "\n\t%s", c.Text)
	}
	return b.String()
}

// sourceTree is the folder that a module is built from; the zero value knows no sources.
type sourceTree struct {
	dir    string
	module string // path of its Go module, with which standard Go begins the names of its files
}

func readSource(dir string) sourceTree {
	s := sourceTree{dir: dir}
	if dir == "" {
		return s
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return s // not Go
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			s.module = strings.Trim(path, `" `) + "/"
		}
	}
	return s
}

// A trace arrives as lines, or in pieces of lines; mark stands between two of them.
const mark = "\x00"

var (
	goPanic  = regexp.MustCompile(`(panic|fatal error): ([^\t]*?)\x00?goroutine `)
	goFrame  = regexp.MustCompile(`([^\x00\t ]+?)\x00?\([^\t]*?\)\x00?\t\x00?([^\x00\t:]+\.go)\x00?:\x00?(\d+)`)
	tinyGo   = regexp.MustCompile(`(?:^|\x00)panic: ([^\x00]+)`)
	cAssert  = regexp.MustCompile(`(?:^|\x00)([^\x00:\n]+\.[ch]):(\d+): ([^\x00]+)`)
	rustCode = regexp.MustCompile(`panicked at ([^\x00:]+):(\d+):\d+:?[\x00\n ]*([^\x00]*)`)
)

// sdkPath begins the names of the Go SDK's files and functions.
const sdkPath = "github.com/vedette-siem/vedette/sdk/go"

// FindCrash looks for a panic in what a module wrote: the last one. Without a folder, files are called as the compiler
// calls them. The zero Crash says that there is none.
func FindCrash(lines []string, dir string) Crash { return readSource(dir).crash(lines) }

func (s sourceTree) crash(lines []string) Crash {
	text := strings.Join(lines, mark)
	if all := goPanic.FindAllStringSubmatchIndex(text, -1); len(all) > 0 {
		at := all[len(all)-1]
		said := text[at[4]:at[5]]
		if again := strings.LastIndex(said, mark+"panic: "); again >= 0 { // while another was being recovered from
			said = said[again+len(mark+"panic: "):]
		}
		message := text[at[2]:at[3]] + ": " + said
		c := Crash{Message: strings.TrimSpace(strings.ReplaceAll(message, mark, ""))}
		c.File, c.Line = s.ours(text[at[1]:])
		c.Text = s.line(c.File, c.Line)
		return c
	}
	for _, found := range []struct {
		form  *regexp.Regexp
		title string
	}{{rustCode, "panic: "}, {cAssert, "does not hold: "}} {
		if all := found.form.FindAllStringSubmatch(text, -1); len(all) > 0 {
			m := all[len(all)-1]
			c := Crash{Message: found.title + strings.TrimSpace(m[3]), File: m[1]}
			c.Line, _ = strconv.Atoi(m[2]) // it is digits; one that is too long is no line
			c.Text = s.line(c.File, c.Line)
			return c
		}
	}
	if all := tinyGo.FindAllStringSubmatch(text, -1); len(all) > 0 {
		return Crash{Message: "panic: " + strings.TrimSpace(all[len(all)-1][1])}
	}
	return Crash{}
}

// wasmFrame is a line of the sandbox's own trace, whose names come from the module: "\t.main.parse(i32) i32".
var wasmFrame = regexp.MustCompile(`(?m)^\t[^.\s]*\.(\S+?)\(`)

// tinyPanics are the functions of TinyGo's runtime that end a module, which say nothing where there is nobody to hear it.
var tinyPanics = map[string]string{
	"runtime.lookupPanic": "index out of range", "runtime.slicePanic": "slice out of range", "runtime.nilPanic": "nil pointer dereference",
	"runtime.divideByZeroPanic": "divide by zero", "runtime.nilMapPanic": "assignment to entry in nil map", "runtime._panic": "panic",
}

// trapMessage is what the sandbox says of a module that said nothing itself, with the function's name where the module
// has names: TinyGo's modules have those and no lines, and what is inlined has no name either.
func trapMessage(detail string) string {
	message, trace, _ := strings.Cut(detail, "\n")
	tiny := false
	for _, m := range wasmFrame.FindAllStringSubmatch(trace, -1) {
		if said, ok := tinyPanics[m[1]]; ok && !tiny {
			message, tiny = "panic: "+said, true
		}
		if strings.HasPrefix(m[1], "main.") {
			return message + " in " + m[1]
		}
	}
	if tiny {
		message += " (TinyGo tells no line: test with --toolchain go)"
	}
	return message
}

// ours returns the first place of a trace that is the author's.
func (s sourceTree) ours(trace string) (file string, line int) {
	for _, m := range goFrame.FindAllStringSubmatch(trace, -1) {
		function, name := m[1], m[2]
		if strings.HasPrefix(name, sdkPath) {
			continue
		}
		inside, own := strings.CutPrefix(name, s.module)
		switch {
		case s.module != "" && own:
			name = inside
		case strings.HasPrefix(function, "main."): // no folder: what a module's main package is built of
		default:
			continue
		}
		line, _ = strconv.Atoi(m[3]) // it is digits; one that is too long is no line
		return name, line
	}
	return "", 0
}

// line returns a line of the author's source.
func (s sourceTree) line(file string, line int) string {
	if s.dir == "" || file == "" || !filepath.IsLocal(filepath.FromSlash(file)) {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(file)))
	if err != nil {
		return ""
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if n == line {
			return strings.TrimSpace(lines.Text())
		}
	}
	return ""
}
