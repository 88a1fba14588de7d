package manifest_test

import (
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

func command(run string, args ...string) manifest.Command {
	c := manifest.Command{ID: "c", Run: run}
	for i := 0; i < len(args); i += 2 {
		c.Args = append(c.Args, manifest.Argument{Name: args[i], Pattern: args[i+1]})
	}
	return c
}

func TestCheckReach(t *testing.T) {
	over := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = "1.3"
		}
		return list
	}
	for name, c := range map[string]struct {
		oids     []string
		commands []manifest.Command
		ports    []uint16
		want     string // "" when all is well
	}{
		"well":             {[]string{"1.3.6.1"}, []manifest.Command{command("show {a} {b}", "a", "[a-z]+", "b", "x|y")}, []uint16{1, 65535}, ""},
		"most":             {over(manifest.MaxReach), nil, nil, ""},
		"one over":         {over(manifest.MaxReach + 1), nil, nil, "more than"},
		"dot in front":     {[]string{".1.3"}, nil, nil, "oids[0]"},
		"one number":       {[]string{"1"}, nil, nil, "oids[0]"},
		"too large":        {[]string{"1.4294967296"}, nil, nil, "oids[0]"},
		"port 0":           {nil, nil, []uint16{0}, "ports[0]"},
		"two lines":        {nil, []manifest.Command{command("a\nb")}, nil, "run"},
		"empty":            {nil, []manifest.Command{command("")}, nil, "run"},
		"long":             {nil, []manifest.Command{command(strings.Repeat("a", manifest.MaxCommandBytes+1))}, nil, "run"},
		"unknown hole":     {nil, []manifest.Command{command("a {b}")}, nil, "{b}"},
		"no hole":          {nil, []manifest.Command{command("a", "b", "x")}, nil, "args[0].name"},
		"hole twice named": {nil, []manifest.Command{command("a {b}", "b", "x", "b", "y")}, nil, "args[1].name"},
		"bad pattern":      {nil, []manifest.Command{command("a {b}", "b", "(")}, nil, "pattern"},
		"no pattern":       {nil, []manifest.Command{command("a {b}", "b", "")}, nil, "pattern"},
		"same id":          {nil, []manifest.Command{command("a"), command("b")}, nil, "twice"},
	} {
		got := manifest.CheckReach(c.oids, c.commands, c.ports)
		if (len(got) == 0) != (c.want == "") || c.want != "" && !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFill(t *testing.T) {
	c := command("show {what} of {what} at {where}", "what", "[a-z]+|.*", "where", "[0-9]{1,3}")
	if line, err := c.Fill([]string{"running", "7"}); err != nil || line != "show running of running at 7" {
		t.Errorf("%q %v", line, err)
	}
	for _, args := range [][]string{{"a"}, {"a", "7", "b"}, {"a", "1234"}, {"a b", "7"}, {"a", ""}, {"-a", "7"}, {"a;b", "7"}, {"{where}", "7"}, {"a\n", "7"}, {strings.Repeat("a", manifest.MaxArgumentBytes+1), "7"}} {
		if line, err := c.Fill(args); err == nil {
			t.Errorf("%q gives %q", args, line)
		}
	}
}

func FuzzFill(f *testing.F) {
	f.Add("a;b", "x")
	f.Fuzz(func(t *testing.T, a, b string) {
		c := command("run {a} {b}", "a", "(?s).*", "b", "(?s).*")
		line, err := c.Fill([]string{a, b})
		if err == nil && (line != "run "+a+" "+b || strings.ContainsAny(line[len("run "):], ";&|$`<>(){}[]*?!~#\\'\"\n\r\t") || len(strings.Fields(line)) != 3) {
			t.Errorf("%q", line)
		}
	})
}
