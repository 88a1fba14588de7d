package author_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// newDoors writes the scaffold of a parser and returns its folder.
func newDoors(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "doors")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	return dir
}

func edit(t *testing.T, dir, file, old, text string) {
	t.Helper()
	name := filepath.Join(dir, file)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(b), old, text)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func openDoors(t *testing.T, dir string) *author.Sandbox {
	t.Helper()
	p, err := author.Build(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := author.Open(t.Context(), p, dir, author.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The first module of an author is short.
func TestFirstModuleIsShort(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(newDoors(t), "main.go"))
	if n := strings.Count(string(text), "\n"); err != nil || n >= 30 {
		t.Errorf("main.go has %d lines (%v), want fewer than 30", n, err)
	}
}

// The loop builds at once and after each edit, tells what changed, hands on what passes, and survives every mistake.
func TestDev(t *testing.T) {
	t.Parallel()
	dir := newDoors(t)
	turns, wake := make(chan author.Turn), make(chan struct{})
	var installed []string
	refuse := error(nil)
	d := author.Dev{
		Dir: dir, Every: time.Millisecond, Wake: wake,
		Samples: func() ([][]byte, error) {
			return [][]byte{[]byte("door=north badge=ada result=open"), []byte("window=x")}, nil
		},
		Install: func(_ context.Context, p manifest.Package) (string, error) {
			installed = append(installed, p.Manifest.Reference())
			return "runs", refuse
		},
		Tell: func(x author.Turn) { turns <- x },
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()

	first := <-turns
	if first.Err != nil || first.Build != 1 || first.Tested.Cases != 3 || len(first.Tested.Failures) > 0 || first.Installed != "runs" || len(first.Changes) > 0 {
		t.Errorf("the first turn is %+v", first)
	}
	if len(first.Shown) != 2 || first.Shown[1].Outcome() != "not mine" || first.Shown[0].Fuel == 0 {
		t.Fatalf("the samples are shown as %+v", first.Shown)
	}
	if f := first.Shown[0].Events[0][0]; f.Name != "observer.name" || f.Value != "north" || f.Start != 5 || f.End != 10 {
		t.Errorf("the first field is %+v", f)
	}
	edit(t, dir, "main.go", "return sdk.OK", "return sdk.Okay")
	if x := <-turns; x.Err == nil || !strings.Contains(x.Err.Error(), "main.go:27:13: undefined: sdk.Okay") || strings.Contains(x.Err.Error(), "# local") {
		t.Errorf("what does not compile: %v", x.Err)
	}
	edit(t, dir, "main.go", "return sdk.Okay", "return abi.Outcome(r.Raw[4096])")
	x := <-turns
	if x.Err != nil || len(x.Tested.Failures) == 0 || x.Installed != "" {
		t.Fatalf("what falls: %+v", x)
	}
	if f := x.Tested.Failures[0]; f.File != "testdata/doors.txtar" || f.Line != 3 || f.Crash == nil || f.Crash.File != "main.go" || f.Crash.Line != 27 || f.Crash.Text != "return abi.Outcome(r.Raw[4096])" {
		t.Errorf("the fall is told as %s", f)
	}
	edit(t, dir, "main.go", "return abi.Outcome(r.Raw[4096])", `e.Text(ecs.ServiceVersion, "2", nil); return sdk.OK`)
	x = <-turns
	if len(x.Changes) != 1 || len(x.Changes[0].Fields) != 1 || x.Changes[0].Fields[0] != (author.FieldDiff{Name: "service.version", Got: "2"}) || x.Changes[0].Fuel <= x.Changes[0].Before {
		t.Errorf("the edit changed %+v", x.Changes)
	}
	if f := x.Tested.Failures; len(f) != 2 || f[0].Line != 3 || len(f[0].Fields) != 1 || !strings.Contains(f[0].String(), "+ service.version  2") {
		t.Errorf("the cases that do not hold: %v", f)
	}
	refuse = errors.New("no")
	edit(t, dir, "testdata/doors.txtar", `"user.name"`, `"service.version":"2","user.name"`)
	if x = <-turns; x.Refused == nil || len(x.Changes) > 0 {
		t.Errorf("what a host refuses: %+v", x)
	}
	wake <- struct{}{}
	if x = <-turns; !x.Again || len(x.Shown) != 2 {
		t.Errorf("other samples: %+v", x)
	}
	stop()
	if err := <-ended; err != nil || len(installed) != 2 {
		t.Errorf("it ends with %v; installed %q", err, installed)
	}
}

func TestUpdateCases(t *testing.T) {
	t.Parallel()
	dir := newDoors(t)
	want, err := os.ReadFile(filepath.Join(dir, "testdata", "doors.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if files, err := openDoors(t, dir).Update(t.Context()); err != nil || len(files) != 0 {
		t.Errorf("nothing has changed, and Update = %q, %v", files, err)
	}
	edit(t, dir, "testdata/doors.txtar", `"user.name":"ada"`, `"user.name":"eve","x":"y"`)
	s := openDoors(t, dir)
	tested, err := s.Test(t.Context())
	if err != nil || len(tested.Failures) != 1 || len(tested.Failures[0].Fields) != 2 {
		t.Fatalf("Test = %v, %v", tested.Failures, err)
	}
	files, err := s.Update(t.Context())
	if got := string(files["testdata/doors.txtar"]); err != nil || got != string(want) {
		t.Errorf("Update = %q, %v, want %q", got, err, want)
	}
	edit(t, dir, "testdata/doors.txtar", "window=north\n", "")
	tested, err = openDoors(t, dir).Test(t.Context())
	if err != nil || len(tested.Failures) != 1 || !strings.Contains(tested.Failures[0].Why, "2 events, want 3") {
		t.Errorf("a record too few: %v, %v", tested.Failures, err)
	}
}

func TestBench(t *testing.T) {
	t.Parallel()
	dir := newDoors(t)
	s := openDoors(t, dir)
	one, err := s.Bench(t.Context(), nil, 0)
	if err != nil || one.Records != 3 || one.Fuel == 0 || one.Events != 171 || one.Output == 0 || one.PerSecond == 0 || one.Failures != 0 {
		t.Fatalf("Bench = %+v, %v", one, err)
	}
	two, err := s.Bench(t.Context(), nil, 0)
	if err != nil || two.Fuel != one.Fuel || two.Output != one.Output {
		t.Errorf("a second time: %+v, %v", two, err)
	}
	file := filepath.Join(t.TempDir(), "baseline.json")
	if _, ok, err := author.ReadCost(file); ok || err != nil {
		t.Errorf("without a baseline: %v, %v", ok, err)
	}
	if err := one.Write(file); err != nil {
		t.Fatal(err)
	}
	base, ok, err := author.ReadCost(file)
	if !ok || err != nil || base.PerSecond != 0 || two.Against(&base, 0) != nil {
		t.Errorf("the baseline: %+v, %v, %v", base, ok, err)
	}
	dearer := two
	dearer.Fuel += dearer.Fuel / 50
	if err := dearer.Against(&base, 0.01); !errors.Is(err, author.ErrDearer) || !strings.Contains(err.Error(), "+2.0 %") {
		t.Errorf("two percent more: %v", err)
	}
	if err := dearer.Against(&base, 0.03); err != nil {
		t.Errorf("two percent more of three: %v", err)
	}
	other := two
	other.Bytes++
	if err := other.Against(&base, 1); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("other records: %v", err)
	}
}

// A fuzz run repeats itself, and makes what it finds short.
func TestFuzz(t *testing.T) {
	t.Parallel()
	dir := newDoors(t)
	f, err := openDoors(t, dir).Fuzz(t.Context(), 1, 50*time.Millisecond, nil)
	if err != nil || f.Records == 0 || len(f.Found) != 0 {
		t.Errorf("the scaffold: %+v, %v", f, err)
	}
	edit(t, dir, "main.go", "	rest, ok :=", "	if bytes.Count(r.Raw, []byte(\"=\")) == 2 {\n		panic(\"two\")\n	}\n	rest, ok :=")
	s := openDoors(t, dir)
	f, err = s.Fuzz(t.Context(), 1, time.Second, nil)
	if err != nil || len(f.Found) != 1 || string(f.Found[0].Record) != "==" || f.Found[0].Crash.Line != 18 {
		t.Errorf("Fuzz = %+v, %v", f, err)
	}
}

func TestVersioned(t *testing.T) {
	t.Parallel()
	dir := newDoors(t)
	p, err := author.Build(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := author.Versioned(p, "0.1.0-dev.7")
	if err != nil || v.Manifest.Reference() != "local/doors:0.1.0-dev.7" || p.Manifest.Version != "0.1.0" {
		t.Errorf("Versioned = %s, %v", v.Manifest.Reference(), err)
	}
	if _, err := author.Versioned(p, "seven"); !errors.Is(err, manifest.ErrInvalid) {
		t.Errorf("no version: %v", err)
	}
	again, err := author.Fresh(t.Context(), dir)
	if err != nil || string(again.Wasm) != string(p.Wasm) {
		t.Errorf("Fresh: %v", err)
	}
	later := time.Now().Add(time.Hour)
	edit(t, dir, "main.go", "return sdk.OK", "return sdk.Drop")
	if err := os.Chtimes(filepath.Join(dir, "main.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if again, err = author.Fresh(t.Context(), dir); err != nil || string(again.Wasm) == string(p.Wasm) {
		t.Errorf("Fresh did not build what was edited: %v", err)
	}
}

func TestNewInOtherLanguages(t *testing.T) {
	t.Parallel()
	for language, c := range map[string]struct {
		file string
		with author.Toolchain
	}{"rust": {"src/lib.rs", author.Cargo}, "c": {"module.c", author.Clang}, "go": {"main.go", author.StandardGo}} {
		dir := filepath.Join(t.TempDir(), "doors")
		if err := author.NewIn(dir, manifest.Parser, language); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil || strings.Contains(string(text), "@NAME@") || !strings.Contains(string(text), "doors.log") {
			t.Errorf("%s: %v\n%s", language, err, text)
		}
		if got := author.ToolchainOf(dir); got != c.with {
			t.Errorf("%s is built with %s, want %s", language, got, c.with)
		}
		if entries, err := os.ReadDir(filepath.Join(dir, ".sdk")); err != nil || len(entries) == 0 {
			t.Errorf("%s has no SDK beside it: %v", language, err)
		}
	}
	if err := author.NewIn(filepath.Join(t.TempDir(), "doors"), manifest.Parser, "cobol"); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("another language: %v", err)
	}
}
