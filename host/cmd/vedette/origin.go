package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// defaultBuilder is who has built what is published by hand. Whoever trusts it trusts the publisher's own machine.
const defaultBuilder = "https://github.com/vedette-siem/vedette/publish@" + host.Version

// maxSourceFiles bounds the folder whose content a provenance names.
const maxSourceFiles = 10_000

// origin is what a module was made of. There is no time in it: the same source gives the same statements.
type origin struct {
	build attest.Build
	deps  []attest.Dependency
}

func (o *origin) dependencies() []attest.Dependency {
	if o == nil {
		return nil
	}
	return o.deps
}

// originOf finds out what the module in a folder was made of, by asking the tools that made it.
func originOf(ctx context.Context, dir string, p *manifest.Package, with author.Toolchain, builder string) (*origin, error) {
	o := &origin{build: attest.Build{Builder: builder, Toolchain: map[string]string{"vedette": host.Version}}}
	sum, err := folderHash(dir)
	if err != nil {
		return nil, fmt.Errorf("source of %s: %w", p.Manifest.Reference(), err)
	}
	m := &p.Manifest
	o.build.Source, o.build.SourceDigest = fmt.Sprintf("pkg:generic/%s/%s@%s", m.Publisher, m.Name, m.Version), sum
	if at, commit := gitSource(ctx, dir); at != "" {
		o.build.Materials = append(o.build.Materials, attest.Material{URI: o.build.Source, Digest: sum})
		o.build.Source, o.build.SourceDigest = at, commit
	}
	switch {
	case m.Entry.Wasm:
		err = o.compiled(ctx, dir, cmp.Or(with, author.ToolchainOf(dir)))
	case m.Entry.Spec != "":
		err = o.interpreted(p)
	}
	if err != nil {
		return nil, fmt.Errorf("what %s was made of: %w", m.Reference(), err)
	}
	for _, d := range o.deps {
		if d.PURL != "" {
			o.build.Materials = append(o.build.Materials, attest.Material{URI: d.PURL, Digest: d.Digest})
		}
	}
	return o, nil
}

// interpreted: what reads the spec is a module of its own.
func (o *origin) interpreted(p *manifest.Package) error {
	by, err := p.Interpreter()
	if err != nil {
		return err
	}
	o.deps = append(o.deps, attest.Dependency{
		Name: by.Publisher + "/" + by.Name, Version: by.Version, PURL: fmt.Sprintf("pkg:generic/%s/%s@%s", by.Publisher, by.Name, by.Version), Digest: manifest.Sum(p.Wasm),
	})
	return nil
}

// compiled asks a toolchain for its version and for what it has put into the code.
func (o *origin) compiled(ctx context.Context, dir string, with author.Toolchain) (err error) {
	say := func(as, program string, args ...string) {
		var text string
		if text, err = toolSays(ctx, dir, program, args...); err == nil {
			o.build.Toolchain[as] = versionIn(text)
		}
	}
	switch with {
	case author.Cargo:
		for _, program := range []string{"cargo", "rustc"} {
			if say(program, program, "--version"); err != nil {
				return err
			}
		}
		lock, err := os.ReadFile(filepath.Join(dir, "Cargo.lock"))
		if err == nil {
			o.deps, err = attest.CargoDependencies(lock)
		}
		return err
	case author.Clang: // C has no packages: what it includes is the SDK's one header
		say("clang", "clang", "--version")
		return err
	case author.TinyGo:
		if say("tinygo", "tinygo", "version"); err != nil {
			return err
		}
	}
	if say("go", "go", "env", "GOVERSION"); err != nil {
		return err
	}
	list, err := toolSays(ctx, dir, "go", "list", "-deps", "-json=Standard,Module", ".")
	if err == nil {
		o.deps, err = attest.GoDependencies(strings.NewReader(list), o.build.Toolchain["go"])
	}
	return err
}

// toolSays returns what a program of the toolchain prints.
func toolSays(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=mod", "GOWORK=off")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}

// versionIn finds the version in what a program says about itself: the first word with a digit in front, "go" aside.
func versionIn(text string) string {
	for word := range strings.FieldsSeq(text) {
		if word = strings.TrimPrefix(word, "go"); word != "" && word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return strings.TrimSpace(text)
}

// gitSource returns the commit that a folder is of, when it is exactly that and others can fetch it; else "".
func gitSource(ctx context.Context, dir string) (uri, digest string) {
	git := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
		if err != nil {
			return "\x00"
		}
		return strings.TrimSpace(string(out))
	}
	remote, commit := git("remote", "get-url", "origin"), git("rev-parse", "HEAD")
	if changed := git("status", "--porcelain", "--", "."); changed != "" || len(commit) < 40 {
		return "", ""
	}
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != "https" && u.Scheme != "ssh" || u.Host == "" {
		return "", "" // a path, or one that only this machine knows
	}
	u.User = nil // who fetched it is nobody's business
	return "git+" + u.String(), "gitCommit:" + commit
}

// folderHash returns the hash of a module's source as Go hashes folders: "dirHash1:" and hex. What was built, and what is
// hidden, is left out.
func folderHash(dir string) (string, error) {
	var lines []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch name := e.Name(); {
		case err != nil:
			return err
		case path != dir && (strings.HasPrefix(name, ".") || e.IsDir() && (name == "build" || name == "target")):
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		if len(lines) == maxSourceFiles {
			return fmt.Errorf("more than %d files", maxSourceFiles)
		}
		sum, err := fileHash(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		lines = append(lines, sum+"  "+filepath.ToSlash(name)+"\n")
		return err
	})
	if err != nil {
		return "", err
	}
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(a[sha256.Size*2:], b[sha256.Size*2:]) }) // by name
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return "dirHash1:" + hex.EncodeToString(sum[:]), nil
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
