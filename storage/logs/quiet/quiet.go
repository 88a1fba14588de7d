// Package quiet keeps one line of a dependency's start-up off standard error.
//
// The metrics library that comes with the log store complains, with the standard logger and while its package is
// initialised, about machines whose kernel offers no pressure files; it then does without them. No code of ours runs
// before that, except a package whose path sorts before the library's and which needs nothing that sorts after it: Go
// initialises packages that are ready in the order of their import paths. That is why this is a module of its own, and
// the reason for its name. Every other line passes.
package quiet

import (
	"bytes"
	"io"
	"log"
	"os"
)

func init() { log.SetOutput(filter{os.Stderr}) }

type filter struct{ to io.Writer }

func (f filter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("disable exposing PSI metrics")) {
		return len(line), nil
	}
	return f.to.Write(line)
}
