package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// authorTenant is the number of the organization "main" of a host without a demo.
const authorTenant = 1

// maxFirstLines is how long the first module of an author may be.
const maxFirstLines = 30

// authorRun is somebody with a terminal: the real binary, a folder of their own, and no network.
type authorRun struct {
	*testing.T
	s   *server
	dir string
	env []string
	dev *devTerminal
}

// TestAuthor is an author's first five minutes, timed: a module is written, changed and swapped into a running host, tested,
// published and installed, while an operator looks at a page that is never loaded again.
func TestAuthor(t *testing.T) {
	ctx := t.Context()
	s := newServer(t, "no_syslog: true\n")
	s.start()
	defer s.stop()
	s.signIn(ctx)
	a := &authorRun{T: t, s: s, dir: t.TempDir()}
	a.env = append(os.Environ(), "VEDETTE_SERVER="+s.url, "VEDETTE_TOKEN="+s.token, "VEDETTE_REGISTRY="+filepath.Join(a.dir, "registry"),
		"XDG_CONFIG_HOME="+filepath.Join(a.dir, "config"), "GOPROXY=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOMODCACHE="+filepath.Join(a.dir, "mod"))
	token := s.ingestToken(ctx, authorTenant, "author")
	w := &wizardRun{T: t, s: s, token: token}
	operator := openPage(t, "operator", s.url)
	operator.signIn(s)
	operator.open(s.url + "/modules?text=local/")
	operator.find("heading", "Modules")
	loaded := eval[float64](operator, "performance.timeOrigin")

	tt := newTimetable(t)
	from := time.Now()
	tt.step("vedette module new", 2*time.Second, func() { a.run("module", "new", "doors", "--kind", "parser", "--lang", "go") })
	a.firstModule()
	tt.step("dev: built, tested, and on the host", 60*time.Second, func() {
		a.startDev()
		a.dev.says(`#1  local/doors:0\.1\.0 built in .*, 3 cases hold, runs as 0\.1\.0-dev\.1\n`)
	})
	tt.step("the operator's page shows it", 10*time.Second, func() { operator.says(`local/doors\s+parser\s+0\.1\.0-dev\.1`) })
	tt.step("a pasted line with its fields and their bytes", 10*time.Second, func() {
		a.dev.types("door=north badge=ada result=open")
		a.dev.says(`(?s)door=north badge=ada result=open\n.*event\.action +open +\[28:32\]\n.*fuel \d+\n`)
	})
	tt.step("an edit that does not compile, with its place", 30*time.Second, func() {
		a.edit("doors/main.go", "return sdk.OK", "return sdk.Okay")
		a.dev.says(`main\.go:27:13: undefined: sdk\.Okay`)
	})
	tt.step("an edit that falls, with its place", 30*time.Second, func() {
		a.edit("doors/main.go", "return sdk.Okay", "var none []int\n\treturn abi.Outcome(none[len(door)])")
		a.dev.says(`testdata/doors\.txtar:3: the module falls[^\n]*\n[^\n]*main\.go:28: panic: runtime error: index out of range \[5\] with length 0`)
	})
	tt.step("an edit that changes an event", 30*time.Second, func() {
		a.edit("testdata", `"user.name"`, `"service.version":"2","user.name"`)
		a.edit("doors/main.go", "var none []int\n\treturn abi.Outcome(none[len(door)])", "e.Text(ecs.ServiceVersion, \"2\", nil)\n\treturn sdk.OK")
		a.dev.says(`(?s)3 cases hold, runs as 0\.1\.0-dev\.2.*\+ service\.version  2\n.*fuel \d+ → \d+ \(\+\d+\)`)
	})
	tt.step("the operator's page shows it, not loaded again", 10*time.Second, func() { operator.says(`local/doors\s+parser\s+0\.1\.0-dev\.2`) })
	if got := w.opens(ctx).Fields["service.version"]; got != "2" {
		t.Errorf("the next record is read as version %q, want what was edited last", got)
	}
	tt.step("Ctrl-C gives back what ran before", 10*time.Second, func() {
		a.dev.ends()
		a.dev.says(`local/doors was not there before: it is switched off`)
	})
	tt.step("vedette module test", 30*time.Second, func() { a.run("module", "test", "doors") })
	tt.step("vedette module publish", 30*time.Second, func() { a.run("module", "publish", "doors") })
	tt.step("vedette module install", 30*time.Second, func() {
		if out := a.run("module", "install", "local/doors:0.1.0", "--organization", fmt.Sprint(authorTenant)); !strings.Contains(out, "local/doors 0.1.0 (parser)") {
			t.Errorf("install says\n%s", out)
		}
	})
	tt.step("the operator's page shows the version", 10*time.Second, func() { operator.says(`local/doors\s+parser\s+0\.1\.0\s`) })
	tt.note("all of it", time.Since(from), 5*time.Minute)
	if again := eval[float64](operator, "performance.timeOrigin"); again != loaded {
		t.Error("the operator's page was loaded again")
	}
	operator.picture("author-installed")
}

