package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
)

const limitSpec = "framing: kv\nprefix: p\nrequire: [first]\nset: {event.dataset: p.log}\n"

// TestOnePairTooMany: what is beyond MaxPairs is left out, and the record is read all the same.
func TestOnePairTooMany(t *testing.T) {
	p, s := parserOf(t, []byte(limitSpec))
	var raw strings.Builder
	raw.WriteString("first=1")
	for i := range MaxPairs {
		fmt.Fprintf(&raw, " k%d=v", i)
	}
	out, err := moduletest.EventsOf(p, s.Names(), moduletest.Received, []byte(raw.String()))
	if err != nil {
		t.Fatal(err)
	}
	if last := fmt.Sprintf(`"p.k%d":"v"`, MaxPairs-2); !bytes.Contains(out, []byte(last)) {
		t.Errorf("%s is missing", last)
	}
	if over := fmt.Sprintf(`"p.k%d":`, MaxPairs-1); bytes.Contains(out, []byte(over)) {
		t.Errorf("%s is one too many", over)
	}
}

// TestScratchFull: values that have no room to be unescaped stay as they are written.
func TestScratchFull(t *testing.T) {
	p, s := parserOf(t, []byte(limitSpec))
	long := strings.Repeat("x", MaxScratchBytes-2) + `\"`
	raw := `first=1 a="` + long + `" b="\""`
	out, err := moduletest.EventsOf(p, s.Names(), moduletest.Received, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte(`x\"","p.b":"\\\""`)) {
		t.Errorf("got …%s", out[max(0, len(out)-200):])
	}
}
