package layout

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/registry"
)

// namespacesDir holds a layout for each organization that has pushed something.
const namespacesDir = "namespaces"

// gonePrefix begins the name of a namespace that is being removed.
const gonePrefix = ".gone-"

// Namespace says which one this is.
func (l *Layout) Namespace() registry.Namespace { return l.ns }

// In returns an organization's namespace: it reads its own artifacts and the shared ones, and writes its own. There is
// nothing on disk until the first push, so it may be called for any number. In(registry.Shared) is the shared one.
func (l *Layout) In(n registry.Namespace) *Layout {
	root := l
	if l.shared != nil {
		root = l.shared
	}
	if n == registry.Shared {
		return root
	}
	root.namesMu.Lock()
	defer root.namesMu.Unlock()
	own, ok := root.names[n]
	if !ok {
		own = &Layout{dir: filepath.Join(root.dir, namespacesDir, n.String()), ns: n, shared: root}
		root.names[n] = own
	}
	return own
}

// Namespaces lists those with artifacts of their own, sorted, the shared one first.
func (l *Layout) Namespaces() ([]registry.Namespace, error) {
	list := []registry.Namespace{registry.Shared}
	found, err := os.ReadDir(filepath.Join(l.In(registry.Shared).dir, namespacesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	for _, f := range found {
		if n, err := registry.ParseNamespace(f.Name()); err == nil && n != registry.Shared {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Forget removes an organization's namespace with everything in it. It is gone at once for every reader; a crash leaves
// at most files that nothing names, which the next Forget or Collect of any namespace removes.
func (l *Layout) Forget(n registry.Namespace) error {
	if n == registry.Shared {
		return fmt.Errorf("forgetting a namespace: the shared one stays: %w", registry.ErrInvalid)
	}
	own := l.In(n)
	parent := filepath.Dir(own.dir)
	if _, err := os.Stat(own.dir); err == nil {
		err := own.locked(func() error {
			gone, err := os.MkdirTemp(parent, gonePrefix)
			if err != nil {
				return err
			}
			if err := os.Rename(own.dir, filepath.Join(gone, "x")); err != nil {
				return err
			}
			return syncDir(parent)
		})
		if err != nil {
			return fmt.Errorf("forgetting namespace %s: %w", n, err)
		}
	}
	if err := sweepGone(parent); err != nil {
		return fmt.Errorf("forgetting namespace %s: %w", n, err)
	}
	return nil
}

func sweepGone(parent string) error {
	found, err := os.ReadDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range found {
		if strings.HasPrefix(f.Name(), gonePrefix) {
			errs = append(errs, os.RemoveAll(filepath.Join(parent, f.Name())))
		}
	}
	return errors.Join(errs...)
}
