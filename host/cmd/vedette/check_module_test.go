package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry/attest"
)

// TestMain lets this binary be the vedette that a host runs to try modules: it limits itself, so it is a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == checkCommand {
		main()
	}
	os.Exit(m.Run())
}

func TestCheckModule(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	try := trust.Process([]string{self, checkCommand}, filepath.Join(t.TempDir(), "cache"))
	c, err := try(t.Context(), trust.Order{Package: shipped[0]})
	if err != nil || c.Level != attest.MaxLevel || c.Cases == 0 || len(c.Failed) > 0 || !strings.Contains(c.Host, "meter ") {
		t.Errorf("%s: %+v, %v", shipped[0].Manifest.Reference(), c, err)
	}
	if _, err := try(t.Context(), trust.Order{Settings: []byte("{}")}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("no module: %v", err)
	}
}
