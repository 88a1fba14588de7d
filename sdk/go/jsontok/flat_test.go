package jsontok

import (
	"errors"
	"strings"
	"testing"
)

func flatten(doc string) (string, error) {
	var f Flat
	var lines []string
	for f.Reset([]byte(doc)); f.Next(); {
		mark := ""
		if f.List {
			mark = "[]"
		}
		lines = append(lines, string(f.Name)+mark+"="+string(f.Value))
	}
	return strings.Join(lines, " "), f.Err()
}

func TestFlat(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{`{}`, ""},
		{`{"a":{"b":1,"c":{"d":"x"}},"e":true}`, "a.b=1 a.c.d=x e=true"},
		{`{"a.b":1,"a":{"c":2}}`, "a.b=1 a.c=2"},
		{`{"l":[1,"two",null,false],"m":3}`, "l[]=1 l[]=two l[]=false m=3"},
		{`{"o":{"l":["x"],"k":1},"l":[],"p":{}}`, "o.l[]=x o.k=1"},
		{`{"r":[{"x":1},2],"s":[[1]],"t":4}`, `r=[{"x":1},2] s=[[1]] t=4`},
		{`{"a\u002eb":{"\"":1}}`, `a.b."=1`},
		{`{"n":null,"":{"":1}}`, `=1`},
	} {
		got, err := flatten(c.doc)
		if err != nil || got != c.want {
			t.Errorf("%s: %s (%v), want %s", c.doc, got, err, c.want)
		}
	}
	for _, doc := range []string{``, `[]`, `1`, `{"a":1`, `{"a":[1}`, `{}x`} {
		if got, err := flatten(doc); err == nil {
			t.Errorf("%s: read as %s", doc, got)
		}
	}
}

func TestFlatNameLimit(t *testing.T) {
	key := strings.Repeat("k", MaxNameBytes)
	for doc, want := range map[string]string{
		`{"` + key + `":1}`:           key,
		`{"` + key + `x":1}`:          key,
		`{"` + key + `":{"y":1}}`:     key,
		`{"` + key[2:] + `":{"y":1}}`: key[2:] + ".y",
		`{"` + key[1:] + `":{"y":1}}`: key[1:] + ".",
	} {
		if got, err := flatten(doc); err != nil || got != want+"=1" {
			t.Errorf("%s: %s (%v)", doc, got, err)
		}
	}
}

func BenchmarkFlat(b *testing.B) {
	doc := []byte(process)
	var f Flat
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		for f.Reset(doc); f.Next(); {
		}
	}
}

func FuzzFlat(f *testing.F) {
	f.Add(process)
	f.Add(`{"a":[1,{"b":[]}],"c":{"d":[null,"x"]}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		_, err := flatten(doc)
		object := strings.HasPrefix(strings.TrimLeft(doc, " \t\r\n"), "{")
		if !errors.Is(err, ErrDepth) && (err == nil) != (object && Valid([]byte(doc))) {
			t.Fatalf("%q: %v", doc, err)
		}
	})
}
