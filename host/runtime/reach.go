package runtime

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

// Target is one place that a monitor may reach: granted to it by a person, named by its code. What may be done there is
// what is not nil; each function keeps to its grant, and an error that wraps [ErrDenied] says that it was left.
type Target struct {
	Name    string
	URL     string         // vedette_http_v1: scheme, host and perhaps a path that every request begins with; "" for none
	Private bool           // may resolve to loopback, private or shared addresses; never to link-local ones
	Header  http.Header    // sent with every request to the target's origin: credentials, which the module never sees
	Roots   *x509.CertPool // who may vouch for its certificate; nil: those whom the system trusts
	Secrets []Secret       // what no answer may show: it is struck out of everything that comes from the target
	SNMP    SNMP
	SSH     SSH
	Probe   Probe
	Compare Compare
}

// SNMP reads the variables named by oids or, of a walk, those below the only one. more says that there were too many.
type SNMP func(ctx context.Context, walk bool, oids []string) (vars []snmp.Variable, more bool, err error)

// SSH runs the granted command of that name with arguments, in the order of its template.
type SSH func(ctx context.Context, command string, args []string) (ssh.Result, error)

// Probe tries a connection: kind is tcp, tls, dns or ping, and what is the port or the question.
type Probe func(ctx context.Context, kind, what string) ([]probe.Fact, error)

// Compare stages a text of the target, such as its configuration, and says how it differs from another one.
type Compare func(ctx context.Context, name, base string, text []byte) (config.Difference, error)

// Secret is a text that must not be shown. It prints as stars, however it is printed.
type Secret string

// String hides the secret.
func (Secret) String() string { return "******" }

// GoString hides the secret.
func (Secret) GoString() string { return "******" }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("******"), nil }

// MinSecretBytes is the least that a secret has: shorter ones cannot be told from chance in what a target answers.
const MinSecretBytes = 4

// Statuses of a capability's functions (ABI 8.3).
const (
	reachDenied = -1
	reachFailed = -2
)

// use asks a target and writes the answer to out; it returns how many bytes that are.
type use func(ctx context.Context, i *instance, t *Target, request string, out []byte) (int, error)

// reach makes the import of a capability: (target, target_len, request, request_len, out, out_cap) -> code<<32 | bytes in
// out (ABI 8.1, 8.3).
func reach(capability string, f use) function {
	return function{"iiiiii", "I", func(ctx context.Context, guest api.Module, s []uint64) {
		i := instanceOf(ctx)
		name, request := string(bytesAt(guest, s[0], s[1])), string(bytesAt(guest, s[2], s[3]))
		out := bytesAt(guest, s[4], s[5])
		i.charge(chargeCall + int64(len(request))>>chargeByteShift)
		i.work.Requests++
		code := 0
		t, n, err := i.outside(capability, name, func(ctx context.Context, t *Target) (int, error) { return f(ctx, i, t, request, out) })
		if errors.Is(err, ErrDenied) {
			code, n = reachDenied, copy(out, clip(CodeDenied+": "+err.Error(), i.mod.host.lim.TrapBytes))
		} else if err != nil {
			code, n = reachFailed, copy(out, clip(CodeHostIO+": "+err.Error(), i.mod.host.lim.TrapBytes))
		}
		if t != nil {
			strike(out[:n], t.Secrets)
		}
		i.charge(int64(n) >> chargeByteShift)
		i.work.RequestBytes += int64(len(request) + n)
		s[0] = uint64(uint32(int32(code)))<<32 | uint64(uint32(n))
	}}
}

// outside finds a target and asks it. What that takes is not the guest's time: a slow target is no stalled machine.
func (i *instance) outside(capability, name string, f func(context.Context, *Target) (int, error)) (*Target, int, error) {
	if i.asked == nil {
		i.asked = map[string]int{}
	}
	limit := i.mod.host.lim.CallsPerPoll
	if capability == abi.ImportHTTP {
		limit = i.mod.host.lim.HTTPCallsPerPoll
	}
	if i.asked[capability]++; i.asked[capability] > limit {
		return nil, 0, fmt.Errorf("%s: more than %d requests in one poll: %w", CodeLimit, limit, ErrDenied)
	}
	t := i.target(capability, name)
	if t == nil {
		return nil, 0, fmt.Errorf("the target %q was not granted: %w", clip(name, 64), ErrDenied)
	}
	began := i.mod.host.cfg.Now()
	ctx, cancel := context.WithTimeout(i.call.Context, i.until.Sub(began))
	defer cancel()
	n, err := f(ctx, t)
	i.deadline = i.deadline.Add(i.mod.host.cfg.Now().Sub(began))
	return t, n, err
}

