package host

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/storage"
)

// Config is everything that can be set, as read from vedette.yaml. Zero means the default that each line names.
type Config struct {
	// DataDir holds everything that is kept; it is created with mode 0700. Default "data".
	DataDir string `yaml:"data_dir"`
	// HTTP is the address of console, API and HTTP ingest. Default ":8080".
	HTTP string `yaml:"http"`
	// HTTPCert and HTTPKey are PEM files; with them HTTP is served over TLS only. Default: none.
	HTTPCert string `yaml:"http_cert"`
	HTTPKey  string `yaml:"http_key"`
	// Syslog are the syslog listeners. Each belongs to one organization. Default: UDP and TCP on :5514 and TLS on :6514
	// for the first organization..
	Syslog []SyslogConfig `yaml:"syslog"`
	// NoSyslog switches the default syslog listeners off. Default false.
	NoSyslog bool `yaml:"no_syslog"`
	// Organizations are created at start when they do not exist. Default: one, "main".
	Organizations []OrganizationConfig `yaml:"organizations"`
	// Retention says how long events are kept.
	Retention RetentionConfig `yaml:"retention"`
	// Queue is the durable log in front of everything.
	Queue QueueConfig `yaml:"queue"`
	// Modules says what may be installed.
	Modules ModulesConfig `yaml:"modules"`
	// Quotas bound what each module may use for one organization. Default: each the figure that its line names.
	Quotas QuotaConfig `yaml:"quotas"`
	// Workers parse frames at once. Default: the number of cores.
	Workers int `yaml:"workers"`
	// CheckpointEvery is how much log time passes between two checkpoints. Default 10s.
	CheckpointEvery time.Duration `yaml:"checkpoint_every"`
	// LogMemoryBytes caps the memory of the log store's caches and queries. Default 256 MiB.
	LogMemoryBytes int64 `yaml:"log_memory_bytes"`
	// WebhookPrivateTargets lets webhooks reach loopback and private addresses. Default false.
	WebhookPrivateTargets bool `yaml:"webhook_private_targets"`

	// FeedPrivateTargets lets organizations fetch indicators from loopback and private addresses. Default false; feeds for
	// all organizations may always.
	FeedPrivateTargets bool `yaml:"feed_private_targets"`
	// Monitors are the HTTP targets that monitors may reach.
	Monitors []MonitorTarget `yaml:"monitors"`
	// Compiler is the command that compiles foreign modules in a process of its own (runtime.Config.Compiler). Default: none,
	// this process compiles them; vedette serve sets it.
	Compiler []string `yaml:"-"`
	// Checker is the command that tries what runs against the requirements of the ABI, in a process of its own of low priority
	// (trust.Process). Default: none, nothing is tried; vedette serve sets it.
	Checker []string `yaml:"-"`
	// Demo starts two demo organizations with a feed of own-written traffic; set by --demo.
	Demo bool `yaml:"-"`
}

// SyslogConfig is one syslog listener.
type SyslogConfig struct {
	Protocol     string `yaml:"protocol"`     // udp, tcp or tls
	Listen       string `yaml:"listen"`       // address, "host:port"
	Organization string `yaml:"organization"` // slug
	Cert         string `yaml:"cert"`         // tls: PEM file; default: a self-signed pair kept in the data directory
	Key          string `yaml:"key"`
}

// OrganizationConfig is an organization that exists from the start.
type OrganizationConfig struct {
	Slug string `yaml:"slug"`
	Name string `yaml:"name"`
}

// RetentionConfig says how long events are kept; whatever is reached first counts.
type RetentionConfig struct {
	Days  int   `yaml:"days"`  // default 30
	Bytes int64 `yaml:"bytes"` // default 0, no limit; the newest two days are always kept
}

// QueueConfig is the durable log.
type QueueConfig struct {
	MaxBytes int64         `yaml:"max_bytes"` // default 4 GiB; when it is full senders are held up
	Shards   int           `yaml:"shards"`    // default 4, fixed once the data directory exists
	Linger   time.Duration `yaml:"linger"`    // default 20ms, how long a frame waits for more records
	// ShareBytes bounds what of one organization may wait to be processed, as soon as several send: beyond it its own senders
	// are held up, and nobody else's wait for it. Default 64 MiB; -1 is no bound.
	ShareBytes int64 `yaml:"share_bytes"`
	KeepAll    bool  `yaml:"keep_all"` // default false; true never cuts the log, so that it can be run again
}

// ModulesConfig says what may be installed.
type ModulesConfig struct {
	// TrustPolicy is a file that says which modules are trusted (registry/policy). Default: every module, signed or not.
	TrustPolicy string `yaml:"trust_policy"`
	// Probation says when a new version gives way to the one before because of what it does.
	Probation pipeline.Probation `yaml:"probation"`
	// RefuseUnsigned makes every scope of the trust policy strict: without a policy nothing but what ships is installed.
	// Default false.
	RefuseUnsigned bool `yaml:"refuse_unsigned"`
	// Registry is where modules and the signed index come from. Default: none, this host's own registry is the only one.
	Registry RegistryConfig `yaml:"registry"`
}

// RegistryConfig is a remote OCI registry of modules.
type RegistryConfig struct {
	URL          string `yaml:"url"`           // "https://registry.example.org/team"; http only if it says so
	Root         string `yaml:"root"`          // file with the first root of its signed index; needed with url
	Username     string `yaml:"username"`      // default: nobody in particular
	PasswordFile string `yaml:"password_file"` // its first line is the password or a token
}

