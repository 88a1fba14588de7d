package monitor

import (
	"context"
	"fmt"
	"sync"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor/texts"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Ports of the protocols when a device names none.
const (
	portSNMP = 161
	portSSH  = 22
)

// targets resolves what a watch may reach.
func (s *Scheduler) targets(ctx context.Context, j *job, p *pull) ([]runtime.Target, error) {
	out := make([]runtime.Target, 0, len(j.watch.Targets))
	for i := range j.watch.Targets {
		t, err := s.target(ctx, j.tenant, &j.watch.Targets[i], p)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (s *Scheduler) target(ctx context.Context, t storage.Tenant, w *module.WatchTarget, p *pull) (runtime.Target, error) {
	out := runtime.Target{Name: w.Name}
	d, err := s.cfg.Device(ctx, t, w.Device)
	if err != nil {
		return out, err
	}
	out.Private = d.Private
	at := probe.Place{Address: d.Address, Private: d.Private}
	if d.HTTP != nil {
		if err := s.overHTTP(ctx, t, d.HTTP, &out); err != nil {
			return out, fmt.Errorf("device %s: %w", d.Name, err)
		}
	}
	if d.SNMP != nil && len(w.OIDs) > 0 {
		c, err := s.credential(ctx, t, d.SNMP.Credential, &out)
		if err != nil {
			return out, fmt.Errorf("device %s: %w", d.Name, err)
		}
		out.SNMP = s.cfg.Prober.SNMP(probe.Place{Address: d.Address, Port: or(d.SNMP.Port, portSNMP), Private: d.Private}, c, w.OIDs)
	}
	if d.SSH != nil && len(w.Commands) > 0 {
		c, err := s.credential(ctx, t, d.SSH.Credential, &out)
		if err != nil {
			return out, fmt.Errorf("device %s: %w", d.Name, err)
		}
		place := probe.Place{Address: d.Address, Port: or(d.SSH.Port, portSSH), Private: d.Private}
		out.SSH = s.cfg.Prober.SSH(place, c, d.SSH.HostKeys, w.Commands, p.sawKey)
	}
	if d.Address != "" {
		out.Probe = s.cfg.Prober.Probe(at, w.Ports, out.Roots)
	}
	out.Compare = p.texts.Compare(d.Name)
	return out, nil
}

func (s *Scheduler) overHTTP(ctx context.Context, t storage.Tenant, d *meta.DeviceHTTP, out *runtime.Target) error {
	out.URL = d.URL
	if d.CA != "" {
		var err error
		if out.Roots, err = probe.Roots(d.CA); err != nil {
			return err
		}
	}
	if d.Credential == "" {
		return nil
	}
	c, err := s.credential(ctx, t, d.Credential, out)
	if err != nil {
		return err
	}
	out.Header, err = c.Header()
	return err
}

// credential opens a credential, and has its secrets struck out of whatever the target answers.
func (s *Scheduler) credential(ctx context.Context, t storage.Tenant, name string, out *runtime.Target) (probe.Credential, error) {
	_, sealed, err := s.cfg.Store.SealedCredential(ctx, t, name)
	if err != nil {
		return probe.Credential{}, err
	}
	c, err := s.cfg.Vault.Open(t, name, sealed)
	out.Secrets = append(out.Secrets, c.Secrets()...)
	return c, err
}

func or(port, fallback uint16) uint16 {
	if port == 0 {
		return fallback
	}
	return port
}

// CheckDevice says what is wrong with a device before it is kept. The error wraps storage.ErrInvalid.
func CheckDevice(d *meta.Device) error {
	bad := func(err error) error { return fmt.Errorf("device %s: %w: %w", d.Name, err, storage.ErrInvalid) }
	if err := probe.CheckAddress(d.Address); err != nil {
		return bad(err)
	}
	if d.HTTP != nil {
		if err := runtime.CheckURL(d.HTTP.URL); err != nil {
			return bad(err)
		}
		if d.HTTP.CA != "" {
			if _, err := probe.Roots(d.HTTP.CA); err != nil {
				return bad(err)
			}
		}
	}
	if d.SSH != nil {
		for i, text := range d.SSH.HostKeys {
			plain, _, err := probe.ParseHostKey(text)
			if err != nil {
				return bad(err)
			}
			d.SSH.HostKeys[i] = plain
		}
	}
	if d.SNMP != nil && d.SNMP.Credential == "" || d.SSH != nil && d.SSH.Credential == "" {
		return bad(fmt.Errorf("SNMP and SSH need a credential"))
	}
	return nil
}

// pull is what one poll has brought beside its records: texts to be kept once the records are safe, and host keys that
// nobody has approved.
type pull struct {
	scheduler *Scheduler
	tenant    storage.Tenant
	at        int64

	texts *texts.Pull

	mu   sync.Mutex // a module calls from one goroutine; Try reads from another
	keys []*probe.HostKeyError
}

func (p *pull) sawKey(k *probe.HostKeyError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, k)
}
