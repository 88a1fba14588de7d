package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// maxCellRunes is how much of a value a table shows.
const maxCellRunes = 160

// addOutputFlag adds --output.
func addOutputFlag(c *cobra.Command, to *string) {
	c.Flags().StringVarP(to, "output", "o", "table", "table, json (one object per line) or csv")
}

// printer prints records, each a map from column to value, in one of the output forms.
type printer struct {
	form    string
	columns []string
	w       io.Writer
	rows    [][]string // of a table, since the last flush
	widths  []int      // of its columns; they only grow
	csv     *csv.Writer
	json    *json.Encoder
	head    bool // still to be printed
}

// newPrinter returns a printer of the given columns; JSON shows all that a record has.
func newPrinter(w io.Writer, form string, columns []string) (*printer, error) {
	p := &printer{form: form, columns: columns, w: w, head: true}
	switch form {
	case "table":
		p.widths = make([]int, len(columns))
	case "csv":
		p.csv = csv.NewWriter(w)
	case "json":
		p.json = json.NewEncoder(w)
		p.json.SetEscapeHTML(false)
	default:
		return nil, fmt.Errorf("output %q: want table, json or csv", form)
	}
	return p, nil
}

// print adds one record.
func (p *printer) print(record map[string]any) error {
	if p.form == "json" {
		return p.json.Encode(record)
	}
	head := make([]string, len(p.columns))
	row := make([]string, len(p.columns))
	for i, name := range p.columns {
		switch {
		case p.form == "table":
			head[i], row[i] = strings.ToUpper(printable(name)), printable(text(record[name]))
		case name == columnTime: // our own, which begins like a formula
			head[i], row[i] = name, text(record[name])
		default:
			head[i], row[i] = harmless(name), harmless(text(record[name]))
		}
	}
	rows := [][]string{row}
	if p.head {
		rows = [][]string{head, row}
	}
	p.head = false
	if p.form == "csv" {
		return p.csv.WriteAll(rows)
	}
	p.rows = append(p.rows, rows...)
	return nil
}

// flush writes what was printed. The columns of a table are as wide as all until now need.
func (p *printer) flush() error {
	if p.form == "csv" {
		p.csv.Flush()
		return p.csv.Error()
	}
	for _, row := range p.rows {
		for i, cell := range row {
			p.widths[i] = max(p.widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range p.rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", p.widths[i], cell)
		}
		if _, err := fmt.Fprintln(p.w, strings.TrimRight(line.String(), " ")); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	p.rows = p.rows[:0]
	return nil
}

// text is a value in one cell.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}

// printable makes a value fit for a terminal: what senders wrote must not move its cursor or rename its window.
func printable(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxCellRunes {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// harmless keeps spreadsheets from taking what senders wrote for a formula: such text gets an apostrophe in front,
// unless it is a number. Control characters but tabs and ends of lines are spelled out, since CSV is looked at in
// terminals too; JSON has every byte.
func harmless(s string) string {
	s = spelled(s)
	if s == "" || !strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

func spelled(s string) string {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' }
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if control(r) {
			fmt.Fprintf(&b, `\x%02x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