// QuotaConfig bounds what each module may use for one organization in a minute of log time; an admin can set other figures
// for an organization. -1 is no bound.
type QuotaConfig struct {
	Fuel         int64 `yaml:"fuel"`          // units; default 240,000,000,000, about what keeps a core busy
	OutputBytes  int64 `yaml:"output_bytes"`  // of its answers; default 8 GiB
	LogLines     int64 `yaml:"log_lines"`     // written, whether or not they were kept; default 100,000
	StateBytes   int64 `yaml:"state_bytes"`   // of keys and values in the calls of what rules remember; default 1 GiB
	Requests     int64 `yaml:"requests"`      // of a monitor; default 6,000
	RequestBytes int64 `yaml:"request_bytes"` // of those and of their answers; default 1 GiB
	MemoryBytes  int64 `yaml:"memory_bytes"`  // at a moment, all modules that are the organization's own together; default 2 GiB
}

func (q QuotaConfig) withDefaults() QuotaConfig {
	d := pipeline.DefaultQuota
	return QuotaConfig{
		Fuel: cmp.Or(q.Fuel, d.Fuel), OutputBytes: cmp.Or(q.OutputBytes, d.OutputBytes), LogLines: cmp.Or(q.LogLines, d.LogLines), StateBytes: cmp.Or(q.StateBytes, d.StateBytes),
		Requests: cmp.Or(q.Requests, d.Requests), RequestBytes: cmp.Or(q.RequestBytes, d.RequestBytes), MemoryBytes: cmp.Or(q.MemoryBytes, d.MemoryBytes),
	}
}

// MonitorTarget is an HTTP target that a monitor of one organization may reach.
type MonitorTarget struct {
	Organization string `yaml:"organization"`  // slug
	Module       string `yaml:"module"`        // "vedette/httpcheck"
	Name         string `yaml:"name"`          // the name that the module's code uses
	URL          string `yaml:"url"`           // base URL
	AllowPrivate bool   `yaml:"allow_private"` // default false; true allows loopback and private addresses
}

// ReadConfig reads vedette.yaml. Errors name file, line and column.
func ReadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	var c Config
	d := yaml.NewDecoder(io.LimitReader(f, MaxConfigBytes), yaml.Strict())
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("configuration %s: %s: %w", path, yaml.FormatError(err, false, true), storage.ErrInvalid)
	}
	return c, nil
}

// WithDefaults fills in the defaults and checks what was given. The error wraps storage.ErrInvalid.
func (c Config) WithDefaults() (Config, error) {
	bad := func(format string, a ...any) (Config, error) {
		return c, fmt.Errorf("configuration: %s: %w", fmt.Sprintf(format, a...), storage.ErrInvalid)
	}
	if c.DataDir == "" {
		c.DataDir = "data"
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return bad("data_dir: %v", err)
	}
	c.DataDir = dir
	if c.HTTP == "" {
		c.HTTP = ":8080"
	}
	if len(c.Organizations) == 0 {
		c.Organizations = []OrganizationConfig{{Slug: "main", Name: "Main organization"}}
	}
	if len(c.Syslog) == 0 && !c.NoSyslog {
		first := c.Organizations[0].Slug
		c.Syslog = []SyslogConfig{
			{Protocol: "udp", Listen: ":5514", Organization: first},
			{Protocol: "tcp", Listen: ":5514", Organization: first},
			{Protocol: "tls", Listen: ":6514", Organization: first},
		}
	}
	if c.Retention.Days == 0 {
		c.Retention.Days = 30
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 10 * time.Second
	}
	if c.LogMemoryBytes == 0 {
		c.LogMemoryBytes = 256 << 20
	}
	if (c.HTTPCert == "") != (c.HTTPKey == "") {
		return bad("http_cert and http_key go together")
	}
	if c.Modules.Registry.URL != "" && c.Modules.Registry.Root == "" {
		return bad("modules.registry.root: whoever serves %s could name any keys without it", c.Modules.Registry.URL)
	}
	if c.Retention.Days < 1 || c.Retention.Bytes < 0 || c.Workers < 1 || c.CheckpointEvery < time.Second {
		return bad("retention.days, retention.bytes, workers and checkpoint_every must be positive (checkpoint_every at least 1s)")
	}
	if err := c.Modules.Probation.Check(); err != nil {
		return bad("modules.%v", err)
	}
	c.Modules.Probation = c.Modules.Probation.WithDefaults()
	c.Quotas = c.Quotas.withDefaults()
	return c, c.checkListeners()
}

func (c Config) checkListeners() error {
	slugs := map[string]bool{}
	for _, o := range c.Organizations {
		slugs[o.Slug] = true
	}
	for i, l := range c.Syslog {
		if l.Protocol != "udp" && l.Protocol != "tcp" && l.Protocol != "tls" {
			return fmt.Errorf("configuration: syslog[%d].protocol %q: want udp, tcp or tls: %w", i, l.Protocol, storage.ErrInvalid)
		}
		if _, _, err := net.SplitHostPort(l.Listen); err != nil {
			return fmt.Errorf("configuration: syslog[%d].listen %q: want host:port or :port: %w", i, l.Listen, storage.ErrInvalid)
		}
		if !slugs[l.Organization] {
			return fmt.Errorf("configuration: syslog[%d].organization %q is not one of organizations (%s): %w",
				i, l.Organization, strings.Join(slugNames(c.Organizations), ", "), storage.ErrInvalid)
		}
	}
	for i, t := range c.Monitors {
		if !slugs[t.Organization] {
			return fmt.Errorf("configuration: monitors[%d].organization %q is not one of organizations: %w", i, t.Organization, storage.ErrInvalid)
		}
	}
	return nil
}

func slugNames(os []OrganizationConfig) []string {
	var s []string
	for _, o := range os {
		s = append(s, o.Slug)
	}
	return s
}
