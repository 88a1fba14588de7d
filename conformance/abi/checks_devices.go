package conform

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/device"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

// askers are the guests that ask for what they are told to, one for each capability of the form of ABI 8.1.
var askers = map[string]string{
	"vedette_http_v1": "ask_http", "vedette_snmp_v1": "ask_snmp", "vedette_ssh_v1": "ask_ssh", "vedette_probe_v1": "ask_probe", "vedette_config_v1": "ask_config",
}

// request is what a guest asks of a target.
type request struct {
	letter       byte // which function
	target, text string
	times        int // 0: once
	x            int // so many bytes "x" follow the text
	room         int // for the answer; 0: as much as any has
}

// What times stands for beside a number.
const (
	wildPointer = 255 // the text lies behind the memory
	trapInstead = 254 // it is not asked: the poll fails
)

// shown is how much of an answer a guest hands over: what has room in its OUT.
const shown = 250_000

// told is what the host has said to a request.
type told struct {
	code  int32
	wrote int    // bytes
	body  []byte // the first of them
}

func (t *told) String() string { return fmt.Sprintf("code %d, %q", t.code, clip(string(t.body))) }

// denied requires that a request was refused by policy.
func (t *told) denied(words ...string) error {
	for _, w := range append(words, "E_DENIED: ") {
		if t.code != -1 || !strings.HasPrefix(string(t.body), "E_DENIED: ") || !strings.Contains(string(t.body), w) {
			return fmt.Errorf("%v, want -1 and E_DENIED %s", t, strings.Join(words, " "))
		}
	}
	return nil
}

// unreachable requires that a target could not be reached.
func (t *told) unreachable() error {
	if t.code != -2 || !strings.HasPrefix(string(t.body), "E_HOST_IO: ") {
		return fmt.Errorf("%v, want -2 and E_HOST_IO", t)
	}
	return nil
}

func (r *run) asker(ctx context.Context, capability string, targets ...protocol.Target) (string, error) {
	return r.loaded(ctx, askers[capability], protocol.Load{Kind: kindMonitor, Grants: []string{capability}, Targets: targets})
}

// pollFor is a poll in which the guest asks for a list of things.
func pollFor(list ...request) protocol.Call {
	le := binary.LittleEndian
	c := protocol.Call{Seq: logSeq, At: logTime}
	for _, q := range list {
		room := q.room
		if room == 0 {
			room = 1_200_000
		}
		c.Cursor = append(c.Cursor, q.letter, byte(max(q.times, 1)))
		c.Cursor = le.AppendUint16(c.Cursor, uint16(len(q.target)))
		for _, n := range []int{len(q.text), q.x, room, shown} {
			c.Cursor = le.AppendUint32(c.Cursor, uint32(n))
		}
		c.Cursor = append(append(c.Cursor, q.target...), q.text...)
	}
	return c
}

// ask has a guest ask in one poll, and returns what it was told each time.
func (r *run) ask(ctx context.Context, module string, list ...request) ([]told, error) {
	return r.heard(ctx, module, pollFor(list...))
}

func (r *run) heard(ctx context.Context, module string, c protocol.Call) ([]told, error) {
	a, err := r.call(ctx, module, c)
	if err != nil {
		return nil, err
	}
	if len(a.Poison) > 0 {
		return nil, fmt.Errorf("the poll ends with %s %s", a.Poison[0].Code, clip(a.Poison[0].Detail))
	}
	var out []told
	for _, rec := range a.Records {
		if len(rec) < 8 {
			return nil, fmt.Errorf("a record of %d bytes", len(rec))
		}
		result := binary.LittleEndian.Uint64(rec)
		out = append(out, told{int32(uint32(result >> 32)), int(uint32(result)), rec[8:]})
	}
	return out, nil
}

// one asks once.
func (r *run) one(ctx context.Context, module string, q request) (*told, error) {
	list, err := r.ask(ctx, module, q)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%d records of one request", len(list))
	}
	return &list[0], nil
}

// allDenied asks for each thing by itself and requires that it is refused.
func (r *run) allDenied(ctx context.Context, module string, list ...request) error {
	for _, q := range list {
		t, err := r.one(ctx, module, q)
		if err == nil {
			err = t.denied()
		}
		if err != nil {
			return fmt.Errorf("%.40q %.60q: %w", q.target, q.text, err)
		}
	}
	return nil
}

