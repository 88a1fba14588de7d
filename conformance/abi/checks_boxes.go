package conform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/device"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

// fingerprint is the SHA-256 sum in upper-case hexadecimal.
func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

const system, interfaces = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2.1"

// box has a variable of each type.
var box = []snmp.Variable{
	{OID: system + ".1.0", Type: snmp.Text, Bytes: []byte("a box\x00\xff")},
	{OID: system + ".2.0", Type: snmp.OID, Bytes: []byte("1.3.6.1.4.1.8072.3.2.10")},
	{OID: system + ".3.0", Type: snmp.Ticks, Number: 4_000_000_000},
	{OID: system + "1.1", Type: snmp.Text, Bytes: []byte("not the system's")}, // 1.3.6.1.2.1.11.1
	{OID: "1.3.6.1.2.1.4.20.1.1.10.0.0.1", Type: snmp.Address, Bytes: []byte("10.0.0.1")},
	{OID: "1.3.6.1.2.1.31.1.1.1.6.1", Type: snmp.Uint, Number: 1<<63 + 5},
	{OID: "1.3.6.1.2.1.99.1.1.1.4.1", Type: snmp.Int, Number: ^uint64(41)}, // -42
}

// reads asks for variables and requires what the device has.
func (r *run) reads(ctx context.Context, module string, q request, more bool, want ...snmp.Variable) error {
	t, err := r.one(ctx, module, q)
	if err != nil {
		return err
	}
	if t.code != 0 {
		return fmt.Errorf("%q: %v", clip(q.text), t)
	}
	vars, cut, err := snmp.Decode(t.body)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(q.text), err)
	}
	for i := range vars {
		if len(vars[i].Bytes) == 0 {
			vars[i].Bytes = nil
		}
	}
	if cut != more || !reflect.DeepEqual(vars, want) {
		return fmt.Errorf("%q: %+v, more: %v, want %+v, more: %v", clip(q.text), vars, cut, want, more)
	}
	return nil
}

