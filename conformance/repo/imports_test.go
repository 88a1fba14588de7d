// Package repo holds the house rules of the repository as tests.
package repo

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vedette-siem/vedette/"

// root is the repository's folder as seen from this package.
const root = "../.."

// rooms says which rooms a room may import besides itself. sdk imports nothing of ours.
var rooms = map[string][]string{
	"sdk":         {},
	"storage":     {"sdk"},
	"registry":    {"sdk"},
	"console":     {"sdk"},
	"modules":     {"sdk"},
	"host":        {"sdk", "storage", "registry", "console", "modules"},
	"conformance": {"sdk", "storage", "registry", "console", "modules", "host"},
}

// hostParts says which packages of host a package of host may import; one that is not named may import none.
var hostParts = map[string][]string{
	"host/detect":    {"host/rule"},
	"host/correlate": {"host/rule", "host/detect"},
	"host/explain":   {"host/rule", "host/detect"},
	"host/runtime":   {"host/meter"},
	"host/probe":     {"host/runtime"},
	"host/module":    {"host/rule", "host/detect", "host/correlate", "host/runtime", "host/meter", "host/list", "host/indicator"},
	"host/pipeline":  {"*"},
	"host/monitor":   {"*"},
	"host/trust":     {"host/module", "host/incident"},
	"host/api":       {"*"},
	"host/author":    {"*"},
	"host/backtest":  {"*"},
	"host/replay":    {"*"},
	"host/cmd":       {"*"},
	"host":           {"*"},
}

// owners says who alone may import a big dependency.
var owners = map[string][]string{
	"github.com/tetratelabs/wazero":           {"host/runtime", "host/meter_test", "conformance/peer_test"},
	"github.com/VictoriaMetrics/":             {"storage/logs"},
	"github.com/gorilla/websocket":            {"console/live", "conformance"},
	"github.com/nats-io/":                     {"host/queue"},
	"oras.land/":                              {"registry", "host/api_test"},
	"github.com/opencontainers/":              {"registry", "host/api_test"},
	"connectrpc.com/":                         {"host/api", "host/cmd", "conformance", "sdk/gen"},
	"modernc.org/sqlite":                      {"storage/meta"},
	"github.com/spf13/cobra":                  {"host/cmd"},
	"github.com/vedette-siem/vedette/sdk/gen": {"host/api", "host/cmd", "console/live", "conformance", "host", "sdk/gen"},
}

// offers says what of a later room a command offers to people, although its room may not import it: nothing imports a
// command, so it closes no circle.
var offers = map[string]string{"host/cmd/vedette": "conformance/abi"}

// goFiles calls each with every Go file of ours, as a path from the root.
func goFiles(t *testing.T, each func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() && (rel != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			each(filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoomsAreTheSeven(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := rooms[e.Name()]; e.IsDir() && !ok && !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("folder %s is not one of the seven rooms", e.Name())
		}
	}
	for room := range rooms {
		if _, err := os.Stat(filepath.Join(root, room, "README.md")); err != nil {
			t.Errorf("room %s has no README.md", room)
		}
	}
}

func TestImports(t *testing.T) {
	files := 0
	goFiles(t, func(path string) {
		files++
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
		if err != nil {
			t.Errorf("parse %s: %v", path, err)
			return
		}
		for _, spec := range f.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if why := forbidden(path, imported); why != "" {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
	})
	if files < 50 {
		t.Errorf("only %d files were looked at", files)
	}
}

func TestForbiddenImportsAreSeen(t *testing.T) {
	for _, c := range [][2]string{
		{"sdk/go/sdk.go", module + "storage"},
		{"storage/meta/meta.go", module + "registry"},
		{"console/live/live.go", module + "host/api"},
		{"host/queue/queue.go", module + "host/receive"},
		{"host/detect/detect.go", module + "host/runtime"},
		{"host/api/api.go", "github.com/nats-io/nats.go"},
		{"host/pipeline/pipeline.go", "github.com/tetratelabs/wazero"},
		{"modules/parsers/kv/kv.go", module + "sdk/gen/vedette/v1"},
		{"host/host.go", module + "conformance/abi"},
		{"host/cmd/vedette/main.go", module + "conformance/bench"},
	} {
		if forbidden(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}

// forbidden says why a file may not import a package, or "".
func forbidden(path, imported string) string {
	dir := filepath.ToSlash(filepath.Dir(path))
	for prefix, allowed := range owners {
		if !strings.HasPrefix(imported, prefix) {
			continue
		}
		ok := false
		for _, o := range allowed {
			if test, isTest := strings.CutSuffix(o, "_test"); isTest {
				ok = ok || strings.HasPrefix(dir+"/", test+"/") && strings.HasSuffix(path, "_test.go")
			} else {
				ok = ok || dir == o || strings.HasPrefix(dir, o+"/") && o != "host"
			}
		}
		if !ok {
			return "only " + strings.Join(allowed, ", ") + " may"
		}
	}
	if !strings.HasPrefix(imported, module) {
		return ""
	}
	from, _, _ := strings.Cut(dir, "/")
	target := strings.TrimPrefix(imported, module)
	to, _, _ := strings.Cut(target, "/")
	if from == to {
		if strings.HasSuffix(path, "_test.go") {
			return "" // a test may set a stage for its package with the neighbours that it has live
		}
		return forbiddenInHost(dir, target)
	}
	for _, r := range rooms[from] {
		if r == to {
			return ""
		}
	}
	if offered := offers[dir]; offered != "" && strings.HasPrefix(target+"/", offered+"/") {
		return ""
	}
	return "room " + from + " may not import room " + to
}

func forbiddenInHost(dir, target string) string {
	if !strings.HasPrefix(dir, "host") {
		return ""
	}
	part := func(s string) string {
		p := strings.SplitN(s, "/", 3)
		return strings.Join(p[:min(2, len(p))], "/")
	}
	from, to := part(dir), part(target)
	if from == to {
		return ""
	}
	for _, a := range hostParts[from] {
		if a == "*" || a == to {
			return ""
		}
	}
	return from + " may not import " + to
}