// ungranted loads each guest that asks for a capability without granting it.
func ungranted(ctx context.Context, r *run) error {
	for _, c := range []struct {
		guest, kind string
		names       []string
	}{
		{"ask_snmp", kindMonitor, []string{"vedette_snmp_v1.get", "vedette_snmp_v1.walk"}},
		{"ask_ssh", kindMonitor, []string{"vedette_ssh_v1.run"}},
		{"ask_probe", kindMonitor, []string{"vedette_probe_v1.tcp", "vedette_probe_v1.tls", "vedette_probe_v1.dns", "vedette_probe_v1.ping"}},
		{"ask_config", kindMonitor, []string{"vedette_config_v1.compare"}},
		{"windows", kindRule, []string{"vedette_window_v1.count", "vedette_window_v1.distinct", "vedette_window_v1.first_seen", "vedette_window_v1.seq_step"}},
		{"timers", kindRule, []string{"vedette_timer_v1.set", "vedette_timer_v1.cancel", "vedette_kv_v1.get"}},
		{"tables", kindParser, []string{"vedette_set_v1.match", "vedette_lookup_v1.get"}},
	} {
		_, reply, err := r.guest(ctx, c.guest, protocol.Load{Kind: c.kind})
		if err != nil {
			return err
		}
		for _, name := range c.names {
			if reply.Code != "E_IMPORT" || !strings.Contains(reply.Detail, name) {
				return fmt.Errorf("%s: %q %s, want E_IMPORT with %s", c.guest, reply.Code, clip(reply.Detail), name)
			}
		}
	}
	return r.goesOn(ctx)
}

const community, password = "c0mmunity-of-the-suite", "pa55word-of-the-suite"

// agent starts a device that answers SNMP, and returns it as a target.
func agent(oids []string, vars, lie []snmp.Variable) (*device.Agent, protocol.Target, error) {
	a, err := device.NewAgent(community, vars, lie)
	if err != nil {
		return nil, protocol.Target{}, err
	}
	return a, protocol.Target{
		Name: "box", Address: device.Address, Private: true, SNMP: &protocol.SNMP{Port: a.Port(), Community: community, OIDs: oids},
	}, nil
}

