package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/sign"
)

// trustFile is a trust on disk: the envelopes, which are verified again when they are read.
type trustFile struct {
	Roots []json.RawMessage `json:"roots"`
	Index json.RawMessage   `json:"index,omitempty"`
}

// Encode returns the trust as a file's content. Whoever can change that file decides what is trusted.
func (t *Trust) Encode() ([]byte, error) {
	f := trustFile{Index: t.signed}
	for _, root := range t.chain {
		f.Roots = append(f.Roots, root)
	}
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encoding trust in %s: %w", t.root.Registry, err)
	}
	return data, nil
}

// Decode reads what Encode wrote. The error wraps registry.ErrInvalid or ErrUntrusted.
func Decode(data []byte) (*Trust, error) {
	var f trustFile
	if len(data) > MaxTrustBytes {
		return nil, fmt.Errorf("trust of %d bytes, the limit is %d: %w", len(data), MaxTrustBytes, registry.ErrInvalid)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("trust: %w: %w", err, registry.ErrInvalid)
	}
	if len(f.Roots) == 0 || len(f.Roots) > layout.MaxRoots {
		return nil, fmt.Errorf("trust: %d roots, want 1 to %d: %w", len(f.Roots), layout.MaxRoots, registry.ErrInvalid)
	}
	t, err := Begin(f.Roots[0])
	if err != nil {
		return nil, err
	}
	var chain [][]byte
	for _, root := range f.Roots[1:] {
		chain = append(chain, root)
	}
	if t, err = t.follow(chain); err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	if len(f.Index) == 0 {
		return t, nil
	}
	e, err := sign.Decode(f.Index)
	if err != nil {
		return nil, fmt.Errorf("trust in %s: %w", t.root.Registry, err)
	}
	if t.index, err = t.accept(&e); err != nil {
		return nil, fmt.Errorf("trust in %s: %w", t.root.Registry, err)
	}
	t.signed = f.Index
	return t, nil
}

// Write replaces a trust file as a whole: after a crash it holds the old content or the new. A crash before it may not
// lead to an older index being taken again, so it returns when the file has reached the disk.
func (t *Trust) Write(file string) (err error) {
	data, err := t.Encode()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing trust in %s: %w", t.root.Registry, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(file), ".trust-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is none
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Read reads a trust file. The error wraps fs.ErrNotExist where there is none, registry.ErrInvalid or ErrUntrusted.
func Read(file string) (*Trust, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading trust: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxTrustBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading trust: %w", err)
	}
	return Decode(data)
}
