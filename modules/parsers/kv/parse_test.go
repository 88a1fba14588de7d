package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `ts=2024-03-01T12:00:00.5Z level=warn msg="disk sda is 91% full" host.name=web-3 free=12GB`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, `a=1 b="\"" level=x level=y`, "<1>a=1 b=2")
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
