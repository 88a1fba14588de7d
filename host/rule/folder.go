package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/ast"
)

// Options says how Sigma documents are read. The zero value reads them for events as the shipped parsers make them.
type Options struct {
	Names        *Mapping            // what log sources and fields are called; nil: ECS
	Placeholders map[string][]string // values of %name% under the modifier expand
}

// shippedECS is the mapping of Options without one.
var shippedECS = sync.OnceValues(ECS)

// Document is the text of a file that may hold several documents.
type Document struct {
	File string
	Data []byte
}

// Folder is what was read of documents that belong together.
type Folder struct {
	Rules   []*Rule // in the order of files and documents
	Files   int
	Refused []error // *Error, one for each file or document that is not among Rules
}

// ParseDocuments reads the documents of one file: a pattern, or any number of Sigma rules, correlations and filters that
// refer to each other. All of them must be right; faults are *Error, joined.
func ParseDocuments(file string, src []byte, o Options) ([]*Rule, error) {
	f, err := ParseTogether([]Document{{file, src}}, o)
	if err != nil {
		return nil, err
	}
	return f.Rules, errors.Join(f.Refused...)
}

// ParseTogether reads documents that belong together, such as those of a package: Sigma correlations and filters may name
// rules of any file. The error is that of the mapping or of placeholders.
func ParseTogether(docs []Document, o Options) (f Folder, err error) {
	if o.Names == nil {
		if o.Names, err = shippedECS(); err != nil {
			return f, err
		}
	}
	set := &sigmaSet{names: o.Names}
	if o.Placeholders, err = placeholdersOf(docs, o.Placeholders); err != nil {
		return f, err
	}
	for _, d := range docs {
		f.Files++
		f.read(d, o, set)
	}
	rules, refused := set.lower()
	f.Rules, f.Refused = append(f.Rules, rules...), append(f.Refused, refused...)
	place := map[string]int{}
	for i, d := range docs {
		place[d.File] = i
	}
	slices.SortStableFunc(f.Rules, func(a, b *Rule) int { return place[a.File] - place[b.File] })
	f.refuseTwins()
	return f, nil
}

// refuseTwins refuses rules whose id an earlier one has.
func (f *Folder) refuseTwins() {
	file := map[string]string{}
	f.Rules = slices.DeleteFunc(f.Rules, func(r *Rule) bool {
		first, twin := file[r.ID]
		if !twin {
			file[r.ID] = r.File
			return false
		}
		f.Refused = append(f.Refused, &Error{File: r.File, Line: 1, Col: 1, Msg: fmt.Sprintf("rule %q: its id %s is that of %s", r.Name, r.ID, first)})
		return true
	})
}

// ReadFolder reads all .yml and .yaml files below root with ParseTogether. A file that cannot be used is among Refused
// with its reason; the error is that of reading.
func ReadFolder(root fs.FS, o Options) (Folder, error) {
	docs, err := ReadDocuments(root)
	if err != nil {
		return Folder{}, err
	}
	return ParseTogether(docs, o)
}

// ReadDocuments returns all .yml and .yaml files below root.
func ReadDocuments(root fs.FS) (docs []Document, err error) {
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if ext := strings.ToLower(path.Ext(name)); err != nil || d.IsDir() || ext != ".yml" && ext != ".yaml" {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		docs = append(docs, Document{name, src})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	return docs, nil
}

// read reads one file: a pattern is a rule at once, Sigma documents wait in set for those that they name.
func (f *Folder) read(doc Document, o Options, set *sigmaSet) {
	refuse := func(err error) { f.Refused = append(f.Refused, err) }
	roots, err := parseAll(doc.File, doc.Data, MaxSigmaBytes)
	switch {
	case err != nil:
		refuse(err)
		return
	case len(roots) == 0:
		refuse(&Error{File: doc.File, Line: 1, Col: 1, Msg: "no document"})
		return
	}
	switch kind := kindOfDocument(roots); kind {
	case "":
	case "placeholders": // read before
		return
	default: // Parse says what is wrong with another kind
		if r, err := Parse(doc.File, doc.Data); err != nil {
			refuse(err)
		} else {
			f.Rules = append(f.Rules, r)
		}
		return
	}
	for _, root := range roots {
		d := newSigmaDocument(doc.File, root, o)
		if set.read(d); d.err != nil {
			refuse(d.err)
		}
	}
}

// kindOfDocument returns what the first document says that has a kind; "" when none has. Sigma's have none, or one that is
// their author's own matter.
func kindOfDocument(roots []ast.Node) (kind string) {
	for _, root := range roots {
		m, ok := root.(*ast.MappingNode)
		if !ok || kind != "" {
			continue
		}
		for _, v := range m.Values {
			switch v.Key.GetToken().Value {
			case "kind":
				kind = v.Value.GetToken().Value
			case "detection", "correlation", "filter":
				return ""
			}
		}
	}
	return kind
}

// placeholdersOf adds the values of documents of the kind placeholders, which keep them with the rules of a package:
//
//	kind: placeholders
//	values: {Servers: [dc1, dc2]}
func placeholdersOf(docs []Document, given map[string][]string) (map[string][]string, error) {
	all := maps.Clone(given)
	for _, doc := range docs {
		if !bytes.Contains(doc.Data, []byte("kind: placeholders")) {
			continue
		}
		roots, err := parseAll(doc.File, doc.Data, MaxSigmaBytes)
		if err != nil || kindOfDocument(roots) != "placeholders" { // a fault is told where the file is read
			continue
		}
		r := &reader{file: doc.File}
		for _, e := range r.mapping(roots[0], "placeholders", []string{"kind", "values"}) {
			if e.key == "kind" {
				continue
			}
			for _, v := range r.mapping(e.val, "values", nil) {
				if all == nil {
					all = map[string][]string{}
				}
				all[v.key] = r.texts(v.val, v.key)
			}
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return all, nil
}
