package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/storage"
)

// trustFile keeps the signed index that was believed last, in the data directory.
const trustFile = "trust.json"

// openTrust reads the host's policy and what was trusted last, and opens the remote registry.
func (h *Host) openTrust() error {
	cfg := trust.Config{
		Packages: h.packages.Layout, Policies: h.db, Exempt: []string{byVedette},
		File: filepath.Join(h.cfg.DataDir, trustFile), Now: time.Now,
	}
	if len(h.cfg.Checker) > 0 {
		cfg.Checks = trust.NewChecks(trust.ChecksConfig{
			Packages: h.packages.Layout, Reports: h.db, Try: trust.Process(h.cfg.Checker, filepath.Join(h.cfg.DataDir, "cache")),
			Host: Build(), Later: cfg.Exempt, Now: time.Now,
		})
	}
	var err error
	if cfg.Policy, err = h.cfg.Modules.policy(); err != nil {
		return err
	}
	if r := h.cfg.Modules.Registry; r.URL != "" {
		if h.remote, err = r.open(); err != nil {
			return fmt.Errorf("modules.registry: %w", err)
		}
		cfg.Remote = h.remote
		if cfg.Root, err = readLimited(r.Root, layout.MaxEnvelopeBytes); err != nil {
			return fmt.Errorf("modules.registry.root: %w", err)
		}
	}
	h.trust, err = trust.Open(cfg)
	return err
}

// Build names this version of the host as conformance reports do: what a module does may be another thing under another
// meter.
func Build() string { return fmt.Sprintf("vedette %s, meter %d", Version, meter.Version) }

// policy returns the host's own trust policy.
func (c *ModulesConfig) policy() (*policy.Policy, error) {
	p := policy.LocalOnly()
	if c.TrustPolicy != "" {
		src, err := readLimited(c.TrustPolicy, policy.MaxSourceBytes)
		if err != nil {
			return nil, fmt.Errorf("modules.trust_policy: %w", err)
		}
		if p, err = policy.Parse(c.TrustPolicy, src); err != nil {
			return nil, fmt.Errorf("modules.trust_policy: %w: %w", err, storage.ErrInvalid)
		}
	}
	if c.RefuseUnsigned {
		if c.TrustPolicy == "" {
			p.Scopes[0].Name = "modules.refuse_unsigned" // an error names the scope
		}
		for i := range p.Scopes {
			p.Scopes[i].Level = policy.Strict
		}
	}
	return p, nil
}

// open opens the remote registry. It sends nothing.
func (c *RegistryConfig) open() (*remote.Registry, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("url %q: want https://registry.example.org/team: %w", c.URL, storage.ErrInvalid)
	}
	cfg := remote.Config{Host: u.Host, Prefix: strings.Trim(u.Path, "/"), PlainHTTP: u.Scheme == "http", Username: c.Username}
	if c.PasswordFile != "" {
		text, err := readLimited(c.PasswordFile, 4<<10)
		if err != nil {
			return nil, err
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		cfg.Password = strings.TrimRight(string(line), "\r")
	}
	return remote.Open(cfg)
}

// readLimited reads a file of at most limit bytes.
func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s has more than %d bytes: %w", file, limit, storage.ErrExhausted)
	}
	return text, err
}

// shippedDigests returns what the modules of this binary are stored as.
func shippedDigests() map[registry.Digest]bool {
	digests := map[registry.Digest]bool{}
	list, _ := modules.Builtin() // seed has read it, or said why it could not
	for _, p := range list {
		b := layout.Bare(p)
		digests[b.Digest] = true
	}
	return digests
}

// watchTrust stops what is not trusted any more, and tries what runs, until ctx ends.
func (h *Host) watchTrust(ctx context.Context) {
	running := func() module.Running { return h.pipeline.Generation().Running }
	tried := make(chan struct{})
	go func() {
		defer close(tried)
		h.trust.Check(ctx, running, func(err error) { h.log.Warn("conformance of modules", "error", err) })
	}()
	said := ""
	h.trust.Watch(ctx, running, h.Control, func(err error) {
		if text := err.Error(); text != said { // once, not every minute
			said = text
			h.log.Warn("trust in modules", "error", err)
		}
	})
	<-tried
}
