package portable_test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Where the rules and events of other people are, to be measured with; they are no part of the project.
const shared = root + "/../shared/data/"

func unzip(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(shared + name)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func archive(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for r := tar.NewReader(unzip(t, name)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(h.Name, ".yml") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[path.Clean(h.Name)] = &fstest.MapFile{Data: b}
	}
}

func recorded(t *testing.T, name string) (out []storage.Event) {
	t.Helper()
	lines := bufio.NewScanner(unzip(t, name))
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var x struct{ Event map[string]any }
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		var e storage.Event
		for _, k := range slices.Sorted(maps.Keys(x.Event)) {
			value := fmt.Sprint(x.Event[k])
			if list, ok := x.Event[k].([]any); ok {
				b, err := json.Marshal(list)
				if err != nil {
					t.Fatal(err)
				}
				value = string(b)
			}
			e.Fields = append(e.Fields, storage.Field{Name: k, Value: value})
		}
		if e.Fields != nil {
			out = append(out, e)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSameMatchesOfMatrices matches public Sigma rules, all at once, with recorded and made events: the same as natively. It says
// what an event costs, natively, by the interpreter without a sandbox, and in the sandbox.
func TestSameMatchesOfMatrices(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	names, err := rule.Native()
	if err != nil {
		t.Fatal(err)
	}
	rules := documents(t, archive(t, "sigmahq-rules.tar.gz"), nil, rule.Options{Names: names})
	for _, name := range []string{"sigma_matrix_pysigma_sqlite.jsonl.gz", "evtx_matrix_pysigma_sqlite.jsonl.gz"} {
		events := recorded(t, name)
		for _, n := range []int{1, 100, 1000, len(rules)} {
			matches, took := compare(t, rules[:n], nil, events)
			per := func(d time.Duration) int64 { return d.Nanoseconds() / int64(len(events)) }
			t.Logf("%s: %d rules, %d events, %d matches; an event takes %d ns natively, %d ns by the interpreter, %d ns in the sandbox",
				name, n, len(events), matches, per(took[0]), per(took[1]), per(took[2]))
		}
	}
}
