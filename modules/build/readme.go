package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	tableBegin = "<!-- table: written by modules/build -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

// readme returns modules/README.md with its table as it should be.
func (t *tree) readme() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(t.root, "modules/README.md"))
	if err != nil {
		return nil, fmt.Errorf("table of modules: %w", err)
	}
	head, rest, ok1 := bytes.Cut(text, []byte(tableBegin))
	_, tail, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("table of modules: modules/README.md lacks the lines %q and %q", strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(tableBegin)
	b.WriteString("| Module | Version | Kind | What it does | Code |\n|---|---|---|---|---|\n")
	for _, m := range t.modules {
		code := "declarative"
		if e, ok := t.lock.Modules[m.name]; ok && m.source != "" {
			code = fmt.Sprintf("%d KiB", (e.Size+1023)/1024)
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s | %s | %s |\n", m.manifest.Name, strings.TrimPrefix(m.dir, "modules/"), m.manifest.Version, m.manifest.Kind,
			strings.ReplaceAll(m.manifest.Title, "|", `\|`), code)
	}
	b.WriteString(tableEnd)
	b.Write(tail)
	return b.Bytes(), nil
}
