package host

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func defaults(t *testing.T, c Config) Config {
	t.Helper()
	c, err := c.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestExampleIsTheDefaults keeps vedette.example.yaml true: it names every setting, each with its default.
func TestExampleIsTheDefaults(t *testing.T) {
	c, err := ReadConfig("vedette.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Queue.MaxBytes, c.Queue.Shards, c.Queue.Linger, c.Queue.ShareBytes = 0, 0, 0, 0 // the queue has its own defaults, which it tests
	c.Monitors = nil
	if d := cmp.Diff(defaults(t, Config{}), defaults(t, c)); d != "" {
		t.Errorf("vedette.example.yaml differs from the defaults (-default +example):\n%s", d)
	}
	text, err := os.ReadFile("vedette.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		name := f.Tag.Get("yaml")
		if name != "-" && !regexp.MustCompile(`(?m)^`+name+`:`).Match(text) {
			t.Errorf("vedette.example.yaml does not name %s", name)
		}
	}
}

func TestConfigErrorsSayWhatAndWhere(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":       {"data_dri: x", "data_dri"},
		"wrong type":        {"workers: many", "1:"},
		"protocol":          {"syslog: [{protocol: smoke, listen: \":1\", organization: main}]", `"smoke": want udp, tcp or tls`},
		"address":           {"syslog: [{protocol: udp, listen: 1, organization: main}]", "want host:port"},
		"organization":      {"syslog: [{protocol: udp, listen: \":1\", organization: mian}]", "not one of organizations (main)"},
		"half a pair":       {"http_cert: x", "go together"},
		"negative":          {"workers: -1", "must be positive"},
		"monitor's owner":   {"monitors: [{organization: nobody}]", "monitors[0].organization"},
		"short checkpoints": {"checkpoint_every: 10ms", "at least 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vedette.yaml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := ReadConfig(path)
			if err == nil {
				_, err = cfg.WithDefaults()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add([]byte("workers: 3\nsyslog: [{protocol: udp}]"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "vedette.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := ReadConfig(path); err == nil {
			_, _ = c.WithDefaults()
		}
	})
}
