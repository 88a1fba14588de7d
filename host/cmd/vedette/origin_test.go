package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/author"
)

func TestVersionIn(t *testing.T) {
	for text, want := range map[string]string{
		"go1.26.8\n": "1.26.8",
		"tinygo version 0.41.1 linux/amd64 (using go version go1.26 and LLVM version 19.1.7)": "0.41.1",
		"cargo 1.90.0 (840b83a10 2025-07-30)":                                                 "1.90.0",
		"Debian clang version 19.1.7 (3+b1)\nTarget":                                          "19.1.7",
		"nightly\n": "nightly",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// folder writes files below a folder of its own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func hashOf(t *testing.T, dir string) string {
	t.Helper()
	sum, err := folderHash(dir)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// A source's hash is that of Go's folders, and of nothing that was built.
func TestFolderHash(t *testing.T) {
	files := map[string]string{"go.mod": "module x\n", "a/b.go": "package a\n"}
	sum := hashOf(t, folder(t, files))
	// By sha256sum: for f in a/b.go go.mod; do sha256sum $f; done | sha256sum.
	if want := "dirHash1:eb555a78e57a3b5c11b2c9ce90cc5fbd9ed14d5be666dbc8600f8975defa3cb4"; sum != want {
		t.Errorf("%s, want %s", sum, want)
	}
	for _, built := range []string{"build/x.wasm", "target/x", ".git/HEAD", ".hidden"} {
		files[built] = built
	}
	if again := hashOf(t, folder(t, files)); again != sum {
		t.Errorf("with what was built: %s, not %s", again, sum)
	}
	files["a/b.go"] = "package b\n"
	if other := hashOf(t, folder(t, files)); other == sum {
		t.Error("other content has the same hash")
	}
}

func TestGitSource(t *testing.T) {
	dir := folder(t, map[string]string{"module.yaml": "x"})
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	source := func() string {
		at, commit := gitSource(context.Background(), dir)
		commit, _, _ = strings.Cut(commit, ":")
		return at + " " + commit
	}
	var got []string
	got = append(got, source())
	git("init", "-q")
	git("remote", "add", "origin", "https://ann:secret@example.com/acme/doors.git")
	got = append(got, source())
	git("add", ".")
	git("commit", "-q", "-m", "one")
	got = append(got, source())
	if err := os.WriteFile(filepath.Join(dir, "module.yaml"), []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	got = append(got, source())
	git("commit", "-q", "-a", "-m", "two")
	git("remote", "set-url", "origin", "/home/ann/doors")
	got = append(got, source())
	if diff := cmp.Diff([]string{" ", " ", "git+https://example.com/acme/doors.git gitCommit", " ", " "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The same source says the same, and what it depends on.
func TestOriginOf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "doors")
	if err := author.NewSpec(dir); err != nil {
		t.Fatal(err)
	}
	p, err := author.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	one, err := originOf(t.Context(), dir, &p, "", "https://ci.example.com")
	if err != nil {
		t.Fatal(err)
	}
	again, err := originOf(t.Context(), dir, &p, "", "https://ci.example.com")
	if err != nil || !cmp.Equal(one, again, cmp.AllowUnexported(origin{})) {
		t.Errorf("again: %+v, %v", again, err)
	}
	if len(one.deps) != 1 || one.deps[0].Name != "vedette/declarative" || one.build.Builder != "https://ci.example.com" || len(one.build.Materials) != 1 ||
		!strings.HasPrefix(one.build.SourceDigest, "dirHash1:") {
		t.Errorf("%+v", one)
	}
}
