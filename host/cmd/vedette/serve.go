package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/demo"
)

func newServe() *cobra.Command {
	var path, dir string
	var withDemo bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the host until Ctrl-C",
		Long: `Run the host until Ctrl-C.

Without --config everything has its default: data in ./data, console and API on :8080, syslog on :5514 (UDP, TCP) and
:6514 (TLS). --demo adds two organizations and a feed of own-written traffic with attacks in it; both are removed by one click in the
console, for good as far as this data directory goes. What is sent to the organization "main" stays.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var cfg host.Config
			if path != "" {
				var err error
				if cfg, err = host.ReadConfig(path); err != nil {
					return err
				}
			}
			if dir != "" {
				cfg.DataDir = dir
			}
			if withDemo {
				demoDefaults(&cfg)
			}
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program, which also compiles modules: %w", err)
			}
			cfg.Compiler, cfg.Checker = []string{self, compileCommand}, []string{self, checkCommand}
			return serve(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file, vedette.yaml")
	c.Flags().StringVar(&dir, "data", "", "data directory (overrides data_dir)")
	c.Flags().BoolVar(&withDemo, "demo", false, "run two demo organizations with live traffic")
	return c
}

// demoDefaults sets what --demo means where the configuration says nothing.
func demoDefaults(cfg *host.Config) {
	cfg.Demo = true
	if cfg.DataDir == "" {
		cfg.DataDir = filepath.Join("data", "demo")
	}
	if cfg.HTTP == "" {
		cfg.HTTP = "127.0.0.1:8080"
	}
	if len(cfg.Organizations) == 0 { // what is sent there stays when the demo is removed
		own := host.OrganizationConfig{Slug: "main", Name: "Main organization"}
		cfg.Organizations = append(cfg.Organizations, own)
		if len(cfg.Syslog) == 0 && !cfg.NoSyslog {
			cfg.Syslog = append(cfg.Syslog, listeners(own.Slug, demo.Own)...)
		}
	}
	for _, o := range demo.Orgs() {
		if !slices.ContainsFunc(cfg.Organizations, func(c host.OrganizationConfig) bool { return c.Slug == o.Slug }) {
			cfg.Organizations = append(cfg.Organizations, host.OrganizationConfig{Slug: o.Slug, Name: o.Name})
		}
		if !cfg.NoSyslog && !slices.ContainsFunc(cfg.Syslog, func(c host.SyslogConfig) bool { return c.Organization == o.Slug }) {
			cfg.Syslog = append(cfg.Syslog, listeners(o.Slug, o.Syslog)...)
		}
	}
	if cfg.Retention.Bytes == 0 {
		cfg.Retention.Bytes = 700 << 20
	}
	if cfg.Queue.MaxBytes == 0 {
		cfg.Queue.MaxBytes = 256 << 20
	}
}

func listeners(organization, addr string) []host.SyslogConfig {
	return []host.SyslogConfig{
		{Protocol: "udp", Listen: addr, Organization: organization}, {Protocol: "tcp", Listen: addr, Organization: organization},
	}
}

func serve(ctx context.Context, cfg host.Config, out, errs io.Writer) (err error) {
	level := slog.LevelInfo
	if cfg.Demo {
		level = slog.LevelWarn
	}
	log := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryTarget)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	h, err := host.New(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		if e := h.Close(); err == nil {
			err = e
		}
	}()
	fmt.Fprintf(out, "URL       http://%s\n", shown(h.Addr()))
	if p := h.Password(); p != "" {
		fmt.Fprintf(out, "user      admin\npassword  %s  (shown this once; kept hashed)\n", p)
	} else {
		fmt.Fprintf(out, "user      admin  (password as set at the first start)\n")
	}
	if h.DemoRemoved() {
		fmt.Fprintln(out, "demo      was removed from this directory and stays so; another --data starts a new one")
	}
	fmt.Fprintln(out, "Ctrl-C stops")
	return h.Run(ctx)
}

// memoryTarget makes the garbage collector work harder before the process grows past it; GOMEMLIMIT overrides it.
const memoryTarget = 900 << 20

// gcPercent halves the garbage collections of the default for some 100 MB more under load; GOGC overrides it.
const gcPercent = 200

// shown is an address that a browser on this machine can open.
func shown(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
