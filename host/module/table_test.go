package module_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// contents serves tables by digest, and counts how often.
type contents struct {
	mu    sync.Mutex
	by    map[string]*index.Table
	asked int
}

func (c *contents) Table(_ context.Context, _ storage.Tenant, digest string) (*index.Table, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if b, ok := c.by[digest]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("%s: %w", digest, storage.ErrNotFound)
}

func (c *contents) add(tb testing.TB, key string) module.Table {
	tb.Helper()
	x, err := index.New(index.Exact, []string{"key"}, [][]string{{key}})
	if err != nil {
		tb.Fatal(err)
	}
	c.by["sha256:"+key] = x
	return module.Table{Name: "t", Digest: "sha256:" + key, Kind: x.Kind(), Columns: x.Columns(), Rows: 1, Bytes: 1}
}

// Versions with the same content share what was loaded, and what no generation uses is forgotten.
func TestTableOfLibrary(t *testing.T) {
	c := &contents{by: map[string]*index.Table{}}
	one, two := c.add(t, "one"), c.add(t, "two")
	lib := module.NewLibrary(nil, nil, nil).With(c)
	a, err := lib.Table(t.Context(), 1, one)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := lib.Table(t.Context(), 2, one); err != nil || a != b || c.asked != 1 {
		t.Errorf("loaded %d times: %v", c.asked, err)
	}
	run, err := module.Running{}.Apply(1, 1, module.Control{Kind: module.SetTable, Tenant: 1, Name: "t", Table: &two})
	if err != nil {
		t.Fatal(err)
	}
	gen, err := module.Build(t.Context(), lib, nil, run, storage.NoTenant)
	if err != nil {
		t.Fatal(err)
	}
	if x := gen.View(1).Table("t"); x == nil || x.Row(0)[0] != "two" || gen.View(2).Table("t") != nil {
		t.Error("a table is not whose it is")
	}
	if err := lib.Keep(t.Context(), gen); err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Table(t.Context(), 1, two); err != nil || c.asked != 2 {
		t.Errorf("what is used was forgotten: %d, %v", c.asked, err)
	}
	if _, err := lib.Table(t.Context(), 1, one); err != nil || c.asked != 3 {
		t.Errorf("what is not used is held: %d, %v", c.asked, err)
	}
	if _, err := lib.Table(t.Context(), 1, module.Table{Name: "t", Digest: "sha256:none"}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("content that is nowhere: %v", err)
	}
}

// Who changes a table says which version of it; when another is in force by then, nothing is changed.
func TestTableVersions(t *testing.T) {
	set := func(r module.Running, seq, of uint64) (module.Running, error) {
		return r.Apply(seq, 1, module.Control{Kind: module.SetTable, Tenant: 1, Name: "t", Table: &module.Table{Name: "t", Digest: fmt.Sprint(seq), Seq: of}})
	}
	first, err := set(module.Running{}, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := set(first, 2, 1)
	if err != nil || second.Layer(1).Tables["t"].Seq != 2 {
		t.Fatalf("%v %v", second.Layer(1).Tables, err)
	}
	if got, err := set(second, 3, 1); !errors.Is(err, storage.ErrConflict) || got.Layer(1).Tables["t"].Digest != "2" {
		t.Errorf("a version that was replaced: %v", err)
	}
	if _, err := set(module.Running{}, 3, 1); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a table that was removed: %v", err)
	}
	if _, err := set(second, 3, 0); err != nil {
		t.Errorf("any version: %v", err)
	}
}

func TestTableLimits(t *testing.T) {
	run, seq := module.Running{}, uint64(0)
	put := func(of storage.Tenant, name string, bytes int) (err error) {
		seq++
		run, err = run.Apply(seq, 1, module.Control{Kind: module.SetTable, Tenant: of, Name: name, Table: &module.Table{Name: name, Digest: "d", Bytes: bytes}})
		return err
	}
	for n := range module.MaxTables {
		if err := put(1, fmt.Sprint("t", n), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(1, "more", 1); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one table more: %v", err)
	}
	if err := put(1, "t0", 1); err != nil {
		t.Errorf("another version: %v", err)
	}
	if err := put(2, "large", module.MaxTableBytes); err != nil {
		t.Error(err)
	}
	if err := put(2, "more", 1); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one byte more: %v", err)
	}
	if err := put(2, "Bad Name", 1); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	if _, err := run.Apply(1, 1, module.Control{Kind: module.SetTable, Name: "t"}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no table: %v", err)
	}
	run, err := run.Apply(2, 1, module.Control{Kind: module.Forget, Tenant: 2})
	if err != nil || len(run.Layer(2).Tables) > 0 {
		t.Errorf("an organization that ended has tables: %v", err)
	}
}

// Many load, and what is not used is forgotten meanwhile.
func TestTableHammer(t *testing.T) {
	c := &contents{by: map[string]*index.Table{}}
	var versions []module.Table
	for n := range 4 {
		versions = append(versions, c.add(t, fmt.Sprint("key ", n)))
	}
	lib := module.NewLibrary(nil, nil, nil).With(c)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 200 {
				if g == 0 {
					if err := lib.Keep(t.Context()); err != nil {
						t.Error(err)
					}
					continue
				}
				v := versions[(g+n)%len(versions)]
				x, err := lib.Table(t.Context(), 1, v)
				if err != nil {
					t.Error(err)
				} else if _, ok := x.Find([]byte(fmt.Sprint("key ", (g+n)%len(versions)))); !ok {
					t.Error("another table came")
				}
			}
		})
	}
	all.Wait()
}