func variables(ctx context.Context, r *run) error {
	a, t, err := agent([]string{"1.3.6.1.2.1"}, box, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	m, err := r.asker(ctx, "vedette_snmp_v1", t)
	if err != nil {
		return err
	}
	var oids []string
	for i := range slices.Backward(box) {
		oids = append(oids, box[i].OID)
	}
	want := slices.Clone(box)
	slices.Reverse(want)
	absent := snmp.Variable{OID: system + ".99.0", Type: snmp.Absent}
	for _, c := range []struct {
		letter byte
		text   string
		want   []snmp.Variable
	}{
		{'g', strings.Join(oids, " "), want},
		{'g', box[1].OID + " " + absent.OID + " " + box[0].OID + " " + box[1].OID, []snmp.Variable{box[1], absent, box[0], box[1]}},
		{'w', system, box[:3]},
		{'w', "1.3.6.1.2.1", box},
		{'w', system + ".99", []snmp.Variable{}},
	} {
		if err := r.reads(ctx, m, request{letter: c.letter, target: "box", text: c.text}, false, c.want...); err != nil {
			return err
		}
	}
	for _, line := range a.Asked() {
		if line != "GetRequest" && line != "GetNextRequest" && line != "GetBulkRequest" {
			return fmt.Errorf("the device was sent a %s", line)
		}
	}
	a.Close()
	said, err := r.one(ctx, m, request{letter: 'g', target: "box", text: box[0].OID})
	if err == nil {
		err = said.unreachable()
	}
	if err != nil {
		return fmt.Errorf("a device that does not answer: %w", err)
	}
	return nil
}

func variablesBeyond(ctx context.Context, r *run) error {
	a, t, err := agent([]string{system, "1.3.6.1.2.1.25.1"}, box, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	m, err := r.asker(ctx, "vedette_snmp_v1", t)
	if err != nil {
		return err
	}
	many := strings.TrimSuffix(strings.Repeat(system+".1.0 ", 64), " ")
	if t, err := r.one(ctx, m, request{letter: 'g', target: "box", text: many}); err != nil || t.code != 0 {
		return fmt.Errorf("64 OIDs: %v %w", t, err)
	}
	a.Asked()
	var list []request
	for _, oid := range []string{
		"1.3.6.1.2.1", "1.3.6.1.2.1.2.1", system + "1.1", system + ".", "." + system + ".1.0", "1.3.6.1.2.1.01.1", "1.3.6.1.2.1..1", "1", "", "x",
		system + ".1.0 1.3.6.1.6", system + ".1.0  " + system + ".2.0", " " + system + ".1.0", system + ".99999999999", "1.3.6.1.2.1.25.10", many + " " + system + ".1.0",
	} {
		list = append(list, request{letter: 'g', target: "box", text: oid})
		if !strings.HasPrefix(oid, system+".1.0 ") {
			list = append(list, request{letter: 'w', target: "box", text: oid})
		}
	}
	list = append(list, request{letter: 'w', target: "box", text: system + ".1 " + system + ".2"})
	if err := r.allDenied(ctx, m, list...); err != nil {
		return err
	}
	if asked := a.Asked(); len(asked) > 0 {
		return fmt.Errorf("%d of the refused requests were sent", len(asked))
	}
	return nil
}

func variablesUnasked(ctx context.Context, r *run) error {
	lie := []snmp.Variable{{OID: "1.3.6.1.6.3.15.1.2.2.1.3.1", Type: snmp.Text, Bytes: []byte("a secret")}, {OID: system + ".9.9", Type: snmp.Text, Bytes: []byte("a lie")}}
	a, t, err := agent([]string{system}, box, lie)
	if err != nil {
		return err
	}
	defer a.Close()
	m, err := r.asker(ctx, "vedette_snmp_v1", t)
	if err != nil {
		return err
	}
	return r.reads(ctx, m, request{letter: 'g', target: "box", text: box[1].OID + " " + box[0].OID}, false, box[1], box[0])
}

func variablesMany(ctx context.Context, r *run) error {
	var vars []snmp.Variable
	for n := range 4100 {
		vars = append(vars, snmp.Variable{OID: fmt.Sprintf("%s.%d", interfaces, n+1), Type: snmp.Uint, Number: uint64(n)})
	}
	a, t, err := agent([]string{interfaces}, vars, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	m, err := r.asker(ctx, "vedette_snmp_v1", t)
	if err != nil {
		return err
	}
	if err := r.reads(ctx, m, request{letter: 'w', target: "box", text: interfaces}, true, vars[:4096]...); err != nil {
		return fmt.Errorf("%.300w", err)
	}
	// 16 bytes of head, 24 of one variable, and its OID.
	return r.reads(ctx, m, request{letter: 'g', target: "box", text: vars[0].OID + " " + vars[1].OID, room: 16 + 24 + 24 + len(vars[0].OID)}, true, vars[0])
}

// shellOf starts a device that runs commands, and returns it as a target with its key approved.
func shellOf(script map[string]device.Result, granted ...protocol.Command) (*device.Shell, protocol.Target, error) {
	s, err := device.NewShell("suite", password, script)
	if err != nil {
		return nil, protocol.Target{}, err
	}
	return s, protocol.Target{Name: "box", Address: device.Address, Private: true, SSH: &protocol.SSH{
		Port: s.Port(), User: "suite", Password: password, HostKeys: []string{s.HostKey}, Commands: granted,
	}}, nil
}

func words(list ...string) string { return strings.Join(list, "\x00") + "\x00" }

// runs has a command run and requires what it leaves; a result without a status is told as -1.
func (r *run) runs(ctx context.Context, module, text string, want device.Result) error {
	t, err := r.one(ctx, module, request{letter: 'r', target: "box", text: text})
	if err != nil {
		return err
	}
	if t.code != 0 {
		return fmt.Errorf("%q: %v", text, t)
	}
	got, err := ssh.Decode(t.body)
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	exit := int(want.Exit)
	if want.Silent {
		exit = -1
	}
	if string(got.Out) != want.Out || string(got.Err) != want.Err || got.Exit != exit || got.Cut || got.ElapsedNs <= 0 {
		return fmt.Errorf("%q: %.200q and %.200q, status %d, cut: %v, %d ns, want %.200q and %.200q, status %d", text, got.Out, got.Err, got.Exit, got.Cut, got.ElapsedNs, want.Out, want.Err, exit)
	}
	return nil
}

var granted = []protocol.Command{
	{ID: "version", Run: "show version"},
	{ID: "section", Run: "show {section} of {what} now", Args: []protocol.Argument{{Name: "section", Pattern: "run|all"}, {Name: "what", Pattern: "(?s).*"}}},
	{ID: "silent", Run: "be silent"},
}

func commands(ctx context.Context, r *run) error {
	every := "Az09._:/@%+=,-"
	long := strings.Repeat("l", 256)
	script := map[string]device.Result{
		"show version":                    {Out: "version 5\n", Err: "a warning", Exit: 0},
		"show run of " + every + " now":   {Out: "yes", Exit: 3},
		"show all of " + long + " now":    {Err: "no"},
		"be silent":                       {Out: "bye", Silent: true},
		"show version; show run of x now": {Out: "never"},
	}
	s, t, err := shellOf(script, granted...)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := r.asker(ctx, "vedette_ssh_v1", t)
	if err != nil {
		return err
	}
	for _, c := range [][]string{{"show version", "version"}, {"show run of " + every + " now", "section", "run", every}, {"show all of " + long + " now", "section", "all", long}, {"be silent", "silent"}} {
		if err := r.runs(ctx, m, words(c[1:]...), script[c[0]]); err != nil {
			return err
		}
	}
	t.SSH.Password = "another-password"
	if m, err = r.asker(ctx, "vedette_ssh_v1", t); err != nil {
		return err
	}
	said, err := r.one(ctx, m, request{letter: 'r', target: "box", text: words("version")})
	if err == nil {
		err = said.unreachable()
	}
	if err != nil {
		return fmt.Errorf("a device that does not let the host in: %w", err)
	}
	return nil
}

func commandsBeyond(ctx context.Context, r *run) error {
	s, t, err := shellOf(nil, granted...)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := r.asker(ctx, "vedette_ssh_v1", t)
	if err != nil {
		return err
	}
	list := []string{
		words("reload"), words(""), "version", words("version", "x"), words("section"), words("section", "run"), words("section", "run", "x", "y"), "", "\x00",
		words("show version"), words("VERSION"), words("section", "run1", "x"), words("section", "allx", "x"), words("section", "xrun", "x"), words("section", "", "x"), words("section", "run", "x") + "y",
	}
	for _, arg := range []string{
		"", "-x", "--", "a b", "a\tb", "a\nb", "a;b", "a|b", "a&b", "$(a)", "$a", "`a`", "a'b", `a"b`, `a\b`, "a>b", "a<b", "a*b", "a?b", "~a", "a!b", "a#b", "{what}", "(a)", "[a]", "a^b", "ü", "\x7f",
		strings.Repeat("l", 257),
	} {
		list = append(list, words("section", "run", arg))
	}
	var requests []request
	for _, text := range list {
		requests = append(requests, request{letter: 'r', target: "box", text: text})
	}
	if err := r.allDenied(ctx, m, requests...); err != nil {
		return err
	}
	if asked := s.Asked(); len(asked) > 0 {
		return fmt.Errorf("the device saw %q", asked)
	}
	return nil
}

// hostKeys offers a device whose key nobody has approved, and one whose key has changed.
func hostKeys(ctx context.Context, r *run) error {
	s, t, err := shellOf(map[string]device.Result{"show version": {Out: "5"}}, granted...)
	if err != nil {
		return err
	}
	defer s.Close()
	other, err := device.NewShell("suite", password, nil)
	if err != nil {
		return err
	}
	defer other.Close()
	for what, keys := range map[string][]string{"no key": nil, "another key": {other.HostKey}} {
		t.SSH.HostKeys = keys
		m, err := r.asker(ctx, "vedette_ssh_v1", t)
		if err != nil {
			return err
		}
		if err := r.allDenied(ctx, m, request{letter: 'r', target: "box", text: words("version")}); err != nil {
			return fmt.Errorf("%s is approved: %w", what, err)
		}
		if asked := s.Asked(); !slices.Equal(asked, []string{"connected"}) {
			return fmt.Errorf("%s is approved, and the device saw %q", what, asked)
		}
	}
	t.SSH.HostKeys = []string{other.HostKey, s.HostKey}
	m, err := r.asker(ctx, "vedette_ssh_v1", t)
	if err != nil {
		return err
	}
	return r.runs(ctx, m, words("version"), device.Result{Out: "5"})
}

func outputs(ctx context.Context, r *run) error {
	const most = 1 << 20
	s, t, err := shellOf(map[string]device.Result{
		"a": {Out: strings.Repeat("o", most+1)}, "b": {Out: strings.Repeat("o", most-10), Err: strings.Repeat("e", 100)}, "c": {Out: strings.Repeat("o", most-10), Err: strings.Repeat("e", 10)},
	}, protocol.Command{ID: "a", Run: "a"}, protocol.Command{ID: "b", Run: "b"}, protocol.Command{ID: "c", Run: "c"})
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := r.asker(ctx, "vedette_ssh_v1", t)
	if err != nil {
		return err
	}
	for command, cut := range map[string]bool{"a": true, "b": true, "c": false} {
		for room, want := range map[int]bool{24 + most + 100: cut, 1000: true} {
			t, err := r.one(ctx, m, request{letter: 'r', target: "box", text: words(command), room: room})
			if err != nil {
				return err
			}
			if t.code != 0 || t.wrote != min(room, 24+most) || len(t.body) < 24 || t.body[4] != 0 != want {
				return fmt.Errorf("%s into %d bytes: %d bytes, %v, cut: %v", command, room, t.wrote, t, want)
			}
		}
	}
	return nil
}
