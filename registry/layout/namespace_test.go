package layout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// of is an artifact of another publisher.
func of(t testing.TB, publisher, name, version, note string) registry.Artifact {
	t.Helper()
	a, err := manifest.ReadFolder(name, fstest.MapFS{
		"module.yaml": {Data: []byte("publisher: " + publisher + "\nname: " + name + "\nversion: " + version +
			"\nkind: parser\ntitle: Sample\nabi: \"1.0\"\nentry: {wasm: true}\nmatch: {generic: true}\n")},
		"README.md": {Data: []byte(note)},
	}, guest(100))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Two organizations push other content under one name. Neither is refused, and neither sees the other's by list, name or
// digest.
func TestNamespacesAreApart(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	shared := open(t, dir)
	everybodys := push(t, shared, of(t, "local", "all", "1.0.0", "shared"))
	a, b := shared.In(1), shared.In(2)
	if list, err := b.List(ctx); err != nil || len(list) != 1 || list[0].Namespace != registry.Shared {
		t.Errorf("before its first push B sees %v, %v", list, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "namespaces")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading has made files: %v", err)
	}
	of1 := push(t, a, of(t, "local", "x", "1.0.0", "A's"))
	of2 := push(t, b, of(t, "local", "x", "1.0.0", "B's"))
	if of1 == of2 {
		t.Fatal("the same content")
	}
	ref := registry.Ref{Publisher: "local", Name: "x", Version: "1.0.0"}
	for _, c := range []struct {
		l            *Layout
		own, foreign registry.Digest
	}{{a, of1, of2}, {b, of2, of1}, {open(t, dir).In(1), of1, of2}} {
		if d, err := c.l.Resolve(ctx, ref); err != nil || d != c.own {
			t.Errorf("%s resolves to %s, %v", c.l.Namespace(), d, err)
		}
		for _, d := range []registry.Digest{c.own, everybodys} {
			if _, err := c.l.Pull(ctx, d); err != nil {
				t.Errorf("%s pulls %s: %v", c.l.Namespace(), d.Short(), err)
			}
		}
		_, unknown := c.l.Pull(ctx, registry.Digest("sha256:"+strings.Repeat("0", 64)))
		_, foreign := c.l.Pull(ctx, c.foreign)
		hidden := strings.ReplaceAll(foreign.Error(), c.foreign.Short(), strings.Repeat("0", 12))
		if !errors.Is(foreign, registry.ErrNotFound) || hidden != unknown.Error() {
			t.Errorf("%s pulls the other's: %v; what does not exist: %v", c.l.Namespace(), foreign, unknown)
		}
		if _, err := c.l.Image(ctx, c.foreign); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s reads the other's OCI manifest: %v", c.l.Namespace(), err)
		}
		if _, err := c.l.BlobSize(c.foreign); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s finds the other's blob: %v", c.l.Namespace(), err)
		}
		if list, err := c.l.List(ctx); err != nil || len(list) != 2 || list[1].Digest != c.own || list[1].Namespace != c.l.Namespace() {
			t.Errorf("%s lists %v, %v", c.l.Namespace(), list, err)
		}
		if tags, err := c.l.Tags(ctx, "local/x"); err != nil || len(tags) != 1 {
			t.Errorf("%s: tags %v, %v", c.l.Namespace(), tags, err)
		}
	}
	if _, err := shared.Pull(ctx, of1); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the shared namespace shows an organization's: %v", err)
	}
	if _, err := a.Attach(ctx, of2, TypeSignature, []byte("x")); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("A refers to B's: %v", err)
	}
	if list, err := shared.Namespaces(); err != nil || len(list) != 3 || list[0] != registry.Shared {
		t.Errorf("namespaces %v, %v", list, err)
	}
}

func TestNamespaceRules(t *testing.T) {
	ctx := context.Background()
	shared := open(t, t.TempDir())
	push(t, shared, of(t, "local", "x", "1.0.0", "shared"))
	if _, err := shared.In(1).Push(ctx, of(t, "local", "x", "1.0.0", "redefined")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("an organization redefines what is shared: %v", err)
	}
	push(t, shared.In(1), of(t, "local", "x", "1.0.0", "shared"))
	push(t, shared.In(1), of(t, "t-1", "x", "1.0.0", ""))
	for _, n := range []registry.Namespace{registry.Shared, 2} {
		if _, err := shared.In(n).Push(ctx, of(t, "t-1", "x", "1.0.0", "")); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("publisher t-1 in %s: %v", n, err)
		}
	}
	// What both had, an organization's own stays what it was when all get another one.
	own := push(t, shared.In(1), of(t, "local", "y", "1.0.0", "own"))
	push(t, shared, of(t, "local", "y", "1.0.0", "shared"))
	if d, err := shared.In(1).Resolve(ctx, registry.Ref{Publisher: "local", Name: "y", Version: "1.0.0"}); err != nil || d != own {
		t.Errorf("resolves to %s, %v", d, err)
	}
	if shared.In(1).In(registry.Shared) != shared || shared.In(1).In(2) != shared.In(2) {
		t.Error("In does not lead back")
	}
}

func TestForgetNamespace(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	shared := open(t, dir)
	d := push(t, shared.In(1), of(t, "local", "x", "1.0.0", ""))
	other := push(t, shared.In(2), of(t, "local", "x", "1.0.0", ""))
	if err := shared.Forget(registry.Shared); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("the shared one: %v", err)
	}
	for range 2 {
		if err := shared.Forget(1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := shared.In(1).Pull(ctx, d); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("after it was forgotten: %v", err)
	}
	if _, err := shared.In(2).Pull(ctx, other); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, namespacesDir))
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	push(t, shared.In(1), of(t, "local", "x", "1.0.0", "again"))
}

func TestNamespaceHammer(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	shared := open(t, dir)
	var wg sync.WaitGroup
	for i := range 6 {
		n := registry.Namespace(i%3 + 1)
		wg.Go(func() {
			l := shared.In(n)
			if i >= 3 {
				l = open(t, dir).In(n) // as another process
			}
			for _, v := range []string{"1.0.0", "1.1.0", "1.2.0"} {
				d, err := l.Push(ctx, of(t, "local", "x", v, n.String()))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := l.Pull(ctx, d); err != nil {
					t.Error(err)
				}
				if _, err := l.Attach(ctx, d, TypeSignature, []byte(v)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for n := range registry.Namespace(3) {
		if list, err := shared.In(n + 1).List(ctx); err != nil || len(list) != 3 {
			t.Errorf("%s: %v, %v", n+1, list, err)
		}
	}
}

func TestNamespaceRoomOneOver(t *testing.T) {
	shared := open(t, t.TempDir())
	push(t, shared.In(1), of(t, "local", "x", "1.0.0", ""))
	file, err := os.Create(filepath.Join(shared.In(1).blobs(), strings.Repeat("f", 64)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(MaxTenantBytes), file.Close()); err != nil { // sparse: it takes no room itself
		t.Fatal(err)
	}
	if _, err := shared.In(1).Push(context.Background(), of(t, "local", "x", "1.1.0", "")); !errors.Is(err, registry.ErrExhausted) {
		t.Errorf("over the limit: %v", err)
	}
	push(t, shared.In(2), of(t, "local", "x", "1.1.0", ""))
}
