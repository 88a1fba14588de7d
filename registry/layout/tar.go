package layout

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// writeTar packs files in order with fixed metadata: mode 0644, no owner, the Unix epoch.
func writeTar(files []registry.File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: int64(len(f.Data)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// readTar unpacks into memory, and only plain files in ascending order of plain relative paths: no links, no devices,
// no paths that lead elsewhere, no more files and bytes than the limits. The error wraps registry.ErrInvalid.
func readTar(data []byte) ([]registry.File, error) {
	var files []registry.File
	total := int64(0)
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("archive: %w: %w", err, registry.ErrInvalid)
		}
		switch {
		case h.Typeflag != tar.TypeReg || len(h.Linkname) > 0:
			return nil, fmt.Errorf("archive: %q is not a plain file: %w", h.Name, registry.ErrInvalid)
		case manifest.CheckPath(h.Name) != nil:
			return nil, fmt.Errorf("archive: %w: %w", manifest.CheckPath(h.Name), registry.ErrInvalid)
		case len(files) > 0 && files[len(files)-1].Path >= h.Name:
			return nil, fmt.Errorf("archive: %q is out of order: %w", h.Name, registry.ErrInvalid)
		case len(files) == manifest.MaxFiles:
			return nil, fmt.Errorf("archive: more than %d files: %w", manifest.MaxFiles, registry.ErrInvalid)
		case h.Size > manifest.MaxFileBytes:
			return nil, fmt.Errorf("archive: %q has %d bytes, the limit is %d: %w", h.Name, h.Size, manifest.MaxFileBytes, registry.ErrInvalid)
		}
		if total += h.Size; total > manifest.MaxContentBytes {
			return nil, fmt.Errorf("archive: more than %d bytes: %w", manifest.MaxContentBytes, registry.ErrInvalid)
		}
		// A sparse file may claim more than the archive holds; reading is bounded by its checked size.
		content, err := io.ReadAll(io.LimitReader(r, h.Size))
		if err != nil {
			return nil, fmt.Errorf("archive: %q: %w: %w", h.Name, err, registry.ErrInvalid)
		}
		files = append(files, registry.File{Path: h.Name, Data: content})
	}
}
