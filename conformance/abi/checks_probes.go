package conform

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/device"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/probe"
)

// facts reads the answer of a probe; names that the text has not are allowed.
func (r *run) facts(ctx context.Context, module string, q request) (probe.Facts, error) {
	t, err := r.one(ctx, module, q)
	if err != nil {
		return nil, err
	}
	if t.code != 0 {
		return nil, fmt.Errorf("%c %q: %v", q.letter, q.text, t)
	}
	f, err := probe.Decode(t.body)
	if err != nil {
		return nil, fmt.Errorf("%c %q: %w: %q", q.letter, q.text, err, clip(string(t.body)))
	}
	return f, nil
}

// require compares facts with what they must be; a value "+" stands for a number above 0.
func require(f probe.Facts, want ...string) error {
	for i := 0; i < len(want); i += 2 {
		name, value := want[i], want[i+1]
		if got := f.All(name); value == "+" && (len(got) != 1 || f.Int(name) <= 0) || value != "+" && !slices.Contains(got, value) {
			return fmt.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	return nil
}

func connections(ctx context.Context, r *run) error {
	l, err := device.NewWeb(time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	gone, err := device.NewWeb(time.Now().Add(time.Hour))
	if err != nil {
		l.Close()
		return err
	}
	defer l.Close()
	gone.Close()
	port := fmt.Sprint(l.Port())
	m, err := r.asker(ctx, "vedette_probe_v1", protocol.Target{Name: "box", Address: device.Address, Private: true, Ports: []uint16{l.Port(), gone.Port()}})
	if err != nil {
		return err
	}
	f, err := r.facts(ctx, m, request{letter: 't', target: "box", text: port})
	if err == nil {
		err = require(f, "elapsed_ns", "+")
	}
	if err != nil {
		return err
	}
	for _, letter := range []byte{'t', 'l'} {
		t, err := r.one(ctx, m, request{letter: letter, target: "box", text: fmt.Sprint(gone.Port())})
		if err == nil {
			err = t.unreachable()
		}
		if err != nil {
			return fmt.Errorf("a port where nobody listens: %w", err)
		}
	}
	l.Asked()
	var list []request
	for _, what := range []string{fmt.Sprint(l.Port() - 1), "0", "", "x", " " + port, "+" + port, "-1", port + "0000", fmt.Sprintf("%#x", l.Port()), port + " ", fmt.Sprint(1<<16 + int(l.Port()))} {
		list = append(list, request{letter: 't', target: "box", text: what}, request{letter: 'l', target: "box", text: what})
	}
	if err := r.allDenied(ctx, m, list...); err != nil {
		return err
	}
	if n := len(l.Asked()); n != 0 {
		return fmt.Errorf("%d of the refused connections were made", n)
	}
	return nil
}

func certificates(ctx context.Context, r *run) error {
	end := time.Now().Add(72 * time.Hour).Truncate(time.Second)
	for _, c := range []struct {
		end      time.Time
		trusted  bool
		verified string
	}{{end, true, "true"}, {end, false, "false"}, {time.Now().Add(-time.Minute).Truncate(time.Second), true, "false"}} {
		l, err := device.NewWeb(c.end)
		if err != nil {
			return err
		}
		t := protocol.Target{Name: "box", Address: device.Address, Private: true, Ports: []uint16{l.Port()}, Trust: l.Trust}
		if !c.trusted {
			t.Trust = ""
		}
		err = r.certificate(ctx, l, t, c.verified)
		l.Close()
		if err != nil {
			return fmt.Errorf("a certificate until %v, its authority trusted: %v: %w", c.end, c.trusted, err)
		}
	}
	return nil
}

func (r *run) certificate(ctx context.Context, l *device.Web, t protocol.Target, verified string) error {
	m, err := r.asker(ctx, "vedette_probe_v1", t)
	if err != nil {
		return err
	}
	f, err := r.facts(ctx, m, request{letter: 'l', target: "box", text: fmt.Sprint(l.Port())})
	if err != nil {
		return err
	}
	cert := l.Certificate
	if err := require(f, "elapsed_ns", "+", "verified", verified, "serial", "C0FFEE", "sha256", fingerprint(cert.Raw),
		"not_before", fmt.Sprint(cert.NotBefore.UnixNano()), "not_after", fmt.Sprint(cert.NotAfter.UnixNano()), "name", "device.example", "name", device.Address); err != nil {
		return err
	}
	for _, name := range []string{"version", "cipher", "subject", "issuer"} {
		if f.Get(name) == "" {
			return fmt.Errorf("no %s", name)
		}
	}
	if (f.Get("problem") == "") != (verified == "true") {
		return fmt.Errorf("verified is %s and the problem %q", verified, f.Get("problem"))
	}
	if list := l.Asked(); len(list) != 1 {
		return fmt.Errorf("the device saw %q, want a connection over which nothing is said", list)
	}
	return nil
}

func nameServers(ctx context.Context, r *run) error {
	n, err := device.NewNames(map[string][][]byte{
		"host.example 1": {{192, 0, 2, 1}, {192, 0, 2, 2}}, "host.example 16": {append([]byte{11}, "v=something"...)},
		"host.example 28": {{0x20, 1, 0xd, 0xb8, 15: 1}},
	})
	if err != nil {
		return err
	}
	defer n.Close()
	m, err := r.asker(ctx, "vedette_probe_v1", protocol.Target{Name: "box", Address: device.Address, Private: true, Ports: []uint16{n.Port()}})
	if err != nil {
		return err
	}
	for question, want := range map[string][]string{
		"host.example A": {"status", "noerror", "answer", "192.0.2.1", "answer", "192.0.2.2"}, "host.example AAAA": {"status", "noerror", "answer", "2001:db8::1"},
		"host.example TXT": {"status", "noerror", "answer", "v=something"}, "none.example A": {"status", "nxdomain"},
	} {
		f, err := r.facts(ctx, m, request{letter: 'd', target: "box", text: question})
		if err == nil {
			err = require(f, append(want, "elapsed_ns", "+")...)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", question, err)
		}
	}
	n.Asked()
	var list []request
	for _, question := range []string{"", "host.example", "host.example ", "host.example ANY", "host.example AXFR", "host.example a", " A", "a b A", "..example A", "ü.example A"} {
		list = append(list, request{letter: 'd', target: "box", text: question})
	}
	if err := r.allDenied(ctx, m, list...); err != nil {
		return err
	}
	if asked := n.Asked(); len(asked) > 0 {
		return fmt.Errorf("the name server was asked %q", asked)
	}
	return nil
}

// echoes: a host that may not send echo requests says so.
func echoes(ctx context.Context, r *run) error {
	m, err := r.asker(ctx, "vedette_probe_v1", protocol.Target{Name: "box", Address: device.Address, Private: true})
	if err != nil {
		return err
	}
	t, err := r.one(ctx, m, request{letter: 'p', target: "box", text: "2"})
	if err != nil {
		return err
	}
	if t.code == 0 {
		f, err := probe.Decode(t.body)
		if err == nil {
			err = require(f, "sent", "2", "received", "2", "min_ns", "+", "avg_ns", "+", "max_ns", "+")
		}
		if err != nil {
			return err
		}
	} else if err := t.unreachable(); err != nil {
		return err
	}
	var list []request
	for _, what := range []string{"", "0", "11", "-1", "x", "1 ", "1000000"} {
		list = append(list, request{letter: 'p', target: "box", text: what})
	}
	return r.allDenied(ctx, m, list...)
}