// askedOften asks 65 times in one poll, in vain for the last time, and then in another.
func askedOften(ctx context.Context, r *run) error {
	l, err := device.NewWeb(time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	defer l.Close()
	port := fmt.Sprint(l.Port())
	m, err := r.asker(ctx, "vedette_probe_v1", protocol.Target{Name: "box", Address: device.Address, Private: true, Ports: []uint16{l.Port()}})
	if err != nil {
		return err
	}
	for range 2 {
		list, err := r.ask(ctx, m, request{letter: 't', target: "box", text: port, times: 64}, request{letter: 't', target: "box", text: port}, request{letter: 'p', target: "box", text: "1"})
		if err != nil {
			return err
		}
		if len(list) != 3 || list[0].code != 0 {
			return fmt.Errorf("64 requests: %v", list)
		}
		for n := range list[1:] {
			if err := list[1+n].denied("E_LIMIT"); err != nil {
				return fmt.Errorf("one more than 64: %w", err)
			}
		}
		if n := len(l.Asked()); n != 64 {
			return fmt.Errorf("%d of 65 requests reached the device", n)
		}
	}
	if err := r.allDenied(ctx, m, request{letter: 't', target: "bo", text: port}, request{letter: 't', target: "", text: port}, request{letter: 't', target: "box\x00", text: port}); err != nil {
		return err
	}
	a, err := r.call(ctx, m, pollFor(request{letter: 't', target: "box", text: port, times: wildPointer}))
	if err == nil && (len(a.Poison) != 1 || a.Poison[0].Code != "E_ABI") {
		err = fmt.Errorf("a request behind the memory: %s, want E_ABI", clip(text(a)))
	}
	return err
}

// secretsStruck has devices answer with what they were signed in with.
func secretsStruck(ctx context.Context, r *run) error {
	forms := func(secret string) string {
		raw := []byte(secret)
		return strings.Join([]string{secret, base64.StdEncoding.EncodeToString(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))}, " ")
	}
	vars := []snmp.Variable{{OID: "1.3.6.1.2.1.1.1.0", Type: snmp.Text, Bytes: []byte(forms(community))}}
	a, box, err := agent([]string{"1.3.6.1.2.1.1"}, vars, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	s, shell, err := shellOf(map[string]device.Result{"show": {Out: "begin " + forms(password) + " end"}}, protocol.Command{ID: "show", Run: "show"})
	if err != nil {
		return err
	}
	defer s.Close()
	for _, c := range []struct {
		capability, secret string
		target             protocol.Target
		ask                request
	}{
		{"vedette_snmp_v1", community, box, request{letter: 'g', target: "box", text: "1.3.6.1.2.1.1.1.0"}},
		{"vedette_ssh_v1", password, shell, request{letter: 'r', target: "box", text: "show\x00"}},
	} {
		if !oneOf(r.hello.Capabilities, c.capability) {
			continue
		}
		m, err := r.asker(ctx, c.capability, c.target)
		if err != nil {
			return err
		}
		t, err := r.one(ctx, m, c.ask)
		if err != nil {
			return err
		}
		whole := strings.Map(func(c rune) rune {
			if c == ' ' {
				return c
			}
			return '*'
		}, forms(c.secret))
		if t.code != 0 || !bytes.Contains(t.body, []byte(whole)) {
			return fmt.Errorf("%s: %v, want stars in the place of the credential", c.capability, t)
		}
	}
	return nil
}

// grantedForOnePoll grants a target for one poll of three.
func grantedForOnePoll(ctx context.Context, r *run) error {
	l, err := device.NewWeb(time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	defer l.Close()
	m, err := r.asker(ctx, "vedette_probe_v1")
	if err != nil {
		return err
	}
	q := request{letter: 't', target: "box", text: fmt.Sprint(l.Port())}
	c := pollFor(q)
	c.Targets = []protocol.Target{{Name: "box", Address: device.Address, Private: true, Ports: []uint16{l.Port()}}}
	if err := r.allDenied(ctx, m, q); err != nil {
		return fmt.Errorf("before it is granted: %w", err)
	}
	list, err := r.heard(ctx, m, c)
	if err != nil {
		return err
	}
	if len(list) != 1 || list[0].code != 0 {
		return fmt.Errorf("granted for this poll: %v", list)
	}
	if err := r.allDenied(ctx, m, q); err != nil {
		return fmt.Errorf("in the poll behind it: %w", err)
	}
	if n := len(l.Asked()); n != 1 {
		return fmt.Errorf("the device was asked %d times, want once", n)
	}
	return nil
}

// deviceAddresses grants devices that no grant can reach, or only another one.
func deviceAddresses(ctx context.Context, r *run) error {
	l, err := device.NewWeb(time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	defer l.Close()
	for _, c := range []struct {
		address string
		private bool
	}{{device.Address, false}, {"localhost", false}, {"::ffff:127.0.0.1", false}, {"10.255.255.1", false}, {"169.254.169.254", true}, {"0.0.0.0", true}, {"224.0.0.1", true}} {
		t := protocol.Target{
			Name: "box", Address: c.address, Private: c.private, Ports: []uint16{l.Port()},
			SNMP: &protocol.SNMP{Port: l.Port(), Community: community, OIDs: []string{"1.3"}},
			SSH:  &protocol.SSH{Port: l.Port(), User: "suite", Password: password, HostKeys: []string{}, Commands: []protocol.Command{{ID: "show", Run: "show"}}},
		}
		port := fmt.Sprint(l.Port())
		for capability, list := range map[string][]request{
			"vedette_probe_v1": {
				{letter: 't', target: "box", text: port}, {letter: 'l', target: "box", text: port}, {letter: 'd', target: "box", text: "x.example A"}, {letter: 'p', target: "box", text: "1"},
			},
			"vedette_snmp_v1": {{letter: 'g', target: "box", text: "1.3.6"}, {letter: 'w', target: "box", text: "1.3.6"}},
			"vedette_ssh_v1":  {{letter: 'r', target: "box", text: "show\x00"}},
		} {
			if !oneOf(r.hello.Capabilities, capability) {
				continue
			}
			m, err := r.asker(ctx, capability, t)
			if err != nil {
				return err
			}
			if err := r.allDenied(ctx, m, list...); err != nil {
				return fmt.Errorf("%s (private addresses granted: %v), %s: %w", c.address, c.private, capability, err)
			}
		}
	}
	if list := l.Asked(); len(list) > 0 {
		return fmt.Errorf("a device that was not granted was reached %d times", len(list))
	}
	return nil
}
