package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `<134>1 2024-03-01T11:00:09.25+02:00 fw.example.org app 7 ID1 [a@1 k="v" q="w"] text that goes on for a while`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, "<189>237: rtr1: *Mar  1 19:46:03.295: %SYS-5-X: y", `<1>1 - - - - - [a k="\\""]`)
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