// firstModule looks at what an author begins with.
func (a *authorRun) firstModule() {
	a.Helper()
	text := string(readFile(a.T, filepath.Join(a.dir, "doors", "main.go")))
	if n := strings.Count(text, "\n"); n >= maxFirstLines {
		a.Errorf("the first module has %d lines, want fewer than %d", n, maxFirstLines)
	}
}

// command prepares the binary as the author runs it.
func (a *authorRun) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary(a.T), args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (a *authorRun) run(args ...string) string {
	a.Helper()
	out, err := a.command(args...).CombinedOutput()
	if err != nil {
		a.Fatalf("vedette %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// edit replaces a text in a file of the module; "testdata" stands for its cases.
func (a *authorRun) edit(file, old, text string) {
	a.Helper()
	if file == "testdata" {
		file = "doors/testdata/doors.txtar"
	}
	name := filepath.Join(a.dir, filepath.FromSlash(file))
	is := string(readFile(a.T, name))
	if !strings.Contains(is, old) {
		a.Fatalf("%s has no %q:\n%s", file, old, is)
	}
	put(a.T, name, strings.ReplaceAll(is, old, text))
}

// devTerminal is a terminal in which vedette module dev runs.
type devTerminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   lockedBuffer
	read  int // of out, by says
	ended chan struct{}
}

func (a *authorRun) startDev() {
	a.Helper()
	d := &devTerminal{t: a.T, cmd: a.command("module", "dev", "doors", "--organization", fmt.Sprint(authorTenant)), ended: make(chan struct{})}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		a.Fatal(err)
	}
	d.cmd.Stderr = &d.out
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		a.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		a.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		lines := bufio.NewReader(out)
		_, _ = io.Copy(&d.out, lines) // ends with the process
		_ = d.cmd.Wait()              // how it ended is seen in what it says
	}()
	a.Cleanup(func() {
		_ = d.cmd.Process.Kill() // fails when it has ended already
		<-d.ended
	})
	a.dev = d
}

// says waits until what was printed since the last call matches.
func (d *devTerminal) says(pattern string) {
	d.t.Helper()
	want := regexp.MustCompile(pattern)
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text := d.out.String()[d.read:]
		if at := want.FindStringIndex(text); at != nil {
			d.read += at[1]
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("waiting for dev to say %q; it says\n%s", pattern, text)
		}
		<-tick.C
	}
}

// types writes a line as pasting does.
func (d *devTerminal) types(line string) {
	d.t.Helper()
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		d.t.Fatalf("paste a line: %v", err)
	}
}

// ends presses Ctrl-C and waits.
func (d *devTerminal) ends() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatalf("end dev: %v", err)
	}
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatal("dev does not end")
	}
}
