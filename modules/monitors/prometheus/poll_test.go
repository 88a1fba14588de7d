package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func TestCases(t *testing.T) { moduletest.Polls(t, sdk.Monitor{Init: Init, Poll: Poll}) }

func FuzzParse(f *testing.F) {
	f.Add(`requests_total{code="200",path="/a\"b"} 1.5e3 1700000000000`)
	f.Add(`x{`)
	f.Fuzz(func(t *testing.T, line string) {
		if s, ok := parse(line); ok && (s.name == "" || s.value == "") {
			t.Errorf("%q gives %+v", line, s)
		}
	})
}