// target returns the target of a name that may be reached in this way.
func (i *instance) target(capability, name string) *Target {
	for _, list := range [][]Target{i.targets, i.mod.spec.Targets} {
		for n := range list {
			if t := &list[n]; t.Name == name && t.offers(capability) {
				return t
			}
		}
	}
	return nil
}

func (t *Target) offers(capability string) bool {
	switch capability {
	case abi.ImportHTTP:
		return t.URL != ""
	case snmp.Import:
		return t.SNMP != nil
	case ssh.Import:
		return t.SSH != nil
	case probe.Import:
		return t.Probe != nil
	case config.Import:
		return t.Compare != nil
	}
	return false
}

// strike overwrites secrets in b, also in base64 and hexadecimal, with as many stars: an answer keeps its form.
func strike(b []byte, secrets []Secret) {
	text := string(b)
	for _, s := range secrets {
		if len(s) < MinSecretBytes {
			continue
		}
		raw := string(s)
		for _, form := range []string{
			raw, base64.StdEncoding.EncodeToString([]byte(raw)), base64.RawURLEncoding.EncodeToString([]byte(raw)),
			hex.EncodeToString([]byte(raw)), strings.ToUpper(hex.EncodeToString([]byte(raw))), url.QueryEscape(raw),
		} {
			for at := 0; ; {
				k := strings.Index(text[at:], form)
				if k < 0 {
					break
				}
				for n := range form {
					b[at+k+n] = '*'
				}
				at += k + len(form)
			}
		}
	}
}

// snmpGet is vedette_snmp_v1.get: OIDs with one space between them (ABI 15.1).
func snmpGet(ctx context.Context, _ *instance, t *Target, request string, out []byte) (int, error) {
	return snmpAnswer(out)(t.SNMP(ctx, false, strings.Split(request, " ")))
}

// snmpWalk is vedette_snmp_v1.walk: one OID (ABI 15.2).
func snmpWalk(ctx context.Context, _ *instance, t *Target, request string, out []byte) (int, error) {
	return snmpAnswer(out)(t.SNMP(ctx, true, []string{request}))
}

func snmpAnswer(out []byte) func([]snmp.Variable, bool, error) (int, error) {
	return func(vars []snmp.Variable, more bool, err error) (int, error) {
		if err != nil {
			return 0, err
		}
		return snmp.Encode(out, vars, more), nil
	}
}

// sshRun is vedette_ssh_v1.run: a command's name and its arguments, each ended by a zero byte (ABI 16.1).
func sshRun(ctx context.Context, _ *instance, t *Target, request string, out []byte) (int, error) {
	words, ok := strings.CutSuffix(request, "\x00")
	if !ok {
		return 0, fmt.Errorf("the request does not end with a zero byte: %w", ErrDenied)
	}
	list := strings.Split(words, "\x00")
	r, err := t.SSH(ctx, list[0], list[1:])
	if err != nil {
		return 0, err
	}
	return ssh.Encode(out, r), nil
}

// probeOf is one function of vedette_probe_v1 (ABI 17).
func probeOf(kind string) use {
	return func(ctx context.Context, _ *instance, t *Target, request string, out []byte) (int, error) {
		facts, err := t.Probe(ctx, kind, request)
		if err != nil {
			return 0, err
		}
		return probe.Encode(out, facts), nil
	}
}

// configCompare is vedette_config_v1.compare: a name, what to compare with, and the text (ABI 18.1).
func configCompare(ctx context.Context, i *instance, t *Target, request string, out []byte) (int, error) {
	name, rest, _ := strings.Cut(request, "\x00")
	base, text, ok := strings.Cut(rest, "\x00")
	if !ok {
		return 0, fmt.Errorf("the request names no text to compare with: %w", ErrDenied)
	}
	i.charge(int64(len(text))) // a difference costs more than a copy
	d, err := t.Compare(ctx, name, base, []byte(text))
	if err != nil {
		return 0, err
	}
	return config.Encode(out, d), nil
}
