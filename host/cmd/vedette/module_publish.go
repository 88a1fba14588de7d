package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// How long what a registry's keys have signed is believed.
const (
	rootLifetime  = 5 * 365 * 24 * time.Hour
	indexLifetime = 365 * 24 * time.Hour
)

// shelf is an author's own registry, an OCI image layout in a folder, and where it is copied to.
type shelf struct {
	dir string // "": the default
	to  string // "registry.example.org/team"; "": nowhere
	key string // file of the private key that signs
	*layout.Layout
}

func (s *shelf) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.dir, "registry", "", "folder of an OCI image layout (default: VEDETTE_REGISTRY, or vedette/registry in your configuration)")
	_ = c.MarkFlagDirname("registry") // fails for a flag that is not there
}

func (s *shelf) keyFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.key, "key", "", "file of the private key that signs (vedette module key new makes one)")
	_ = c.MarkFlagFilename("key") // fails for a flag that is not there
}

func (s *shelf) toFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.to, "to", "", "copy it to this OCI registry as well: registry.example.org or registry.example.org/team; http:// in front of one without TLS")
}

func (s *shelf) open() (err error) {
	if s.Layout != nil {
		return nil
	}
	dir := cmp.Or(s.dir, os.Getenv("VEDETTE_REGISTRY"))
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return fmt.Errorf("find your registry: %w (name a folder with --registry)", err)
		}
		dir = filepath.Join(config, "vedette", "registry")
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			return fmt.Errorf("make your registry: %w", err)
		}
	}
	s.dir = dir
	s.Layout, err = layout.Open(dir)
	return err
}

// signer returns the private key that was named.
func (s *shelf) signer() (sign.PrivateKey, error) {
	if s.key == "" {
		return sign.PrivateKey{}, errors.New("nothing is signed without a key: name one with --key (vedette module key new FILE makes one)")
	}
	return sign.ReadPrivateKey(s.key)
}

// find returns the version that a reference or a digest names.
func (s *shelf) find(ctx context.Context, name string) (registry.Digest, error) {
	if err := s.open(); err != nil {
		return "", err
	}
	if strings.HasPrefix(name, "sha256:") {
		return registry.ParseDigest(name)
	}
	ref, err := registry.ParseRef(name)
	if err != nil {
		return "", err
	}
	d, err := s.Resolve(ctx, ref)
	if errors.Is(err, registry.ErrNotFound) {
		err = fmt.Errorf("%s is not in %s: vedette module publish puts it there, vedette module import takes it from a file: %w", name, s.dir, err)
	}
	return d, err
}

// remote opens the registry that --to names. At a host that one has signed in to, the session is the password.
func (s *shelf) remote() (*remote.Registry, error) {
	scheme, rest := "https", s.to
	if before, after, ok := strings.Cut(s.to, "://"); ok {
		scheme, rest = before, after
	}
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("registry %q: want registry.example.org/team, perhaps with http:// in front", s.to)
	}
	host, prefix, _ := strings.Cut(rest, "/")
	cfg := remote.Config{
		Host: host, Prefix: prefix, PlainHTTP: scheme == "http",
		Username: os.Getenv("VEDETTE_REGISTRY_USER"), Password: os.Getenv("VEDETTE_REGISTRY_PASSWORD"),
	}
	if cfg.Username == "" {
		kept, err := readSessions()
		if err != nil {
			return nil, err
		}
		if token := kept.Tokens[scheme+"://"+host]; token != "" {
			cfg.Username, cfg.Password = "session", token
		}
	}
	return remote.Open(cfg)
}

