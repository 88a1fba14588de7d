package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		what string
		kind index.Kind
		f    Format
		text string
		want string // rows, doubles, problems
	}{
		{"right", index.CIDR, CSV, "ip,note\n10.0.0.0/8,a\n10.1.0.0/8,b\n", "2 1 []"},
		{"several lines", index.CIDR, CSV, "ip,note\n::1,\"a\nb\"\nhost,c\n::2\n::3,d\n", `2 0 [{4 "host" is neither an address nor a network} {5 wrong number of fields}]`},
		{"a quote", index.Exact, CSV, "a\nx\"y\nz\n", `1 0 [{2 bare " in non-quoted-field}]`},
		{"lines", index.Exact, JSONL, "{\"a\":\"x\"}\n[]\n{\"b\":1}\n{\"a\":\"\"}\n", `1 0 [{2 want a JSON object} {3 "b" is no column: the first line has a} {4 a key of 0 bytes, want 1 to 512}]`},
		{"a list", index.Domain, List, "# bad\nevil.example\n*.\n", `1 0 [{3 the key is no domain}]`},
		{"a kind", "regex", CSV, "a\nx\n", `1 0 [{0 kind "regex": want exact, nocase, cidr or domain}]`},
		{"columns", index.Exact, CSV, "a,a\nx,y\n", `1 0 [{0 column a stands there twice}]`},
		{"nothing", index.Exact, CSV, "", `0 0 [{0 the table is empty: want a line with the names of its columns}]`},
	} {
		got := Check(c.kind, c.f, []byte(c.text))
		if text := fmt.Sprint(len(got.Rows), got.Doubles, got.Problems); text != c.want || got.Total != len(got.Problems) {
			t.Errorf("%s: %s, want %s", c.what, text, c.want)
		}
		if _, err := Read(c.kind, c.f, []byte(c.text)); (err == nil) != (got.Total == 0) {
			t.Errorf("%s: Read says %v, Check %v", c.what, err, got.Problems)
		}
	}
	if c := Check(index.Domain, List, []byte(strings.Repeat("*\n", MaxProblems+1))); len(c.Problems) != MaxProblems || c.Total != MaxProblems+1 {
		t.Errorf("%d of %d problems", len(c.Problems), c.Total)
	}
}

func TestChange(t *testing.T) {
	was, err := Read(index.NoCase, CSV, []byte("k,v\na,1\nb,2\na,3\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		remove []string
		put    [][]string
		want   string
		err    error
	}{
		{nil, [][]string{{"c", "4"}, {"a", "9"}}, "[[a 9] [b 2] [a 3] [c 4]]", nil},
		{[]string{"a"}, nil, "[[b 2]]", nil},
		{[]string{"a"}, [][]string{{"a", "5"}}, "[[b 2] [a 5]]", nil},
		{[]string{"A"}, nil, "", storage.ErrNotFound},
		{nil, [][]string{{"c"}}, "", storage.ErrInvalid},
		{nil, [][]string{{}}, "", storage.ErrInvalid},
		{nil, [][]string{{"c", ""}, {"c", ""}}, "", storage.ErrInvalid},
	} {
		now, err := Change(was, c.remove, c.put)
		if !errors.Is(err, c.err) {
			t.Errorf("%v: %v", c, err)
		}
		if c.err != nil {
			continue
		}
		var rows [][]string
		for n := range now.Len() {
			rows = append(rows, now.Row(n))
		}
		if got := fmt.Sprint(rows); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if got := slices.Collect(Rows(was, "B")); !slices.Equal(got, []int{1}) {
		t.Errorf("found %v", got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("exact", "csv", []byte("a,b\n1,2\nx\n"))
	f.Add("cidr", "list", []byte("10.0.0.0/8\n#\nhost\n"))
	f.Add("domain", "jsonl", []byte("{\"a\":\"x\"}\n{\"b\":1}\n"))
	f.Fuzz(func(t *testing.T, kind, format string, text []byte) {
		c := Check(index.Kind(kind), Format(format), text)
		if _, err := Read(index.Kind(kind), Format(format), text); (err == nil) != (c.Total == 0) {
			t.Errorf("Read says %v, Check %v", err, c.Problems)
		}
	})
}
