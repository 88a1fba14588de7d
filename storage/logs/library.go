package logs

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	_ "aaa.vedette/quiet" // before the library: see there
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logger"
	"github.com/vedette-siem/vedette/storage"
)

var library struct {
	once sync.Once
	err  error
}

// initLibrary sets logstorage's process-wide flags once. They live on flag.CommandLine, which must count as parsed
// before memory limits are read; a program that uses that set itself parses it before Open and keeps its values.
func initLibrary(memoryBytes int64) error {
	library.once.Do(func() {
		for name, value := range map[string]string{
			"loggerLevel":               "WARN",
			"loggerMaxArgLen":           "200", // its warnings quote whole rows, which are customers' data
			"loggerWarnsPerSecondLimit": "5",
			"memory.allowedBytes":       strconv.FormatInt(memoryBytes, 10),
		} {
			if err := flag.Set(name, value); err != nil {
				library.err = fmt.Errorf("setting logstorage's flag %s: %w", name, err)
				return
			}
		}
		if !flag.Parsed() {
			flag.CommandLine.SetOutput(io.Discard)
			if err := flag.CommandLine.Parse(nil); err != nil {
				library.err = fmt.Errorf("parsing logstorage's flags: %w", err)
				return
			}
		}
		logger.InitNoLogFlags() // resets the limit on warnings each second
	})
	return library.err
}

// lockDir takes the directory for this Store. The lock goes with the process, however that ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the log store: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
	}
	return f, nil
}

// tenantFile remembers every tenant that has rows, since logstorage cannot list them and recovery must ask for all.
type tenantFile struct {
	f    *os.File
	mu   sync.RWMutex
	seen map[storage.Tenant]struct{}
}

func openTenants(path string) (*tenantFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the list of tenants: %w", err)
	}
	t := &tenantFile{f: f, seen: map[storage.Tenant]struct{}{}}
	for {
		var n storage.Tenant
		if _, err := fmt.Fscanln(f, &n); errors.Is(err, io.EOF) {
			return t, nil
		} else if err != nil {
			return nil, errors.Join(fmt.Errorf("reading the list of tenants %s: %w", path, err), f.Close())
		}
		t.seen[n] = struct{}{}
	}
}

// add remembers n on disk before its first row is stored.
func (t *tenantFile) add(n storage.Tenant) error {
	t.mu.RLock()
	_, known := t.seen[n]
	t.mu.RUnlock()
	if known {
		return nil
	}
	if _, err := t.f.WriteString(n.String() + "\n"); err != nil {
		return fmt.Errorf("adding tenant %s to the list: %w", n, err)
	}
	if err := t.f.Sync(); err != nil {
		return fmt.Errorf("adding tenant %s to the list: %w", n, err)
	}
	t.mu.Lock()
	t.seen[n] = struct{}{}
	t.mu.Unlock()
	return nil
}

func (t *tenantFile) all() []storage.Tenant {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]storage.Tenant, 0, len(t.seen))
	for n := range t.seen {
		all = append(all, n)
	}
	return all
}

func (t *tenantFile) close() error { return t.f.Close() }
