package sdks

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// TestRustNatively runs the tests of the Rust SDK and of its modules: golden vectors, limits, allocations, examples.
func TestRustNatively(t *testing.T) {
	tool := (&build{tool: ".tmp/sdk/bin/cargo"}).here()
	if tool == "" {
		var err error
		if tool, err = exec.LookPath("cargo"); err != nil {
			t.Skip("cargo is not installed: it waits for `make sdk`")
		}
	}
	cmd := exec.Command(tool, "test", "--quiet", "--offline", "--locked", "--workspace", "--target-dir=../../.tmp/sdk/target")
	cmd.Dir = filepath.Join(root, "sdk/rust")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cargo test: %v\n%s", err, out)
	}
}

// compileC builds a native program with the sanitizers on.
func compileC(t *testing.T, source string, more ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	args := append([]string{
		"-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-I", ".", "-o", out, source,
	}, more...)
	cmd := exec.Command("cc", args...)
	cmd.Dir = filepath.Join(root, "sdk/c")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cc %s: %v\n%s", source, err, text)
	}
	return out
}

// TestCNatively runs the tests of the C SDK and of its modules under the sanitizers.
func TestCNatively(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(root, "sdk/c/test/*.c"))
	if len(files) < 4 {
		t.Fatalf("only %d tests", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cmd := exec.Command(compileC(t, "test/"+filepath.Base(file)))
			cmd.Dir = filepath.Join(root, "sdk/c")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

// answers has a module in C answer batches natively, under the sanitizers.
func answers(t *testing.T, module string, batches [][]byte) (statuses []abi.Status, outs [][]byte) {
	t.Helper()
	source, _ := filepath.Abs("testdata/native/answer.c")
	var in bytes.Buffer
	for _, b := range batches {
		in.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(b))))
		in.Write(b)
	}
	cmd := exec.Command(compileC(t, source, `-DMODULE="reference/`+module+`.c"`))
	var why bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &why
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, why.Bytes())
	}
	for range batches {
		status, n := int32(binary.LittleEndian.Uint32(out)), binary.LittleEndian.Uint32(out[4:])
		statuses, outs = append(statuses, abi.Status(status)), append(outs, out[8:8+n])
		out = out[8+n:]
	}
	return statuses, outs
}

// TestCParserNatively: under the sanitizers the parser in C gives the same bytes too, at all limits.
func TestCParserNatively(t *testing.T) {
	all := cases(t, "refkv", func(t *testing.T, a *txtar.Archive) string {
		return dumpEvents(t, parseNatively(t, recordBatch(records(t, a)...)), records(t, a))
	})
	batches := mutations(t, all, 40)
	for _, a := range all {
		batches = append(batches, recordBatch(records(t, a)...))
	}
	for _, b := range limits() {
		batches = append(batches, b)
	}
	statuses, outs := answers(t, "refkv", batches)
	for i, in := range batches {
		if statuses[i] != abi.StatusOK {
			t.Fatalf("batch %d: status %d", i, statuses[i])
		}
		same(t, outs[i], parseNatively(t, in))
	}
}

// TestCRefusesBrokenBatches: every change of the golden batches that a decoder must refuse is refused in C, without a
// read outside the batch.
func TestCRefusesBrokenBatches(t *testing.T) {
	const dir = root + "/sdk/testdata/abi/"
	for kind, module := range map[string]string{"records": "refkv", "rows": "refrule", "poll": "refhttp"} {
		var v struct {
			Broken []struct {
				Why, Hex string
				At       int
			}
		}
		if err := json.Unmarshal(read(t, dir+kind+".json"), &v); err != nil || len(v.Broken) == 0 {
			t.Fatalf("%s: %d changes, %v", kind, len(v.Broken), err)
		}
		var digits strings.Builder
		for line := range strings.Lines(string(read(t, dir+kind+".hex"))) {
			line, _, _ = strings.Cut(line, "#")
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
		good, err := hex.DecodeString(digits.String())
		if err != nil {
			t.Fatal(err)
		}
		var batches [][]byte
		for _, c := range v.Broken {
			patch, _ := hex.DecodeString(c.Hex)
			bad := bytes.Clone(good)
			copy(bad[c.At:], patch)
			batches = append(batches, bad)
		}
		statuses, _ := answers(t, module, batches)
		for i, s := range statuses {
			if s != abi.StatusBadInput {
				t.Errorf("%s: %s: status %d", kind, v.Broken[i].Why, s)
			}
		}
	}
}
