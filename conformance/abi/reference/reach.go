package reference

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// prober asks devices.
var prober probe.Prober

// reachable makes the targets of one poll. Texts that it brings are gathered in pull.
func reachable(list []protocol.Target, pull *texts.Pull) ([]runtime.Target, error) {
	var out []runtime.Target
	for i := range list {
		t := &list[i]
		r := runtime.Target{Name: t.Name, URL: t.URL, Private: t.Private, Header: http.Header{}}
		for k, v := range t.Header {
			r.Header.Set(k, v)
			r.Secrets = append(r.Secrets, runtime.Secret(v[strings.LastIndexByte(v, ' ')+1:]))
		}
		if t.Trust != "" {
			var err error
			if r.Roots, err = probe.Roots(t.Trust); err != nil {
				return nil, fmt.Errorf("the target %s: %w", t.Name, err)
			}
		}
		if t.Address != "" {
			onDevice(&r, t, r.Roots)
		}
		if t.Texts != nil {
			r.Compare = pull.Compare(t.Name)
		}
		out = append(out, r)
	}
	return out, nil
}

func onDevice(r *runtime.Target, t *protocol.Target, roots *x509.CertPool) {
	at := func(port uint16) probe.Place { return probe.Place{Address: t.Address, Port: port, Private: t.Private} }
	r.Probe = prober.Probe(at(0), t.Ports, roots)
	if s := t.SNMP; s != nil {
		c := probe.Credential{Kind: probe.SNMPv2c, Secret: runtime.Secret(s.Community)}
		r.SNMP, r.Secrets = prober.SNMP(at(s.Port), c, s.OIDs), append(r.Secrets, c.Secret)
	}
	if s := t.SSH; s != nil {
		c := probe.Credential{Kind: probe.SSHPassword, Login: s.User, Secret: runtime.Secret(s.Password)}
		r.SSH, r.Secrets = prober.SSH(at(s.Port), c, s.HostKeys, commands(s.Commands), nil), append(r.Secrets, c.Secret)
	}
}

func commands(list []protocol.Command) []manifest.Command {
	var out []manifest.Command
	for _, c := range list {
		m := manifest.Command{ID: c.ID, Run: c.Run}
		for _, a := range c.Args {
			m.Args = append(m.Args, manifest.Argument{Name: a.Name, Pattern: a.Pattern})
		}
		out = append(out, m)
	}
	return out
}

// kept are the texts of a module's targets, by "target name".
type kept struct {
	newest  map[string]texts.Version
	targets []protocol.Target // with what is blessed
}

func (k *kept) Latest(_ context.Context, device, name string) ([]byte, string, error) {
	v, ok := k.newest[device+" "+name]
	if !ok {
		return nil, "", storage.ErrNotFound
	}
	return v.Text, v.Digest, nil
}

func (k *kept) Blessed(_ context.Context, device, name string) ([]byte, string, error) {
	for i := range k.targets {
		if t := &k.targets[i]; t.Name == device && t.Texts != nil && t.Texts.Blessed[name] != nil {
			return t.Texts.Blessed[name], manifest.Sum(t.Texts.Blessed[name]), nil
		}
	}
	return nil, "", storage.ErrNotFound
}

// keep makes what a poll has brought the newest versions.
func (k *kept) keep(p *texts.Pull) {
	if k.newest == nil {
		k.newest = map[string]texts.Version{}
	}
	for _, v := range p.Versions() {
		k.newest[v.Device+" "+v.Name] = v
	}
}

// tables are those in force at one batch.
type tables map[string]*index.Table

func (t tables) Table(name string) *index.Table { return t[name] }

func tablesOf(list []protocol.Table) (tables, error) {
	out := tables{}
	for _, t := range list {
		x, err := index.New(index.Kind(t.Kind), t.Columns, t.Rows)
		if err != nil {
			return nil, fmt.Errorf("the table %s: %w", t.Name, err)
		}
		out[t.Name] = x
	}
	return out, nil
}
