package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"oras.land/oras-go/v2/content/oci"
)

var now = registrytest.Now

// origin is a registry with two signed modules, acme/x:1.0.0 and acme/y:1.0.0, and their signed index.
type origin struct {
	layout  *layout.Layout
	modules []registry.Digest
	first   *index.Trust // its root alone
	trust   *index.Trust
	root    *index.Root
	index   *index.Index
}

func newOrigin(t testing.TB, sign bool) *origin {
	t.Helper()
	ctx := context.Background()
	o := &origin{layout: open(t)}
	a, r := registrytest.Key(t, "a"), registrytest.Key(t, "r")
	o.root = index.NewRoot("modules.example.org", now.AddDate(1, 0, 0), index.NewRole(1, r.Public()), index.NewRole(1, r.Public()), r.Public())
	root, err := o.root.Seal(r)
	if err != nil {
		t.Fatal(err)
	}
	if o.first, err = index.Begin(root); err != nil {
		t.Fatal(err)
	}
	o.trust, o.index = o.first, index.New(o.root)
	for _, ref := range []string{"acme/x:1.0.0", "acme/y:1.0.0"} {
		m := registrytest.Module(t, ref, "note")
		d, err := o.layout.Push(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		if sign {
			if _, err := o.layout.Attach(ctx, d, layout.TypeSignature, registrytest.Release(t, m, d, a)); err != nil {
				t.Fatal(err)
			}
		}
		o.modules = append(o.modules, d)
		if err := o.index.Add(registry.RefOf(&m.Manifest), d); err != nil {
			t.Fatal(err)
		}
	}
	o.publish(t, now, nil)
	return o
}

func (o *origin) publish(t testing.TB, at time.Time, change func(*index.Index)) {
	t.Helper()
	o.index = o.index.Next(o.root, at, 7*24*time.Hour)
	if change != nil {
		change(o.index)
	}
	data, err := o.index.Seal(registrytest.Key(t, "r"))
	if err != nil {
		t.Fatal(err)
	}
	if o.trust, err = o.trust.Update(layout.Snapshot{Index: data}, at); err != nil {
		t.Fatal(err)
	}
}

func (o *origin) export(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Export(context.Background(), &b, o.layout, o.modules, o.trust); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB) *layout.Layout {
	t.Helper()
	l, err := layout.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// strict wants the signature of key a and the version in the index.
func strict(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte("version: 1\n"+registrytest.KeysYAML(t, "a")+
		"publishers:\n  - {prefix: acme, keys: [a]}\nscopes:\n  - {name: all, modules: [\"*/*\"], level: strict, index: required}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// carry opens a bundle and imports it.
func carry(t testing.TB, data []byte, site Site) (Imported, error) {
	t.Helper()
	dir := t.TempDir()
	b, err := Open(context.Background(), bytes.NewReader(data), dir)
	if err != nil {
		t.Fatal(err)
	}
	done, err := b.Import(context.Background(), site)
	if closed := b.Close(); closed != nil {
		t.Error(closed)
	}
	if left, listed := os.ReadDir(dir); listed != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, listed)
	}
	return done, err
}

func TestExportAndImport(t *testing.T) {
	ctx := context.Background()
	o := newOrigin(t, true)
	data := o.export(t)
	if again := o.export(t); !bytes.Equal(data, again) {
		t.Error("exported twice, two bundles")
	}
	into := open(t)
	for range 2 { // again changes nothing
		done, err := carry(t, data, Site{Into: into, Policy: strict(t), Trust: o.first, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Modules) != 2 || !done.Modules[0].Verdict.Allow || done.Trust.Index().Version != 1 {
			t.Errorf("imported %+v", done)
		}
	}
	for i, d := range o.modules {
		want, err := o.layout.Pull(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := into.Pull(ctx, d)
		if err != nil || got.Manifest.Reference() != want.Manifest.Reference() || !bytes.Equal(got.Wasm, want.Wasm) {
			t.Errorf("module %d: %v", i, err)
		}
		if list, err := into.Referrers(ctx, d, layout.TypeSignature); err != nil || len(list) != 1 {
			t.Errorf("module %d: signatures %v, %v", i, list, err)
		}
	}
	if s, _, err := into.Snapshot(ctx); err != nil || len(s.Roots) != 1 {
		t.Errorf("the index: %v", err)
	}
}

// An independent reader understands the file.
func TestOrasReadsTheBundle(t *testing.T) {
	ctx := context.Background()
	o := newOrigin(t, true)
	name := filepath.Join(t.TempDir(), "b.tar")
	if err := os.WriteFile(name, o.export(t), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := oci.NewFromTar(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.Resolve(ctx, "acme/x:1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := store.Predecessors(ctx, d); err != nil || len(found) != 1 {
		t.Errorf("signatures %v, %v", found, err)
	}
}

func TestImportIntoANamespace(t *testing.T) {
	ctx := context.Background()
	o := newOrigin(t, true)
	into := open(t)
	if _, err := carry(t, o.export(t), Site{Into: into.In(7), Policy: strict(t), Trust: o.first, Now: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := into.Pull(ctx, o.modules[0]); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("all see it: %v", err)
	}
	var b bytes.Buffer // and out of it again
	if err := Export(ctx, &b, into.In(7), o.modules, nil); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(ctx, &b, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if list, err := opened.List(ctx); err != nil || len(list) != 2 {
		t.Errorf("exported %v, %v", list, err)
	}
	if _, ok := opened.Snapshot(); ok {
		t.Error("an index that nobody gave")
	}
	if err := Export(ctx, io.Discard, into.In(8), o.modules, nil); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("another organization exports it: %v", err)
	}
}

// What the policy or the index refuses leaves nothing behind.
func TestImportRefuses(t *testing.T) {
	ctx := context.Background()
	signed, unsigned := newOrigin(t, true), newOrigin(t, false)
	revoked := newOrigin(t, true)
	revoked.publish(t, now, func(x *index.Index) {
		if err := x.Revoke(registry.Ref{Publisher: "acme", Name: "x", Version: "1.0.0"}, index.Note{Reason: "bad", At: now}); err != nil {
			t.Error(err)
		}
	})
	newer := newOrigin(t, true)
	old := newer.export(t)
	newer.publish(t, now, nil)
	noIndex := *signed
	noIndex.trust = nil
	for name, c := range map[string]struct {
		data  []byte
		trust *index.Trust
		now   time.Time
		want  string
	}{
		"unsigned":        {unsigned.export(t), unsigned.first, now, "not signed by any key"},
		"revoked":         {revoked.export(t), revoked.first, now, "revoked: bad"},
		"rolled back":     {old, newer.trust, now, "rollback"},
		"expired":         {signed.export(t), signed.first, now.AddDate(0, 0, 8), "freeze"},
		"without index":   {noIndex.export(t), signed.first, now, "no signed index"},
		"no trust at all": {signed.export(t), nil, now, "no signed index"},
	} {
		into := open(t)
		_, err := carry(t, c.data, Site{Into: into, Policy: strict(t), Trust: c.trust, Now: c.now})
		if !errors.Is(err, registry.ErrUntrusted) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if list, err := into.List(ctx); err != nil || len(list) != 0 {
			t.Errorf("%s left %v, %v", name, list, err)
		}
		if _, _, err := into.Snapshot(ctx); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s left an index: %v", name, err)
		}
	}
	into := open(t)
	if _, err := into.Push(ctx, registrytest.Module(t, "acme/y:1.0.0", "another")); err != nil {
		t.Fatal(err)
	}
	if _, err := carry(t, signed.export(t), Site{Into: into, Policy: strict(t), Trust: signed.first, Now: now}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("another content under a version that is there: %v", err)
	}
	if list, err := into.List(ctx); err != nil || len(list) != 1 {
		t.Errorf("the conflict left %v, %v", list, err)
	}
}

// files reads a tar; write makes one.
func files(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t testing.TB, content map[string][]byte, change func(*tar.Header)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content[name])), Mode: 0o644}
		if change != nil {
			change(h)
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(content[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpenRefuses(t *testing.T) {
	data := newOrigin(t, true).export(t)
	good := files(t, data)
	blobs := slices.DeleteFunc(slices.Sorted(maps.Keys(good)), func(n string) bool { return !strings.HasPrefix(n, "blobs/") })
	with := func(name string, content []byte) map[string][]byte {
		m := maps.Clone(good)
		m[name] = content
		return m
	}
	without := func(name string) map[string][]byte {
		m := maps.Clone(good)
		delete(m, name)
		return m
	}
	zero := "blobs/sha256/" + strings.Repeat("0", 64)
	typed := func(flag byte, link string) []byte {
		return write(t, with(zero, nil), func(h *tar.Header) {
			if h.Name == zero {
				h.Typeflag, h.Linkname = flag, link
			}
		})
	}
	twice := write(t, good, nil)
	bomb := func(size int64, name string) []byte {
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "no tar": []byte(strings.Repeat("x", 2048)), "cut off": data[:len(data)/2],
		"no mark": write(t, without("oci-layout"), nil), "another version": write(t, with("oci-layout", []byte(`{"imageLayoutVersion":"2.0.0"}`)), nil),
		"no index": write(t, without("index.json"), nil), "broken index": write(t, with("index.json", []byte("{")), nil),
		"a changed blob":   write(t, with(blobs[0], append(bytes.Clone(good[blobs[0]]), 'x')), nil),
		"another file":     write(t, with("collected.json", []byte("{}")), nil),
		"zip slip":         write(t, with("../../etc/passwd", []byte("x")), nil),
		"an absolute path": write(t, with("/etc/passwd", []byte("x")), nil),
		"through blobs":    write(t, with("blobs/sha256/../../x", []byte("x")), nil),
		"a symbolic link":  typed(tar.TypeSymlink, "/etc/passwd"), "a hard link": typed(tar.TypeLink, "oci-layout"), "a device": typed(tar.TypeChar, ""), "a pipe": typed(tar.TypeFifo, ""),
		"a folder":    append(bomb(0, "oci-layout")[:0:0], write(t, map[string][]byte{"namespaces/": nil}, func(h *tar.Header) { h.Typeflag = tar.TypeDir })...),
		"twice":       append(twice[:len(twice)-1024], write(t, map[string][]byte{"oci-layout": good["oci-layout"]}, nil)...),
		"a blob bomb": bomb(MaxBlobBytes+1, zero), "an index bomb": bomb(MaxIndexBytes+1, "index.json"), "a bomb": bomb(MaxBundleBytes+1, zero),
	} {
		dir := t.TempDir()
		if b, err := Open(context.Background(), bytes.NewReader(data), dir); !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) || b != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
	// A blob that is missing shows when it is read, and nothing is stored.
	for _, name := range blobs {
		into := open(t)
		_, err := carryOr(t, write(t, without(name), nil), Site{Into: into, Policy: policy.LocalOnly(), Now: now})
		if list, _ := into.List(context.Background()); err == nil && len(list) == 2 {
			t.Errorf("%s is missing: imported", name)
		}
	}
}

// carryOr is carry for what may not even open.
func carryOr(t testing.TB, data []byte, site Site) (Imported, error) {
	t.Helper()
	b, err := Open(context.Background(), bytes.NewReader(data), t.TempDir())
	if err != nil {
		return Imported{}, err
	}
	defer b.Close()
	return b.Import(context.Background(), site)
}

func TestBundleLimits(t *testing.T) {
	if err := Export(context.Background(), io.Discard, open(t), make([]registry.Digest, MaxModules+1), nil); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("modules one over: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, bytes.NewReader(nil), t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	data := newOrigin(f, true).export(f)
	f.Add(data)
	f.Add(data[:3000])
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Open(context.Background(), bytes.NewReader(data), t.TempDir())
		if err != nil {
			if !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) {
				t.Fatalf("%v is of no known kind", err)
			}
			return
		}
		defer b.Close()
		l, err := layout.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Import(context.Background(), Site{Into: l, Policy: policy.LocalOnly(), Now: now}); err != nil &&
			!errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) && !errors.Is(err, registry.ErrUntrusted) && !errors.Is(err, registry.ErrConflict) {
			t.Fatalf("%v is of no known kind", err)
		}
	})
}
