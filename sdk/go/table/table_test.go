package table

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

func TestCalls(t *testing.T) {
	users, err := index.New(index.NoCase, []string{"user", "department", "boss"}, [][]string{{"eva", "finance", "ann"}, {"bob", "", "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	index.Native = map[string]*index.Table{"users": users}
	defer func() { index.Native = nil }()
	var bits [2]byte
	keys := [][]byte{[]byte("EVA"), []byte("x"), nil, []byte("bob"), nil, nil, nil, nil, []byte("eva")}
	if n, err := Match("users", keys, bits[:]); n != 3 || err != nil || bits != [2]byte{9, 1} {
		t.Errorf("%d %v %v", n, bits, err)
	}
	if ok, err := Has("users", []byte("bob")); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	buf := make([]byte, 256)
	row, err := Get("users", []byte("Eva"), buf)
	if err != nil || row.Len() != 3 || string(row.Value("department")) != "finance" || string(row.Value("boss")) != "ann" || row.Value("none") != nil {
		t.Errorf("%q %v", row.b, err)
	}
	for _, c := range []struct {
		want error
		got  func() error
	}{
		{ErrDenied, func() error { _, err := Has("others", nil); return err }},
		{ErrDenied, func() error { _, err := Get("others", nil, nil); return err }},
		{ErrAbsent, func() error { _, err := Get("users", []byte("x"), buf); return err }},
		{ErrShort, func() error { _, err := Get("users", []byte("bob"), buf[:10]); return err }},
		{ErrLimit, func() error { _, err := Get("users", make([]byte, 513), buf); return err }},
		{ErrLimit, func() error { _, err := Match("users", keys, bits[:1]); return err }},
		{ErrLimit, func() error { _, err := Match("users", make([][]byte, MaxKeys+1), make([]byte, 1000)); return err }},
	} {
		if err := c.got(); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}

// The golden row of sdk/testdata, written from the text of ABI 14.3.
func TestGoldenRow(t *testing.T) {
	text, err := os.ReadFile("../../testdata/table/row.hex")
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	want, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 256)
	n := index.Encode(out, []string{"user", "department"}, []string{"eva", ""})
	if string(out[:max(n, 0)]) != string(want) {
		t.Errorf("encoded\n%x, want\n%x", out[:max(n, 0)], want)
	}
	row, ok := Decode(want)
	if !ok || row.Len() != 2 || string(row.Value("user")) != "eva" || row.Value("department") == nil {
		t.Errorf("decoded %v", ok)
	}
	for at, why := range map[int]string{0: "more cells than fit", 8: "a name outside", 20: "a value outside"} {
		bad := append([]byte(nil), want...)
		bad[at] = 200
		if _, ok := Decode(bad); ok {
			t.Errorf("%s is taken", why)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 'a', 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		row, ok := Decode(b)
		if !ok {
			return
		}
		for i := range row.Len() {
			name, _ := row.Cell(i)
			row.Value(string(name))
		}
	})
}
