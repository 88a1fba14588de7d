// Package table turns what people upload into the one form in which a table is kept: its digest names that form, and a
// table that was loaded is the same for all who use it.
//
// The form is JSON lines: first {"kind":…,"columns":[…]}, then one array of strings for each row.
package table

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// MaxBytes bounds a table as it is uploaded, and as it is kept.
const MaxBytes = 16 << 20

// Format says how an upload is written.
type Format string

// The formats. The first column is the key.
const (
	CSV   Format = "csv"   // RFC 4180 with a header line
	JSONL Format = "jsonl" // one JSON object of flat values a line; the columns are the members of the first one, in order
	List  Format = "list"  // a key a line; empty lines and those that begin with # are left out
)

// Read reads an upload. The error wraps storage.ErrInvalid, or storage.ErrExhausted where a limit stands in the way, and
// names the row.
func Read(kind index.Kind, f Format, text []byte) (*index.Table, error) {
	u, err := scan(f, text, func(_ int, err error) error { return err })
	if err != nil {
		return nil, err
	}
	t, err := index.New(kind, u.columns, u.rows)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return t, nil
}

// upload is what stands in an upload.
type upload struct {
	columns []string
	rows    [][]string
	lines   []int // where each row begins, from 1
}

// add adds a row. The error is of the whole upload.
func (u *upload) add(line int, row []string) error {
	if len(u.rows) == index.MaxRows {
		return fmt.Errorf("more than %d rows", index.MaxRows)
	}
	u.rows, u.lines = append(u.rows, row), append(u.lines, line)
	return nil
}

// scan takes an upload apart. bad is told of each line that cannot be read; what it returns ends it.
func scan(f Format, text []byte, bad func(line int, err error) error) (u *upload, err error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("a table of %d bytes, at most %d are allowed: %w", len(text), MaxBytes, storage.ErrExhausted)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("the table is not UTF-8: %w", storage.ErrInvalid)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	u = &upload{}
	switch f {
	case CSV:
		err = u.readCSV(text, bad)
	case JSONL:
		err = u.readLines(text, bad)
	case List:
		err = u.readList(text)
	default:
		err = fmt.Errorf("format %q: want csv, jsonl or list", f)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return u, nil
}

func (u *upload) readCSV(text []byte, bad func(int, error) error) (err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace = true
	if u.columns, err = r.Read(); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the table is empty: want a line with the names of its columns")
		}
		return err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
			if err := bad(broken.StartLine, err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		if err := u.add(line, row); err != nil {
			return err
		}
	}
}

// readList reads keys. The one column is called key.
func (u *upload) readList(text []byte) error {
	u.columns = []string{"key"}
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if l = bytes.TrimSpace(l); len(l) == 0 || l[0] == '#' {
			continue
		}
		if err := u.add(line, []string{string(l)}); err != nil {
			return err
		}
	}
	return nil
}

// readLines reads JSON lines. Numbers and truth values become their text, null an empty cell; a member that the first
// line does not have is an error, one that a line lacks is empty.
func (u *upload) readLines(text []byte, bad func(int, error) error) error {
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if l = bytes.TrimSpace(l); len(l) == 0 {
			continue
		}
		row, err := u.object(l)
		if err != nil {
			err = bad(line, fmt.Errorf("line %d: %w", line, err))
		} else {
			err = u.add(line, row)
		}
		if err != nil {
			return err
		}
	}
	if u.columns == nil {
		return errors.New("the table is empty: want one JSON object a line")
	}
	return nil
}

// object returns a line's cells; the first line says which columns there are.
func (u *upload) object(line []byte) ([]string, error) {
	names, values, err := object(line)
	if err != nil {
		return nil, err
	}
	if u.columns == nil {
		u.columns = names
	}
	row := make([]string, len(u.columns))
	for i, n := range names {
		at := slices.Index(u.columns, n)
		if at < 0 {
			return nil, fmt.Errorf("%q is no column: the first line has %s", n, strings.Join(u.columns, ", "))
		}
		row[at] = values[i]
	}
	return row, nil
}

// object reads a flat JSON object in the order of its members.
func object(line []byte) (names, values []string, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("want a JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		text := ""
		switch v := value.(type) {
		case nil:
		case json.Delim:
			return nil, nil, fmt.Errorf("%q is not flat", name)
		default:
			text = fmt.Sprint(v)
		}
		if slices.Contains(names, name.(string)) {
			return nil, nil, fmt.Errorf("%q stands there twice", name)
		}
		names, values = append(names, name.(string)), append(values, text)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something stands behind the object")
	}
	return names, values, nil
}

type head struct {
	Kind    index.Kind `json:"kind"`
	Columns []string   `json:"columns"`
}

// Encode returns the form in which a table is kept, and its digest. The error wraps storage.ErrExhausted.
func Encode(t *index.Table) (content []byte, digest string, err error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(head{t.Kind(), t.Columns()}); err != nil {
		return nil, "", fmt.Errorf("encode table: %w", err)
	}
	for n := range t.Len() {
		if err := e.Encode(t.Row(n)); err != nil {
			return nil, "", fmt.Errorf("encode table: %w", err)
		}
	}
	if b.Len() > MaxBytes {
		return nil, "", fmt.Errorf("a table that takes %d bytes, at most %d are allowed: %w", b.Len(), MaxBytes, storage.ErrExhausted)
	}
	return b.Bytes(), Digest(b.Bytes()), nil
}

// Digest names content.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Decode reads what Encode wrote. The error wraps storage.ErrInvalid.
func Decode(content []byte) (*index.Table, error) {
	bad := func(err error) (*index.Table, error) {
		return nil, fmt.Errorf("read table: %w: %w", err, storage.ErrInvalid)
	}
	if len(content) > MaxBytes {
		return bad(fmt.Errorf("%d bytes, at most %d are allowed", len(content), MaxBytes))
	}
	d := json.NewDecoder(bufio.NewReaderSize(bytes.NewReader(content), 64<<10))
	d.DisallowUnknownFields()
	var h head
	if err := d.Decode(&h); err != nil {
		return bad(err)
	}
	var rows [][]string
	for {
		var row []string
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return bad(err)
		}
		if len(rows) == index.MaxRows {
			return bad(fmt.Errorf("more than %d rows", index.MaxRows))
		}
		rows = append(rows, row)
	}
	t, err := index.New(h.Kind, h.Columns, rows)
	if err != nil {
		return bad(err)
	}
	return t, nil
}

// Source gives the content of a table by its digest. It may be called by many goroutines at once.
type Source interface {
	TableContent(ctx context.Context, t storage.Tenant, digest string) ([]byte, error)
}

// Kept reads tables out of where their contents are kept.
type Kept struct{ From Source }

// Table returns a table. Content that is not what its digest says is an error of the machine: it wraps
// storage.ErrUnavailable.
func (k Kept) Table(ctx context.Context, t storage.Tenant, digest string) (*index.Table, error) {
	content, err := k.From.TableContent(ctx, t, digest)
	if err != nil {
		return nil, err
	}
	if got := Digest(content); got != digest {
		return nil, fmt.Errorf("the content is %s, want %s: %w", got, digest, storage.ErrUnavailable)
	}
	return Decode(content)
}
