package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/demo/hostile"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// hostileTimeout bounds the loading of a hostile parser, which is switched off again even when who asked is gone.
const hostileTimeout = 30 * time.Second

// Hostile implements api.Demo.
func (d apiDemo) Hostile() ([]api.HostileModule, error) {
	packages, err := hostile.Packages()
	out := make([]api.HostileModule, len(packages))
	for i, p := range packages {
		out[i] = api.HostileModule{Name: p.Manifest.Name, Title: p.Manifest.Title, Description: p.Manifest.Description}
	}
	return out, err
}

// LoadHostile implements api.Demo. The parser takes the way of any module: it is installed for the one organization by a
// control record, a record that it is asked for goes through the log, and what became of that stands in the quarantine.
func (d apiDemo) LoadHostile(ctx context.Context, t storage.Tenant, name, who string) (api.Stopped, error) {
	packages, err := hostile.Packages()
	if err != nil {
		return api.Stopped{}, err
	}
	i := slices.IndexFunc(packages, func(p registry.Artifact) bool { return p.Manifest.Name == name })
	if i < 0 {
		return api.Stopped{}, fmt.Errorf("hostile parser %.64q: %w", name, storage.ErrNotFound)
	}
	if !d.demo.loading.TryLock() { // one at a time: the figures are of the last call
		return api.Stopped{}, fmt.Errorf("hostile parser %s: another one is being stopped: %w", name, storage.ErrConflict)
	}
	defer d.demo.loading.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostileTimeout)
	defer cancel()
	done, err := d.Install(ctx, Candidate{Tenant: t, Package: layout.Bare(packages[i]), Who: who, Shipped: true})
	var trap *runtime.Trap
	if errors.As(err, &trap) {
		return api.Stopped{Code: trap.Code, Detail: trap.Detail, Took: trap.Took, Fuel: trap.Fuel}, nil
	} else if err != nil {
		return api.Stopped{}, err
	}
	end, err := d.provoke(ctx, t, done.Install, hostile.Mark(&packages[i].Manifest))
	off := d.Control(ctx, module.Control{Kind: module.Disable, Tenant: t, Name: done.Install.Name, Digest: done.Install.Digest, Who: who})
	return end, errors.Join(err, off)
}

// provoke sends a hostile parser the record that it goes wild on and returns what became of it.
func (d apiDemo) provoke(ctx context.Context, t storage.Tenant, in module.Install, mark string) (api.Stopped, error) {
	now := time.Now()
	raw := now.UTC().AppendFormat([]byte(mark), time.RFC3339Nano)
	if err := d.queue.Put(ctx, t, queue.Source{Listener: "demo"}, []queue.Raw{{Bytes: raw, Received: now.UnixNano()}}); err != nil {
		return api.Stopped{}, fmt.Errorf("send %s a record: %w", in.Name, err)
	}
	if err := d.pipeline.Wait(ctx, d.queue.Last()); err != nil {
		return api.Stopped{}, fmt.Errorf("wait for the end of %s: %w", in.Name, err)
	}
	reader := storage.Principal{User: byVedette, Role: storage.RoleAnalyst, Tenants: []storage.Tenant{t}}
	list, _, err := d.db.ListQuarantine(ctx, reader, 0, 0)
	if err != nil {
		return api.Stopped{}, err
	}
	for _, q := range list {
		if bytes.Equal(q.Raw, raw) {
			use := d.pipeline.Use.OfInstall(t, in)
			return api.Stopped{Code: q.Code, Detail: q.Detail, Took: use.LastTook, Fuel: use.LastFuel, Quarantined: q.ID}, nil
		}
	}
	return api.Stopped{}, fmt.Errorf("%s: its record did not get into the quarantine: %w", in.Name, storage.ErrUnavailable)
}
