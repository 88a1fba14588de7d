package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/sign"
)

func newModuleKey() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "Make and show the keys that sign modules"}
	c.AddCommand(&cobra.Command{
		Use:   "new FILE",
		Short: "Make a private key that only you can read, and FILE.pub to give away",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Lstat(args[0]); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s is there already: a key is not overwritten, choose another file", args[0])
			}
			key, err := sign.Generate(rand.Reader)
			if err != nil {
				return err
			}
			if err := sign.WriteKey(args[0], key); err != nil {
				return err
			}
			text, err := key.Public().MarshalText()
			if err == nil {
				err = os.WriteFile(args[0]+".pub", text, 0o644)
			}
			if err != nil {
				return fmt.Errorf("write the public key: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nprivate  %s\npublic   %s.pub\n", key.Public().ID(), args[0], args[0])
			return nil
		},
	}, &cobra.Command{
		Use:   "show FILE",
		Short: "Print the id and the public half of a key",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := sign.ReadPublicKey(args[0])
			if err != nil {
				private, other := sign.ReadPrivateKey(args[0])
				if other != nil {
					return errors.Join(err, other)
				}
				public = private.Public()
			}
			text, err := public.MarshalText()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s", public.ID(), text)
			return nil
		},
	}, newModuleKeyRoot(), newModuleKeyRotate())
	return c
}

func newModuleKeyRoot() *cobra.Command {
	var s shelf
	c := &cobra.Command{
		Use:   "root FILE",
		Short: "Write the first root of a registry, with which a host believes its signed index (modules.registry.root)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.open(); err != nil {
				return err
			}
			snap, _, err := s.Snapshot(cmd.Context())
			if errors.Is(err, registry.ErrNotFound) {
				return fmt.Errorf("%s has no signed index yet: vedette module publish --key makes it", s.dir)
			} else if err != nil {
				return err
			}
			if err := os.WriteFile(args[0], snap.Roots[0], 0o644); err != nil {
				return fmt.Errorf("write the root: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is the first root of %s: give it to hosts by a way that they trust\n", args[0], s.dir)
			return nil
		},
	}
	s.flags(c)
	return c
}

func newModuleKeyRotate() *cobra.Command {
	var s shelf
	c := &cobra.Command{
		Use:   "rotate NEWKEY --key OLDKEY",
		Short: "Have another key speak for a registry's index from now on; hosts that believe the old one follow",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.open(); err != nil {
				return err
			}
			next, err := sign.ReadPrivateKey(args[0])
			if err != nil {
				return err
			}
			if err := s.rotate(cmd.Context(), next, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s speaks for %s\n", next.Public().ID(), s.dir)
			return s.copyOut(cmd.Context())
		},
	}
	s.flags(c)
	s.keyFlag(c)
	s.toFlag(c)
	return c
}

// rotate makes a root that the old key and the new one sign, and an index under it.
func (s *shelf) rotate(ctx context.Context, next sign.PrivateKey, now time.Time) error {
	old, err := s.signer()
	if err != nil {
		return err
	}
	trust, err := s.trust(ctx)
	if err != nil {
		return err
	}
	if trust == nil {
		return fmt.Errorf("%s has no signed index yet: publish with the new key", s.dir)
	}
	one := index.NewRole(1, next.Public())
	root := trust.Root().Next(now.Add(rootLifetime), one, one, next.Public())
	text, err := root.Seal(old, next)
	if err != nil {
		return err
	}
	list, err := trust.Index().Next(root, now, indexLifetime).Seal(next)
	if err != nil {
		return err
	}
	snap, _, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	after := layout.Snapshot{Index: list, Roots: append(snap.Roots, text)}
	if _, err := trust.Update(after, now); err != nil {
		return fmt.Errorf("the key %s does not speak for the registry %s: %w", old.Public().ID().Short(), s.dir, err)
	}
	return s.PutSnapshot(ctx, after)
}
