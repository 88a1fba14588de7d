package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// vedette runs a command and returns its exit code and what it printed.
func vedette(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestModuleConform(t *testing.T) {
	code, out, errs := vedette(t, "module", "conform", "vedette/kv")
	if code != 0 || !strings.Contains(out, "parser vedette/kv ") || !strings.Contains(out, "conforms L") {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	code, out, _ = vedette(t, "module", "conform", "vedette/ssh-brute-force", "-o", "json", "--all")
	var rep struct {
		Level   int
		Subject struct{ Name string }
	}
	if err := json.Unmarshal([]byte(out), &rep); code != 0 || err != nil || rep.Level != 5 || rep.Subject.Name != "vedette/ssh-brute-force" {
		t.Errorf("code %d, %v, %+v", code, err, rep)
	}
	for _, args := range [][]string{
		{"vedette/nothing"},
		{"vedette/kv", "-o", "yaml"},
		{"vedette/kv", "--settings", "/no/such/file"},
		{"vedette/kv:1.0.0", "--registry", "/no/such/folder"},
		{"vedette/kv", "--level", "6"},
	} {
		if code, out, errs := vedette(t, append([]string{"module", "conform"}, args...)...); code != 1 || errs == "" {
			t.Errorf("%v: code %d, %q, %q", args, code, out, errs)
		}
	}
}

// TestConformHost: this binary serves the protocol, and tells what it is.
func TestConformHost(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"conform-host"}, strings.NewReader(`{"id":1,"op":"hello"}`+"\n"), &out, &errs)
	if code != 0 || !strings.Contains(out.String(), `"host":"vedette"`) {
		t.Errorf("code %d, %q, %q", code, out.String(), errs.String())
	}
	for _, args := range [][]string{{"--exec", "/no/such/program"}, {"--url", "http://127.0.0.1:1"}, {"--url", "tcp://127.0.0.1:1"}, {"--only", "("}} {
		if code, out, errs := vedette(t, append([]string{"conform", "host"}, args...)...); code != 1 || errs == "" {
			t.Errorf("%v: code %d, %q, %q", args, code, out, errs)
		}
	}
}
