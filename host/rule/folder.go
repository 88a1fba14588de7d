package rule

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
)

// Folder is what was read of a folder of rules.
type Folder struct {
	Rules   []*Rule
	Files   int
	Refused []error // *Error, one for each file or document that is not among Rules
}

// ReadFolder reads all .yml and .yaml files below root: pattern documents, and Sigma rules under a mapping. A file that
// cannot be used is among Refused with its reason; the error is that of reading.
func ReadFolder(root fs.FS, m *Mapping, cfg SigmaConfig) (f Folder, err error) {
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml") {
			return err
		}
		src, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		f.Files++
		f.add(path, src, m, cfg)
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("reading rules: %w", err)
	}
	return f, nil
}

func (f *Folder) add(path string, src []byte, m *Mapping, cfg SigmaConfig) {
	if bytes.HasPrefix(src, []byte("kind: pattern")) || bytes.Contains(src, []byte("\nkind: pattern")) {
		r, err := Parse(path, src)
		if err != nil {
			f.Refused = append(f.Refused, err)
			return
		}
		f.Rules = append(f.Rules, r)
		return
	}
	all, err := ParseSigma(path, src, cfg)
	if err != nil {
		f.Refused = append(f.Refused, err)
		return
	}
	for _, s := range all {
		r, err := s.Lower(m)
		if err != nil {
			f.Refused = append(f.Refused, err)
			continue
		}
		f.Rules = append(f.Rules, r)
	}
}
