package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

// reach checks what a target says of what is done there.
func (c *check) reach(at, capability string, t Target) {
	if len(t.OIDs) > 0 && capability != snmp.Import {
		c.add(at+".oids", "only a target of %s has OIDs", snmp.Import)
	}
	if len(t.Commands) > 0 && capability != ssh.Import {
		c.add(at+".commands", "only a target of %s has commands", ssh.Import)
	}
	if len(t.Ports) > 0 && capability != probe.Import {
		c.add(at+".ports", "only a target of %s has ports", probe.Import)
	}
	for _, err := range CheckReach(t.OIDs, t.Commands, t.Ports) {
		c.add(at+"."+err.Path, "%s", err.Text)
	}
}

// CheckReach says what is wrong with what a manifest asks for or a person grants. Paths are those below a target.
func CheckReach(oids []string, commands []Command, ports []uint16) Problems {
	c := &check{}
	if len(oids) > MaxReach || len(commands) > MaxReach || len(ports) > MaxReach {
		c.add("", "more than %d OIDs, commands or ports", MaxReach)
		return c.problems
	}
	for i, oid := range oids {
		if !ValidOID(oid) {
			c.add(fmt.Sprintf("oids[%d]", i), "%q: want an OID such as 1.3.6.1.2.1.1, without a dot in front", oid)
		}
	}
	for i, p := range ports {
		if p == 0 {
			c.add(fmt.Sprintf("ports[%d]", i), "want a port from 1 to 65535")
		}
	}
	seen := map[string]bool{}
	for i := range commands {
		at := fmt.Sprintf("commands[%d]", i)
		c.name(at+".id", commands[i].ID)
		if seen[commands[i].ID] {
			c.add(at+".id", "%q stands there twice", commands[i].ID)
		}
		seen[commands[i].ID] = true
		c.command(at, &commands[i])
	}
	return c.problems
}

// ValidOID reports whether s is a dotted object identifier of at most 128 numbers below 2^32.
func ValidOID(s string) bool {
	parts := strings.Split(s, ".")
	if len(s) > MaxOIDBytes || len(parts) < 2 || len(parts) > 128 {
		return false
	}
	for _, p := range parts {
		if n, err := strconv.ParseUint(p, 10, 32); err != nil || strconv.FormatUint(n, 10) != p {
			return false
		}
	}
	return true
}

// hole finds what a template has in braces.
var hole = regexp.MustCompile(`\{([^{}]*)\}`)

func (c *check) command(at string, cmd *Command) {
	if cmd.Run == "" || len(cmd.Run) > MaxCommandBytes || strings.ContainsFunc(cmd.Run, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		c.add(at+".run", "want one line of at most %d bytes", MaxCommandBytes)
	}
	var holes []string
	for _, m := range hole.FindAllStringSubmatch(cmd.Run, -1) {
		holes = append(holes, m[1])
	}
	if len(cmd.Args) > MaxCommandArgs {
		c.add(at+".args", "%d arguments, the limit is %d", len(cmd.Args), MaxCommandArgs)
		return
	}
	names := map[string]bool{}
	for i, a := range cmd.Args {
		here := fmt.Sprintf("%s.args[%d]", at, i)
		c.name(here+".name", a.Name)
		if names[a.Name] || !slices.Contains(holes, a.Name) {
			c.add(here+".name", "%q stands in the template not at all, or among the arguments twice", a.Name)
		}
		names[a.Name] = true
		if _, err := regexp.Compile(a.Pattern); err != nil || a.Pattern == "" || len(a.Pattern) > MaxPatternBytes {
			c.add(here+".pattern", "want a regular expression of at most %d bytes that the whole argument must match", MaxPatternBytes)
		}
	}
	for _, h := range holes {
		if !names[h] {
			c.add(at+".run", "{%s} is none of the arguments", h)
		}
	}
}

// Fill returns the command line for arguments in the order of the template's. Each must match its pattern as a whole and
// hold only letters, digits and . _ : / @ % + = , - with no "-" in front: no shell or device reads anything else into it.
func (cmd *Command) Fill(args []string) (string, error) {
	if len(args) != len(cmd.Args) {
		return "", fmt.Errorf("command %s takes %d arguments, not %d", cmd.ID, len(cmd.Args), len(args))
	}
	values := map[string]string{}
	for i, a := range cmd.Args {
		v := args[i]
		if v == "" || len(v) > MaxArgumentBytes || v[0] == '-' || strings.ContainsFunc(v, notPlain) {
			return "", fmt.Errorf("argument %s of command %s holds what no argument may", a.Name, cmd.ID)
		}
		re, err := regexp.Compile(`\A(?:` + a.Pattern + `)\z`)
		if err != nil {
			return "", fmt.Errorf("argument %s of command %s: %w", a.Name, cmd.ID, err)
		}
		if !re.MatchString(v) {
			return "", fmt.Errorf("argument %s of command %s does not match its pattern", a.Name, cmd.ID)
		}
		values[a.Name] = v
	}
	return hole.ReplaceAllStringFunc(cmd.Run, func(h string) string { return values[h[1:len(h)-1]] }), nil
}

func notPlain(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:/@%+=,-", r)
}
