package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `<30>Mar  1 11:00:01 web-3 systemd[1]: Started Daily apt download activities.`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, "Mar  1 11:00:03 mac Web Browser[312]: x", "2024-03-01T11:00:02+01:00 h p: x")
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
