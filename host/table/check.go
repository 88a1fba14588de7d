package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// MaxProblems bounds what Check names of an upload.
const MaxProblems = 100

// Problem is why an upload is refused.
type Problem struct {
	Line int // from 1; 0: of the whole upload
	Text string
}

// Checked is what would come of an upload.
type Checked struct {
	Columns  []string
	Rows     [][]string // those that can be read
	Doubles  int        // of them have the key of an earlier one, and are never found
	Problems []Problem  // the first MaxProblems, by line
	Total    int        // of all problems
}

// Check reads an upload to its end whatever is wrong with it. Read takes it when there is no problem.
func Check(kind index.Kind, f Format, text []byte) Checked {
	var c Checked
	u, err := scan(f, text, func(line int, err error) error { c.note(line, err); return nil })
	if err != nil {
		c.note(0, err)
		return c
	}
	c.Columns, c.Rows = u.columns, u.rows
	t, err := index.New(kind, u.columns, u.rows)
	if err == nil {
		c.Doubles = t.Twice()
		return c
	}
	if _, err := index.New(kind, u.columns, nil); err != nil {
		c.note(0, err)
		return c
	}
	c.Rows = nil
	for i, row := range u.rows {
		if _, err := index.New(kind, u.columns, u.rows[i:i+1]); err != nil {
			c.note(u.lines[i], err)
		} else {
			c.Rows = append(c.Rows, row)
		}
	}
	slices.SortStableFunc(c.Problems, func(a, b Problem) int { return a.Line - b.Line })
	if t, err := index.New(kind, u.columns, c.Rows); err == nil {
		c.Doubles = t.Twice()
	}
	return c
}

// note adds a problem. Where it stands is said beside it, so its text does not.
func (c *Checked) note(line int, err error) {
	c.Total++
	if len(c.Problems) == MaxProblems {
		return
	}
	text := strings.TrimSuffix(strings.TrimSuffix(err.Error(), ": "+storage.ErrInvalid.Error()), ": "+storage.ErrExhausted.Error())
	if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
		text = broken.Err.Error()
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, fmt.Sprintf("line %d: ", line)), "row 1: ")
	c.Problems = append(c.Problems, Problem{line, text})
}

// Change returns a table without the rows of some keys, as they are written, and with others put in: in the place of the
// row that has the same key, else at the end. The error wraps storage.ErrInvalid, or storage.ErrNotFound for a key to be
// removed that no row has.
func Change(t *index.Table, remove []string, put [][]string) (*index.Table, error) {
	put = slices.Clone(put)
	gone := make(map[string]bool, len(remove))
	for _, key := range remove {
		gone[key] = false
	}
	fresh := make(map[string]int, len(put))
	for i, row := range put {
		if len(row) == 0 {
			return nil, fmt.Errorf("row %d has no cells: %w", i+1, storage.ErrInvalid)
		}
		if _, twice := fresh[row[0]]; twice {
			return nil, fmt.Errorf("two rows have the key %.80q: %w", row[0], storage.ErrInvalid)
		}
		fresh[row[0]] = i
	}
	rows := make([][]string, 0, t.Len()+len(put))
	for n := range t.Len() {
		row := t.Row(n)
		if _, out := gone[row[0]]; out {
			gone[row[0]] = true
			continue
		}
		if i, replaced := fresh[row[0]]; replaced {
			row = put[i]
			put[i] = nil
			delete(fresh, row[0])
		}
		rows = append(rows, row)
	}
	for key, found := range gone {
		if !found {
			return nil, fmt.Errorf("no row has the key %.80q: %w", key, storage.ErrNotFound)
		}
	}
	rows = append(rows, slices.DeleteFunc(put, func(row []string) bool { return row == nil })...)
	out, err := index.New(t.Kind(), t.Columns(), rows)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return out, nil
}

// Rows returns which rows have a cell that contains a text, without regard to case; all for "".
func Rows(t *index.Table, text string) func(yield func(n int) bool) {
	text = strings.ToLower(text)
	return func(yield func(int) bool) {
		for n := range t.Len() {
			if (text == "" || slices.ContainsFunc(t.Row(n), func(cell string) bool { return strings.Contains(strings.ToLower(cell), text) })) && !yield(n) {
				return
			}
		}
	}
}
