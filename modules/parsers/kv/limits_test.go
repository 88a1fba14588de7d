package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
)

func TestPairsOverLimit(t *testing.T) {
	raw := strings.Repeat("k=v ", MaxPairs) + "over=1"
	out, err := moduletest.Events(parser, moduletest.Received, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte(`"labels.k"`)) || bytes.Contains(out, []byte(`"labels.over"`)) {
		t.Errorf("want %d pairs and no more, got %s", MaxPairs, out)
	}
}

func TestKeyOverLimit(t *testing.T) {
	key := strings.Repeat("k", MaxKeyBytes)
	out, err := moduletest.Events(parser, moduletest.Received, []byte(key+"over=1 b=2"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte(`"labels.`+key+`":"1"`)) {
		t.Errorf("the key is not cut to %d bytes: %s", MaxKeyBytes, out)
	}
}

func TestValueOverLimit(t *testing.T) {
	for n, want := range map[int]string{MaxValueBytes: `"labels.a":"\"x`, MaxValueBytes + 1: `"labels.a":"\\\"x`} {
		raw := `a="\"` + strings.Repeat("x", n-2) + `" b=2`
		out, err := moduletest.Events(parser, moduletest.Received, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("a value of %d bytes with an escape: want %s in %.80s", n, want, out)
		}
	}
}

func TestTooFewPairs(t *testing.T) {
	for _, raw := range []string{"one=pair", "a=1 b=2 " + strings.Repeat("prose ", 10)} {
		out, err := moduletest.Events(parser, moduletest.Received, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(out, []byte("not mine")) {
			t.Errorf("%q is taken", raw)
		}
	}
}
