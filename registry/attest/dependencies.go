package attest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vedette-siem/vedette/registry"
)

// goPackage is what "go list -deps -json" says of a package, as far as it is used here.
type goPackage struct {
	Standard bool
	Module   *goModule
}

type goModule struct {
	Path, Version, Sum string
	Main               bool
	Replace            *goModule
}

// GoDependencies reads the output of "go list -deps -json=Standard,Module": the modules whose packages are part of a program,
// and the standard library of a version of Go. A module that was replaced by a folder has the version that its go.mod names
// and no digest. The error wraps registry.ErrInvalid.
func GoDependencies(r io.Reader, goVersion string) ([]Dependency, error) {
	seen := map[goModule]bool{}
	var out []Dependency
	std := false
	for d := json.NewDecoder(r); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("packages of Go: %w: %w", err, registry.ErrInvalid)
		}
		if p.Standard && !std {
			std = true
			out = append(out, Dependency{Name: "stdlib", Version: goVersion, PURL: "pkg:golang/stdlib@" + goVersion})
		}
		m := p.Module
		if m == nil || m.Main {
			continue
		}
		if m.Replace != nil && m.Replace.Version != "" {
			m = m.Replace
		}
		key := goModule{Path: m.Path, Version: m.Version}
		if seen[key] {
			continue
		}
		if seen[key] = true; len(out) == MaxDependencies {
			return nil, fmt.Errorf("packages of Go: more than %d modules: %w", MaxDependencies, registry.ErrInvalid)
		}
		x := Dependency{Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + strings.ToLower(m.Path) + "@" + strings.ReplaceAll(m.Version, "+", "%2B")}
		if m.Replace == nil {
			x.Digest = dirHash(m.Sum)
		}
		out = append(out, x)
	}
	return out, nil
}

// dirHash returns "h1:BASE64" of a go.sum as in-toto names it, "" for another form.
func dirHash(sum string) string {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	if err != nil || len(b) != 32 || !strings.HasPrefix(sum, "h1:") {
		return ""
	}
	return "dirHash1:" + hex.EncodeToString(b)
}

// CargoDependencies reads a Cargo.lock: every package in it but those that none depends on, which are the module's own. The
// error wraps registry.ErrInvalid.
func CargoDependencies(lock []byte) ([]Dependency, error) {
	var list []cargoPackage
	needed := map[string]bool{}
	inList := false
	for s := bufio.NewScanner(bytes.NewReader(lock)); ; {
		if !s.Scan() {
			if s.Err() != nil {
				return nil, fmt.Errorf("read Cargo.lock: %w: %w", s.Err(), registry.ErrInvalid)
			}
			break
		}
		line := strings.TrimSpace(s.Text())
		name, value, pair := strings.Cut(line, " = ")
		switch {
		case line == "[[package]]":
			list = append(list, cargoPackage{})
		case inList && line != "]":
			word, _, _ := strings.Cut(strings.Trim(line, `",`), " ")
			needed[word] = true
		case inList:
			inList = false
		case pair && value == "[" && name == "dependencies":
			inList = true
		case pair && len(list) > 0:
			list[len(list)-1].set(name, strings.Trim(value, `"`))
		}
		if len(list) > MaxDependencies {
			return nil, fmt.Errorf("read Cargo.lock: more than %d packages: %w", MaxDependencies, registry.ErrInvalid)
		}
	}
	var out []Dependency
	for _, p := range list {
		if p.Name == "" || p.Version == "" {
			return nil, fmt.Errorf("read Cargo.lock: a package without name or version: %w", registry.ErrInvalid)
		}
		if p.registry || needed[p.Name] {
			p.PURL = "pkg:cargo/" + p.Name + "@" + strings.ReplaceAll(p.Version, "+", "%2B")
			out = append(out, p.Dependency)
		}
	}
	return out, nil
}

type cargoPackage struct {
	Dependency
	registry bool
}

func (p *cargoPackage) set(name, value string) {
	switch name {
	case "name":
		p.Name = value
	case "version":
		p.Version = value
	case "source":
		p.registry = true
	case "checksum":
		p.Digest = "sha256:" + value
	}
}
