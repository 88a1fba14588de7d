package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/config"
)

// comparison is a request to compare a text, and what must come of it.
type comparison struct {
	name, base, text string
	x                int // so many bytes "x" follow the text

	state          config.State
	added, removed int
	denied         bool
}

func (c *comparison) ask() request {
	return request{letter: 'c', target: "box", text: c.name + "\x00" + c.base + "\x00" + c.text, x: c.x}
}

func (r *run) comparer(ctx context.Context, blessed map[string]protocol.Bytes) (string, error) {
	return r.asker(ctx, "vedette_config_v1", protocol.Target{Name: "box", Texts: &protocol.Texts{Blessed: blessed}}, protocol.Target{Name: "other", Texts: &protocol.Texts{}})
}

// compares has texts compared in one poll.
func (r *run) compares(ctx context.Context, module string, list ...comparison) error {
	var asks []request
	for i := range list {
		asks = append(asks, list[i].ask())
	}
	said, err := r.ask(ctx, module, asks...)
	if err != nil {
		return err
	}
	if len(said) != len(list) {
		return fmt.Errorf("%d records of %d comparisons", len(said), len(list))
	}
	for i := range list {
		if err := list[i].check(&said[i]); err != nil {
			return fmt.Errorf("%.40q with %.40q: %w", list[i].name, list[i].base, err)
		}
	}
	return nil
}

func (c *comparison) check(t *told) error {
	if c.denied {
		return t.denied()
	}
	if t.code != 0 {
		return fmt.Errorf("%v", t)
	}
	d, err := config.Decode(t.body)
	if err != nil {
		return fmt.Errorf("%w: %v", err, t)
	}
	if d.State != c.state || d.Added != c.added || d.Removed != c.removed {
		return fmt.Errorf("state %d, %d lines added, %d removed, want %d, %d, %d", d.State, d.Added, d.Removed, c.state, c.added, c.removed)
	}
	if d.Version == "" || (d.Base == "") != (c.state == config.Missing) || (d.Base == d.Version) != (c.state == config.Same) || (len(d.Diff) > 0) != (c.state == config.Changed) {
		return fmt.Errorf("state %d, digests %q and %q, %d bytes of a difference", d.State, d.Version, d.Base, len(d.Diff))
	}
	return unified(&d)
}

// unified requires that a difference is one: whole lines, without names of files, and all changed lines unless it is cut.
func unified(d *config.Difference) error {
	if len(d.Diff) == 0 {
		return nil
	}
	added, removed := 0, 0
	for line := range strings.Lines(string(d.Diff)) {
		switch {
		case !strings.HasSuffix(line, "\n"):
			return fmt.Errorf("the difference ends within a line: %q", clip(line))
		case line[0] == '+':
			added++
		case line[0] == '-':
			removed++
		case !strings.ContainsRune(" @\\", rune(line[0])):
			return fmt.Errorf("a line of the difference is %q", clip(line))
		}
	}
	switch {
	case !strings.HasPrefix(string(d.Diff), "@@ -"):
		return fmt.Errorf("the difference begins with %q", clip(string(d.Diff)))
	case len(d.Diff) > config.MaxDiffBytes:
		return fmt.Errorf("a difference of %d bytes", len(d.Diff))
	case d.Cut == (added == d.Added && removed == d.Removed):
		return fmt.Errorf("%d and %d lines of %d and %d are shown, cut: %v", added, removed, d.Added, d.Removed, d.Cut)
	}
	return nil
}

