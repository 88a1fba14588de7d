package sdks

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// The well-known names stand between these lines of an SDK's file. Numbers never change their meaning, so what is added
// there changes no module that was built before.
const (
	namesBegin = "// names: written by conformance/sdks from sdk/go/ecs (go test -run Names -update .)\n"
	namesEnd   = "// end of names\n"
)

// constant is the name of a field as Rust and C write constants.
func constant(name string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '.' {
			return '_'
		}
		return r
	}, name))
}

func rustNames() string {
	var b strings.Builder
	for n, name := range ecs.Names[1:] {
		fmt.Fprintf(&b, "/// `%s`\npub const %s: Name = Name(%d);\n", name, constant(name), n+1)
	}
	fmt.Fprintf(&b, "\nstatic NAMES: [&str; %d] = [\n", len(ecs.Names)-1)
	for _, name := range ecs.Names[1:] {
		fmt.Fprintf(&b, "    %q,\n", name)
	}
	return b.String() + "];\n"
}

func cNames() string {
	var b strings.Builder
	b.WriteString("enum ecs {\n")
	for n, name := range ecs.Names[1:] {
		fmt.Fprintf(&b, "\tECS_%s = %d,\n", constant(name), n+1)
	}
	return b.String() + "};\n"
}

// TestNamesOfSDKs: all SDKs know the same names.
func TestNamesOfSDKs(t *testing.T) {
	for file, want := range map[string]string{"../../sdk/rust/src/ecs.rs": rustNames(), "../../sdk/c/vedette.h": cNames()} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, ok1 := bytes.Cut(text, []byte(namesBegin))
		names, tail, ok2 := bytes.Cut(rest, []byte(namesEnd))
		switch {
		case !ok1 || !ok2:
			t.Errorf("%s lacks the lines %q and %q", file, namesBegin, namesEnd)
		case *update:
			whole := string(head) + namesBegin + want + namesEnd + string(tail)
			if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
				t.Fatal(err)
			}
		case string(names) != want:
			t.Errorf("%s (-want +got):\n%s", file, cmp.Diff(want, string(names)))
		}
	}
}
