package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `{"time":"2024-03-01T11:04:22.517Z","level":"warn","msg":"payment refused","service":"shop","request":{"id":"7f3a","path":"/pay","ms":41,"retries":[1,2]},"user":"eva","ok":false,"path":"C:\\shop\\log"}`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func TestLimits(t *testing.T) {
	b := []byte(`{"a":0`)
	for i := 1; i <= MaxFields; i++ {
		b = fmt.Appendf(b, `,"k%d":1`, i)
	}
	got, err := moduletest.Events(parser, moduletest.Received, append(b, '}'))
	if err != nil || !bytes.Contains(got, fmt.Appendf(nil, "json.k%d\"", MaxFields-1)) || bytes.Contains(got, fmt.Appendf(nil, "json.k%d\"", MaxFields)) {
		t.Errorf("one field more: %v\n%.200s", err, got)
	}
	got, err = moduletest.Events(parser, moduletest.Received, []byte(`{"a":"`+strings.Repeat(`\\`, MaxScratchBytes/2)+`z","b":"c\\d"}`))
	if err != nil || !bytes.Contains(got, []byte(`"json.b":"c\\d"`)) || !bytes.Contains(got, []byte(strings.Repeat(`\`, 2*MaxScratchBytes)+"z")) {
		t.Errorf("one byte more: %v, %d bytes", err, len(got))
	}
}

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, `{"@timestamp":"2024-03-01","ts":1709290800,"tags":["a",1],"event":{"kind":"x","original":"y"},"a":[{"b":1}]}`,
		`<14>1 2024-03-01T11:00:00Z h app - - - {"a":1}`, `{"message":"\ud83d","message":""}`)
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