// copyOut pushes versions, and the signed index if there is one, to where --to says.
func (s *shelf) copyOut(ctx context.Context, digests ...registry.Digest) error {
	if s.to == "" {
		return nil
	}
	r, err := s.remote()
	if err != nil {
		return err
	}
	defer r.Close()
	for _, d := range digests {
		if err := r.Push(ctx, s.Layout, d); err != nil {
			return err
		}
	}
	if _, _, err := s.Snapshot(ctx); errors.Is(err, registry.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return r.PushIndex(ctx, s.Layout)
}

// listing changes the registry's signed index; the first change makes it, with the key as the only one that speaks for it.
func (s *shelf) listing(ctx context.Context, now time.Time, change func(*index.Index) error) error {
	key, err := s.signer()
	if err != nil {
		return err
	}
	snap, _, err := s.Snapshot(ctx)
	var root *index.Root
	var old *index.Index
	switch {
	case errors.Is(err, registry.ErrNotFound):
		one := index.NewRole(1, key.Public())
		root = index.NewRoot(filepath.Base(s.dir), now.Add(rootLifetime), one, one, key.Public())
		text, err := root.Seal(key)
		if err != nil {
			return err
		}
		snap.Roots, old = [][]byte{text}, index.New(root)
	case err != nil:
		return err
	default:
		trust, err := index.Begin(snap.Roots[0])
		if err != nil {
			return err
		}
		if trust, err = trust.Update(snap, now); err != nil {
			return err
		}
		root, old = trust.Root(), trust.Index()
	}
	next := old.Next(root, now, indexLifetime)
	if err := change(next); err != nil {
		return err
	}
	if snap.Index, err = next.Seal(key); err != nil {
		return err
	}
	trust, err := index.Begin(snap.Roots[0])
	if err == nil {
		_, err = trust.Update(snap, now)
	}
	if err != nil {
		return fmt.Errorf("the key %s does not speak for the registry %s: %w", key.Public().ID().Short(), s.dir, err)
	}
	return s.PutSnapshot(ctx, snap)
}

// vouched reports whether a key has signed a release of a version already: signing again would add a document each time.
func (s *shelf) vouched(ctx context.Context, d registry.Digest, audience string, key sign.PublicKey) (bool, error) {
	list, err := s.Referrers(ctx, d, layout.TypeSignature)
	if err != nil {
		return false, err
	}
	for _, r := range list {
		e, err := sign.Decode(r.Envelope)
		if err != nil {
			continue // of somebody else, who wrote what we cannot read
		}
		payload, _, err := e.Verify(sign.TypeStatement, sign.KeysOf(key), 1)
		if err != nil {
			continue
		}
		statement, err := sign.ReadStatement(payload)
		if err != nil {
			continue
		}
		if release, err := sign.ReadRelease(statement); err == nil && release.Digest == d && release.Audience == audience {
			return true, nil
		}
	}
	return false, nil
}

// vouch attaches a publisher's signature, a bill of materials and, when it is known what the module was made of, its
// provenance; each once.
func (s *shelf) vouch(ctx context.Context, a *registry.Artifact, d registry.Digest, audience string, from *origin, now time.Time) (sign.KeyID, error) {
	key, err := s.signer()
	if err != nil {
		return "", err
	}
	by := key.Public().ID()
	if done, err := s.vouched(ctx, d, audience, key.Public()); err != nil || done {
		return by, err
	}
	release, err := sign.NewRelease(a, d, audience, now).Seal(key)
	if err != nil {
		return "", err
	}
	if err := s.attach(ctx, d, layout.TypeSignature, release); err != nil {
		return "", err
	}
	bills, err := s.Referrers(ctx, d, layout.TypeSBOM)
	if err != nil {
		return "", err
	}
	if from != nil || len(bills) == 0 { // who only signs knows no more than its files
		statement, err := attest.SBOM(a, d, from.dependencies())
		if err == nil {
			err = s.state(ctx, d, layout.TypeSBOM, statement, key)
		}
		if err != nil {
			return "", err
		}
	}
	if from != nil {
		statement, err := attest.Provenance(registry.RefOf(&a.Manifest), d, from.build)
		if err == nil {
			err = s.state(ctx, d, layout.TypeProvenance, statement, key)
		}
		if err != nil {
			return "", err
		}
	}
	return by, nil
}

// state signs a statement and attaches it.
func (s *shelf) state(ctx context.Context, d registry.Digest, kind string, statement []byte, key sign.PrivateKey) error {
	e, err := sign.Seal(sign.TypeStatement, statement, key)
	if err != nil {
		return err
	}
	return s.attach(ctx, d, kind, e)
}

func (s *shelf) attach(ctx context.Context, d registry.Digest, kind string, e sign.Envelope) error {
	b, err := e.Encode()
	if err == nil {
		_, err = s.Attach(ctx, d, kind, b)
	}
	return err
}

func newModulePublish() *cobra.Command {
	var s shelf
	var toolchain, channel, builder, output string
	c := &cobra.Command{
		Use:   "publish [FOLDER|FILE.tar]",
		Short: "Test a module and put it into a registry under its version",
		Long: `Test a module and put it into a registry under its version: your own, which is a folder, and with --to an OCI
registry as well. A version never changes what it names. With --key it is signed, comes with a bill of materials and, from
a folder, with its provenance (source, compiler, dependencies: the same source gives the same statements), and is listed in
the registry's signed index; --channel says what it is the newest of.

VEDETTE_REGISTRY_USER and VEDETTE_REGISTRY_PASSWORD sign in to the registry of --to.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			if channel != "" && s.key == "" {
				return fmt.Errorf("--channel %s is said in the signed index, and nothing is signed without --key", channel)
			}
			box, dir, err := openSandbox(cmd, args, toolchain, "")
			if err != nil {
				return err
			}
			defer box.Close() //nolint:errcheck // frees memory
			t, err := box.Test(cmd.Context())
			if err != nil {
				return err
			}
			p := box.Package()
			if len(t.Failures) > 0 {
				return printTested(cmd, p.Manifest.Reference(), &t, output)
			}
			var from *origin
			if dir != "" && s.key != "" {
				if from, err = originOf(cmd.Context(), dir, &p, author.Toolchain(toolchain), builder); err != nil {
					return err
				}
			}
			d, by, note, err := s.publish(cmd.Context(), p, channel, from)
			if err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"module": p.Manifest.Reference(), "digest": d, "registry": s.dir, "to": s.to, "signer": by, "channel": channel, "cases": t.Cases, "note": note,
				})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "published  %s  %s\nregistry   %s\n", p.Manifest.Reference(), d, s.dir)
			if s.to != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "and to     %s\n", s.to)
			}
			if note != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "note       %s\n", note)
			}
			if by != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "signed by  %s\n", by.Short())
			}
			fmt.Fprintf(cmd.OutOrStdout(), "next       vedette module install %s\n", p.Manifest.Reference())
			return nil
		},
	}
	s.flags(c)
	s.keyFlag(c)
	s.toFlag(c)
	c.Flags().StringVar(&builder, "builder", defaultBuilder, "URI of who builds it, for its provenance: a trust policy may name it")
	c.Flags().StringVar(&channel, "channel", "", "stable, beta or canary: the version becomes the newest of it")
	_ = c.RegisterFlagCompletionFunc("channel", cobra.FixedCompletions([]string{"stable", "beta", "canary"}, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	addToolchainFlag(c, &toolchain)
	addFormFlag(c, &output)
	return c
}

// publish stores, signs, lists and copies out. The note says what of it the other registry does not keep.
func (s *shelf) publish(ctx context.Context, p manifest.Package, channel string, from *origin) (d registry.Digest, by sign.KeyID, note string, err error) {
	if err := s.open(); err != nil {
		return "", "", "", err
	}
	if d, err = s.Push(ctx, p); errors.Is(err, registry.ErrConflict) {
		return "", "", "", fmt.Errorf("%w: give module.yaml another version", err)
	} else if err != nil {
		return "", "", "", err
	}
	if s.key != "" {
		now := time.Now()
		if by, err = s.vouch(ctx, &p, d, "", from, now); err != nil {
			return "", "", "", err
		}
		ref := registry.RefOf(&p.Manifest)
		err = s.listing(ctx, now, func(x *index.Index) error {
			if err := x.Add(ref, d); err != nil || channel == "" {
				return err
			}
			return x.SetChannel(ref.Module(), index.Channel(channel), ref.Version)
		})
		if err != nil {
			return "", "", "", err
		}
	}
	err = s.copyOut(ctx, d)
	if errors.Is(err, registry.ErrUnsupported) { // the version is there
		note, err = fmt.Sprintf("no index is kept there: what it says, channels included, stays in %s", s.dir), nil
	}
	return d, by, note, err
}

// readRef returns a version of a registry as one file, with everything that refers to it. A name with a host in front is
// pulled first.
func readRef(ctx context.Context, s *shelf, name string) ([]byte, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	d, err := s.pull(ctx, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := s.Archive(ctx, &b, []registry.Digest{d}, nil); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// pull finds a version here, or copies it from the registry that is named in front of it.
func (s *shelf) pull(ctx context.Context, name string) (registry.Digest, error) {
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "http://"), "https://")
	if strings.Count(bare, "/") < 2 {
		return s.find(ctx, name)
	}
	ref, err := remote.ParseReference(bare)
	if err != nil {
		return "", err
	}
	at := shelf{to: strings.TrimSuffix(name, bare) + strings.TrimSuffix(ref.Host+"/"+ref.Prefix, "/")}
	r, err := at.remote()
	if err != nil {
		return "", err
	}
	defer r.Close()
	local := policy.LocalOnly() // whoever installs it decides whether it is trusted; here it is only kept
	got, err := r.Pull(ctx, ref, s.Layout, func(_ context.Context, a *registry.Artifact, d registry.Digest, envelopes [][]byte) error {
		facts, _ := policy.Examine(local, a, d, s.Namespace(), envelopes)
		return policy.Decide(local, facts, time.Now()).Err()
	})
	return got.Digest, err
}
