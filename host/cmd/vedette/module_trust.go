package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/sign"
)

func newModuleSign() *cobra.Command {
	var s shelf
	var audience string
	c := &cobra.Command{
		Use:               "sign PUBLISHER/NAME:VERSION",
		Short:             "Vouch for a published version: a signature, and a bill of materials",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.published,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := s.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			a, err := s.Pull(cmd.Context(), d)
			if err != nil {
				return err
			}
			by, err := s.vouch(cmd.Context(), &a, d, audience, nil, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "signed     %s  %s\nsigned by  %s\n", a.Manifest.Reference(), d, by)
			return s.copyOut(cmd.Context(), d)
		},
	}
	s.flags(c)
	s.keyFlag(c)
	s.toFlag(c)
	c.Flags().StringVar(&audience, "audience", "", "the one site that it is meant for, as its trust policy calls itself (default: every site)")
	return c
}

// published completes the versions of the registry.
func (s *shelf) published(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if s.open() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := s.List(context.Background())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // a shell has no place for an error
	}
	var out []string
	for _, e := range list {
		if strings.HasPrefix(e.Ref.String(), typed) {
			out = append(out, fmt.Sprintf("%s\t%s %s", e.Ref, e.Kind, e.Title))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func newModuleVerify() *cobra.Command {
	var s shelf
	var output, policyFile string
	var keys []string
	c := &cobra.Command{
		Use:   "verify PUBLISHER/NAME:VERSION|FILE.tar",
		Short: "Check every byte of a version, and who has signed it",
		Long: `Check every byte of a version, and who has signed it: with the public keys of --key all of them must have, with --policy
a host's trust policy decides, and names every reason. Without either only the bytes are checked.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.published,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			p, err := trustOf(policyFile, keys)
			if err != nil {
				return err
			}
			tar, err := readModule(cmd.Context(), &s, args[0])
			if err != nil {
				return err
			}
			pkg, err := layout.ImportPackage(strings.NewReader(string(tar)))
			if err != nil {
				return err
			}
			facts, notes := policy.Examine(p, &pkg.Artifact, pkg.Digest, registry.Shared, pkg.Envelopes())
			if s.Layout != nil {
				facts = s.standing(cmd.Context(), facts)
			}
			v := policy.Decide(p, facts, time.Now())
			return printVerdict(cmd.OutOrStdout(), &pkg, v, notes, output, policyFile == "" && len(keys) == 0)
		},
	}
	s.flags(c)
	addFormFlag(c, &output)
	c.Flags().StringVar(&policyFile, "policy", "", "trust policy to decide by")
	c.Flags().StringArrayVar(&keys, "key", nil, "file of a public key that must have signed it; may be given several times")
	c.MarkFlagsMutuallyExclusive("policy", "key")
	return c
}

// trustOf returns the policy of a file, one that asks for signatures by all of some keys, or one that asks for none.
func trustOf(file string, keys []string) (*policy.Policy, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the policy: %w", err)
		}
		return policy.Parse(file, text)
	}
	if len(keys) == 0 {
		return policy.LocalOnly(), nil
	}
	p := &policy.Policy{Version: 1, Keys: map[string]policy.Key{}}
	scope := policy.Scope{Name: "the keys of --key", Modules: []string{"*/*"}, Level: policy.Strict, Capabilities: []string{"*"}}
	for _, file := range keys {
		k, err := sign.ReadPublicKey(file)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(file)
		p.Keys[name] = policy.Key{PublicKey: k}
		scope.Signatures.AllOf = append(scope.Signatures.AllOf, name)
	}
	p.Scopes = []policy.Scope{scope}
	return p, nil
}

// standing adds what the registry's signed index says.
func (s *shelf) standing(ctx context.Context, f policy.Facts) policy.Facts {
	snap, _, err := s.Snapshot(ctx)
	if err != nil || len(snap.Roots) == 0 {
		return f
	}
	trust, err := index.Begin(snap.Roots[0])
	if err == nil {
		trust, err = trust.Update(snap, time.Now())
	}
	if err != nil {
		return f
	}
	return f.Under(trust.Index())
}

func printVerdict(w io.Writer, pkg *layout.Package, v policy.Verdict, notes []error, output string, bytesOnly bool) error {
	name := pkg.Artifact.Manifest.Reference()
	texts := func(list []policy.Reason) (out []string) {
		for _, r := range list {
			out = append(out, string(r.Code)+": "+r.Text)
		}
		return out
	}
	if output == "json" {
		err := json.NewEncoder(w).Encode(map[string]any{
			"module": name, "digest": pkg.Digest, "allowed": v.Allow, "signers": v.Signers, "reasons": texts(v.Reasons), "warnings": texts(v.Warnings), "documents": len(pkg.Referrers),
		})
		return errors.Join(err, v.Err())
	}
	fmt.Fprintf(w, "module   %s\ndigest   %s\nbytes    every one is what its digest says\n", name, pkg.Digest)
	for _, n := range notes {
		fmt.Fprintf(w, "left out %s\n", printable(n.Error()))
	}
	for _, t := range texts(v.Warnings) {
		fmt.Fprintf(w, "note     %s\n", printable(t))
	}
	if err := v.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if bytesOnly {
		_, err := fmt.Fprintf(w, "signed   %d documents came with it; name keys with --key, or a --policy, to check them\n", len(pkg.Referrers))
		return err
	}
	_, err := fmt.Fprintf(w, "signed   by %s\n", printable(orNone(v.Signers)))
	return err
}

func newModuleExport() *cobra.Command {
	var s shelf
	var to string
	c := &cobra.Command{
		Use:               "export PUBLISHER/NAME:VERSION… --file FILE.tar",
		Short:             "Write versions, what vouches for them and the signed index to one file, for a site without a network",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: s.published,
		RunE: func(cmd *cobra.Command, args []string) error {
			var digests []registry.Digest
			for _, name := range args {
				d, err := s.find(cmd.Context(), name)
				if err != nil {
					return err
				}
				digests = append(digests, d)
			}
			trust, err := s.trust(cmd.Context())
			if err != nil {
				return err
			}
			f, err := os.CreateTemp(filepath.Dir(to), ".export-*")
			if err != nil {
				return fmt.Errorf("write the file: %w", err)
			}
			err = bundle.Export(cmd.Context(), f, s.Layout, digests, trust)
			if err = errors.Join(err, f.Close()); err == nil {
				err = os.Rename(f.Name(), to)
			}
			if err != nil {
				os.Remove(f.Name())
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s holds %d versions. There:\n  vedette module import %s --policy POLICY.yaml\n", to, len(digests), filepath.Base(to))
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVar(&to, "file", "", "file to write")
	_ = c.MarkFlagRequired("file") // fails for a flag that is not there
	return c
}

// trust returns the registry's own signed index; nil when it has none.
func (s *shelf) trust(ctx context.Context) (*index.Trust, error) {
	snap, _, err := s.Snapshot(ctx)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	trust, err := index.Begin(snap.Roots[0])
	if err != nil {
		return nil, err
	}
	return trust.Update(snap, time.Now())
}

func newModuleImport() *cobra.Command {
	var s shelf
	var policyFile, trustFile, output string
	c := &cobra.Command{
		Use:   "import FILE.tar",
		Short: "Verify a file of versions as a whole, and take them into a registry",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := checkForm(output); err != nil {
				return err
			}
			if err := s.open(); err != nil {
				return err
			}
			site := bundle.Site{Into: s.Layout, Now: time.Now()}
			if site.Policy, err = trustOf(policyFile, nil); err != nil {
				return err
			}
			if trustFile != "" {
				if site.Trust, err = index.Read(trustFile); err != nil {
					return err
				}
			}
			done, err := importBundle(cmd.Context(), args[0], site)
			if err != nil {
				return err
			}
			if trustFile != "" {
				if err := done.Trust.Write(trustFile); err != nil {
					return err
				}
			}
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(done.Modules)
			}
			for _, m := range done.Modules {
				fmt.Fprintf(cmd.OutOrStdout(), "imported  %s  %s  signed by %s\n", m.Ref, m.Digest.Short(), printable(orNone(m.Verdict.Signers)))
			}
			return nil
		},
	}
	s.flags(c)
	addFormFlag(c, &output)
	c.Flags().StringVar(&policyFile, "policy", "", "trust policy that must allow all of it (default: what is signed by nobody is taken too)")
	c.Flags().StringVar(&trustFile, "trust", "", "file that keeps which keys and which index of the sender are trusted; it follows newer ones")
	return c
}

func importBundle(ctx context.Context, file string, site bundle.Site) (bundle.Imported, error) {
	f, err := os.Open(file)
	if err != nil {
		return bundle.Imported{}, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	b, err := bundle.Open(ctx, f, os.TempDir())
	if err != nil {
		return bundle.Imported{}, err
	}
	defer b.Close() //nolint:errcheck // it removes a folder that nobody needs
	return b.Import(ctx, site)
}

func newModuleYank() *cobra.Command {
	return withdraw("yank", "Keep a version from being installed; where it runs it runs on", func(x *index.Index, ref registry.Ref, n *index.Note) error { return x.Yank(ref, n) }, true)
}

func newModuleRevoke() *cobra.Command {
	return withdraw("revoke", "Stop a version wherever it runs; that is not taken back", func(x *index.Index, ref registry.Ref, n *index.Note) error { return x.Revoke(ref, *n) }, false)
}

// withdraw makes a command that says something about a version in the signed index.
func withdraw(verb, short string, say func(*index.Index, registry.Ref, *index.Note) error, undoable bool) *cobra.Command {
	var s shelf
	var note index.Note
	var undo bool
	c := &cobra.Command{
		Use:               verb + " PUBLISHER/NAME:VERSION",
		Short:             short,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.published,
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := registry.ParseRef(args[0])
			if err != nil {
				return err
			}
			d, err := s.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if note.Reason == "" && !undo {
				return fmt.Errorf("say why with --reason: people read it where %s ran", ref)
			}
			now := time.Now()
			note.At = now.UTC().Truncate(time.Second)
			about := &note
			if undo {
				about = nil
			}
			err = s.listing(cmd.Context(), now, func(x *index.Index) error {
				if err := x.Add(ref, d); err != nil {
					return err
				}
				return say(x, ref, about)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the signed index of %s says so now: %s %s\n", s.dir, verb, ref)
			return s.copyOut(cmd.Context())
		},
	}
	s.flags(c)
	s.keyFlag(c)
	s.toFlag(c)
	c.Flags().StringVar(&note.Reason, "reason", "", "why, for people")
	c.Flags().StringVar(&note.Replacement, "replacement", "", "PUBLISHER/NAME:VERSION to go to")
	if undoable {
		c.Flags().BoolVar(&undo, "undo", false, "take it back")
	}
	return c
}