func textsCompared(ctx context.Context, r *run) error {
	m, err := r.comparer(ctx, map[string]protocol.Bytes{"running": bytesOf("a\nb\n"), "empty": {}})
	if err != nil {
		return err
	}
	const one, two = "a\nb\n", "a\nc\nd\n"
	for n, poll := range [][]comparison{
		{{name: "running", text: one, state: config.Missing}, {name: "running", base: "blessed", text: one}},
		{{name: "running", text: one}, {name: "running", base: "blessed", text: two, state: config.Changed, added: 2, removed: 1}},
		{
			{name: "running", text: two},
			{name: "startup", base: "@running", text: one, state: config.Changed, added: 1, removed: 2},
			{name: "running", text: one, state: config.Changed, added: 1, removed: 2}, // with the version of the poll before
			{name: "startup", base: "@running", text: one},                            // with the text of this poll
			{name: "startup", text: one, state: config.Missing},
			{name: "startup", base: "blessed", text: one, state: config.Missing},
			{name: "startup", base: "@none", text: one, state: config.Missing},
		},
		{{name: "startup", base: "@running", text: two, state: config.Changed, added: 2, removed: 1}, {name: "running", text: one}, {name: "startup", text: one}},
		{{name: "bytes", text: "\xff\x00\n", state: config.Missing}, {name: "none", state: config.Missing}},
		{{name: "bytes", text: "\xff\x01", state: config.Changed, added: 1, removed: 1}, {name: "none"}},
	} {
		if err := r.compares(ctx, m, poll...); err != nil {
			return fmt.Errorf("poll %d: %w", n+1, err)
		}
	}
	q := request{letter: 'c', target: "other", text: "running\x00\x00" + one}
	t, err := r.one(ctx, m, q)
	if err == nil {
		err = (&comparison{state: config.Missing}).check(t)
	}
	if err != nil {
		return fmt.Errorf("the same name of another target: %w", err)
	}
	return nil
}

// textsKept has a poll fail behind a comparison.
func textsKept(ctx context.Context, r *run) error {
	m, err := r.comparer(ctx, nil)
	if err != nil {
		return err
	}
	if err := r.compares(ctx, m, comparison{name: "running", text: "one\n", state: config.Missing}); err != nil {
		return err
	}
	lost := comparison{name: "running", text: "two\n"}
	a, err := r.call(ctx, m, pollFor(lost.ask(), request{times: trapInstead}))
	if err != nil {
		return err
	}
	if len(a.Poison) != 1 || a.Poison[0].Code != "E_TRAP" {
		return fmt.Errorf("a poll that fails: %s, want E_TRAP", clip(text(a)))
	}
	err = r.compares(ctx, m, comparison{name: "running", text: "two\n", state: config.Changed, added: 1, removed: 1})
	if err != nil {
		return fmt.Errorf("behind a poll that has failed: %w", err)
	}
	return r.compares(ctx, m, comparison{name: "running", text: "two\n"})
}

func textsBounded(ctx context.Context, r *run) error {
	m, err := r.comparer(ctx, nil)
	if err != nil {
		return err
	}
	const most = 1 << 20
	long := strings.Repeat("n", 64)
	for _, poll := range [][]comparison{
		{{name: "", denied: true}, {name: "a b", denied: true}, {name: "@a", denied: true}, {name: "ü", denied: true}, {name: "a\x7f", denied: true}, {name: "a\n", denied: true}, {name: long + "n", denied: true}, {name: long, state: config.Missing}},
		{{name: "a", base: "newest", denied: true}, {name: "a", base: "BLESSED", denied: true}, {name: "a", base: "a", denied: true}},
		{{name: "a", x: most, state: config.Missing}, {name: "b", x: most + 1, denied: true}},
		{{name: "a", x: most}},
	} {
		if err := r.compares(ctx, m, poll...); err != nil {
			return err
		}
	}
	if err := r.allDenied(ctx, m, request{letter: 'c', target: "box", text: ""}, request{letter: 'c', target: "box", text: "a"}, request{letter: 'c', target: "box", text: "a\x00b"}); err != nil {
		return err
	}
	var many []comparison
	for n := range 17 {
		many = append(many, comparison{name: fmt.Sprint("text-", n), text: "x\n", state: config.Missing, denied: n == 16})
	}
	if err := r.compares(ctx, m, append(many, comparison{name: "text-3", text: "y\n", state: config.Missing})...); err != nil {
		return fmt.Errorf("17 names in one poll: %w", err)
	}
	lines := func(c string) string { return strings.Repeat(c+" and so on\n", 4000) }
	if err := r.compares(ctx, m, comparison{name: "long", text: lines("a"), state: config.Missing}); err != nil {
		return err
	}
	return r.compares(ctx, m, comparison{name: "long", text: lines("b"), state: config.Changed, added: 4000, removed: 4000})
}
